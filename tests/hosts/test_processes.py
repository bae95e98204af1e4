"""Child programs: what they get, what is kept of what they say, and that nothing of them is left."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from quotaline_providers.contract import Conversation
from quotaline_providers.errors import BadResponse, MissingProgram, TimedOut, Unavailable
from quotaline_providers.hosts.processes import child, tree
from quotaline_providers.hosts.processes.environment import is_allowed
from quotaline_providers.hosts.processes.start import ChildProcesses
from quotaline_providers.hosts.processes.tree import parse_stat, psutil_row
from tests import systems

pytestmark = systems.scripts


class Bench:
    """A PATH folder of its own, and programs written into it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bin = folder / "bin"
        self.bin.mkdir()
        self.environ = {"PATH": f"{self.bin}:/usr/bin:/bin", "HOME": str(folder), "LANG": "C.UTF-8"}
        self.processes = ChildProcesses(self.environ)

    def program(self, name: str, script: str, mode: int = 0o755) -> Path:
        path = self.bin / name
        path.write_text(f"#!{sys.executable} -IS\nimport os, sys, time, signal\n{textwrap.dedent(script)}")
        path.chmod(mode)
        return path

    def note(self, name: str) -> Path:
        """A file into which a program writes its process id."""
        return self.folder / name


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    yield Bench(tmp_path)
    assert psutil.Process().children(recursive=True) == [], "a child or a zombie is left"


@pytest.fixture(params=[pytest.param("/proc", marks=systems.proc), "psutil"])
def table(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """How the system's processes are listed: as Linux does it, and as the other systems do."""
    monkeypatch.setattr(tree, "_HAS_PROC", request.param == "/proc")


async def pid_in(path: Path) -> int:
    """The process id that a program writes into this file, as soon as it is there."""
    async with asyncio.timeout(10):
        while not (path.exists() and path.read_text().endswith("\n")):
            await asyncio.sleep(0.01)
    return int(path.read_text())


def runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


# A background program that writes its process id and then stays. With {0} = path of the note, {1} = what it does first.
STAYS = """
if os.fork() == 0:
    {1}
    with open({0!r}, "w") as note:
        print(os.getpid(), file=note)
    time.sleep(60)
    os._exit(0)
while not (os.path.exists({0!r}) and os.path.getsize({0!r})):
    time.sleep(0.01)
"""


# --- finding ---------------------------------------------------------------------------------------


def test_a_program_on_path_is_found(bench: Bench) -> None:
    path = bench.program("meter", "")
    assert bench.processes.find("meter") == path


def test_the_executable_an_environment_variable_names_comes_first(bench: Bench, tmp_path: Path) -> None:
    bench.program("meter", "")
    other = bench.program("other-meter", "")
    bench.environ["METER_BIN"] = f' "{other}" '
    assert bench.processes.find("meter", env="METER_BIN") == other


@pytest.mark.parametrize("value", ["other-meter", "~/bin/other-meter"])
def test_the_variable_may_hold_a_name_or_a_path_in_the_home(bench: Bench, value: str) -> None:
    other = bench.program("other-meter", "")
    bench.environ["METER_BIN"] = value
    assert bench.processes.find("meter", env="METER_BIN") == other


def test_a_variable_that_names_nothing_is_passed_over(bench: Bench) -> None:
    path = bench.program("meter", "")
    bench.environ["METER_BIN"] = "/nowhere/meter"
    assert bench.processes.find("meter", env="METER_BIN") == path


def test_places_come_last_and_must_be_executable(bench: Bench, tmp_path: Path) -> None:
    dull, good = tmp_path / "dull", tmp_path / "good"
    dull.write_text("")
    good.write_text("")
    good.chmod(0o755)
    assert bench.processes.find("meter", places=(tmp_path, dull, good)) == good
    path = bench.program("meter", "")
    assert bench.processes.find("meter", places=(good,)) == path


def test_the_current_folder_is_never_searched(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.program("meter", "")
    monkeypatch.chdir(bench.bin)
    bench.environ["PATH"] = ":.:bin"
    assert bench.processes.find("meter") is None


# --- starting --------------------------------------------------------------------------------------


async def test_a_missing_program_is_said_to_be_missing(bench: Bench) -> None:
    with pytest.raises(MissingProgram, match="`meter` was not found"):
        await bench.processes.run(["meter"], timeout=5)


async def test_a_missing_path_is_said_to_be_missing(bench: Bench) -> None:
    with pytest.raises(MissingProgram, match="`meter` was not found"):
        await bench.processes.run([bench.bin / "meter"], timeout=5)


async def test_a_file_without_permission_may_not_be_executed(bench: Bench) -> None:
    path = bench.program("meter", "", mode=0o644)
    with pytest.raises(MissingProgram, match="is not executable"):
        await bench.processes.run([path], timeout=5)


async def test_a_file_that_is_no_program_is_a_missing_program(bench: Bench) -> None:
    path = bench.bin / "meter"
    path.write_bytes(b"\x00\x01\x02 nothing a kernel knows")
    path.chmod(0o755)
    with pytest.raises(MissingProgram, match="not a program that this system can run"):
        await bench.processes.run([path], timeout=5)


async def test_a_missing_interpreter_is_told(bench: Bench) -> None:
    path = bench.bin / "meter"
    path.write_text("#!/nowhere/interpreter\n")
    path.chmod(0o755)
    with pytest.raises(MissingProgram, match="interpreter"):
        await bench.processes.run([path], timeout=5)


async def test_a_missing_folder_is_told(bench: Bench) -> None:
    path = bench.program("meter", "")
    with pytest.raises(MissingProgram, match="folder"):
        await bench.processes.run([path], timeout=5, cwd=bench.folder / "none")


async def test_arguments_reach_the_program_without_a_shell(bench: Bench) -> None:
    bench.program("meter", "print(sys.argv[1:], os.getcwd())")
    done = await bench.processes.run(["meter", "$HOME; ls", "*"], timeout=10, cwd=bench.bin)
    assert done.stdout == f"['$HOME; ls', '*'] {bench.bin}\n"


async def test_input_is_given_and_closed(bench: Bench) -> None:
    bench.program("meter", "print(sys.stdin.read().upper(), end='')")
    assert (await bench.processes.run(["meter"], timeout=10, input="grüezi")).stdout == "GRÜEZI"


async def test_without_input_the_program_reads_nothing(bench: Bench) -> None:
    bench.program("meter", "print(len(sys.stdin.read()))")
    assert (await bench.processes.run(["meter"], timeout=10)).stdout == "0\n"


async def test_a_program_that_ignores_its_input_is_no_error(bench: Bench) -> None:
    bench.program("meter", "print('done')")
    assert (await bench.processes.run(["meter"], timeout=10, input="x" * 1_000_000)).stdout == "done\n"


# --- the environment -------------------------------------------------------------------------------


async def test_a_child_sees_no_other_secrets(bench: Bench) -> None:
    bench.environ |= {
        "CROF_API_KEY": "k",
        "GROQ_SESSION_JWT": "k",
        "KILO_AUTH_CONTENT": "k",
        "aws_secret_access": "k",
        "DATABASE_URL": "k",
        "SSH_AUTH_SOCK": "/run/agent",
        "NODE_AUTH_TOKEN": "k",
        "REMOVED": "1",
        "SHELL": "/bin/sh",
    }
    bench.program("meter", "print(*sorted(os.environ))")
    done = await bench.processes.run(
        ["meter"], timeout=10, env={"METER_TOKEN": "k", "NO_COLOR": "1", "SHELL": None, "NEVER": None}
    )
    names = set(done.stdout.split()) - {"LC_CTYPE"}
    assert names == {"HOME", "LANG", "METER_TOKEN", "NO_COLOR", "PATH", "QUOTALINE_CHILD"}


async def test_a_child_gets_what_any_program_needs(bench: Bench) -> None:
    needed = {
        "LC_TIME": "C",
        "TZ": "UTC",
        "XDG_CONFIG_HOME": "/x",
        "HTTPS_PROXY": "http://proxy.example",
        "no_proxy": "localhost",
        "SSL_CERT_FILE": "/x/ca.pem",
        "NODE_EXTRA_CA_CERTS": "/x/ca.pem",
        "DBUS_SESSION_BUS_ADDRESS": "unix:path=/x",
        "DISPLAY": ":0",
        "LD_LIBRARY_PATH": "/x",
        "FNM_DIR": "/x",
    }
    bench.environ |= needed
    bench.program("meter", "import json; print(json.dumps(dict(os.environ)))")
    done = await bench.processes.run(["meter"], timeout=10)
    assert needed.items() <= json.loads(done.stdout).items()


def test_names_are_the_same_in_any_letters_on_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not is_allowed("SystemRoot")
    monkeypatch.setattr(sys, "platform", "win32")
    assert is_allowed("SystemRoot")
    assert not is_allowed("Groq_Session_Jwt")


async def test_variables_pass_through_unchanged(bench: Bench) -> None:
    bench.environ["XDG_ODD"] = " a=b\tc "
    bench.program("meter", "print(repr(os.environ['XDG_ODD']), os.environ['PATH'])")
    done = await bench.processes.run(["meter"], timeout=10)
    assert done.stdout == f"' a=b\\tc ' {bench.environ['PATH']}\n"


# --- output ----------------------------------------------------------------------------------------


async def test_output_errors_and_exit_code_are_told(bench: Bench) -> None:
    bench.program("meter", "print('42 left'); print('careful', file=sys.stderr); sys.exit(3)")
    done = await bench.processes.run(["meter"], timeout=10)
    assert (done.exit_code, done.stdout, done.stderr, done.idled) == (3, "42 left\n", "careful\n", False)


async def test_a_program_that_dies_half_way_leaves_what_it_said(bench: Bench) -> None:
    bench.program("meter", "print('first half', flush=True); os.kill(os.getpid(), signal.SIGKILL)")
    done = await bench.processes.run(["meter"], timeout=10)
    assert (done.exit_code, done.stdout) == (-9, "first half\n")


async def test_flooding_is_drained_and_cut(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "OUTPUT_LIMIT", 100_000)
    bench.program("meter", "for _ in range(30): os.write(1, b'x' * 65536); os.write(2, b'y' * 65536)\nprint('end')")
    done = await bench.processes.run(["meter"], timeout=20)
    assert (done.exit_code, done.stdout, done.stderr) == (0, "x" * 100_000, "y" * 100_000)


def test_split_characters_come_out_whole() -> None:
    capture = child.Capture()
    for byte in "57 % · übrig €".encode():
        capture.feed(bytes([byte]))
    capture.end()
    assert capture.text == "57 % · übrig €"


async def test_wrong_bytes_are_replaced(bench: Bench) -> None:
    bench.program("meter", r"os.write(1, b'left \xff\xe2\x82')")
    assert (await bench.processes.run(["meter"], timeout=10)).stdout == "left \ufffd\ufffd"


# --- the deadline ----------------------------------------------------------------------------------


async def test_a_hanging_program_is_ended_at_its_deadline(bench: Bench) -> None:
    bench.program("meter", "time.sleep(60)")
    with pytest.raises(TimedOut, match=r"`meter` did not finish within 0\.3 seconds"):
        await bench.processes.run(["meter"], timeout=0.3)


async def test_it_may_clean_up_within_the_grace(bench: Bench) -> None:
    note = bench.note("cleaned")
    bench.program(
        "meter",
        f"""
        def clean(number, frame):
            with open({str(note)!r}, "a") as note: note.write("once")
            sys.exit()
        signal.signal(signal.SIGTERM, clean)
        print("ready", flush=True)
        time.sleep(60)
        """,
    )
    async with bench.processes.talk(["meter"], grace=10) as meter:
        assert await meter.read_line(10) == "ready"
    assert note.read_text() == "once"


async def test_ignoring_the_request_to_end_does_not_help(bench: Bench) -> None:
    note = bench.note("pid")
    bench.program(
        "meter",
        f"""
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        with open({str(note)!r}, "w") as note: print(os.getpid(), file=note)
        time.sleep(60)
        """,
    )
    running = asyncio.create_task(bench.processes.run(["meter"], timeout=2, grace=0.2))
    pid = await pid_in(note)
    with pytest.raises(TimedOut):
        await running
    assert not psutil.pid_exists(pid)


@pytest.mark.parametrize(
    "leaving", ["pass", "os.setpgid(0, 0)", "os.setsid()", "os.setsid(); os.fork() and os._exit(0)"]
)
async def test_the_deadline_ends_its_children_too(bench: Bench, table: None, leaving: str) -> None:
    note = bench.note("pid")
    bench.program("meter", STAYS.format(str(note), leaving) + "time.sleep(60)")
    running = asyncio.create_task(bench.processes.run(["meter"], timeout=2, grace=0.5))
    pid = await pid_in(note)
    with pytest.raises(TimedOut):
        await running
    assert not runs(pid)


async def test_a_daemon_does_not_outlive_a_program_that_ended(bench: Bench, table: None) -> None:
    note = bench.note("pid")
    quiet = "os.setsid(); os.fork() and os._exit(0); [os.dup2(os.open(os.devnull, os.O_RDWR), fd) for fd in (0, 1, 2)]"
    bench.program("meter", STAYS.format(str(note), quiet) + "print('done')")
    done = await bench.processes.run(["meter"], timeout=10)
    assert (done.exit_code, done.stdout) == (0, "done\n")
    assert not runs(await pid_in(note))


# A daemon that has left its session and cleared its environment; its parent has ended. With {0} = path of the note.
CLEARED = """
if os.fork() == 0:
    os.setsid()
    if os.fork():
        os._exit(0)
    [os.dup2(os.open(os.devnull, os.O_RDWR), fd) for fd in (0, 1, 2)]
    script = "import os, time; print(os.getpid(), file=open({0!r}, 'w'), flush=True); time.sleep(60)"
    os.execve(sys.executable, [sys.executable, "-ISc", script], {{}})
os.wait()
while not (os.path.exists({0!r}) and os.path.getsize({0!r})):
    time.sleep(0.01)
"""


@systems.orphans
@pytest.mark.parametrize("then", ["print('done')", "time.sleep(60)"], ids=["ended", "deadline"])
async def test_a_daemon_that_cleared_its_environment_does_not_survive(bench: Bench, then: str) -> None:
    note = bench.note("pid")
    bench.program("meter", CLEARED.format(str(note)) + then)
    running = asyncio.create_task(bench.processes.run(["meter"], timeout=4, grace=0.2))
    pid = await pid_in(note)
    assert psutil.Process(pid).ppid() == os.getpid()
    await asyncio.wait([running])
    assert isinstance(running.exception(), TimedOut | None)
    assert not runs(pid)


@systems.orphans
async def test_an_orphan_that_may_be_another_programs_is_left_to_that(bench: Bench) -> None:
    note = bench.note("pid")
    bench.program("older", CLEARED.format(str(note)) + "print('ready', flush=True); sys.stdin.read()")
    bench.program("younger", "sys.stdin.read()")
    async with bench.processes.talk(["older"]) as older:
        assert await older.read_line(10) == "ready"
        pid = await pid_in(note)
        await bench.processes.run(["younger"], timeout=10)
        assert runs(pid)
    assert not runs(pid)


@systems.orphans
async def test_what_this_program_starts_for_itself_is_no_orphan(bench: Bench) -> None:
    bench.program("meter", "sys.stdin.read()")
    async with bench.processes.talk(["meter"]):
        with subprocess.Popen(["sleep", "60"], start_new_session=True) as own:  # such as a browser
            await bench.processes.run(["meter"], timeout=10)
            assert runs(own.pid)
            own.kill()


async def test_a_short_lived_orphan_leaves_no_zombie(bench: Bench) -> None:
    bench.program("meter", "if os.fork() == 0: os.setsid(); os.fork() or time.sleep(0.2); os._exit(0)\nos.wait()")
    await bench.processes.run(["meter"], timeout=10)


@pytest.mark.parametrize("leaving", ["pass", "os.setsid()"])
async def test_a_child_that_keeps_the_pipe_open_does_not_hang_us(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, leaving: str
) -> None:
    monkeypatch.setattr(child, "DRAIN", 0.2)
    note = bench.note("pid")
    bench.program("meter", STAYS.format(str(note), leaving) + "print('done'); sys.exit(4)")
    done = await bench.processes.run(["meter"], timeout=30)
    assert (done.exit_code, done.stdout) == (4, "done\n")
    assert not runs(await pid_in(note))


async def test_late_output_of_a_child_is_still_taken(bench: Bench) -> None:
    bench.program("meter", "if os.fork() == 0:\n    time.sleep(0.2)\n    print('late', flush=True)\n    os._exit(0)")
    assert (await bench.processes.run(["meter"], timeout=10)).stdout == "late\n"


# --- idle ------------------------------------------------------------------------------------------


async def test_silence_after_output_ends_it_normally(bench: Bench) -> None:
    bench.program("meter", "print('42 left', flush=True); time.sleep(60)")
    done = await bench.processes.run(["meter"], timeout=30, idle=0.3)
    assert (done.exit_code, done.stdout, done.idled) == (None, "42 left\n", True)


async def test_silence_before_output_is_no_idling(bench: Bench) -> None:
    bench.program("meter", "time.sleep(0.5); print('42 left')")
    done = await bench.processes.run(["meter"], timeout=30, idle=0.1)
    assert "42 left" in done.stdout


async def test_a_program_that_never_speaks_meets_its_deadline(bench: Bench) -> None:
    bench.program("meter", "time.sleep(60)")
    with pytest.raises(TimedOut):
        await bench.processes.run(["meter"], timeout=0.4, idle=0.1)


async def test_a_program_that_ends_in_time_is_not_idle(bench: Bench) -> None:
    bench.program("meter", "print('42 left')")
    done = await bench.processes.run(["meter"], timeout=30, idle=20)
    assert (done.exit_code, done.idled) == (0, False)


@pytest.mark.parametrize("pty", [None, (20, 80)])
async def test_the_first_output_is_told_once(bench: Bench, pty: tuple[int, int] | None) -> None:
    heard: list[str] = []
    bench.program("meter", "print('one', flush=True); time.sleep(0.2); print('two')")
    bench.program("silent", "pass")
    await bench.processes.run(["meter"], timeout=30, pty=pty, on_output=lambda: heard.append("meter"))
    await bench.processes.run(["silent"], timeout=30, pty=pty, on_output=lambda: heard.append("silent"))
    assert heard == ["meter"]


# --- cancelling ------------------------------------------------------------------------------------


@pytest.mark.parametrize("leaving", ["pass", "os.setsid()"])
async def test_cancelling_kills_the_whole_tree_without_grace(bench: Bench, table: None, leaving: str) -> None:
    note = bench.note("pid")
    deaf = "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    bench.program("meter", deaf + STAYS.format(str(note), leaving) + "time.sleep(60)")
    running = asyncio.create_task(bench.processes.run(["meter"], timeout=60, grace=60))
    pid = await pid_in(note)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert not runs(pid)


async def test_cancelling_while_it_starts_leaves_nothing(bench: Bench) -> None:
    bench.program("meter", "time.sleep(60)")
    running = asyncio.create_task(bench.processes.run(["meter"], timeout=60))
    await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


def test_the_end_of_the_event_loop_ends_the_programs(bench: Bench) -> None:
    note = bench.note("pid")
    bench.program("meter", STAYS.format(str(note), "pass") + "time.sleep(60)")
    kept: list[object] = []

    async def main() -> None:
        kept.append(asyncio.create_task(bench.processes.run(["meter"], timeout=60)))
        await pid_in(note)

    asyncio.run(main())
    assert not runs(int(note.read_text()))


@pytest.mark.parametrize("started", [True, False], ids=["running", "being started"])
def test_the_end_of_the_interpreter_ends_the_programs(bench: Bench, started: bool) -> None:
    note = bench.note("pid")
    bench.program("meter", STAYS.format(str(note), "pass") + "time.sleep(60)")
    script = f"""
import asyncio, os, sys
from quotaline_providers.hosts.processes import start
from quotaline_providers.hosts.processes.start import ChildProcesses
if not {started}:
    async def hanging(starting, child, mark):
        await starting
        await asyncio.sleep(60)
    start._wait_for_start = hanging
loop = asyncio.new_event_loop()
task = loop.create_task(ChildProcesses({bench.environ!r}).run(["meter"], timeout=60))
async def wait():
    while not (os.path.exists({str(note)!r}) and os.path.getsize({str(note)!r})):
        await asyncio.sleep(0.01)
loop.run_until_complete(wait())
"""
    source = os.pathsep.join(path for path in sys.path if path)
    environ = {**os.environ, "PYTHONPATH": source}
    subprocess.run([sys.executable, "-c", script], env=environ, timeout=30, capture_output=True, check=True)
    pid = int(note.read_text())
    until = time.monotonic() + 5
    while runs(pid) and time.monotonic() < until:
        time.sleep(0.01)
    assert not runs(pid)
    for orphan in psutil.Process().children():  # of that interpreter, whose programs fell to this one
        orphan.wait(5)


# --- conversations ---------------------------------------------------------------------------------


async def test_a_conversation_goes_line_by_line(bench: Bench) -> None:
    bench.program("meter", "for line in sys.stdin: print('got', line.strip(), end='\\r\\n', flush=True)")
    async with bench.processes.talk(["meter"]) as meter:
        await meter.write("one\n")
        assert await meter.read_line(10) == "got one"
        await meter.write("two\nthree\n")
        assert [await meter.read_line(10), await meter.read_line(10)] == ["got two", "got three"]


async def test_the_end_of_a_conversation_is_none(bench: Bench) -> None:
    bench.program("meter", "print('one'); print('no end of line', end='')")
    async with bench.processes.talk(["meter"]) as meter:
        assert await meter.read_line(10) == "one"
        assert await meter.read_line(10) == "no end of line"
        assert await meter.read_line(10) is None
        assert await meter.read(10) is None


async def test_reading_takes_whatever_came(bench: Bench) -> None:
    bench.program("meter", "print('4', end='', flush=True); sys.stdin.readline(); print('2', end='')")
    async with bench.processes.talk(["meter"]) as meter:
        assert await meter.read(10) == "4"
        await meter.write("\n")
        assert await meter.read(10) == "2"
        assert await meter.read(10) is None


async def test_a_silent_partner_times_out_and_can_be_asked_again(bench: Bench) -> None:
    bench.program("meter", "sys.stdin.readline(); print('at last')")
    async with bench.processes.talk(["meter"]) as meter:
        with pytest.raises(TimedOut):
            await meter.read_line(0.05)
        await meter.write("\n")
        assert await meter.read_line(10) == "at last"


async def test_a_long_line_comes_whole(bench: Bench) -> None:
    bench.program("meter", "print('x' * 1_000_000); print('next')")
    async with bench.processes.talk(["meter"]) as meter:
        assert len(await meter.read_line(10) or "") == 1_000_000
        assert await meter.read_line(10) == "next"


async def test_an_endless_line_is_refused(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "OUTPUT_LIMIT", 100_000)
    bench.program("meter", "while True: os.write(1, b'x' * 65536)")
    async with bench.processes.talk(["meter"]) as meter:
        with pytest.raises(BadResponse, match="endless line"):
            await meter.read_line(10)


async def test_unread_output_makes_the_program_wait_and_is_not_lost(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child, "OUTPUT_LIMIT", 100_000)
    bench.program("meter", "for _ in range(40): os.write(1, b'x' * 65536)\nsys.stdin.readline()")
    total = 0
    async with bench.processes.talk(["meter"]) as meter:
        while total < 40 * 65536:
            total += len(await meter.read(10) or "")
    assert total == 40 * 65536


async def write_on(meter: Conversation) -> None:
    while True:
        await meter.write("are you there\n")
        await asyncio.sleep(0.01)


async def test_writing_to_a_program_that_ended_is_told(bench: Bench) -> None:
    bench.program("meter", "print('bye')")
    async with bench.processes.talk(["meter"]) as meter:
        assert await meter.read_line(10) == "bye"
        assert await meter.read_line(10) is None
        with pytest.raises(Unavailable, match="has ended"):
            await write_on(meter)


async def test_errors_of_a_conversation_can_be_seen(bench: Bench) -> None:
    bench.program("meter", "print('not logged in', file=sys.stderr)")
    async with bench.processes.talk(["meter"]) as meter:
        assert await meter.read_line(10) is None
        assert meter.stderr == "not logged in\n"


async def test_leaving_a_conversation_ends_the_whole_tree(bench: Bench) -> None:
    note = bench.note("pid")
    bench.program("meter", STAYS.format(str(note), "os.setsid()") + "time.sleep(60)")
    async with bench.processes.talk(["meter"], grace=0.5):
        pid = await pid_in(note)
    assert not runs(pid)


async def test_an_error_inside_a_conversation_gets_out_after_the_whole_tree_ended(bench: Bench) -> None:
    note = bench.note("pid")
    bench.program("meter", STAYS.format(str(note), "pass") + "time.sleep(60)")

    async def misunderstand() -> None:
        async with bench.processes.talk(["meter"], grace=0.5):
            await pid_in(note)
            raise BadResponse("What it said makes no sense.")

    with pytest.raises(BadResponse, match="no sense"):
        await misunderstand()
    assert not runs(await pid_in(note))


# --- pseudo-terminals ------------------------------------------------------------------------------


async def test_a_terminal_has_the_size_asked_for(bench: Bench) -> None:
    bench.program("meter", "print(os.get_terminal_size(), [os.isatty(fd) for fd in (0, 1, 2)])")
    done = await bench.processes.run(["meter"], timeout=10, pty=(50, 160))
    assert done.stdout == "os.terminal_size(columns=160, lines=50) [True, True, True]\r\n"


async def test_a_terminal_is_the_controlling_one(bench: Bench) -> None:
    bench.program("meter", "open('/dev/tty', 'w').write('through the back door')")
    done = await bench.processes.run(["meter"], timeout=10, pty=(24, 80))
    assert (done.exit_code, done.stdout, done.stderr) == (0, "through the back door", "")


async def test_a_conversation_in_a_terminal(bench: Bench) -> None:
    bench.program("meter", "print('trust? ', end='', flush=True); print('you said', input())")
    async with bench.processes.talk(["meter"], pty=(24, 80)) as meter:
        assert await meter.read(10) == "trust? "
        await meter.write("y\r")
        heard = ""
        while (more := await meter.read(10)) is not None:
            heard += more
    assert "you said y" in heard


async def test_interrupting_in_a_terminal(bench: Bench) -> None:
    bench.program(
        "meter", "try: print('ready', flush=True); time.sleep(60)\nexcept KeyboardInterrupt: print('stopped')"
    )
    async with bench.processes.talk(["meter"], pty=(24, 80)) as meter:
        heard = await meter.read(10) or ""
        await meter.write("\x03")
        while (more := await meter.read(10)) is not None:
            heard += more
    assert "stopped" in heard


async def test_much_typing_does_not_block(bench: Bench) -> None:
    bench.program(
        "meter",
        "import tty; tty.setraw(0); os.write(1, b'ready')\n"
        "count = 0\nwhile count < 200_000: count += len(os.read(0, 65536))\nprint(count)",
    )
    async with bench.processes.talk(["meter"], pty=(24, 80)) as meter:
        assert await meter.read(10) == "ready"
        await meter.write("x" * 200_000)
        heard = ""
        while (more := await meter.read(20)) is not None:
            heard += more
    assert "200000" in heard


async def test_a_terminal_may_be_idle(bench: Bench) -> None:
    bench.program("meter", "print('42 left', flush=True); time.sleep(60)")
    done = await bench.processes.run(["meter"], timeout=30, idle=0.3, pty=(24, 80))
    assert (done.exit_code, done.stdout, done.idled) == (None, "42 left\r\n", True)


async def test_a_child_that_keeps_the_terminal_does_not_hang_us(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "DRAIN", 0.2)
    note = bench.note("pid")
    stays = STAYS.format(str(note), "signal.signal(signal.SIGHUP, signal.SIG_IGN); os.setsid()")
    bench.program("meter", stays + "print('done')")
    done = await bench.processes.run(["meter"], timeout=30, pty=(24, 80))
    assert (done.exit_code, done.stdout) == (0, "done\r\n")
    assert not runs(await pid_in(note))


async def test_no_descriptor_is_left_open(bench: Bench) -> None:
    bench.program("meter", "print('done')")
    await bench.processes.run(["meter"], timeout=10, pty=(24, 80))
    before = psutil.Process().num_fds()
    for _ in range(3):
        await bench.processes.run(["meter"], timeout=10, pty=(24, 80))
        await bench.processes.run(["meter"], timeout=10, input="")
        with pytest.raises(MissingProgram):
            await bench.processes.run(["meter"], timeout=10, pty=(24, 80), cwd=bench.folder / "none")
    assert psutil.Process().num_fds() == before


# --- process tables --------------------------------------------------------------------------------


def test_a_process_name_may_hold_anything() -> None:
    row = parse_stat(7, b"7 (a) b (c)) S 3 7 5 0 -1 4194304 0 0 0 0 0 0 0 0 20 0 1 0 9001 0 0")
    assert row is not None
    assert (row.parent, row.group, row.session, row.dead, row.born) == (3, 7, 5, False, 9001)


@systems.proc
def test_psutil_and_proc_tell_the_same(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.program("meter", "print('ready', flush=True); sys.stdin.read()")
    environ = {**bench.environ, tree.MARKER: "demo-mark"}
    pipe = subprocess.PIPE
    with subprocess.Popen([bench.bin / "meter"], stdin=pipe, stdout=pipe, env=environ, start_new_session=True) as meter:
        assert meter.stdout is not None
        meter.stdout.readline()
        seen = psutil_row(meter.pid, "demo-mark", 0)
        assert seen is not None
        assert (seen.parent, seen.group, seen.session) == (os.getpid(), meter.pid, meter.pid)
        assert (seen.dead, seen.marked) == (False, True)
        assert psutil_row(meter.pid, "demo-mark", seen.born + 1) == replace(seen, marked=False)
        assert psutil_row(meter.pid, "other-mark", 0) == replace(seen, marked=False)
    assert psutil_row(meter.pid, "demo-mark", 0) is None


def test_where_children_keep_the_id_of_a_parent_that_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    def row(pid: int, parent: int, born: float) -> tree.ProcessRow:
        return tree.ProcessRow(pid, parent, 0, 0, dead=False, born=born)

    rows = [row(21, 20, 5), row(22, 21, 6), row(30, 21, 4.5), row(31, 1, 9)]  # 30 is older than 21: its id was reused
    monkeypatch.setattr(tree, "_row", lambda pid: row(pid, 1, 4))
    monkeypatch.setattr(tree, "_table", lambda mark, born: rows)
    monkeypatch.setattr(sys, "platform", "win32")
    assert set(tree.ProcessTree(20, "demo-mark").running()) == {21, 22}
