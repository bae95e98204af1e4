"""What the package exports for authors of providers."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import quotaline_providers


def declared() -> set[str]:
    """The names that type checkers see."""
    tree = ast.parse(Path(quotaline_providers.__file__).read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    return {alias.name for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names}


@pytest.mark.parametrize("name", sorted(declared()))
def test_each_export_can_be_imported(name: str) -> None:
    assert getattr(quotaline_providers, name) is not None


def test_type_checkers_and_python_see_the_same() -> None:
    assert declared() == set(quotaline_providers.__all__) - {"__version__"}


def test_another_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="nothing_such"):
        getattr(quotaline_providers, "nothing_such")  # noqa: B009


def test_the_version_alone_imports_nothing_else() -> None:
    code = (
        "import sys, quotaline_providers; quotaline_providers.__version__; "
        "print([name for name in sys.modules if name.startswith(('pydantic', 'quotaline_providers.'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
