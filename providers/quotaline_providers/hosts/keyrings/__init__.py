"""The OS keyring: the only place that touches the `keyring` library, and what its systems do differently.

`keyring` is the facility, `calls` lets the library wait without holding up anybody, `index` lists what the user gave.
`entries` is what a keyring does for us; `windows`, `macos` and `secret_service` are those that need more than the
library does, and `backends` finds the one that is used.
"""

from quotaline_providers.hosts.keyrings.index import Index, account_name, parse_index
from quotaline_providers.hosts.keyrings.keyring import OsKeyring, Outcome, Stored

__all__ = ["Index", "OsKeyring", "Outcome", "Stored", "account_name", "parse_index"]
