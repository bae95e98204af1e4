"""A Windows Credential Manager in memory, behind the modules of `pywin32-ctypes`: its limits and its error numbers."""

# ruff: noqa: N802, N803 (the names are those of the system)
from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import keyring
import pytest
from keyring.backend import KeyringBackend

LARGEST_BLOB, LONGEST_TARGET, LONGEST_USER = 2560, 32767, 513
NAMES = ("Type", "TargetName", "UserName", "CredentialBlob", "Comment", "Persist")


class VaultError(Exception):
    """As `pywintypes.error`."""

    def __init__(self, winerror: int, funcname: str, strerror: str) -> None:
        super().__init__(winerror, funcname, strerror)
        self.winerror, self.funcname, self.strerror = winerror, funcname, strerror


@dataclass
class Vault:
    """What the user's Credential Manager holds: user and bytes by the names of the entries, which know no case."""

    entries: dict[str, tuple[str, str, bytes]] = field(default_factory=dict)
    has_session: bool = True
    writes_left: int | None = None
    """After how many more writes the system is out of memory."""
    on_read: Callable[[str], None] = lambda target: None
    CRED_TYPE_GENERIC = 1
    CRED_PERSIST_ENTERPRISE = 3

    def put(self, target: str, user: str, blob: bytes) -> None:
        """Another program's entry."""
        self.entries[target.casefold()] = (target, user, blob)

    def targets(self) -> list[str]:
        return sorted(target for target, _, _ in self.entries.values())

    def CredRead(self, TargetName: str, Type: int, Flags: int = 0) -> Mapping[str, object]:
        self._check("CredRead", Type)
        self.on_read(TargetName)
        if TargetName.casefold() not in self.entries:
            raise VaultError(1168, "CredRead", "Element not found.")
        target, user, blob = self.entries[TargetName.casefold()]
        return {**dict.fromkeys(NAMES), "Type": 1, "TargetName": target, "UserName": user, "CredentialBlob": blob}

    def CredWrite(self, Credential: Mapping[str, Any], Flags: int = 0) -> None:
        self._check("CredWrite", Credential["Type"])
        assert set(Credential) <= set(NAMES)
        target, user, text = Credential["TargetName"], Credential["UserName"], Credential["CredentialBlob"]
        assert isinstance(text, str), "bytes would be read in the system's code page"
        blob = text.encode("utf-16-le")
        if not 0 < len(target) <= LONGEST_TARGET or len(user) > LONGEST_USER:
            raise VaultError(87, "CredWrite", "The parameter is incorrect.")
        if len(blob) > LARGEST_BLOB:
            raise VaultError(1783, "CredWrite", "The stub received bad data.")
        if self.writes_left is not None:
            if self.writes_left == 0:
                raise VaultError(8, "CredWrite", "Not enough memory resources are available.")
            self.writes_left -= 1
        self.put(target, user, blob)

    def CredDelete(self, TargetName: str, Type: int, Flags: int = 0) -> None:
        self._check("CredDelete", Type)
        if self.entries.pop(TargetName.casefold(), None) is None:
            raise VaultError(1168, "CredDelete", "Element not found.")

    def _check(self, function: str, kind: int) -> None:
        assert kind == self.CRED_TYPE_GENERIC
        if not self.has_session:
            raise VaultError(1312, function, "A specified logon session does not exist.")


@contextmanager
def installed(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> Iterator[KeyringBackend]:
    """Let the keyring library find this vault; gives its backend for Windows."""
    pywin32, types = ModuleType("win32ctypes.pywin32"), ModuleType("win32ctypes.pywin32.pywintypes")
    vault.__dict__["__name__"] = "win32ctypes.pywin32.win32cred"
    types.__dict__["error"] = VaultError
    pywin32.__dict__.update(win32cred=vault, pywintypes=types)
    package = ModuleType("win32ctypes")
    package.__dict__["pywin32"] = pywin32
    import keyring.backends as backends

    usual = importlib.import_module("keyring.backends.Windows")
    with monkeypatch.context() as patched:
        for name, module in {
            "win32ctypes": package,
            "win32ctypes.pywin32": pywin32,
            "win32ctypes.pywin32.pywintypes": types,
            "win32ctypes.pywin32.win32cred": vault,
        }.items():
            patched.setitem(sys.modules, name, module)
        patched.delitem(sys.modules, "keyring.backends.Windows")
        patched.setattr(backends, "Windows", usual)
        patched.setattr(keyring.core, "_keyring_backend", None)
        module = importlib.import_module("keyring.backends.Windows")
        backend: KeyringBackend = module.WinVaultKeyring()
        keyring.set_keyring(backend)
        yield backend
