"""What every registered provider promises, whoever wrote it."""

from __future__ import annotations

import ast
import contextlib
import copy
import json
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from quotaline_providers import registry, vendors
from quotaline_providers.contract import Provider
from quotaline_providers.errors import FALL_THROUGH, RateLimited, ReadError, Unavailable
from quotaline_providers.model import Usage
from quotaline_providers.testing import Clock
from tests.providers.samples import KEY, SAMPLES, UNREADABLE, USUAL, WITHOUT, Exchange, Sample
from tests.providers.samples.reading import PLANTED, Raw, check, reading

EVERY = sorted(registry.every(), key=lambda provider: provider.id)
EXAMPLES = 60


@pytest.fixture(params=EVERY, ids=lambda provider: provider.id)
def provider(request: Any) -> Provider:
    found: Provider = request.param
    return found


# --- what it says of itself ------------------------------------------------------------------------


def test_its_metadata_is_complete(provider: Provider) -> None:
    assert provider.name
    assert provider.summary
    assert provider.connect.endswith(".")
    assert provider.strategies
    assert provider.min_interval >= 60
    assert 0 < provider.deadline <= 180
    status = provider.status.url if provider.status else None
    for address in (provider.dashboard, provider.key_url, status):
        assert address is None or urlsplit(address).scheme == "https"


def test_its_names_belong_to_it_alone(provider: Provider) -> None:
    others = {name for other in EVERY if other is not provider for name in (other.id, *other.aliases)}
    assert others.isdisjoint({provider.id, *provider.aliases})


def test_a_source_it_does_not_have_is_named(provider: Provider, outcome: Any) -> None:
    missing = next((s for s in ("oauth", "api", "web", "cli", "local") if s not in provider.sources), None)
    if missing is None:
        pytest.skip("it has every source")
    error = outcome(provider.id, source=missing).error
    assert isinstance(error, ReadError)
    assert missing in error.message


def test_a_provider_is_imported_only_when_used_and_brings_nothing_heavy() -> None:
    code = """
import sys
from quotaline_providers import registry
ids = registry.ids()
assert not [name for name in sys.modules if name.startswith("quotaline_providers.vendors.")]
heavy = ("httpx", "httpcore", "keyring", "watchfiles", "pygls", "truststore", "botocore", "boto3", "google.auth")
for id in ids:
    registry.get(id)
    found = [name for name in heavy if name in sys.modules]
    assert not found, (id, found)
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


# --- on an empty machine ---------------------------------------------------------------------------

_EVENTS: list[str] | None = None
_WATCHED: tuple[str, ...] = (
    "socket.connect",
    "socket.getaddrinfo",
    "socket.gethostbyname",
    "subprocess.Popen",
    "pty.spawn",
)
_WATCHED += ("os.posix_spawn", "os.exec", "os.fork", "os.forkpty", "os.system", "os.spawn", "os.startfile")


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if _EVENTS is not None and event in _WATCHED:
        _EVENTS.append(f"{event} {arguments[:2]}")


sys.addaudithook(_watch)


@contextlib.contextmanager
def nothing_reached() -> Iterator[None]:
    """No connection is opened, no name looked up and no program started meanwhile."""
    global _EVENTS
    found: list[str] = []
    _EVENTS = found
    try:
        yield
    finally:
        _EVENTS = None
    assert found == []


def test_the_watch_sees_connections_and_programs() -> None:
    with pytest.raises(AssertionError, match=r"subprocess\.Popen"), nothing_reached():
        subprocess.run([sys.executable, "-c", ""], check=True)
    with pytest.raises(AssertionError, match=r"socket\.getaddrinfo"), nothing_reached():
        socket.getaddrinfo("127.0.0.1", 9)


def test_on_an_empty_machine_every_strategy_says_what_is_missing(
    provider: Provider, outcome: Any, simulator: Any
) -> None:
    for source in (() if provider.ended else ("auto",)) + provider.sources:
        with nothing_reached():
            seen = outcome(provider.id, source=source)
        assert isinstance(seen.error, FALL_THROUGH), (source, seen.error)
        assert seen.error.message
        assert seen.error.hint
        assert len(seen.attempts) == len([one for one in seen.attempts if one.skipped])


def test_detection_on_an_empty_machine_finds_and_reaches_nothing(provider: Provider, reader: Any) -> None:
    ctx = reader.context(provider.id)
    with nothing_reached():
        for strategy in provider.strategies:
            assert strategy.lookup.probe(ctx) is None
            assert all(isinstance(place, str) and place for place in strategy.lookup.places(ctx))


# --- whatever its vendor answers -------------------------------------------------------------------


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Sample], Path]:
    """The home folder of a sample's user, written again for each reading: a provider may change its login file."""
    root = tmp_path_factory.mktemp("homes")

    def home(sample: Sample) -> Path:
        place = root / sample.id
        place.mkdir(exist_ok=True)
        for name, content in sample.files.items():
            file = place / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return place

    return home


@pytest.fixture(params=SAMPLES, ids=lambda sample: sample.id)
def sample(request: Any) -> Sample:
    found: Sample = request.param
    return found


def test_every_network_strategy_has_a_sample_or_a_reason(provider: Provider) -> None:
    wanted = {(provider.id, one.name) for one in provider.strategies if one.source in ("api", "oauth", "web")}
    here = {(one.provider, one.strategy) for one in SAMPLES}
    assert not wanted - here - set(WITHOUT), "add a sample below tests/providers/samples"
    assert not wanted & here & set(WITHOUT)


def test_its_sample_gives_a_usage(sample: Sample, folders: Callable[[Sample], Path]) -> None:
    seen, requests = reading(sample, folders(sample), {})
    assert isinstance(seen, Usage), seen
    assert seen.windows or seen.balances or seen.spends or seen.details
    assert requests
    assert any(KEY in str(dict(request.headers)) for request in requests)
    check(seen, sample)


REFUSALS: Mapping[str, Raw] = {
    **{str(status): (status, {}, json.dumps({"error": PLANTED}).encode()) for status in USUAL if status >= 300},
    "500 as a page": (500, {"content-type": "text/html"}, f"<html>{PLANTED}".encode()),
    "nothing": (UNREADABLE, {}, b""),
    "a web page": (UNREADABLE, {"content-type": "text/html"}, f"<!DOCTYPE html><title>{PLANTED}</title>".encode()),
    "half of an answer": (UNREADABLE, {}, f'{{"{PLANTED}": '.encode()),
}
"""The usual ways in which a vendor gives no numbers."""


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS.keys())
def test_a_refusal_is_the_error_it_means(sample: Sample, folders: Callable[[Sample], Path], refusal: Raw) -> None:
    expected = {**USUAL, **sample.refusals}[refusal[0]] or Usage
    seen, _ = reading(sample, folders(sample), dict.fromkeys(range(len(sample.exchanges)), refusal))
    assert isinstance(seen, expected), seen
    check(seen, sample)


BARRED: Mapping[str, Raw] = {
    f"{status} {name}": (status, {"content-type": "text/html", **headers}, f"<!DOCTYPE html>{PLANTED}".encode())
    for status in (401, 403)
    for name, headers in {"of a filter": {}, "of a bot check": {"cf-mitigated": "challenge"}}.items()
}


@pytest.mark.parametrize("page", BARRED.values(), ids=BARRED.keys())
def test_a_page_on_the_way_says_nothing_of_the_credential(
    sample: Sample, folders: Callable[[Sample], Path], page: Raw
) -> None:
    seen, _ = reading(sample, folders(sample), dict.fromkeys(range(len(sample.exchanges)), page))
    assert isinstance(seen, Unavailable) or seen.__class__ in sample.barred, repr(seen)
    check(seen, sample)


@pytest.mark.parametrize(
    "sample", [one for one in SAMPLES if {**USUAL, **one.refusals}[429] is RateLimited], ids=lambda sample: sample.id
)
def test_a_promised_wait_is_kept(sample: Sample, folders: Callable[[Sample], Path]) -> None:
    wait: Raw = (429, {"retry-after": "30"}, b"")
    seen, _ = reading(sample, folders(sample), dict.fromkeys(range(len(sample.exchanges)), wait))
    assert isinstance(seen, RateLimited)
    assert seen.until == Clock().now + timedelta(seconds=30)


def test_its_plan_is_a_plan(sample: Sample, folders: Callable[[Sample], Path]) -> None:
    """No balance, way of signing in or summary: those are for `Identity.login`."""
    seen, _ = reading(sample, folders(sample), {})
    assert isinstance(seen, Usage)
    assert not re.search(r"[:$€¥]|\b(api|key|console|left|remaining|metrics|stats)\b", seen.identity.plan or "", re.I)


def test_every_window_says_whether_it_blocks_the_account(sample: Sample, folders: Callable[[Sample], Path]) -> None:
    seen, _ = reading(sample, folders(sample), {})
    assert isinstance(seen, Usage)
    assert [window.id for window in seen.windows if window.blocks is None] == []


def test_every_place_that_makes_a_window_says_whether_it_blocks_the_account() -> None:
    """The samples do not reach them all."""
    silent = []
    for path in sorted(Path(vendors.__file__).parent.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            name = ast.unparse(node.func).removeprefix("ql.") if isinstance(node, ast.Call) else ""
            if isinstance(node, ast.Call) and name == "Window" and "blocks" not in {key.arg for key in node.keywords}:
                silent.append(f"{path.name}:{node.lineno}")
    assert silent == []


HARD_BODIES: Mapping[str, bytes] = {
    "empty": b"",
    "blank": b" \n",
    "null": b"null",
    "list": b"[]",
    "object": b"{}",
    "text": b'"planted-in-the-answer-77"',
    "number": b"7",
    "html": b"<!DOCTYPE html><html><title>planted-in-the-answer-77</title>",
    "cut": b'{"data": [{"a": 1}, {"planted-in-the-answer-77": ',
    "deep list": b"[" * 100_000,
    "deep object": b'{"data":' * 20_000 + b"1" + b"}" * 20_000,
    "closed and deep": b'{"data":' + b"[" * 900 + b"]" * 900 + b"}",
    "no text": b"\xff\xfe\x00\x01",
    "byte order mark": b'\xef\xbb\xbf{"data": 1}',
    "huge number": b'{"data": 1' + b"0" * 5000 + b"}",
    "not a number": b'{"data": NaN, "limits": [Infinity, -Infinity]}',
    "half a letter": b'{"data": "\\ud800"}',
}


@pytest.mark.parametrize("body", HARD_BODIES.values(), ids=HARD_BODIES.keys())
def test_a_body_of_any_kind_is_a_usage_or_a_typed_error(
    sample: Sample, folders: Callable[[Sample], Path], body: bytes
) -> None:
    everywhere: dict[int, Raw] = {index: (200, {}, body) for index in range(len(sample.exchanges))}
    check(reading(sample, folders(sample), everywhere)[0], sample)
    for index in range(len(sample.exchanges)):
        check(reading(sample, folders(sample), {index: (200, {}, body)})[0], sample)


WILD: tuple[object, ...] = (
    None,
    True,
    False,
    0,
    -1,
    -0.0,
    1e-320,
    1e308,
    -1e308,
    10**30,
    10**400,
    -(10**18),
    1893456000,
    1893456000000,
    253402300799,
    253402300800,
    -62135596801,
    float("nan"),
    float("inf"),
    float("-inf"),
    "",
    " ",
    "0",
    "-1",
    "1e999",
    "NaN",
    "9" * 400,
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59-14:00",
    "2030-02-30",
    "2030-01-02",
    "usd",
    "%s {0} {name}",
    "\u202e\x00\n<b>`",
    "\ud800",
    PLANTED,
    "x" * 5000,
    [],
    {},
    [[]],
    [None],
    {"": None},
    [PLANTED, 1, {}],
    json.loads("[" * 60 + "]" * 60),
)
STATUSES = (200, 200, 200, 201, 204, 302, 400, 401, 402, 403, 404, 409, 418, 429, 451, 500, 503, 599)
HEADERS: tuple[Mapping[str, str], ...] = (
    {},
    {"retry-after": "30"},
    {"retry-after": "-5"},
    {"retry-after": "9" * 40},
    {"retry-after": "Thu, 99 Foo 2030"},
    {"content-type": "text/html"},
    {"location": "https://elsewhere.test/"},
)


def places(value: object, at: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The path of everything in a JSON value."""
    yield at
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in pairs:
        yield from places(part, (*at, key))


def put(value: Any, at: tuple[str | int, ...], change: str, wild: object) -> Any:
    """The value with one place changed."""
    if not at:
        return [value] if change == "wrap" else value if change == "drop" else wild
    holder = value
    for key in at[:-1]:
        holder = holder[key]
    if change == "drop":
        del holder[at[-1]]
    elif change == "wrap":
        holder[at[-1]] = [holder[at[-1]]]
    elif change == "repeat" and isinstance(holder[at[-1]], list):
        holder[at[-1]] = holder[at[-1]] * 3
    else:
        holder[at[-1]] = wild
    return value


@st.composite
def changes(draw: st.DrawFn, exchanges: tuple[Exchange, ...]) -> dict[int, Raw]:
    """A few changes to a vendor's answers: mostly to values, sometimes to status and headers."""
    made: dict[int, Raw] = {}
    for _ in range(draw(st.integers(1, 2))):
        index = draw(st.integers(0, len(exchanges) - 1))
        body = exchanges[index].body
        if isinstance(body, str):
            cut = draw(st.integers(0, len(body)))
            changed = (body[:cut] + str(draw(st.sampled_from(WILD))) + body[cut:]).encode("utf-8", "replace")
        else:
            value = copy.deepcopy(body)
            for _ in range(draw(st.integers(1, 3))):
                at = draw(st.sampled_from(tuple(places(value))))
                change = draw(st.sampled_from(("set", "set", "set", "drop", "wrap", "repeat")))
                value = put(value, at, change, copy.deepcopy(draw(st.sampled_from(WILD))))
            changed = json.dumps(value).encode()
        made[index] = (draw(st.sampled_from(STATUSES)), draw(st.sampled_from(HEADERS)), changed)
    return made


def test_mutated_answers_are_a_usage_or_a_typed_error(sample: Sample, folders: Callable[[Sample], Path]) -> None:
    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(changes(sample.exchanges))
    def survive(changed: dict[int, Raw]) -> None:
        check(reading(sample, folders(sample), changed)[0], sample)

    survive()
