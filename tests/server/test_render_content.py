"""What is said of a provider: the same in every face, each thing once, in words for people."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from quotaline.render import sources
from quotaline.render.content import Amount, Meter, amounts, foot, meters, rows
from quotaline.render.hover import hover
from quotaline.render.protocol import usage_params
from quotaline.render.report import report
from quotaline.render.statusline import status_line
from quotaline.render.terminal import terminal
from quotaline_providers.model import ResetCredits, Row, Section, Window

from .render_states import NOW, after, balance, failure, session, shown, snapshot, spend, state, usage, view, window


def only_meter(reading: Window, **options: Any) -> Meter:
    (meter,) = meters(shown(state("x", reading), **options))
    return meter


def told(**fields: Any) -> dict[str, str]:
    return {amount.label: amount.text for amount in amounts(shown(state("x", usage=usage(**fields))))}


def kept(*windows: Window, row: Row, title: str | None = None, **fields: Any) -> bool:
    """Whether a row is shown beside these, in a section of this title."""
    section = Section(title=title, rows=(row,))
    return bool(rows(shown(state("x", usage=usage(*windows, details=(section,), **fields))), section))


# --- one figure ------------------------------------------------------------------------------------

MONEY = session(63, used=12.6, limit=20, unit="USD", resets_at=after(hours=28))


@pytest.mark.parametrize(
    ("percent", "figure", "amount", "other"),
    [("used", "63% used", "$12.60 of $20.00", "37%"), ("left", "37% left", "$7.40 of $20.00", "63%")],
)
def test_every_face_has_the_same_figure(percent: str, figure: str, amount: str, other: str) -> None:
    all, viewed = snapshot(state("x", MONEY)), view(percent=percent)
    line, params = status_line(all, viewed).text, usage_params(all, viewed)
    assert figure.removesuffix(" used") in line
    assert params.providers[0].windows[0].text == f"{figure}, resets in 1d 4h"
    for face in (terminal(all, viewed), hover(all, viewed), report(all, viewed, "html"), report(all, viewed)):
        assert figure in face
        assert amount in face
        assert "1d 4h" in face
    for face in (line, terminal(all, viewed), hover(all, viewed), report(all, viewed, "html")):
        assert other not in face


def test_a_bar_is_as_full_as_the_figure_says() -> None:
    assert only_meter(MONEY).fill == 63
    assert only_meter(MONEY, percent="left").fill == 37


@pytest.mark.parametrize("percent", ["used", "left"])
def test_what_has_no_limit_is_full_in_every_face(percent: str) -> None:
    all, viewed = snapshot(state("warp", session(None, unlimited=True))), view(percent=percent)
    assert "Warp Unlimited" in status_line(all, viewed).text
    for face in (terminal(all, viewed), hover(all, viewed), report(all, viewed, "html")):
        assert "nlimited" in face
        assert "0%" not in face.replace("100%", "")
    assert "[============]" in terminal(all, viewed)


def test_nothing_is_left_of_what_is_used_up_and_never_less() -> None:
    assert only_meter(session(120, used=24, limit=20, unit="USD"), percent="left").amounts == "$0.00 of $20.00"


def test_a_spend_says_which_side_it_is_of() -> None:
    limited = usage(spends=(spend("12.6", "20", resets_at=after(days=4), period="Monthly"),))
    (used,) = amounts(shown(state("x", usage=limited)))
    (left,) = amounts(shown(state("x", usage=limited), percent="left"))
    assert used == Amount("This month", "$12.60 of $20.00 used · Monthly · Resets in 4d")
    assert left == Amount("This month", "$7.40 of $20.00 left · Monthly · Resets in 4d")


def test_what_fills_up_step_by_step_regenerates() -> None:
    assert told(spends=(spend("3", "8", resets_at=after(hours=4), next_regen=1),)) == {
        "This month": "$3.00 of $8.00 used · Regenerates in 4h"
    }


# --- each thing once -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    ["3 / 30", "3 of 30 voices used", "27 left", "3/30 voices", "3 used, 27 left", "Voices"],
)
def test_a_description_that_repeats_its_window_is_left_out(words: str) -> None:
    voices = window("voices", 10, used=3, limit=30, unit="voices", description=words)
    assert only_meter(voices).reset == ""


@pytest.mark.parametrize("words", ["3 / 31", "3 of 30 until Friday", "Team lab: 3 / 30", "in 3 days"])
def test_a_description_that_says_more_stays(words: str) -> None:
    voices = window("voices", 10, used=3, limit=30, unit="voices", description=words)
    assert only_meter(voices).reset


def test_a_window_that_only_stands_for_a_balance_is_told_as_that() -> None:
    stand_in = session(0, label="Balance", minutes=None, description="$7.25 (Granted: $2.00)")
    purse = state("x", usage=usage(stand_in, balances=(balance("7.25"),)))
    assert meters(shown(purse)) == ()
    assert amounts(shown(purse)) == (Amount("Balance", "$7.25 (Granted: $2.00)"),)
    (provider,) = usage_params(snapshot(purse), view()).providers
    assert (provider.windows, [one.text for one in provider.balances]) == ((), ["$7.25 (Granted: $2.00)"])


def test_a_balance_does_not_name_its_unit_twice() -> None:
    credits = balance("12.5", "credits").model_copy(update={"label": "Credits"})
    assert told(balances=(credits, balance("88", "points"), balance("-0.35"))) == {
        "Credits": "12.5 left",
        "Balance": "-$0.35",
    }


def test_a_spend_that_a_window_tells_is_left_out() -> None:
    budget = session(25, used=5, limit=20, unit="USD")
    assert meters(shown(state("x", usage=usage(budget, spends=(spend("5", "20"), spend("5", "30"))))))
    assert told(windows=(budget,), spends=(spend("5", "20"),)) == {}


def test_a_period_is_not_said_behind_itself() -> None:
    assert told(spends=(spend("8.31", period="This month"),)) == {"This month": "$8.31"}


def test_rows_that_repeat_what_is_shown_are_left_out() -> None:
    purse: dict[str, Any] = {"balances": (balance("18.4"),)}
    assert not kept(row=Row(label="Balance", value="$18.40"), **purse)
    assert not kept(row=Row(label="Remaining", value="18.4"), **purse)
    assert kept(row=Row(label="Balance", value="$18.40", secondary="$0.75 owed"), **purse)
    assert kept(row=Row(label="Used", value="$18.40"), **purse)
    assert not kept(session(30, used=45, limit=150), row=Row(label="Session", value="45 / 150"))
    assert kept(session(30, used=45, limit=150), row=Row(label="Session", value="46 / 150"))


def test_rows_of_a_section_named_like_a_window_are_left_out() -> None:
    budget = session(25, label="API key", used=5, limit=20, unit="USD")
    for row in (Row(label="Budget", value="$20.00"), Row(label="Used", value="$5.00")):
        assert not kept(budget, row=row, title="API key")
        assert kept(budget, row=row, title="Other key")
    assert kept(budget, row=Row(label="Budget", value="No limit configured"), title="API key")
    assert kept(budget, row=Row(label="Today", value="$5.00"), title="API key")


def test_what_is_left_of_a_window_is_not_told_in_a_row_of_its_own() -> None:
    credits = session(62, label="Credits", used=62_000, limit=100_000, unit="credits")
    assert not kept(credits, row=Row(label="Remaining", value="38,000 credits"))
    assert kept(credits, row=Row(label="Remaining", value="38,001 credits"))
    assert kept(credits, row=Row(label="Remaining", value="unknown"))


def test_a_description_that_repeats_the_figure_is_left_out() -> None:
    endless = session(None, unlimited=True, minutes=None, description="Unlimited")
    assert (only_meter(endless).figure, only_meter(endless).reset) == ("Unlimited", "")


def test_reset_credits_are_told_once() -> None:
    told_in_rows = (Section(rows=(Row(label="Limit reset credits", value="2 available"),)),)
    assert "Limit reset credits" in told(reset_credits=ResetCredits(available=2))
    assert "Limit reset credits" not in told(reset_credits=ResetCredits(available=2), details=told_in_rows)


# --- words -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("provider", "label", "kind"),
    [
        ("alibaba", "alibaba-coding-plan.web", "web"),
        ("claude", "admin-api", "api"),
        ("codex", "codex-cli", "cli"),
        ("codex", "openai-web", "web"),
        ("openai", "billing-api", "api"),
        ("azureopenai", "deployment", "api"),
        ("nobody", "local+web", "web"),
        ("nobody", "moonbeam", "moonbeam"),
    ],
)
def test_a_source_is_told_by_its_kind(provider: str, label: str, kind: str) -> None:
    assert sources.kind(provider, label) == kind


def test_an_old_number_is_not_called_updated() -> None:
    fresh = usage(session(1), updated_at=NOW)
    assert foot(shown(state("x", usage=fresh)))[0] == "Updated just now"
    assert foot(shown(state("x", usage=fresh, stale=True, failure=failure())))[0] == "Updated just now"
    old = usage(session(1), updated_at=NOW - timedelta(hours=3))
    assert foot(shown(state("x", usage=old, stale=True)))[0] == "Out of date, last read 3h ago"


def test_the_pace_is_told_of_the_side_that_is_shown() -> None:
    half = session(61, resets_at=after(minutes=150))
    assert only_meter(half).pace == "11% more used than expected by now (50%) · runs out in 1h 35m"
    assert only_meter(half, percent="left").pace == "11% less left than expected by now (50%) · runs out in 1h 35m"
    even = session(51, resets_at=after(minutes=150))
    assert only_meter(even).pace.startswith("as much used as expected by now (50%)")
