"""The limits of a plan, and the windows they become."""

from __future__ import annotations

from collections.abc import Iterable

from quotaline_providers.errors import BadResponse, Forbidden
from quotaline_providers.model import SESSION_MINUTES, WEEK_MINUTES, Lane, Window
from quotaline_providers.parsing.payload import parse_or_none, to_text
from quotaline_providers.vendors.zai.answers import UNITS, Envelope, Limit


def data_of(envelope: Envelope) -> object:
    """The content of a successful answer. Raises Forbidden (no plan) and BadResponse."""
    if envelope.success is True and envelope.code == 200:
        return envelope.data
    if no_package(envelope):
        raise no_plan()
    raise BadResponse("z.ai did not accept the request.", "Check the API key, its region and the team ids.")


def no_package(envelope: Envelope) -> bool:
    """Whether this failure says that the account has no coding plan."""
    message = (envelope.msg or "").lower()
    telling = ("insufficient balance", "no resource package", "no active coding package")
    failed = envelope.success is False and "coding plan" in message
    return envelope.code == 1113 or failed or any(words in message for words in telling)


def no_plan() -> Forbidden:
    """The error of an account without a plan: what was known of it before is no longer true."""
    return Forbidden("This account has no active coding plan.", "Subscribe to a GLM Coding Plan.", definite=True)


def limits_of(data: object) -> tuple[Limit, ...]:
    """The limits of a known kind. Raises BadResponse when there is no list, or one without a usable percentage."""
    items = data.get("limits") if isinstance(data, dict) else None
    if not isinstance(items, list):
        raise BadResponse(
            "z.ai told no limits.",
            "A team account needs its organizationId and workspaceID exactly as the vendor shows.",
        )
    parsed = (parse_or_none(Limit, item) for item in items)
    known = tuple(limit for limit in parsed if limit is not None and limit.kind)
    if any(limit.percent is None for limit in known):
        raise BadResponse("z.ai told a limit without how much of it is used.")
    return known


def plan_of(data: object) -> str | None:
    """The plan's name in an answer."""
    if not isinstance(data, dict):
        return None
    names = ("planName", "plan", "plan_type", "packageName", "level")
    return next((text for name in names if isinstance(data.get(name), str) and (text := to_text(data[name]))), None)


def reset_text(limit: Limit) -> str | None:
    """How long a limit's window is, in words."""
    minutes = limit.minutes
    if limit.kind == "TIME_LIMIT":
        return "MCP"
    if minutes == SESSION_MINUTES:
        return "5-hour"
    if minutes is None or not limit.number:
        return None
    return f"{limit.number} {UNITS[limit.unit or 0][1]}{'' if limit.number == 1 else 's'} window"


def window_of(limit: Limit, id: str, label: str, lane: Lane | None) -> Window:
    """The window of a limit in its slot."""
    return Window(
        id=id,
        label=label,
        used_percent=limit.percent,
        used=limit.used,
        limit=limit.usage if limit.usage and limit.usage > 0 else None,
        minutes=limit.minutes,
        resets_at=limit.nextResetTime,
        description=reset_text(limit),
        lane=lane,
    )


def by_length(limits: Iterable[Limit]) -> list[Limit]:
    """Token and credit limits, shortest first; one of unknown length is the longest."""
    return sorted(
        (limit for limit in limits if limit.kind != "TIME_LIMIT"),
        key=lambda limit: float("inf") if limit.minutes is None else limit.minutes,
    )


def windows(limits: tuple[Limit, ...]) -> tuple[Window, ...]:
    """Shortest first, longest second, then any between them; the tool calls last, or first when alone."""
    quotas, calls = by_length(limits), tool_calls(limits)
    found = []
    if quotas:
        found.append(window_of(quotas[0], "session", _label(quotas[0], "5-hour"), "primary"))
    if len(quotas) > 1:
        found.append(window_of(quotas[-1], "weekly", _label(quotas[-1], "Weekly"), "secondary"))
    for number, limit in enumerate(quotas[1:-1], 1):
        found.append(window_of(limit, f"limit-{number}", _label(limit, "Quota"), None))
    if calls:
        found.append(window_of(calls, "zai-mcp", "MCP", None if quotas else "primary"))
    return tuple(found)


def _label(limit: Limit, usual: str) -> str:
    known = {SESSION_MINUTES: "5-hour", WEEK_MINUTES: "Weekly"}
    return usual if limit.minutes is None else known.get(limit.minutes) or reset_text(limit) or usual


def tool_calls(limits: Iterable[Limit]) -> Limit | None:
    """The limit of calls to the vendor's tools: of several the last."""
    return next((limit for limit in reversed(tuple(limits)) if limit.kind == "TIME_LIMIT"), None)
