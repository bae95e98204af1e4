"""Drawing what a new editor is to show at once, before it can draw by itself (see `lastshown`)."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, cast

from quotaline.lsp.lastshown import note_key
from quotaline.render.protocol import Json, usage_params
from quotaline.render.view import View
from quotaline.state import ProviderState, Snapshot
from quotaline.store.store import Store
from quotaline.store.thread import StoreThread

EXACT_FOR = timedelta(minutes=1)
"""How long countdowns are near enough; after that the moments themselves are shown."""
YOUNG_FOR = timedelta(minutes=10)
"""The age from which any usage may be stale."""
KEPT_FOR = timedelta(hours=12)


@dataclass(frozen=True)
class Sources:
    """What a picture depends on: the readings in the store (`Service.drawn_from`) and the state of the config files
    (`ConfigKeeper.seen`)."""

    readings: list[list[str | float | None]]
    files: tuple[list[str], list[list[int] | None]]


async def keep(
    store: StoreThread,
    options: Any,
    sources: Sources,
    snapshot: Snapshot,
    view: View,
    params: Mapping[str, Json],
) -> None:
    """Keep a picture in the shared store, unless the same is there. `params` is the snapshot as it is drawn now.

    Nothing is kept while an account is being read: what comes of that is drawn in a moment.
    """
    if snapshot.config_problem or any(state.refreshing for state in snapshot.states):
        return
    key, gist = note_key(options), _gist(snapshot, sources)

    def kept(store: Store) -> bool:
        note = store.note(key)
        return note is not None and note.startswith(gist, 1)

    def put(store: Store) -> None:
        store.keep_note(key, picture, view.now + KEPT_FOR)

    if not await store.do(kept):
        drawn = await asyncio.to_thread(lambda: json.dumps(_picture(snapshot, view, params, sources)))
        picture = f"{{{gist}, {drawn[1:]}"
        await store.do(put)


def _gist(snapshot: Snapshot, sources: Sources) -> str:
    """What a picture shows, in short: its first member, so that a picture need not be read to be known."""
    told = json.dumps([[state.key for state in snapshot.states], sources.readings, sources.files[1]])
    return f'"gist": "{hashlib.sha256(told.encode()).hexdigest()}"'


def _picture(snapshot: Snapshot, view: View, params: Mapping[str, Json], sources: Sources) -> dict[str, Any]:
    """The drawings, each with the end of its truth, and what all of them depend on."""
    usages = [state.usage for state in snapshot.states if state.usage is not None]
    young_until = min((usage.updated_at + YOUNG_FOR for usage in usages), default=view.now + YOUNG_FOR)
    until = min((view.now + KEPT_FOR, _midnight(view), *_resets(snapshot, view)))
    moments = replace(view, settings=view.settings.model_copy(update={"reset_times": "absolute"}))
    old = replace(snapshot, states=tuple(replace(state, stale=state.usage is not None) for state in snapshot.states))
    return {
        "drawn_at": view.now.timestamp(),
        "until": until.timestamp(),
        "readings": sources.readings,
        "files": sources.files,
        "drawings": [
            ((view.now + EXACT_FOR).timestamp(), params),
            (young_until.timestamp(), _lasting(snapshot, moments)),
            (until.timestamp(), _lasting(old, moments)),
        ],
    }


def _lasting(snapshot: Snapshot, view: View) -> dict[str, Json]:
    """A drawing in which nothing counts down: a status line tells no reset at all rather than a moment."""
    params = usage_params(snapshot, view)
    brief = usage_params(replace(snapshot, states=tuple(map(_without_resets, snapshot.states))), view)
    line, brief_line = cast("dict[str, Json]", params["statusLine"]), cast("dict[str, Json]", brief["statusLine"])
    line["text"] = brief_line["text"]
    texts = {_who(state): state["text"] for state in _states(brief)}
    for state in _states(params):
        state["text"] = texts[_who(state)]
    return params


def _states(params: dict[str, Json]) -> list[dict[str, Json]]:
    return cast("list[dict[str, Json]]", params["providers"])


def _who(state: dict[str, Json]) -> tuple[Json, Json]:
    return state["id"], state["account"]


def _without_resets(state: ProviderState) -> ProviderState:
    if state.usage is None:
        return state
    windows = tuple(window.model_copy(update={"resets_at": None}) for window in state.usage.windows)
    return replace(state, usage=state.usage.model_copy(update={"windows": windows}))


def _resets(snapshot: Snapshot, view: View) -> list[datetime]:
    """The resets that are still to come: after one of them the usage before it is no more."""
    windows = (window for state in snapshot.states if state.usage for window in state.usage.windows)
    return [window.resets_at for window in windows if window.resets_at is not None and window.resets_at > view.now]


def _midnight(view: View) -> datetime:
    """The end of the day: a time of day alone means today."""
    local = view.now.astimezone(view.zone)
    return local.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
