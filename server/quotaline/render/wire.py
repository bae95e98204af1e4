"""What travels between server and client: frozen classes, turned into JSON by `Wire.to_json` where they leave.

`docs/generate.py` writes the types of docs/protocol.md and of the clients from these classes and the texts below their
fields. Within a version of the protocol members may be added, never changed or dropped.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import Enum
from functools import cache
from typing import Literal, TypeAlias, cast

from quotaline.forecast.severity import Severity
from quotaline_providers.errors import Kind

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"
VERSION: Literal[1] = 1
Indicator: TypeAlias = Literal["none", "minor", "major", "critical", "maintenance", "unknown"]
CredentialKind: TypeAlias = Literal["key", "cookie"]
ReportFormat: TypeAlias = Literal["markdown", "html", "fragment", "text"]


class Wire:
    """A class of the protocol. Its fields have the members' names in snake_case."""

    __slots__ = ()

    def to_json(self) -> dict[str, Json]:
        """Its JSON object: members in camelCase, in the order of the fields."""
        return {member: _to_json(getattr(self, name)) for name, member in _members(type(self))}  # type: ignore[arg-type]


def _to_json(value: object) -> Json:
    if isinstance(value, Wire):
        return value.to_json()
    if isinstance(value, tuple):
        return [_to_json(item) for item in value]
    return cast("Json", value.value if isinstance(value, Enum) else value)


@cache
def _members(kind: type[Wire]) -> tuple[tuple[str, str], ...]:
    """The names of a class's fields, and of the members they are in JSON."""
    return tuple((field.name, camel_case(field.name)) for field in fields(kind))  # type: ignore[arg-type]


def camel_case(name: str) -> str:
    """`used_percent` as `usedPercent`."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


# --- the usage -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MarkupContent(Wire):
    """As in LSP."""

    kind: Literal["markdown"]
    value: str


@dataclass(frozen=True, slots=True)
class StatusLine(Wire):
    """What stands in the editor's status line."""

    text: str
    """"Claude 62% 2h · Codex 18%" """
    severity: Severity
    """The worst of the providers'."""
    hover: MarkupContent
    """All providers, for a tooltip."""


@dataclass(frozen=True, slots=True)
class Window(Wire):
    """An allowance over a period."""

    id: str
    """"session", "weekly", ...: stable."""
    label: str
    text: str
    """"62% used, resets in 2h"; may be empty."""
    used_percent: float | None
    """0 to 100."""
    used: float | None
    """In `unit`."""
    limit: float | None
    """In `unit`."""
    unit: str | None
    resets_at: str | None
    window_minutes: int | None
    """43200 is one calendar month."""
    blocks: bool
    """Whether its exhaustion stops the whole account; that of one model or feature does not."""
    unlimited: bool
    """There is no limit: a full bar of what is left, no percentage."""


@dataclass(frozen=True, slots=True)
class Balance(Wire):
    """An amount that is left."""

    id: str
    label: str
    amount: float | None
    """In `unit`; null for one that is too large for JSON."""
    unit: str
    """A currency code, or a word such as "credits"."""
    text: str
    """"$18.40" """


@dataclass(frozen=True, slots=True)
class VendorStatus(Wire):
    """What a vendor's status page says."""

    indicator: Indicator
    label: str
    """"Operational", "Partial outage", "Major outage", ..."""
    description: str | None
    """The vendor's own words."""
    updated_at: str | None
    """When the vendor said so."""
    url: str | None
    """The page for people."""


@dataclass(frozen=True, slots=True)
class ProviderError(Wire):
    """Why the last refresh failed."""

    kind: Kind
    message: str
    """What happened."""
    hint: str
    """What to do next; may be empty."""


@dataclass(frozen=True, slots=True)
class ProviderState(Wire):
    """One account of one provider."""

    id: str
    """"claude"; repeated when several accounts are shown."""
    name: str
    """"Claude" """
    text: str
    """This provider's part of a status line."""
    severity: Severity
    hover: MarkupContent
    account: str | None
    """Whose usage it is; null with `hideIdentity`."""
    plan: str | None
    source: str | None
    """The way it was read: "oauth", "codex-cli", ..."""
    updated_at: str | None
    """When the usage was read."""
    stale: bool
    """Older than it should be, or the last refresh failed."""
    refreshing: bool
    """Someone is reading it now."""
    windows: tuple[Window, ...]
    balances: tuple[Balance, ...]
    headline: str | None
    """The id of the window, balance or spend that `text` shows; null when there is none."""
    blocked: str | None
    """Why the vendor says that the account cannot be used now, whatever the numbers say."""
    error: ProviderError | None
    """Stands beside the last good usage."""
    status: VendorStatus | None
    """What the vendor's status page says; null when not asked (`checkStatus`) or not known."""
    dashboard_url: str | None


@dataclass(frozen=True, slots=True)
class UsageParams(Wire):
    """All that is shown."""

    version: Literal[1]
    status_line: StatusLine
    providers: tuple[ProviderState, ...]
    """In display order."""
    restart_due: str | None
    """Why the server must be restarted to go on refreshing, in a sentence; null when it need not."""


@dataclass(frozen=True, slots=True)
class RestartDueParams(Wire):
    """Why the server must be restarted to go on refreshing."""

    message: str
    """In a sentence for the user."""


# --- the other methods -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ReportParams(Wire):
    """Which report is wanted."""

    format: ReportFormat


@dataclass(frozen=True, slots=True)
class Report(Wire):
    """The report of all providers at length."""

    format: ReportFormat
    content: str


@dataclass(frozen=True, slots=True)
class ReportFragment(Report):
    """The report for a page of the client's own, in the format "fragment"."""

    style: str
    """The style sheet that the content needs."""


@dataclass(frozen=True, slots=True)
class KnownProvider(Wire):
    """A provider that there is, shown or not."""

    id: str
    name: str
    summary: str
    """What is shown of it, in a sentence."""
    shown: bool
    sign_in: bool
    """Whether it has an interactive sign-in."""
    connect: str
    """How to connect it, in a sentence."""
    credentials: tuple[CredentialKind, ...]
    """What the user can give for it."""
    key_url: str | None
    """Where a key is made."""
    dashboard_url: str | None


@dataclass(frozen=True, slots=True)
class ProvidersResult(Wire):
    """All providers, by id."""

    providers: tuple[KnownProvider, ...]


@dataclass(frozen=True, slots=True)
class DocumentsResult(Wire):
    """The URIs of the documents that have language features."""

    config: str
    report: str


# --- the commands ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Outcome(Wire):
    """What a refresh came to, for one account."""

    id: str
    account: str | None
    """Its label; null for the provider's only account."""
    ok: bool
    asked: bool
    """Whether the vendor was asked. Not when a read a moment ago, another window's read or a promised wait answered."""
    message: str | None
    """What went wrong and what to do next; null when nothing did."""


@dataclass(frozen=True, slots=True)
class RefreshResult(Wire):
    """One outcome per account that was to be read."""

    outcomes: tuple[Outcome, ...]


@dataclass(frozen=True, slots=True)
class DashboardResult(Wire):
    """The address that was opened."""

    url: str


@dataclass(frozen=True, slots=True)
class DocumentResult(Wire):
    """The document that was shown."""

    uri: str


@dataclass(frozen=True, slots=True)
class MessageResult(Wire):
    """What was done, in a sentence for the user."""

    message: str


@dataclass(frozen=True, slots=True)
class SignInResult(Wire):
    """How a sign-in ended."""

    ok: bool
    message: str
    """What happened or what to do, in a sentence for the user."""


@dataclass(frozen=True, slots=True)
class SetCredentialResult(Wire):
    """Where a credential was kept."""

    kept: Literal["keyring", "config"]
    message: str
    """The same in a sentence for the user."""
