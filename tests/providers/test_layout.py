"""How providers are laid out, and how much of a simple one is not about its vendor: imports, `PROVIDER`, refusals.

`python tests/providers/test_layout.py FILE...` prints the same counts for any modules.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from quotaline_providers import vendors

SIMPLEST = ("azureopenai", "crof", "deepgram", "elevenlabs", "kimik2", "litellm", "llmproxy", "poe", "venice", "warp")
LIMIT = 25
"""Lines in one module."""


@dataclass(frozen=True)
class Boilerplate:
    """Lines of one module by what they are for."""

    imports: int
    provider: int
    refusals: int

    @property
    def total(self) -> int:
        return self.imports + self.provider + self.refusals


def boilerplate(source: str) -> Boilerplate:
    """Count the lines of a provider's module."""
    tree = ast.parse(source)
    imports = lines_of(node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom))
    provider = lines_of(node for node in tree.body if _names(node) == ["PROVIDER"])
    return Boilerplate(len(imports), len(provider), len(lines_of(_refusals(tree)) - imports - provider))


def lines_of(nodes: Iterator[ast.stmt]) -> set[int]:
    """The numbers of the lines on which these statements stand."""
    return {line for node in nodes for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)}


def _refusals(tree: ast.Module) -> Iterator[ast.stmt]:
    """Statements that say what a refusal means: mappings and the constants only they use, tests of a response's status,
    and functions that are handed a response."""
    mappings = [node for node in ast.walk(tree) if isinstance(node, ast.Assign) and _mentions(node, _MEANINGS)]
    yield from mappings
    used = [name for node in mappings for name in _loaded(node)]
    elsewhere = _loaded(tree)
    for node in tree.body:
        if (names := _names(node)) and all(0 < used.count(name) == elsewhere.count(name) for name in names):
            yield node
    statements = (node for node in ast.walk(tree) if isinstance(node, ast.stmt))
    yield from (node for node in statements if _tests_a_status(node) or _is_handed_a_response(node))


_MEANINGS = {"Refusal", "refused_key"}


def _names(node: ast.stmt) -> list[str]:
    targets = node.targets if isinstance(node, ast.Assign) else []
    return [target.id for target in targets if isinstance(target, ast.Name)]


def _loaded(node: ast.AST) -> list[str]:
    return [part.id for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load)]


def _mentions(node: ast.AST, names: set[str]) -> bool:
    found = (part.attr if isinstance(part, ast.Attribute) else getattr(part, "id", None) for part in ast.walk(node))
    return not names.isdisjoint(found)


def _tests_a_status(node: ast.stmt) -> bool:
    raises = any(isinstance(part, ast.Raise) for part in ast.walk(node))
    return isinstance(node, ast.If) and _mentions(node.test, {"status"}) and raises


def _is_handed_a_response(node: ast.stmt) -> bool:
    arguments = node.args.args if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else []
    return any(one.annotation is not None and _mentions(one.annotation, {"Response"}) for one in arguments)


VENDORS = Path(vendors.__path__[0])
FOLDERS = sorted(path.parent.name for path in VENDORS.glob("*/__init__.py"))


@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder_opens_with_its_provider_and_nothing_else(name: str) -> None:
    docstring, *statements = ast.parse((VENDORS / name / "__init__.py").read_text(encoding="utf-8")).body
    others = [node for node in statements if not isinstance(node, ast.Import | ast.ImportFrom)]
    assert isinstance(docstring, ast.Expr)
    assert [_names(node) for node in others] == [["PROVIDER"]]
    assert {"payloads.py", "mapping.py"} <= {path.name for path in (VENDORS / name).iterdir()}


@pytest.mark.parametrize("name", SIMPLEST)
def test_a_simple_provider_has_little_that_is_not_about_its_vendor(name: str) -> None:
    source = (VENDORS / f"{name}.py").read_text(encoding="utf-8")
    counted = boilerplate(source)
    assert counted.imports
    assert counted.provider
    assert counted.total <= LIMIT, counted


def test_every_kind_of_line_is_counted() -> None:
    source = """
import a
from b import (
    c,
)
HINT = "only for refusals"
OTHER = "for more"
REFUSALS = {
    404: Refusal(Error, HINT, OTHER),
}
def to_usage(answer):
    return OTHER
def _checked(ctx, response: Response):
    return response
async def from_api(ctx):
    refusals = refused_key("A")
    if answer.status == 401:
        raise Error
    if answer.status == "active":
        return answer
PROVIDER = Provider(
    id="a",
)
"""
    assert boilerplate(source) == Boilerplate(imports=4, provider=3, refusals=1 + 3 + 2 + 1 + 2)


if __name__ == "__main__":
    for file in sys.argv[1:]:
        counted = boilerplate(Path(file).read_text(encoding="utf-8"))
        print(f"{file}: {counted.total} ({counted.imports} + {counted.provider} + {counted.refusals})")
