"""The billing pages of a signed-in github.com session. Optional: any failure means no budgets."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, replace

from quotaline_providers import Context, CookieHeader, Forbidden, ReadError, Secret, Window
from quotaline_providers.vendors.copilot.github import TIMEOUT
from quotaline_providers.vendors.copilot.mapping import budget_windows
from quotaline_providers.vendors.copilot.payloads import Budget, BudgetPage, Person

PAGE = "https://github.com/settings/billing/budgets"
MOST_PAGES = 20
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
    return budget_windows(tuple(budgets), ctx.now)


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
