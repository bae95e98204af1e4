"""Reading Claude Code's panel: whole, torn, stale, loading, failed; and the times in it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from quotaline_providers.model import Confidence, Usage
from quotaline_providers.testing import NOW
from quotaline_providers.vendors.claude.panel import State, identity_of, state_of, to_usage
from quotaline_providers.vendors.claude.resets import reset_time

PANEL = """Settings: Status  Config  Usage
Current session
█████        31% used
Resets 4:30pm (Europe/Rome)
Current week (all models)
██           14% used
Resets Jan 5 at 9am (Europe/Rome)
Current week (Sonnet only)
             6% used
Current week (Saga)
             2.5% used
Resets Jan 6 at 10am (Europe/Rome)
"""


def shown(text: str) -> Usage:
    assert state_of(text) is State.USAGE
    return to_usage(text, NOW)


def test_a_whole_panel() -> None:
    seen = shown(PANEL)
    windows = {window.id: (window.lane, window.used_percent, window.resets_at) for window in seen.windows}
    assert windows == {
        "session": ("primary", 31, datetime(2030, 1, 2, 15, 30, tzinfo=UTC)),
        "weekly": ("secondary", 14, datetime(2030, 1, 5, 8, tzinfo=UTC)),
        "sonnet": ("tertiary", 6, datetime(2030, 1, 5, 8, tzinfo=UTC)),
        "claude-weekly-scoped-saga": (None, 2.5, datetime(2030, 1, 6, 9, tzinfo=UTC)),
    }
    assert seen.window("claude-weekly-scoped-saga").label == "Saga only"
    assert [window.id for window in seen.windows if window.blocks] == ["session", "weekly"]
    assert seen.confidence is Confidence.PERCENT_ONLY


def test_lines_may_end_in_carriage_returns_only() -> None:
    assert shown(PANEL.replace("\n", "\r")).windows == shown(PANEL).windows


def test_terminal_sequences_are_no_text() -> None:
    dressed = PANEL.replace("Current session", "\x1b[1mCurrent\x1b[1Csession\x1b[0m\x1b[K").replace(
        "31%", "\x1b[38;5;4m31%"
    )
    assert shown(dressed).windows == shown(PANEL).windows


def test_spaces_may_be_missing() -> None:
    text = "Currentsession\n22%used\nResets4:30pm(Europe/Rome)\nCurrentweek(allmodels)\n8%used"
    assert shown(text).window("session").resets_at == datetime(2030, 1, 2, 15, 30, tzinfo=UTC)
    assert shown(text).window("weekly").used_percent == 8


def test_left_is_what_is_not_used() -> None:
    assert shown("Current session\n70% left\n").window("session").used_percent == 30


@pytest.mark.parametrize("label", ["Curretsession", "Current sesion", "Cnt ssn"])
def test_a_torn_session_label(label: str) -> None:
    seen = shown(PANEL.replace("Current session", label))
    assert (seen.window("session").used_percent, seen.window("weekly").used_percent) == (31, 14)


def test_a_torn_week_label() -> None:
    assert shown(PANEL.replace("(all models)", "(all modls)")).window("weekly").used_percent == 14


def test_an_exact_label_wins_over_a_torn_one() -> None:
    text = "Current session\n31% used\nCurretsession\n90% used\n"
    assert shown(text).window("session").used_percent == 31
    exact, torn = "Current week (all models)\n66% used\n", "Current week (all modls)\n67% used\n"
    for text in (exact + torn, torn + exact):
        assert shown("Current session\n31% used\n" + text).window("weekly").used_percent == 66


def test_sonnet_and_opus_are_both_shown() -> None:
    seen = shown(PANEL + "Current week (Opus)\n97% used\n")
    assert [(w.id, w.lane, w.blocks) for w in seen.windows[2:4]] == [
        ("sonnet", "tertiary", False),
        ("opus", None, False),
    ]


def test_the_status_bar_is_not_the_session() -> None:
    text = "Opus | 0% used | default\n" + PANEL
    assert shown(text).window("session").used_percent == 31
    inside = PANEL.replace("Current session\n", "Current session\nSonnet | 0% used\n")
    assert shown(inside).window("session").used_percent == 31


def test_an_older_panel_does_not_count() -> None:
    assert shown(PANEL + PANEL.replace("31%", "44%")).window("session").used_percent == 44


def test_a_retained_panel_followed_by_loading_is_still_loading() -> None:
    assert state_of(PANEL + "Settings: Status Config Usage\nLoading usage data…\n") is State.LOADING
    assert state_of(PANEL + "Loading usage data…\n") is State.LOADING
    assert state_of("Loading usage data…\n" + PANEL) is State.USAGE


def test_a_session_only_panel() -> None:
    seen = shown(
        "Settings: Usage\nCurrent session\n5% used\nResets 3pm\nExtra usage\n80% used · $8.00 / $10.00 spent\n"
    )
    assert [(window.id, window.used_percent) for window in seen.windows] == [("session", 5)]


def test_extra_usage_text_is_not_a_models_week() -> None:
    seen = shown("Current session\n5% used\nCurrent week (Saga)\nExtra usage\n80% used\nResets Feb 1\n")
    assert [window.id for window in seen.windows] == ["session"]


def test_notices_that_mention_models_are_no_weeks() -> None:
    seen = shown("Opus is now default for this week (Max)\n" + PANEL + "Sonnet resets soon: 3 days left\n")
    assert {window.id for window in seen.windows} == {window.id for window in shown(PANEL).windows}


def test_a_reset_is_not_borrowed_from_the_next_label() -> None:
    seen = shown("Current session\n5% used\nCurrent week (all models)\n8% used\nResets Jan 5 at 9am (UTC)\n")
    assert seen.window("session").resets_at is None
    assert seen.window("session").description is None


def test_a_later_complete_copy_of_a_models_week_replaces_the_earlier() -> None:
    assert shown(PANEL + "Current week (Saga)\n7% used\nCurrent week (Saga)\n").windows[-1].used_percent == 7


def test_a_percent_without_any_label_is_no_usage() -> None:
    assert state_of("Battery 80% left\n") is State.NOTHING
    assert state_of("Current week (all models)\n8% used\n") is State.NOTHING


def test_a_torn_date_is_mended() -> None:
    seen = shown("Current session\n5% used\nCurrent week (all models)\n8% used\n(Resets Jan 3 t 2:00am (UTC))\n")
    assert seen.window("weekly").description == "Resets Jan 3 at 2:00am (UTC)"
    assert seen.window("weekly").resets_at == datetime(2030, 1, 3, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ('Failed to load usage data: {"error": {"type": "rate_limit_error"}}', State.RATE_LIMITED),
        ('Failed to load usage\r data: {"error": {"type": "authenti\r\ncation_error"}}', State.INVALID),
        ('Failed to load usage data: {"error":{"type":"permission_error"}}', State.INVALID),
        ('Failed to load usage data: {"error":{"details":{"error_code":"token_expired"}}}', State.INVALID),
        ("Please run /login", State.INVALID),
        ("API Error: 403", State.INVALID),
        ("Your account does not have access to Claude Code", State.INVALID),
        ("Failed to load usage data: {}", State.FAILED),
        ("You are currently using your subscription to power your Claude Code usage", State.NO_LIMITS),
        ("Do you trust the files in this folder?", State.TRUST),
        ("Loading usage data", State.LOADING),
        ("", State.NOTHING),
    ],
)
def test_what_the_program_says_instead(text: str, state: State) -> None:
    assert state_of(text) is state


def test_identity() -> None:
    text = "Account: ada@lab.test\nOrg: ada@lab.test's Organization\nLogin method: Claude Max Account\n"
    identity = identity_of(text)
    assert (identity.email, identity.organization, identity.plan) == ("ada@lab.test", None, "Max")
    assert identity_of("Organization: Lab\nClaude Code v2 · Claude Pro\n").organization == "Lab"
    assert identity_of("Claude Pro · Claude Code\n").plan is None
    assert identity_of("Claude Pro plan\n").plan == "Pro"


DAY, WEEK = 300, 10080


@pytest.mark.parametrize(
    ("text", "minutes", "expected"),
    [
        ("3pm (UTC)", DAY, "2030-01-02T15:00"),
        ("3:59pm (UTC)", DAY, "2030-01-02T15:59"),
        ("15:59 (UTC)", DAY, "2030-01-02T15:59"),
        ("12am (UTC)", 1440, "2030-01-03T00:00"),
        ("11:30am (UTC)", DAY, "2030-01-02T11:30"),
        ("Jan 4 at 12am (UTC)", WEEK, "2030-01-04T00:00"),
        ("Jan 2, 2026, 10:59pm (UTC)", WEEK, "2026-01-02T22:59"),
        ("Jan4at9am(UTC)", WEEK, "2030-01-04T09:00"),
        ("Jan.4.9.30am (UTC)", WEEK, "2030-01-04T09:30"),
        ("Dec 31 at 9am (UTC)", WEEK, "2029-12-31T09:00"),
        ("Jan 4 at 9am (America/New_York)", WEEK, "2030-01-04T14:00"),
    ],
)
def test_reset_times(text: str, minutes: int, expected: str) -> None:
    assert reset_time(text, NOW, minutes) == datetime.fromisoformat(expected + "+00:00")


@pytest.mark.parametrize("text", ["soon", "25:00", "13pm (UTC)", "3pm (Nowhere/City)", "Feb 30 at 9am (UTC)"])
def test_what_is_no_time(text: str) -> None:
    assert reset_time(text, NOW, WEEK) is None


def test_a_leap_day() -> None:
    now = datetime(2032, 2, 27, tzinfo=UTC)
    assert reset_time("Feb 29 at 9am (UTC)", now, WEEK) == datetime(2032, 2, 29, 9, tzinfo=UTC)


def test_repeated_and_skipped_hours() -> None:
    before, between = datetime(2030, 10, 27, 0, tzinfo=UTC), datetime(2030, 10, 27, 0, 45, tzinfo=UTC)
    assert reset_time("2:30am (Europe/Rome)", before, DAY) == datetime(2030, 10, 27, 0, 30, tzinfo=UTC)
    assert reset_time("2:30am (Europe/Rome)", between, DAY) == datetime(2030, 10, 27, 1, 30, tzinfo=UTC)
    assert reset_time("Mar 31, 2030, 2:30am (Europe/Rome)", NOW, WEEK) is None
