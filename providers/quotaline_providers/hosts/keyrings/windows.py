"""Windows: the Credential Manager, which keeps bytes of any meaning under one name, and few of them.

The library reads every value as UTF-16 and writes at most 1,280 characters. So the system's functions are called here
directly (through `pywin32-ctypes`, which the library brings along): values of other programs are read as what they
are, and a long one of ours is kept in numbered entries.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from quotaline_providers.hosts.keyrings.entries import NoKeyringError, TooLongError

if TYPE_CHECKING:
    from keyring.backends.Windows import WinVaultKeyring

BLOB_BYTES = 2560
"""The most that one entry holds (CRED_MAX_CREDENTIAL_BLOB_SIZE); beyond it the system says `bad stub data` (1783)."""
MOST_PARTS = 64
"""Entries that one value may take: 81,920 characters."""

_NOT_FOUND = 1168
_NO_LOGON_SESSION = 1312  # of a service, or of a login by SSH: such a session has no credentials
_PARTS = "quotaline-parts:"
"""What an entry begins with whose value is elsewhere: `quotaline-parts:<id>:<count>`."""


@dataclass(frozen=True, slots=True)
class _Entry:
    user: str
    blob: bytes


class CredentialManager:
    """The generic credentials of the user. Reading them asks nobody."""

    grants_one_by_one = False

    def __init__(self, backend: WinVaultKeyring) -> None:
        self.name = str(backend.name)

    def get(self, service: str, account: str, *, quiet: bool) -> str | None:
        own = _own_target(service, account)
        for _ in range(2):  # an entry in parts may be replaced between its first and its last one
            found = _read(own)
            if found is None or found.user != account:  # names of entries know no case, accounts do
                break
            value = _joined(own, decoded_own(found.blob))
            if value is not None:
                return value
        for target in other_targets(service, account):
            found = _read(target)
            if found is not None and (not account or found.user == account):
                return decoded(found.blob)
        return None

    def set(self, service: str, account: str, value: str) -> None:
        target, pieces = _own_target(service, account), split(value)
        if len(pieces) > MOST_PARTS:
            raise TooLongError
        older = _parts_of(target)
        if len(pieces) == 1 and not value.startswith(_PARTS):
            _write(target, account, value)
        else:
            self._set_in_parts(target, account, pieces)
        for part in older:
            _delete(part)
        self._delete_as_the_library(service, account)

    def delete(self, service: str, account: str) -> bool:
        target = _own_target(service, account)
        parts = _parts_of(target)
        deleted = _delete(target)
        for part in parts:
            _delete(part)
        return self._delete_as_the_library(service, account) or deleted

    def _set_in_parts(self, target: str, account: str, pieces: list[str]) -> None:
        """The parts first, under names that nobody has used, then the entry that leads to them: whoever reads meanwhile
        finds the old value or the new one."""
        id = secrets.token_hex(4)
        parts = _part_names(target, id, len(pieces))
        try:
            for part, piece in zip(parts, pieces, strict=True):
                _write(part, account, piece)
            _write(target, account, f"{_PARTS}{id}:{len(pieces)}")
        except Exception:
            for part in parts:
                _delete(part)
            raise

    def _delete_as_the_library(self, service: str, account: str) -> bool:
        """Take out what the library keeps under the bare name of the service, if it is this account's."""
        found = _read(service)
        return found is not None and found.user == account and _delete(service)


# --- names -----------------------------------------------------------------------------------------


def _own_target(service: str, account: str) -> str:
    """The name under which we keep a value: the one that the library finds, too."""
    return f"{account}@{service}"


def other_targets(service: str, account: str) -> tuple[str, ...]:
    """The names under which programs keep an entry: those of Python's library, Go's, keytar (Node) and Rust's."""
    return service, f"{service}:{account}", f"{service}/{account}", f"{account}.{service}"


def _part_names(target: str, id: str, count: int) -> list[str]:
    return [f"{target}#{id}.{number}" for number in range(1, count + 1)]


def _parts_of(target: str) -> list[str]:
    """The names of the parts in which an entry of ours is kept."""
    found = _read(target)
    head = decoded_own(found.blob) if found else ""
    id, _, count = head.removeprefix(_PARTS).partition(":")
    if not head.startswith(_PARTS) or not count.isdecimal() or int(count) > MOST_PARTS:
        return []
    return _part_names(target, id, int(count))


def _joined(target: str, head: str) -> str | None:
    """The value of an entry of ours; None when parts of it are missing."""
    if not head.startswith(_PARTS):
        return head
    parts = [_read(part) for part in _parts_of(target)]
    texts = [decoded_own(part.blob) for part in parts if part]
    return "".join(texts) if parts and len(texts) == len(parts) else None


# --- values ----------------------------------------------------------------------------------------


def split(value: str) -> list[str]:
    """The value in pieces that an entry holds as UTF-16, no character cut in two."""
    units = value.encode("utf-16-le")
    pieces: list[str] = []
    start = 0
    while start < len(units) or not pieces:
        end = min(start + BLOB_BYTES, len(units))
        if end < len(units) and 0xDC <= units[end + 1] <= 0xDF:  # the second half of a character above U+FFFF
            end -= 2
        pieces.append(units[start:end].decode("utf-16-le"))
        start = end
    return pieces


def decoded_own(blob: bytes) -> str:
    """The text of an entry that we, or the library, have written."""
    return blob.decode("utf-16-le").removeprefix("\ufeff")


def decoded(blob: bytes) -> str | None:
    """The text of another program's entry; None when it is none.

    Go and Node write UTF-8, Python, Rust and the system UTF-16. Tokens are of ASCII characters, of which only UTF-16
    has zero bytes.
    """
    for encoding in ("utf-16-le", "utf-8") if b"\0" in blob else ("utf-8", "utf-16-le"):
        try:
            return blob.decode(encoding).removeprefix("\ufeff")
        except UnicodeDecodeError:
            continue
    return None


# --- the system's functions ------------------------------------------------------------------------


@contextmanager
def _errors_told() -> Iterator[None]:
    from win32ctypes.pywin32 import pywintypes

    try:
        yield
    except pywintypes.error as raised:
        if raised.winerror == _NOT_FOUND:
            raise KeyError from None
        if raised.winerror == _NO_LOGON_SESSION:
            raise NoKeyringError from None
        raise


def _read(target: str) -> _Entry | None:
    from win32ctypes.pywin32 import win32cred

    try:
        with _errors_told():
            found = win32cred.CredRead(TargetName=target, Type=win32cred.CRED_TYPE_GENERIC)
    except KeyError:
        return None
    return _Entry(str(found["UserName"] or ""), bytes(found["CredentialBlob"] or b""))


def _write(target: str, user: str, text: str) -> None:
    from win32ctypes.pywin32 import win32cred

    entry = {
        "Type": win32cred.CRED_TYPE_GENERIC,
        "TargetName": target,
        "UserName": user,
        "CredentialBlob": text,
        "Comment": "Kept by Quotaline",
        "Persist": win32cred.CRED_PERSIST_ENTERPRISE,
    }
    with _errors_told():
        win32cred.CredWrite(entry, 0)


def _delete(target: str) -> bool:
    """Whether it was there."""
    from win32ctypes.pywin32 import win32cred

    try:
        with _errors_told():
            win32cred.CredDelete(TargetName=target, Type=win32cred.CRED_TYPE_GENERIC)
    except KeyError:
        return False
    return True
