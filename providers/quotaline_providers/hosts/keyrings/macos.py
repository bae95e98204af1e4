"""macOS: the Keychain, which asks the user for every entry that another program, or another Python, has made.

A read in the background must never put a dialog on the screen. Whether dialogs are allowed is a switch of the whole
process: of all ways the only one that holds for the login keychain, which is a file.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes.util import find_library
from typing import TYPE_CHECKING

from quotaline_providers.hosts.keyrings.entries import LockedError, NoKeyringError

if TYPE_CHECKING:
    from keyring.backends.macOS import Keyring

_NOT_FOUND = -25300
_REFUSED = frozenset({-128, -25293, -25308})
"""The user cancelled; no permission or the wrong password; a dialog would be needed and is not allowed."""
_NO_KEYCHAIN = frozenset({-25291, -25294, -25307})
"""No keychain service; no such keychain; no default keychain."""


class Keychain:
    """The user's default keychain."""

    grants_one_by_one = True

    def __init__(self, backend: Keyring) -> None:
        self.name = str(backend.name)
        self._backend = backend

    def get(self, service: str, account: str, *, quiet: bool) -> str | None:
        with _without_dialogs() if quiet else _with_dialogs(), _errors_told():
            value: str | None = self._backend.get_password(service, account)
            return value

    def set(self, service: str, account: str, value: str) -> None:
        with _with_dialogs(), _errors_told():
            self._backend.set_password(service, account, value)

    def delete(self, service: str, account: str) -> bool:
        try:
            with _with_dialogs(), _errors_told():
                self._backend.delete_password(service, account)
        except _AbsentError:
            return False
        return True


# --- errors ----------------------------------------------------------------------------------------


class _AbsentError(Exception):
    """There is no such entry."""


@contextmanager
def _errors_told() -> Iterator[None]:
    """Tell from the library's errors, which have the status of the system as their cause, those that have a meaning
    of their own."""
    from keyring.errors import KeyringError

    try:
        yield
    except KeyringError as raised:
        status = raised.__cause__.args[0] if raised.__cause__ and raised.__cause__.args else None
        if status == _NOT_FOUND:
            raise _AbsentError from None
        if status in _REFUSED:
            raise LockedError from None
        if status in _NO_KEYCHAIN:
            raise NoKeyringError from None
        raise


# --- dialogs ---------------------------------------------------------------------------------------

_switch = threading.Lock()
"""Held while dialogs are switched off, and to count the calls that may show one."""
_asking = [0]
"""How many calls may be showing a dialog now."""


def framework() -> ctypes.CDLL:
    """The system's Security framework."""
    return ctypes.CDLL(find_library("Security"))


@contextmanager
def _with_dialogs() -> Iterator[None]:
    with _switch:
        _asking[0] += 1
    try:
        yield
    finally:
        with _switch:
            _asking[0] -= 1


@contextmanager
def _without_dialogs() -> Iterator[None]:
    """Raises LockedError when dialogs cannot be switched off, or while one may be on the screen."""
    security, before = framework(), ctypes.c_ubyte(1)
    with _switch:
        if _asking[0] or security.SecKeychainGetUserInteractionAllowed(ctypes.byref(before)):
            raise LockedError
        if security.SecKeychainSetUserInteractionAllowed(ctypes.c_ubyte(0)):
            raise LockedError
        try:
            yield
        finally:
            security.SecKeychainSetUserInteractionAllowed(before)
