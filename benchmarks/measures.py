"""What is measured, one function per budget. Each measures its floor in the same run and gives a row of the table."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from benchmarks.editor import BARE, BARE_WITH_HOVER, QUOTALINE, Editor
from benchmarks.vendors import Vendors
from benchmarks.world import PROVIDERS, World

DELAY = 0.2
COALESCING = 3.2
"""Seconds after which a refresh the user asks for is no answer to an earlier one."""
REFRESH = "quotaline.refresh"


@dataclass(frozen=True)
class Row:
    """One line of the table. `ratio` is measured / floor; `met` says whether the budget is kept."""

    name: str
    budget: str
    measured: str
    floor: str
    ratio: float | None
    met: bool


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    runs: int = 15
    idle_seconds: float = 15
    chat_bytes: int = 100 << 20
    sidecars: int = 20


QUICK = Size(runs=5, idle_seconds=5, chat_bytes=20 << 20, sidecars=5)


def milliseconds(values: Sequence[float]) -> str:
    """Median and spread, for people."""
    return (
        f"{statistics.median(values) * 1e3:.1f} ms ({min(values) * 1e3:.1f} to {max(values) * 1e3:.1f}, "
        f"n={len(values)})"
    )


def percentile(values: Sequence[float], share: float) -> float:
    """The value that this share (0 to 1) of all do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


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
        Row("spawn to `initialize` answer", "1.2 x bare", milliseconds(ours), milliseconds(bare), ratio, ratio <= 1.2)
    ]


def memory(size: Size) -> list[Row]:
    with Vendors(DELAY) as vendors, World(vendors.environ, DELAY) as world:
        with Editor(BARE, world.environ) as editor:
            editor.initialize()
            editor.initialized()
            time.sleep(1)
            bare = editor.meter.memory_full_info()
        with Editor(QUOTALINE, world.environ) as editor:
            editor.initialize()
            editor.initialized()
            editor.settled(len(PROVIDERS))
            time.sleep(COALESCING)
            editor.command(REFRESH)
            time.sleep(1)
            ours = editor.meter.memory_full_info()
    mib = 1 << 20
    rows = []
    for kind in ("rss", "uss"):
        taken, floor = getattr(ours, kind), getattr(bare, kind)
        ratio = taken / floor
        budget = "1.7 x bare" if kind == "rss" else "none (for information)"
        rows.append(
            Row(
                f"resident memory, 10 providers, after a refresh ({kind.upper()})",
                budget,
                f"{taken / mib:.1f} MiB",
                f"{floor / mib:.1f} MiB",
                ratio,
                ratio <= 1.7 or kind == "uss",
            )
        )
    return rows


def first_push(size: Size) -> list[Row]:
    with Vendors(DELAY) as vendors, World(vendors.environ, DELAY) as world:
        fill_store(world)
        first: list[float] = []
        answer: list[float] = []
        for _ in range(size.runs):
            with Editor(QUOTALINE, world.environ) as editor:
                editor.initialize()
                sent = editor.initialized()
                known = editor.usage(lambda params: len(params["providers"]) == len(PROVIDERS))
                first.append(known - sent)
            with Editor(BARE_WITH_HOVER, world.environ) as editor:
                editor.initialize()
                sent = editor.initialized()
                _, arrived = editor.ask("textDocument/hover", hover_at("file:///nothing.json", 0))
                answer.append(arrived - sent)
    median = statistics.median(first)
    return [
        Row(
            "`initialized` to first `didChangeUsage`, filled store",
            "50 ms",
            milliseconds(first),
            f"{milliseconds(answer)} (bare, first hover)",
            median / statistics.median(answer),
            median <= 0.05,
        )
    ]


def refresh(size: Size) -> list[Row]:
    with Vendors(DELAY) as vendors, World(vendors.environ, DELAY) as world, Editor(QUOTALINE, world.environ) as editor:
        editor.initialize()
        sent = editor.initialized()
        cold = editor.settled(len(PROVIDERS)) - sent
        alone: dict[str, list[float]] = {id: [] for id in PROVIDERS}
        together: list[float] = []
        for _ in range(max(2, size.runs // 4)):
            time.sleep(COALESCING)
            for id, times in alone.items():
                times.append(editor.command(REFRESH, id))
            time.sleep(COALESCING)
            together.append(editor.command(REFRESH))
    slowest = max(alone, key=lambda id: statistics.median(alone[id]))
    floor = statistics.median(alone[slowest])
    ratio = statistics.median(together) / floor
    floor_text = f"{milliseconds(alone[slowest])} ({slowest} alone)"
    return [
        Row(
            "refresh of all, each answer after 200 ms",
            "2 x slowest",
            milliseconds(together),
            floor_text,
            ratio,
            ratio <= 2,
        ),
        Row(
            "the same, from `initialized` in a new process, empty store",
            "none (for information)",
            f"{cold * 1e3:.0f} ms",
            floor_text,
            cold / floor,
            True,
        ),
    ]


def hover_at(uri: str, line: int) -> dict[str, object]:
    return {"textDocument": {"uri": uri}, "position": {"line": line, "character": 12}}


def latency(size: Size) -> list[Row]:
    with Vendors(DELAY) as vendors, World(vendors.environ, DELAY) as world:
        fill_store(world)
        world.fill_chats(size.chat_bytes)
        uri = world.config.as_uri()
        opened = {"textDocument": {"uri": uri, "languageId": "json", "version": 1, "text": world.config.read_text()}}
        kinds: dict[str, Callable[[Editor], float]] = {
            "hover": lambda editor: editor.timed("textDocument/hover", hover_at(uri, 4)),
            "`quotaline/usage`": lambda editor: editor.timed("quotaline/usage", {}),
        }
        times: dict[str, list[float]] = {name: [] for name in kinds}
        with Editor(QUOTALINE, world.environ) as editor:
            editor.initialize()
            sent = editor.initialized()
            editor.usage(lambda params: bool(params["providers"]))
            editor.tell("textDocument/didOpen", opened)
            editor.ask("quotaline/usage", {})
            time.sleep(max(0.0, sent + COALESCING - time.perf_counter()))
            for round in range(3):
                _touch_chats(world, round)
                done = editor.start_command(REFRESH)
                while not done.is_set():
                    for name, ask in kinds.items():
                        times[name].append(ask(editor))
                    time.sleep(0.002)
                time.sleep(COALESCING)
        with Editor(BARE_WITH_HOVER, world.environ) as editor:
            editor.initialize()
            editor.initialized()
            bare = [kinds["hover"](editor) for _ in range(500)]
    floor = f"p50 {percentile(bare, 0.5) * 1e3:.1f} ms, p99 {percentile(bare, 0.99) * 1e3:.1f} ms"
    return [
        Row(
            f"{name} latency during a refresh and a scan of {size.chat_bytes >> 20} MiB",
            "p99 20 ms",
            f"p50 {percentile(taken, 0.5) * 1e3:.1f} ms, p99 {percentile(taken, 0.99) * 1e3:.1f} ms (n={len(taken)})",
            f"{floor} (bare, hover)",
            percentile(taken, 0.99) / percentile(bare, 0.99),
            percentile(taken, 0.99) < 0.02,
        )
        for name, taken in times.items()
    ]


def _touch_chats(world: World, number: int) -> None:
    """Make all chats look changed, so that they are read again."""
    for path in world.home.glob(".config/manicode/projects/*/chats/*/chat-messages.json"):
        path.write_text(path.read_text() + "\n")


def sidecars(size: Size) -> list[Row]:
    rounds: list[int] = []
    shares: list[float] = []
    for count in (1, size.sidecars):
        with Vendors(DELAY) as vendors, World(vendors.environ, DELAY) as world, ExitStack() as stack:
            editors = [stack.enter_context(Editor(QUOTALINE, world.environ)) for _ in range(count)]
            for editor in editors:
                editor.initialize()
            for editor in editors:
                editor.initialized()
            for editor in editors:
                editor.settled(len(PROVIDERS))
            time.sleep(COALESCING)
            before = sum(vendors.counts().values())
            waiting = [editor.start_command(REFRESH) for editor in editors]
            for done in waiting:
                done.wait(30)
            rounds.append(sum(vendors.counts().values()) - before)
            if count > 1:
                time.sleep(5)
                used = [sum(editor.meter.cpu_times()[:2]) for editor in editors]
                began = time.perf_counter()
                time.sleep(size.idle_seconds)
                taken = time.perf_counter() - began
                shares = [
                    100 * (sum(editor.meter.cpu_times()[:2]) - then) / taken
                    for editor, then in zip(editors, used, strict=True)
                ]
    one, many = rounds
    mean = statistics.mean(shares)
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
            f"mean {mean:.3f} %, worst {max(shares):.3f} % (one clock tick is {1 / size.idle_seconds:.3f} %)",
            "0 %",
            None,
            mean < 0.1,
        ),
    ]


MEASURES: dict[str, Callable[[Size], list[Row]]] = {
    "start": start,
    "memory": memory,
    "first-push": first_push,
    "refresh": refresh,
    "latency": latency,
    "sidecars": sidecars,
}
