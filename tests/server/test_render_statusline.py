"""The status line, the hover behind it and the protocol that carries them."""

from __future__ import annotations

import json
from datetime import timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from quotaline.render.hover import hover, provider_hover
from quotaline.render.protocol import usage_params
from quotaline.render.report import markdown_report
from quotaline.render.report_html import html_fragment
from quotaline.render.statusline import StatusLine, state_text, status_line
from quotaline.render.terminal import terminal
from quotaline.state import Held, ProviderState, Snapshot, VendorStatus
from quotaline_providers.errors import Kind
from quotaline_providers.model import Identity, Row, Section

from .render_states import NOW, after, balance, failure, session, snapshot, spend, state, usage, view, weekly, window


def line(*states: ProviderState, problem: str | None = None, **settings: Any) -> StatusLine:
    return status_line(snapshot(*states, problem=problem), view(**settings))


def text(*states: ProviderState, **settings: Any) -> str:
    return line(*states, **settings).text


CLAUDE = state("claude", session(62, resets_at=after(hours=2)))
CODEX = state("codex", session(18, resets_at=after(hours=2)))


def test_percent_used_and_time_to_reset_past_half() -> None:
    assert text(CODEX, CLAUDE) == "Claude 62% 2h · Codex 18%"


@pytest.mark.parametrize(
    ("left", "word"),
    [
        (timedelta(seconds=20), "<1m"),
        (timedelta(minutes=59), "59m"),
        (timedelta(minutes=60), "1h"),
        (timedelta(hours=28), "1d 4h"),
        (timedelta(days=3), "3d"),
    ],
)
def test_time_to_reset_has_two_units_at_most(left: timedelta, word: str) -> None:
    assert text(state("claude", session(70, resets_at=NOW + left))) == f"Claude 70% {word}"


def test_one_state_alone_is_told_as_in_the_line() -> None:
    assert state_text(CLAUDE, view()) == "Claude 62% 2h"


def test_no_time_is_shown_after_the_reset() -> None:
    assert text(state("claude", session(70, resets_at=after(hours=-1)))) == "Claude 70% (old)"


def test_the_worst_come_first_and_only_so_many() -> None:
    states = [state(f"p{percent}", session(percent)) for percent in (10, 97, 50, 85)]
    assert text(*states) == "P97 97% · P85 85% · P50 50%"
    assert text(*states, max_items=1) == "P97 97%"


def test_errors_are_one_mark_behind_all_numbers() -> None:
    failed = [state(id, failure=failure()) for id in ("amp", "kiro", "zed")]
    states = (*failed, CODEX, state("warp", session(85)), CLAUDE)
    assert text(*states) == "Warp 85% · Claude 62% 2h · Codex 18% · 3 !"
    assert text(*states, max_items=1) == "Warp 85% · 3 !"
    assert text(failed[0], CODEX) == "Codex 18% · 1 !"


def test_without_any_number_a_single_failure_has_its_name() -> None:
    failed = [state(id, failure=failure()) for id in ("amp", "kiro")]
    assert line(failed[0]) == StatusLine("Amp !", "error")
    assert line(*failed) == StatusLine("Quotaline 2 !", "error")


@pytest.mark.parametrize("kind", [Kind.RATE_LIMITED, Kind.UNAVAILABLE, Kind.TIMEOUT])
def test_a_wait_or_an_outage_with_old_numbers_needs_nobody(kind: Kind) -> None:
    waiting = state("claude", session(46), stale=True, failure=failure(kind))
    assert text(waiting, CODEX) == "Claude 46% (old) · Codex 18%"
    assert text(state("claude", failure=failure(kind)), CODEX) == "Codex 18% · 1 !"


def test_an_error_that_needs_the_user_is_marked_beside_old_numbers() -> None:
    expired = state("claude", session(46), stale=True, failure=failure())
    assert text(expired, CODEX) == "Claude 46% (old) · Codex 18% · 1 !"


def test_six_providers_of_which_two_fail() -> None:
    refused = state("deepseek", failure=failure(Kind.FORBIDDEN))
    waiting = state("copilot", session(70), stale=True, failure=failure(Kind.RATE_LIMITED))
    others = (state("claude", session(46)), state("codex", session(18)), state("zed", session(9)))
    told = text(refused, waiting, state("warp", session(1)), *others)
    assert told == "Copilot 70% (old) · Claude 46% · Codex 18% · 1 !"


def test_chosen_providers_stand_in_the_users_order() -> None:
    assert text(CLAUDE, CODEX, providers=("codex", "claude", "gone")) == "Codex 18% · Claude 62% 2h"
    assert text(CLAUDE, CODEX, providers=("codex",)) == "Codex 18%"


def test_a_balance_is_shown_where_there_is_no_window() -> None:
    assert text(state("openrouter", name="OpenRouter", usage=usage(balances=(balance("17.5"),)))) == "OpenRouter $17.50"
    assert text(state("groq", usage=usage(spends=(spend("3.2"),)))) == "Groq $3.20 used"


def test_a_window_without_a_number_shows_its_reset() -> None:
    assert text(state("claude", session(None, resets_at=after(hours=2)))) == "Claude ↻ 2h"
    assert text(state("claude", usage=usage())) == "Claude –"


def test_percent_left_is_a_setting() -> None:
    assert text(CLAUDE, percent="left") == "Claude 38% left 2h"


def test_nothing_used_beside_a_limit_that_is_not_read_is_in_doubt() -> None:
    doubted = state("kimi", usage=usage(session(0), unread_limits=("surge_pool",)))
    certain = state("kimi", usage=usage(session(12), unread_limits=("surge_pool",)))
    assert (text(doubted), text(doubted, percent="left")) == ("Kimi 0%?", "Kimi 100%? left")
    assert text(certain) == "Kimi 12%"
    assert "0%? used" in provider_hover(doubted, view())


@pytest.mark.parametrize(("percent", "word"), [(-4, "0%"), (0.4, "<1%"), (140, "100%"), (62.5, "62%")])
def test_percentages_are_clamped_and_rounded_half_to_even(percent: float, word: str) -> None:
    assert word in text(state("claude", session(percent)))


def test_nothing_to_show() -> None:
    assert line() == StatusLine("Quotaline: no providers", "empty")
    assert line(state(active=False)) == StatusLine("Quotaline: no providers", "empty")
    assert line(CLAUDE, providers=("codex",)).severity == "empty"
    assert (
        line(state("codebuff", failure=failure().model_copy(update={"quiet": True}))).text == "Quotaline: no providers"
    )
    assert line(problem="The config file is broken.") == StatusLine("Quotaline !", "error")


def test_loading_shows_only_while_there_is_nothing_else() -> None:
    assert line(state(refreshing=True)) == StatusLine("Quotaline …", "empty")
    assert text(state(refreshing=True), CODEX) == "Codex 18%"


def test_that_there_are_no_providers_is_not_said_before_the_machine_was_searched() -> None:
    starting = Snapshot((), detected=False)
    assert status_line(starting, view()) == StatusLine("Quotaline …", "empty")
    for face in (hover, terminal, markdown_report, html_fragment):
        assert "looking for your providers" in face(starting, view())
        assert "looking for your providers" not in face(Snapshot(()), view())


def test_an_old_number_is_marked_in_every_format() -> None:
    stale = state("codex", session(18), stale=True, failure=failure(Kind.TIMEOUT))
    assert line(stale) == StatusLine("Codex 18% (old)", "stale")
    assert text(stale, format="{name}: {left}") == "Codex: 82% (old)"
    reached = state("codex", session(100, resets_at=after(hours=2)), stale=True)
    assert line(reached) == StatusLine("Codex 100% 2h (old)", "critical")
    spent = state("groq", usage=usage(balances=(balance("3"),)), stale=True)
    assert text(spent) == "Groq $3.00 (old)"


def test_a_window_that_is_not_the_shortest_is_named() -> None:
    week = weekly(97, resets_at=after(days=4))
    assert text(state("claude", session(5), week)) == "Claude 97% wk 4d"
    assert text(state("claude", session(5), weekly(20))) == "Claude 20% wk"
    assert text(state("claude", session(98), weekly(97))) == "Claude 98%"
    month = window("monthly", 60, lane="tertiary", minutes=43200)
    assert text(state("claude", session(5), weekly(20), month)) == "Claude 60% mo"
    assert text(state("claude", week)) == "Claude 97% 4d"


def test_a_window_that_its_length_does_not_tell_has_its_name() -> None:
    own, team = window("own", 5, lane="primary"), window("team", 60, lane="secondary", label="Team budget")
    assert text(state("litellm", own, team)) == "Litellm 60% Team budget"
    flash = window("flash", 60, lane="secondary", minutes=1440)
    assert text(state("gemini", window("pro", 5, lane="primary", minutes=1440), flash)) == "Gemini 60% Flash"


def test_the_colour_follows_the_number_and_a_model_makes_a_warning() -> None:
    assert line(state("claude", session(5), weekly(99))) == StatusLine("Claude 99% wk", "critical")
    opus = window("opus", 99, minutes=10080, blocks=False, label="Opus")
    assert line(state("claude", session(5), weekly(20), opus)) == StatusLine("Claude 20% wk", "warning")
    told = provider_hover(state("claude", session(5), weekly(20), opus), view())
    assert told.index("Opus") < told.index("Session") < told.index("Weekly")


def test_the_holder_of_the_headline_is_shown() -> None:
    close = (session(50), weekly(60))
    assert text(state("claude", *close)) == "Claude 60% wk"
    assert text(state("claude", *close, held=Held("session", "weekly"))) == "Claude 50%"


def test_the_users_metric_is_shown() -> None:
    rich = usage(session(5), weekly(60), balances=(balance("7"),), spends=(spend("3.2"),))
    shown = {
        metric: text(state("claude", usage=rich, metric=metric)) for metric in ("session", "balance", "spend", "gone")
    }
    assert shown == {
        "session": "Claude 5%",
        "balance": "Claude $7.00",
        "spend": "Claude $3.20 used",
        "gone": "Claude 60% wk",
    }


def test_a_low_balance_is_a_warning() -> None:
    purse = usage(balances=(balance("4"),))
    assert line(state("groq", usage=purse, low_balance={"usd": Decimal(5)})) == StatusLine("Groq $4.00", "warning")
    assert line(state("groq", usage=purse, low_balance={"eur": Decimal(5)})).severity == "ok"


def test_of_several_accounts_the_active_one_is_shown() -> None:
    both = (
        state("claude", session(20), account="Work", active=False),
        state("claude", session(10), account="Home"),
        state("codex", session(5)),
    )
    assert text(*both) == "Claude Home 10% · Codex 5%"
    assert text(*both, hide_identity=True) == "Claude #2 10% · Codex 5%"


def test_of_several_active_accounts_the_one_that_binds_is_shown() -> None:
    failed = state("claude", account="Lab", failure=failure())
    home, work = (state("claude", session(used), account=name) for name, used in (("Home", 10), ("Work", 20)))
    assert text(failed, home, work) == "Claude Work 20% · 1 !"
    assert text(failed, state("claude", account="New")) == "Claude Lab !"


def test_the_only_account_of_a_provider_needs_no_name() -> None:
    alone = state("copilot", session(70, resets_at=after(hours=28)), account="ada")
    assert text(alone) == "Copilot 70% 1d 4h"
    assert text(alone, state("copilot", session(9), account="ben", active=False)) == "Copilot ada 70% 1d 4h"
    told = hover(snapshot(alone), view())
    assert "### Copilot\n\nada\n" in told


def test_an_account_can_be_named_in_the_settings() -> None:
    both = [state("claude", session(used), account=name) for name, used in (("Home", 10), ("Work", 20))]
    assert text(*both, providers=("claude/Home",)) == "Claude Home 10%"
    assert text(*both, providers=("claude", "claude/Home", "claude/Gone")) == "Claude Work 20% · Claude Home 10%"


def test_a_format_fills_its_fields() -> None:
    rich = state(
        "codex",
        usage=usage(
            session(61, resets_at=after(minutes=150)),
            balances=(balance("7", "credits"),),
            identity=Identity(plan="pro_plus", email="ann@example.test"),
        ),
    )
    fields = "{name}|{used}|{left}|{window}|{resetsIn}|{resetsAt}|{balance}|{plan}|{account}|{pace}"
    assert text(rich, format=fields) == "Codex|61%|39%|Session|2h 30m|14:40|7 credits|Pro Plus|ann@example.test|+11%"
    assert "|Pro Plus||" in text(rich, format=fields, hide_identity=True)


def test_a_format_may_tell_the_tag_a_second_window_and_when_it_runs_out() -> None:
    both = state("codex", session(9), weekly(80, resets_at=after(days=3)))
    assert text(both, format="{tag}|{second}|{runsOutIn}") == "wk|5h 9%|1d"
    assert text(both, format="{second}", percent="left") == "5h 91%"
    assert text(state("codex", session(9)), format="{name}|{tag}|{second}|{runsOutIn}") == "Codex|||"


def test_a_weeks_pace_is_told_earlier_than_other_ones() -> None:
    two_percent = after(days=7) - timedelta(hours=3.4)
    assert text(state("codex", weekly(9, resets_at=two_percent)), format="{name} {pace}") == "Codex +7%"
    just_begun = after(days=7) - timedelta(hours=1)
    assert text(state("codex", weekly(9, resets_at=just_begun)), format="{name} {pace}") == "Codex"
    two_percent_of_a_session = after(hours=5) - timedelta(minutes=6)
    assert text(state("codex", session(9, resets_at=two_percent_of_a_session)), format="{name} {pace}") == "Codex"


def test_the_users_working_days_change_a_weeks_pace() -> None:
    reading = state("codex", weekly(40, resets_at=after(days=5)))  # two days have passed, of five at work
    assert text(reading, format="{pace}") == "+11%"
    assert text(reading, format="{pace}", work_days=5) == "0%"


def test_fields_without_a_value_leave_no_gap() -> None:
    assert text(CODEX, format="{name} {balance} {plan} {used}") == "Codex 18%"
    assert text(CODEX, format="{{{name}}}") == "{Codex}"
    assert text(CODEX, format="{balance}") == "Codex 18%"


def test_an_unknown_field_is_shown_as_it_is_and_reported() -> None:
    result = line(CODEX, format="{name} {colour}")
    assert result.text == "Codex {colour}"
    assert result.problems == ("quotaline.statusLine.format: there is no field {colour}.",)


@pytest.mark.parametrize("format", ["{name", "name}", "{name {used}", "}{"])
def test_broken_braces_fall_back_to_the_default(format: str) -> None:
    result = line(CODEX, format=format)
    assert result.text == "Codex 18%"
    assert len(result.problems) == 1


def test_reset_times_are_told_in_the_viewers_zone() -> None:
    east = timezone(timedelta(hours=11))
    assert text(CLAUDE, format="{resetsAt}") == "14:10"
    assert text(CLAUDE, format="{resetsAt}", zone=east) == "tomorrow, 01:10"
    far = state("claude", session(1, resets_at=after(days=1)))
    assert text(far, format="{resetsAt}") == "tomorrow, 12:10"
    later = state("claude", session(1, resets_at=after(days=3)))
    assert text(later, format="{resetsAt}") == "Jan 5, 12:10"


def test_long_right_to_left_and_many_lined_names() -> None:
    assert text(state("x", session(1), name="N" * 99)) == "N" * 31 + "… 1%"
    assert text(state("x", session(1), account="שלום"), state("x", active=False)) == "X \u2068שלום\u2069 1%"
    assert text(state("x", session(1), name="One\n\x1b[31mtwo\u202e")) == "One [31mtwo 1%"


def test_the_hover_tells_windows_amounts_age_and_errors() -> None:
    rich = state(
        "codex",
        usage=usage(
            session(25, resets_at=after(minutes=150)),
            balances=(balance("7", "credits"),),
            spends=(spend("3", "10", period="month"),),
            identity=Identity(plan="pro", email="ann@example.test"),
            details=(Section(title="Models", rows=(Row(label="big", value="12", secondary="$1"),)),),
        ),
        failure=failure(message="The sign-in has *expired*."),
        dashboard="https://example.test/usage?a=(b)",
        stale=True,
    )
    told = provider_hover(rich, view())
    for part in (
        "### Codex",
        "Pro · ann\\@example.test",
        "**Session** `███░░░░░░░░░` 25% used · Resets in 2h 30m",
        "Pace: 25% less used than expected by now (50%) · lasts until the reset",
        "**Balance**: 7 credits",
        "**This month**: $3.00 of $10.00 used · month",
        "big: 12 · $1",
        "⚠ The sign-in has \\*expired\\*. Run `claude login`.",
        "Out of date, last read 3m ago · read with your sign-in · [Dashboard](https://example.test/usage?a=%28b%29)",
    ):
        assert part in told
    hidden = provider_hover(rich, view(hide_identity=True))
    assert "ann" not in hidden


def test_the_hover_follows_percent_left_and_absolute_times() -> None:
    told = provider_hover(CLAUDE, view(percent="left", reset_times="absolute"))
    assert "`████░░░░░░░░` 38% left · Resets 14:10" in told


def test_the_hover_of_everything_is_bounded_and_of_nothing_helps() -> None:
    many = snapshot(*(state(f"p{number}", session(1)) for number in range(200)))
    assert "… and 180 more." in hover(many, view())
    assert "shows no provider yet" in hover(snapshot(), view())
    assert "⚠ Line 3 is broken." in hover(snapshot(problem="Line 3 is broken."), view())


def during(indicator: str, description: str = "") -> ProviderState:
    return state("claude", session(18), status=VendorStatus(indicator, "https://status.example.test", description))


def test_an_outage_is_linked_in_the_hover() -> None:
    told = hover(snapshot(during("minor", "Slow")), view())
    assert "\n\n[Partial outage – Slow](https://status.example.test)\n\n" in told
    grave = provider_hover(during("critical", "Down *again*"), view())
    assert "\n\n⚠ [Critical issue – Down \\*again\\*](https://status.example.test)\n\n" in grave
    assert all("status.example.test" not in hover(snapshot(during(word)), view()) for word in ("none", "unknown"))


@pytest.mark.parametrize(
    ("indicator", "text"),
    [("critical", "Claude 18% ⚠"), ("major", "Claude 18% ⚠")]
    + [(word, "Claude 18%") for word in ("minor", "maintenance", "unknown", "none")],
)
def test_a_grave_outage_marks_the_line_and_leaves_its_severity_to_the_quota(indicator: str, text: str) -> None:
    assert (line(during(indicator)).text, line(during(indicator)).severity) == (text, "ok")


def test_a_format_of_ones_own_may_name_the_outage() -> None:
    assert line(during("minor"), format="{name} {status}").text == "Claude Partial outage"
    assert line(during("none"), format="{name} {status}").text == "Claude"
    assert line(during("critical"), format="{name} {used}").text == "Claude 18%"


def test_an_outage_without_any_usage_is_told_too() -> None:
    down = state("claude", failure=failure(), status=VendorStatus("major", "https://status.example.test"))
    assert line(down).text == "Claude ! ⚠"
    told: Any = usage_params(snapshot(down), view()).to_json()["providers"]
    assert told[0]["status"] == {
        "indicator": "major",
        "label": "Major outage",
        "description": None,
        "updatedAt": None,
        "url": "https://status.example.test",
    }


def test_a_dashboard_that_is_no_web_address_is_not_linked() -> None:
    odd = state("claude", session(1), dashboard="javascript:alert(1)")
    assert "javascript" not in provider_hover(odd, view())


def test_the_protocol_message() -> None:
    rich = state(
        "claude",
        usage=usage(
            session(62, resets_at=after(hours=2), used=31, limit=50, unit="messages"),
            weekly(None),
            window("invented", 0, placeholder=True),
            balances=(balance("17.5"),),
        ),
        failure=failure(Kind.TIMEOUT, "No answer."),
    )
    params = usage_params(snapshot(rich), view()).to_json()
    assert json.loads(json.dumps(params, allow_nan=False)) == params
    assert params["version"] == 1
    assert params["statusLine"]["text"] == "Claude 62% 2h"  # type: ignore[index,call-overload]
    provider = params["providers"][0]  # type: ignore[index]
    assert isinstance(provider, dict)
    assert provider.pop("hover")["kind"] == "markdown"  # type: ignore[index,call-overload]
    assert provider == {
        "id": "claude",
        "name": "Claude",
        "text": "Claude 62% 2h",
        "severity": "ok",
        "account": None,
        "plan": None,
        "source": "oauth",
        "updatedAt": "2030-01-02T12:07:00Z",
        "stale": False,
        "refreshing": False,
        "windows": [
            {
                "id": "session",
                "label": "Session",
                "text": "62% used, resets in 2h",
                "usedPercent": 62,
                "used": 31,
                "limit": 50,
                "unit": "messages",
                "resetsAt": "2030-01-02T14:10:00Z",
                "windowMinutes": 300,
                "blocks": True,
                "unlimited": False,
            },
            {
                "id": "weekly",
                "label": "Weekly",
                "text": "",
                "usedPercent": None,
                "used": None,
                "limit": None,
                "unit": None,
                "resetsAt": None,
                "windowMinutes": 10080,
                "blocks": True,
                "unlimited": False,
            },
        ],
        "balances": [{"id": "balance", "label": "Balance", "amount": 17.5, "unit": "USD", "text": "$17.50"}],
        "headline": "session",
        "blocked": None,
        "error": {"kind": "timeout", "message": "No answer.", "hint": "Run `claude login`."},
        "dashboardUrl": None,
        "status": None,
    }


def test_a_hidden_identity_is_nowhere_in_the_message() -> None:
    private = state(
        "claude",
        account="Acme Laptop",
        usage=usage(
            session(62, label="Budget of ann@example.test"),
            identity=Identity(email="ann@example.test", organization="Acme Corp", account_id="acct-7", plan="Team"),
            notes=("Shared by Acme Corp", "Account acct-7"),
        ),
        failure=failure(message="ann@example.test may not read this."),
    )
    sent = json.dumps(usage_params(snapshot(private), view(hide_identity=True)).to_json())
    for secret in ("ann@", "Acme", "acct-7"):
        assert secret not in sent
