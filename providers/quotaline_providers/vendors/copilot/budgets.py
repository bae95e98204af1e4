"""Copilot budgets from the billing pages of a signed-in github.com session. Optional: any failure means no budgets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import model_validator

from quotaline_providers.access.lookups import CookieHeader
from quotaline_providers.contract import Context
from quotaline_providers.errors import Forbidden, ReadError
from quotaline_providers.model import Window
from quotaline_providers.parsing.payload import Payload, lenient_items, to_flag, to_number, to_text
from quotaline_providers.secret import Secret
from quotaline_providers.vendors.copilot.github import TIMEOUT, Person

PAGE = "https://github.com/settings/billing/budgets"
MOST_PAGES = 20
_PREMIUM, _AGENT, _SPARK = "copilot_premium_request", "copilot_agent_premium_request", "spark_premium_request"
_OURS = frozenset({"copilot", _PREMIUM, _AGENT, _SPARK})

# GitHub has renamed these often; the first name that holds something counts.
_IDS = ("id", "uuid", "budget_id", "budgetId")
_NAMES = ("name", "display_name", "displayName", "title")
_TYPES = ("budget_type", "budgetType", "type", "pricing_target_type", "pricingTargetType")
_SKUS = (
    *("budget_product_skus", "budgetProductSkus", "budget_product_sku", "budgetProductSku", "product_skus"),
    *("productSkus", "skus", "sku", "product", "product_name", "productName", "pricing_target_id", "pricingTargetId"),
)
_SKU_KEYS = ("sku", "name", "display_name", "displayName", "product", "product_name", "productName")
_ENTITIES = (
    *("budget_entity_name", "budgetEntityName", "entity_name", "entityName"),
    *("target_name", "targetName"),
)
_LIMITS = (
    *("budget_amount", "budgetAmount", "target_amount", "targetAmount", "spending_limit", "spendingLimit"),
    *("limit", "amount", "max"),
)
_USED = (
    *("current_usage", "currentUsage", "current_amount", "currentAmount", "usage_amount", "usageAmount"),
    *("usage", "spent", "amount_used", "amountUsed"),
)


def to_dollars(value: object) -> float | None:
    """US dollars from a number, a text such as `$1,200.50` or `-$3`, or an object that holds either."""
    if isinstance(value, Mapping):
        for key in ("amount", "value", "total", "cents", "formatted"):
            if (amount := to_dollars(value.get(key))) is not None:
                return amount / 100 if key == "cents" else amount
        return None
    if isinstance(value, str):
        text = value.replace("$", "").replace(",", "").replace(" ", "")
        return to_number(text) if "-" not in text[1:] else None
    return to_number(value)


def _skus(value: object) -> tuple[str, ...]:
    if isinstance(value, list):
        return tuple(text for item in value for text in _skus(item))
    if isinstance(value, Mapping):
        return next(((text,) for key in _SKU_KEYS if (text := to_text(value.get(key)))), ())
    text = to_text(value)
    return (text,) if text else ()


class Budget(Payload):
    """One budget, its many spellings folded into one. Amounts are US dollars."""

    id: str | None = None
    name: str | None = None
    type: str | None = None
    entity: str | None = None
    skus: tuple[str, ...] = ()
    limit: float | None = None
    used: float | None = None

    @model_validator(mode="before")
    @classmethod
    def _fold(cls, raw: Any) -> Any:
        if not isinstance(raw, Mapping):
            return raw

        def text(names: tuple[str, ...]) -> str | None:
            return next((found for name in names if (found := to_text(raw.get(name)))), None)

        def dollars(names: tuple[str, ...]) -> float | None:
            return next((found for name in names if (found := to_dollars(raw.get(name))) is not None), None)

        return {
            "id": text(_IDS),
            "name": text(_NAMES),
            "type": text(_TYPES),
            "entity": text(_ENTITIES),
            "skus": next((found for name in _SKUS if (found := _skus(raw.get(name)))), ()),
            "limit": dollars(_LIMITS),
            "used": dollars(_USED),
        }


class BudgetPage(Payload):
    """GET /settings/billing/budgets?page=n, the object itself or its `payload`."""

    budgets: Annotated[tuple[Budget, ...], lenient_items(Budget)] = ()
    more: bool = False

    @model_validator(mode="before")
    @classmethod
    def _unwrap(cls, raw: Any) -> Any:
        inner = raw.get("payload") if isinstance(raw, Mapping) else None
        body = inner if isinstance(inner, Mapping) and "budgets" not in raw else raw
        if not isinstance(body, Mapping):
            return body
        more = any(to_flag(body.get(name)) for name in ("hasNextPage", "has_next_page"))
        return {"budgets": body.get("budgets"), "more": more}


def _slug(text: str, joint: str) -> str:
    return re.sub(r"[^a-z0-9]+", joint, text.lower()).strip(joint)


def selector(text: str) -> str:
    """What a SKU, type, entity or name of a budget selects, in one spelling."""
    slug = _slug(text, "_")
    if slug == "copilot":
        return slug
    if slug in ("premium_request", "premium_requests"):
        return _PREMIUM
    if slug in ("coding_agent_premium_request", "coding_agent_premium_requests"):
        return _AGENT
    if "premium" not in slug or "request" not in slug:
        return slug
    if "spark" in slug:
        return _SPARK
    if "agent" in slug and ("cloud" in slug or "coding" in slug):
        return _AGENT
    if "bundled" in slug:
        return _PREMIUM
    if "copilot" in slug:
        return _AGENT if "agent" in slug else _PREMIUM
    return slug


def _ours(budget: Budget) -> frozenset[str]:
    texts = (*budget.skus, budget.type, budget.entity, budget.name)
    return frozenset(selector(text) for text in texts if text) & _OURS


def _title(budget: Budget, ours: frozenset[str]) -> str:
    if ours == {"copilot"}:
        return "Copilot"
    premium = ours - {"copilot"}
    if premium == {_AGENT}:
        return "Copilot Agent Premium Requests"
    if premium == {_SPARK}:
        return "Spark Premium Requests"
    if len(premium) > 1 or any("bundled" in _slug(sku, "_") for sku in budget.skus):
        return "All Premium Request SKUs"
    return budget.name or "Copilot Premium Requests"


def to_windows(budgets: tuple[Budget, ...], now: datetime) -> tuple[Window, ...]:
    """The Copilot budgets as extra windows, percent of the limit spent (0-999)."""
    windows: list[Window] = []
    taken: set[str] = set()
    for budget in budgets:
        ours = _ours(budget)
        if not ours or budget.limit is None or budget.limit <= 0:
            continue
        title = _title(budget, ours)
        base = f"copilot-budget-{_slug(budget.id or ' '.join(budget.skus) or title, '-')}"
        id, number = base, 2
        while id in taken:
            id, number = f"{base}-{number}", number + 1
        taken.add(id)
        percent = None if budget.used is None else min(999.0, max(0.0, budget.used / budget.limit * 100))
        windows.append(
            Window(
                id=id,
                label=f"Budget - {title}",
                used_percent=percent,
                used=budget.used,
                limit=budget.limit,
                unit="USD",
                resets_at=_next_month(now),
            )
        )
    return tuple(windows)


def _next_month(now: datetime) -> datetime:
    local = now.astimezone()
    year, month = (local.year + 1, 1) if local.month == 12 else (local.year, local.month + 1)
    return datetime(year, month, 1).astimezone(UTC)


_NONCES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"""x-fetch-nonce"\s+content="([^"\s]+)\"""",
        r"""\"X-Fetch-Nonce"\s*:\s*"([^"\s]+)\"""",
        r"""\"fetchNonce"\s*:\s*"([^"\s]+)\"""",
        r"""data-fetch-nonce="([^"\s]+)\"""",
    )
)


def nonce(page: str) -> str | None:
    """The page's fetch nonce, in any of the places it is kept."""
    for pattern in _NONCES:
        if (match := pattern.search(page)) and match.group(1).isascii():
            return match.group(1)
    return None


def identity(page: str) -> Person:
    """Whose session served the page; a person without id and login when it does not say."""
    from html.parser import HTMLParser

    found: dict[str, str] = {}

    class Metas(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            values = dict(attrs)
            name, content = (values.get("name") or "").lower(), (values.get("content") or "").strip()
            if tag == "meta" and name and content:
                found.setdefault(name, content)

    with suppress(AssertionError):  # the parser's word for a declaration it does not know
        Metas().feed(page)
    ids = ("octolytics-actor-id", "analytics-user-id", "user-id")
    logins = ("user-login", "octolytics-actor-login", "analytics-user-login")
    return Person(
        id=next((found[name] for name in ids if name in found), None),
        login=next((found[name] for name in logins if name in found), None),
    )


def same_person(one: Person, other: Person) -> bool:
    """By id where both have one, else by login."""
    if one.id is not None and other.id is not None:
        return one.id == other.id
    return bool(one.login and other.login) and (one.login or "").lower() == (other.login or "").lower()


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in browser session; the pages want their nonce back, where they gave one."""

    cookie: Secret
    nonce: str | None = None


def wanted(ctx: Context) -> bool:
    """Whether the user switched budgets on. Only a pasted cookie header is used: no browser is read."""
    return ctx.settings.own("budgetExtrasEnabled") is True and ctx.settings.cookie_source != "off"


async def read_budgets(ctx: Context, expected: Person | None) -> tuple[Window, ...]:
    """The budgets of the pasted session. Raises ReadError: no cookie, not signed in, another account, a bad answer."""
    # A labelled account holds a token, never a cookie.
    found = await CookieHeader().find(replace(ctx, account=None))
    session = await _open(ctx, found.secret, expected)
    budgets: list[Budget] = []
    for number in range(1, MOST_PAGES + 1):
        page = await _page(ctx, session, number)
        budgets.extend(page.budgets)
        if not page.more:
            break
    return to_windows(tuple(budgets), ctx.now)


async def _open(ctx: Context, cookie: Secret, expected: Person | None) -> Session:
    try:
        answer = await ctx.http.send(
            "GET", PAGE, headers={"Accept": "text/html,application/xhtml+xml"}, cookie=cookie, timeout=TIMEOUT
        )
        page = ctx.http.check(answer).text
    except ReadError:
        if expected is None:
            return Session(cookie)
        raise
    if expected is not None and not same_person(expected, identity(page)):
        raise Forbidden("The github.com session belongs to another account than the token.")
    return Session(cookie, nonce(page))


async def _page(ctx: Context, session: Session, number: int) -> BudgetPage:
    headers = {
        "Referer": PAGE,
        "X-Requested-With": "XMLHttpRequest",
        "GitHub-Verified-Fetch": "true",
        **({"X-Fetch-Nonce": session.nonce} if session.nonce else {}),
    }
    params = {"page": str(number), "page_size": "10", "scope": "customer"}
    return await ctx.http.get(PAGE, BudgetPage, headers=headers, cookie=session.cookie, params=params, timeout=TIMEOUT)
