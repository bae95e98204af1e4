"""Pace: stages, estimates, wording, and who has one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from quotaline.forecast.pace import Pace, WorkWeek, pace, paces, rounded
from quotaline_providers import registry
from quotaline_providers.model import Window

from .render_states import NOW, after, session, usage, weekly, window


def of(reading: Window, default: int | None = None, *, headroom: bool = False) -> Pace:
    found = pace(reading, NOW, default, headroom=headroom)
    assert found is not None
    return found


def half_way(percent: float) -> Window:
    return session(percent, resets_at=after(minutes=150))


@pytest.mark.parametrize(
    ("percent", "stage"),
    [
        (50, "onTrack"),
        (52, "onTrack"),
        (48, "onTrack"),
        (56, "slightlyAhead"),
        (44, "slightlyBehind"),
        (62, "ahead"),
        (38, "behind"),
        (62.1, "farAhead"),
        (37.9, "farBehind"),
    ],
)
def test_the_stage_follows_the_difference(percent: float, stage: str) -> None:
    assert of(half_way(percent)).stage == stage


@pytest.mark.parametrize(
    "reading",
    [
        session(50),
        session(50, resets_at=after(minutes=0)),
        session(50, resets_at=after(minutes=-5)),
        session(50, resets_at=after(minutes=301)),
        session(50, resets_at=after(minutes=300)),
        session(50, resets_at=after(minutes=100), minutes=0),
        session(50, resets_at=after(minutes=100), minutes=-300),
        session(50, resets_at=after(minutes=100), placeholder=True),
        session(None, resets_at=after(minutes=100)),
        session(50, resets_at=after(minutes=100), minutes=None),
    ],
)
def test_there_is_no_pace_without_a_running_window(reading: Window) -> None:
    assert pace(reading, NOW) is None


def test_a_window_that_just_began_unused_has_a_pace_that_is_not_shown() -> None:
    begun = of(session(0, resets_at=after(minutes=300)))
    assert begun.lasts
    assert not begun.shown


def test_the_estimate_follows_the_rate_so_far() -> None:
    assert of(half_way(75)).eta == timedelta(minutes=50)
    assert of(half_way(50)).lasts
    assert of(half_way(0)).lasts
    assert of(half_way(100)).eta == timedelta(0)


def test_it_is_shown_from_three_percent_elapsed_while_something_is_left() -> None:
    assert not of(session(1, resets_at=after(minutes=292))).shown
    assert of(session(1, resets_at=after(minutes=291))).shown
    assert not of(half_way(130)).shown


def test_percentages_outside_the_scale_are_clamped() -> None:
    assert of(half_way(-20)).actual == 0
    assert of(half_way(130)).actual == 100


def test_the_wording_of_each_end() -> None:
    assert of(half_way(30)).summary == "20% in reserve | Expected 50% used | Lasts until reset"
    assert of(half_way(50)).summary == "On pace | Expected 50% used | Lasts until reset"
    assert of(half_way(75)).summary == "25% in deficit | Expected 50% used | Projected empty in 50m"
    assert of(half_way(100)).summary.endswith("Projected empty now")
    late = weekly(75, resets_at=after(minutes=5040))
    assert of(late).summary == "25% in deficit | Expected 50% used | Runs out in 1d 4h"


def test_codex_tells_its_headroom() -> None:
    assert of(half_way(20), headroom=True).summary.endswith("Lasts until reset | 4.0× headroom")
    assert "headroom" not in of(half_way(20)).summary
    assert "headroom" not in of(half_way(36), headroom=True).summary
    assert "headroom" not in of(half_way(0), headroom=True).summary


def test_shown_numbers_are_rounded_half_away_from_zero() -> None:
    assert [rounded(value) for value in (0.5, 1.5, 2.5, -0.5, -2.5, -0.4)] == [1, 2, 3, -1, -3, 0]


def test_the_token_for_a_status_bar() -> None:
    assert [of(half_way(percent)).token for percent in (61, 42, 50.2)] == ["+11%", "-8%", "0%"]


def test_a_month_is_the_calendar_month_that_ends_at_the_reset() -> None:
    reset = datetime(2030, 3, 1, tzinfo=UTC)
    found = pace(window("credits", 50, minutes=43200, resets_at=reset), datetime(2030, 2, 15, tzinfo=UTC))
    assert found is not None
    assert found.expected == 50


def test_a_month_that_ends_on_a_day_the_last_one_lacks_begins_on_its_last_day() -> None:
    reset = datetime(2030, 3, 31, tzinfo=UTC)
    found = pace(window("credits", 0, minutes=43200, resets_at=reset), datetime(2030, 2, 28, tzinfo=UTC))
    assert found is not None
    assert found.elapsed == timedelta(0)


def with_pace(provider: str, *windows: Window) -> set[str]:
    return set(paces(registry.get(provider).pace, usage(*windows), NOW))


def lane(name: str, minutes: int | None, label: str = "Any") -> Window:
    return Window(
        id=name, label=label, used_percent=40, lane=name, minutes=minutes, resets_at=after(minutes=(minutes or 300) / 2)
    )


LANES = (lane("primary", 300), lane("secondary", 10080), lane("tertiary", 10080))


@pytest.mark.parametrize(
    ("provider", "expected"),
    [
        ("codex", {"primary", "secondary", "tertiary"}),
        ("claude", {"primary", "secondary", "tertiary"}),
        ("ollama", {"primary", "secondary", "tertiary"}),
        ("openrouter", {"primary", "secondary", "tertiary"}),
    ],
)
def test_who_has_a_pace(provider: str, expected: set[str]) -> None:
    assert with_pace(provider, *LANES) == expected


def test_lengths_that_a_provider_must_or_need_not_tell() -> None:
    assert with_pace("codex", lane("primary", None)) == {"primary"}
    assert with_pace("ollama", lane("primary", None)) == set()
    assert with_pace("kimi", lane("primary", 10080), lane("secondary", 300)) == {"primary", "secondary"}
    assert with_pace("copilot", lane("primary", None)) == {"primary"}


def test_months() -> None:
    assert with_pace("amp", lane("primary", 43200)) == {"primary"}
    tools = window("zai-mcp", 10, minutes=43200, resets_at=after(days=10))
    assert with_pace("zai", tools) == {"zai-mcp"}


WEEKDAYS = WorkWeek(5, UTC)
"""NOW is a Wednesday, 12:10."""


def worked(percent: float, *, resets_at: datetime, week: WorkWeek = WEEKDAYS) -> Pace:
    found = pace(weekly(percent, resets_at=resets_at), NOW, work=week)
    assert found is not None
    return found


def test_only_working_days_count_in_a_week() -> None:
    monday = datetime(2030, 1, 7, tzinfo=UTC)
    found = worked(40, resets_at=monday)
    assert (found.elapsed, found.left) == (
        timedelta(days=2, hours=12, minutes=10),
        timedelta(days=2, hours=11, minutes=50),
    )
    assert rounded(found.expected) == 50
    assert rounded(worked(40, resets_at=monday, week=WorkWeek(2, UTC)).expected) == 100
    assert rounded(worked(40, resets_at=monday, week=WorkWeek(6, UTC)).expected) == 42


def test_the_estimate_rests_at_the_week_end() -> None:
    tuesday = after(days=6)  # one day's work is done, four are to come
    assert worked(25, resets_at=tuesday).eta == timedelta(days=5), "three days of work are done on Monday at this time"
    assert worked(40, resets_at=tuesday).eta == timedelta(days=1, hours=12)
    assert worked(20, resets_at=tuesday).lasts
    assert worked(100, resets_at=tuesday).eta == timedelta(0)


def test_a_session_is_not_about_working_days() -> None:
    saturday = WorkWeek(2, UTC)
    reading = half_way(50)
    assert pace(reading, NOW, work=saturday) == pace(reading, NOW)


def test_a_week_that_began_at_the_week_end_has_no_pace_once_it_is_used() -> None:
    sunday = datetime(2030, 1, 6, 10, tzinfo=UTC)
    reading = weekly(5, resets_at=sunday + timedelta(days=6, hours=23))
    assert pace(reading, sunday, work=WEEKDAYS) is None
    unused = pace(weekly(0, resets_at=sunday + timedelta(days=6, hours=23)), sunday, work=WEEKDAYS)
    assert unused is not None
    assert not unused.shown
