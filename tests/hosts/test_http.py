"""The only way to the network, through real TLS and the simulator's proxy."""

from __future__ import annotations

import gzip
import socket
import zlib
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from quotaline_providers.contract import Response
from quotaline_providers.errors import (
    BadResponse,
    ExpiredCredential,
    Forbidden,
    Misconfigured,
    RateLimited,
    ReadError,
    TimedOut,
    Unavailable,
)
from quotaline_providers.hosts.http.body import MAX_BODY
from quotaline_providers.hosts.http.client import HttpClient
from quotaline_providers.parsing.payload import Payload
from quotaline_providers.secret import Secret
from quotaline_providers.testing import Clock, Vendor

VendorOf = Callable[[str], Vendor]
Client = Callable[..., HttpClient]

URL = "https://api.example.test/usage"
HOST = "api.example.test"
KEY = Secret("demo-token-not-to-be-shown")


class Amount(Payload):
    left: int
    note: str | None = None


@pytest.fixture
async def client_for(environ: dict[str, str], clock: Clock) -> AsyncIterator[Client]:
    opened: list[HttpClient] = []

    def make(**variables: str) -> HttpClient:
        opened.append(HttpClient({**environ, **variables}, version="9.8", clock=clock))
        return opened[-1]

    yield make
    for client in opened:
        await client.close()


@pytest.fixture
def client(client_for: Client) -> HttpClient:
    return client_for()


@pytest.fixture
def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
    return port


class TestAnAnswerThatIsGood:
    async def test_becomes_the_payload(self, client: HttpClient, vendor: VendorOf) -> None:
        vendor(HOST).get("/usage", bearer="k", headers={"user-agent": "quotaline/9.8"}).answers(left=3)
        assert (await client.get(URL, Amount, bearer=Secret("k"))).left == 3

    async def test_keeps_its_status_and_lower_case_headers(self, client: HttpClient, vendor: VendorOf) -> None:
        vendor(HOST).get("/usage").answers_json({}, 404, {"X-Trace": "t"})
        response = await client.send("GET", URL)
        assert (response.status, response.headers["x-trace"], response.ok) == (404, "t", False)

    async def test_to_a_form_with_a_secret(self, client: HttpClient, vendor: VendorOf) -> None:
        vendor(HOST).post("/token", form={"a": "b c&d", "refresh": "k"}).answers(left=1)
        form: dict[str, str | Secret] = {"a": "b c&d", "refresh": Secret("k")}
        assert (await client.post(f"https://{HOST}/token", Amount, form=form)).left == 1

    async def test_to_a_json_body(self, client: HttpClient, vendor: VendorOf) -> None:
        vendor(HOST).post("/q", json={"é": [1]}, headers={"content-type": "application/json"}).answers(left=1)
        assert (await client.post(f"https://{HOST}/q", Amount, json={"é": [1]})).left == 1

    async def test_to_raw_bytes(self, client: HttpClient, vendor: VendorOf) -> None:
        vendor(HOST).post("/q", body=b"\0\xff").answers(left=1)
        response = await client.send("POST", f"https://{HOST}/q", content=b"\0\xff")
        assert response.ok

    async def test_to_a_query_beside_the_one_in_the_address(self, client: HttpClient, vendor: VendorOf) -> None:
        vendor(HOST).get("/q?a=1&b=x y").answers(left=1)
        assert (await client.get(f"https://{HOST}/q?a=1", Amount, params={"b": "x y"})).left == 1

    async def test_to_a_user_agent_of_the_providers_choice(self, client: HttpClient, vendor: VendorOf) -> None:
        vendor(HOST).get("/usage", headers={"user-agent": "other/1"}).answers(left=1)
        assert (await client.get(URL, Amount, headers={"User-Agent": "other/1"})).left == 1

    async def test_with_a_byte_order_mark(self, client: HttpClient, vendor: VendorOf) -> None:
        vendor(HOST).get("/usage").answers_text('\ufeff{"left": 5}')
        assert (await client.get(URL, Amount)).left == 5

    async def test_from_a_server_on_this_machine_over_plain_http(self, client: HttpClient, vendor: VendorOf) -> None:
        local = vendor("http://127.0.0.1")
        local.get("/usage").answers(left=2)
        assert (await client.get(f"{local.url}/usage", Amount)).left == 2

    async def test_from_a_private_network_over_plain_http(self, client: HttpClient, vendor: VendorOf) -> None:
        vendor("http://192.168.7.7:4000").get("/usage").answers(left=2)
        assert (await client.get("http://192.168.7.7:4000/usage", Amount)).left == 2

    async def test_from_a_self_signed_server_on_this_machine(self, client: HttpClient, vendor: VendorOf) -> None:
        local = vendor("https://127.0.0.1")
        local.get("/usage").answers(left=2)
        assert (await client.send("GET", f"{local.url}/usage", self_signed=True)).ok
        with pytest.raises(Unavailable, match="not trusted"):
            await client.send("GET", f"{local.url}/usage")


class TestCookies:
    async def test_are_shown_to_the_provider_but_not_kept(self, client: HttpClient, vendor: VendorOf) -> None:
        vendor(HOST).get("/usage", headers={"cookie": None}).answers_json({}, headers={"Set-Cookie": "s=1; Path=/"})
        first = await client.send("GET", URL)
        assert first.set_cookies == ("s=1; Path=/",)
        assert (await client.send("GET", URL)).ok

    async def test_given_are_sent(self, client: HttpClient, vendor: VendorOf) -> None:
        vendor(HOST).get("/usage", cookie="a=1; b=2").answers(left=1)
        assert (await client.get(URL, Amount, cookie=Secret("a=1; b=2"))).left == 1


class TestRedirects:
    async def test_inside_the_origin_are_followed_with_the_credential(
        self, client: HttpClient, vendor: VendorOf
    ) -> None:
        vendor(HOST).get("/usage").redirects("/new?x=1")
        vendor(HOST).get("/new?x=1", bearer="k").answers(left=7)
        assert (await client.get(URL, Amount, bearer=Secret("k"))).left == 7

    @pytest.mark.parametrize(
        "target",
        [
            "https://elsewhere.test/",
            "http://api.example.test/",
            "https://api.example.test:444/",
            "//elsewhere.test/",
            "https://user@api.example.test/",
            "https://[broken",
        ],
    )
    async def test_to_another_origin_are_the_answer(self, client: HttpClient, vendor: VendorOf, target: str) -> None:
        elsewhere = vendor("elsewhere.test")
        vendor(HOST).get("/usage").redirects(target)
        response = await client.send("GET", URL, bearer=KEY)
        assert (response.status, elsewhere.count, elsewhere.connections) == (302, 0, 0)
        with pytest.raises(BadResponse, match="redirected"):
            client.check(response)

    async def test_of_plain_http_are_not_followed(self, client: HttpClient, vendor: VendorOf) -> None:
        local = vendor("http://127.0.0.1")
        local.get("/usage").redirects("/other")
        assert (await client.send("GET", f"{local.url}/usage")).status == 302

    @pytest.mark.parametrize("status", [301, 302, 303])
    async def test_of_a_post_become_a_get_without_body(self, client: HttpClient, vendor: VendorOf, status: int) -> None:
        vendor(HOST).post("/usage").redirects("/new", status)
        vendor(HOST).get("/new", body=b"", headers={"content-type": None}).answers(left=1)
        assert (await client.post(URL, Amount, json={"a": 1})).left == 1

    @pytest.mark.parametrize("status", [307, 308])
    async def test_may_keep_method_and_body(self, client: HttpClient, vendor: VendorOf, status: int) -> None:
        vendor(HOST).post("/usage").redirects("/new", status)
        vendor(HOST).post("/new", json={"a": 1}).answers(left=1)
        assert (await client.post(URL, Amount, json={"a": 1})).left == 1

    async def test_end_after_five(self, client: HttpClient, vendor: VendorOf) -> None:
        route = vendor(HOST).get("/usage").redirects("/usage")
        with pytest.raises(BadResponse, match="too many times"):
            await client.send("GET", URL)
        assert route.count == 6


class TestAnErrorStatus:
    @pytest.mark.parametrize(
        ("status", "error"),
        [
            (400, BadResponse),
            (401, ExpiredCredential),
            (403, Forbidden),
            (404, BadResponse),
            (429, RateLimited),
            (500, Unavailable),
            (502, Unavailable),
            (503, Unavailable),
            (599, Unavailable),
        ],
    )
    async def test_has_its_kind(
        self, client: HttpClient, vendor: VendorOf, status: int, error: type[ReadError]
    ) -> None:
        vendor(HOST).get("/usage").fails(status)
        with pytest.raises(error, match=rf"{HOST}.*HTTP {status}"):
            await client.get(URL, Amount)

    @pytest.mark.parametrize(
        ("value", "seconds"),
        [
            ("30", 30),
            ("1.5", 1.5),
            ("Wed, 02 Jan 2030 12:01:00 GMT", 60),
            ("Wed, 02 Jan 2030 12:01:00 -0000", 60),
            ("Wed, 02 Jan 2030 11:59:00 GMT", None),
            ("0", None),
            ("-5", None),
            ("soon", None),
            ("nan", None),
            ("1e300", None),
            ("", None),
        ],
    )
    async def test_says_when_to_ask_again(
        self, client: HttpClient, vendor: VendorOf, clock: Clock, value: str, seconds: float | None
    ) -> None:
        vendor(HOST).get("/usage").fails(429, headers={"Retry-After": value})
        with pytest.raises(RateLimited) as raised:
            await client.get(URL, Amount)
        assert raised.value.until == (None if seconds is None else clock.now + timedelta(seconds=seconds))

    async def test_without_retry_after_has_no_time(self, client: HttpClient, vendor: VendorOf) -> None:
        vendor(HOST).get("/usage").fails(429)
        with pytest.raises(RateLimited) as raised:
            await client.get(URL, Amount)
        assert raised.value.until is None

    def test_reads_the_time_with_the_machines_clock(self) -> None:
        client = HttpClient({}, clock=lambda: datetime(2031, 5, 5, tzinfo=UTC))
        answer = Response(429, {"retry-after": "60"}, b"", URL)
        assert client.retry_after(answer) == datetime(2031, 5, 5, 0, 1, tzinfo=UTC)


class TestABodyThatCannotBeUnderstood:
    @pytest.mark.parametrize("page", ["<!DOCTYPE html><p>Sign in</p>", "  <html></html>"])
    async def test_a_web_page(self, client: HttpClient, vendor: VendorOf, page: str) -> None:
        vendor(HOST).get("/usage").answers_text(page)
        with pytest.raises(BadResponse, match="a web page instead of data; a sign-in page or proxy may be in the way"):
            await client.get(URL, Amount)

    @pytest.mark.parametrize(
        "text", ['{"left": 1', "[" * 100_000, '{"left": ' + '{"a":' * 50_000, "%%", '{"left": 1} extra', '"\\ud800']
    )
    async def test_no_json(self, client: HttpClient, vendor: VendorOf, text: str) -> None:
        vendor(HOST).get("/usage").answers_text(text)
        with pytest.raises(BadResponse, match="cannot be read"):
            await client.get(URL, Amount)

    @pytest.mark.parametrize("value", [[], None, "text", 5, {"left": "many"}, {"left": None}, {"left": [1]}, {}])
    async def test_json_of_other_types(self, client: HttpClient, vendor: VendorOf, value: object) -> None:
        vendor(HOST).get("/usage").answers_json(value)
        with pytest.raises(BadResponse, match="another shape"):
            await client.get(URL, Amount)

    async def test_deep_json_in_a_field_that_does_not_matter(self, client: HttpClient, vendor: VendorOf) -> None:
        vendor(HOST).get("/usage").answers_text('{"left": 1, "x": ' + "[" * 5000 + "]" * 5000 + "}")
        with pytest.raises(BadResponse):
            await client.get(URL, Amount)

    async def test_nothing(self, client: HttpClient, vendor: VendorOf) -> None:
        vendor(HOST).get("/usage").answers_text("")
        with pytest.raises(BadResponse, match="with nothing"):
            await client.get(URL, Amount)

    async def test_garbage(self, client: HttpClient, vendor: VendorOf) -> None:
        vendor(HOST).get("/usage").misbehaves("garbage")
        with pytest.raises(BadResponse):
            await client.get(URL, Amount)

    async def test_broken_compression(self, client: HttpClient, vendor: VendorOf) -> None:
        vendor(HOST).get("/usage").answers_text("not gzip", headers={"Content-Encoding": "gzip"})
        with pytest.raises(BadResponse, match="cannot be decompressed"):
            await client.get(URL, Amount)

    async def test_more_than_eight_mebibytes(self, client: HttpClient, vendor: VendorOf) -> None:
        vendor(HOST).get("/usage").misbehaves("huge")
        with pytest.raises(BadResponse, match="more than 8 MiB"):
            await client.get(URL, Amount)

    @pytest.mark.parametrize(
        ("coding", "packed"),
        [
            ("gzip", gzip.compress(b'{"left": 7}', mtime=0)),
            ("X-GZIP", gzip.compress(b'{"left": 7}', mtime=0) + b"something behind"),
            ("identity, deflate", zlib.compress(b'{"left": 7}')),
            ("deflate", zlib.compress(b'{"left": 7}')[2:-4]),
            ("gzip", gzip.compress(b" " * (3 << 20) + b'{"left": 7}', mtime=0)),
        ],
    )
    async def test_compression(self, client: HttpClient, vendor: VendorOf, coding: str, packed: bytes) -> None:
        vendor(HOST).get("/usage").answers_bytes(packed, headers={"Content-Encoding": coding})
        assert (await client.get(URL, Amount)).left == 7

    async def test_more_than_the_cap_once_inflated(self, client: HttpClient, vendor: VendorOf) -> None:
        packed = gzip.compress(b"1" * (MAX_BODY + 1))
        vendor(HOST).get("/usage").answers_bytes(packed, headers={"Content-Encoding": "gzip"})
        with pytest.raises(BadResponse, match="more than 8 MiB"):
            await client.get(URL, Amount)

    @pytest.mark.parametrize("coding", ["gzip, gzip", "gzip, deflate", "deflate,gzip", "identity, gzip, gzip"])
    async def test_a_body_that_is_compressed_more_than_once(
        self, client: HttpClient, vendor: VendorOf, coding: str
    ) -> None:
        bomb = gzip.compress(gzip.compress(b"0" * (32 << 20)))
        assert len(bomb) < 4096
        vendor(HOST).get("/usage").answers_bytes(bomb, headers={"Content-Encoding": coding})
        with pytest.raises(BadResponse, match="compressed more than once"):
            await client.get(URL, Amount)

    @pytest.mark.parametrize("coding", ["br", "zstd", "compress", "gzip;q=1"])
    async def test_a_coding_that_was_not_asked_for(self, client: HttpClient, vendor: VendorOf, coding: str) -> None:
        vendor(HOST).get("/usage").answers_bytes(b"{}", headers={"Content-Encoding": coding})
        with pytest.raises(BadResponse, match="not asked for"):
            await client.get(URL, Amount)

    async def test_compressed_data_that_is_cut_off(self, client: HttpClient, vendor: VendorOf) -> None:
        packed = gzip.compress(b'{"amount": 1}')[:-6]
        vendor(HOST).get("/usage").answers_bytes(packed, headers={"Content-Encoding": "gzip"})
        with pytest.raises(Unavailable, match="closed before the response was complete"):
            await client.get(URL, Amount)


class TestAVendorThatCannotBeReached:
    async def test_whose_name_is_unknown(self, client_for: Client) -> None:
        with pytest.raises(Unavailable, match=r"The address of nobody\.invalid could not be found"):
            await client_for(NO_PROXY="nobody.invalid").send("GET", "https://nobody.invalid/")

    async def test_that_refuses(self, client: HttpClient, free_port: int) -> None:
        with pytest.raises(Unavailable, match=r"127\.0\.0\.1 refused the connection"):
            await client.send("GET", f"https://127.0.0.1:{free_port}/")

    async def test_whose_certificate_is_not_trusted(self, client: HttpClient, vendor: VendorOf) -> None:
        reached = vendor(HOST).untrusted()
        with pytest.raises(Unavailable, match=r"certificate of api\.example\.test is not trusted") as raised:
            await client.send("GET", URL, bearer=KEY)
        assert "SSL_CERT_FILE" in raised.value.hint
        assert reached.count == 0

    async def test_behind_a_proxy_that_lets_nothing_through(self, client: HttpClient, vendor: VendorOf) -> None:
        vendor(HOST).refuses()
        with pytest.raises(Unavailable, match=r"HTTPS_PROXY did not allow the connection to api") as raised:
            await client.send("GET", URL)
        assert "HTTPS_PROXY" in raised.value.hint

    async def test_behind_a_proxy_that_is_not_there(self, client_for: Client, free_port: int) -> None:
        with pytest.raises(Unavailable, match="proxy in HTTPS_PROXY refused") as raised:
            await client_for(HTTPS_PROXY=f"http://127.0.0.1:{free_port}").send("GET", URL)
        assert "HTTPS_PROXY" in raised.value.hint

    async def test_behind_a_proxy_of_an_unknown_kind(self, client_for: Client) -> None:
        with pytest.raises(Misconfigured, match="HTTPS_PROXY"):
            await client_for(HTTPS_PROXY="gopher://127.0.0.1").send("GET", URL)

    async def test_with_a_certificate_file_that_holds_none(self, client_for: Client, tmp_path: Path) -> None:
        file = tmp_path / "empty.pem"
        file.write_text("nothing")
        with pytest.raises(Misconfigured, match="SSL_CERT_FILE"):
            await client_for(SSL_CERT_FILE=str(file)).send("GET", URL)

    async def test_that_hangs_up_in_the_middle(self, client: HttpClient, vendor: VendorOf) -> None:
        vendor(HOST).get("/usage").misbehaves("cut")
        with pytest.raises(Unavailable, match="closed before the response was complete"):
            await client.send("GET", URL)


class TestTheDeadline:
    async def test_holds_for_a_slow_answer(self, client: HttpClient, vendor: VendorOf) -> None:
        vendor(HOST).get("/usage").delays(30).answers(left=1)
        with pytest.raises(TimedOut, match=r"did not answer within 0\.2 seconds"):
            await client.send("GET", URL, timeout=0.2)

    async def test_holds_for_an_answer_that_drips(self, client: HttpClient, vendor: VendorOf) -> None:
        vendor(HOST).get("/usage").misbehaves("drip")
        with pytest.raises(TimedOut):
            await client.send("GET", URL, timeout=0.3)

    async def test_holds_for_all_redirects_together(self, client: HttpClient, vendor: VendorOf) -> None:
        vendor(HOST).get("/usage").delays(0.15).redirects("/usage")
        with pytest.raises(TimedOut):
            await client.send("GET", URL, timeout=0.4)


class TestARequestThatIsUnsafe:
    @pytest.mark.parametrize(
        "url",
        [
            "http://api.example.test/usage",
            "ftp://api.example.test/",
            "https://user:pw@api.example.test/",
            "https://api.example.test\\@elsewhere.test/",
            "https:///usage",
            "https://api.example.test/#x",
            "api.example.test/usage",
        ],
    )
    async def test_is_not_sent(self, client: HttpClient, vendor: VendorOf, url: str) -> None:
        reached = vendor(HOST)
        with pytest.raises(Misconfigured):
            await client.send("GET", url, bearer=KEY)
        assert reached.connections == 0

    @pytest.mark.parametrize("value", ["line\nbreak", "nul\0", "schlüssel"])
    async def test_for_its_credential_is_not_sent(self, client: HttpClient, value: str) -> None:
        with pytest.raises(Misconfigured) as raised:
            await client.send("GET", URL, bearer=Secret(value))
        assert value not in str(raised.value)

    async def test_self_signed_elsewhere_is_not_sent(self, client: HttpClient) -> None:
        with pytest.raises(Misconfigured):
            await client.send("GET", URL, self_signed=True)


def _everything(error: BaseException | None) -> str:
    """All texts an error and its causes could put into a log."""
    texts = []
    while error is not None:
        texts.append(f"{error} {error!r} {getattr(error, 'hint', '')} {vars(error)}")
        error = error.__cause__ or error.__context__
    return "\n".join(texts)


async def test_no_error_shows_query_credential_or_body(client: HttpClient, vendor: VendorOf) -> None:
    host = vendor(HOST)
    host.get("/page").answers_text("<html>private words</html>")
    host.get("/shape").answers(left="private words")
    host.get("/cut").misbehaves("cut")
    host.get("/slow").delays(30).answers()
    for status in (400, 401, 403, 429, 500):
        host.get(f"/{status}").fails(status, json={"error": "private words"})
    for path in ("page", "shape", "cut", "slow", "400", "401", "403", "429", "500"):
        with pytest.raises(ReadError) as raised:
            await client.get(f"https://{HOST}/{path}", Amount, bearer=KEY, params={"q": "private words"}, timeout=0.3)
        seen = _everything(raised.value)
        assert "private" not in seen
        assert KEY.reveal() not in seen


async def test_at_most_four_requests_go_to_one_host_at_once(client: HttpClient, vendor: VendorOf) -> None:
    import asyncio

    running: list[int] = []
    peak: list[int] = []
    vendor(HOST).get("/usage").answers(left=1)
    real = client._exchange

    async def counted(request: Any) -> Response:
        running.append(1)
        peak.append(len(running))
        try:
            return await real(request)
        finally:
            running.pop()

    client._exchange = counted  # type: ignore[method-assign]
    await asyncio.gather(*(client.get(URL, Amount) for _ in range(10)))
    assert max(peak) == 4


def test_making_a_door_does_not_import_the_http_library() -> None:
    import subprocess
    import sys

    code = (
        "import sys; from quotaline_providers.hosts.machine import Machine, VolatileMemory; from pathlib import Path;"
        "Machine.real(memory=VolatileMemory(), state_dir=Path('.'));"
        "print([name for name in ('httpx', 'truststore', 'keyring') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
