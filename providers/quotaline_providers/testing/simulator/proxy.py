"""The simulator itself: a proxy on loopback that ends TLS for every simulated host and answers from its routes.

Use it in a process of its own or in another one's background thread; it needs no test framework.
"""

from __future__ import annotations

import asyncio
import base64
import json
import shutil
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import h11

from quotaline_providers.testing.simulator.certificates import Authority, Certificate
from quotaline_providers.testing.simulator.routes import Reply, Request, Vendor

_LOOPBACK = ("127.0.0.1", "localhost")
_CHUNK = 1 << 16


class Simulator:
    """A proxy for HTTPS (CONNECT) and plain HTTP, which itself also answers plain and TLS requests to loopback.

    `vendor("crof.ai")`, `vendor("https://my.example:8443")`, `vendor("http://192.168.1.5:4000")`,
    `vendor("http://127.0.0.1")` (plain, its `url` has the port), `vendor("https://127.0.0.1")` (TLS, self-signed).
    """

    def __init__(self) -> None:
        self.problems: list[str] = []
        self._login = ""
        self._round = 0
        self._vendors: dict[str, Vendor] = {}
        self._folder = Path(tempfile.mkdtemp(prefix="quotaline-simulator-"))
        self._authority = Authority(self._folder)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="vendor simulator", daemon=True)
        self._servers: list[asyncio.Server] = []
        self.port = 0
        self.tls_port = 0

    # --- set-up ------------------------------------------------------------------------------------

    def start(self) -> Self:
        """Listen, in a background thread."""
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)
        return self

    def stop(self) -> None:
        """End all connections and the thread."""
        asyncio.run_coroutine_threadsafe(self._hang_up(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def environ(self) -> dict[str, str]:
        """The variables that lead a program to the simulator. Start it without any other proxy variable."""
        proxy = f"http://127.0.0.1:{self.port}"
        return {
            "HTTPS_PROXY": proxy,
            "HTTP_PROXY": proxy,
            "SSL_CERT_FILE": str(self._authority.certificate_file),
        }

    def vendor(self, address: str) -> Vendor:
        """The simulated host with this name (HTTPS) or address; the same one each time."""
        parts = urlsplit(address if "://" in address else f"https://{address}")
        scheme, host, port = parts.scheme, parts.hostname or "", parts.port
        name = _name(scheme, host, port)
        if host in _LOOPBACK and port is None:
            url = f"{scheme}://{host}:{self.tls_port if scheme == 'https' else self.port}"
        else:
            url = name
        if name not in self._vendors:
            self._vendors[name] = Vendor(name, url)
        return self._vendors[name]

    def asks_for(self, user: str, password: str) -> None:
        """From now on the proxy lets nobody through without this login (HTTP 407)."""
        self._login = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()

    def reset(self) -> None:
        """Forget all vendors, routes, problems and the proxy's login. Connections made before are not listened to any
        more: a cancelled request may still be on its way."""
        self._round += 1
        self._vendors = {}
        self.problems = []
        self._login = ""

    def check(self) -> None:
        """Raises AssertionError when a request came that nobody expected."""
        problems, self.problems = self.problems, []
        if problems:
            raise AssertionError("the vendor simulator got requests nobody expected:\n" + "\n".join(problems))

    # --- connections -------------------------------------------------------------------------------

    async def _listen(self) -> None:
        own = self._authority.context("127.0.0.1", Certificate.UNTRUSTED)
        plain = await asyncio.start_server(self._on_plain, "127.0.0.1", 0, limit=1 << 24)
        secure = await asyncio.start_server(self._on_secure, "127.0.0.1", 0, limit=1 << 24, ssl=own)
        self._servers = [plain, secure]
        self.port, self.tls_port = (server.sockets[0].getsockname()[1] for server in self._servers)

    async def _hang_up(self) -> None:
        for server in self._servers:
            server.close()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _on_plain(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._serve(_Line(reader, writer), "http", None)

    async def _on_secure(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._serve(_Line(reader, writer), "https", None)

    async def _serve(self, line: _Line, scheme: str, name: str | None) -> None:
        begun = self._round
        try:
            while (request := await line.request()) is not None and begun == self._round:
                if not self._lets_through(request, name):
                    await line.send(Reply(407, (("Proxy-Authenticate", "Basic"),), b""), request)
                    return
                if request.method == "CONNECT":
                    name = await self._connect(line, request.target)
                    if name is None:
                        return
                    scheme = "https"
                elif not await line.send(self._answer(request, scheme, name), request):
                    return
        except (OSError, h11.ProtocolError, asyncio.CancelledError):
            pass  # the client went away, or the simulator is being stopped
        finally:
            with suppress(OSError, RuntimeError):
                line.writer.close()

    def _lets_through(self, request: Request, name: str | None) -> bool:
        asked = name is None and (request.method == "CONNECT" or "://" in request.target)
        return not asked or self._login in ("", request.headers.get("proxy-authorization"))

    async def _connect(self, line: _Line, target: str) -> str | None:
        host, _, port = target.rpartition(":")
        name = _name("https", host.strip("[]"), int(port))
        vendor = self._vendors.get(name)
        if vendor is not None:
            vendor.connections += 1
        else:
            self.problems.append(f"CONNECT {target}\n  no such vendor; the vendors are: {self._known()}")
        if vendor is None or vendor.refusing:
            line.writer.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await line.writer.drain()
            return None
        line.writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await line.secure(self._authority, host.strip("[]"), vendor.certificate)
        return name

    def _answer(self, request: Request, scheme: str, name: str | None) -> Reply:
        if name is None:
            parts = urlsplit(request.target)
            where = parts if parts.scheme else urlsplit(f"{scheme}://{request.headers.get('host', '')}")
            port = None if where.port in (self.port, self.tls_port) else where.port
            name = _name(scheme, where.hostname or "", port)
            path = request.target.partition(parts.netloc)[2] if parts.scheme else request.target
            request = Request(request.method, path or "/", request.headers, request.body)
        vendor = self._vendors.get(name)
        if vendor is None:
            self.problems.append(f"{request.method} {name}{request.target}\n  no such vendor: {self._known()}")
            return Reply(502, body=b"")
        reply, problem = vendor.answer(request)
        if problem is not None:
            self.problems.append(problem)
        return reply

    def _known(self) -> str:
        return ", ".join(self._vendors) or "none"


class _Line:
    """One connection, plain or secured."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self._left = b""

    async def secure(self, authority: Authority, host: str, kind: Certificate) -> None:
        """Go on in TLS, as the server."""
        await self.writer.start_tls(authority.context(host, kind))
        # Python 3.11 leaves the reader with the plain transport, which it would pause instead of the new one.
        self.reader._transport = self.writer.transport  # type: ignore[attr-defined]

    async def request(self) -> Request | None:
        """The next request; None when the client hung up."""
        parser = h11.Connection(h11.SERVER)
        head: h11.Request | None = None
        body = b""
        if self._left:
            parser.receive_data(self._left)
        while True:
            event = parser.next_event()
            if event is h11.NEED_DATA:
                parser.receive_data(await self.reader.read(_CHUNK))
            elif isinstance(event, h11.Request):
                head = event
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage) and head is not None:
                self._left = parser.trailing_data[0]
                headers: dict[str, str] = {}
                for name, value in head.headers:
                    key, text = name.decode("ascii"), value.decode("latin-1")
                    headers[key] = f"{headers[key]}, {text}" if key in headers else text
                return Request(head.method.decode("ascii"), head.target.decode("ascii"), headers, body)
            else:
                return None

    async def send(self, reply: Reply, request: Request) -> bool:
        """Send an answer. False when the connection must end with it."""
        if reply.delay:
            await asyncio.sleep(reply.delay)
        write = self.writer.write
        if reply.misbehaviour == "cut":
            write(reply.head(("Content-Length", "4096")) + b'{"cut": "')
        elif reply.misbehaviour == "drip":
            write(reply.head(("Content-Length", "4096")))
            for byte in b'{"drip": "' + b"." * 4086:
                write(bytes((byte,)))
                await self.writer.drain()
                await asyncio.sleep(1)
        elif reply.misbehaviour == "huge":
            write(reply.head(("Connection", "close")) + b'{"huge": "')
            for _ in range(9 * (1 << 20) // _CHUNK):
                write(b"." * _CHUNK)
                await self.writer.drain()
        else:
            body = b"%% neither JSON nor a page %%" if reply.misbehaviour == "garbage" else reply.body
            if reply.made is not None:
                body = json.dumps(reply.made(request)).encode()
            bodyless = request.method == "HEAD" or reply.status in (204, 304)
            framing = () if reply.status in (204, 304) else (("Content-Length", str(len(body))),)
            write(reply.head(*framing) + (b"" if bodyless else body))
        await self.writer.drain()
        return reply.misbehaviour in (None, "garbage")


def _name(scheme: str, host: str, port: int | None) -> str:
    usual = {"https": 443, "http": 80}.get(scheme)
    host = f"[{host}]" if ":" in host else host
    return f"{scheme}://{host}" + (f":{port}" if port and port != usual else "")
