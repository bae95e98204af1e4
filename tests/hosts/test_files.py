"""Files off the event loop."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from quotaline_providers.hosts.files import DiskFiles
from quotaline_providers.hosts.workers.pool import WorkerProcesses

posix = pytest.mark.skipif(os.name == "nt", reason="POSIX file modes")


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


@posix
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


@posix
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
