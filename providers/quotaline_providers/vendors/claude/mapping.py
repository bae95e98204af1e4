"""How Claude's usage answers (OAuth and web share one shape) become windows, spend and plan. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from quotaline_providers import (
    SESSION_MINUTES,
    WEEK_MINUTES,
    BadResponse,
    Balance,
    Confidence,
    Identity,
    Lane,
    Misconfigured,
    Spend,
    Usage,
    Window,
    clamped,
    exact,
    money,
)
from quotaline_providers.vendors.claude.payloads import (
    ExtraUsage,
    Limit,
    Membership,
    Organization,
    Prepaid,
    SpendLimit,
    UsageAnswer,
)

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
        blocks=False,
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
            blocks=False,
        )
    return tuple(found.values())


def _window(
    id: str, label: str, limit: Limit | None, lane: Lane, minutes: int = WEEK_MINUTES, *, blocks: bool
) -> Window | None:
    if limit is None or limit.utilization is None:
        return None
    return Window(
        id=id,
        label=label,
        used_percent=limit.utilization,
        minutes=minutes,
        resets_at=limit.resets_at,
        lane=lane,
        blocks=blocks,
    )


def _of_kind(answer: UsageAnswer, kind: str) -> Limit | None:
    entry = next((limit for limit in answer.limits if limit.kind == kind and limit.percent is not None), None)
    return Limit(utilization=entry.percent, resets_at=entry.resets_at) if entry else None


def _known(*limits: Limit | None) -> Limit | None:
    return next((limit for limit in limits if limit is not None and limit.utilization is not None), None)


def _session(answer: UsageAnswer) -> Window | None:
    limit = _known(answer.five_hour, _of_kind(answer, "session"))
    return _window("session", "Session", limit, "primary", SESSION_MINUTES, blocks=True)


def _weekly(answer: UsageAnswer) -> Window | None:
    limit = _known(answer.seven_day, _of_kind(answer, "weekly_all"))
    return _window("weekly", "Weekly", limit, "secondary", blocks=True)


def _model_lane(answer: UsageAnswer) -> Window | None:
    return _window("sonnet", "Sonnet", answer.seven_day_sonnet, "tertiary", blocks=False) or _window(
        "opus", "Opus", answer.seven_day_opus, "tertiary", blocks=False
    )


def lanes(answer: UsageAnswer) -> tuple[Window, ...]:
    """The windows of the three lanes, as read with an OAuth login. Without a session another one fills its lane too."""
    session, weekly, model = _session(answer), _weekly(answer), _model_lane(answer)
    if session is None:
        if weekly is not None:
            weekly = _first(weekly)
        else:
            session = _window("apps", "Apps", answer.seven_day_oauth_apps, "primary", blocks=False)
            model = _first(model) if session is None and model is not None else model
    return tuple(window for window in (session, weekly, model) if window is not None)


def _first(window: Window) -> Window:
    return window.model_copy(update={"also": "primary"})


def web_lanes(answer: UsageAnswer) -> tuple[Window, ...]:
    """As `lanes`, for claude.ai: an absent session is a placeholder, and the model's week resets with the week."""
    session = _session(answer) or Window(
        id="session",
        label="Session",
        used_percent=0,
        minutes=SESSION_MINUTES,
        lane="primary",
        placeholder=True,
        blocks=False,
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
        used = limit * clamped(extra.utilization) / 100
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


# --- claude.ai -------------------------------------------------------------------------------------


def choose(organizations: tuple[Organization, ...], wanted: str | None) -> Organization:
    """The organisation to read. Raises Misconfigured when the wanted one is not there, BadResponse when none is."""
    known = [one for one in organizations if one.uuid]
    if wanted:
        for one in known:
            if one.uuid == wanted:
                return one
        raise Misconfigured(
            "The Claude organisation in organizationID is not one of this account.",
            "Correct organizationID or remove it.",
        )
    if not known:
        raise BadResponse("This Claude account has no organisation.", "Sign in at claude.ai with another account.")
    chat = (one for one in known if "chat" in one.capabilities)
    people = (one for one in known if one.capabilities != ("api",))
    return next(chat, None) or next(people, None) or known[0]


def web_plan(membership: Membership | None) -> Plan:
    """The plan from a membership: its rate-limit tier, its billing, and the seat of a team."""
    organization = membership.organization if membership else None
    if membership is None or organization is None:
        return Plan(None, None)
    tier = (organization.tier or "").lower()
    plan = plan_of(None, tier)
    if plan.word is None and "stripe" in (organization.billing or "").lower() and "claude" in tier:
        plan = Plan("pro", "Claude Pro")
    seats = {"team_standard": "Claude Team Standard", "team_tier_1": "Claude Team Premium"}
    seat = seats.get((membership.seat_tier or "").lower())
    return Plan("team", seat) if seat and plan.word in (None, "team") else plan


def overage_spend(answer: SpendLimit, period: str) -> Spend | None:
    """Extra usage from the web's spend limit; None unless it is on and complete."""
    if answer.is_enabled is not True or not answer.currency:
        return None
    if answer.used_credits is None or answer.monthly_credit_limit is None:
        return None
    extra = ExtraUsage(
        is_enabled=True,
        monthly_limit=answer.monthly_credit_limit,
        used_credits=answer.used_credits,
        currency=answer.currency,
    )
    return spend_of(extra, period)


def prepaid_balance(answer: Prepaid) -> Balance | None:
    """The prepaid credits; None when the answer has no usable amount."""
    if answer.amount is None or answer.amount < 0 or not answer.currency:
        return None
    return Balance(id="prepaid", label="Extra usage balance", amount=cents(answer.amount), unit=answer.currency.upper())


def with_extras(usage: Usage, spend: Spend | None, balance: Balance | None) -> Usage:
    """The usage with what only the web knows. A balance joins only in the currency of the spend."""
    spends = usage.spends or ((spend,) if spend else ())
    if balance is None or any(one.unit != balance.unit for one in spends):
        return usage.model_copy(update={"spends": spends})
    if spends:
        amount: Decimal = balance.amount
        return usage.model_copy(update={"spends": tuple(one.model_copy(update={"balance": amount}) for one in spends)})
    return usage.model_copy(update={"balances": (*usage.balances, balance)})


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose usage it is, as far as known: an e-mail address and an organisation's UUID."""

    email: str | None = None
    organization: str | None = None

    def same(self, other: Owner) -> bool:
        """Whether one of the two agrees and none contradicts."""
        pairs = ((self.email, other.email), (self.organization, other.organization))
        known = [one.lower() == two.lower() for one, two in pairs if one and two]
        return bool(known) and all(known)
