"""Claude: the session, weekly and model limits of a subscription, or what an organisation spent."""

from __future__ import annotations

from quotaline_providers import (
    HISTORY,
    SESSION_MINUTES,
    WEEK_MINUTES,
    AccountKind,
    Option,
    OptionType,
    Provider,
    ProviderKind,
    StatusKind,
    StatusPage,
    Strategy,
    after_any_error,
    paced,
)
from quotaline_providers.vendors.claude.api import from_admin
from quotaline_providers.vendors.claude.cli import from_cli
from quotaline_providers.vendors.claude.credentials import AdminKey, CliForOauth, CliProgram, Cookie, OauthLogin
from quotaline_providers.vendors.claude.desktop import ALLOWED
from quotaline_providers.vendors.claude.oauth import from_oauth
from quotaline_providers.vendors.claude.swap import ALONE, ENABLED, PROGRAM, with_other_accounts
from quotaline_providers.vendors.claude.web import from_web

PROVIDER = Provider(
    id="claude",
    name="Claude",
    kind=ProviderKind.CODING,
    connect="Run `claude` and sign in, or set an Anthropic Admin API key or the `sessionKey` cookie of claude.ai.",
    strategies=(
        # An Admin key, when there is one, is the only strategy: its error does not fall through.
        Strategy.api(from_admin, AdminKey(), label="admin-api"),
        Strategy.oauth(with_other_accounts(from_oauth), OauthLogin(), falls_through=after_any_error),
        Strategy.oauth(
            with_other_accounts(from_cli),
            CliForOauth(),
            label="claude",
            in_auto=False,
            applies=lambda ctx: ctx.interactive,
        ),
        Strategy.cli(with_other_accounts(from_cli), CliProgram(), label="claude", falls_through=after_any_error),
        Strategy.web(with_other_accounts(from_web), Cookie()),
    ),
    homes=("CLAUDE_CONFIG_DIR",),
    dashboard="https://claude.ai/settings/usage",
    status=StatusPage("https://status.claude.com", StatusKind.STATUSPAGE),
    min_interval=300,
    deadline=120,
    options=(
        HISTORY,
        Option("organizationID", "The UUID of the claude.ai organisation to read.", also=("organizationId",)),
        Option("renewInBackground", "Let Claude Code renew its expired login without being asked.", OptionType.BOOLEAN),
        Option(ALLOWED, "On macOS, use the login of Claude Desktop when Claude Code has none.", OptionType.BOOLEAN),
        Option(ENABLED, "Show the accounts that the account switcher `cswap` knows, too.", OptionType.BOOLEAN),
        Option(PROGRAM, "Where `cswap` is, when it is not on PATH."),
        Option(ALONE, "Show them even when `cswap` knows only one account.", OptionType.BOOLEAN),
    ),
    accounts=AccountKind.TOKEN,
    keys="https://console.anthropic.com/settings/admin-keys",
    summary="Session, weekly and model limits, extra usage; with an Admin API key the organisation's spend.",
    pace=paced({"primary": SESSION_MINUTES, "secondary": WEEK_MINUTES, "tertiary": WEEK_MINUTES}),
    manual_ignores_cooldown=True,
)
