"""The table of windows for docs/providers.md: what each provider's samples give, and whether it stops the account."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from quotaline_providers import registry
from quotaline_providers.lengths import length_name
from quotaline_providers.model import Usage, Window

ROOT = Path(__file__).resolve().parent.parent
Cells = tuple[str, str, str, str]

BEYOND: tuple[tuple[str, str, str, int | None, str], ...] = (
    ("amp", "agent", "Agent usage", 43200, "yes"),
    ("claude", "opus", "Opus", 10080, "no"),
    ("codebuff", "weekly", "Weekly", 10080, "yes"),
    ("codebuff", "block", "Block", None, "yes"),
    ("codex", "monthly-credit-limit", "Monthly credit limit", 43200, "yes"),
    ("codex", "codex-code-review", "Code review", None, "no"),
    ("copilot", "chat", "Chat", 43200, "no, unless it is all there is"),
    ("doubao", "requests", "Requests", None, "yes"),
    ("jetbrains", "current", "Current", None, "yes"),
    ("kiro", "credits", "Credits", None, "yes"),
    ("kiro", "bonus", "Bonus", None, "no"),
    ("kiro", "kiro-overage", "Overage", None, "once the credits are used up"),
    ("openai", "credits", "Credits", None, "yes"),
)
"""Windows that no sample holds, of programs and files and of other plans: provider, id, label, minutes, whether it
blocks."""


def rows() -> Iterator[Cells]:
    """Provider, window, length, whether it blocks: of all windows in the samples that are no placeholders."""
    found: dict[str, dict[str, Window]] = {}
    for provider, usage in _usages():
        for window in usage.windows:
            if not window.placeholder:
                found.setdefault(provider, {}).setdefault(window.id, window)
    cells = {
        (provider, window.id): _cells(provider, window.id, window.label, window.minutes, _word(window))
        for provider, windows in found.items()
        for window in windows.values()
    }
    cells |= {(one[0], one[1]): _cells(*one) for one in BEYOND}
    yield from (cells[key] for key in sorted(cells, key=lambda key: registry.get(key[0]).name.casefold()))


def _cells(provider: str, id: str, label: str, minutes: int | None, blocks: str) -> Cells:
    return registry.get(provider).name, f"{label} (`{id}`)", length_name(minutes) if minutes else "", blocks


def _word(window: Window) -> str:
    return "yes" if window.blocks_account else "no"


def _usages() -> Iterator[tuple[str, Usage]]:
    """What every sample of the tests comes to."""
    sys.path.insert(0, str(ROOT))
    from tests.providers.samples import SAMPLES
    from tests.providers.samples.reading import reading

    with TemporaryDirectory() as folder:
        for sample in SAMPLES:
            home = Path(folder) / sample.id
            home.mkdir()
            for name, content in sample.files.items():
                file = home / name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
            usage, _ = reading(sample, home, {})
            if not isinstance(usage, Usage):
                raise ValueError(f"the sample {sample.id} gives no usage: {usage}")
            yield sample.provider, usage
