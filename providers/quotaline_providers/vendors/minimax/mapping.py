"""How an answer becomes a plan with a lane per model family and period, and a plan a usage. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from quotaline_providers import (
    DAY_MINUTES,
    SESSION_MINUTES,
    WEEK_MINUTES,
    BadResponse,
    Balance,
    Identity,
    Lane,
    Row,
    Section,
    Usage,
    Window,
    believable_reset,
    clamped,
    grouped,
    share,
)
from quotaline_providers.parsing.json_search import Object
from quotaline_providers.vendors.minimax.lanes import WEEKLY, Limit, Plan, reset_text
from quotaline_providers.vendors.minimax.payloads import (
    PLAN_HINT,
    Listed,
    Remains,
    check_status,
    places_in,
    points_in,
    title_in,
)
from quotaline_providers.vendors.minimax.services import services_of

NOT_IN_PLAN = 3
TODAY = "Today"
NO_LIMITS = "MiniMax does not tell how much of this plan is used."
_LONGEST = timedelta(days=3660)
_LANES: tuple[Lane, ...] = ("primary", "secondary", "tertiary")

# --- lanes -----------------------------------------------------------------------------------------


def service_name(model: str) -> str:
    """The service that a model belongs to, as it is shown."""
    name = model.lower()
    if name in ("general", "video"):
        return name
    if "minimax-m" in name or name.startswith("m2."):
        return "Text Generation"
    if "speech" in name:
        return "Text to Speech"
    if "hailuo" in name:
        return "Image to Video" if "fast" in name else "Text to Video"
    if name.startswith("image-"):
        return "Image Generation"
    return "Music Generation" if "music" in name else model


def period_of(starts: datetime | None, ends: datetime | None) -> tuple[str, int | None]:
    """What an interval is called and its minutes; an empty name where it is none of the usual ones."""
    hours = (ends - starts).total_seconds() / 3600 if starts and ends else 0.0
    if 23 <= hours <= 25:
        return TODAY, DAY_MINUTES
    if 4 <= hours <= 6:
        return "5 hours", SESSION_MINUTES
    if 1 <= hours < 23:
        count = round(hours)
        return f"{count} hour{'' if count == 1 else 's'}", count * 60
    return "", None


def reset_of(part: Remains, now: datetime) -> datetime | None:
    """The end, or (when that is past or unknown) what remains from now on: seconds, milliseconds above 1,000,000."""
    if part.ends is not None and part.ends > now:
        return part.ends
    if part.seconds is None or part.seconds <= 0:
        return None
    try:
        left = timedelta(seconds=part.seconds / 1000 if part.seconds > 1_000_000 else part.seconds)
    except OverflowError:
        return None
    return now + left if left < _LONGEST else None


def counted(part: Remains) -> tuple[float, float, float] | None:
    """Percent used, used and limit; None when there is neither a percentage nor a total."""
    if part.left_percent is not None:
        percent = clamped(100 - part.left_percent)
        limit = part.boost / 10 if part.boost and part.boost > 0 else 100.0
        return percent, percent * limit / 100, limit
    if part.total is None or part.total <= 0 or part.remaining is None:
        return None
    used = max(0.0, part.total - part.remaining)
    return share(used, part.total), used, part.total


def not_in_plan(part: Remains) -> bool:
    """Whether a model is only listed: full, without amounts, and said not to be in the plan."""
    return part.status == NOT_IN_PLAN and not part.total and not part.remaining and part.left_percent == 100


def _limit(part: Remains, now: datetime, period: str, minutes: int | None) -> Limit | None:
    counts = counted(part)
    if counts is None:
        return None
    reset = believable_reset(minutes, reset_of(part, now), now)
    return Limit(
        service=service_name(part.name or ""),
        period=period,
        percent=counts[0],
        used=counts[1],
        limit=counts[2],
        minutes=minutes,
        resets_at=reset,
        text=reset_text(reset, now),
        slug=part.name or "",
        is_text=part.is_text,
        is_counted=bool(part.total) and part.remaining is not None,
    )


def limits_of(model: Remains, now: datetime) -> Iterator[Limit]:
    """The interval's lane and, for text models, the week's."""
    interval = None if not_in_plan(model) else _limit(model, now, *period_of(model.starts, model.ends))
    if interval:
        yield interval
    if not model.is_text:
        return
    week = model.week()
    if not_in_plan(week):
        name = service_name(model.name or "")
        yield Limit(
            name,
            WEEKLY,
            0.0,
            minutes=WEEK_MINUTES,
            text="Unlimited",
            slug=week.name or "",
            is_text=True,
            unlimited=True,
        )
    elif found := _limit(week, now, WEEKLY, WEEK_MINUTES):
        yield found


def pools(limits: Iterable[Limit]) -> tuple[Limit, ...]:
    """The limits without repeats: models of one pool are each told with the same counts and reset. Of a pool that is
    shared with the prompts these are kept."""
    kept: dict[object, Limit] = {}
    for number, limit in enumerate(limits):
        pool = (limit.period, limit.limit, limit.used, limit.resets_at) if limit.is_counted else number
        before = kept.get(pool)
        if before is None or (limit.is_text and not before.is_text):
            kept[pool] = limit
    return tuple(kept.values())


def _nameless(model: Remains, now: datetime) -> Limit | None:
    """A lane for all prompts, where the models are not named."""
    length = round((model.ends - model.starts).total_seconds() / 60) if model.starts and model.ends else 0
    period, _ = period_of(model.starts, model.ends)
    found = _limit(model, now, period, length if 0 < length < _LONGEST.total_seconds() / 60 else None)
    if found is None:
        return None
    shown = period or (f"{length} minutes" if found.minutes else "")
    text = f"{grouped(model.total)} prompts" + (f" / {shown}" if shown else "") if model.total else found.text
    return replace(found, service="Prompts", text=text, slug="prompts", is_text=True)


# --- a whole answer --------------------------------------------------------------------------------


def to_plan(answer: Object, now: datetime, by_key: bool = False) -> Plan:
    """The plan in an answer. Raises ExpiredCredential, VendorFailure, BadResponse (no models)."""
    check_status(answer, by_key)
    places = places_in(answer)
    for place in places:
        services = tuple(services_of(place.get("services"), now))
        if services:
            types = (type_ for _, type_ in services)
            plan = title_in(places) or next((t for t in types if "pro" in t.lower() or "max" in t.lower()), None)
            return Plan(tuple(limit for limit, _ in services), plan, points_in(places))
    listed = next((place["model_remains"] for place in places if isinstance(place.get("model_remains"), list)), None)
    models = Listed.model_validate({"model_remains": listed or []}).models
    if not models:
        raise BadResponse("MiniMax lists no models.")
    named = [model for model in models if model.name]
    if not named:
        only = _nameless(models[0], now)
        alone = _totals_alone(only is not None, models)
        return Plan((only,) if only else (), title_in(places), points_in(places), listed=False, totals_alone=alone)
    limits = pools(limit for model in named for limit in limits_of(model, now))
    return Plan(
        limits, title_in(places) or _plus(named), points_in(places), totals_alone=_totals_alone(bool(limits), named)
    )


def _totals_alone(any_limit: bool, models: Iterable[Remains]) -> bool:
    return not any_limit and any((model.total or 0) > 0 or (model.week_total or 0) > 0 for model in models)


def _plus(models: Iterable[Remains]) -> str | None:
    listed = list(models)
    no_video = any((model.name or "").lower() == "video" and not_in_plan(model) for model in listed)
    return "Plus" if no_video and any(model.is_text for model in listed) else None


# --- the usage -------------------------------------------------------------------------------------


def ordered(limits: Iterable[Limit]) -> list[Limit]:
    """Text lanes first, each interval before the week, then the rest in its order."""
    listed = list(limits)
    text = sorted((limit for limit in listed if limit.is_text), key=lambda limit: limit.period == WEEKLY)
    return text + [limit for limit in listed if not limit.is_text]


def to_usage(plan: Plan, now: datetime) -> Usage:
    """The usage of one plan, its windows in the order in which MiniMax shows them. Raises BadResponse, with the
    points where they are known, when there are totals, but nothing tells how much of them is used."""
    windows: list[Window] = []
    ids: set[str] = set()
    for number, limit in enumerate(ordered(plan.limits)):
        name = f"{limit.slug}-weekly" if limit.period == WEEKLY and "weekly" not in limit.slug.lower() else limit.slug
        id = re.sub(r"[^a-z0-9.]+", "-", name.lower()).strip("-") or "prompts"
        while id in ids:
            id += "-2"
        ids.add(id)
        windows.append(_window(limit, id, _LANES[number] if number < len(_LANES) else None))
    rows = tuple(_row(limit) for limit in plan.limits) if plan.listed else ()
    services = (Section(title="Quota services", rows=rows),) if rows else ()
    points = plan.points
    usage = Usage(
        updated_at=now,
        windows=tuple(windows),
        balances=() if points is None else (Balance(id="points", label="Points", amount=points, unit="Points"),),
        identity=Identity(plan=plan.name),
        details=services + plan.sections,
        subscription_expires_at=plan.expires_at,
        subscription_renews_at=plan.renews_at,
        notes=() if windows else (NO_LIMITS,),
        limits_unavailable=not windows,
    )
    if not windows and plan.totals_alone:
        partial = usage.model_copy(update={"notes": ()}) if points is not None else None
        raise BadResponse(f"Usage unavailable: {NO_LIMITS}", PLAN_HINT, partial=partial)
    return usage


def _label(limit: Limit) -> str:
    name = limit.service[:1].upper() + limit.service[1:]
    return f"{name} · {limit.period}" if limit.period else name


def _window(limit: Limit, id: str, lane: Lane | None) -> Window:
    return Window(
        id=id,
        label=_label(limit),
        used_percent=limit.percent,
        used=limit.used,
        limit=limit.limit,
        minutes=limit.minutes,
        resets_at=limit.resets_at,
        description=limit.text,
        lane=lane,
        blocks=limit.is_text,
        unlimited=limit.unlimited,
    )


def _row(limit: Limit) -> Row:
    value = "Unlimited" if limit.unlimited else f"{grouped(limit.used or 0)} / {grouped(limit.limit or 0)}"
    return Row(label=_label(limit), value=value)
