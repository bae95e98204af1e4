"""A limit that no provider reads: its samples hold none, and whatever is added to one is told."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from quotaline_providers.model import Confidence, Usage
from tests.providers.samples import SAMPLES, Sample
from tests.providers.samples.reading import reading

NEW_LIMITS = {"surge_pool": {"used_ratio": 0.994, "resets_at": "2030-02-01T00:00:00Z"}, "surge_quota_left": 3}
NEW_NAMES = {"surge_pool", "surge_quota_left", "used_ratio"}


@pytest.fixture(params=SAMPLES, ids=lambda sample: sample.id)
def sample(request: Any) -> Sample:
    found: Sample = request.param
    return found


@pytest.fixture
def home(sample: Sample, tmp_path: Path) -> Path:
    for name, content in sample.files.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return tmp_path


def with_new_limits(value: Any) -> Iterator[Any]:
    """The answer with limits of a new kind in one of its objects: in each once."""
    for at, place in enumerate(_objects(value)):
        if place:
            changed = copy.deepcopy(value)
            list(_objects(changed))[at].update(NEW_LIMITS)
            yield changed


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _objects(part)


def test_its_sample_holds_no_limit_that_is_not_read(sample: Sample, home: Path) -> None:
    seen, _ = reading(sample, home, {})
    assert isinstance(seen, Usage), seen
    assert seen.unread_limits == ()


def test_a_new_limit_beside_known_ones_is_told(sample: Sample, home: Path) -> None:
    answers = [(index, one.body) for index, one in enumerate(sample.exchanges) if not isinstance(one.body, str)]
    told = [
        seen
        for index, body in answers
        for changed in with_new_limits(body)
        if isinstance(seen := reading(sample, home, {index: (200, {}, json.dumps(changed).encode())})[0], Usage)
        and seen.unread_limits
    ]
    assert told or not answers
    for usage in told:
        assert set(usage.unread_limits) <= NEW_NAMES
        assert "Quotaline does not know" in usage.notes[0]
        assert usage.confidence is Confidence.UNKNOWN
