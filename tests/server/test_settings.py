"""The client's settings: what can be used is used, the rest is told in a sentence and its default holds."""

from __future__ import annotations

from typing import Any

import pytest

from quotaline.settings import Settings, usable


def told(**settings: Any) -> tuple[str, ...]:
    return Settings.parse(settings)[1]


@pytest.mark.parametrize(
    ("given", "meant"), [("adaptive", "adaptive"), ("manual", "manual"), (5, 5.0), (0.5, 0.5), (43200, 43200.0)]
)
def test_a_cadence(given: object, meant: object) -> None:
    settings, problems = Settings.parse({"refresh": given})
    assert (settings.refresh, problems) == (meant, ())


@pytest.mark.parametrize("given", [0, -1, 1e9, float("inf"), float("nan"), True, "often", None, [5]])
def test_no_cadence(given: object) -> None:
    settings, problems = Settings.parse({"refresh": given})
    assert settings.refresh == "adaptive"
    assert problems == ("quotaline.refresh: it must be adaptive, manual, or a number of minutes up to 43200.",)


@pytest.mark.parametrize("given", ["automatic", 2, 6])
def test_working_days(given: object) -> None:
    settings, problems = Settings.parse({"workDays": given})
    assert (settings.work_days, problems) == (given, ())


@pytest.mark.parametrize("given", [0, 1, 7, 2.5, True, "5", None])
def test_no_working_days(given: object) -> None:
    settings, problems = Settings.parse({"workDays": given})
    assert settings.work_days == "automatic"
    assert problems == ("quotaline.workDays: it must be automatic, or a number of days from 2 to 6.",)


def test_a_wrong_part_leaves_the_others() -> None:
    given = {"percent": "most", "maxItems": 0, "separator": " | "}
    settings, problems = Settings.parse({"quotaline": {"statusLine": given, "hideIdentity": True}})
    assert (settings.status_line.percent, settings.status_line.max_items) == ("used", 3)
    assert (settings.status_line.separator, settings.hide_identity) == (" | ", True)
    assert sorted(problems) == [
        "quotaline.statusLine.maxItems: it must be greater than or equal to 1.",
        "quotaline.statusLine.percent: it must be 'used' or 'left'.",
    ]


def test_what_is_set_in_an_editor_goes_before_the_config_file() -> None:
    file, _ = usable({"statusLine": {"percent": "left", "warningAt": 70}, "resetTimes": "absolute"})
    editor, _ = Settings.parse({"statusLine": {"percent": "used", "maxItems": 5}})
    both = editor.over(file)
    assert (both.status_line.percent, both.status_line.max_items, both.status_line.warning_at) == ("used", 5, 70)
    assert (both.reset_times, Settings().over(file).status_line.percent) == ("absolute", "left")


@pytest.mark.parametrize(
    ("file", "editor", "hidden"), [(True, False, True), (False, True, True), (False, False, False)]
)
def test_an_identity_hidden_in_either_is_hidden(file: bool, editor: bool, hidden: bool) -> None:
    assert Settings(hide_identity=editor).over(Settings(hide_identity=file)).hide_identity is hidden


def test_no_settings_and_no_object() -> None:
    assert Settings.parse(None) == (Settings(), ())
    assert told(unknown=1) == ()
    assert Settings.parse([]) == (Settings(), ("The settings are not an object.",))
