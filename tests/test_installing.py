"""How Quotaline is installed: from locked requirements, and by no name that is not ours yet."""

from __future__ import annotations

import re
import subprocess
import tomllib

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from quotaline_providers.distribution import PUBLISHED
from tests.test_docs import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
SYSTEMS = ("linux", "darwin", "win32")


def locked() -> dict[str, tuple[Requirement, int]]:
    """Each package with the number of its hashes."""
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8").replace("\\\n", " ")
    found: dict[str, tuple[Requirement, int]] = {}
    for line in text.splitlines():
        wanted, *hashes = re.split(r"\s--hash=", line.strip())
        requirement = Requirement(wanted)
        found[canonicalize_name(requirement.name)] = (requirement, len(hashes))
    return found


def test_each_package_has_one_version_and_hashes() -> None:
    packages = locked()
    assert len(packages) > 20
    for name, (requirement, hashes) in packages.items():
        assert re.fullmatch(r"==[^,*]+", str(requirement.specifier)), name
        assert hashes > 0, name


@pytest.mark.parametrize("system", SYSTEMS)
def test_all_that_the_product_needs_is_among_them(system: str) -> None:
    packages = locked()
    for text in PROJECT["dependencies"]:
        wanted = Requirement(text)
        if wanted.marker is None or wanted.marker.evaluate({"sys_platform": system}):
            found, _ = packages[canonicalize_name(wanted.name)]
            assert wanted.specifier.contains(Version(str(found.specifier).removeprefix("=="))), wanted.name
            assert _applies(found.marker, system), wanted.name


def tracked() -> list[str]:
    """The files that belong to the project."""
    try:
        listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, encoding="utf-8", check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    return listed.stdout.splitlines()


def test_nothing_tells_to_install_by_a_name_before_it_is_ours() -> None:
    assert not PUBLISHED, "with the first release this test goes"
    by_name = re.compile(r"(?:install|inject|--with)\s+['\"]?quotaline(?![\w./-]*\.whl)\b")
    allowed = re.compile(r"pipx inject quotaline ")  # names the environment that is there
    for name in tracked():
        if name != "tests/test_installing.py" and not name.endswith((".png", ".gif", ".whl")):
            text = (ROOT / name).read_text(encoding="utf-8", errors="replace")
            assert not by_name.search(allowed.sub("", text)), name


def _applies(marker: Marker | None, system: str) -> bool:
    return marker is None or marker.evaluate({"sys_platform": system})
