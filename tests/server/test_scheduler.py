"""When an account is read again."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, strategies as some

from quotaline.refresh import scheduler
from quotaline.refresh.scheduler import Past, adaptive_interval, due, interval
from quotaline_providers.model import Usage, Window

NOW = datetime(2030, 1, 2, 12, tzinfo=UTC)


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


def usage(*resets: datetime, at: datetime = NOW) -> Usage:
    windows = tuple(Window(id=str(number), label="W", resets_at=reset) for number, reset in enumerate(resets))
    return Usage(updated_at=at, windows=windows)


@pytest.mark.parametrize(
    ("looked", "every"), [(-60, 2), (0, 2), (5, 2), (6, 5), (60, 5), (61, 15), (239, 15), (240, 30)]
)
def test_the_adaptive_interval_grows_with_the_time_since_the_last_interaction(looked: float, every: float) -> None:
    assert adaptive_interval(NOW - minutes(looked), NOW) == minutes(every)


def test_nobody_ever_looked() -> None:
    assert adaptive_interval(None, NOW) == minutes(30)


def test_the_interval_is_never_under_the_minimum() -> None:
    assert interval("adaptive", NOW, 600, NOW) == minutes(10)
    assert interval(1.0, NOW, 600, NOW) == minutes(10)
    assert interval(20.0, NOW, 600, NOW) == minutes(20)
    assert interval("manual", NOW, 600, NOW) is None


@pytest.mark.parametrize("forever", [1e9, 1e300, float("inf")])
def test_the_interval_is_never_over_a_month(forever: float) -> None:
    assert interval(forever, NOW, 600, NOW) == timedelta(days=30)


def test_manual_is_never_due() -> None:
    assert due(Past(), None, 60, NOW) is None
    assert due(Past(cool_until=NOW + minutes(5)), None, 60, NOW) is None
    assert due(Past(NOW, usage=usage(NOW + minutes(1))), None, 60, NOW) is None


def test_what_was_never_read_is_due_now_unless_a_wait_was_promised() -> None:
    assert due(Past(), minutes(5), 60, NOW) == NOW
    assert due(Past(cool_until=NOW + minutes(9)), minutes(5), 60, NOW) == NOW + minutes(9)


@pytest.mark.parametrize(("failures", "waits"), [(1, 5), (3, 5), (4, 8), (6, 32), (7, 60), (500, 60)])
def test_failures_back_off_up_to_an_hour(failures: int, waits: float) -> None:
    assert due(Past(NOW, failures), minutes(5), 60, NOW) == NOW + minutes(waits)


@pytest.mark.parametrize(("failures", "seconds"), [(1, 15), (2, 45), (3, 120), (4, 300), (5, 960)])
def test_a_vendor_out_of_reach_is_tried_again_soon_at_first(failures: int, seconds: float) -> None:
    assert due(Past(NOW, failures, offline=True), minutes(10), 5, NOW) == NOW + timedelta(seconds=seconds)


def test_also_then_not_under_the_minimum() -> None:
    assert due(Past(NOW, 1, offline=True), minutes(10), 60, NOW) == NOW + minutes(1)


def test_a_reset_brings_the_read_forward_to_right_after_it() -> None:
    past = Past(NOW, usage=usage(NOW + minutes(3), NOW + minutes(4)))
    assert due(past, minutes(30), 60, NOW) == NOW + minutes(3.5)


def test_a_reset_just_after_the_attempt_is_waited_for_five_seconds_at_least() -> None:
    read = usage(NOW - timedelta(seconds=29), at=NOW - minutes(1))
    assert due(Past(NOW, usage=read), minutes(30), 60, NOW) == NOW + timedelta(seconds=5)


def test_a_reset_the_usage_came_after_counts_no_more() -> None:
    assert due(Past(NOW, usage=usage(NOW - minutes(1))), minutes(30), 60, NOW) == NOW + minutes(30)


def test_a_reset_is_asked_about_once_even_when_the_vendor_s_own_time_is_older() -> None:
    read = usage(NOW - minutes(2), at=NOW - minutes(90))
    assert due(Past(NOW, usage=read), minutes(30), 60, NOW) == NOW + minutes(30)


def test_a_reset_does_not_hurry_a_vendor_that_fails() -> None:
    assert due(Past(NOW, 1, usage=usage(NOW + minutes(1))), minutes(30), 60, NOW) == NOW + minutes(30)


def test_a_clock_that_was_set_back_does_not_stop_refreshing() -> None:
    assert due(Past(NOW + timedelta(days=3)), minutes(5), 60, NOW) == NOW


def test_usage_is_stale_when_it_failed_or_is_twice_overdue() -> None:
    assert scheduler.is_stale(usage(), True, minutes(5), NOW)
    assert not scheduler.is_stale(usage(), False, minutes(2), NOW + minutes(10))
    assert scheduler.is_stale(usage(), False, minutes(2), NOW + minutes(11))
    assert not scheduler.is_stale(usage(), False, minutes(30), NOW + minutes(59))
    assert not scheduler.is_stale(usage(), False, None, NOW + minutes(119))
    assert scheduler.is_stale(usage(), False, None, NOW + minutes(121))


@given(some.integers(), some.floats(1, 3600))
def test_jitter_is_later_by_a_tenth_at_most(seed: int, seconds: float) -> None:
    every = timedelta(seconds=seconds)
    moved = scheduler.jittered(NOW, every, random.Random(seed))
    assert NOW <= moved <= NOW + every / 10


spans = some.floats(-7200, 7200).map(lambda seconds: timedelta(seconds=seconds))


@given(
    ago=some.floats(0, 7200),
    failures=some.integers(0, 40),
    offline=some.booleans(),
    cool=some.none() | spans,
    resets=some.lists(spans, max_size=3),
    read_ago=some.floats(0, 20000),
    cadence=some.sampled_from(["adaptive", 0.01, 5.0, 60.0]),
    minimum=some.floats(1, 1800),
)
def test_no_vendor_is_asked_too_soon(
    ago: float,
    failures: int,
    offline: bool,
    cool: timedelta | None,
    resets: list[timedelta],
    read_ago: float,
    cadence: scheduler.Cadence,
    minimum: float,
) -> None:
    attempted = NOW - timedelta(seconds=ago)
    read = usage(*(NOW + reset for reset in resets), at=NOW - timedelta(seconds=read_ago))
    past = Past(attempted, failures, offline, NOW + cool if cool is not None else None, read)
    when = due(past, interval(cadence, NOW, minimum, NOW), minimum, NOW)
    assert when is not None
    assert past.cool_until is None or when >= past.cool_until
    if when < attempted + timedelta(seconds=minimum):
        assert failures == 0
        assert when >= attempted + scheduler.BOUNDARY_EARLIEST
        assert any(reset.resets_at and reset.resets_at < when for reset in read.windows)
