"""Drift: what is kept of a vendor's answer that was not understood, or only in part, until one is understood again.

One note per provider, in the shared store, holds the answer's shape and where it came from. It holds nothing that the
vendor said, so that a user can send it with a bug report.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pydantic import ConfigDict, ValidationError

from quotaline_providers import __version__
from quotaline_providers.errors import BadResponse
from quotaline_providers.model import Model, Time
from quotaline_providers.run import Outcome

if TYPE_CHECKING:
    from quotaline.store.notes import Changes
    from quotaline.store.store import Store

REMEMBERED = timedelta(days=90)
OWN_SERVER = "a server that you have set"
"""Stands for a host whose name is the user's own."""
UNREAD = "The answer was understood, but for limits that Quotaline does not know yet."


class Drift(Model):
    """An answer that was not understood: by which `version` of Quotaline, from which `source` (its label), with which
    error message, and what the answer looked like (`host`, `status` and `shape` are None when there was none to see).
    `unread` names the limits in an answer that was understood apart from them.
    """

    model_config = ConfigDict(extra="ignore")

    provider: str
    version: str
    source: str
    message: str
    at: Time
    host: str | None = None
    status: int | None = None
    shape: str | None = None
    unread: tuple[str, ...] = ()


def drift_note(outcome: Outcome, version: str, now: datetime) -> Drift | None:
    """What to keep of an outcome: its last answer that was not understood, or only in part, also where another source
    then gave usage. None when all were."""
    for attempt in reversed(outcome.attempts):
        error, unread = attempt.error, attempt.unread
        if not isinstance(error, BadResponse) and unread is None:
            continue
        seen = unread.shape if unread else error.shape if isinstance(error, BadResponse) else None
        host, message = seen.host if seen else None, error.message if error else UNREAD
        if seen and seen.users:
            host, message = OWN_SERVER, message.replace(seen.host, "The server")
        return Drift(
            provider=outcome.provider,
            version=version,
            source=attempt.label,
            message=message,
            at=now,
            host=host,
            status=seen.status if seen else None,
            shape=seen.shape if seen else None,
            unread=unread.names if unread else (),
        )
    return None


def record(store: Store, outcome: Outcome) -> None:
    """Keep the outcome's drift, or forget what was kept of a source that has now given usage."""
    key, found = _key(outcome.provider), drift_note(outcome, __version__, outcome.finished_at)
    if found is not None:
        store.keep_note(key, found.model_dump_json(), outcome.finished_at + REMEMBERED)
        return
    good = {attempt.label for attempt in outcome.attempts if not attempt.error}

    def forget(notes: Mapping[str, str | None]) -> Changes:
        before = _drift(notes[key])
        return {key: None} if before is not None and before.source in good else {}

    if store.note(key) is not None:
        store.change_notes((key,), forget)


def kept(store: Store, provider: str) -> Drift | None:
    """The provider's drift that is kept, if any."""
    return _drift(store.note(_key(provider)))


def _drift(note: str | None) -> Drift | None:
    try:
        return Drift.model_validate_json(note or "null")
    except ValidationError:
        return None


def _key(provider: str) -> str:
    return f"drift:{provider}"
