"""Limits of which one pays on when another is used up."""

from __future__ import annotations

from quotaline_providers.model import Window
from quotaline_providers.pools import last_to_stop, paid_on


def window(id: str, percent: float | None, **fields: bool) -> Window:
    return Window(id=id, label=id, used_percent=percent, **{"blocks": False, **fields})


def blocking(*windows: Window) -> list[str]:
    return [window.id for window in last_to_stop(windows) if window.blocks]


def test_the_one_with_the_most_left_is_the_last_to_stop() -> None:
    assert blocking(window("pro", 97), window("flash", 10), window("lite", 40)) == ["flash"]
    assert blocking(window("pro", 100), window("flash", 100)) == ["pro"]
    assert blocking(window("pro", 97, blocks=True), window("flash", 10, blocks=True)) == ["flash"]


def test_what_tells_no_number_never_stops_anything() -> None:
    assert blocking(window("pro", None), window("flash", 99), window("x", 0, placeholder=True)) == ["flash"]
    assert blocking() == []


def test_only_a_used_up_window_can_be_paid_on() -> None:
    assert paid_on(window("credits", 99, blocks=True), by_others=True).blocks
    assert not paid_on(window("credits", 100, blocks=True), by_others=True).blocks
    assert paid_on(window("credits", 100, blocks=True), by_others=False).blocks
