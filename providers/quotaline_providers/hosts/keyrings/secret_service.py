"""Linux: the Secret Service (GNOME Keyring, KWallet), which is locked as a whole and asks for one password."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from quotaline_providers.hosts.keyrings.entries import LockedError, Plain

if TYPE_CHECKING:
    from keyring.backends.SecretService import Keyring

_DEFAULT_COLLECTION = "/org/freedesktop/secrets/aliases/default"


class SecretServiceEntries(Plain):
    """The library would ask for the password at every read, so whether it must is found out before."""

    def __init__(self, backend: Keyring) -> None:
        super().__init__(backend)
        self._collection: str = getattr(backend, "preferred_collection", _DEFAULT_COLLECTION)

    def get(self, service: str, account: str, *, quiet: bool) -> str | None:
        if quiet and self._would_ask():
            raise LockedError
        return super().get(service, account, quiet=quiet)

    def _would_ask(self) -> bool:
        import secretstorage
        from secretstorage.exceptions import ItemNotFoundException

        with contextlib.closing(secretstorage.dbus_init()) as bus:
            try:
                return bool(secretstorage.Collection(bus, self._collection).is_locked())
            except ItemNotFoundException:  # no collection yet: the library would ask for a password to make one
                return True
