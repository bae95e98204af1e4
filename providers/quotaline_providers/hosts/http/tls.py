"""Which certificates count: the system's, and those `SSL_CERT_FILE` and `SSL_CERT_DIR` name."""

from __future__ import annotations

import os
import ssl
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from quotaline_providers.errors import Misconfigured

_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)


def trusting_system(environ: Mapping[str, str]) -> ssl.SSLContext:
    """A client context that trusts what the system trusts. Slow: not for the event loop.

    Raises Misconfigured when a named certificate file holds none.
    """
    if sys.platform in ("darwin", "win32"):
        import truststore

        context: ssl.SSLContext = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        _load(context, environ.get("SSL_CERT_FILE"), environ.get("SSL_CERT_DIR"))
        _load_plain(context, environ.get("SSL_CERT_DIR"))
        return context
    # truststore reads the whole bundle again for every connection here, on the event loop: once is enough.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    usual = ssl.get_default_verify_paths()
    file = environ.get("SSL_CERT_FILE") or usual.openssl_cafile
    folders = environ.get("SSL_CERT_DIR") or usual.openssl_capath
    if not Path(file).is_file() and not any(map(_holds_hashed, _folders(folders))):
        file = next((bundle for bundle in _BUNDLES if Path(bundle).is_file()), file)
    _load(context, file, folders)
    _load_plain(context, environ.get("SSL_CERT_DIR"))
    return context


def trust_hint(environ: Mapping[str, str]) -> str:
    """What to do when the authority of a certificate is not known."""
    file = environ.get("SSL_CERT_FILE")
    if file and not Path(file).is_file():
        return "SSL_CERT_FILE names a file that does not exist: correct it or unset it."
    if file or environ.get("SSL_CERT_DIR"):
        named = "SSL_CERT_FILE" if file else "SSL_CERT_DIR"
        return f"If a proxy inspects your traffic, add its certificate to what {named} names."
    return "If a proxy inspects your traffic, set SSL_CERT_FILE to its certificate file."


def trusting_anything() -> ssl.SSLContext:
    """A client context without any check, for self-signed servers on this machine."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _load(context: ssl.SSLContext, file: str | None, folders: str | None) -> None:
    """Trust the authorities in a file and in folders (several are separated as in `PATH`)."""
    if file and Path(file).is_file():
        try:
            context.load_verify_locations(cafile=file)
        except (ssl.SSLError, OSError):
            raise Misconfigured(
                "The file in SSL_CERT_FILE contains no readable certificates.",
                "Correct SSL_CERT_FILE or unset it.",
            ) from None
    for folder in _folders(folders):
        context.load_verify_locations(capath=folder)


def _load_plain(context: ssl.SSLContext, folders: str | None) -> None:
    """Trust the authorities in folders that were not prepared with `c_rehash`, as OpenSSL asks for."""
    for folder in _folders(folders):
        for certificate in _certificates(folder) if not _holds_hashed(folder) else ():
            with suppress(ssl.SSLError, OSError):
                context.load_verify_locations(cafile=certificate)


def _folders(names: str | None) -> tuple[Path, ...]:
    found = map(Path, filter(None, (names or "").split(os.pathsep)))
    return tuple(folder for folder in found if folder.is_dir())


def _certificates(folder: Path) -> Iterator[Path]:
    with suppress(OSError):
        yield from sorted(path for path in folder.iterdir() if path.suffix.lower() in (".pem", ".crt", ".cer"))


def _holds_hashed(folder: Path) -> bool:
    try:
        return any(path.suffix[1:].isdigit() for path in folder.iterdir())
    except OSError:
        return False
