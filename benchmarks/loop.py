"""Timing a sidecar's event loop from inside, without any part of Quotaline knowing: every callback is timed.

Python imports `sitecustomize` by itself. The one that `PROBE` is notes the callbacks that took long, each on a line of
its own: when it ended (`time.perf_counter`), its seconds, the seconds of them its own thread computed, and its name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

LONG = 0.004

PROBE = f"""
import os

_place = os.environ.get("BENCHMARK_LOOP")
if _place:
    import asyncio
    from time import perf_counter, thread_time

    _file = open(_place, "a", buffering=1)
    _run = asyncio.events.Handle._run

    def _timed(handle):
        began, worked = perf_counter(), thread_time()
        _run(handle)
        ended = perf_counter()
        if ended - began > {LONG}:
            _file.write(f"{{ended}} {{ended - began}} {{thread_time() - worked}} {{handle._callback!r:.200}}\\n")

    asyncio.events.Handle._run = _timed
    asyncio.events.TimerHandle._run = _timed
"""


@dataclass(frozen=True)
class Stay:
    """One callback that kept the event loop for long: for how many seconds, of which it computed so many."""

    ended: float
    seconds: float
    computed: float
    name: str


class Probe:
    """The probe of the sidecars that are started with this environment."""

    def __init__(self, folder: Path, environ: dict[str, str]) -> None:
        (Path(environ["PYTHONPATH"]) / "sitecustomize.py").write_text(PROBE)
        self._file = folder / "loop.txt"
        environ["BENCHMARK_LOOP"] = str(self._file)

    def stays(self, since: float, until: float) -> list[Stay]:
        """The long callbacks that ended in this time (`time.perf_counter`)."""
        found: list[Stay] = []
        for line in self._file.read_text().splitlines() if self._file.exists() else ():
            ended, seconds, computed, name = line.split(" ", 3)
            if since <= float(ended) <= until:
                found.append(Stay(float(ended), float(seconds), float(computed), name))
        return found


def without_probe(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment for what is not to be timed."""
    return {name: value for name, value in environ.items() if name != "BENCHMARK_LOOP"}
