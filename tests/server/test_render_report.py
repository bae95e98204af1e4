"""Text for the terminal, and the report in its three formats."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, timedelta, timezone
from html.parser import HTMLParser

import pytest

from quotaline.forecast.traits import Traits
from quotaline.render import times
from quotaline.render.report import Format, report
from quotaline.render.terminal import terminal
from quotaline.render.text import columns
from quotaline.state import ProviderState, VendorStatus
from quotaline_providers.errors import Kind
from quotaline_providers.model import Chart, Identity, Point, ResetCredit, ResetCredits, Row, Section, Window

from .render_states import NOW, after, balance, failure, session, snapshot, spend, state, usage, view, weekly, window

RICH = state(
    "codex",
    usage=usage(
        session(61, resets_at=after(minutes=150)),
        weekly(92),
        balances=(balance("12.5", "credits", id="credits"), balance("3")),
        spends=(spend("3", "10"),),
        identity=Identity(email="ann@example.test", plan="pro_plus"),
        details=(Section(title="Models", rows=(Row(label="big", value="12", secondary="$1"),)),),
        reset_credits=ResetCredits(
            available=2, credits=(ResetCredit(id="d", status="available", expires_at=after(days=2, hours=3)),)
        ),
        notes=("Shared plan",),
        source="codex-cli",
        version="codex 1.4.2-beta",
    ),
    failure=failure(message="No answer."),
    stale=True,
)


def lines(*states: ProviderState, width: int = 0) -> list[str]:
    return terminal(snapshot(*states), view(), width=width).splitlines()


def test_the_block_of_a_provider() -> None:
    status = VendorStatus("major", "https://status.example.test", "Sign-in fails")
    assert terminal(snapshot(replace(RICH, status=status)), view()).splitlines() == [
        "== Codex 1.4.2 (cli) ==",
        "Session: 61% used [=======-----]",
        "  Pace: 11% more used than expected by now (50%) · runs out in 1h 35m",
        "  Resets in 2h 30m",
        "Weekly: 92% used [===========-]",
        "Balance: 12.5 credits",
        "Balance: $3.00",
        "This month: $3.00 of $10.00 used",
        "Limit reset credits: 2 available · the next expires in 2d 3h",
        "Models",
        "  big: 12 · $1",
        "Account: ann@example.test",
        "Plan: Pro Plus",
        "Note: Shared plan",
        "Status: Major outage – Sign-in fails",
        "Out of date, last read 3m ago",
        "Error: No answer.",
        "  Run `claude login`.",
    ]


def test_an_account_without_limits_says_so() -> None:
    assert "Limits: not available" in lines(state("codex", usage=usage(limits_unavailable=True)))


@pytest.mark.parametrize(("used", "code"), [(95, "31"), (80, "33"), (79, "32")])
def test_colours_are_those_of_the_status_line_and_only_when_asked(used: float, code: str) -> None:
    coloured = terminal(snapshot(state("x", session(used))), view(), colour=True)
    assert f"\x1b[{code}m" in coloured
    assert "\x1b" not in terminal(snapshot(state("x", session(used))), view())


def test_lines_are_cut_to_the_width_and_keep_their_bar() -> None:
    wide = state("x", session(50, label="限額" * 30), name="N" * 60)
    cut = lines(wide, RICH, width=40)
    assert max(columns(line) for line in cut) <= 40
    assert any(line.endswith("… 50% used [======------]") for line in cut)


def test_nothing_is_said_to_be_nothing() -> None:
    assert terminal(snapshot(), view()) == "Quotaline: no providers"


def reset_line(reading: Window, *, detail: bool = False) -> str | None:
    return times.reset_line(reading, NOW, "countdown", UTC, description_is_detail=detail)


def test_the_words_for_a_reset() -> None:
    assert reset_line(session(1, resets_at=after(hours=2))) == "Resets in 2h"
    assert reset_line(session(1, resets_at=after(hours=-2))) == "Resets now"
    assert reset_line(session(1, description="in 3 days")) == "Resets in 3 days"
    assert reset_line(session(1, description="Resets daily")) == "Resets daily"
    assert reset_line(session(1, description="30 of 50 messages")) == "30 of 50 messages"
    assert reset_line(session(1)) is None


def test_an_allowance_that_fills_up_step_by_step_is_no_reset() -> None:
    assert reset_line(session(1, resets_at=after(minutes=9), next_regen_percent=5)) == "Regenerates in 9m"


def test_a_detail_is_not_taken_for_a_reset() -> None:
    assert reset_line(session(1, description="daily bonus"), detail=True) is None
    assert (
        "  daily bonus"
        in terminal(
            snapshot(state("warp", session(1, description="daily bonus"))),
            view(traits=Traits(description_is_detail=True)),
        ).splitlines()
    )


def test_times_of_day_follow_the_zone() -> None:
    west = timezone(timedelta(hours=-10))
    assert times.resets(after(hours=2), NOW, "absolute", UTC) == "Resets 14:10"
    assert times.resets(after(hours=22), NOW, "absolute", west) == "Resets tomorrow, 00:10"
    assert times.resets(after(hours=-2), NOW, "absolute", west) == "Resets now"
    assert times.clock_time(after(days=365), NOW, west) == "Jan 2 2031, 02:10"


@pytest.mark.parametrize(
    ("age", "words"),
    [
        (timedelta(seconds=-5), "just now"),
        (timedelta(seconds=59), "just now"),
        (timedelta(minutes=59), "59m ago"),
        (timedelta(hours=23), "23h ago"),
        (timedelta(hours=49), "Dec 31 2029, 11:10"),
    ],
)
def test_the_age_of_the_data(age: timedelta, words: str) -> None:
    assert times.age(NOW - age, NOW, UTC) == words


class Page(HTMLParser):
    """Checks that tags are closed in order, and remembers them."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def page(html: str) -> Page:
    parser = Page()
    parser.feed(html)
    parser.close()
    assert parser.open == []
    return parser


CHARTS = state(
    "openai",
    usage=usage(
        window("credits", 85, used=17, limit=20, unit="USD"),
        details=(
            Section(
                chart=Chart(kind="bars", points=tuple(Point(label=f"day {n}", value=n) for n in range(5)), unit="USD")
            ),
            Section(chart=Chart(kind="line", points=(Point(label="only", value=0),), title="Calls")),
            Section(chart=Chart(kind="line", points=())),
        ),
    ),
    dashboard="https://example.test/usage",
)


def test_the_html_report_is_whole_and_loads_nothing() -> None:
    html = report(snapshot(RICH, CHARTS, state("zed", failure=failure())), view(), "html")
    parsed = page(html)
    assert not {"script", "img", "link", "iframe", "object"} & set(parsed.tags)
    assert not [name for name, _ in parsed.attributes if name.startswith("on") or name == "src"]
    assert "url(" not in html
    assert "@import" not in html
    assert [value for name, value in parsed.attributes if name == "class" and value == "chart"] == ["chart"]
    assert not [name for name, _ in parsed.attributes if name == "style"]
    assert 'role="meter"' in html
    assert "85% used" in html
    assert "$17.00 of $20.00" in html
    assert "prefers-color-scheme: dark" in html
    assert "--vscode-foreground" in html


def test_html_is_escaped() -> None:
    bad = '<script>alert("x")</script>\'&'
    hostile = state("x", session(1, label=bad), name=bad, account=bad, failure=failure(message=bad), dashboard=bad)
    html = report(snapshot(hostile, problem=bad), view(), "html")
    assert "script" not in page(html).tags
    assert "&lt;script&gt;" in html


@pytest.mark.parametrize("format", ["markdown", "text", "html"])
def test_every_format_tells_of_providers_errors_and_nothing(format: Format) -> None:
    told = report(snapshot(RICH, state("zed", failure=failure(Kind.TIMEOUT, "No answer."))), view(), format)
    assert "Codex" in told
    assert "Zed" in told
    assert "No answer." in told
    assert re.search("no provider", report(snapshot(), view(), format), re.IGNORECASE)


@pytest.mark.parametrize("format", ["markdown", "text", "html"])
def test_hidden_identity_is_in_no_report(format: Format) -> None:
    assert "ann" not in report(snapshot(RICH), view(hide_identity=True), format).replace("channel", "")


@pytest.mark.parametrize("format", ["markdown", "text", "html"])
def test_a_provider_that_is_not_loaded_is_told_beside_the_others(format: Format) -> None:
    told = "Provider demo is not loaded: ~/x.py:2: RuntimeError."
    shown = report(replace(snapshot(RICH), not_loaded=(told,)), view(), format)
    assert "Codex" in shown
    assert told in shown.replace("\\", "")
    assert "not loaded" not in report(snapshot(RICH), view(), format)
