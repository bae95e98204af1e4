"""How Claude's usage answers (OAuth and web share one shape) become windows, spend and plan. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

from quotaline_providers import (
    SESSION_MINUTES,
    WEEK_MINUTES,
    BadResponse,
    Confidence,
    Identity,
    Lane,
    Usage,
    Window,
)
from quotaline_providers.vendors.claude.accounts import Plan
from quotaline_providers.vendors.claude.payloads import Limit, ScopeModel, UsageAnswer
from quotaline_providers.vendors.claude.spending import (
    CLOUD_ID,
    cloud_section,
    cloud_window,
    spend_limit_note,
    spend_of,
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


def is_all_models(model: ScopeModel) -> bool:
    """Whether a limit "of one model" is that of the whole week, by its name or its id."""
    name, id = (re.sub(r"[^a-z0-9]", "", (text or "").lower()) for text in (model.display_name, model.id))
    return name == "allmodels" or id.endswith("allmodels")


def extra_windows(answer: UsageAnswer) -> tuple[Window, ...]:
    """The windows beyond the three lanes: model limits first, then routines and what is for the cloud alone."""
    found: dict[str, Window] = {}
    for limit in answer.limits:
        model = limit.scope.model if limit.scope else None
        name = model.display_name if model else None
        if limit.group != "weekly" or limit.kind != "weekly_scoped" or limit.percent is None or model is None:
            continue
        if not name or is_all_models(model):
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
    if (cloud := cloud_window(answer.iguana_necktie)) is not None:
        found[cloud.id] = cloud
    return tuple(found.values())


def _window(
    id: str, label: str, limit: Limit | None, lane: Lane | None, minutes: int = WEEK_MINUTES, *, blocks: bool
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


def _models(answer: UsageAnswer) -> tuple[Window, ...]:
    """The weeks of the two models that have members of their own: the first that is told fills the third lane."""
    found = (
        _window("sonnet", "Sonnet", answer.seven_day_sonnet, None, blocks=False),
        _window("opus", "Opus", answer.seven_day_opus, None, blocks=False),
    )
    return in_third_lane(window for window in found if window is not None)


def in_third_lane(models: Iterable[Window]) -> tuple[Window, ...]:
    """The windows of models, the first of them in the third lane."""
    found = list(models)
    if found:
        found[0] = found[0].model_copy(update={"lane": "tertiary"})
    return tuple(found)


def lanes(answer: UsageAnswer) -> tuple[Window, ...]:
    """The windows of the three lanes, as read with an OAuth login. Without a session another one fills its lane too."""
    session, weekly, models = _session(answer), _weekly(answer), _models(answer)
    if session is None:
        if weekly is not None:
            weekly = _first(weekly)
        else:
            session = _window("apps", "Apps", answer.seven_day_oauth_apps, "primary", blocks=False)
            models = models if session or not models else (_first(models[0]), *models[1:])
    return tuple(window for window in (session, weekly, *models) if window is not None)


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
    weekly = _weekly(answer)
    week = answer.seven_day.resets_at if answer.seven_day else weekly.resets_at if weekly else None
    models = (model.model_copy(update={"resets_at": week}) for model in _models(answer))
    return tuple(window for window in (session, weekly, *models) if window is not None)


# --- the whole -------------------------------------------------------------------------------------


def to_usage(answer: UsageAnswer, now: datetime, *, plan: Plan, identity: Identity, web: bool = False) -> Usage:
    """The usage of one subscription. Raises BadResponse when the answer has neither a window nor an amount."""
    main, extras = (web_lanes if web else lanes)(answer), extra_windows(answer)
    real = any(not window.placeholder and window.id != CLOUD_ID for window in (*main, *extras))
    spend = spend_of(answer, is_whole=plan.word == "enterprise" or not real, assume_enabled=web)
    if not real and (spend is None or spend.limit == 0):
        raise BadResponse("Claude's usage answer is missing session data.")
    locked = cloud_section(answer.iguana_necktie)
    return Usage(
        updated_at=now,
        windows=(*main, *extras) if real else tuple(window for window in extras if window.id == CLOUD_ID),
        spends=(spend,) if spend else (),
        identity=identity.model_copy(update={"plan": plan.text}),
        details=(locked,) if locked else (),
        notes=(spend_limit_note(spend),) if spend is not None and spend.limit and not real else (),
        confidence=Confidence.EXACT,
    )
