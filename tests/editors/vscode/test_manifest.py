"""The extension's manifest says what the code says: version, settings of the server, commands."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from pydantic import BaseModel

from quotaline import __version__
from quotaline.settings import Settings
from tests.editors.vscode.code_server import EXTENSION

MANIFEST: dict[str, Any] = json.loads((EXTENSION / "package.json").read_text(encoding="utf-8"))
SETTINGS: dict[str, dict[str, Any]] = {
    name: schema
    for section in MANIFEST["contributes"]["configuration"]
    for name, schema in section["properties"].items()
}
FOR_PLAIN_CLIENTS = {"quotaline.codeActions", "quotaline.plainStatus"}
"""What the server does for editors without a client of their own."""
CLIENT_ONLY = {"quotaline.serverPath", "quotaline.pythonPath"}
SOURCES = "\n".join(file.read_text(encoding="utf-8") for file in sorted((EXTENSION / "src").rglob("*.ts")))


def defaults(model: BaseModel, prefix: str = "quotaline") -> dict[str, object]:
    """Every setting of the server by its full name, with its default."""
    found: dict[str, object] = {}
    for name, field in type(model).model_fields.items():
        value, key = getattr(model, name), f"{prefix}.{field.alias}"
        if isinstance(value, BaseModel):
            found |= defaults(value, key)
        else:
            found[key] = list(value) if isinstance(value, tuple) else value
    return found


def test_the_version_is_the_servers() -> None:
    assert MANIFEST["version"] == __version__
    assert f"## {__version__}\n" in (EXTENSION / "CHANGELOG.md").read_text(encoding="utf-8")


def test_every_setting_of_the_server_is_contributed_with_its_default() -> None:
    own = {name for name in SETTINGS if name.startswith("quotaline.statusBar.")} | CLIENT_ONLY
    contributed = {name: schema["default"] for name, schema in SETTINGS.items() if name not in own}
    known = {name: value for name, value in defaults(Settings()).items() if name not in FOR_PLAIN_CLIENTS}
    assert contributed == known


@pytest.mark.parametrize("name", SETTINGS)
def test_every_setting_is_described_and_in_the_readme(name: str) -> None:
    assert SETTINGS[name].get("description") or SETTINGS[name].get("markdownDescription")
    readme = (EXTENSION / "README.md").read_text(encoding="utf-8")
    assert name in readme or name.rpartition(".")[2] in readme


def test_a_workspace_cannot_choose_which_program_is_started() -> None:
    assert {SETTINGS[name]["scope"] for name in CLIENT_ONLY} == {"machine"}
    assert MANIFEST["capabilities"]["untrustedWorkspaces"] == {"supported": True}


def test_every_command_of_the_palette_is_registered() -> None:
    contributed = {command["command"] for command in MANIFEST["contributes"]["commands"]}
    assert contributed == set(re.findall(r"^  \w+: '(quotaline\.\w+)',$", SOURCES, re.MULTILINE))


def test_the_lock_names_no_registry() -> None:
    assert "resolved" not in (EXTENSION / "package-lock.json").read_text(encoding="utf-8")
