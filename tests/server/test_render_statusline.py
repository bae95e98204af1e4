"""The status line, the hover behind it and the protocol that carries them."""

from __future__ import annotations

import json
from datetime import timedelta, timezone
from typing import Any

import pytest

from quotaline.forecast.traits import Traits
from quotaline.render.hover import hover, provider_hover
from quotaline.render.protocol import usage_params
from quotaline.render.statusline import StatusLine, state_text, status_line
from quotaline.state import ProviderState, VendorStatus
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
        (timedelta(hours=30), "1d 6h"),
        (timedelta(days=3), "3d"),
    ],
)
def test_time_to_reset_has_two_units_at_most(left: timedelta, word: str) -> None:
    assert text(state("claude", session(70, resets_at=NOW + left))) == f"Claude 70% {word}"


def test_one_state_alone_is_told_as_in_the_line() -> None:
    assert state_text(CLAUDE, view()) == "Claude 62% 2h"


def test_no_time_is_shown_after_the_reset() -> None:
    assert text(state("claude", session(70, resets_at=after(hours=-1)))) == "Claude 70%"


def test_the_worst_come_first_and_only_so_many() -> None:
    states = [state(f"p{percent}", session(percent)) for percent in (10, 97, 50, 85)]
    assert text(*states) == "P97 97% · P85 85% · P50 50%"
    assert text(*states, max_items=1) == "P97 97%"


def test_a_provider_that_failed_stands_before_harmless_ones_and_after_warnings() -> None:
    failed = state("zed", failure=failure())
    assert text(CODEX, failed, state("warp", session(85))) == "Warp 85% · Zed ! · Codex 18%"


def test_a_warning_of_a_moment_ago_is_not_pushed_out_by_failures() -> None:
    old = state("warp", session(85, resets_at=after(hours=1)), stale=True, failure=failure())
    failed = [state(id, failure=failure()) for id in ("amp", "kiro", "zed")]
    assert text(*failed, old).startswith("Warp 85% 1h · Amp !")
    over = state("warp", session(85, resets_at=after(hours=-1)), stale=True)
    assert text(*failed, over) == "Amp ! · Kiro ! · Zed !"


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
    assert line(problem="The config file is broken.") == StatusLine("Quotaline !", "error")


def test_loading_shows_only_while_there_is_nothing_else() -> None:
    assert line(state(refreshing=True)) == StatusLine("Quotaline …", "empty")
    assert text(state(refreshing=True), CODEX) == "Codex 18%"


def test_staleness_is_severity_and_not_text() -> None:
    stale = state("codex", session(18), stale=True, failure=failure())
    assert line(stale) == StatusLine("Codex 18%", "stale")


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
    assert text(failed, home, work) == "Claude Work 20%"
    assert text(failed, state("claude", account="New")) == "Claude Lab !"


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
    assert text(state("x", session(1), account="שלום")) == "X \u2068שלום\u2069 1%"
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
        "Pace: 25% in reserve · Expected 50% used",
        "**Balance**: 7 credits",
        "**This month**: $3.00 of $10.00 · month",
        "big: 12 · $1",
        "⚠ The sign-in has \\*expired\\*. Run `claude login`.",
        "Updated 3m ago · by its sign-in · out of date · [Dashboard](https://example.test/usage?a=%28b%29)",
    ):
        assert part in told
    hidden = provider_hover(rich, view(hide_identity=True))
    assert "ann" not in hidden


def test_the_hover_follows_percent_left_and_absolute_times() -> None:
    told = provider_hover(CLAUDE, view(percent="left", reset_times="absolute"))
    assert "`████░░░░░░░░` 38% left · Resets 14:10" in told


def test_the_hover_says_which_window_blocks_the_session() -> None:
    blocked = state("claude", session(40), weekly(100, resets_at=after(days=2)))
    told = provider_hover(blocked, view(traits=Traits(lambda reading: "session", True)))
    assert "Weekly is used up and blocks Session too" in told


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
