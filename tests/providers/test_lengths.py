"""What a window is by its length, told exactly or a little off."""

from __future__ import annotations

from datetime import timedelta

import pytest

from quotaline_providers import believable_length, believable_reset, length_name, usual_length
from quotaline_providers.testing import NOW

DAY = 1440


@pytest.mark.parametrize(
    ("minutes", "usual"),
    [
        (300, 300),
        (306, 300),
        (310, None),
        (1440, 1440),
        (10079, 10080),
        (10300, None),
        (28 * DAY, 43200),
        (43200, 43200),
        (43800, 43200),
        (31 * DAY, 43200),
        (20 * DAY, None),
        (60 * DAY, None),
        (0, None),
        (None, None),
    ],
)
def test_the_length_that_is_meant(minutes: int | None, usual: int | None) -> None:
    assert usual_length(minutes) == usual


@pytest.mark.parametrize(
    ("minutes", "name"),
    [
        (300, "5-hour"),
        (299, "5-hour"),
        (60, "1-hour"),
        (90, "90-minute"),
        (1, "1-minute"),
        (240, "4-hour"),
        (720, "12-hour"),
        (1440, "Daily"),
        (1500, "25-hour"),
        (4320, "3-day"),
        (10079, "Weekly"),
        (43800, "Monthly"),
        (90 * DAY, "90-day"),
    ],
)
def test_a_length_names_a_window(minutes: int, name: str) -> None:
    assert length_name(minutes) == name


@pytest.mark.parametrize(
    ("minutes", "days", "believable"),
    [
        (1440, 5, 10080),
        (1440, 7, 10080),
        (1440, 1, 1440),
        (1440, 8, 1440),
        (1440, None, 1440),
        (720, 5, 720),
        (10080, 12, 10080),
        (None, 5, None),
    ],
)
def test_a_reset_beyond_the_length_shows_that_a_week_is_meant(
    minutes: int | None, days: int | None, believable: int | None
) -> None:
    resets_at = None if days is None else NOW + timedelta(days=days)
    assert believable_length(minutes, resets_at, NOW) == believable


@pytest.mark.parametrize(
    ("minutes", "away", "believed"),
    [
        (300, timedelta(hours=5), True),
        (300, timedelta(hours=5, minutes=4), True),
        (300, timedelta(days=3), False),
        (300, timedelta(minutes=-1), False),
        (300, timedelta(0), False),
        (43200, timedelta(days=31), True),
        (43200, timedelta(days=32), False),
        (None, timedelta(days=300), True),
        (None, timedelta(days=-1), False),
    ],
)
def test_a_reset_that_is_past_or_beyond_the_length_is_not_believed(
    minutes: int | None, away: timedelta, believed: bool
) -> None:
    assert believable_reset(minutes, NOW + away, NOW) == (NOW + away if believed else None)


def test_no_reset_stays_none() -> None:
    assert believable_reset(300, None, NOW) is None
