"""The simulator's certificate authority, and the TLS contexts it serves the vendors' host names with."""

from __future__ import annotations

import ipaddress
import ssl
from pathlib import Path

import trustme


class Authority:
    """Makes one certificate per host on demand. `certificate_file` is what a client must trust."""

    def __init__(self, folder: Path) -> None:
        self._trusted = trustme.CA(organization_name="Vendor simulator")
        self._other = trustme.CA(organization_name="Nobody's authority")
        self._contexts: dict[tuple[str, bool], ssl.SSLContext] = {}
        self.certificate_file = folder / "simulator-ca.pem"
        self._trusted.cert_pem.write_to_path(str(self.certificate_file))

    def context(self, host: str, *, trusted: bool = True) -> ssl.SSLContext:
        """A server context for this host; not `trusted` makes the certificate one of another authority."""
        key = (host, trusted)
        if key not in self._contexts:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            names = (host,) if not _is_loopback(host) else ("127.0.0.1", "localhost", "::1")
            (self._trusted if trusted else self._other).issue_cert(*names).configure_cert(context)
            self._contexts[key] = context
        return self._contexts[key]


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
