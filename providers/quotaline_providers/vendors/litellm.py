"""LiteLLM: what a virtual key, its user and its team have spent of their budgets, read from the user's own proxy."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

import quotaline_providers as ql

BASE_URL = "LITELLM_BASE_URL"
TEAM_SECONDS = 15.0
TEAM_UNKNOWN = "The budget of the key's team, which stops this key, could not be read: let the key read /team/info."


# --- what the proxy sends --------------------------------------------------------------------------


class Allowed(ql.Payload):
    """US dollars; a budget of None, zero or less means there is none. A soft one only warns."""

    not_read = frozenset({"soft_budget", "model_spend"})

    max_budget: ql.Number = None
    budget_reset_at: ql.When = None


class Budget(Allowed):
    """What was spent of a budget: its own, else that of the budget that it was given by name (`shared`)."""

    spend: ql.Number = None
    shared: Annotated[Allowed, ql.lenient_part(Allowed)] = Field(default=Allowed(), alias="litellm_budget_table")

    @property
    def limit(self) -> float:
        return max(0.0, (self.shared.max_budget if self.max_budget is None else self.max_budget) or 0.0)

    @property
    def resets_at(self) -> datetime | None:
        return self.budget_reset_at or self.shared.budget_reset_at

    @property
    def used(self) -> float:
        return self.spend or 0.0


class KeyInfo(Budget):
    """A virtual key: its own budget, and what it belongs to."""

    expires: ql.When = None
    user_id: ql.Text = None
    team_id: ql.Text = None


class KeyAnswer(ql.Payload):
    """`GET /key/info`."""

    info: KeyInfo


class Metadata(ql.Payload):
    """What the proxy knows from the user's sign-in."""

    preferred_username: ql.Text = None


class User(Budget):
    """A user and the personal budget."""

    user_id: ql.Text = None
    user_alias: ql.Text = None
    user_email: ql.Text = None
    metadata: Annotated[Metadata | None, ql.lenient(Metadata)] = None

    @property
    def name(self) -> str | None:
        return self.user_email or self.user_alias or (self.metadata.preferred_username if self.metadata else None)


class Team(Budget):
    """A team and its budget."""

    team_id: ql.Text = None
    team_alias: ql.Text = None


class UserAnswer(ql.Payload):
    """`GET /user/info`."""

    user_id: ql.Text = None
    user_info: User
    teams: Annotated[tuple[Team, ...], ql.lenient_items(Team)] = ()


class TeamAnswer(ql.Payload):
    """`GET /team/info`."""

    team_id: ql.Text = None
    team_info: Team


# --- what it means ---------------------------------------------------------------------------------


def window_of(
    budget: Budget, id: str, label: str, lane: ql.Lane | None, *, blocks: bool, prefix: str = ""
) -> ql.Window | None:
    """The budget as a window; None without one."""
    if budget.limit <= 0:
        return None
    return ql.Window(
        id=id,
        label=label,
        used_percent=ql.share(budget.used, budget.limit),
        used=budget.used,
        limit=budget.limit,
        unit="USD",
        resets_at=budget.resets_at,
        description=f"{prefix}{ql.money(budget.used)} / {ql.money(budget.limit)}",
        lane=lane,
        blocks=blocks,
    )


def spend_of(budget: Budget, whose: str) -> tuple[ql.Spend, ...]:
    """Spend in US dollars; nothing where nothing was spent and no budget is set."""
    if not budget.used and not budget.limit:
        return ()
    period = f"{whose} budget" if budget.limit else f"{whose} spend"
    return (
        ql.Spend(
            id="spend",
            label="API spend",
            used=ql.exact(budget.used),
            limit=ql.exact(budget.limit) if budget.limit else None,
            unit="USD",
            period=period,
            resets_at=budget.resets_at,
        ),
    )


def to_usage(key: KeyInfo, user: User | None, team: Team | None, now: datetime) -> ql.Usage:
    """The user's budget, that of the key's own team, and the key's; a team's key has no user, a key of nobody neither.

    The vendor's rule of what stops a key: its own budget always; of a key with a team that team's, not the personal one
    of its owner; of a key without a team the personal one.
    """
    personal = window_of(user, "personal", "Personal budget", "primary", blocks=not key.team_id) if user else None
    shared: ql.Window | None = None
    if team:
        prefix = f"Team {team.team_alias}: " if team.team_alias else "Team: "
        shared = window_of(team, "team", "Team budget", "secondary", blocks=True, prefix=prefix)
    own = window_of(key, "key-budget", "Key budget", None, blocks=True, prefix="Key: ")
    whose = (user, "Personal") if user else (team, "Team") if team else (key, "Key")
    return ql.Usage(
        updated_at=now,
        windows=tuple(window for window in (personal, shared, own) if window),
        spends=spend_of(*whose),
        identity=ql.Identity(
            email=user.name if user else None, organization=team.team_alias if team else None, login="api"
        ),
        notes=(TEAM_UNKNOWN,) if key.team_id and team is None else (),
        confidence=ql.Confidence.EXACT,
        subscription_expires_at=key.expires,
    )


# --- how it is fetched -----------------------------------------------------------------------------


def root_of(ctx: ql.Context) -> str:
    """The proxy's management address. Raises Misconfigured."""
    private_names = ctx.settings.allow_private_hosts
    base = ql.configured_server(ctx.settings.enterprise_host, ctx.env(BASE_URL), BASE_URL, private_names)
    return base.removesuffix("/v1").rstrip("/")


async def from_api(ctx: ql.Context, found: ql.Credential) -> ql.Usage:
    """Reads to whom the key belongs, then that user's and that team's budget. Raises ReadError."""
    root = root_of(ctx)
    info = (await _get(ctx, f"{root}/key/info", found.secret, KeyAnswer)).info
    if info.user_id:
        answer = await _get(ctx, f"{root}/user/info", found.secret, UserAnswer, user_id=info.user_id)
        _same(info.user_id, answer.user_info.user_id or answer.user_id, "user")
        listed = next((team for team in answer.teams if info.team_id and team.team_id == info.team_id), None)
        if listed is None and info.team_id:
            listed = await ql.optional(_team(ctx, root, found.secret, info.team_id), TEAM_SECONDS)
        return to_usage(info, answer.user_info, listed, ctx.now)
    if info.team_id:
        return to_usage(info, None, await _team(ctx, root, found.secret, info.team_id), ctx.now)
    if info.limit > 0:
        return to_usage(info, None, None, ctx.now)
    raise ql.BadResponse(
        "LiteLLM's key info had neither user_id nor team_id, and no budget of the key's own.",
        "Use a key of a user or a team, or give the key a budget.",
    )


async def _team(ctx: ql.Context, root: str, key: ql.Secret, id: str) -> Team:
    answer = await _get(ctx, f"{root}/team/info", key, TeamAnswer, team_id=id)
    _same(id, answer.team_info.team_id or answer.team_id, "team")
    return answer.team_info


def _same(requested: str, answered: str | None, whose: str) -> None:
    if answered is not None and answered != requested:
        raise ql.BadResponse(f"LiteLLM's answer is about another {whose} than the key's.")


async def _get(ctx: ql.Context, url: str, key: ql.Secret, model: type[ql.P], **params: str) -> ql.P:
    return await ctx.http.get(url, model, bearer=key, params=params)


PROVIDER = ql.Provider(
    id="litellm",
    name="LiteLLM",
    kind=ql.ProviderKind.GATEWAY,
    connect="Set LITELLM_BASE_URL to your LiteLLM proxy and LITELLM_API_KEY to a virtual key of it.",
    summary="Spend against the budgets of a virtual key, its user and its team.",
    aliases=("litellm-proxy",),
    accounts=ql.AccountKind.TOKEN,
    strategies=(ql.Strategy.api(from_api, ql.ServerKey(env=("LITELLM_API_KEY",), server=BASE_URL)),),
)
