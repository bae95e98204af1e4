"""How the code is laid out: no circles of imports, and no vendor's name in the server."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from quotaline_providers import registry

ROOT = Path(__file__).resolve().parent.parent
SERVER = ROOT / "server/quotaline"


@pytest.fixture(scope="module")
def structure() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_structure", ROOT / "docs/structure.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_nothing_imports_in_a_circle(structure: ModuleType) -> None:
    assert structure.circles(structure.graph(ROOT)) == []


def texts(path: Path) -> Iterator[tuple[str, int]]:
    """All text literals of a module that are no docstrings, with their lines."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value, node.lineno


def test_the_server_names_no_vendor() -> None:
    """Data about other programs (`setup/`) aside."""
    ids = set(registry.ids())
    files = (path for path in SERVER.rglob("*.py") if "setup" not in path.relative_to(SERVER).parts)
    found = [(str(path.relative_to(ROOT)), line, text) for path in files for text, line in texts(path) if text in ids]
    assert found == []
