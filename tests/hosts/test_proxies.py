"""Which proxy is asked, and what is said of one that does not work."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from quotaline_providers.errors import Misconfigured, Unavailable
from quotaline_providers.hosts.http.client import HttpClient
from quotaline_providers.hosts.http.proxies import Proxies, Proxy
from quotaline_providers.testing import Simulator, Vendor

HOST = "api.example.test"
URL = f"https://{HOST}/usage"
USED = Proxy("http://proxy:1", "HTTPS_PROXY")


@pytest.fixture
async def client_for(environ: dict[str, str]) -> AsyncIterator[Callable[..., HttpClient]]:
    opened: list[HttpClient] = []

    def make(**variables: str) -> HttpClient:
        opened.append(HttpClient({**environ, **variables}))
        return opened[-1]

    yield make
    for client in opened:
        await client.close()


@pytest.fixture
async def socks_server() -> AsyncIterator[list[bytes]]:
    """A SOCKS5 server that refuses every login; what clients said to it, its port first."""
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read(64))
        writer.write(b"\x05\x02")
        heard.append(await reader.read(256))
        writer.write(b"\x01\x01")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    heard.append(str(server.sockets[0].getsockname()[1]).encode())
    yield heard
    server.close()


@pytest.fixture
async def socks_relay(simulator: Simulator) -> AsyncIterator[str]:
    """The address of a SOCKS5 server behind which the simulator answers for every host."""

    async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1 << 16):
            writer.write(data)
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(64)
        writer.write(b"\x05\x00")
        await reader.read(256)
        writer.write(b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00")
        inner = await asyncio.open_connection("127.0.0.1", simulator.port)
        await asyncio.gather(pipe(reader, inner[1]), pipe(inner[0], writer), return_exceptions=True)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield f"socks5://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    server.close()


async def test_a_socks_proxy_is_asked(
    client_for: Callable[..., HttpClient], vendor: Callable[[str], Vendor], socks_relay: str
) -> None:
    vendor("http://192.168.7.7:4000").get("/usage").answers(left=1)
    client = client_for(HTTP_PROXY="", ALL_PROXY=socks_relay)
    assert (await client.send("GET", "http://192.168.7.7:4000/usage")).ok


def test_they_come_from_the_given_environment_in_any_case() -> None:
    assert Proxies.of({"https_proxy": "proxy:3128"}).choose(URL) == Proxy("http://proxy:3128", "https_proxy")
    assert Proxies.of({}).choose(URL) is None


def test_the_one_for_everything_is_called_by_its_own_name() -> None:
    found = Proxies.of({"ALL_PROXY": "socks5://proxy:1"})
    assert found.choose("http://192.168.1.1/") == found.choose(URL) == Proxy("socks5://proxy:1", "ALL_PROXY")


@pytest.mark.parametrize(
    ("value", "address", "login"),
    [
        ("http://me:pw@proxy:1", "http://proxy:1", ("me", "pw")),
        ("me:a#b@proxy:1/", "http://proxy:1", ("me", "a#b")),
        ("http://me:a@b/c?d:e%@proxy:1", "http://proxy:1", ("me", "a@b/c?d:e%")),
        ("http://me:a%23b%40c@proxy:1", "http://proxy:1", ("me", "a#b@c")),
        ("socks://me:pw@[::1]:1080", "socks5://[::1]:1080", ("me", "pw")),
        ("SOCKS5H://proxy", "socks5h://proxy", None),
    ],
)
def test_a_password_may_hold_any_character(value: str, address: str, login: tuple[str, str] | None) -> None:
    assert Proxies.of({"HTTPS_PROXY": value}).choose(URL) == Proxy(address, "HTTPS_PROXY", login)


@pytest.mark.parametrize("value", ["socks4://proxy:1", "gopher://proxy", "http://", "http://me:s3cret@", "http://p:x"])
def test_one_that_cannot_be_used_is_named_and_not_shown(value: str) -> None:
    with pytest.raises(Misconfigured, match="ALL_PROXY") as raised:
        Proxies.of({"ALL_PROXY": value}).choose(URL)
    assert "s3cret" not in f"{raised.value} {raised.value.hint}"


@pytest.mark.parametrize(
    "exceptions",
    [
        HOST,
        HOST.upper(),
        ".example.test",
        "example.test",
        "*.example.test",
        "api.*",
        "*",
        "other.test, api.example.test",
        "other.test api.example.test",
        f"{HOST}:443",
        "*.example.test:443",
    ],
)
def test_they_are_passed_by_for_excepted_hosts(exceptions: str) -> None:
    found = Proxies.of({"HTTPS_PROXY": "http://proxy:1", "NO_PROXY": exceptions})
    assert found.choose(URL) is None
    assert found.choose(f"https://{HOST}.:443/") is None
    assert found.choose("https://else.where/") == (None if exceptions == "*" else USED)


@pytest.mark.parametrize(
    "exceptions", [f"{HOST}:8443", "ample.test", "x.api.example.test", "api", "", " , ", f"{HOST}:²"]
)
def test_they_are_asked_for_all_others(exceptions: str) -> None:
    assert Proxies.of({"HTTPS_PROXY": "http://proxy:1", "NO_PROXY": exceptions}).choose(URL) == USED


@pytest.mark.parametrize("exceptions", ["10.0.0.0/8,nonsense/9", "10.1.2.3", "10.1.2.3:443", "10.*"])
def test_they_are_passed_by_for_excepted_addresses(exceptions: str) -> None:
    found = Proxies.of({"HTTPS_PROXY": "http://proxy:1", "NO_PROXY": exceptions})
    assert found.choose("https://10.1.2.3/") is None
    assert found.choose("https://192.168.1.1/") == USED


def test_they_are_passed_by_for_excepted_new_addresses() -> None:
    found = Proxies.of({"HTTPS_PROXY": "http://proxy:1", "NO_PROXY": "[fd00::1]:443,fd01::/16,fd02::1"})
    for host in ("fd00::1", "fd01::7", "fd02::1"):
        assert found.choose(f"https://[{host}]/") is None
    assert found.choose("https://[fd00::2]/") == USED


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.9.9.9", "[::1]"])
def test_they_are_never_asked_for_loopback(host: str) -> None:
    assert Proxies.of({"HTTP_PROXY": "http://proxy:1"}).choose(f"http://{host}:80/") is None


def test_they_do_not_show_their_password() -> None:
    found = Proxies.of({"HTTPS_PROXY": "http://me:secret@proxy:1"})
    assert "secret" not in f"{found!r} {found.choose(URL)!r}"


class TestOneThatAsksForALogin:
    async def test_is_told_by_the_setting_that_names_it(
        self, client_for: Callable[..., HttpClient], simulator: Simulator
    ) -> None:
        simulator.asks_for("me", "a#b/@")
        with pytest.raises(Unavailable, match="HTTPS_PROXY asks for a user name and password") as raised:
            await client_for().send("GET", URL)
        assert "HTTPS_PROXY to the proxy's address, with user:password@" in raised.value.hint

    async def test_and_refuses_the_given_one_is_told_without_it(
        self, client_for: Callable[..., HttpClient], simulator: Simulator
    ) -> None:
        simulator.asks_for("me", "right")
        proxy = f"http://me:wrong-word@127.0.0.1:{simulator.port}"
        with pytest.raises(Unavailable, match="ALL_PROXY refused the user name and password") as raised:
            await client_for(HTTPS_PROXY="", ALL_PROXY=proxy).send("GET", URL)
        assert "wrong-word" not in f"{raised.value} {raised.value.hint}"

    async def test_lets_the_right_one_through(
        self, client_for: Callable[..., HttpClient], simulator: Simulator, vendor: Callable[[str], Vendor]
    ) -> None:
        simulator.asks_for("me", "a#b/@")
        vendor(HOST).get("/usage").answers(left=1)
        proxy = f"http://me:a#b/@@127.0.0.1:{simulator.port}"
        assert (await client_for(HTTPS_PROXY=proxy).send("GET", URL)).ok

    async def test_is_told_for_plain_requests_too(
        self, client_for: Callable[..., HttpClient], simulator: Simulator
    ) -> None:
        simulator.asks_for("me", "right")
        client = client_for()
        answer = await client.send("GET", "http://192.168.7.7:4000/usage")
        with pytest.raises(Unavailable, match="asks for a user name and password"):
            client.check(answer)

    async def test_over_socks_is_told_the_same_way(
        self, client_for: Callable[..., HttpClient], socks_server: list[bytes]
    ) -> None:
        proxy = f"socks5h://me:wrong@127.0.0.1:{socks_server[0].decode()}"
        with pytest.raises(Unavailable, match="ALL_PROXY refused the user name and password"):
            await client_for(HTTPS_PROXY="", ALL_PROXY=proxy).send("GET", URL)
        assert socks_server[2] == b"\x01\x02me\x05wrong"
