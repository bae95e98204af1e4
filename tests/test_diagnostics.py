"""A defect is told by type and place and by nothing that anybody said; a replaced package is noticed."""

from __future__ import annotations

import asyncio
import json
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import quotaline_providers
from quotaline.cli import console
from quotaline_providers import diagnostics
from quotaline_providers.diagnostics import Defect, Installation, carry_trace, defects, note_defect
from quotaline_providers.hosts.workers import main as worker
from quotaline_providers.testing import Vendor

SECRET = "demo-planted-secret"


@pytest.fixture(autouse=True)
def noted(monkeypatch: pytest.MonkeyPatch) -> list[Defect]:
    """What the sink of this test was told."""
    told: list[Defect] = []
    monkeypatch.setattr(diagnostics, "_kept", {})
    monkeypatch.setattr(diagnostics, "sink", told.append)
    return told


def fail(value: str) -> None:
    hidden = {"token": value}
    try:
        hidden[value]
    except KeyError as error:
        raise ValueError(f"{value} is wrong: {hidden}") from error


def raised(value: str = SECRET) -> ValueError:
    try:
        fail(value)
    except ValueError as error:
        return error
    raise AssertionError


def test_it_tells_type_and_frames_of_the_error_and_its_cause_and_nothing_else(
    noted: list[Defect], caplog: pytest.LogCaptureFixture
) -> None:
    note_defect("reading demo", raised())
    (defect,) = defects()
    kinds = [line.split(":")[0] if line.startswith("at ") else line for line in defect.trace]
    assert kinds == [
        "ValueError",
        "at test_diagnostics.py",
        "at test_diagnostics.py",
        "caused by KeyError",
        "at test_diagnostics.py",
    ]
    assert defect.trace[1].endswith("(fail)")
    assert defect.trace[2].endswith("(raised)")
    assert noted == [defect]
    assert SECRET not in f"{defects()!r} {noted!r} {caplog.text}"


def test_files_are_named_without_the_folders_of_this_machine() -> None:
    try:
        worker.answer(b"")
        json.loads("{x")
    except ValueError as error:
        place = note_defect("parsing", error).where
    assert place.startswith("json.decoder.JSONDecodeError at json/decoder.py:")
    folders = ("/home/ada/quotaline/providers/quotaline_providers/run.py", "/x/lib/python3.11/site-packages/a/b.py")
    assert [diagnostics._file(folder) for folder in folders] == ["quotaline_providers/run.py", "a/b.py"]
    assert diagnostics._file("/home/ada/meter.py") == "meter.py"
    for folder in ("/home/ada/.config/quotaline/providers", "/home/ada/quotaline/acme", "/home/ada/python3.11/acme"):
        assert diagnostics._file(f"{folder}/meter.py") == "meter.py"
    assert diagnostics._file(str(console.__file__)) == "quotaline/cli/console.py"


def test_an_error_with_code_of_its_own_is_noted_all_the_same() -> None:
    class Odd(Exception):
        def __getattr__(self, name: str) -> object:
            raise RuntimeError(SECRET)

    assert note_defect("reading demo", Odd()).trace == (f"{__name__}.{Odd.__qualname__}",)


def test_what_a_thread_or_a_finalizer_raises_is_noted_and_not_printed() -> None:
    lines = f"""
import threading
from quotaline.cli.console import log_to_stderr
from quotaline_providers.diagnostics import defects
log_to_stderr("CRITICAL")

class Leaver:
    def __del__(self):
        raise ValueError({SECRET!r})

def fail():
    raise ValueError({SECRET!r})

thread = threading.Thread(target=fail)
thread.start()
thread.join()
Leaver()
print([one.what for one in defects()])
"""
    done = subprocess.run([sys.executable, "-c", lines], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("['a thread', 'a finalizer']\n", "")


def test_one_place_is_one_defect_however_often_it_fails(noted: list[Defect]) -> None:
    for number in range(10):
        note_defect(f"reading {number}", raised(str(number)))
    (defect,) = defects()
    assert (defect.what, defect.count) == ("reading 9", 10)
    assert sum(told.count for told in noted) == 8
    assert len(noted) == 4


def test_only_so_many_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagnostics, "MOST", 2)
    for kind in (KeyError, ValueError, TypeError):
        note_defect("reading demo", kind(SECRET))
    assert [defect.trace for defect in defects()] == [("ValueError",), ("TypeError",)]


def test_a_sink_that_fails_disturbs_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagnostics, "sink", None)
    note_defect("reading demo", raised())

    def breaks(defect: Defect) -> None:
        raise OSError(SECRET)

    monkeypatch.setattr(diagnostics, "sink", breaks)
    assert note_defect("reading demo", raised()).count == 2


def test_errors_that_lead_in_a_circle_have_an_end() -> None:
    one, other = ValueError(SECRET), KeyError(SECRET)
    one.__cause__, other.__cause__ = other, one
    assert note_defect("reading demo", one).trace == ("ValueError", "caused by KeyError")
    group = ExceptionGroup(SECRET, [OSError(SECRET)])
    assert note_defect("reading demo", group).trace == ("ExceptionGroup", "caused by OSError")


async def test_what_no_task_handles_is_noted_unless_it_is_a_cut_connection() -> None:
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(diagnostics.note_unhandled)
    for error in (BrokenPipeError(SECRET), KeyError(SECRET)):
        loop.call_soon(raise_it, error)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert [(defect.what, defect.trace[0]) for defect in defects()] == [("background work", "KeyError")]


def raise_it(error: Exception) -> None:
    raise error


def test_an_error_of_a_worker_brings_its_places_along() -> None:
    error = raised()
    carry_trace(error)
    arrived = pickle.loads(pickle.dumps(error))
    trace = note_defect("scanning", arrived).trace
    assert trace[:3] == ("ValueError", "in a worker:", "ValueError")
    assert "(fail)" in trace[3]
    good, answered = pickle.loads(worker.answer(pickle.dumps((fail, (SECRET,)))))
    assert not good
    assert any("(fail)" in line for line in note_defect("scanning", answered).trace)


# --- the installed version -------------------------------------------------------------------------


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """The package's file that states the version, in a copy."""
    file = tmp_path / "quotaline_providers/__init__.py"
    shutil.copytree(
        Path(quotaline_providers.__file__).parent, file.parent, ignore=shutil.ignore_patterns("__pycache__")
    )
    return file


def update(file: Path, version: str | None) -> None:
    """Put another version in the package's place, as installers do; None takes it away."""
    new = file.with_suffix(".new")
    if version is None:
        shutil.rmtree(file.parent)
    else:
        new.write_text(f'"""Newer."""\n\n__version__ = "{version}"\n', encoding="utf-8")
        new.replace(file)


@pytest.mark.parametrize("version", ["99.0", None, ""])
def test_a_replaced_package_is_noticed_and_told_once(
    package: Path, version: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(diagnostics, "on_upgrade", told.append)
    installed = Installation(package, quotaline_providers.__version__)
    assert installed.restart_due() is None
    update(package, version)
    sentence = installed.restart_due()
    assert sentence is not None
    assert ("updated to version 99.0" if version else "replaced or removed") in sentence
    assert installed.restart_due() == sentence
    assert told == [sentence]


def test_the_same_version_installed_again_is_no_update(package: Path) -> None:
    installed = Installation(package, quotaline_providers.__version__)
    update(package, quotaline_providers.__version__)
    assert (installed.version(), installed.restart_due()) == (quotaline_providers.__version__, None)
    update(package, "99.0")
    assert installed.version() == "99.0"
    update(package, quotaline_providers.__version__)
    assert installed.restart_due() is None


def test_an_unchanged_file_is_not_read_again(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed = Installation(package, quotaline_providers.__version__)
    assert installed.restart_due() is None
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: pytest.fail("read again"))
    assert installed.restart_due() is None


def test_a_package_in_an_archive_is_never_updated(tmp_path: Path) -> None:
    assert Installation(tmp_path / "archive.zip/quotaline_providers/__init__.py", "1.0").restart_due() is None


SIDECAR = """
import asyncio, os, sys
from pathlib import Path
from quotaline_providers import diagnostics, registry
from quotaline_providers.errors import RestartDue
from quotaline_providers.hosts.machine import Machine, VolatileMemory
from quotaline_providers.run import run
from quotaline_providers.settings import ProviderSettings

told = []
diagnostics.on_upgrade = told.append
home = Path(os.environ["HOME"])


async def sidecar():
    machine = Machine.real(memory=VolatileMemory(), state_dir=home, environ=os.environ, home=home)
    crof = registry.get("crof")
    print("ready", flush=True)
    sys.stdin.readline()
    try:
        registry.get("claude")
    except RestartDue as error:
        print(error.message)
    print([provider.id for provider in registry.every()], "quotaline_providers.vendors.claude" in sys.modules)
    print(await machine.workers.run(os.getpid, timeout=20) == os.getpid())
    outcome = await run(crof, machine.context("crof", ProviderSettings(id="crof", source="api")))
    print(outcome.usage.balances[0].amount, len(told))
    await machine.close()

asyncio.run(sidecar())
"""


def test_a_running_process_loads_nothing_of_what_has_replaced_it_and_goes_on(
    package: Path, tmp_path: Path, environ: dict[str, str], vendor: Callable[[str], Vendor]
) -> None:
    answer = {"credits": 1.25, "requests_plan": 400, "usable_requests": 100}
    vendor("crof.ai").get("/usage_api/", bearer="k").answers(**answer)
    script = tmp_path / "sidecar.py"
    script.write_text(SIDECAR, encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, str(script)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**environ, "PYTHONPATH": str(package.parent.parent), "CROF_API_KEY": "k"},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    update(package, "99.0")
    out, _ = process.communicate("go\n", timeout=60)
    assert out.splitlines() == [
        "Quotaline was updated to version 99.0; restart the editor to use it.",
        "['crof'] False",
        "True",
        "1.25 1",
    ]
