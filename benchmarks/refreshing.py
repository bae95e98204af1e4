"""What a refresh takes, and what everything else feels of it: all providers at once, the event loop, hovers."""

from __future__ import annotations

import json
import statistics
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.editor import BARE_WITH_HOVER, QUOTALINE, Editor
from benchmarks.loop import Probe, Stay, without_probe
from benchmarks.measures import fill_store
from benchmarks.plain import plain_python
from benchmarks.rows import COALESCING, DELAY, REFRESH, Row, Size, hover_at, milliseconds, percentile
from benchmarks.vendors import Vendors, samples_by_provider
from benchmarks.world import PROVIDERS, World
from quotaline_providers import registry

LONGEST_STAY = 0.02


def refresh(size: Size) -> list[Row]:
    with Vendors(DELAY) as vendors, World(vendors.environ, DELAY) as world, Editor(QUOTALINE, world.environ) as editor:
        editor.initialize()
        sent = editor.initialized()
        cold = editor.settled(len(PROVIDERS)) - sent
        alone, together = _alone_and_together(editor, PROVIDERS, max(2, size.runs // 5))
    row = _together_row("refresh of 10 providers, each answer after 200 ms", alone, together, 1.3)
    return [
        row,
        Row(
            "the same, from `initialized` in a new process, empty store",
            "none (for information)",
            f"{cold * 1e3:.0f} ms",
            row.floor,
            cold / _slowest(alone)[1],
            True,
        ),
    ]


def everybody(size: Size) -> list[Row]:
    """All registered providers that have a simulated vendor, with the event loop timed."""
    samples = samples_by_provider()
    others = [id for id in PROVIDERS if id not in samples]  # they need no vendor
    known = [provider.id for provider in registry.every() if not provider.ended]
    ids = [id for id in known if id in samples or id in others]
    with Vendors(DELAY, everybody=True) as vendors, World(vendors.environ, DELAY, ids) as world:
        for id in ids:
            if id in samples:
                world.sign_in(samples[id])
        _ = world.config
        probe = Probe(world.folder, world.environ)
        with Editor(QUOTALINE, world.environ) as editor:
            editor.initialize()
            editor.initialized()
            editor.settled(len(ids))
            alone, _warm = _alone_and_together(editor, ids, 1)
            time.sleep(COALESCING)
            began = time.perf_counter()
            together: list[float] = []
            answered = 0
            for _ in range(max(2, size.runs // 5)):
                sent = time.perf_counter()
                result, arrived = editor.ask("workspace/executeCommand", {"command": REFRESH, "arguments": []})
                together.append(arrived - sent)
                answered = sum(outcome["ok"] for outcome in result["outcomes"])
                time.sleep(COALESCING)
            stays = probe.stays(began, time.perf_counter())
    who = f"{len(ids)} of {len(known)} registered providers, {answered} with usage"
    return [
        _together_row(f"refresh of {who}, each answer after 200 ms", alone, together, 2.5),
        _loop_row(f"longest stay in the event loop meanwhile ({len(ids)} providers)", stays),
    ]


def _alone_and_together(
    editor: Editor, ids: list[str] | tuple[str, ...], rounds: int
) -> tuple[dict[str, list[float]], list[float]]:
    """How long each provider took by itself, and how long all did, over several rounds."""
    alone: dict[str, list[float]] = {id: [] for id in ids}
    together: list[float] = []
    for _ in range(rounds):
        time.sleep(COALESCING)
        for id, times in alone.items():
            times.append(editor.command(REFRESH, id))
        time.sleep(COALESCING)
        together.append(editor.command(REFRESH))
    return alone, together


def _slowest(alone: dict[str, list[float]]) -> tuple[str, float]:
    slowest = max(alone, key=lambda id: statistics.median(alone[id]))
    return slowest, statistics.median(alone[slowest])


def _together_row(name: str, alone: dict[str, list[float]], together: list[float], most: float) -> Row:
    slowest, floor = _slowest(alone)
    ratio = statistics.median(together) / floor
    floor_text = f"{milliseconds(alone[slowest])} ({slowest} alone)"
    return Row(name, f"{most} x slowest", milliseconds(together), floor_text, ratio, ratio <= most)


def _loop_row(name: str, stays: list[Stay]) -> Row:
    """Waiting for a processor that others use is no work of the loop: what it computed counts."""
    longest = max(stays, key=lambda stay: stay.computed, default=Stay(0, 0, 0, ""))
    waited = max((stay.seconds for stay in stays), default=0.0)
    told = f"{longest.computed * 1e3:.1f} ms computed; {waited * 1e3:.1f} ms with waiting for the processor"
    return Row(name, "20 ms", told, "0", None, longest.computed <= LONGEST_STAY)


def latency(size: Size) -> list[Row]:
    with Vendors(DELAY) as vendors, World(vendors.environ, DELAY) as world:
        fill_store(world)
        world.fill_chats(size.chat_bytes)
        probe = Probe(world.folder, world.environ)
        uri = world.config.as_uri()
        opened = {"textDocument": {"uri": uri, "languageId": "json", "version": 1, "text": world.config.read_text()}}
        kinds: dict[str, Callable[[Editor], float]] = {
            "hover": lambda editor: editor.timed("textDocument/hover", hover_at(uri, 4)),
            "`quotaline/usage`": lambda editor: editor.timed("quotaline/usage", {}),
        }
        times: dict[str, list[float]] = {name: [] for name in kinds}
        taken: list[float] = []
        bare: list[float] = []
        with Editor(QUOTALINE, world.environ) as editor, Editor(BARE_WITH_HOVER, without_probe(world.environ)) as other:
            other.initialize()
            other.initialized()
            editor.initialize()
            sent = editor.initialized()
            editor.usage(lambda params: bool(params["providers"]))
            editor.tell("textDocument/didOpen", opened)
            editor.ask("quotaline/usage", {})
            time.sleep(max(0.0, sent + COALESCING - time.perf_counter()))
            began = time.perf_counter()
            for _ in range(3):
                world.touch_chats()
                asked = time.perf_counter()
                done = editor.start_command(REFRESH)
                while not done.is_set():
                    for name, ask in kinds.items():
                        times[name].append(ask(editor))
                    bare.append(kinds["hover"](other))
                    time.sleep(0.002)
                taken.append(time.perf_counter() - asked)
                time.sleep(COALESCING)
            stays = probe.stays(began, time.perf_counter())
    floor = f"p50 {percentile(bare, 0.5) * 1e3:.1f} ms, p99 {percentile(bare, 0.99) * 1e3:.1f} ms"
    rows = [
        Row(
            f"{name} latency during a refresh and a scan of {size.chat_bytes >> 20} MiB",
            "p99 20 ms",
            f"p50 {percentile(taken, 0.5) * 1e3:.1f} ms, p99 {percentile(taken, 0.99) * 1e3:.1f} ms (n={len(taken)})",
            f"{floor} (bare, hover, at the same time)",
            percentile(taken, 0.99) / percentile(bare, 0.99),
            percentile(taken, 0.99) < 0.02,
        )
        for name, taken in times.items()
    ]
    scan = Row("the scan itself, beside that refresh", "none (for information)", milliseconds(taken), "", None, True)
    return [*rows, _loop_row("longest stay in the event loop meanwhile (10 providers)", stays), scan]


def nothing_found(size: Size) -> list[Row]:
    """How fast every provider says on an empty machine what it lacks."""
    script = Path(__file__).with_name("empty_machine.py")
    done = subprocess.run([plain_python(), str(script)], check=True, capture_output=True, text=True)
    found: dict[str, tuple[float, str]] = json.loads(done.stdout)
    times = {id: seconds for id, (seconds, _) in found.items()}
    slowest = max(times, key=lambda id: times[id])
    missing = sum(kind in ("missing_credential", "missing_program") for _, kind in found.values())
    return [
        Row(
            f"`missing_credential` on an empty machine ({missing} of {len(found)} providers)",
            "1 s each",
            f"{milliseconds(list(times.values()))}, slowest {slowest}",
            "",
            None,
            times[slowest] <= 1 and missing == len(found),
        )
    ]
