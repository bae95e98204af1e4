"""Prints the structure of the two packages: modules per room, imports between rooms, circles.

`python docs/structure.py [ROOT]` reads the checkout at ROOT (this one when left out).
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import grimp

PACKAGES = {"quotaline_providers": "providers", "quotaline": "server"}


def graph(root: Path) -> grimp.ImportGraph:
    """All imports of both packages, those for type checkers included."""
    sys.path[:0] = [str(root / folder) for folder in PACKAGES.values()]
    return grimp.build_graph(*PACKAGES, cache_dir=None)


def room(module: str, imports: grimp.ImportGraph) -> str:
    """The folder of a module: `hosts/http`; `.` for a module at the top of its package. A vendor is one room."""
    package, *inner = module.split(".")
    if inner[:1] == ["vendors"]:
        inner = inner[:1]
    elif not imports.find_children(module):
        inner = inner[:-1]
    return f"{package}/{'/'.join(inner)}".rstrip("/")


def rooms(imports: grimp.ImportGraph) -> Mapping[str, int]:
    """How many modules each room holds."""
    return Counter(room(module, imports) for module in imports.modules)


def edges(imports: grimp.ImportGraph) -> Mapping[tuple[str, str], int]:
    """How many imports lead from one room to another."""
    found: Counter[tuple[str, str]] = Counter()
    for module in imports.modules:
        for other in imports.find_modules_directly_imported_by(module):
            pair = (room(module, imports), room(other, imports))
            if pair[0] != pair[1]:
                found[pair] += 1
    return found


def circles(imports: grimp.ImportGraph) -> list[list[str]]:
    """The groups of modules that import each other in a circle, by Tarjan's algorithm."""
    order: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(module: str) -> None:
        order[module] = lowest[module] = len(order)
        stack.append(module)
        for other in sorted(imports.find_modules_directly_imported_by(module)):
            if other not in order:
                visit(other)
                lowest[module] = min(lowest[module], lowest[other])
            elif other in stack:
                lowest[module] = min(lowest[module], order[other])
        if lowest[module] == order[module]:
            group = stack[stack.index(module) :]
            del stack[-len(group) :]
            if len(group) > 1:
                found.append(sorted(group))

    for module in sorted(imports.modules):
        if module not in order:
            visit(module)
    return found


def report(imports: grimp.ImportGraph) -> Iterator[str]:
    """The lines that are printed."""
    yield f"{len(imports.modules)} modules"
    for name, count in sorted(rooms(imports).items()):
        yield f"  {count:3} {name}"
    between = edges(imports)
    yield f"{sum(between.values())} imports between {len(between)} pairs of rooms"
    for (source, target), count in sorted(between.items()):
        yield f"  {count:3} {source} -> {target}"
    found = circles(imports)
    yield f"{len(found)} circles"
    for group in found:
        yield f"  {', '.join(group)}"


if __name__ == "__main__":
    print(
        "\n".join(
            report(graph(Path(sys.argv[1]).resolve() if sys.argv[1:] else Path(__file__).resolve().parent.parent))
        )
    )
