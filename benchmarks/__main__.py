"""Measures the budgets and prints a table. Exit code 1 when one is not met.

python -m benchmarks [--only NAME]... [--quick] [--json]
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from collections.abc import Callable
from dataclasses import asdict

from benchmarks.measures import first_push, memory, start
from benchmarks.refreshing import everybody, latency, nothing_found, refresh
from benchmarks.rows import QUICK, Row, Size
from benchmarks.saving import saving
from benchmarks.sidecars import sidecars

MEASURES: dict[str, Callable[[Size], list[Row]]] = {
    "start": start,
    "memory": memory,
    "first-push": first_push,
    "refresh": refresh,
    "everybody": everybody,
    "latency": latency,
    "sidecars": sidecars,
    "nothing-found": nothing_found,
    "saving": saving,
}


def table(rows: list[Row]) -> str:
    """The rows as a Markdown table."""
    lines = ["| what | budget | measured | floor | ratio | met |", "|---|---|---|---|---|---|"]
    for row in rows:
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
        met = "yes" if row.met else "**no**"
        lines.append(f"| {row.name} | {row.budget} | {row.measured} | {row.floor} | {ratio} | {met} |")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__.splitlines()[0] if __doc__ else ""
    )
    parser.add_argument("--only", action="append", choices=tuple(MEASURES), help="only this budget (repeatable)")
    parser.add_argument("--quick", action="store_true", help="fewer runs and smaller data: a rough picture")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    rows: list[Row] = []
    for name in options.only or MEASURES:
        print(f"measuring {name} ...", file=sys.stderr, flush=True)
        began = time.monotonic()
        rows += MEASURES[name](QUICK if options.quick else Size())
        print(f"  {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    if options.json:
        print(json.dumps([asdict(row) for row in rows], indent=2))
    else:
        print(f"Python {platform.python_version()} on {platform.system()}\n")
        print(table(rows))
    return 0 if all(row.met for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
