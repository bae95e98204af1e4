"""One seat's quota, and beside it what is optional: budgets and an organisation's spend."""

from __future__ import annotations

from quotaline_providers import Context, Credential, ReadError, Secret, Usage, Window, beside, optional
from quotaline_providers.vendors.copilot.budgets import read_budgets, wanted
from quotaline_providers.vendors.copilot.credentials import was_given
from quotaline_providers.vendors.copilot.github import Host, github_host, read_user, token_owner
from quotaline_providers.vendors.copilot.mapping import NoCopilot, section, spend, to_usage
from quotaline_providers.vendors.copilot.organization import read_billing
from quotaline_providers.vendors.copilot.payloads import Person

EXTRAS_DEADLINE = 25.0
"""Seconds that optional side calls may take before they are given up."""


async def from_api(ctx: Context, found: Credential) -> Usage:
    """The quota of one seat; budgets and an organisation's spend are optional. Raises ReadError."""
    host = github_host(ctx.settings.enterprise_host)
    async with beside() as side:
        asking = side.start(_budgets(ctx, host, found.secret), EXTRAS_DEADLINE)
        answer = await read_user(ctx, host, found.secret)
        try:
            usage = to_usage(answer, ctx.now)
        except NoCopilot as error:
            error.quiet = not was_given(found.origin)
            raise
        if answer.token_based_billing and not usage.windows and host.public:
            usage = await _with_organization(ctx, usage, found.secret)
        person, windows = await asking or (None, ())
    if person is not None and person.login:
        usage = usage.model_copy(update={"identity": usage.identity.model_copy(update={"account_id": person.login})})
    return usage.model_copy(update={"windows": (*usage.windows, *windows)})


async def _budgets(ctx: Context, host: Host, token: Secret) -> tuple[Person | None, tuple[Window, ...]]:
    """The token's owner and the Copilot budgets of the same person's web session; nothing when anything fails."""
    if not wanted(ctx) or not host.public:
        return None, ()
    person = await token_owner(ctx, host, token)
    try:
        return person, await read_budgets(ctx, person)
    except ReadError:
        return person, ()


async def _with_organization(ctx: Context, usage: Usage, token: Secret) -> Usage:
    found = await optional(read_billing(ctx, token), EXTRAS_DEADLINE)
    if found is None:
        return usage
    return usage.model_copy(
        update={"spends": (*usage.spends, spend(found)), "details": (*usage.details, section(found))}
    )
