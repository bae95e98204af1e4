"""What a keyring does for us, whichever it is, and how it fails."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend


class NoKeyringError(Exception):
    """Nothing here keeps secrets."""


class LockedError(Exception):
    """The keyring would have to ask the user for a password or a permission, or they did not give it."""


class TooLongError(Exception):
    """The keyring takes no value of this length."""


class Entries(Protocol):
    """The entries of a keyring, by service and account. All of it may take long, and may raise any error of the
    library besides the three above."""

    name: str
    """For people."""
    grants_one_by_one: bool
    """Whether it asks the user for every single entry."""

    def get(self, service: str, account: str, *, quiet: bool) -> str | None:
        """An entry; None when absent. Raises LockedError instead of asking when it must be `quiet`."""
        ...

    def set(self, service: str, account: str, value: str) -> None:
        """Keep a value in place of an older one. When that fails, either of them or none may be there."""
        ...

    def delete(self, service: str, account: str) -> bool:
        """Whether the entry was there; it is gone now."""
        ...


class Plain:
    """A keyring of which the library knows enough."""

    grants_one_by_one = False

    def __init__(self, backend: KeyringBackend) -> None:
        self.name = str(backend.name)
        self._backend = backend

    def get(self, service: str, account: str, *, quiet: bool) -> str | None:
        return self._backend.get_password(service, account)

    def set(self, service: str, account: str, value: str) -> None:
        self._backend.set_password(service, account, value)

    def delete(self, service: str, account: str) -> bool:
        if self._backend.get_password(service, account) is None:
            return False
        self._backend.delete_password(service, account)
        return True


class Chain:
    """Several keyrings: the first that has an entry gives it, the first that takes values keeps them."""

    def __init__(self, members: Sequence[Entries]) -> None:
        self.name = ", ".join(member.name for member in members)
        self.grants_one_by_one = any(member.grants_one_by_one for member in members)
        self._members = members

    def get(self, service: str, account: str, *, quiet: bool) -> str | None:
        for member in self._members:
            value = member.get(service, account, quiet=quiet)
            if value is not None:
                return value
        return None

    def set(self, service: str, account: str, value: str) -> None:
        for member in self._members:
            try:
                return member.set(service, account, value)
            except NotImplementedError:
                continue
        raise NoKeyringError

    def delete(self, service: str, account: str) -> bool:
        deleted = False
        for member in self._members:
            try:
                deleted |= member.delete(service, account)
            except NotImplementedError:
                continue
        return deleted
