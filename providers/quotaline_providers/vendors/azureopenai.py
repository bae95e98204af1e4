"""Azure OpenAI: no quota, only whether one deployment answers; each read is a real, tiny, possibly billed request."""

from __future__ import annotations

import re
from datetime import datetime
from urllib.parse import quote, urlsplit, urlunsplit

import quotaline_providers as ql

DEFAULT_VERSION = "2024-10-21"
SECONDS = 20.0
KEYS = ("AZURE_OPENAI_API_KEY", "AZURE_API_KEY")
ENDPOINT, RESOURCE = "AZURE_OPENAI_ENDPOINT", "AZURE_RESOURCE_NAME"
DEPLOYMENT, VERSION = "AZURE_OPENAI_DEPLOYMENT_NAME", "AZURE_OPENAI_API_VERSION"
REFUSALS = {
    400: ql.Refusal(ql.BadResponse, "Azure refused the request (HTTP 400).", f"Reasoning models need {VERSION}=v1."),
    401: ql.Refusal(ql.ExpiredCredential, "Azure refused the API key (HTTP 401).", f"Check {KEYS[0]}."),
    404: ql.Refusal(ql.BadResponse, "Azure has no such deployment (HTTP 404).", f"Check {DEPLOYMENT} and {VERSION}."),
    429: ql.Refusal(ql.RateLimited, "The deployment exists but is rate limited (HTTP 429)."),
}
_RESOURCE_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,62}[A-Za-z0-9])?")
_PING = [{"role": "user", "content": "ping"}]


class Completion(ql.Payload):
    """The answer of a deployment, of which only the name of the model matters."""

    model: ql.Text = None


def joined(base: str, version: str, deployment: str) -> str:
    """The address of the chat completions; parts of its prefix that already end the base are not repeated."""
    prefix = ["openai", "v1"] if version == "v1" else ["openai"]
    parts = urlsplit(base)
    path = [part for part in parts.path.split("/") if part]
    lower = [part.lower() for part in path]
    shared = next((n for n in range(len(prefix), 0, -1) if lower[-n:] == prefix[:n]), 0)
    rest = ["chat", "completions"]
    if version != "v1":
        rest = ["deployments", quote(deployment, safe=""), *rest]
    return urlunsplit(parts._replace(path="/" + "/".join([*path, *prefix[shared:], *rest])))


def version_of(ctx: ql.Context) -> str:
    """The API version; `v1` stands for the API that has none."""
    version = ctx.env(VERSION) or DEFAULT_VERSION
    return "v1" if version.lower() == "v1" else version


def base_of(ctx: ql.Context) -> str:
    """The resource's address. Raises Misconfigured when it is refused or missing."""
    for name, value in (("enterpriseHost", ctx.settings.enterprise_host), (ENDPOINT, ctx.env(ENDPOINT))):
        if value:
            return ql.base_address(value, name, "")
    if resource := ctx.env(RESOURCE):
        if _RESOURCE_NAME.fullmatch(resource) is None:
            raise ql.Misconfigured(
                f"The setting {RESOURCE} is not a resource name.", f"Correct {RESOURCE} or remove it."
            )
        return ql.endpoint(f"{resource}.openai.azure.com", RESOURCE)
    raise ql.Misconfigured(
        f"The Azure OpenAI endpoint is missing: set enterpriseHost or {ENDPOINT}.",
        "Copy the endpoint from your resource in the Azure portal.",
    )


def deployment_of(ctx: ql.Context) -> str:
    """The name of the deployment. Raises Misconfigured."""
    deployment = ctx.settings.workspace_id or ctx.env(DEPLOYMENT)
    if deployment is None:
        raise ql.Misconfigured(
            f"The Azure OpenAI deployment is missing: set workspaceID or {DEPLOYMENT}.",
            "Use the name of the deployment, not of its model.",
        )
    return deployment


def to_usage(deployment: str, model: str | None, host: str, now: datetime) -> ql.Usage:
    """A status, not a meter: that the deployment answered."""
    name = f"Deployment: {deployment}"
    rows = (ql.Row(label="Deployment", value=deployment), *((ql.Row(label="Model", value=model),) if model else ()))
    status = ql.Window(
        id="status",
        label="Status",
        used_percent=0,
        description=f"{name} · Model: {model}" if model else name,
        lane="primary",
        placeholder=True,
        blocks=False,
    )
    return ql.Usage(
        updated_at=now,
        windows=(status,),
        identity=ql.Identity(login=name, organization=host),
        details=(ql.Section(title="Answers", rows=rows),),
    )


async def from_api(ctx: ql.Context, key: ql.Credential) -> ql.Usage:
    """Ask the deployment for one word."""
    base = base_of(ctx)
    deployment, version = deployment_of(ctx), version_of(ctx)
    body: dict[str, object] = {"messages": _PING, "max_tokens": 1}
    if version == "v1":
        # Reasoning models spend hidden tokens before the first visible one.
        body = {"model": deployment, "messages": _PING, "max_completion_tokens": 64}
    completion = await ctx.http.post(
        joined(base, version, deployment),
        Completion,
        refusals=REFUSALS,
        headers={"api-key": key.secret.reveal()},
        params=None if version == "v1" else {"api-version": version},
        json=body,
        timeout=SECONDS,
    )
    return to_usage(deployment, completion.model, urlsplit(base).hostname or "", ctx.now)


PROVIDER = ql.Provider(
    id="azureopenai",
    name="Azure OpenAI",
    connect="Set AZURE_OPENAI_API_KEY, AZURE_OPENAI_ENDPOINT and AZURE_OPENAI_DEPLOYMENT_NAME of one deployment.",
    summary="Whether one deployment answers, and the model behind it; each read is a small billed request.",
    aliases=("azure-openai", "aoai"),
    dashboard="https://ai.azure.com",
    status=ql.StatusPage("https://azure.status.microsoft/en-us/status"),
    keys="https://portal.azure.com",
    fields=("enterpriseHost", "workspaceID"),
    min_interval=900,
    https_only=True,
    strategies=(ql.Strategy.api(from_api, ql.ApiKey(env=KEYS), label="deployment"),),
)
