"""Plain HTTP to a name of the own network: only where the user allowed it, and only to the address that was checked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import pytest

from quotaline_providers.access.endpoints import configured_server, own_server, private_addresses
from quotaline_providers.errors import Misconfigured, Unavailable
from quotaline_providers.hosts.http.client import HttpClient
from quotaline_providers.hosts.http.private_names import PrivateNames
from quotaline_providers.secret import Secret
from quotaline_providers.testing import Read, Vendor

URL = "http://litellm:4000/usage?a=1"
PLACE = "http://10.1.2.3:4000"


class Names:
    """Answers look-ups, the last answer again and again, and counts them."""

    def __init__(self) -> None:
        self.answers: list[Sequence[str]] = [["10.1.2.3"]]
        self.asked: list[tuple[str, int]] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append((host, port))
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.fixture
def names() -> Names:
    return Names()


@pytest.fixture
async def client(environ: dict[str, str], names: Names) -> AsyncIterator[HttpClient]:
    made = HttpClient(environ, resolve=names)
    yield made
    await made.close()


async def test_the_checked_address_is_asked_by_the_name(
    client: HttpClient, names: Names, vendor: Callable[[str], Vendor]
) -> None:
    names.answers = [["fd00::1", "10.1.2.3"], ["203.0.113.7"]]  # a second look-up would lead out
    host = vendor(PLACE)
    host.get("/usage?a=1", bearer="k", headers={"host": "litellm:4000"}).answers(left=1)
    response = await PrivateNames(client).send("GET", URL, bearer=Secret("k"))
    assert response.ok
    assert response.url == URL
    assert names.asked == [("litellm", 4000)]


@pytest.mark.parametrize(
    "found",
    [
        ["203.0.113.7"],
        ["10.1.2.3", "203.0.113.7"],
        ["169.254.169.254"],
        ["fe80::1%eth0"],
        ["2001:db8::1"],
        ["::ffff:203.0.113.7"],
        ["0.0.0.0"],
        [],
    ],
)
async def test_a_name_that_leads_out_is_not_asked(
    client: HttpClient, names: Names, vendor: Callable[[str], Vendor], found: list[str]
) -> None:
    names.answers = [found]
    reached = vendor(PLACE)
    with pytest.raises(Misconfigured, match="litellm leads out of the private network"):
        await PrivateNames(client).send("GET", URL, bearer=Secret("k"))
    assert reached.count == 0


@pytest.mark.parametrize("address", ["10.0.0.1", "172.17.0.1", "192.168.65.254", "127.0.0.1", "fd00::1", "::1"])
def test_an_address_of_the_own_network_is_taken(address: str) -> None:
    assert private_addresses("litellm", [address]) == (address,)


async def test_without_the_setting_nothing_is_looked_up(client: HttpClient, names: Names) -> None:
    with pytest.raises(Misconfigured, match="must use HTTPS"):
        await client.send("GET", URL)
    assert names.asked == []


async def test_an_unknown_name_is_told_as_that(environ: dict[str, str]) -> None:
    client = HttpClient({**environ, "NO_PROXY": "*"})
    with pytest.raises(Unavailable, match=r"The address of nobody\.invalid could not be found"):
        await PrivateNames(client).send("GET", "http://nobody.invalid/")
    await client.close()


@pytest.mark.parametrize("address", ["http://litellm:4000", "http://host.docker.internal:4000", "http://gateway"])
def test_a_name_is_taken_with_the_setting_alone(address: str) -> None:
    assert configured_server(None, address, "OWN_URL", True) == address
    with pytest.raises(Misconfigured, match="must use HTTPS") as raised:
        configured_server(address, None, "OWN_URL")
    assert "set allowPrivateHosts to true" in raised.value.hint


@pytest.mark.parametrize("address", ["http://203.0.113.7:4000", "http://[2001:db8::1]"])
def test_a_public_address_is_never_taken(address: str) -> None:
    with pytest.raises(Misconfigured, match="must use HTTPS"):
        own_server(address, "OWN_URL", private_names=True)


@pytest.mark.parametrize("address", ["http://0.0.0.0:4000", "https://0.0.0.0", "http://[::]:4000"])
def test_the_address_that_servers_listen_on_is_no_address_to_ask(address: str) -> None:
    with pytest.raises(Misconfigured, match="to which nothing can connect") as raised:
        own_server(address, "LITELLM_BASE_URL")
    assert raised.value.hint == "Use 127.0.0.1 in LITELLM_BASE_URL for a server on this computer."


def test_a_provider_asks_such_a_name_once_its_entry_allows_it(
    read: Read, vendor: Callable[[str], Vendor], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def found(*arguments: Any, **more: Any) -> list[Any]:
        return [(2, 1, 6, "", ("10.1.2.3", 4000))]

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", found)
    info = {"info": {"user_id": "ada", "key_name": "k", "spend": 9.5, "max_budget": 10}}
    host = vendor(PLACE)
    host.get("/key/info", bearer="k").answers(key="k", **info)
    host.get("/user/info").answers(user_id="ada", user_info={"spend": 2.5, "max_budget": 20})
    variables = {"LITELLM_API_KEY": "k", "LITELLM_BASE_URL": "http://litellm:4000"}
    with pytest.raises(Misconfigured, match="must use HTTPS"):
        read("litellm", **variables)
    assert read("litellm", config={"allowPrivateHosts": True}, **variables).windows
    assert host.count > 0
