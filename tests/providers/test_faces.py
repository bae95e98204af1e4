"""How each provider's sample looks: the same figure in every face, nothing twice, no word that needs a glossary."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from quotaline.render.content import meters
from quotaline.render.hover import hover
from quotaline.render.protocol import usage_params
from quotaline.render.report import report
from quotaline.render.shown import shown
from quotaline.render.terminal import terminal
from quotaline.render.view import View
from quotaline.settings import Settings, StatusLineSettings
from quotaline.state import ProviderState, Snapshot
from quotaline_providers import registry
from quotaline_providers.model import Usage
from quotaline_providers.testing import NOW
from tests.providers.samples import SAMPLES, Sample
from tests.providers.samples.reading import reading

Faces = Callable[[str], dict[str, str]]


@pytest.fixture(params=SAMPLES, ids=lambda sample: sample.id)
def state(request: Any, tmp_path: Path) -> ProviderState:
    """What is known of a provider after a read of its sample."""
    sample: Sample = request.param
    for name, content in sample.files.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    usage, _ = reading(sample, tmp_path, {})
    assert isinstance(usage, Usage)
    if not usage.source:
        usage = usage.model_copy(update={"source": sample.strategy})
    provider = registry.get(sample.provider)
    return ProviderState(provider=provider.id, name=provider.name, usage=usage)


def view(percent: str) -> View:
    return View(NOW, Settings(status_line=StatusLineSettings.model_validate({"percent": percent})))


@pytest.fixture
def faces(state: ProviderState) -> Faces:
    """`faces("left")`: what each face says, without what is escaped."""
    all = Snapshot((state,))

    def drawn(percent: str) -> dict[str, str]:
        seen = view(percent)
        windows = usage_params(all, seen).providers[0].windows
        return {
            "terminal": terminal(all, seen),
            "hover": hover(all, seen).replace("\\", ""),
            "report": re.sub(r"<[^>]+>|&[#a-z0-9]+;", " ", report(all, seen, "html")).replace("  ", " "),
            "protocol": "\n".join(window.text for window in windows),
        }

    return drawn


@pytest.mark.parametrize("percent", ["used", "left"])
def test_every_face_shows_the_same_figure_of_each_window(state: ProviderState, faces: Faces, percent: str) -> None:
    drawn = faces(percent)
    for meter in meters(shown(state, view(percent))):
        figure = meter.figure.replace("<", "") if meter.figure else ""
        missing = [face for face, words in drawn.items() if figure not in words]
        assert missing == [], (meter.label, figure)
    if percent == "left":
        assert not re.search(r"\d% used \[|[█░]` \d+% used", drawn["terminal"] + drawn["hover"])


def test_no_amount_is_told_twice(faces: Faces) -> None:
    told: list[str] = []
    title = ""
    for line in faces("used")["terminal"].splitlines():
        title = title if line.startswith(" ") else line
        if re.search(r": .*\d", line) and not line.strip().startswith("Pace:"):
            told.append(f"{title}{line}" if line.startswith(" ") else line)
    assert [line for line in told if told.count(line) > 1] == []


def test_it_needs_no_glossary(faces: Faces) -> None:
    drawn = faces("used")
    words = drawn["terminal"] + drawn["hover"] + drawn["report"]
    assert not re.search(
        r"% in deficit|in reserve|by its sign-in|[a-z]+-[a-z]+\.(web|api)\b|admin-api|openai-web", words
    )
