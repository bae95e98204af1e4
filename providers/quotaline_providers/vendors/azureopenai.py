"""Azure OpenAI: no quota, only whether one deployment answers; each read is a real, tiny, possibly billed request."""

from __future__ import annotations

import re
from datetime import datetime
from urllib.parse import quote, urlsplit, urlunsplit

from quotaline_providers.access.endpoints import endpoint, without_query
from quotaline_providers.access.lookups import ApiKey
from quotaline_providers.contract import Context, Credential, Provider, Response, StatusPage, Strategy
from quotaline_providers.errors import BadResponse, ExpiredCredential, Misconfigured, RateLimited
from quotaline_providers.model import Identity, Row, Section, Usage, Window
from quotaline_providers.parsing.payload import Payload, Text

DEFAULT_VERSION = "2024-10-21"
SECONDS = 20.0
ENDPOINT, RESOURCE = "AZURE_OPENAI_ENDPOINT", "AZURE_RESOURCE_NAME"
DEPLOYMENT = "AZURE_OPENAI_DEPLOYMENT_NAME"
_RESOURCE_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,62}[A-Za-z0-9])?")
_PING = [{"role": "user", "content": "ping"}]


class Completion(Payload):
    """The answer of a deployment; only which model stands behind it matters."""

    model: Text = None


def joined(base: str, version: str, deployment: str) -> str:
    """The address of the chat completions; parts of its prefix that already end the base are not repeated."""
    prefix = ["openai", "v1"] if version == "v1" else ["openai"]
    parts = urlsplit(base)
    path = [part for part in parts.path.split("/") if part]
    lower = [part.lower() for part in path]
    there = next((n for n in range(len(prefix), 0, -1) if lower[-n:] == prefix[:n]), 0)
    rest = ["chat", "completions"]
    if version != "v1":
        rest = ["deployments", quote(deployment, safe=""), *rest]
    return urlunsplit(parts._replace(path="/" + "/".join([*path, *prefix[there:], *rest])))


def version_of(ctx: Context) -> str:
    """The API version; `v1` stands for the API that has none."""
    version = ctx.env("AZURE_OPENAI_API_VERSION") or DEFAULT_VERSION
    return "v1" if version.lower() == "v1" else version


def base_of(ctx: Context) -> str:
    """The resource's address. Raises Misconfigured when it is refused or missing."""
    for name, value in (("enterpriseHost", ctx.settings.enterprise_host), (ENDPOINT, ctx.env(ENDPOINT))):
        if value:
            return without_query(endpoint(value, name), name)
    if resource := ctx.env(RESOURCE):
        if _RESOURCE_NAME.fullmatch(resource) is None:
            raise Misconfigured(f"The setting {RESOURCE} is no resource name.", f"Correct {RESOURCE} or remove it.")
        return endpoint(f"{resource}.openai.azure.com", RESOURCE)
    raise Misconfigured(
        f"The Azure OpenAI endpoint is missing: set enterpriseHost or {ENDPOINT}.",
        "Copy the endpoint from your resource in the Azure portal.",
    )


def deployment_of(ctx: Context) -> str:
    """The name of the deployment. Raises Misconfigured."""
    deployment = ctx.settings.workspace_id or ctx.env(DEPLOYMENT)
    if deployment is None:
        raise Misconfigured(
            f"The Azure OpenAI deployment is missing: set workspaceID or {DEPLOYMENT}.",
            "Use the name of the deployment, not of its model.",
        )
    return deployment


def to_usage(deployment: str, model: str | None, host: str, now: datetime) -> Usage:
    """A status, not a meter: that the deployment answered."""
    name = f"Deployment: {deployment}"
    rows = (Row(label="Deployment", value=deployment), *((Row(label="Model", value=model),) if model else ()))
    status = Window(
        id="status",
        label="Status",
        used_percent=0,
        description=f"{name} · Model: {model}" if model else name,
        lane="primary",
        placeholder=True,
    )
    return Usage(
        updated_at=now,
        windows=(status,),
        identity=Identity(plan=name, organization=host),
        details=(Section(title="Answers", rows=rows),),
    )


async def from_api(ctx: Context, key: Credential) -> Usage:
    """Ask the deployment for one word."""
    base = base_of(ctx)
    deployment, version = deployment_of(ctx), version_of(ctx)
    body: dict[str, object] = {"messages": _PING, "max_tokens": 1}
    if version == "v1":
        # Reasoning models spend hidden tokens before the first visible one.
        body = {"model": deployment, "messages": _PING, "max_completion_tokens": 64}
    response = await ctx.http.send(
        "POST",
        joined(base, version, deployment),
        headers={"api-key": key.secret.reveal()},
        params=None if version == "v1" else {"api-version": version},
        json=body,
        timeout=SECONDS,
    )
    completion = ctx.http.parse(_checked(ctx, response), Completion)
    return to_usage(deployment, completion.model, urlsplit(base).hostname or "", ctx.now)


def _checked(ctx: Context, response: Response) -> Response:
    if response.status == 400:
        raise BadResponse(
            "The deployment did not accept the request (HTTP 400).",
            "Set AZURE_OPENAI_API_VERSION to v1 when it serves a reasoning model.",
        )
    if response.status == 401:
        raise ExpiredCredential("Azure OpenAI refused the API key (HTTP 401).", "Check AZURE_OPENAI_API_KEY.")
    if response.status == 404:
        raise BadResponse(
            "Azure OpenAI has no such deployment or API version (HTTP 404).",
            f"Check {DEPLOYMENT} and AZURE_OPENAI_API_VERSION.",
        )
    if response.status == 429:
        raise RateLimited("The deployment is there but asks to wait (HTTP 429).", until=ctx.http.retry_after(response))
    return ctx.http.check(response)


PROVIDER = Provider(
    id="azureopenai",
    name="Azure OpenAI",
    connect="Set AZURE_OPENAI_API_KEY, AZURE_OPENAI_ENDPOINT and AZURE_OPENAI_DEPLOYMENT_NAME of one deployment.",
    summary="Whether one deployment answers, and the model behind it; each read is a small billed request.",
    aliases=("azure-openai", "aoai"),
    dashboard="https://ai.azure.com",
    status=StatusPage("https://azure.status.microsoft/en-us/status"),
    keys="https://portal.azure.com",
    fields=("enterpriseHost", "workspaceID"),
    min_interval=900,
    deadline=30,
    https_only=True,
    strategies=(Strategy.api(from_api, ApiKey(env=("AZURE_OPENAI_API_KEY", "AZURE_API_KEY")), label="deployment"),),
)
