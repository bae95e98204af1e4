"""Every custom method and command of the protocol: the names, and the table the documentation is made from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

DID_CHANGE_USAGE = "quotaline/didChangeUsage"
RESTART_DUE = "quotaline/restartDue"
USAGE = "quotaline/usage"
REPORT = "quotaline/report"
DID_INTERACT = "quotaline/didInteract"
CONFIG_SCHEMA = "quotaline/configSchema"
PROVIDERS = "quotaline/providers"
DOCUMENTS = "quotaline/documents"
SERVER_STATUS = "experimental/serverStatus"
"""Not ours: rust-analyzer's, which some editors show for any server."""

REFRESH = "quotaline.refresh"
OPEN_DASHBOARD = "quotaline.openDashboard"
SHOW_REPORT = "quotaline.showReport"
SIGN_IN = "quotaline.signIn"
SET_CREDENTIAL = "quotaline.setCredential"
ENABLE = "quotaline.enable"
DISABLE = "quotaline.disable"
OPEN_CONFIG = "quotaline.openConfig"

COMMANDS = (REFRESH, OPEN_DASHBOARD, SHOW_REPORT, SIGN_IN, SET_CREDENTIAL, ENABLE, DISABLE, OPEN_CONFIG)


@dataclass(frozen=True, slots=True)
class Method:
    """One line of the protocol. `params` and `result` are TypeScript-like types, `example` is JSON of the params."""

    name: str
    kind: Literal["notification", "request", "command"]
    direction: Literal["server → client", "client → server"]
    purpose: str
    params: str
    result: str = "—"
    example: str = ""


METHODS = (
    Method(
        DID_CHANGE_USAGE,
        "notification",
        "server → client",
        "Sent right after `initialized` (from the store) and after every visible change, to clients with the "
        'capability `experimental.quotaline = {"usage": true}`.',
        "UsageParams",
        example='{"version": 1, "statusLine": {"text": "Claude 62% 2h", "severity": "ok", '
        '"hover": {"kind": "markdown", "value": "…"}}, "providers": [], "restartDue": null}',
    ),
    Method(
        RESTART_DUE,
        "notification",
        "server → client",
        "Sent once to a client with that capability when the installed program has been replaced and this server must "
        "be restarted. The client tells the user and offers to restart the server. Other clients get a "
        "`window/showMessage`.",
        "RestartDueParams",
        example='{"message": "Quotaline was updated. Restart its server to go on."}',
    ),
    Method(USAGE, "request", "client → server", "The same parameters on demand.", "{} | null", "UsageParams", "{}"),
    Method(
        REPORT,
        "request",
        "client → server",
        "The report of all providers at length. `html` is a whole document; `fragment` is its main element without a "
        "script or a style attribute, and the style sheet it needs, for a page of the client's own.",
        "ReportParams",
        "Report | ReportFragment",
        '{"format": "markdown"}',
    ),
    Method(
        DID_INTERACT,
        "notification",
        "client → server",
        "The user looked (hover, click): the adaptive cadence comes forward.",
        "{} | null",
        example="{}",
    ),
    Method(
        CONFIG_SCHEMA,
        "request",
        "client → server",
        "The JSON schema of the config file.",
        "{} | null",
        "object",
        "{}",
    ),
    Method(
        PROVIDERS,
        "request",
        "client → server",
        "Every provider there is, shown or not, by id: for lists to choose from and for completion.",
        "{} | null",
        "ProvidersResult",
        "{}",
    ),
    Method(
        DOCUMENTS,
        "request",
        "client → server",
        "The URIs of the two documents that have language features, whether they exist or not.",
        "{} | null",
        "DocumentsResult",
        "{}",
    ),
    Method(
        REFRESH,
        "command",
        "client → server",
        "Read all shown providers now, or those with the given ids. Reports work-done progress.",
        "[...ids: string[]]",
        "RefreshResult",
        '["claude", "codex"]',
    ),
    Method(
        OPEN_DASHBOARD,
        "command",
        "client → server",
        "Open the provider's dashboard in the browser (`window/showDocument`).",
        "[id: string]",
        "DashboardResult",
        '["claude"]',
    ),
    Method(
        SHOW_REPORT,
        "command",
        "client → server",
        "Write the report as a Markdown document and show it in the editor.",
        "[]",
        "DocumentResult",
        "[]",
    ),
    Method(
        SIGN_IN,
        "command",
        "client → server",
        "Sign in to a provider that has an interactive sign-in; otherwise tells how to connect it.",
        "[id: string]",
        "SignInResult",
        '["copilot"]',
    ),
    Method(
        SET_CREDENTIAL,
        "command",
        "client → server",
        "Keep a key or cookie header: in the OS keyring, or in the config file where no keyring works. "
        "The value is never logged, stored elsewhere, or sent back.",
        "[{id: string, value: string, label?: string}]",
        "SetCredentialResult",
        '[{"id": "openrouter", "value": "…"}]',
    ),
    Method(
        ENABLE,
        "command",
        "client → server",
        "Always show a provider (writes the config file).",
        "[id: string]",
        "MessageResult",
        '["kiro"]',
    ),
    Method(
        DISABLE,
        "command",
        "client → server",
        "Never show a provider (writes the config file).",
        "[id: string]",
        "MessageResult",
        '["kiro"]',
    ),
    Method(
        OPEN_CONFIG,
        "command",
        "client → server",
        "Show the config file in the editor; a minimal one is made when there is none.",
        "[]",
        "DocumentResult",
        "[]",
    ),
)
