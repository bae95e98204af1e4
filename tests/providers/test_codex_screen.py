"""Codex's `/status` screen: what its text means, and that it is opened only for a user who waits."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from quotaline_providers.errors import BadResponse, ReadError, Unavailable
from quotaline_providers.model import Usage
from quotaline_providers.testing import NOW
from quotaline_providers.vendors.codex import cli, screen
from quotaline_providers.vendors.codex.screen import problem_of, reset_time, to_count, to_limits
from tests import systems
from tests.providers.codex_login import EMAIL, write_login

STATUS = """╭──────────────╮
│ Credits: 2,140
│ 5h limit:     [█████ ] 72% left (resets 15:45) │
│ Weekly limit: [███   ] 31% left (resets 06:05 on 7 Jan) │
│ Turbo 5h limit: [      ] 1% left (resets 13:00) │
"""


pytestmark = systems.terminals


@pytest.fixture(autouse=True)
def universal_time(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# --- what it says ----------------------------------------------------------------------------------


def test_windows_and_credits() -> None:
    seen = to_limits(STATUS, NOW)
    assert [(window.id, window.lane, window.used_percent, window.resets_at) for window in seen.windows] == [
        ("session", "primary", 28, at("2030-01-02T15:45")),
        ("weekly", "secondary", 69, at("2030-01-07T06:05")),
    ]
    assert seen.balance == 2140


def test_terminal_sequences_are_no_text_and_the_last_copy_wins() -> None:
    again = STATUS.replace("72%", "\x1b[1m70\x1b[0m%").replace("\n", "\r\n")
    assert to_limits(STATUS + "\x1b[2J\x1b[H" + again, NOW).windows[0].used_percent == 30


def test_the_monthly_limit() -> None:
    text = "Monthly credit limit: [██ ] 61% left (resets 00:00 on Feb 1)\n  78.5 of 1 200 credits used\n"
    monthly = to_limits(text, NOW).monthly
    assert monthly is not None
    assert (monthly.used, monthly.limit) == (78.5, 1200)
    assert monthly.resets_at == at("2030-02-01T00:00")
    assert to_limits("78.5 of 1 200 credits used", NOW).monthly is None


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1,250", 1250),
        ("1.250", 1250),
        ("1 250", 1250),
        ("1\u00a0250\u202f000", 1250000),
        ("12.5", 12.5),
        ("12,5", 12.5),
        ("1,250.75", 1250.75),
        ("1.250,75", 1250.75),
        ("7", 7),
        ("1.2.3", None),
        ("9" * 400, None),
    ],
)
def test_numbers(text: str, number: float | None) -> None:
    assert to_count(text) == number


@pytest.mark.parametrize(
    ("tail", "expected"),
    [
        ("15:45)", "2030-01-02T15:45"),
        ("11:59", "2030-01-03T11:59"),
        ("04:10 on 3 Mar", "2030-03-03T04:10"),
        ("04:10 on Mar 3", "2030-03-03T04:10"),
        ("04:10 on 1 Jan", "2031-01-01T04:10"),
        ("04:10 on 29 Feb", "2032-02-29T04:10"),
        ("04:10 on 31 Foo", None),
        ("25:10", None),
        ("soon", None),
    ],
)
def test_reset_times(tail: str, expected: str | None) -> None:
    assert reset_time(tail, NOW) == (at(expected) if expected else None)


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("Limits: data not\n available yet", Unavailable, "yet"),
        ("Update available! codex 9.9", BadResponse, "too old"),
        ("hello", BadResponse, "no limits"),
    ],
)
def test_why_there_are_no_limits(text: str, error: type[ReadError], words: str) -> None:
    assert isinstance(problem_of(text), error)
    assert words in problem_of(text).message


# --- how it is opened ------------------------------------------------------------------------------

FAKE = """
import os, sys
if sys.argv[-1] == "app-server":
    sys.exit()
assert sys.argv[1:] == ["-s", "read-only", "-a", "never", "-c", 'history.persistence="none"'], sys.argv
import tty
runs = {runs!r}
open(runs, "a").write("%dx%d " % (os.get_terminal_size().lines, os.get_terminal_size().columns))
run = len(open(runs).read().split())
tty.setraw(0)
os.write(1, b"\\x1b[6n")
typed = b""
while not typed.endswith(b"R"):
    typed += os.read(0, 1)
typed = b""
while not typed.endswith(b"\\r"):
    typed += os.read(0, 1)
assert typed == b"/status\\r", typed
os.write(1, {text!r}.encode() if run >= {shown_in} else b"nothing")
while os.read(0, 1):
    pass
"""


@pytest.fixture
def codex(program: Callable[[str, str], Path], home: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """`codex(text, shown_in=1)`: a program whose screen shows the text, from this run on; it knows no other way."""
    for name, seconds in {"FIRST_SECONDS": 1.5, "AGAIN_SECONDS": 1.5, "PAUSE_SECONDS": 0.05}.items():
        monkeypatch.setattr(screen, name, seconds)
    monkeypatch.setattr(cli, "INITIALIZE_SECONDS", 3.0)

    def write(text: str = STATUS, shown_in: int = 1) -> None:
        program("codex", FAKE.format(runs=str(home / "runs"), text=text, shown_in=shown_in))

    return write


def runs(home: Path) -> list[str]:
    path = home / "runs"
    return path.read_text().split() if path.exists() else []


def test_a_user_who_chose_the_program_gets_its_screen(codex: Any, read: Callable[..., Usage], home: Path) -> None:
    write_login(home)
    codex()
    usage = read("codex", source="cli", interactive=True)
    assert usage.window("session").used_percent == 28
    assert usage.balance("credits").amount == 2140
    assert (usage.source, usage.identity.email, usage.identity.plan) == ("codex-cli", EMAIL, "Plus")
    assert runs(home) == ["60x200"]


def test_a_screen_that_cannot_be_understood_is_asked_for_once_more(codex: Any, read: Any, home: Path) -> None:
    write_login(home)
    codex(shown_in=2)
    read("codex", source="cli", interactive=True)
    assert runs(home) == ["60x200", "70x220"]
    codex(text="nothing at all")
    with pytest.raises(BadResponse, match="no limits"):
        read("codex", source="cli", interactive=True)


@pytest.mark.parametrize("asked", [{"source": "cli"}, {"interactive": True}, {}])
def test_it_is_never_opened_otherwise(codex: Any, outcome: Any, home: Path, asked: dict[str, Any]) -> None:
    write_login(home, {"tokens": {}})
    codex()
    assert isinstance(outcome("codex", **asked).error, Unavailable)
    assert runs(home) == []


def test_without_a_login_it_would_open_a_browser(codex: Any, outcome: Any, home: Path) -> None:
    codex()
    assert isinstance(outcome("codex", source="cli", interactive=True).error, Unavailable)
    assert runs(home) == []
