"""Which certificates count: the system's, and those `SSL_CERT_FILE` and `SSL_CERT_DIR` name."""

from __future__ import annotations

import ssl
import sys
from collections.abc import Mapping
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
        return context
    # truststore reads the whole bundle again for every connection here, on the event loop: once is enough.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    usual = ssl.get_default_verify_paths()
    file = environ.get("SSL_CERT_FILE") or usual.openssl_cafile
    folder = environ.get("SSL_CERT_DIR") or usual.openssl_capath
    if not Path(file).is_file() and not _holds_hashed(folder):
        file = next((bundle for bundle in _BUNDLES if Path(bundle).is_file()), file)
    _load(context, file, folder)
    return context


def trusting_anything() -> ssl.SSLContext:
    """A client context without any check, for self-signed servers on this machine."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _load(context: ssl.SSLContext, file: str | None, folder: str | None) -> None:
    if file and Path(file).is_file():
        try:
            context.load_verify_locations(cafile=file)
        except (ssl.SSLError, OSError):
            raise Misconfigured(
                "The file in SSL_CERT_FILE contains no readable certificates.",
                "Correct SSL_CERT_FILE or unset it.",
            ) from None
    if folder and Path(folder).is_dir():
        context.load_verify_locations(capath=folder)


def _holds_hashed(folder: str) -> bool:
    try:
        return any(path.suffix[1:].isdigit() for path in Path(folder).iterdir())
    except OSError:
        return False
