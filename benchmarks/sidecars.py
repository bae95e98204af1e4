"""Many windows of one user: as many requests as from one, and nothing to do when nothing is to be done."""

from __future__ import annotations

import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from benchmarks.editor import QUOTALINE, Editor
from benchmarks.rows import COALESCING, DELAY, REFRESH, Row, Size
from benchmarks.vendors import Vendors
from benchmarks.world import PROVIDERS, World

SETTLING = 6.0
"""Seconds after which a refresh has left nothing behind: connections are closed, workers gone."""


def sidecars(size: Size) -> list[Row]:
    one, _ = _measured(1, 0)
    many, shares = _measured(size.sidecars, size.idle_seconds)
    return [
        Row(
            f"upstream requests when {size.sidecars} sidecars refresh at once",
            "as for 1",
            str(many),
            f"{one} (one sidecar)",
            many / one,
            many == one,
        ),
        Row(
            f"CPU of each of {size.sidecars} idle sidecars over {size.idle_seconds:.0f} s",
            "0.1 %",
            f"worst {max(shares):.3f} %, mean {statistics.mean(shares):.3f} %",
            "0 %",
            None,
            max(shares) < 0.1,
        ),
    ]


def _measured(count: int, idle_seconds: float) -> tuple[int, list[float]]:
    """Upstream requests of one refresh that all ask for at once, and each one's share (percent) of a processor then."""
    with (
        Vendors(DELAY) as vendors,
        World(vendors.environ, DELAY) as world,
        ThreadPoolExecutor(count) as hands,
        ExitStack() as stack,
    ):
        editors = [Editor(QUOTALINE, world.environ) for _ in range(count)]
        stack.callback(lambda: list(hands.map(Editor.close, editors)))
        list(hands.map(_ready, editors))
        time.sleep(COALESCING)
        before = sum(vendors.counts().values())
        list(hands.map(lambda editor: editor.command(REFRESH), editors))
        requests = sum(vendors.counts().values()) - before
        if not idle_seconds:
            return requests, []
        time.sleep(SETTLING)
        began, used = time.perf_counter(), [editor.computed() for editor in editors]
        time.sleep(idle_seconds)
        now = [editor.computed() for editor in editors]
        taken = time.perf_counter() - began
        return requests, [100 * (after - then) / taken for then, after in zip(used, now, strict=True)]


def _ready(editor: Editor) -> None:
    editor.initialize()
    editor.initialized()
    editor.settled(len(PROVIDERS), 120)
