"""The vendor's own word that a Codex account is stopped, whatever its windows say. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from quotaline_providers import Blocked, Window

_LIMIT = "rate_limit_reached"
_REASONS = {
    _LIMIT: "limit reached",
    "workspace_owner_credits_depleted": "out of workspace credits: add credits",
    "workspace_member_credits_depleted": "out of workspace credits: ask the owner",
    "workspace_owner_usage_limit_reached": "workspace usage limit reached",
    "workspace_member_usage_limit_reached": "own usage limit reached: ask the owner",
}
_SPEND = "individual spend limit reached"


@dataclass(frozen=True)
class Verdict:
    """What an answer says of the account as a whole. `type` is the vendor's word for why nothing more can be used."""

    type: str | None = None
    stopped: bool = False
    spend_reached: bool = False


SILENT = Verdict()


def blocked(verdict: Verdict, windows: Iterable[Window], monthly: Window | None) -> Blocked | None:
    """The verdict with its reason, and until when it lasts where a limit that is used up tells that."""
    known = (verdict.type or "").lower()
    if known and known != _LIMIT:
        return Blocked(reason=_REASONS.get(known) or " ".join(known.split("_")))
    if verdict.spend_reached:
        return Blocked(reason=_SPEND, until=monthly.resets_at if monthly else None)
    if known or verdict.stopped:
        return Blocked(reason=_REASONS[_LIMIT], until=_last_reset(windows))
    return None


def _last_reset(windows: Iterable[Window]) -> datetime | None:
    """When the last of the windows that are used up resets; None when one of them does not tell, or there is none."""
    resets = [window.resets_at for window in windows if window.exhausted]
    known = [time for time in resets if time is not None]
    return max(known) if known and len(known) == len(resets) else None
