"""Signing in to GitHub with a code typed into a browser (the OAuth device flow)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from quotaline_providers import (
    BadResponse,
    Context,
    Forbidden,
    ReadError,
    Secret,
    SignedIn,
    SignInPrompt,
    TimedOut,
    Unavailable,
)
from quotaline_providers.contract import checked_code
from quotaline_providers.settings import TokenAccount
from quotaline_providers.vendors.copilot.github import GITHUB, Host, github_host, read_user, token_owner
from quotaline_providers.vendors.copilot.logins import usable
from quotaline_providers.vendors.copilot.payloads import DeviceCode, Person, TokenAnswer

CLIENT_ID = "Iv1.b507a08c87ecfe98"  # the public application of the Copilot editor plug-ins
_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
_USUAL_SECONDS, _LEAST_SECONDS, _MORE_SECONDS = 5.0, 1.0, 5.0
_AGAIN = "Start the sign-in again."


async def sign_in(ctx: Context) -> AsyncIterator[SignInPrompt | SignedIn]:
    """Yields one prompt, then the account. Raises ReadError: refused, timed out, or unidentified."""
    host = github_host(ctx.settings.enterprise_host)
    form = {"client_id": CLIENT_ID, "scope": "read:user"}
    code = await ctx.http.post(f"https://{host.web}/login/device/code", DeviceCode, form=form)
    yield _prompt(code, host)
    token = await _wait_for_token(ctx, host, code)
    yield await _account(ctx, host, token)


def _prompt(code: DeviceCode, host: Host) -> SignInPrompt:
    url = code.verification_uri_complete or code.verification_uri
    if not code.device_code or not code.user_code or not url:
        raise BadResponse("GitHub sent no code to sign in with.")
    shown = checked_code(code.user_code)
    if code.verification_uri_complete:
        return SignInPrompt(f"Confirm the code {shown} in your browser.", url, hosts=(host.web,))
    return SignInPrompt("Type the code in your browser to sign in to GitHub.", url, shown, (host.web,))


async def _wait_for_token(ctx: Context, host: Host, code: DeviceCode) -> Secret:
    asked = code.interval if code.interval is not None and code.interval >= 0 else _USUAL_SECONDS
    interval = max(asked, _LEAST_SECONDS)
    left = code.expires_in if code.expires_in is not None else 900.0  # counted, as the clock may be set meanwhile
    while interval < left:
        await _pause(interval)
        left -= interval
        answer = await _poll(ctx, host, code.device_code or "")
        if token := usable(answer.access_token):
            return Secret(token)
        if answer.error == "slow_down":
            interval += _MORE_SECONDS
        elif answer.error == "expired_token":
            break
        elif answer.error != "authorization_pending":
            raise Forbidden("GitHub did not complete the sign-in.", _AGAIN)
    raise TimedOut("The sign-in code expired before it was confirmed.", _AGAIN)


async def _poll(ctx: Context, host: Host, device_code: str) -> TokenAnswer:
    form: dict[str, str | Secret] = {"client_id": CLIENT_ID, "device_code": Secret(device_code), "grant_type": _GRANT}
    try:
        answer = await ctx.http.send("POST", f"https://{host.web}/login/oauth/access_token", form=form)
    except (Unavailable, TimedOut):
        return TokenAnswer(error="authorization_pending")  # the code stays good; the next poll may get through
    if answer.status == 429 or answer.status >= 500:
        return TokenAnswer(error="slow_down")
    return ctx.http.parse(answer, TokenAnswer)


async def _pause(seconds: float) -> None:
    await asyncio.sleep(seconds)


async def _account(ctx: Context, host: Host, token: Secret) -> SignedIn:
    person = await token_owner(ctx, host, token)
    accounts = ctx.settings.token_accounts.accounts if ctx.settings.token_accounts else ()
    labels = tuple(label for label in ctx.keyring.labels(ctx.provider) if label not in ("", "cookie"))
    if person is None:
        if accounts or labels:
            raise Unavailable("GitHub did not say whose account this is, so it cannot be compared with yours.", _AGAIN)
        return SignedIn("Account 1", token)
    known = await _known_label(ctx, host, person, accounts, labels)
    if known:
        return SignedIn(known, token, external_identifier(host, person))
    try:
        plan = (await read_user(ctx, host, token)).copilot_plan
    except ReadError:
        plan = None
    name = person.login or "Account 1"
    label = f"{name} ({plan[:1].upper()}{plan[1:]})" if plan else name
    return SignedIn(label, token, external_identifier(host, person))


def external_identifier(host: Host, person: Person) -> str:
    """The lasting identifier of an account: ids are unique on one installation only."""
    return f"{'github' if host.web == GITHUB else host.web}:user:{person.id}"


async def _known_label(
    ctx: Context, host: Host, person: Person, accounts: tuple[TokenAccount, ...], labels: tuple[str, ...]
) -> str | None:
    """The label under which this person is kept already: by identifier, by login, by stored token, by label."""
    login = (person.login or "").lower()
    identifiers = {external_identifier(host, person)} | ({login} if login else set())
    for number, account in enumerate(accounts, 1):
        if (account.external_identifier or "").lower() in identifiers:
            return account.label or f"Account {number}"
    for number, account in enumerate(accounts, 1):
        if token := usable(account.token):
            owner = await token_owner(ctx, host, Secret(token))
            if owner is not None and owner.id == person.id:
                return account.label or f"Account {number}"
    kept = (*(account.label or "" for account in accounts), *labels)
    return next((label for label in kept if login and label.lower().partition(" (")[0] == login), None)
