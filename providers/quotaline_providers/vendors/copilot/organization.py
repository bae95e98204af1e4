"""The search for the organisation that pays for a seat without an allowance of its own, and its bill."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import quote

from quotaline_providers import Context, ReadError, Response, Secret
from quotaline_providers.vendors.copilot.github import GITHUB_API, TIMEOUT
from quotaline_providers.vendors.copilot.mapping import Billing, billing
from quotaline_providers.vendors.copilot.payloads import Organizations, Summary

MOST_ORGANIZATIONS = 20
RETRY_AFTER = timedelta(hours=1)
_NONE = "-"  # no organisation is called so


async def read_billing(ctx: Context, token: Secret) -> Billing | None:
    """The first organisation with Copilot credits, remembered. None when there is none or GitHub does not say now."""
    key = f"copilot.organization.{token.digest()}"
    remembered = await ctx.memory.get(key)
    if remembered == _NONE:
        return None
    if remembered:
        answer = await _get(ctx, token, _summary_path(remembered))
        if answer is None or answer.status == 429 or answer.status >= 500:
            return None
        if found := _billing(ctx, answer, remembered):
            return found
        await ctx.memory.forget(key)
    return await _search(ctx, token, key)


async def _search(ctx: Context, token: Secret, key: str) -> Billing | None:
    answer = await _get(ctx, token, "/user/orgs", {"per_page": "100"})
    if answer is None or answer.status == 429 or answer.status >= 500:
        return None
    certain = True
    for name in _names(ctx, answer)[:MOST_ORGANIZATIONS]:
        answer = await _get(ctx, token, _summary_path(name))
        if answer is None or answer.status == 429 or answer.status >= 500:
            certain = False
        elif found := _billing(ctx, answer, name):
            await ctx.memory.set(key, name)
            return found
    if certain:
        await ctx.memory.set(key, _NONE, ctx.now + RETRY_AFTER)
    return None


def _summary_path(organization: str) -> str:
    return f"/orgs/{quote(organization, safe='')}/settings/billing/usage/summary"


def _names(ctx: Context, response: Response) -> list[str]:
    if not response.ok:
        return []
    try:
        return [item.login for item in ctx.http.parse(response, Organizations).root if item.login]
    except ReadError:
        return []


def _billing(ctx: Context, response: Response, organization: str) -> Billing | None:
    if not response.ok:
        return None
    try:
        return billing(ctx.http.parse(response, Summary), organization)
    except ReadError:
        return None


async def _get(ctx: Context, token: Secret, path: str, params: dict[str, str] | None = None) -> Response | None:
    headers = {
        "Authorization": f"token {token.reveal()}",
        "Accept": "application/vnd.github+json",
        "X-GitHub-Api-Version": "2022-11-28",
    }
    try:
        return await ctx.http.send(
            "GET", f"https://{GITHUB_API}{path}", headers=headers, params=params, timeout=TIMEOUT
        )
    except ReadError:
        return None
