"""An invented good answer of every vendor's network strategies: where the conformance tests start from.

One entry per strategy, in `SAMPLES` of a module here: any one, so that a new provider can bring its own. `sample` says
what an entry is.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from importlib import import_module

from tests.providers.samples.sample import KEY, UNREADABLE, USUAL, Exchange, Sample

__all__ = ["KEY", "SAMPLES", "UNREADABLE", "USUAL", "WITHOUT", "Exchange", "Sample"]

SAMPLES: tuple[Sample, ...] = tuple(
    sample
    for module in sorted(found.name for found in pkgutil.iter_modules(__path__))
    for sample in getattr(import_module(f"{__name__}.{module}"), "SAMPLES", ())
)
"""Every sample there is."""

WITHOUT: Mapping[tuple[str, str], str] = {
    ("claude", "claude"): "a program is started and talked to: test_claude_cli",
    ("codex", "codex-cli"): "a program is started and talked to: test_codex_program",
}
"""Strategies without a sample, each with the reason and the place where it is tested instead."""
