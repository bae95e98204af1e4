"""Child programs: found without a shell, run in their own process group with a deadline, ended with all descendants.

Nothing a provider starts outlives its read, blocks the event loop, fills the memory or sees other providers' secrets.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import subprocess
import sys
import weakref
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from quotaline_providers.contract import Conversation, Finished
from quotaline_providers.errors import MissingProgram, ReadError, TimedOut, Unavailable
from quotaline_providers.hosts.privacy import users_umask
from quotaline_providers.hosts.processes.child import Capture, Child, ChildConversation, LiveCapture
from quotaline_providers.hosts.processes.environment import child_environment
from quotaline_providers.hosts.processes.orphans import adopt
from quotaline_providers.hosts.processes.terminal import HAS_PTY, Terminal, take_terminal
from quotaline_providers.hosts.processes.tree import MARKER, ProcessTree, kill_groups, new_mark, starting
from quotaline_providers.parsing.payload import clean

_PATHEXT = ".COM;.EXE;.BAT;.CMD"
_TEMPORARY = frozenset({errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE})


# --- the facility ----------------------------------------------------------------------------------


def executable(path: Path, extensions: Sequence[str] = ("",)) -> Path | None:
    """The path, with one of these extensions, if it is a file that may be executed."""
    for extension in extensions:
        candidate = path.with_name(path.name + extension)
        with contextlib.suppress(OSError, ValueError):
            if candidate.is_file() and os.access(candidate, os.X_OK):
                return candidate.absolute()
    return None


# --- the facility ----------------------------------------------------------------------------------


class ChildProcesses:
    """Starts programs in the given environment: the `Processes` of the contract."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._running: dict[int, ProcessTree] = {}
        weakref.finalize(self, kill_groups, self._running)  # also when the interpreter ends with programs still running

    @property
    def has_pty(self) -> bool:
        """Whether this system has pseudo-terminals."""
        return HAS_PTY

    def find(self, name: str, *, env: str | None = None, places: Sequence[Path] = ()) -> Path | None:
        """The program: the executable an environment variable names, else on PATH, else in one of the places.

        Relative folders on PATH do not count: the current folder may be anybody's repository.
        """
        named = clean(self._environ.get(env)) if env else None
        if named and (found := self._named(named)):
            return found
        return self._on_path(name) or next((hit for place in places if (hit := self._executable(place))), None)

    async def run(
        self,
        argv: Sequence[str | Path],
        *,
        timeout: float,
        env: Mapping[str, str | None] | None = None,
        cwd: Path | None = None,
        input: str | None = None,
        idle: float | None = None,
        pty: tuple[int, int] | None = None,
        grace: float = 1.0,
        on_output: Callable[[], None] | None = None,
    ) -> Finished:
        """Run to the end. Raises MissingProgram when it cannot be started, TimedOut once its process tree is gone."""
        output = Capture()
        async with self._started(argv, output, env, cwd, pty, grace, piped=input is not None) as child:
            if on_output is not None:
                child.tell_of_output(on_output)
            if input is not None:
                child.write(input)
                child.close_input()
            try:
                async with asyncio.timeout(timeout):
                    idled = await child.ends(idle)
            except TimeoutError:
                raise TimedOut(f"The program `{child.name}` did not finish within {timeout:g} seconds.") from None
            return Finished(None if idled else child.exit_code, output.text, child.errors.text, idled)

    @asynccontextmanager
    async def talk(
        self,
        argv: Sequence[str | Path],
        *,
        env: Mapping[str, str | None] | None = None,
        cwd: Path | None = None,
        pty: tuple[int, int] | None = None,
        grace: float = 1.0,
    ) -> AsyncIterator[Conversation]:
        """Start it and talk to it; leaving ends its process tree. Raises MissingProgram when it cannot be started."""
        output = LiveCapture()
        async with self._started(argv, output, env, cwd, pty, grace, piped=True) as child:
            yield ChildConversation(child, output)

    @asynccontextmanager
    async def _started(
        self,
        argv: Sequence[str | Path],
        output: Capture,
        env: Mapping[str, str | None] | None,
        cwd: Path | None,
        pty: tuple[int, int] | None,
        grace: float,
        *,
        piped: bool,
    ) -> AsyncIterator[Child]:
        child = await self._start(argv, output, env, cwd, pty, piped=piped)
        self._running[child.tree.pid] = child.tree
        try:
            try:
                yield child
            except Exception:
                await child.stop(grace)
                raise
            await child.stop(grace)
        finally:  # the only step when we are cancelled: no grace then
            child.kill()
            try:
                await child.reap()
            finally:
                self._running.pop(child.tree.pid, None)

    async def _start(
        self,
        argv: Sequence[str | Path],
        output: Capture,
        env: Mapping[str, str | None] | None,
        cwd: Path | None,
        pty: tuple[int, int] | None,
        *,
        piped: bool,
    ) -> Child:
        program = self._resolve(argv[0])
        mark = new_mark()
        adopt()
        terminal = Terminal(pty) if pty else None
        child = Child(program.stem if sys.platform == "win32" else program.name, output, terminal)
        side = terminal.program_side if terminal else None
        starting.add(mark)
        try:
            start = asyncio.get_running_loop().subprocess_exec(
                lambda: child,
                str(program),
                *(str(word) for word in argv[1:]),
                stdin=side if side is not None else subprocess.PIPE if piped else subprocess.DEVNULL,
                stdout=side if side is not None else subprocess.PIPE,
                stderr=side if side is not None else subprocess.PIPE,
                env={**child_environment(self._environ, env), MARKER: mark},
                cwd=str(cwd) if cwd else None,
                umask=users_umask(),
                preexec_fn=take_terminal if terminal else None,
                start_new_session=sys.platform != "win32",
                creationflags=_creation_flags(),
            )
            await _wait_for_start(start, child, mark)
        except BaseException as raised:
            if terminal:
                terminal.close()
            if isinstance(raised, OSError | ValueError | subprocess.SubprocessError):
                raise _not_started(raised, program, cwd) from None
            raise
        finally:
            starting.discard(mark)
        if terminal:
            terminal.release()
        return child

    # where programs are

    def _resolve(self, program: str | Path) -> Path:
        path = Path(program)
        bare = isinstance(program, str) and path.name == program
        found = self._on_path(path.name) if bare else self._executable(path)
        if found is not None:
            return found
        if path.is_file():
            raise MissingProgram(f"The file `{path.name}` is not executable.", "Make it executable.")
        raise MissingProgram(f"The program `{path.name}` was not found.")

    def _named(self, value: str) -> Path | None:
        if Path(value).name == value:
            return self._on_path(value)
        return self._executable(self._expand(value))

    def _expand(self, value: str) -> Path:
        home = self._environ.get("USERPROFILE" if sys.platform == "win32" else "HOME")
        return Path(home) / value[2:] if home and value.startswith(("~/", "~\\")) else Path(value)

    def _on_path(self, name: str) -> Path | None:
        folders = (Path(folder) for folder in self._environ.get("PATH", os.defpath).split(os.pathsep))
        hits = (self._executable(folder / name) for folder in folders if folder.is_absolute())
        return next((hit for hit in hits if hit is not None), None)

    def _executable(self, path: Path) -> Path | None:
        if sys.platform != "win32":
            return executable(path)
        extensions = (self._environ.get("PATHEXT") or _PATHEXT).split(";")
        own = path.suffix.upper() in (extension.upper() for extension in extensions)
        return executable(path, ("",) if own else tuple(extensions))


async def _wait_for_start(start: Coroutine[object, object, object], child: Child, mark: str) -> None:
    """Wait for the start. When we are cancelled meanwhile, the program is ended as soon as it is known."""
    task = asyncio.ensure_future(start)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        if not task.cancelled() and task.exception() is None:
            child.attach(mark)
            child.kill()
            await child.reap()
        raise
    child.attach(mark)


def _creation_flags() -> int:
    if sys.platform == "win32":
        return subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
    return 0


def _not_started(raised: Exception, program: Path, cwd: Path | None) -> ReadError:
    number = raised.errno if isinstance(raised, OSError) else None
    if number in _TEMPORARY:
        return Unavailable(f"The program `{program.name}` could not be started: the system is out of resources.")
    if cwd is not None and not cwd.is_dir():
        return MissingProgram(f"The folder in which `{program.name}` should run does not exist.")
    if number == errno.ENOEXEC:
        return MissingProgram(f"The file `{program.name}` is not a program that this system can run.")
    if number == errno.ENOENT:
        return MissingProgram(f"The program `{program.name}` needs an interpreter that is not installed.")
    return MissingProgram(f"The program `{program.name}` could not be started.")
