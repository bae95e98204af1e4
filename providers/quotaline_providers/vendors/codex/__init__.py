"""Codex: the rolling limits and credits of a ChatGPT subscription.

Read with the Codex program's own login, through the program itself, or with chatgpt.com cookies.
"""

from __future__ import annotations

from quotaline_providers.access.lookups import CookieHeader
from quotaline_providers.contract import (
    Context,
    Option,
    OptionType,
    Provider,
    ProviderKind,
    StatusKind,
    StatusPage,
    Strategy,
    paced,
)
from quotaline_providers.errors import BadResponse, ReadError, TimedOut, Unavailable
from quotaline_providers.model import SESSION_MINUTES, WEEK_MINUTES
from quotaline_providers.vendors.codex.homes import workspace
from quotaline_providers.vendors.codex.login import AccessToken, SubscriptionLogin
from quotaline_providers.vendors.codex.mapping import binding
from quotaline_providers.vendors.codex.profiles import CHOSEN, HOMES, profiles
from quotaline_providers.vendors.codex.program import CODEX, ProgramForStaleLogin, SignedInProgram
from quotaline_providers.vendors.codex.rpc import from_program
from quotaline_providers.vendors.codex.screen import from_screen
from quotaline_providers.vendors.codex.service import Rejected, from_access_token, from_login
from quotaline_providers.vendors.codex.web import from_cookies


def _rejected(error: ReadError) -> bool:
    return isinstance(error, Rejected)


def _unscoped(ctx: Context) -> bool:
    """The program cannot be asked about one workspace."""
    return workspace(ctx) is None


def _unheard(error: ReadError) -> bool:
    """The program did not say what is wrong: older ones do not know the question."""
    return isinstance(error, BadResponse | TimedOut | Unavailable)


def _waits_at_terminal(ctx: Context) -> bool:
    return ctx.interactive and ctx.processes.has_pty and _unscoped(ctx)


PROVIDER = Provider(
    id="codex",
    name="Codex",
    kind=ProviderKind.CODING,
    connect="Run `codex login` and sign in with your ChatGPT account.",
    summary="5-hour and weekly limits, model limits, credits and reset credits of a ChatGPT plan.",
    dashboard="https://chatgpt.com/codex/settings/usage",
    status=StatusPage("https://status.openai.com/", StatusKind.STATUSPAGE),
    deadline=90,
    fields=("workspaceID",),
    options=(
        Option(
            "externalSources",
            "Also use the ChatGPT login of other programs (`~/.config/codex`, OpenCode) when Codex has none.",
            OptionType.BOOLEAN,
        ),
        Option(
            HOMES,
            "Folders of more Codex logins (`CODEX_HOME`), absolute or `~/...`; each is an account.",
            OptionType.ARRAY,
        ),
        Option(CHOSEN, 'Which of these accounts is the active one: `{"homePath": ...}`.', OptionType.OBJECT),
    ),
    profiles=profiles,
    strategies=(
        Strategy.api(from_access_token, AccessToken(), label="pat", falls_through=_rejected),
        Strategy.oauth(from_login, SubscriptionLogin(), falls_through=_rejected),
        # Only when `oauth` is chosen: the program renews a spent login by itself.
        Strategy.oauth(from_program, ProgramForStaleLogin(), label="codex-cli", in_auto=False, applies=_unscoped),
        Strategy.cli(from_program, CODEX, label="codex-cli", applies=_unscoped, falls_through=_unheard),
        # Only when `cli` is chosen and the user waits: a screen is for people, and may ask them to sign in.
        Strategy.cli(from_screen, SignedInProgram(), label="codex-cli", in_auto=False, applies=_waits_at_terminal),
        Strategy.web(from_cookies, CookieHeader(), label="openai-web", in_auto=False),
    ),
    binding=binding,
    pace=paced({"primary": SESSION_MINUTES, "secondary": WEEK_MINUTES}, headroom=True),
    longer_caps=True,
)
