"""A macOS Keychain in memory, behind the library's door to the Security framework: who is trusted, who is asked."""

# ruff: noqa: N802 (the names are those of the system)
from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends import macOS

from quotaline_providers.hosts.keyrings import macos


class Error(Exception):
    """As in the library's `keyring.backends.macOS.api`: with the status of the system."""


class NotFound(Error):
    pass


class KeychainDenied(Error):
    pass


@dataclass
class Item:
    value: str
    trusted: set[str]
    """The programs that may read it without asking."""


@dataclass
class Keychain:
    """The default keychain of the user, as one program (`me`) sees it. Stands for the library's `api` and for the
    framework, too."""

    items: dict[tuple[str, str], Item] = field(default_factory=dict)
    me: str = "python"
    allows: bool = True
    """What the user answers a dialog with."""
    dialogs: list[tuple[str, str]] = field(default_factory=list)
    """The items that the user was asked for."""
    answered: threading.Event = field(default_factory=threading.Event)
    shown: threading.Event = field(default_factory=threading.Event)
    interaction: bool = True
    status: int = 0
    """What everything fails with, if not 0."""
    Error, NotFound, KeychainDenied = Error, NotFound, KeychainDenied

    def __post_init__(self) -> None:
        self.answered.set()

    def put(self, service: str, account: str, value: str, *trusted: str) -> None:
        """An item that another program has made."""
        self.items[service, account] = Item(value, set(trusted))

    def find_generic_password(self, keychain: None, service: str, account: str) -> str:
        item = self._item(service, account)
        if self.me not in item.trusted:
            self._ask(service, account)
        return item.value

    def set_generic_password(self, keychain: None, service: str, account: str, value: str) -> None:
        self._check()
        self.items[service, account] = Item(value, {self.me})

    def delete_generic_password(self, keychain: None, service: str, account: str) -> None:
        self._item(service, account)
        del self.items[service, account]

    def SecKeychainGetUserInteractionAllowed(self, state: Any) -> int:
        state._obj.value = self.interaction
        return 0

    def SecKeychainSetUserInteractionAllowed(self, state: Any) -> int:
        self.interaction = bool(state.value)
        return 0

    def _item(self, service: str, account: str) -> Item:
        self._check()
        if (service, account) not in self.items:
            raise NotFound(-25300, "Item not found")
        return self.items[service, account]

    def _ask(self, service: str, account: str) -> None:
        if not self.interaction:
            raise Error(-25308, "Unknown Error")
        self.dialogs.append((service, account))
        self.shown.set()
        assert self.answered.wait(20)
        if not self.allows:
            raise KeychainDenied(-128, "Keychain Access Denied")

    def _check(self) -> None:
        if self.status:
            raise Error(self.status, "Unknown Error")


@contextmanager
def installed(keychain: Keychain, monkeypatch: pytest.MonkeyPatch) -> Iterator[KeyringBackend]:
    """Let the keyring library, and the switch for dialogs, find this keychain; gives the library's backend."""
    with monkeypatch.context() as patched:
        patched.setattr(macOS, "api", keychain, raising=False)
        patched.setattr(macos, "framework", lambda: keychain)
        patched.setattr(keyring.core, "_keyring_backend", None)
        backend = macOS.Keyring()  # type: ignore[no-untyped-call]
        keyring.set_keyring(backend)
        yield backend
