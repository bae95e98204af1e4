"""LiteLLM: what a virtual key's user and team have spent of their budgets, told by the user's own proxy."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, TypeVar

from quotaline_providers.access.endpoints import configured_server
from quotaline_providers.access.lookups import ServerKey
from quotaline_providers.contract import AccountKind, Context, Credential, Provider, ProviderKind, Strategy
from quotaline_providers.errors import BadResponse
from quotaline_providers.formatting import money
from quotaline_providers.model import Confidence, Identity, Lane, Spend, Usage, Window
from quotaline_providers.parsing.payload import Number, Payload, Text, When, exact, lenient, lenient_items, share
from quotaline_providers.secret import Secret

BASE_URL = "LITELLM_BASE_URL"
SECONDS = 30.0


# --- what the proxy sends --------------------------------------------------------------------------


class KeyInfo(Payload):
    """What a virtual key belongs to; `spend` in US dollars."""

    spend: Number = None
    expires: When = None
    user_id: Text = None
    team_id: Text = None


class KeyAnswer(Payload):
    """`GET /key/info`."""

    info: KeyInfo


class Metadata(Payload):
    """What the user's own sign-in told."""

    preferred_username: Text = None


class Budget(Payload):
    """US dollars; a budget of None, zero or less means there is none."""

    max_budget: Number = None
    spend: Number = None
    budget_reset_at: When = None

    @property
    def limit(self) -> float:
        return max(0.0, self.max_budget or 0.0)

    @property
    def used(self) -> float:
        return self.spend or 0.0


class User(Budget):
    """A user and the personal budget."""

    user_id: Text = None
    user_alias: Text = None
    user_email: Text = None
    metadata: Annotated[Metadata | None, lenient(Metadata)] = None

    @property
    def name(self) -> str | None:
        return self.user_email or self.user_alias or (self.metadata.preferred_username if self.metadata else None)


class Team(Budget):
    """A team and its budget."""

    team_id: Text = None
    team_alias: Text = None


class UserAnswer(Payload):
    """`GET /user/info`."""

    user_id: Text = None
    user_info: User
    teams: Annotated[tuple[Team, ...], lenient_items(Team)] = ()


class TeamAnswer(Payload):
    """`GET /team/info`."""

    team_id: Text = None
    team_info: Team


# --- what it means ---------------------------------------------------------------------------------


def window_of(budget: Budget, id: str, label: str, lane: Lane, prefix: str = "") -> Window | None:
    """The budget as a window; None without one."""
    if budget.limit <= 0:
        return None
    return Window(
        id=id,
        label=label,
        used_percent=share(budget.used, budget.limit),
        used=budget.used,
        limit=budget.limit,
        unit="USD",
        resets_at=budget.budget_reset_at,
        description=f"{prefix}{money(budget.used)} / {money(budget.limit)}",
        lane=lane,
    )


def spend_of(budget: Budget, whose: str) -> tuple[Spend, ...]:
    """Spend in US dollars; nothing where nothing was spent and no budget is set."""
    if not budget.used and not budget.limit:
        return ()
    period = f"{whose} budget" if budget.limit else f"{whose} spend"
    return (
        Spend(
            id="spend",
            label="API spend",
            used=exact(budget.used),
            limit=exact(budget.limit) if budget.limit else None,
            unit="USD",
            period=period,
            resets_at=budget.budget_reset_at,
        ),
    )


def to_usage(key: KeyInfo, user: User | None, team: Team | None, now: datetime) -> Usage:
    """The user's budget and that of the key's own team; a team's key has the latter alone."""
    personal = window_of(user, "personal", "Personal budget", "primary") if user else None
    shared: Window | None = None
    if team:
        prefix = f"Team {team.team_alias}: " if team.team_alias else "Team: "
        shared = window_of(team, "team", "Team budget", "secondary", prefix)
    spends = spend_of(user, "Personal") if user else spend_of(team, "Team") if team else ()
    return Usage(
        updated_at=now,
        windows=tuple(window for window in (personal, shared) if window),
        spends=spends,
        identity=Identity(
            email=user.name if user else None, organization=team.team_alias if team else None, plan="api"
        ),
        confidence=Confidence.EXACT,
        subscription_expires_at=key.expires,
    )


def binding(usage: Usage) -> str | None:
    """An exhausted budget, else the team's (which is the one enforced), else the user's."""
    windows = [window for window in (usage.lane("primary"), usage.lane("secondary")) if window]
    exhausted = next((window.id for window in windows if window.exhausted), None)
    return exhausted or (windows[-1].id if windows else None)


# --- how it is fetched -----------------------------------------------------------------------------


def root_of(ctx: Context) -> str:
    """The proxy's management address. Raises Misconfigured."""
    base = configured_server(ctx.settings.enterprise_host, ctx.env(BASE_URL), BASE_URL)
    return base.removesuffix("/v1").rstrip("/")


P = TypeVar("P", bound=Payload)


async def from_api(ctx: Context, found: Credential) -> Usage:
    """The key tells who it belongs to; then that user's, or that team's, budget."""
    root = root_of(ctx)
    info = (await _get(ctx, f"{root}/key/info", found.secret, KeyAnswer)).info
    if info.user_id:
        user = await _get(ctx, f"{root}/user/info", found.secret, UserAnswer, user_id=info.user_id)
        _same(info.user_id, user.user_info.user_id or user.user_id, "user")
        mine = (team for team in user.teams if info.team_id and team.team_id == info.team_id)
        return to_usage(info, user.user_info, next(mine, None), ctx.now)
    if info.team_id:
        answer = await _get(ctx, f"{root}/team/info", found.secret, TeamAnswer, team_id=info.team_id)
        _same(info.team_id, answer.team_info.team_id or answer.team_id, "team")
        return to_usage(info, None, answer.team_info, ctx.now)
    raise BadResponse("LiteLLM's key info had neither user_id nor team_id.", "Use a key of a user or a team.")


def _same(asked: str, told: str | None, whose: str) -> None:
    if told is not None and told != asked:
        raise BadResponse(f"LiteLLM answered about another {whose} than the one asked for.")


async def _get(ctx: Context, url: str, key: Secret, model: type[P], **params: str) -> P:
    return await ctx.http.get(url, model, bearer=key, params=params, timeout=SECONDS)


PROVIDER = Provider(
    id="litellm",
    name="LiteLLM",
    kind=ProviderKind.GATEWAY,
    connect="Set LITELLM_BASE_URL to your LiteLLM proxy and LITELLM_API_KEY to a virtual key of it.",
    summary="Spend against the personal and the team budget of a virtual key.",
    aliases=("litellm-proxy",),
    accounts=AccountKind.TOKEN,
    binding=binding,
    strategies=(Strategy.api(from_api, ServerKey(env=("LITELLM_API_KEY",), server=BASE_URL)),),
)
