"""Drawing what a new editor is to show at once, before it can draw by itself (see `lastshown`)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from quotaline.config import ConfigKeeper
from quotaline.lsp.lastshown import note_key
from quotaline.render.protocol import Json, usage_params
from quotaline.render.view import View
from quotaline.state import Snapshot
from quotaline.store import Store
from quotaline.store_thread import StoreThread

EXACT_FOR = timedelta(minutes=1)
"""How long countdowns are near enough; after that the moments themselves are shown."""
YOUNG_FOR = timedelta(minutes=10)
"""The age from which any usage may be stale."""
KEPT_FOR = timedelta(hours=12)


async def keep(
    store: StoreThread,
    keeper: ConfigKeeper,
    options: Any,
    snapshot: Snapshot,
    view: View,
    params: Mapping[str, Json],
) -> None:
    """Keep a picture in the shared store, unless the same is there. `params` is the snapshot as it is drawn now.

    Nothing is kept while an account is being read: what comes of that is drawn in a moment.
    """
    if snapshot.config_problem or any(state.refreshing for state in snapshot.states):
        return
    key, gist = note_key(options), _gist(snapshot, keeper)

    def kept(store: Store) -> bool:
        note = store.note(key)
        return note is not None and note.startswith(gist, 1)

    def put(store: Store) -> None:
        store.keep_note(key, picture, view.now + KEPT_FOR)

    if not await store.do(kept):
        drawn = await asyncio.to_thread(lambda: json.dumps(_picture(snapshot, view, params, keeper)))
        picture = f"{{{gist}, {drawn[1:]}"
        await store.do(put)


def _gist(snapshot: Snapshot, keeper: ConfigKeeper) -> str:
    """What a picture shows, in short: its first member, so that a picture need not be read to be known."""
    shown = [
        (state.key, str(state.usage.updated_at) if state.usage else None, str(state.failure))
        for state in snapshot.states
    ]
    return f'"gist": {json.dumps(json.dumps([shown, keeper.seen[1]]))}'


def _picture(snapshot: Snapshot, view: View, params: Mapping[str, Json], keeper: ConfigKeeper) -> dict[str, Any]:
    """The drawings, each with the end of its truth, and what all of them depend on."""
    usages = [state.usage for state in snapshot.states if state.usage is not None]
    young_until = min((usage.updated_at + YOUNG_FOR for usage in usages), default=view.now + YOUNG_FOR)
    until = min((view.now + KEPT_FOR, _midnight(view), *_resets(snapshot, view)))
    moments = replace(view, settings=view.settings.model_copy(update={"reset_times": "absolute"}))
    old = replace(snapshot, states=tuple(replace(state, stale=state.usage is not None) for state in snapshot.states))
    return {
        "drawn_at": view.now.timestamp(),
        "until": until.timestamp(),
        "files": keeper.seen,
        "drawings": [
            ((view.now + EXACT_FOR).timestamp(), params),
            (young_until.timestamp(), usage_params(snapshot, moments)),
            (until.timestamp(), usage_params(old, moments)),
        ],
    }


def _resets(snapshot: Snapshot, view: View) -> list[datetime]:
    """The resets that are still to come: after one of them the usage before it is no more."""
    windows = (window for state in snapshot.states if state.usage for window in state.usage.windows)
    return [window.resets_at for window in windows if window.resets_at is not None and window.resets_at > view.now]


def _midnight(view: View) -> datetime:
    """The end of the day: a time of day alone means today."""
    local = view.now.astimezone(view.zone)
    return local.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
