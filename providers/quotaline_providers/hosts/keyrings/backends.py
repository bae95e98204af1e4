"""Which keyring is behind a backend of the `keyring` library."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quotaline_providers.hosts.keyrings.entries import Chain, Entries, NoKeyringError, Plain
from quotaline_providers.hosts.keyrings.macos import Keychain
from quotaline_providers.hosts.keyrings.secret_service import SecretServiceEntries
from quotaline_providers.hosts.keyrings.windows import CredentialManager

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend


def entries_of(backend: KeyringBackend) -> Entries:
    """The keyring behind a backend of the library. Raises NoKeyringError when it keeps nothing."""
    from keyring.backends import SecretService, Windows, chainer, fail, macOS, null

    if isinstance(backend, fail.Keyring | null.Keyring):
        raise NoKeyringError
    if isinstance(backend, chainer.ChainerBackend):
        members = [member for member in backend.backends if not isinstance(member, fail.Keyring | null.Keyring)]
        if not members:
            raise NoKeyringError
        return Chain([entries_of(member) for member in members])
    if isinstance(backend, SecretService.Keyring):
        return SecretServiceEntries(backend)
    if isinstance(backend, Windows.WinVaultKeyring):
        return CredentialManager(backend)
    return Keychain(backend) if isinstance(backend, macOS.Keyring) else Plain(backend)
