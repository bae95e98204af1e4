"""Copilot: the month's premium requests (AI credits) and chat messages, read with a GitHub token."""

from __future__ import annotations

from quotaline_providers import (
    MONTH_MINUTES,
    AccountKind,
    ExpiredCredential,
    Option,
    OptionType,
    Provider,
    ProviderKind,
    StatusKind,
    StatusPage,
    Strategy,
    after,
    paced,
)
from quotaline_providers.vendors.copilot.api import from_api
from quotaline_providers.vendors.copilot.credentials import GitHubToken
from quotaline_providers.vendors.copilot.device import sign_in
from quotaline_providers.vendors.copilot.mapping import NoCopilot

PROVIDER = Provider(
    id="copilot",
    name="Copilot",
    kind=ProviderKind.CODING,
    summary="Monthly premium requests (AI credits) and chat messages; budgets and organisation spend on request.",
    connect="Run `quotaline sign-in copilot`, sign in to Copilot in your editor, or run `gh auth login`.",
    homes=("COPILOT_HOME", "GH_CONFIG_DIR"),
    dashboard="https://github.com/settings/copilot",
    keys="",
    status=StatusPage("https://www.githubstatus.com", StatusKind.STATUSPAGE),
    https_only=True,
    account_replaces_key=True,
    pace=paced({}, otherwise=MONTH_MINUTES),
    strategies=(Strategy.api(from_api, GitHubToken(), next_place=after(ExpiredCredential, NoCopilot)),),
    fields=("cookieSource", "cookieHeader"),
    options=(
        Option(
            "budgetExtrasEnabled",
            "Also show Copilot budgets, read from github.com with the cookie header given in `cookieHeader`.",
            OptionType.BOOLEAN,
        ),
    ),
    accounts=AccountKind.TOKEN,
    sign_in=sign_in,
)
