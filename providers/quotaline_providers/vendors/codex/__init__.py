"""Codex: the rolling limits and credits of a ChatGPT subscription.

Read with the Codex program's own login, through the program itself, or with chatgpt.com cookies.
"""

from __future__ import annotations

from quotaline_providers import (
    SESSION_MINUTES,
    WEEK_MINUTES,
    BadResponse,
    CookieHeader,
    Option,
    OptionType,
    Provider,
    ProviderKind,
    StatusKind,
    StatusPage,
    Strategy,
    TimedOut,
    Unavailable,
    after,
    after_any_error,
    paced,
)
from quotaline_providers.vendors.codex.api import from_access_token
from quotaline_providers.vendors.codex.cli import from_program
from quotaline_providers.vendors.codex.credentials import AccessToken, SubscriptionLogin
from quotaline_providers.vendors.codex.homes import chosen_or_unscoped, unscoped, unscoped_in_auto
from quotaline_providers.vendors.codex.oauth import from_login
from quotaline_providers.vendors.codex.profiles import CHOSEN, HOMES, profiles
from quotaline_providers.vendors.codex.program import CODEX, ProgramForStaleLogin, SignedInProgram
from quotaline_providers.vendors.codex.screen import from_screen, waits_at_terminal
from quotaline_providers.vendors.codex.service import Rejected
from quotaline_providers.vendors.codex.web import from_cookies

PROVIDER = Provider(
    id="codex",
    name="Codex",
    kind=ProviderKind.CODING,
    connect="Run `codex login` and sign in with your ChatGPT account.",
    summary="5-hour and weekly limits, model limits, credits and reset credits of a ChatGPT plan.",
    homes=("CODEX_HOME",),
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
        Strategy.api(from_access_token, AccessToken(), label="pat", falls_through=after(Rejected)),
        Strategy.oauth(from_login, SubscriptionLogin(), falls_through=after(Rejected)),
        # Only when `oauth` is chosen: the program renews a spent login by itself.
        Strategy.oauth(from_program, ProgramForStaleLogin(), label="codex-cli", in_auto=False, applies=unscoped),
        # In auto what it cannot tell leaves cookies that the user pasted, and those alone.
        Strategy.cli(from_program, CODEX, label="codex-cli", applies=unscoped_in_auto, falls_through=after_any_error),
        # Older programs do not know the question: then their screen may still say something.
        Strategy.cli(
            from_program,
            CODEX,
            label="codex-cli",
            in_auto=False,
            applies=unscoped,
            falls_through=after(BadResponse, TimedOut, Unavailable),
        ),
        # Only when `cli` is chosen and the user waits: a screen is for people, and may ask them to sign in.
        Strategy.cli(from_screen, SignedInProgram(), label="codex-cli", in_auto=False, applies=waits_at_terminal),
        Strategy.web(from_cookies, CookieHeader(), label="openai-web", applies=chosen_or_unscoped),
    ),
    pace=paced({"primary": SESSION_MINUTES, "secondary": WEEK_MINUTES}, headroom=True),
)
