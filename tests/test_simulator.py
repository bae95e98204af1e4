"""The simulator, which the other tests stand on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from quotaline_providers.errors import Unavailable
from quotaline_providers.hosts.http.client import HttpClient
from quotaline_providers.secret import Secret
from quotaline_providers.testing import Simulator, Vendor

ROOT = Path(__file__).parent.parent
HOST = "api.example.test"
URL = f"https://{HOST}/usage"


@pytest.fixture
def other() -> Iterator[Simulator]:
    """A simulator whose complaints are looked at here and do not fail the test by themselves."""
    with Simulator() as simulator:
        yield simulator


async def test_an_unexpected_request_is_reported_with_its_difference(other: Simulator) -> None:
    other.vendor(HOST).get("/usage", bearer="right").answers(left=1)
    client = HttpClient(other.environ())
    assert (await client.send("GET", URL, bearer=Secret("wrong"))).status == 418
    assert (await client.send("POST", URL, json={"a": 1})).status == 418
    with pytest.raises(Unavailable):
        await client.send("GET", "https://unknown.example.test/")
    await client.close()
    with pytest.raises(AssertionError) as raised:
        other.check()
    text = str(raised.value)
    assert "header authorization: expected 'Bearer right', got 'Bearer wrong'" in text
    assert "POST https://api.example.test/usage" in text
    assert "CONNECT unknown.example.test:443" in text
    other.check()


@pytest.mark.parametrize(
    "expectation",
    [
        {"headers": {"x-client": "b"}},
        {"headers": {"accept": None}},
        {"query": {"a": "1"}},
        {"json": {"a": 2}},
        {"form": {"a": "1"}},
        {"cookie": "a=1"},
        {"body": b""},
    ],
)
async def test_every_expectation_counts(other: Simulator, expectation: dict[str, object]) -> None:
    other.vendor(HOST).post("/usage", **expectation)
    client = HttpClient(other.environ())
    answer = await client.send("POST", URL, json={"a": 1}, headers={"x-client": "a"}, params={"b": "1"})
    await client.close()
    assert answer.status == 418
    assert other.problems


async def test_answers_queue_up_and_the_last_repeats(vendor: Callable[[str], Vendor], environ: dict[str, str]) -> None:
    route = vendor(HOST).get("/usage").fails(500).answers(left=1)
    client = HttpClient(environ)
    assert [(await client.send("GET", URL)).status for _ in range(3)] == [500, 200, 200]
    await client.close()
    assert route.count == 3


async def test_the_first_route_that_fits_answers(vendor: Callable[[str], Vendor], environ: dict[str, str]) -> None:
    vendor(HOST).get("/usage", bearer="one").answers(left=1)
    vendor(HOST).get("/usage", bearer="two").answers(left=2)
    client = HttpClient(environ)
    answer = await client.send("GET", URL, bearer=Secret("two"))
    await client.close()
    assert json.loads(answer.body) == {"left": 2}


def test_a_program_is_led_to_it_by_its_variables(vendor: Callable[[str], Vendor], simulator: Simulator) -> None:
    route = vendor(HOST).get("/usage", bearer="k").answers(left=4)
    script = (
        "import asyncio, os\n"
        "from quotaline_providers.hosts.http.client import HttpClient\n"
        "from quotaline_providers.secret import Secret\n"
        f"print(asyncio.run(HttpClient(os.environ).send('GET', '{URL}', bearer=Secret('k'))).text)"
    )
    environ = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={**environ, **simulator.environ()},
    )
    assert json.loads(done.stdout) == {"left": 4}
    assert route.count == 1


def test_it_needs_no_test_framework() -> None:
    script = (
        "import sys; from quotaline_providers.testing import Simulator\n"
        "with Simulator() as simulator: simulator.vendor('a.test').get('/').answers(a=1)\n"
        "print('pytest' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "False"


def test_the_product_does_not_load_it() -> None:
    script = (
        "import sys, quotaline.application, quotaline.lsp.server\n"
        "from quotaline_providers import registry\n"
        "list(registry.every())\n"
        "print([name for name in sys.modules if name.startswith('quotaline_providers.testing')])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_without_what_it_needs_it_names_the_extra() -> None:
    script = "import sys; sys.modules['trustme'] = None; import quotaline_providers.testing"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert "needs trustme" in last
    assert "trustme" in last.partition("run `")[2]
