"""Why there was no answer, or none of the vendor's: told by what it is, and never as the credential's fault."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from quotaline_providers.access.clock import wrong_clock
from quotaline_providers.errors import ExpiredCredential, Forbidden, ReadError, Unavailable
from quotaline_providers.fetching.refusals import refused_key
from quotaline_providers.hosts.http.client import HttpClient
from quotaline_providers.testing import Certificate, Clock, Simulator, Vendor

HOST = "api.example.test"
URL = f"https://{HOST}/usage"


@pytest.fixture
async def client_for(environ: dict[str, str], clock: Clock) -> AsyncIterator[Callable[..., HttpClient]]:
    opened: list[HttpClient] = []

    def make(**variables: str) -> HttpClient:
        opened.append(HttpClient({**environ, **variables}, clock=clock))
        return opened[-1]

    yield make
    for client in opened:
        await client.close()


@pytest.fixture
def client(client_for: Callable[..., HttpClient]) -> HttpClient:
    return client_for()


class TestACertificate:
    @pytest.mark.parametrize(
        ("kind", "message", "hint"),
        [
            (Certificate.EXPIRED, "has expired", "date is 2 January 2030"),
            (Certificate.NOT_YET_VALID, "is not valid yet", "Set the date and time"),
            (Certificate.OF_ANOTHER_HOST, "belongs to another host", "Check HTTPS_PROXY"),
            (Certificate.UNTRUSTED, "is not trusted", "add its certificate to what SSL_CERT_FILE names"),
        ],
    )
    async def test_is_refused_for_its_own_reason(
        self, client: HttpClient, vendor: Callable[[str], Vendor], kind: Certificate, message: str, hint: str
    ) -> None:
        vendor(HOST).shows(kind)
        with pytest.raises(Unavailable, match=rf"certificate (of|shown for) api\.example\.test {message}") as raised:
            await client.send("GET", URL)
        assert hint in raised.value.hint

    @pytest.mark.parametrize("kind", [Certificate.EXPIRED, Certificate.NOT_YET_VALID])
    async def test_is_not_blamed_for_an_impossible_date(
        self, client: HttpClient, vendor: Callable[[str], Vendor], clock: Clock, kind: Certificate
    ) -> None:
        clock.set(datetime(1970, 1, 1, 12, tzinfo=UTC))
        vendor(HOST).shows(kind)
        with pytest.raises(Unavailable, match="this computer's clock says 1 January 1970, which is wrong"):
            await client.send("GET", URL)

    async def test_is_trusted_by_an_authority_in_any_of_several_folders(
        self, client_for: Callable[..., HttpClient], simulator: Simulator, tmp_path: Path
    ) -> None:
        simulator.vendor(HOST).get("/usage").answers(left=1)
        first, second = tmp_path / "a", tmp_path / "b"
        for folder in (first, second):
            folder.mkdir()
        authority = Path(simulator.environ()["SSL_CERT_FILE"]).read_bytes()
        (second / "company.pem").write_bytes(authority)
        folders = os.pathsep.join(map(str, (first, tmp_path / "missing", second)))
        assert (await client_for(SSL_CERT_FILE="", SSL_CERT_DIR=folders).send("GET", URL)).ok

    async def test_is_not_trusted_while_the_named_file_is_missing(
        self, client_for: Callable[..., HttpClient], vendor: Callable[[str], Vendor], tmp_path: Path
    ) -> None:
        vendor(HOST)
        with pytest.raises(Unavailable, match="is not trusted") as raised:
            await client_for(SSL_CERT_FILE=str(tmp_path / "gone.pem")).send("GET", URL)
        assert raised.value.hint.startswith("SSL_CERT_FILE names a file that does not exist")


class TestARefusalOnTheWay:
    @pytest.mark.parametrize("status", [401, 403])
    @pytest.mark.parametrize("headers", [{}, {"cf-mitigated": "challenge"}])
    async def test_says_nothing_of_the_key(
        self, client: HttpClient, vendor: Callable[[str], Vendor], status: int, headers: dict[str, str]
    ) -> None:
        vendor(HOST).get("/usage").bars(status, headers)
        answer = await client.send("GET", URL)
        with pytest.raises(Unavailable, match="says nothing of the credential") as raised:
            client.check(answer, refused_key("Demo"))
        assert f"https://{HOST}" in raised.value.hint

    @pytest.mark.parametrize(
        ("status", "headers", "body"),
        [
            (403, {}, "error code: 1020"),
            (429, {"x-vercel-mitigated": "challenge"}, "<html>Checkpoint"),
            (503, {"cf-mitigated": "challenge"}, "<html>Just a moment"),
        ],
    )
    async def test_by_a_bot_check_is_told_as_that(
        self, client: HttpClient, vendor: Callable[[str], Vendor], status: int, headers: dict[str, str], body: str
    ) -> None:
        vendor(HOST).get("/usage").answers_text(body, status, headers)
        with pytest.raises(Unavailable, match=f"asked for a bot check .HTTP {status}"):
            client.check(await client.send("GET", URL), refused_key("Demo"))

    async def test_of_a_network_that_asks_to_sign_in_is_told_as_that(
        self, client: HttpClient, vendor: Callable[[str], Vendor]
    ) -> None:
        vendor(HOST).get("/usage").bars(511)
        with pytest.raises(Unavailable, match="network asks you to sign in"):
            client.check(await client.send("GET", URL))

    @pytest.mark.parametrize(("status", "error"), [(401, ExpiredCredential), (403, Forbidden)])
    @pytest.mark.parametrize("body", ["", '{"error": "no"}', "Unauthorized", '{"message": "error code: 1020"}'])
    async def test_is_none_when_the_vendor_itself_speaks(
        self,
        client: HttpClient,
        vendor: Callable[[str], Vendor],
        status: int,
        error: type[ReadError],
        body: str,
    ) -> None:
        vendor(HOST).get("/usage").answers_text(body, status)
        with pytest.raises(error):
            client.check(await client.send("GET", URL))


class TestAWrongClock:
    @pytest.mark.parametrize(
        ("off", "words"),
        [
            (timedelta(hours=3, minutes=59), "3 hours ahead"),
            (timedelta(minutes=-12), "12 minutes behind"),
            (timedelta(days=400), "400 days ahead"),
        ],
    )
    async def test_is_told_beside_a_refusal(
        self, client: HttpClient, vendor: Callable[[str], Vendor], clock: Clock, off: timedelta, words: str
    ) -> None:
        vendor(HOST).get("/usage").fails(401, {"Date": format_datetime(clock.now - off, usegmt=True)})
        answer = await client.send("GET", URL)
        with pytest.raises(ExpiredCredential) as raised:
            client.check(answer, refused_key("Demo"))
        assert raised.value.message.endswith(f"This computer's clock is {words}, which can be the reason.")
        told = wrong_clock("Demo", answer, clock.now)
        assert told.message == f"Demo refused the time of the request: this computer's clock is {words}."
        assert "Set the date and time" in told.hint

    @pytest.mark.parametrize("date", ["Wed, 02 Jan 2030 11:57:00 GMT", "yesterday", "Wed, 99 Jan 2030", ""])
    async def test_is_not_told_where_nothing_says_so(
        self, client: HttpClient, vendor: Callable[[str], Vendor], clock: Clock, date: str
    ) -> None:
        vendor(HOST).get("/usage").fails(403, {"Date": date})
        answer = await client.send("GET", URL)
        with pytest.raises(Forbidden) as raised:
            client.check(answer)
        assert "clock" not in raised.value.message
        assert "clock is wrong" in wrong_clock("Demo", answer, clock.now).message
