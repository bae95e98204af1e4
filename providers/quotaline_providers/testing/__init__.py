"""Testing a provider: a vendor simulator, a machine made for one test, and pytest fixtures for both.

A package with providers of its own opts in, in its top `conftest.py`:

    pytest_plugins = ["quotaline_providers.testing"]

That gives the fixtures `vendor`, `read`, `outcome`, `home`, `program`, `clock`, `keyring_entries`, `memory`, `reader`
and more of `quotaline_providers.testing.plugin`, and makes every test fail that tries to reach another machine. It
needs the extra `testing`. Nothing of the product imports this package.
"""

from __future__ import annotations

from collections.abc import Callable

from quotaline_providers.installation import to_add

try:
    from quotaline_providers.testing.simulator import Certificate, Request, Route, Simulator, Vendor
except ModuleNotFoundError as error:
    if error.name not in ("trustme", "h11"):
        raise
    raise ModuleNotFoundError(
        f"quotaline_providers.testing needs {error.name}, which is not installed: run {to_add('testing')}",
        name=error.name,
    ) from None
from quotaline_providers.testing.reading import NOW, Clock, FakeKeyring, Read, Reader, Run, finished

Vendors = Callable[[str], Vendor]
"""What the fixture `vendor` is: `vendor("api.meter.example")` gives the simulated host."""

pytest_plugins = ("quotaline_providers.testing.plugin",)

__all__ = [
    "NOW",
    "Certificate",
    "Clock",
    "FakeKeyring",
    "Read",
    "Reader",
    "Request",
    "Route",
    "Run",
    "Simulator",
    "Vendor",
    "Vendors",
    "finished",
]
