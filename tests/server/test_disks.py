"""Real disks that cannot be written: read-only places and full ones. Usage is shown all the same, from memory."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import systems
from tests.server.command import PROGRAM, Command
from tests.server.lsp_client import Client, Desk

pytestmark = systems.mounts

READ_ONLY = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@"'
SMALL = 'mount -t tmpfs -o size=128k,mode=0700 tmpfs "$0" && exec "$@"'
FULL = (
    'mount -t tmpfs -o size=128k,mode=0700 tmpfs "$0" && ! head -c 1M /dev/zero > "$0/filler" 2>/dev/null && exec "$@"'
)

Words = list[str | Path]


def mounted(script: str, folder: Path) -> Words | None:
    """What to put before a program so that it, and nobody else, sees the folder like that; None when this machine
    does not let us."""
    folder.mkdir(parents=True, exist_ok=True)
    for unshare in (("unshare", "-m"), ("unshare", "-r", "-m")):
        words: Words = [*unshare, "sh", "-c", script, folder]
        try:
            tried = subprocess.run([*words, "true"], capture_output=True, check=False)
        except OSError:
            return None
        if tried.returncode == 0:
            return words
    return None


def full(folder: Path) -> Words:
    """The words for a disk without any room; where nothing can be mounted, files may not grow at all."""
    words = mounted(FULL, folder)
    if words is not None:
        return words
    limit = "import os, resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))"
    return [sys.executable, "-c", f"{limit}; os.execvp(sys.argv[1], sys.argv[1:])"]


def as_anybody() -> Words:
    """The words for a program that modes hold for, also when root starts it."""
    return ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"] if os.geteuid() == 0 else []


def read_only(folder: Path) -> Words:
    words = mounted(READ_ONLY, folder)
    if words is None:
        folder.chmod(0o555)
        return as_anybody()
    return words


PLACES: dict[str, Callable[[Path], Words]] = {"read-only": read_only, "full": full}


@pytest.fixture
def run(quotaline: Command) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs a `quotaline` command on a prepared disk, and makes sure that nothing ugly comes out of it."""

    def start(place: Words, *words: str, given: str = "") -> subprocess.CompletedProcess[str]:
        environ = {**quotaline.environ, "PATH": os.environ["PATH"], "OPENROUTER_API_KEY": "demo"}
        ended = subprocess.run(
            [*place, PROGRAM, *words], env=environ, input=given, capture_output=True, encoding="utf-8", check=False
        )
        assert "Traceback" not in ended.stdout + ended.stderr
        return ended

    return start


@pytest.fixture
def credits(vendor: Any) -> Any:
    host = vendor("openrouter.ai")
    host.get("/api/v1/key").answers(data={})
    return host.get("/api/v1/credits").answers(data={"total_credits": 40, "total_usage": 10})


@pytest.mark.parametrize("kind", PLACES)
def test_a_command_shows_usage_and_doctor_names_the_disk(run: Any, home: Path, credits: Any, kind: str) -> None:
    place = PLACES[kind](home / ".cache")
    shown = run(place, "usage", "--provider", "openrouter")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "25% used" in shown.stdout
    store = next(line for line in run(place, "doctor").stdout.splitlines() if line.startswith("store: "))
    assert "cannot be" in store
    assert "usage is kept in memory" in store
    assert credits.count == 2


@pytest.mark.parametrize("kind", PLACES)
def test_without_a_history_usage_is_shown_and_doctor_names_the_disk(
    run: Any, home: Path, credits: Any, kind: str
) -> None:
    place = PLACES[kind](home / ".local" / "state")
    checked = run(place, "doctor")  # first: a read of the last three seconds is not repeated, and then nothing is kept
    assert checked.returncode == 0
    store = next(line for line in checked.stdout.splitlines() if line.startswith("store: "))
    assert "cannot be" in store
    assert "history is kept in memory" in store
    assert "usage is kept in memory" not in store
    shown = run(place, "usage", "--provider", "openrouter")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "25% used" in shown.stdout


def test_nothing_is_kept_on_a_read_only_home_and_the_user_is_told(run: Any, home: Path) -> None:
    place = read_only(home)
    kept = run(place, "set-credential", "openrouter", given="demo-new")
    assert kept.returncode == 1
    assert "The config file cannot be written." in kept.stderr
    assert "demo-new" not in kept.stdout + kept.stderr


def test_a_config_file_that_may_not_be_read_stops_nothing_else(run: Any, home: Path, credits: Any) -> None:
    config = home / ".config/quotaline/config.json"
    config.parent.mkdir(parents=True)
    config.write_text('{"version": 1}')
    config.chmod(0)
    checked = run(as_anybody(), "config", "validate")
    assert checked.returncode == 1
    assert "There is no permission to read the config file." in checked.stdout
    shown = run(as_anybody(), "usage", "--provider", "openrouter")
    assert shown.returncode == 0
    assert "25% used" in shown.stdout
    assert "no permission to read" in shown.stderr
    kept = run(as_anybody(), "set-credential", "openrouter", given="demo-new")
    assert kept.returncode == 1
    assert config.stat().st_mode & 0o777 == 0


@pytest.fixture
def desk(environ: dict[str, str], home: Path) -> Iterator[Desk]:
    with Desk({**environ, "PATH": os.environ["PATH"]}, home) as desk:
        desk.write_config({"id": "openrouter", "enabled": True, "apiKey": "k"})
        yield desk


@pytest.mark.parametrize("kind", PLACES)
def test_a_sidecar_shows_usage_refreshes_and_ends(desk: Desk, credits: Any, kind: str) -> None:
    place = PLACES[kind](desk.home / ".cache")
    process = subprocess.Popen(
        [*place, sys.executable, "-m", "quotaline", "serve"],
        env=desk.variables,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    client = Client(process)
    desk.clients.append(client)
    client.initialize()
    client.usage(lambda params: any(one["windows"] for one in params["providers"]), timeout=30)
    assert client.command("quotaline.refresh")["outcomes"][0]["ok"]
    assert client.shut_down() == 0
    assert "Traceback" not in client.output


FILLS_UP = """
import sys
from pathlib import Path
from quotaline.store.store import Store
from tests.server.test_store import a_reading
from dataclasses import replace

folder, filler = Path(sys.argv[1]), Path(sys.argv[1], "filler")
store = Store(folder)
store.save(a_reading())
assert store.trouble is None, store.trouble
try:
    with filler.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(512))
except OSError:
    pass
for number in range(20):
    store.save(replace(a_reading(used=number), key=f"demo/{number}", account=str(number) * 2000))
assert "disk is full" in (store.trouble or ""), store.trouble
assert len(store.readings()) == 21
filler.unlink()
store._file._retry_at = store._history._file._retry_at = 0
assert len(store.readings()) == 21
assert store.history("demo/19", "weekly")
assert store.trouble is None, store.trouble
store.close()
again = Store(folder)
assert len(again.readings()) == 21
assert again.history("demo/19", "weekly")
print("good")
"""


def test_a_disk_that_fills_up_and_is_cleared_again_costs_nothing(tmp_path: Path) -> None:
    place = mounted(SMALL.replace("128k", "512k"), tmp_path / "cache")
    if place is None:
        pytest.skip("this machine lets us mount nothing")
    ended = subprocess.run(
        [*place, sys.executable, "-c", FILLS_UP, tmp_path / "cache"],
        capture_output=True,
        encoding="utf-8",
        cwd=Path(__file__).parents[2],
        check=False,
    )
    assert ended.stdout == "good\n", ended.stderr
