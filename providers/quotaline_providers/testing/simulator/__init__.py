"""The vendor simulator: a loopback HTTPS proxy that answers for the vendors' real host names.

The product is not changed for it: it is started with the variables of `Simulator.environ()` and talks real TLS.
"""

from quotaline_providers.testing.simulator.certificates import Certificate
from quotaline_providers.testing.simulator.proxy import Simulator
from quotaline_providers.testing.simulator.routes import Request, Route, Vendor

__all__ = ["Certificate", "Request", "Route", "Simulator", "Vendor"]
