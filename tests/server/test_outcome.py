"""What an outcome makes of what was known before."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from quotaline.detection.detect import Target
from quotaline.refresh.known import Question
from quotaline.refresh.outcome import apply, apply_held, filled_in
from quotaline.refresh.waits import COOL_DOWN
from quotaline.store.store import Reading
from quotaline_providers import errors
from quotaline_providers.contract import Provider
from quotaline_providers.errors import ReadError
from quotaline_providers.model import Identity, Spend, Usage, Window
from quotaline_providers.run import Attempt, NotYet, Outcome

NOW = datetime(2030, 1, 2, 12, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)
RESET = NOW + timedelta(hours=3)
TARGET = Target(Provider(id="demo", name="Demo", connect="Connect it.", strategies=()), None, "digest")


def window(**fields: object) -> Window:
    return Window.model_validate({"id": "w", "label": "W", **fields})


def usage(at: datetime = NOW, identity: Identity | None = None, **fields: object) -> Usage:
    return Usage(updated_at=at, windows=(window(**fields),), identity=identity or Identity(), source="api")


def outcome(result: Usage | ReadError, fingerprint: str = "f") -> Outcome:
    error = result if isinstance(result, ReadError) else None
    read = result.partial if isinstance(result, ReadError) else result
    return Outcome("demo", (Attempt("api", "api", error, fingerprint=fingerprint),), read, error, LATER)


BEFORE = Reading("demo", "demo", "", usage(resets_at=RESET), NOW, "f", "digest", attempted_at=NOW)


def after(result: Usage | ReadError, before: Reading | None = BEFORE, fingerprint: str = "f") -> Reading:
    return apply(TARGET, before, outcome(result, fingerprint))


def test_a_missing_reset_is_taken_over_with_length_and_description() -> None:
    old = usage(resets_at=RESET, minutes=300, description="5 hours")
    filled = filled_in(usage(LATER), old).window("w")
    assert (filled.resets_at, filled.minutes, filled.description) == (RESET, 300, "5 hours")


@pytest.mark.parametrize(
    ("new", "old"),
    [
        (usage(LATER), usage(resets_at=NOW - timedelta(hours=1))),
        (usage(LATER, description="Resets daily"), usage(resets_at=RESET)),
        (usage(LATER, reset_refused=True), usage(resets_at=RESET)),
        (usage(LATER, minutes=10080), usage(resets_at=RESET, minutes=300)),
        (usage(LATER, Identity(account_id="a")), usage(identity=Identity(account_id="b"), resets_at=RESET)),
        (usage(LATER, Identity(account_id="a")), usage(resets_at=RESET)),
        (usage(LATER, Identity(email="a@x.invalid")), usage(identity=Identity(email="b@x.invalid"), resets_at=RESET)),
        (usage(LATER, id="other"), usage(resets_at=RESET)),
    ],
    ids=[
        "past",
        "daily",
        "refused",
        "other length",
        "other account",
        "unknown account",
        "other e-mail",
        "other window",
    ],
)
def test_no_reset_is_taken_over_that_is_past_or_another_account_s(new: Usage, old: Usage) -> None:
    assert filled_in(new, old) == new


def test_the_same_e_mail_in_other_letters_is_the_same_account() -> None:
    old = usage(identity=Identity(email="Ann@x.invalid"), resets_at=RESET)
    assert filled_in(usage(LATER, Identity(email="ann@X.invalid")), old).window("w").resets_at == RESET


def test_no_reset_is_taken_over_from_another_credential_of_an_unnamed_account() -> None:
    read = after(usage(LATER), fingerprint="g").usage
    assert read is not None
    assert read.window("w").resets_at is None


KEPT = (
    errors.ExpiredCredential,
    errors.Forbidden,
    errors.RateLimited,
    errors.Unavailable,
    errors.TimedOut,
    errors.BadResponse,
)


@pytest.mark.parametrize("kind", KEPT)
def test_the_last_good_usage_stands_beside_a_failure(kind: type[ReadError]) -> None:
    reading = after(kind("No."))
    assert (reading.usage, reading.usage_at) == (BEFORE.usage, NOW)
    assert reading.failure is not None
    assert (reading.failure.kind, reading.failures, reading.attempted_at) == (kind.kind, 1, LATER)


@pytest.mark.parametrize("kind", [errors.MissingCredential, errors.MissingProgram, errors.Misconfigured])
def test_a_lost_credential_takes_the_usage_with_it(kind: type[ReadError]) -> None:
    assert after(kind("No.")).usage is None


def test_a_definite_answer_drops_the_usage() -> None:
    assert after(errors.Forbidden("No plan.", definite=True)).usage is None


def test_another_credential_or_config_entry_drops_the_usage() -> None:
    assert after(errors.Unavailable("No."), fingerprint="g").usage is None
    assert after(errors.Unavailable("No."), replace(BEFORE, digest="older")).usage is None


def test_partial_usage_replaces_the_old_and_stands_beside_the_failure() -> None:
    reading = after(errors.Unavailable("Half.", partial=usage(LATER, used_percent=7)))
    assert reading.usage is not None
    assert (reading.usage.window("w").used_percent, reading.usage.window("w").resets_at) == (7, RESET)
    assert (reading.usage_at, reading.failures) == (LATER, 1)


def test_what_partial_usage_does_not_tell_stays_from_before() -> None:
    money = Spend(id="s", label="Spent", used=Decimal(3), unit="USD")
    partial = usage(LATER).model_copy(update={"windows": (), "spends": (money,)})
    reading = after(errors.Unavailable("Half.", partial=partial))
    assert BEFORE.usage is not None
    assert reading.usage is not None
    assert (reading.usage.windows, reading.usage.spends) == (BEFORE.usage.windows, (money,))
    assert reading.usage_at == NOW, "the oldest part says how old it is"
    final = after(errors.Forbidden("No plan.", definite=True, partial=partial)).usage
    assert final is not None
    assert final.windows == ()


def test_failures_are_counted_until_one_success() -> None:
    second = after(errors.TimedOut("No."), after(errors.TimedOut("No.")))
    assert second.failures == 2
    good = after(usage(LATER), second)
    assert (good.failures, good.failure, good.usage_at) == (0, None, LATER)


def test_too_many_requests_are_followed_by_the_wait_that_was_asked_for() -> None:
    until = LATER + timedelta(hours=2)
    cooling = after(errors.RateLimited("Wait.", until=until))
    assert cooling.cool_until == until
    assert after(errors.RateLimited("Wait."), cooling).cool_until == until
    assert after(errors.Unavailable("No."), cooling).cool_until == until
    assert after(errors.RateLimited("Wait.")).cool_until == LATER + COOL_DOWN


def test_no_wait_is_longer_than_a_day() -> None:
    day = LATER + timedelta(hours=24)
    reading = after(errors.RateLimited("Wait.", until=LATER + timedelta(days=400)))
    assert reading.failure is not None
    assert (reading.cool_until, reading.failure.until) == (day, day)
    before_the_clock_was_set_back = replace(BEFORE, cool_until=LATER + timedelta(days=400))
    assert after(errors.Unavailable("No."), before_the_clock_was_set_back).cool_until is None


def test_a_success_ends_the_wait() -> None:
    assert after(usage(LATER), replace(BEFORE, cool_until=RESET)).cool_until is None


def test_the_answer_to_another_question_has_its_own_place() -> None:
    reading = apply(TARGET, None, outcome(usage(LATER)), Question("web:demo", "web"))
    assert (reading.key, reading.source) == ("web:demo", "web")


def held(error: ReadError) -> Outcome:
    return Outcome("demo", (Attempt("api", "api", error, fingerprint="f", held=True),), None, error, LATER)


def test_a_wait_that_lasts_is_told_beside_what_is_known_and_is_no_attempt() -> None:
    reading = apply_held(TARGET, BEFORE, held(errors.RateLimited("Wait.", until=RESET)), Question("demo"))
    assert reading is not None
    assert reading.failure is not None
    assert (reading.failure.until, reading.cool_until) == (RESET, RESET)
    assert (reading.usage, reading.failures, reading.attempted_at) == (BEFORE.usage, 0, NOW)
    blank = apply_held(TARGET, None, held(errors.RateLimited("Wait.", until=RESET)), Question("demo"))
    assert blank is not None
    assert (blank.usage, blank.attempted_at, blank.cool_until) == (None, None, RESET)


def test_the_back_off_after_a_failure_changes_nothing() -> None:
    failed = after(errors.Unavailable("No."))
    assert apply_held(TARGET, failed, held(NotYet("Not yet.")), Question("demo")) == failed


def lanes(session: float, weekly: float) -> Usage:
    windows = [
        window(id=id, used_percent=percent, lane=lane)
        for id, percent, lane in (("session", session, "primary"), ("weekly", weekly, "secondary"))
    ]
    return Usage(updated_at=NOW, windows=tuple(windows), source="api")


def test_the_headline_is_held_from_reading_to_reading() -> None:
    first = after(lanes(50, 40), None)
    second = after(lanes(50, 60), first)
    assert [first.held.id, second.held.id, after(lanes(50, 60), second).held.id] == ["session", "session", "weekly"]


def test_a_failed_read_leaves_the_headline_as_it_was() -> None:
    second = after(lanes(50, 60), after(lanes(50, 40), None))
    failed = after(errors.Unavailable("Down."), second)
    assert failed.usage == second.usage
    assert failed.held == second.held
    assert after(lanes(50, 60), failed).held.id == "weekly"
