"""Values that Chromium and Electron programs encrypt with a key of the system (AES-CBC); needs the extra `browser`."""

from __future__ import annotations

import hashlib

from quotaline_providers.errors import MissingProgram
from quotaline_providers.installation import to_add
from quotaline_providers.secret import Secret

PREFIX = b"v10"
_BLOCK = 16
_SALT, _IV = b"saltysalt", b" " * _BLOCK
MAC_ROUNDS = 1003


def derive_key(password: Secret, rounds: int = MAC_ROUNDS) -> bytes:
    """The key that such a program derives from the password it keeps in the Keychain."""
    return hashlib.pbkdf2_hmac("sha1", password.reveal().encode(), _SALT, rounds, _BLOCK)


def decrypt(key: bytes, value: bytes) -> bytes:
    """The plain bytes. Raises ValueError when encrypted in another way, MissingProgram without the extra."""
    data = value.removeprefix(PREFIX)
    if data == value or not data or len(data) % _BLOCK:
        raise ValueError("encrypted in another way")
    try:
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
        from cryptography.hazmat.primitives.padding import PKCS7
    except ImportError:
        raise MissingProgram(
            "Reading what a browser or an Electron program has encrypted needs a library that is not installed.",
            f"Run {to_add('browser')}.",
        ) from None
    decryptor, padding = Cipher(algorithms.AES(key), modes.CBC(_IV)).decryptor(), PKCS7(_BLOCK * 8).unpadder()
    return padding.update(decryptor.update(data) + decryptor.finalize()) + padding.finalize()
