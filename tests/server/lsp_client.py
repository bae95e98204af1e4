"""An editor for tests: a desk of one user (home, folders, programs) where real sidecars and commands are started, and a
typed LSP client that speaks with a sidecar over its standard input and output."""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

Params = dict[str, Any]
Message = dict[str, Any]

OURS: Params = {"experimental": {"quotaline": {"usage": True}}}
"""The capabilities of a client that knows `quotaline/didChangeUsage`."""
PLAIN: Params = {"window": {"workDoneProgress": True}}
"""Those of any LSP client that shows progress."""
FULL: Params = {**OURS, "window": {"workDoneProgress": True, "showDocument": {"support": True}}}
"""Those of a client that can do all that the server makes use of."""

USAGE = "quotaline/didChangeUsage"
START_SECONDS = 20.0
ANSWER_SECONDS = 10.0


class Refused(Exception):
    """The server answered a request with an error."""

    def __init__(self, code: int, message: str, data: object) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.data = data


class Client:
    """One editor's end of one sidecar. `stdout` and `stderr` are all bytes that came, `messages` all of them in order.

    What the server asks of the editor is answered at once, except the methods in `deaf_to`.
    """

    def __init__(self, process: subprocess.Popen[bytes], deaf_to: Sequence[str] = ()) -> None:
        assert process.stdin is not None
        self.process = process
        self.stdout = bytearray()
        self.stderr = bytearray()
        self.messages: list[Message] = []
        self.noise = bytearray()
        self._stdin = process.stdin
        self._deaf_to = frozenset(deaf_to)
        self._ids = itertools.count(1)
        self._came = threading.Condition()
        self._seen: dict[str, int] = {}
        self._writing = threading.Lock()
        self._threads = [
            threading.Thread(target=target, name=f"client {name}", daemon=True)
            for name, target in (("stdout", self._read_messages), ("stderr", self._read_errors))
        ]
        for thread in self._threads:
            thread.start()

    # --- speaking ---

    def initialize(self, capabilities: Params | None = None, options: object = None, pid: int | None = None) -> Params:
        """`initialize` and `initialized`; returns what the server can do.

        Unless the options say otherwise no status page is read, so that simulated vendors need none.
        """
        if options is None or isinstance(options, dict):
            options = {"checkStatus": False, **(options or {})}
        params: Params = {
            "processId": pid,
            "rootUri": None,
            "capabilities": OURS if capabilities is None else capabilities,
            "clientInfo": {"name": "test editor"},
        }
        if options is not None:
            params["initializationOptions"] = options
        result = self.request("initialize", params, START_SECONDS)
        self.notify("initialized", {})
        assert isinstance(result, dict)
        return result

    def notify(self, method: str, params: object = None) -> None:
        """Send a notification."""
        self.send({"jsonrpc": "2.0", "method": method, **({} if params is None else {"params": params})})

    def ask(self, method: str, params: object = None) -> int:
        """Send a request; its answer is had with `answer`."""
        id = next(self._ids)
        self.send({"jsonrpc": "2.0", "id": id, "method": method, **({} if params is None else {"params": params})})
        return id

    def request(self, method: str, params: object = None, timeout: float = ANSWER_SECONDS) -> Any:
        """Send a request and return the result. Raises Refused."""
        return self.answer(self.ask(method, params), timeout)

    def command(self, name: str, *arguments: object, timeout: float = ANSWER_SECONDS) -> Any:
        """Carry out a command of the server. Raises Refused."""
        return self.request("workspace/executeCommand", {"command": name, "arguments": list(arguments)}, timeout)

    def send(self, message: object) -> None:
        """Send any JSON value in a right frame."""
        body = json.dumps(message).encode()
        self.send_bytes(b"Content-Length: %d\r\n\r\n" % len(body) + body)

    def send_bytes(self, data: bytes) -> None:
        """Send any bytes."""
        with self._writing:
            self._stdin.write(data)
            self._stdin.flush()

    def hang_up(self) -> None:
        """Close the server's standard input."""
        self._stdin.close()

    # --- listening ---

    def answer(self, id: int, timeout: float = ANSWER_SECONDS) -> Any:
        """The result of a request sent before. Raises Refused."""
        found = self._wait(
            lambda: next((m for m in self.messages if m.get("id") == id and "method" not in m), None),
            timeout,
            f"the answer to request {id}",
        )
        if "error" in found:
            error = found["error"]
            raise Refused(error["code"], error["message"], error.get("data"))
        return found.get("result")

    def wait_for(
        self, method: str, fits: Callable[[Params], bool] = lambda params: True, timeout: float = ANSWER_SECONDS
    ) -> Params:
        """The next notification or request of this method that fits, after the one last waited for."""

        def next_one() -> Params | None:
            for number in range(self._seen.get(method, 0), len(self.messages)):
                message = self.messages[number]
                if message.get("method") == method and fits(message.get("params") or {}):
                    self._seen[method] = number + 1
                    return message.get("params") or {}
            return None

        return self._wait(next_one, timeout, f"a fitting {method}")

    def usage(self, fits: Callable[[Params], bool] = lambda params: True, timeout: float = ANSWER_SECONDS) -> Params:
        """The next `quotaline/didChangeUsage` that fits."""
        return self.wait_for(USAGE, fits, timeout)

    def of(self, method: str) -> list[Params]:
        """The parameters of all notifications and requests of this method so far."""
        with self._came:
            return [message.get("params") or {} for message in self.messages if message.get("method") == method]

    @property
    def output(self) -> str:
        """Everything that came, on both streams."""
        return bytes(self.stdout + self.stderr).decode("utf-8", "replace")

    def _wait(self, look: Callable[[], Message | None], timeout: float, what: str) -> Message:
        end = time.monotonic() + timeout
        with self._came:
            while (found := look()) is None:
                left = end - time.monotonic()
                self._came.wait(max(0, min(left, 0.5)))
                if left <= 0 or not self._threads[0].is_alive():
                    if (found := look()) is not None:
                        return found
                    methods = [m.get("method", f"answer {m.get('id')}") for m in self.messages]
                    raise TimeoutError(f"{what} did not come; came: {methods}; {self.stderr.decode()[-2000:]}")
            return found

    # --- the end ---

    def shut_down(self, timeout: float = 5) -> int:
        """`shutdown` and `exit` as an editor does; returns the exit code."""
        self.request("shutdown", None, timeout)
        self.notify("exit")
        return self.exit_code(timeout)

    def exit_code(self, timeout: float = 5) -> int:
        """Wait for the sidecar's end and for all that it has written. Raises TimeoutExpired."""
        code = self.process.wait(timeout)
        for thread in self._threads:
            thread.join(timeout)
        return code

    def kill(self) -> None:
        """End the sidecar, whatever it does."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)
        for thread in self._threads:
            thread.join(5)
        for stream in (self._stdin, self.process.stdout, self.process.stderr):
            if stream is not None:
                try:
                    stream.close()
                except OSError:
                    continue

    # --- the threads ---

    def _read_messages(self) -> None:
        stream = self.process.stdout
        assert stream is not None
        length = 0
        while line := stream.readline():
            self.stdout += line
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
            elif not line.strip() and length:
                body = stream.read(length)
                self.stdout += body
                length = 0
                self._take(json.loads(body))
            elif name.lower() != b"content-type":
                self.noise += line

    def _take(self, message: Message) -> None:
        method = message.get("method")
        if "id" in message and method is not None and method not in self._deaf_to:
            result = {"success": True} if method == "window/showDocument" else None
            with contextlib.suppress(OSError, ValueError):  # the server is gone
                self.send({"jsonrpc": "2.0", "id": message["id"], "result": result})
        with self._came:
            self.messages.append(message)
            self._came.notify_all()

    def _read_errors(self) -> None:
        stream = self.process.stderr
        assert stream is not None
        while data := stream.readline():
            self.stderr += data


@dataclass
class Desk:
    """One user's machine: environment, home and folders. What is started here ends with the desk."""

    environ: Mapping[str, str]
    home: Path
    clients: list[Client] = field(default_factory=list)

    @property
    def config(self) -> Path:
        return self.home / ".config/quotaline/config.json"

    @property
    def variables(self) -> dict[str, str]:
        """The environment of every program of this user."""
        folders = {
            "XDG_CONFIG_HOME": ".config",
            "XDG_CACHE_HOME": ".cache",
            "XDG_DATA_HOME": ".local/share",
            "XDG_STATE_HOME": ".local/state",
        }
        own = {name: str(self.home / folder) for name, folder in folders.items()}
        return {**own, "PYTHONUTF8": "1", **self.environ}

    def write(self, path: str, content: object) -> Path:
        """A file of the user's, below home: a text as it is, anything else as JSON. Readable by the user alone."""
        file = self.home / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        file.chmod(0o600)
        return file

    def write_config(self, *providers: Params, **more: Any) -> Path:
        """The config file with these providers."""
        return self.write(".config/quotaline/config.json", {"version": 1, "providers": list(providers), **more})

    def spawn(self, *, deaf_to: Sequence[str] = (), **environ: str) -> Client:
        """Start a sidecar."""
        process = subprocess.Popen(
            [sys.executable, "-m", "quotaline", "serve"],
            env={**self.variables, **environ},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=self.home,
        )
        client = Client(process, deaf_to)
        self.clients.append(client)
        return client

    def open(self, capabilities: Params | None = None, options: object = None, **environ: str) -> Client:
        """Start a sidecar and bring it to `initialized`."""
        client = self.spawn(**environ)
        client.initialize(capabilities, options)
        return client

    def run(self, *words: str, stdin: str = "", umask: int = -1, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run a `quotaline` command to its end, with the tests' umask or another one."""
        return subprocess.run(
            [sys.executable, "-m", "quotaline", *words],
            env={**self.variables, **environ},
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            cwd=self.home,
            umask=umask,
            timeout=60,
            check=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for client in self.clients:
            client.kill()


def spellings(secret: str) -> tuple[bytes, ...]:
    """A secret as it may stand in bytes: plain, URL-encoded, and inside base64 whatever stands before it."""
    data = secret.encode()
    plain = (data, quote(secret, safe="").encode())
    shifted = (base64.b64encode(b"\0" * offset + data)[(0, 2, 3)[offset] :].rstrip(b"=")[:-1] for offset in range(3))
    return (*plain, *shifted)
