"""The browsers of this machine, and the programs built on one, as strategies see them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from quotaline_providers.hosts.browsers.chromium_key import decrypt, derive_key
from quotaline_providers.secret import Secret


class LocalBrowsers:
    """Implements `contract.Browsers`."""

    def decryptor(self, password: Secret) -> Callable[[bytes], bytes]:
        return partial(decrypt, derive_key(password))
