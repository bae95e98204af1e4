"""The command that adds a library to the Quotaline that runs, whatever installed it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from quotaline_providers.distribution import requirement
from quotaline_providers.installation import Installation, Kind, libraries_of, to_add


@pytest.fixture
def environment(tmp_path: Path) -> Installation:
    """A virtual environment with pip."""
    return Installation(tmp_path, "/env/bin/python", has_pip=True, platform="linux")


def test_a_virtual_environment_gets_it_by_its_own_pip(environment: Installation) -> None:
    assert environment.kind is Kind.ENVIRONMENT
    assert environment.adding("aws") == "/env/bin/python -m pip install 'botocore[crt]>=1.38'"


def test_one_without_pip_gets_it_by_uv(environment: Installation) -> None:
    command = replace(environment, has_pip=False, python="/my env/bin/python").adding("browser")
    assert command == "uv pip install --python '/my env/bin/python' 'cryptography>=44'"


def test_windows_quotes_in_its_own_way(environment: Installation) -> None:
    windows = replace(environment, platform="win32", python=r"C:\Program Files\q\python.exe")
    assert windows.adding("google") == r'"C:\Program Files\q\python.exe" -m pip install "google-auth>=2.40"'


def test_pipx_injects_it(environment: Installation) -> None:
    (environment.folder / "pipx_metadata.json").write_text("{}")
    assert environment.kind is Kind.PIPX
    assert environment.adding("aws") == "pipx inject quotaline 'botocore[crt]>=1.38'"


@pytest.mark.parametrize(
    ("receipt", "wanted"),
    [
        ('{ name = "quotaline", directory = "/src/q" }', "/src/q[aws]"),
        ('{ name = "quotaline", extras = ["google"], editable = "/src/q" }', "/src/q[aws,google]"),
        ('{ name = "quotaline", path = "/w/quotaline-1-py3-none-any.whl" }', "/w/quotaline-1-py3-none-any.whl[aws]"),
        ('{ name = "quotaline", extras = ["google"] }', requirement("aws", "google")),
        ('{ name = "other" }, 7', requirement("aws")),
    ],
)
def test_uv_installs_the_same_with_one_more_extra(environment: Installation, receipt: str, wanted: str) -> None:
    (environment.folder / "uv-receipt.toml").write_text(f"[tool]\nrequirements = [{receipt}]\n")
    assert environment.kind is Kind.UV_TOOL
    assert environment.adding("aws") == f"uv tool install --force '{wanted}'"


@pytest.mark.parametrize("text", ["", "[tool", "tool = 1", "[tool]\nrequirements = 1"])
def test_a_receipt_that_cannot_be_read_is_done_without(environment: Installation, text: str) -> None:
    (environment.folder / "uv-receipt.toml").write_text(text)
    assert environment.adding("aws") == f"uv tool install --force '{requirement('aws')}'"


def test_the_libraries_are_those_of_the_distribution() -> None:
    assert libraries_of("testing") == ["pytest>=8.3", "trustme>=1.2"]
    assert libraries_of("no-such") == [requirement("no-such")]
    assert to_add("aws").startswith("`")
