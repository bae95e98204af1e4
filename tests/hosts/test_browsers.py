"""What Chromium and Electron programs encrypt, decrypted as a strategy does it."""

from __future__ import annotations

import sys
from hashlib import pbkdf2_hmac

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from quotaline_providers.errors import MissingProgram
from quotaline_providers.hosts.browsers.chromium_key import decrypt
from quotaline_providers.hosts.browsers.local import LocalBrowsers
from quotaline_providers.installation import to_add
from quotaline_providers.secret import Secret


def encrypted(password: str, plain: bytes) -> bytes:
    """As Electron encrypts it on macOS."""
    padding = 16 - len(plain) % 16
    key = pbkdf2_hmac("sha1", password.encode(), b"saltysalt", 1003, 16)
    run = Cipher(algorithms.AES(key), modes.CBC(b" " * 16)).encryptor()
    return b"v10" + bytes(run.update(plain + bytes([padding]) * padding)) + bytes(run.finalize())


def test_known_answers() -> None:
    data = bytes.fromhex("777e135e1dd1b1bf0f7d00618ce065f149869672439c47f963a0fcc493fd11d6")
    assert decrypt(bytes(range(16)), b"v10" + data) == b"seventeen letters"


@pytest.mark.parametrize("length", [0, 1, 15, 16, 17, 1000])
def test_what_electron_encrypts_can_be_decrypted(length: int) -> None:
    plain = bytes(number % 251 for number in range(length))
    assert LocalBrowsers().decryptor(Secret("demo-password"))(encrypted("demo-password", plain)) == plain


@pytest.mark.parametrize("data", [b"", b"v10", b"v10" + b"x" * 15, b"v10" + b"x" * 16, b"v10" + b"x" * 33, b"x" * 16])
def test_what_is_no_cipher_text_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"encrypted|padding"):
        decrypt(b"k" * 16, data)


def test_without_the_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.ciphers", None)
    with pytest.raises(MissingProgram) as raised:
        decrypt(b"k" * 16, b"v10" + b"x" * 16)
    assert to_add("browser") in raised.value.hint
