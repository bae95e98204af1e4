"""MiniMax: prompts, weekly windows and points of a coding or token plan, by plan key or by a browser's session."""

from __future__ import annotations

from quotaline_providers import AccountKind, Option, OptionType, Provider, ProviderKind, Strategy, unlabelled
from quotaline_providers.vendors.minimax.api import from_api, web_may_help
from quotaline_providers.vendors.minimax.credentials import COOKIE, KEY
from quotaline_providers.vendors.minimax.regions import CHINA, GLOBAL
from quotaline_providers.vendors.minimax.web import from_web

PROVIDER = Provider(
    id="minimax",
    name="MiniMax",
    kind=ProviderKind.CODING,
    connect="Set the key of your coding plan as MINIMAX_CODING_API_KEY, or paste the cookies of platform.minimax.io.",
    summary="Prompts and weekly windows per model family, points, and with cookies the billing history.",
    aliases=("mini-max",),
    dashboard="https://platform.minimax.io/user-center/payment/coding-plan?cycle_type=3",
    regions=(GLOBAL, CHINA),
    options=(Option("optionalUsage", "Read the billing history, too (default true).", OptionType.BOOLEAN),),
    accounts=AccountKind.COOKIE,
    deadline=150,
    strategies=(
        Strategy.api(from_api, KEY, falls_through=web_may_help, applies=unlabelled),
        Strategy.web(from_web, COOKIE),
    ),
)
