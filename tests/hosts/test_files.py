"""Files off the event loop."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from quotaline_providers.hosts import files as disk
from quotaline_providers.hosts.files import DiskFiles, locked
from quotaline_providers.hosts.workers.pool import WorkerProcesses
from tests import systems


@pytest.fixture
def files() -> DiskFiles:
    return DiskFiles(WorkerProcesses(os.environ))


@pytest.fixture
def permissive() -> Iterator[None]:
    """A user whose new files everybody may read and write, unless a program says otherwise."""
    usual = os.umask(0)
    yield
    os.umask(usual)


async def test_wrong_bytes_and_a_byte_order_mark_do_not_spoil_a_text(files: DiskFiles, tmp_path: Path) -> None:
    path = tmp_path / "note"
    path.write_bytes(b"\xef\xbb\xbfone\xff")
    assert await files.read(path) == "one�"


async def test_a_missing_file_is_told(files: DiskFiles, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await files.read(tmp_path / "none")


async def test_a_folder_is_no_file(files: DiskFiles, tmp_path: Path) -> None:
    with pytest.raises(OSError):  # noqa: PT011
        await files.read(tmp_path)


async def test_a_file_up_to_the_limit_is_read_and_a_larger_one_refused(files: DiskFiles, tmp_path: Path) -> None:
    path = tmp_path / "note"
    path.write_text("12345")
    assert await files.read(path, limit=5) == "12345"
    with pytest.raises(ValueError, match="too large"):
        await files.read(path, limit=4)


@systems.pipes
async def test_a_pipe_in_the_files_place_does_not_wait_for_ever(files: DiskFiles, tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    assert await files.read(path) == ""


async def test_json_is_read(files: DiskFiles, tmp_path: Path) -> None:
    path = tmp_path / "login.json"
    path.write_text('{"a": [1]}')
    assert await files.read_json(path) == {"a": [1]}


@pytest.mark.parametrize("text", ["", '{"token": "demo-token"', "[" * 100_000])
async def test_broken_json_is_a_value_error_that_holds_nothing_of_it(
    files: DiskFiles, tmp_path: Path, text: str
) -> None:
    path = tmp_path / "login.json"
    path.write_text(text)
    with pytest.raises(ValueError, match="not JSON") as raised:
        await files.read_json(path)
    assert "demo-token" not in f"{raised.value!r}{vars(raised.value)}"


async def test_a_replaced_file_holds_the_new_text_for_the_user_alone(
    files: DiskFiles, tmp_path: Path, permissive: None
) -> None:
    path = tmp_path / "new" / "note"
    await files.replace(path, "first")
    await files.replace(path, "zweite Fassung ü")
    assert path.read_text(encoding="utf-8") == "zweite Fassung ü"
    assert [entry.name for entry in path.parent.iterdir()] == ["note"]
    if os.name != "nt":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@systems.links
async def test_replacing_a_link_replaces_what_it_points_to(files: DiskFiles, tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_text("old")
    link = tmp_path / "link"
    link.symlink_to(target)
    await files.replace(link, "new")
    assert link.is_symlink()
    assert target.read_text() == "new"


async def test_a_replacement_that_fails_leaves_the_old_file(
    files: DiskFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "note"
    path.write_text("old")

    def full(descriptor: int) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="disk full"):
        await files.replace(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


async def test_work_runs_off_the_event_loop(files: DiskFiles) -> None:
    assert await files.in_thread(threading.get_ident) != threading.get_ident()


# --- files that are read, changed and replaced ---

COUNT = """
import sys
from pathlib import Path
from quotaline_providers.hosts.files import locked, replace_file
path = Path(sys.argv[1])
for _ in range(25):
    with locked(path):
        replace_file(path, str(int(path.read_text()) + 1))
"""


def test_processes_that_change_a_file_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "count"
    path.write_text("0")
    counting = [subprocess.Popen([sys.executable, "-c", COUNT, str(path)]) for _ in range(4)]
    assert [process.wait() for process in counting] == [0] * 4
    assert path.read_text() == "100"


@systems.locks
def test_a_lock_that_is_never_given_back_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "LOCK_SECONDS", 0)
    with locked(tmp_path / "note"), pytest.raises(TimeoutError), locked(tmp_path / "note"):
        pass


@systems.locks
def test_a_file_system_without_locks_is_no_reason_to_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(descriptor: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, "no locks")

    monkeypatch.setattr("fcntl.flock", refuse)
    with locked(tmp_path / "note"):
        pass


@systems.links
def test_a_lock_file_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".note.lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic"), locked(tmp_path / "note"):
        pass
    assert not (tmp_path / "elsewhere").exists()


async def test_another_programs_file_is_changed(files: DiskFiles, tmp_path: Path) -> None:
    path = tmp_path / "login.json"
    path.write_text("old")
    assert await files.change(path, lambda text: f"{text}, renewed")
    assert not await files.change(path, lambda text: None)
    assert path.read_text() == "old, renewed"


async def test_what_another_program_writes_meanwhile_stays(files: DiskFiles, tmp_path: Path) -> None:
    path = tmp_path / "login.json"
    path.write_text("old")

    def change(text: str) -> str:
        path.write_text("signed in again")
        return f"{text}, renewed"

    assert not await files.change(path, change)
    assert path.read_text() == "signed in again"
    assert os.listdir(tmp_path) == ["login.json"]
