"""Keeping what an editor shows for the start of the next one (see `startup_cache`)."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from quotaline.state import ProviderState, Snapshot
from quotaline.store.startup_cache import note_key
from quotaline.store.store import Store
from quotaline.store.thread import StoreThread

EXACT_FOR = timedelta(minutes=1)
"""How long countdowns are near enough; after that times of day are shown instead."""
YOUNG_FOR = timedelta(minutes=10)
"""The age from which any usage may be stale."""
KEPT_FOR = timedelta(hours=12)

Params = dict[str, Any]
"""The parameters of `quotaline/didChangeUsage`."""


@dataclass(frozen=True, slots=True)
class Sources:
    """What an entry depends on: the readings in the store (`Service.drawn_from`) and the state of the config files
    (`ConfigKeeper.seen`)."""

    readings: list[list[str | float | None]]
    files: tuple[list[str], list[list[int] | None]]


@dataclass(frozen=True, slots=True)
class Rendering:
    """A snapshot as it was rendered now. `now` is in the user's time zone. `absolute` renders a snapshot at the same
    time, with times of day instead of countdowns."""

    snapshot: Snapshot
    params: Mapping[str, Any]
    now: datetime
    absolute: Callable[[Snapshot], Params]


async def keep(store: StoreThread, options: Any, sources: Sources, rendering: Rendering) -> None:
    """Keep an entry for editors with these options in the shared store, unless the same is there.

    Nothing is kept while an account is being read: its new usage comes in a moment.
    """
    snapshot = rendering.snapshot
    if snapshot.config_problem or snapshot.restart_due or any(state.refreshing for state in snapshot.states):
        return
    key, digest = note_key(options), _digest(snapshot, sources)

    def is_kept(store: Store) -> bool:
        note = store.note(key)
        return note is not None and note.startswith(digest, 1)

    def put(store: Store) -> None:
        store.keep_note(key, value, rendering.now + KEPT_FOR)

    if not await store.do(is_kept):
        entry = await asyncio.to_thread(lambda: json.dumps(_entry(rendering, sources)))
        value = f"{{{digest}, {entry[1:]}"
        await store.do(put)


def _digest(snapshot: Snapshot, sources: Sources) -> str:
    """The first member of an entry, by which it is known without being parsed."""
    shown = json.dumps([[state.key for state in snapshot.states], sources.readings, sources.files[1]])
    return f'"digest": "{hashlib.sha256(shown.encode()).hexdigest()}"'


def _entry(rendering: Rendering, sources: Sources) -> dict[str, Any]:
    """The renderings, each with the time until which it is true, and what all of them depend on."""
    snapshot, now = rendering.snapshot, rendering.now
    usages = [state.usage for state in snapshot.states if state.usage is not None]
    young_until = min((usage.updated_at + YOUNG_FOR for usage in usages), default=now + YOUNG_FOR)
    until = min((now + KEPT_FOR, _midnight(now), *_resets(snapshot, now)))
    old = replace(snapshot, states=tuple(replace(state, stale=state.usage is not None) for state in snapshot.states))
    return {
        "rendered_at": now.timestamp(),
        "until": until.timestamp(),
        "readings": sources.readings,
        "files": sources.files,
        "renderings": [
            ((now + EXACT_FOR).timestamp(), rendering.params),
            (young_until.timestamp(), _lasting(snapshot, rendering.absolute)),
            (until.timestamp(), _lasting(old, rendering.absolute)),
        ],
    }


def _lasting(snapshot: Snapshot, render: Callable[[Snapshot], Params]) -> Params:
    """A rendering in which nothing counts down: a status line shows no reset rather than a time of day."""
    params = render(snapshot)
    brief = render(replace(snapshot, states=tuple(map(_without_resets, snapshot.states))))
    params["statusLine"]["text"] = brief["statusLine"]["text"]
    texts = {_account(state): state["text"] for state in brief["providers"]}
    for state in params["providers"]:
        state["text"] = texts[_account(state)]
    return params


def _account(state: Mapping[str, Any]) -> tuple[Any, Any]:
    return state["id"], state["account"]


def _without_resets(state: ProviderState) -> ProviderState:
    if state.usage is None:
        return state
    windows = tuple(window.model_copy(update={"resets_at": None}) for window in state.usage.windows)
    return replace(state, usage=state.usage.model_copy(update={"windows": windows}))


def _resets(snapshot: Snapshot, now: datetime) -> list[datetime]:
    """The resets that are still to come: after one of them the usage before it is over."""
    windows = (window for state in snapshot.states if state.usage for window in state.usage.windows)
    return [window.resets_at for window in windows if window.resets_at is not None and window.resets_at > now]


def _midnight(now: datetime) -> datetime:
    """The end of the day: a time of day alone means today."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
