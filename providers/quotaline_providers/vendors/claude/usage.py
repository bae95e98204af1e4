"""Claude's usage answers (OAuth and web share one shape) and how they become windows, spend and plan."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated

from pydantic import AliasChoices, Field

from quotaline_providers.errors import BadResponse
from quotaline_providers.formatting import money
from quotaline_providers.model import SESSION_MINUTES, WEEK_MINUTES, Confidence, Identity, Lane, Spend, Usage, Window
from quotaline_providers.parsing.payload import Flag, Number, Payload, Text, When, exact, lenient, lenient_items

ROUTINES = (
    "seven_day_routines",
    "seven_day_claude_routines",
    "claude_routines",
    "routines",
    "routine",
    "seven_day_cowork",
    "cowork",
)
PLAN_WORDS = ("max", "pro", "team", "enterprise", "ultra")

# --- what the vendor sends -------------------------------------------------------------------------


def texts(value: object) -> tuple[str, ...]:
    """The texts of a list; none of anything else."""
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list | tuple) else ()


class Limit(Payload):
    """One limit: `utilization` in percent 0-100."""

    utilization: Number = None
    resets_at: When = None


MaybeLimit = Annotated[Limit | None, lenient(Limit)]


class ScopeModel(Payload):
    """The model a newer limit is about."""

    id: Text = None
    display_name: Text = None


class Scope(Payload):
    """What a newer limit is about."""

    model: Annotated[ScopeModel | None, lenient(ScopeModel)] = None


class KindLimit(Payload):
    """One entry of the newer `limits`: `percent` 0-100."""

    kind: Text = None
    group: Text = None
    percent: Number = None
    resets_at: When = None
    scope: Annotated[Scope | None, lenient(Scope)] = None


class ExtraUsage(Payload):
    """Pay-as-you-go beside the plan. Amounts are cents; no limit means no cap."""

    is_enabled: Flag = None
    monthly_limit: Number = Field(default=None, validation_alias=AliasChoices("monthly_limit", "monthly_credit_limit"))
    used_credits: Number = None
    utilization: Number = None
    currency: Text = None


class UsageAnswer(Payload):
    """`GET /api/oauth/usage` and the web's `GET /api/organizations/{uuid}/usage`."""

    five_hour: MaybeLimit = None
    seven_day: MaybeLimit = None
    seven_day_sonnet: MaybeLimit = None
    seven_day_opus: MaybeLimit = None
    seven_day_oauth_apps: MaybeLimit = None
    seven_day_routines: MaybeLimit = None
    seven_day_claude_routines: MaybeLimit = None
    claude_routines: MaybeLimit = None
    routines: MaybeLimit = None
    routine: MaybeLimit = None
    seven_day_cowork: MaybeLimit = None
    cowork: MaybeLimit = None
    limits: Annotated[tuple[KindLimit, ...], lenient_items(KindLimit)] = ()
    extra_usage: Annotated[ExtraUsage | None, lenient(ExtraUsage)] = None


# --- plan names ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Plan:
    """A subscription: `word` is one of `PLAN_WORDS` or None, `text` what people read."""

    word: str | None
    text: str | None


def plan_of(subscription: str | None, tier: str | None) -> Plan:
    """The plan from Claude Code's `subscriptionType`, else from the rate-limit tier (`default_claude_max_20x`)."""
    word = _plan_word(subscription) or _plan_word(tier)
    if word is None:
        return Plan(None, None)
    text = f"Claude {word.capitalize()}"
    size = re.search(r"_(5|20)x\b", (tier or "").lower()) if word == "max" else None
    return Plan(word, f"{text} {size.group(1)}x" if size else text)


def _plan_word(text: str | None) -> str | None:
    words = re.split(r"[^a-z]+", (text or "").lower())
    return next((word for word in PLAN_WORDS if word in words), None)


# --- windows ---------------------------------------------------------------------------------------


def slug(text: str) -> str:
    """A name as part of an id: lower case, everything else than letters and digits a dash."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def model_window(name: str, used: float, resets_at: datetime | None, id: str | None = None) -> Window:
    """The weekly window of one model that has no lane of its own."""
    title = name if name.lower().endswith("only") else f"{name} only"
    return Window(
        id=f"claude-weekly-scoped-{slug(id or name)}",
        label=title,
        used_percent=used,
        minutes=WEEK_MINUTES,
        resets_at=resets_at,
    )


def extra_windows(answer: UsageAnswer) -> tuple[Window, ...]:
    """The windows beyond the three lanes: model limits first, then routines."""
    found: dict[str, Window] = {}
    for limit in answer.limits:
        model = limit.scope.model if limit.scope else None
        name = model.display_name if model else None
        if limit.group != "weekly" or limit.kind != "weekly_scoped" or limit.percent is None or model is None:
            continue
        if not name or " ".join(name.lower().split()) == "all models":
            continue
        window = model_window(name, limit.percent, limit.resets_at, model.id)
        found.setdefault(window.id, window)
    routines = next((limit for key in ROUTINES if (limit := getattr(answer, key)) is not None), None)
    if routines is not None and routines.utilization is not None:
        found["claude-routines"] = Window(
            id="claude-routines",
            label="Daily Routines",
            used_percent=routines.utilization,
            minutes=WEEK_MINUTES,
            resets_at=routines.resets_at,
        )
    return tuple(found.values())


def _window(id: str, label: str, limit: Limit | None, lane: Lane, minutes: int = WEEK_MINUTES) -> Window | None:
    if limit is None or limit.utilization is None:
        return None
    return Window(
        id=id, label=label, used_percent=limit.utilization, minutes=minutes, resets_at=limit.resets_at, lane=lane
    )


def _of_kind(answer: UsageAnswer, kind: str) -> Limit | None:
    entry = next((limit for limit in answer.limits if limit.kind == kind and limit.percent is not None), None)
    return Limit(utilization=entry.percent, resets_at=entry.resets_at) if entry else None


def _known(*limits: Limit | None) -> Limit | None:
    return next((limit for limit in limits if limit is not None and limit.utilization is not None), None)


def _session(answer: UsageAnswer) -> Window | None:
    limit = _known(answer.five_hour, _of_kind(answer, "session"))
    return _window("session", "Session", limit, "primary", SESSION_MINUTES)


def _weekly(answer: UsageAnswer) -> Window | None:
    limit = _known(answer.seven_day, _of_kind(answer, "weekly_all"))
    return _window("weekly", "Weekly", limit, "secondary")


def _model_lane(answer: UsageAnswer) -> Window | None:
    return _window("sonnet", "Sonnet", answer.seven_day_sonnet, "tertiary") or _window(
        "opus", "Opus", answer.seven_day_opus, "tertiary"
    )


def lanes(answer: UsageAnswer) -> tuple[Window, ...]:
    """The windows of the three lanes, as read with an OAuth login. Without a session another one fills its lane too."""
    session, weekly, model = _session(answer), _weekly(answer), _model_lane(answer)
    if session is None:
        if weekly is not None:
            weekly = _first(weekly)
        else:
            session = _window("apps", "Apps", answer.seven_day_oauth_apps, "primary")
            model = _first(model) if session is None and model is not None else model
    return tuple(window for window in (session, weekly, model) if window is not None)


def _first(window: Window) -> Window:
    return window.model_copy(update={"also": "primary"})


def web_lanes(answer: UsageAnswer) -> tuple[Window, ...]:
    """As `lanes`, for claude.ai: an absent session is a placeholder, and the model's week resets with the week."""
    session = _session(answer) or Window(
        id="session", label="Session", used_percent=0, minutes=SESSION_MINUTES, lane="primary", placeholder=True
    )
    weekly, model = _weekly(answer), _model_lane(answer)
    if model is not None:
        week = answer.seven_day.resets_at if answer.seven_day else weekly.resets_at if weekly else None
        model = model.model_copy(update={"resets_at": week})
    return tuple(window for window in (session, weekly, model) if window is not None)


# --- spend -----------------------------------------------------------------------------------------


def cents(value: float) -> Decimal:
    """Cents as an amount of the currency."""
    return exact(value) / 100


def spend_of(extra: ExtraUsage | None, period: str, *, assume_enabled: bool = False) -> Spend | None:
    """What extra usage cost; None when it is off or unknown. Without a cap there is no limit."""
    if extra is None or not (extra.is_enabled or (extra.is_enabled is None and assume_enabled)):
        return None
    used, limit = extra.used_credits, extra.monthly_limit
    if used is None and limit is not None and extra.utilization is not None:
        used = limit * min(100.0, max(0.0, extra.utilization)) / 100
    if used is None:
        return None
    return Spend(
        id="extra",
        label="Spend limit" if period == "Spend limit" else "Extra usage",
        used=cents(used),
        unit=(extra.currency or "USD").upper(),
        limit=None if limit is None else cents(limit),
        period=period,
    )


def spend_limit_note(spend: Spend) -> str:
    """The one line of an account that has only a spend limit: `Spend limit: $3.00 / $20.00`."""
    return f"Spend limit: {money(spend.used, spend.unit)} / {money(spend.limit or 0, spend.unit)}"


# --- the whole -------------------------------------------------------------------------------------


def to_usage(answer: UsageAnswer, now: datetime, *, plan: Plan, identity: Identity, web: bool = False) -> Usage:
    """The usage of one subscription. Raises BadResponse when the answer has neither a window nor a spend limit."""
    main, extras = (web_lanes if web else lanes)(answer), extra_windows(answer)
    real = any(not window.placeholder for window in (*main, *extras))
    period = "Spend limit" if plan.word == "enterprise" or not real else "Monthly cap"
    spend = spend_of(answer.extra_usage, period, assume_enabled=web)
    capped = spend is not None and spend.limit is not None and spend.limit > 0
    if not real and not capped:
        raise BadResponse("Claude's usage answer is missing session data.")
    return Usage(
        updated_at=now,
        windows=(*main, *extras) if real else (),
        spends=(spend,) if spend else (),
        identity=identity.model_copy(update={"plan": plan.text}),
        notes=(spend_limit_note(spend),) if spend is not None and not real else (),
        confidence=Confidence.EXACT,
    )
