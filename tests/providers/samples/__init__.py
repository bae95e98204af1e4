"""An invented good answer of every vendor's network strategies: where the conformance tests start from.

One entry per strategy, in the module of its family; `sample` says what an entry is.
"""

from __future__ import annotations

from collections.abc import Mapping

from tests.providers.samples.clouds import CLOUDS
from tests.providers.samples.gateways import GATEWAYS
from tests.providers.samples.logins import LOGINS
from tests.providers.samples.metered import METERED
from tests.providers.samples.plans import PLANS
from tests.providers.samples.quotas import QUOTAS
from tests.providers.samples.sample import KEY, UNREADABLE, USUAL, Exchange, Sample

__all__ = ["KEY", "SAMPLES", "UNREADABLE", "USUAL", "WITHOUT", "Exchange", "Sample"]

SAMPLES: tuple[Sample, ...] = (*METERED, *GATEWAYS, *QUOTAS, *PLANS, *LOGINS, *CLOUDS)
"""Every sample there is."""

WITHOUT: Mapping[tuple[str, str], str] = {
    ("claude", "claude"): "a program is started and talked to: test_claude_cli",
    ("codex", "codex-cli"): "a program is started and talked to: test_codex_program",
}
"""Strategies without a sample, each with the reason and the place where it is tested instead."""
