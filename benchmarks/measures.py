"""One editor and one sidecar: start, memory, first push. Each floor is measured in the same run."""

from __future__ import annotations

import statistics
import time

from benchmarks.editor import BARE, QUOTALINE, Editor
from benchmarks.rows import COALESCING, DELAY, REFRESH, Row, Size, milliseconds
from benchmarks.vendors import Vendors
from benchmarks.world import PROVIDERS, World


def fill_store(world: World) -> None:
    """Read everything once, so that the next sidecar finds it."""
    with Editor(QUOTALINE, world.environ) as editor:
        editor.initialize()
        editor.initialized()
        editor.settled(len(PROVIDERS))
        time.sleep(0.5)


def start(size: Size) -> list[Row]:
    with Vendors(DELAY) as vendors, World(vendors.environ, DELAY) as world:
        ours: list[float] = []
        bare: list[float] = []
        for number in range(size.runs + 1):
            for command, times in ((BARE, bare), (QUOTALINE, ours)):
                with Editor(command, world.environ) as editor:
                    taken = editor.initialize()
                if number:  # the first run warms the disk cache and writes byte code
                    times.append(taken)
    ratio = statistics.median(ours) / statistics.median(bare)
    return [
        Row("spawn to `initialize` answer", "1.1 x bare", milliseconds(ours), milliseconds(bare), ratio, ratio <= 1.1)
    ]


def memory(size: Size) -> list[Row]:
    ours: dict[str, list[int]] = {"rss": [], "uss": []}
    bare: dict[str, list[int]] = {"rss": [], "uss": []}
    workers = 0
    for _ in range(max(1, size.runs // 5)):
        with Vendors(DELAY) as vendors, World(vendors.environ, DELAY) as world:
            with Editor(BARE, world.environ) as editor:
                editor.initialize()
                editor.initialized()
                time.sleep(1)
                _note(bare, editor)
            with Editor(QUOTALINE, world.environ) as editor:
                editor.initialize()
                editor.initialized()
                editor.settled(len(PROVIDERS))
                time.sleep(COALESCING)
                editor.command(REFRESH)
                time.sleep(1)
                _note(ours, editor)
                workers += len(editor.meter.children(recursive=True))
    rows = []
    for kind, budget, most in (("rss", "1.9 x bare", 1.9), ("uss", "none (for information)", None)):
        ratio = statistics.median(ours[kind]) / statistics.median(bare[kind])
        rows.append(
            Row(
                f"resident memory, 10 providers, after a refresh ({kind.upper()}; {workers} worker processes left)",
                budget,
                _mib(ours[kind]),
                _mib(bare[kind]),
                ratio,
                (most is None or ratio <= most) and not workers,
            )
        )
    return rows


def _note(sizes: dict[str, list[int]], editor: Editor) -> None:
    taken = editor.meter.memory_full_info()
    for kind, values in sizes.items():
        values.append(getattr(taken, kind))


def _mib(sizes: list[int]) -> str:
    """Median and spread, for people."""
    low, middle, high = (f"{size / (1 << 20):.1f}" for size in (min(sizes), statistics.median(sizes), max(sizes)))
    return f"{middle} MiB ({low} to {high}, n={len(sizes)})"


def first_push(size: Size) -> list[Row]:
    with Vendors(DELAY) as vendors, World(vendors.environ, DELAY) as world:
        fill_store(world)
        cached: list[float] = []
        rendered: list[float] = []
        bare: list[float] = []
        for _ in range(size.runs):
            cached.append(_first_push(world))
            world.empty_startup_cache()
            rendered.append(_first_push(world))
            with Editor(BARE, world.environ) as editor:
                bare.append(editor.initialize())
    floor = statistics.median(bare)
    rows = (
        ("spawn to first `didChangeUsage`, filled store", "1.2 x bare `initialize`", cached, 1.2),
        ("the same when nothing in the startup cache holds any more", "none (for information)", rendered, None),
    )
    return [
        Row(
            name,
            budget,
            milliseconds(times),
            milliseconds(bare),
            statistics.median(times) / floor,
            most is None or statistics.median(times) / floor <= most,
        )
        for name, budget, times, most in rows
    ]


def _first_push(world: World) -> float:
    """Seconds from the spawn to the first push with all providers; the editor leaves once the cache is filled."""
    with Editor(QUOTALINE, world.environ) as editor:
        taken = editor.initialize()
        sent = editor.initialized()
        known = editor.usage(lambda params: len(params["providers"]) == len(PROVIDERS))
        editor.ask("quotaline/usage", {})
        world.wait_for_startup_cache()
    return taken + known - sent
