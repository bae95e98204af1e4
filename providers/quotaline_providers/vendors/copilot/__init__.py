"""Copilot: the month's premium requests (AI credits) and chat messages, read with a GitHub token."""

from __future__ import annotations

from quotaline_providers.contract import (
    AccountKind,
    Context,
    Credential,
    Option,
    OptionType,
    Provider,
    ProviderKind,
    StatusKind,
    StatusPage,
    Strategy,
    paced,
)
from quotaline_providers.errors import ReadError
from quotaline_providers.fetching.optional import beside, optional
from quotaline_providers.model import MONTH_MINUTES, Usage, Window
from quotaline_providers.secret import Secret
from quotaline_providers.vendors.copilot.budgets import read_budgets, wanted
from quotaline_providers.vendors.copilot.device import sign_in
from quotaline_providers.vendors.copilot.github import Host, Person, github_host, read_user, whose
from quotaline_providers.vendors.copilot.organization import read_billing, section, spend
from quotaline_providers.vendors.copilot.quota import binding, to_usage
from quotaline_providers.vendors.copilot.tokens import GitHubToken

EXTRAS_DEADLINE = 25.0
"""Seconds that optional side calls may take before they are given up."""


async def from_api(ctx: Context, found: Credential) -> Usage:
    """The quota of one seat; budgets and an organisation's spend are optional. Raises ReadError."""
    host = github_host(ctx.settings.enterprise_host)
    async with beside() as side:
        asking = side.start(_budgets(ctx, host, found.secret), EXTRAS_DEADLINE)
        answer = await read_user(ctx, host, found.secret)
        usage = to_usage(answer, ctx.now)
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
    person = await whose(ctx, host, token)
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


PROVIDER = Provider(
    id="copilot",
    name="Copilot",
    kind=ProviderKind.CODING,
    summary="Monthly premium requests (AI credits) and chat messages; budgets and organisation spend on request.",
    connect="Run `quotaline sign-in copilot`, sign in to Copilot in your editor, or run `gh auth login`.",
    dashboard="https://github.com/settings/copilot",
    keys="",
    status=StatusPage("https://www.githubstatus.com", StatusKind.STATUSPAGE),
    https_only=True,
    account_replaces_key=True,
    pace=paced({}, otherwise=MONTH_MINUTES),
    strategies=(Strategy.api(from_api, GitHubToken()),),
    fields=("apiKey", "apiKeyEnv", "enterpriseHost", "cookieSource", "cookieHeader"),
    options=(
        Option(
            "budgetExtrasEnabled",
            "Also show Copilot budgets, read from github.com with the cookie header given in `cookieHeader`.",
            OptionType.BOOLEAN,
        ),
    ),
    accounts=AccountKind.TOKEN,
    sign_in=sign_in,
    binding=binding,
)
