"""The fixtures of all tests are those that authors of providers get, too: `quotaline_providers.testing`."""

from __future__ import annotations

import hypothesis

pytest_plugins = ["quotaline_providers.testing"]

hypothesis.settings.register_profile(
    "quotaline", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("quotaline")
