"""What is kept of an outcome whose answer was not understood, and when it is forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from quotaline.refresh.drift import OWN_SERVER, Drift, drift_note, kept, record
from quotaline.store.store import Store
from quotaline_providers import __version__
from quotaline_providers.errors import BadResponse, ReadError, Unavailable
from quotaline_providers.model import Confidence, Usage
from quotaline_providers.parsing.answers import Unread
from quotaline_providers.parsing.shape import AnswerShape
from quotaline_providers.run import Attempt, Outcome, half_understood
from quotaline_providers.testing import NOW


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path, lambda: NOW)
    yield store
    store.close()


def outcome(**errors: ReadError | None) -> Outcome:
    """`outcome(oauth=BadResponse("x"), web=None)`: what came of each strategy, in order."""
    attempts = tuple(Attempt("api", label, error) for label, error in errors.items())
    last = attempts[-1].error
    return Outcome("demo", attempts, None if last else Usage(updated_at=NOW), last, NOW)


def misunderstood(host: str = "own.example") -> BadResponse:
    error = BadResponse("own.example answered with data of another shape.")
    error.shape = AnswerShape(host, 200, '{"?":"string"}')
    return error


def test_it_names_source_host_status_version_and_time() -> None:
    assert drift_note(outcome(api=misunderstood()), "1.2.3", NOW) == Drift(
        provider="demo",
        version="1.2.3",
        source="api",
        message="own.example answered with data of another shape.",
        at=NOW,
        host="own.example",
        status=200,
        shape='{"?":"string"}',
    )


def test_the_name_of_a_users_own_server_is_not_kept() -> None:
    error = misunderstood()
    error.shape = AnswerShape("own.example", 200, "{}", users=True)
    found = drift_note(outcome(api=error), "1.2.3", NOW)
    assert found is not None
    assert (found.host, found.message) == (OWN_SERVER, "The server answered with data of another shape.")
    assert "own.example" not in found.model_dump_json()


def test_what_another_source_made_up_for_is_kept_too(store: Store) -> None:
    record(store, outcome(oauth=misunderstood(), web=None))
    found = kept(store, "demo")
    assert found is not None
    assert (found.source, found.version) == ("oauth", __version__)


def test_an_answer_that_nobody_saw_is_told_without_a_shape() -> None:
    found = drift_note(outcome(cli=BadResponse("x")), "1", NOW)
    assert found is not None
    assert (found.host, found.status, found.shape) == (None, None, None)


@pytest.mark.parametrize(
    ("then", "stays"),
    [
        ({"oauth": None}, False),
        ({"oauth": Unavailable("x")}, True),
        ({"web": None}, True),
        ({"oauth": Unavailable("x"), "web": None}, True),
    ],
)
def test_it_is_forgotten_when_the_same_source_is_understood_again(
    store: Store, then: dict[str, ReadError | None], stays: bool
) -> None:
    record(store, outcome(oauth=misunderstood()))
    record(store, outcome(**then))
    assert (kept(store, "demo") is not None) is stays


def test_the_last_one_is_kept(store: Store) -> None:
    for host in ("one.example", "other.example"):
        record(store, outcome(api=misunderstood(host)))
    found = kept(store, "demo")
    assert found is not None
    assert found.host == "other.example"


def test_a_note_that_cannot_be_read_is_none(store: Store) -> None:
    store.keep_note("drift:demo", '{"later": 1}')
    assert kept(store, "demo") is None
    record(store, outcome(api=None))


UNREAD = Unread(("surge_quota",), AnswerShape("own.example", 200, '{"surge_quota":"number"}', users=True))


def test_limits_that_are_not_read_are_kept_beside_a_usage(store: Store) -> None:
    usage = half_understood(Usage(updated_at=NOW, notes=("other",)), UNREAD)
    record(store, Outcome("demo", (Attempt("api", "api", unread=UNREAD),), usage, None, NOW))
    found = kept(store, "demo")
    assert found is not None
    assert (found.unread, found.host, found.shape) == (("surge_quota",), OWN_SERVER, UNREAD.shape.shape)
    record(store, outcome(api=None))
    assert kept(store, "demo") is None


def test_the_usage_tells_of_limits_that_are_not_read() -> None:
    usage = half_understood(Usage(updated_at=NOW, notes=("other",), confidence=Confidence.EXACT), UNREAD)
    assert usage.notes == (
        "The answer also holds limits that Quotaline does not know yet (surge_quota); one of them may be nearer.",
        "other",
    )
    assert usage.confidence is Confidence.UNKNOWN
