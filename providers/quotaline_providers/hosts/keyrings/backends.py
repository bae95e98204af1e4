"""Which keyring is behind a backend of the `keyring` library."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quotaline_providers.hosts.keyrings.entries import Chain, Entries, NoKeyringError, Plain

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
    # Only the system's own: each brings libraries of its system.
    if isinstance(backend, SecretService.Keyring):
        from quotaline_providers.hosts.keyrings.secret_service import SecretServiceEntries

        return SecretServiceEntries(backend)
    if isinstance(backend, Windows.WinVaultKeyring):
        from quotaline_providers.hosts.keyrings.windows import CredentialManager

        return CredentialManager(backend)
    if isinstance(backend, macOS.Keyring):
        from quotaline_providers.hosts.keyrings.macos import Keychain

        return Keychain(backend)
    return Plain(backend)
