"""Kiro's reports: what is understood of the text the program prints, and what it becomes with the service's numbers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from quotaline_providers.errors import BadResponse
from quotaline_providers.model import Usage
from quotaline_providers.testing import NOW
from quotaline_providers.vendors.kiro.mapping import Limits, number, to_limits, to_usage
from quotaline_providers.vendors.kiro.payloads import (
    LimitsAnswer,
    Login,
    parse_context,
    parse_login,
    parse_report,
    says_logged_out,
)

OLD = """
╭────────────────────────────────────╮
| KIRO TRIAL                         |
██████████ 40%
(20.50 of 50 covered in plan), resets on 03/09
Bonus credits: 2.50/10 credits used, expires in 7 days
╰────────────────────────────────────╯
"""
NEW = """
Estimated Usage | resets on 2030-02-05 | KIRO POWER

Bonus credits: 2.50/10 credits used, expires in 7 days

Credits (30.25 of 121 covered in plan)
████████ 25%

Overages: Enabled  billed at $0.05 per request
Credits used: 3.50
Est. cost: $0.18 USD

To manage your plan or configure overages navigate to https://app.kiro.dev/account/usage
"""
MANAGED = "Plan: Q Developer Trial\nYour plan is managed by admin\n"


def local(year: int, month: int, day: int) -> datetime:
    return datetime(year, month, day).astimezone()


def coloured(text: str) -> str:
    """Every word of the text in its own colour, with a window title in front."""
    words = (line.split(" ") for line in text.split("\n"))
    painted = "\n".join(" ".join(f"\x1b[38;5;141m{word}\x1b[0m" if word else "" for word in line) for line in words)
    return f"\x1b]0;title\x07\x1b]8;;\x1b\\\x1b[?25l{painted}"


class TestUsageReport:
    def test_older_shape(self) -> None:
        report = parse_report(OLD, NOW)
        assert (report.plan, report.percent, report.used, report.total) == ("KIRO TRIAL", 40, 20.5, 50)
        assert report.resets_at == local(2030, 3, 9)

    def test_newer_shape(self) -> None:
        report = parse_report(NEW, NOW)
        assert (report.plan, report.percent, report.used, report.total) == ("KIRO POWER", 25, 30.25, 121)
        assert report.resets_at == local(2030, 2, 5)
        assert (report.overages, report.overage_used) == ("Enabled  billed at $0.05 per request", 3.5)
        assert report.overage_cost == Decimal("0.18")
        assert report.manage_url == "https://app.kiro.dev/account/usage"

    @pytest.mark.parametrize("text", [OLD, NEW, MANAGED])
    def test_colours_change_nothing(self, text: str) -> None:
        assert parse_report(coloured(text), NOW) == parse_report(text, NOW)

    def test_what_else_a_terminal_is_told_changes_nothing(self) -> None:
        told = "\x1b[>4;1m\x1b(B\x1b7\x1b=\x1b[1 q"
        assert parse_report(f"{told}{NEW}".replace("Bonus", f"{told}Bonus"), NOW) == parse_report(NEW, NOW)

    def test_an_unfinished_window_title_hides_nothing(self) -> None:
        assert parse_report(f"\x1b]0;title {NEW}\x1b[0m", NOW).total == 121

    def test_colours_without_escape_change_nothing(self) -> None:
        assert parse_report("Plan: [1mKIRO X[0m\n█ [32m4%[0m", NOW).plan == "KIRO X"

    def test_a_plan_line_wins(self) -> None:
        assert parse_report("| KIRO A |\nEstimated Usage | x | KIRO B\nPlan: KIRO C\n█ 1%", NOW).plan == "KIRO C"

    def test_a_plan_does_not_run_over_its_line(self) -> None:
        assert parse_report("| KIRO\nwords |\n█ 1%", NOW).plan == "Kiro"

    def test_a_managed_plan_needs_no_numbers(self) -> None:
        report = parse_report(MANAGED, NOW)
        assert report.managed
        assert (report.percent, report.used, report.total, report.resets_at) == (None, None, None, None)

    def test_a_managed_plan_with_numbers_uses_them(self) -> None:
        report = parse_report("Plan: Q\nmanaged by organization\n█ 10%\n(1 of 10 covered in plan)", NOW)
        assert (report.managed, report.percent, report.total) == (False, 10, 10)

    @pytest.mark.parametrize(
        "text", ["Plan: KIRO PRO MAX | 1 usage breakdowns", "│ Plan: KIRO PRO MAX │ 2 usage breakdown │"]
    )
    def test_a_report_of_the_plan_alone_knows_no_credits(self, text: str) -> None:
        report = parse_report(text, NOW)
        assert (report.plan, report.percent, report.used, report.total) == ("KIRO PRO MAX", None, None, None)
        assert not report.managed

    def test_a_plan_with_breakdowns_and_numbers_uses_them(self) -> None:
        report = parse_report("Plan: KIRO PRO | 2 usage breakdowns\n█ 10%\n(1 of 10 covered in plan)", NOW)
        assert (report.plan, report.percent, report.total) == ("KIRO PRO", 10, 10)

    def test_percent_follows_from_credits(self) -> None:
        assert parse_report("(0.25 of 50 covered in plan)", NOW).percent == 0.5

    def test_credits_may_be_unknown(self) -> None:
        report = parse_report("██ 12%", NOW)
        assert (report.percent, report.used, report.total) == (12, None, None)

    def test_zero_percent_with_decimals_used(self) -> None:
        report = parse_report("█ 0%\n(0.15 of 50 covered in plan)", NOW)
        assert (report.percent, report.used) == (0, 0.15)

    @pytest.mark.parametrize(
        "text",
        [
            "",
            " \n\x1b[0m",
            "Hello",
            "| KIRO TRIAL |",
            "Plan: KIRO TRIAL\nLoading...",
            "managed by admin",
            f"{NEW}\nCould not retrieve usage information",
        ],
    )
    def test_without_numbers_it_is_none(self, text: str) -> None:
        with pytest.raises(BadResponse):
            parse_report(text, NOW)

    @pytest.mark.parametrize(
        ("text", "reset"),
        [
            ("resets on 2031-07-04", local(2031, 7, 4)),
            ("resets on 01/03", local(2030, 1, 3)),
            ("resets on 01/01", local(2031, 1, 1)),
            ("resets on 13/45", None),
            ("resets soon", None),
        ],
    )
    def test_resets_at_the_next_such_local_midnight(self, text: str, reset: datetime | None) -> None:
        assert parse_report(f"█ 1%\n{text}", NOW).resets_at == reset

    @pytest.mark.parametrize(
        ("text", "used", "total", "days"),
        [
            ("Bonus credits: 2.50/10 credits used, expires in 7 days", 2.5, 10, 7),
            ("Bonus credits: 2.00/5 credits used, expires in 1 day", 2, 5, 1),
            ("Bonus credits: 2.00/5", 2, 5, None),
            ("│ Bonus credits:   │\n│   3/9 credits used │", 3, 9, None),
        ],
    )
    def test_bonus(self, text: str, used: float, total: float, days: int | None) -> None:
        bonus = parse_report(f"█ 1%\n{text}", NOW).bonus
        assert bonus is not None
        assert (bonus.used, bonus.total, bonus.expires_in) == (used, total, days)

    def test_another_address_is_no_manage_link(self) -> None:
        assert parse_report("█ 1%\nhttps://app.kiro.dev/account/usage/other", NOW).manage_url is None


class TestOtherReports:
    def test_login_names_method_and_email(self) -> None:
        assert parse_login("Logged in with GitHub\nEmail: demo@example.test\n") == Login("GitHub", "demo@example.test")

    def test_login_may_be_an_address_alone(self) -> None:
        assert parse_login("\x1b[1mdemo@example.test\x1b[0m") == Login(None, "demo@example.test")

    def test_login_may_tell_nothing(self) -> None:
        assert parse_login("write to demo@example.test for help") == Login()

    @pytest.mark.parametrize(
        "text",
        [
            "You are Not Logged In",
            "login required",
            "Failed to initialize auth portal",
            "run kiro-cli login",
            "OAuth error: x",
        ],
    )
    def test_logged_out_is_seen(self, text: str) -> None:
        assert says_logged_out(text)

    def test_context_and_its_parts(self) -> None:
        text = "Context window: 12.5% used\n█ Context files 3.0%\nTools 4%\nKiro responses 5.5%\nYour prompts 0.0%"
        report = parse_context(coloured(text))
        assert report is not None
        assert report.used == 12.5
        assert report.parts == (("Context files", 3), ("Tools", 4), ("Kiro responses", 5.5), ("Your prompts", 0))

    def test_context_may_be_unknown(self) -> None:
        assert parse_context("nothing") is None


def answer(status: str | None = "ENABLED", root: object = 1.9e9, **row: Any) -> LimitsAnswer:
    credit = {
        "resourceType": "CREDIT",
        "usageLimitWithPrecision": 100.0,
        "currentUsageWithPrecision": 110.0,
        "currentOveragesWithPrecision": 35.0,
        "overageCapWithPrecision": 50.0,
        "overageCharges": 1.75,
        "overageRate": 0.05,
        "bonuses": [],
    } | row
    rows = [{"resourceType": "OTHER"}, credit]
    return LimitsAnswer.model_validate(
        {"nextDateReset": root, "overageConfiguration": {"overageStatus": status}, "usageBreakdownList": rows}
    )


def limits(status: str | None = "ENABLED", root: object = 1.9e9, **row: Any) -> Limits:
    found = to_limits(answer(status, root, **row))
    assert found is not None
    return found


class TestLimits:
    def test_plan_use_is_without_overage(self) -> None:
        found = limits()
        assert (found.used, found.limit, found.overage, found.cap) == (75, 100, 35, 50)
        assert found.resets_at == datetime.fromtimestamp(1.9e9, UTC)

    def test_a_rows_own_reset_comes_first(self) -> None:
        assert limits(nextDateReset=1.95e9).resets_at == datetime.fromtimestamp(1.95e9, UTC)

    @pytest.mark.parametrize(
        "row",
        [
            {"usageLimitWithPrecision": -1},
            {"usageLimitWithPrecision": None},
            {"currentUsageWithPrecision": float("inf")},
            {"currentOveragesWithPrecision": -1},
            {"currentOveragesWithPrecision": 111},
            {"currentOveragesWithPrecision": float("nan")},
            {"overageCapWithPrecision": -5},
            {"overageCapWithPrecision": float("inf")},
            {"currentUsageWithPrecision": 136},
            {"resourceType": "TOKENS"},
        ],
    )
    def test_contradictions_make_it_unusable(self, row: dict[str, Any]) -> None:
        assert to_limits(answer(**row)) is None

    @pytest.mark.parametrize("reset", [None, 1.9e12, 5, "soon"])
    def test_an_implausible_reset_makes_it_unusable(self, reset: object) -> None:
        assert to_limits(answer(root=reset)) is None

    def test_two_credit_rows_make_it_unusable(self) -> None:
        (row,) = [item for item in answer().breakdowns if item.resource == "CREDIT"]
        assert to_limits(answer().model_copy(update={"breakdowns": (row, row)})) is None

    def test_use_above_the_limit_is_allowed_with_bonuses(self) -> None:
        assert limits(currentUsageWithPrecision=136, bonuses=[{"name": "x"}]).has_bonuses

    def test_overage_defaults_to_none_used(self) -> None:
        assert limits(currentUsageWithPrecision=10, currentOveragesWithPrecision=None).overage == 0

    @pytest.mark.parametrize(
        ("status", "cap", "state", "kept"),
        [
            ("enabled", 50, "enabled", 50),
            ("ENABLED", None, "unknown", None),
            ("Disabled", 50, "disabled", None),
            ("PAUSED", 50, "unknown", None),
            (None, 50, "unknown", None),
        ],
    )
    def test_overage_state(self, status: str | None, cap: float | None, state: str, kept: float | None) -> None:
        found = limits(status, overageCapWithPrecision=cap)
        assert (found.state, found.cap) == (state, kept)

    def test_a_null_overage_configuration_is_unknown(self) -> None:
        sent = {**answer().model_dump(by_alias=True), "overageConfiguration": None}
        found = to_limits(LimitsAnswer.model_validate(sent))
        assert found is not None
        assert found.state == "unknown"

    def test_bad_charges_and_rates_are_left_out(self) -> None:
        found = limits(overageCharges=-1, overageRate=0)
        assert (found.charges, found.rate) == (None, None)


def usage(text: str = NEW, **parts: Any) -> Usage:
    return to_usage(parse_report(text, NOW), NOW, **parts)


def rows(found: Usage) -> dict[str, tuple[str, str | None]]:
    return {row.label: (row.value, row.secondary) for section in found.details for row in section.rows}


class TestUsage:
    def test_of_a_report_alone(self) -> None:
        found = usage()
        window = found.window("credits")
        assert (window.used_percent, window.used, window.limit) == (25, 30.25, 121)
        assert (window.label, window.lane, window.minutes, window.resets_at) == (
            "Credits",
            "primary",
            None,
            local(2030, 2, 5),
        )
        assert found.spends == ()
        assert found.identity.plan == "KIRO POWER"
        assert rows(found) == {
            "Plan": ("KIRO POWER", None),
            "Credits left": ("90.75", None),
            "Credits used": ("30.25", None),
            "Credits total": ("121", None),
            "Bonus credits left": ("7.50", "of 10 · expires in 7d"),
            "Overages": ("Enabled  billed at $0.05 per request", None),
            "Overage usage": ("3.50 credits", None),
            "Overage cost": ("$0.18", None),
            "Manage": ("https://app.kiro.dev/account/usage", None),
        }

    def test_bonus_expires_days_from_now(self) -> None:
        window = usage().window("bonus")
        assert (window.used_percent, window.lane, window.description) == (25, "secondary", "expires in 7d")
        assert window.resets_at == NOW + timedelta(days=7)

    @pytest.mark.parametrize("text", ["█ 1%", "█ 1%\nBonus credits: 0/0"])
    def test_no_bonus_window_without_a_bonus(self, text: str) -> None:
        assert [window.id for window in usage(text).windows] == ["credits"]

    def test_the_services_numbers_win(self) -> None:
        found = usage(limits=limits())
        window = found.window("credits")
        assert (window.used_percent, window.used, window.limit) == (75, 75, 100)
        assert window.resets_at == datetime.fromtimestamp(1.9e9, UTC)
        assert found.window("bonus").used_percent == 25
        shown = rows(found)
        assert shown["Credits left"] == ("25", None)
        assert shown["Overage usage"] == ("35 credits", "of 50")
        assert shown["Overage credits left"] == ("15", None)
        assert shown["Overage cost"] == ("$1.75", "of $2.50")

    def test_overage_is_a_window_and_a_spend_of_its_own(self) -> None:
        found = usage(limits=limits())
        assert (found.window("kiro-overage").used_percent, found.window("kiro-overage").lane) == (70, None)
        assert found.window("kiro-overage").blocks is False
        used_up = usage(limits=limits(usageLimitWithPrecision=75.0))
        assert [one.id for one in used_up.windows if one.blocks] == ["kiro-overage"]
        spend = found.spend("overage")
        assert (spend.used, spend.limit, spend.unit, spend.period) == (
            Decimal("1.75"),
            Decimal("2.5"),
            "USD",
            "Overage",
        )

    def test_overage_above_its_cap_is_all_of_it_and_keeps_its_value(self) -> None:
        window = usage(limits=limits(overageCapWithPrecision=20)).window("kiro-overage")
        assert (window.used_percent, window.used) == (100, 35)

    def test_with_bonuses_the_report_stands(self) -> None:
        window = usage(limits=limits(bonuses=[{}])).window("credits")
        assert (window.used_percent, window.used) == (25, 30.25)

    def test_a_limit_of_zero_keeps_the_reports_percent(self) -> None:
        zero = limits(
            usageLimitWithPrecision=0, currentUsageWithPrecision=0, currentOveragesWithPrecision=0, bonuses=[]
        )
        assert usage(limits=zero).window("credits").used_percent == 25

    def test_disabled_overage_hides_its_rows(self) -> None:
        shown = rows(usage(limits=limits("DISABLED")))
        assert shown["Overages"] == ("Disabled", None)
        assert not {"Overage usage", "Overage cost"} & set(shown)

    def test_overage_enabled_without_words_in_the_report(self) -> None:
        assert rows(usage("█ 1%", limits=limits()))["Overages"] == ("Enabled", None)

    def test_an_unknown_state_leaves_the_reports_rows(self) -> None:
        found = usage(limits=limits("PAUSED"))
        shown = rows(found)
        assert shown["Overages"][0].startswith("Enabled")
        assert shown["Overage usage"] == ("35 credits", None)
        assert [(window.id, window.blocks) for window in found.windows] == [("credits", True), ("bonus", False)]

    def test_disabled_in_the_report_hides_overage_rows(self) -> None:
        shown = rows(usage(NEW.replace("Enabled  billed", "Disabled  billed")))
        assert "Overage usage" not in shown

    def test_a_dollar_estimate_is_dropped_beside_another_currency(self) -> None:
        shown = rows(usage(limits=limits(currency="EUR", overageCharges=None)))
        assert "Overage cost" not in shown

    def test_charges_in_euros(self) -> None:
        found = usage(limits=limits(currency="EUR"))
        assert rows(found)["Overage cost"] == ("€1.75", "of €2.50")
        assert found.spend("overage").unit == "EUR"

    def test_no_spend_without_a_rate(self) -> None:
        assert usage(limits=limits(overageRate=None)).spends == ()

    def test_a_managed_plan_alarms_nobody(self) -> None:
        found = usage(MANAGED)
        assert (found.windows, found.limits_unavailable) == ((), True)
        assert found.identity.plan == "Q Developer Trial"
        assert rows(found)["Credits"] == ("Managed by your organization", None)

    def test_a_plan_alone_is_completed_by_the_service(self) -> None:
        found = usage("Plan: KIRO PRO | 1 usage breakdowns", limits=limits())
        assert (found.window("credits").used_percent, found.identity.plan) == (75, "KIRO PRO")

    @pytest.mark.parametrize("bonuses", [None, [{}]])
    def test_a_plan_alone_is_no_zero(self, bonuses: list[object] | None) -> None:
        parts = {} if bonuses is None else {"limits": limits(overageCapWithPrecision=0, bonuses=bonuses)}
        found = usage("Plan: KIRO PRO | 1 usage breakdowns", **parts)
        assert (found.windows, found.limits_unavailable) == ((), True)
        assert "Not told" in rows(found)["Credits"][0]

    def test_account_and_context_are_told(self) -> None:
        found = usage(login=Login("Google", "demo@example.test"), context=parse_context("Context window: 2% used"))
        assert found.identity.email == "demo@example.test"
        assert found.row("Signed in with").value == "Google"
        assert found.row("Context used").value == "2.0%"

    @pytest.mark.parametrize(("value", "text"), [(3, "3"), (2.996, "3"), (2.5, "2.50"), (0.01, "0.01")])
    def test_numbers(self, value: float, text: str) -> None:
        assert number(value) == text
