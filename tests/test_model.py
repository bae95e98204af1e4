"""How much of a usage is kept, whatever a vendor sends."""

from __future__ import annotations

from decimal import Decimal

import pytest

from quotaline_providers.model import (
    MAX_ITEMS,
    MAX_POINTS,
    MAX_TEXT,
    Balance,
    Chart,
    Identity,
    Point,
    ResetCredit,
    ResetCredits,
    Row,
    Section,
    Spend,
    Usage,
    Window,
    capped,
)
from quotaline_providers.testing import NOW

LONG = "x" * 3000


def a_window(id: str) -> Window:
    return Window(id=id, label=id)


def test_a_usual_usage_stays_as_it_is() -> None:
    usage = Usage(updated_at=NOW, windows=(a_window("weekly"),), details=(Section(rows=(Row(label="a", value="b"),)),))
    assert capped(usage) is usage
    assert usage.cut == ()


def test_long_texts_are_shortened_wherever_they_are() -> None:
    usage = Usage(
        updated_at=NOW,
        windows=(Window(id="a", label=LONG, unit=LONG, description=LONG),),
        balances=(Balance(id=LONG, label="Credits", amount=Decimal(1), unit=LONG),),
        spends=(Spend(id="spend", label="Spent", used=Decimal(1), unit="USD", period=LONG),),
        identity=Identity(account_id=LONG, email=LONG, organization=LONG, plan=LONG),
        notes=(LONG,),
        reset_credits=ResetCredits(available=1, credits=(ResetCredit(id=LONG, status=LONG),)),
        version=LONG,
    )
    kept = capped(usage)
    texts = [text for text in kept.model_dump_json().split('"') if "x" * 50 in text]
    assert len(texts) == 14
    assert all(len(text) <= MAX_TEXT for text in texts)
    assert kept.notes[0].endswith("x…")
    assert kept.cut == (f"texts: 13 shortened to {MAX_TEXT} characters",)


def test_ids_stay_different_and_the_same_at_each_read() -> None:
    usage = Usage(updated_at=NOW, windows=(a_window(LONG + "1"), a_window(LONG + "2"), a_window("short")))
    first, second, third = (window.id for window in capped(usage).windows)
    assert first != second
    assert len(first) == len(second) == MAX_TEXT
    assert third == "short"
    turned = usage.model_copy(update={"windows": usage.windows[::-1]})
    assert [window.id for window in capped(turned).windows] == [third, second, first]


@pytest.mark.parametrize(
    ("name", "items"),
    [
        ("windows", [a_window(str(number)) for number in range(1500)]),
        ("balances", [Balance(id=str(number), label="B", amount=Decimal(1), unit="USD") for number in range(100)]),
        ("spends", [Spend(id=str(number), label="S", used=Decimal(1), unit="USD") for number in range(100)]),
        ("notes", [str(number) for number in range(100)]),
        ("details", [Section(title=str(number)) for number in range(100)]),
    ],
)
def test_the_first_of_too_many_are_kept_and_the_cut_is_told(name: str, items: list[object]) -> None:
    kept = capped(Usage.model_validate({"updated_at": NOW, name: tuple(items)}))
    assert list(getattr(kept, name)) == items[: MAX_ITEMS[name]]
    assert kept.cut == (f"{name}: {MAX_ITEMS[name]} of {len(items)} kept",)
    assert capped(kept) is kept


def test_of_a_long_chart_the_newest_points_are_kept_and_all_charts_share_a_limit() -> None:
    points = tuple(Point(label=str(number), value=number) for number in range(500))
    sections = tuple(Section(chart=Chart(kind="line", points=points)) for _ in range(5))
    kept = capped(Usage(updated_at=NOW, details=sections))
    charts = [section.chart.points for section in kept.details if section.chart is not None]
    assert [len(points) for points in charts] == [120, 120, 120, 0, 0]
    assert sum(map(len, charts)) == MAX_POINTS
    assert charts[0] == points[-120:]
    assert kept.cut == (f"points: {MAX_POINTS} of 2500 kept",)


def test_rows_are_counted_in_each_section() -> None:
    rows = tuple(Row(label=str(number), value="v") for number in range(30))
    kept = capped(Usage(updated_at=NOW, details=(Section(rows=rows), Section(rows=rows[:3]))))
    assert [len(section.rows) for section in kept.details] == [24, 3]
    assert kept.cut == ("rows: 24 of 30 kept",)


def test_a_field_that_only_a_newer_program_knows_is_ignored() -> None:
    stored = {"updated_at": NOW.isoformat(), "mood": 1, "windows": [{"id": "w", "label": "W", "mood": True}]}
    assert Usage.model_validate(stored) == Usage(updated_at=NOW, windows=(Window(id="w", label="W"),))
