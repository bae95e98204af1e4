"""Copilot spend of a whole organisation, for seats that have no allowance of their own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Annotated
from urllib.parse import quote

from pydantic import Field, RootModel

from quotaline_providers.contract import Context, Response
from quotaline_providers.errors import ReadError
from quotaline_providers.formatting import grouped
from quotaline_providers.model import Row, Section, Spend
from quotaline_providers.parsing.payload import Number, Payload, Text, exact, lenient_items
from quotaline_providers.secret import Secret
from quotaline_providers.vendors.copilot.github import GITHUB_API, TIMEOUT

MOST_ORGANIZATIONS = 20
RETRY_AFTER = timedelta(hours=1)
_NONE = "-"  # no organisation is called so


class Organization(Payload):
    """`GET /user/orgs`."""

    login: Text = None


class Organizations(RootModel[Annotated[tuple[Organization, ...], lenient_items(Organization)]]):
    """GET /user/orgs."""


class UsageItem(Payload):
    """What a product was used; `gross` in its unit, `net` in US dollars."""

    product: Text = None
    unit_type: Text = Field(default=None, alias="unitType")
    gross: Number = Field(default=None, alias="grossQuantity")
    net: Number = Field(default=None, alias="netAmount")


class Summary(Payload):
    """GET /orgs/<org>/settings/billing/usage/summary."""

    items: Annotated[tuple[UsageItem, ...], lenient_items(UsageItem)] = Field(default=(), alias="usageItems")


@dataclass(frozen=True, slots=True)
class Billing:
    """What one organisation used of Copilot this month: credits, and US dollars after discounts."""

    organization: str
    credits: Decimal
    dollars: Decimal


def billing(summary: Summary, organization: str) -> Billing | None:
    """The Copilot credits of a summary; None when it has none. Negative amounts count as 0."""
    items = [
        item
        for item in summary.items
        if (item.product or "").lower() == "copilot" and (item.unit_type or "").lower() in ("ai-units", "ai-credits")
    ]
    if not items:
        return None
    credits = sum((exact(max(0.0, item.gross or 0)) for item in items), Decimal(0))
    dollars = sum((exact(max(0.0, item.net or 0)) for item in items), Decimal(0))
    return Billing(organization, credits, dollars)


def spend(found: Billing) -> Spend:
    """What the organisation pays beyond its seats."""
    return Spend(id="organization", label="Organisation spend", used=found.dollars, unit="USD", period="month")


def section(found: Billing) -> Section:
    """The organisation's credits, which are no share of anything."""
    row = Row(label="Organisation credits used", value=grouped(found.credits), secondary=found.organization)
    return Section(title="Organisation", rows=(row,))


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
