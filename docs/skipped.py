"""Which tests are skipped on which system, and why: read from the marks of `tests/systems.py` in the tests."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TERMINAL = "in_terminal"
"""The method of the tests' `Command` that skips where there are no pseudo-terminals."""


def skipped_table() -> str:
    """Missing on, why, and the files with such tests. A file whose tests all need it is in bold."""
    sys.path.insert(0, str(ROOT))
    from tests.systems import NEEDS

    found: dict[str, set[str]] = {name: set() for name in NEEDS}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        where = path.relative_to(ROOT / "tests").as_posix()
        for need, whole in needs(ast.parse(path.read_text(encoding="utf-8"))):
            found[need].add(f"**{where}**" if whole else where)
    rows = ["| Skipped on | Why | Tests, below `tests/` |", "| --- | --- | --- |"]
    for name, need in NEEDS.items():
        files = sorted(file for file in found[name] if f"**{file}**" not in found[name])
        rows.append(f"| {need.missing} | {need.reason} | {', '.join(files)} |")
    return "\n".join(rows)


def needs(module: ast.Module) -> Iterator[tuple[str, bool]]:
    """The needs that a module of tests names, each with whether it is the whole module's."""
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == TERMINAL:
            yield "terminals", False
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "systems" and node.attr.islower():
            yield node.attr, any(node in ast.walk(mark) for mark in _marks_of_the_module(module))


def _marks_of_the_module(module: ast.Module) -> list[ast.expr]:
    return [
        node.value
        for node in module.body
        if isinstance(node, ast.Assign) and any(ast.unparse(target) == "pytestmark" for target in node.targets)
    ]
