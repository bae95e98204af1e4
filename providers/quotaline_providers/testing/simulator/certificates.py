"""The simulator's certificate authority, and the TLS contexts it serves the vendors' host names with."""

from __future__ import annotations

import ipaddress
import ssl
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path

import trustme


class Certificate(StrEnum):
    """What is wrong with the certificate that a host shows."""

    GOOD = "good"
    UNTRUSTED = "untrusted"
    """Of an authority that nobody trusts."""
    EXPIRED = "expired"
    NOT_YET_VALID = "not yet valid"
    OF_ANOTHER_HOST = "of another host"


class Authority:
    """Makes one certificate per host on demand. `certificate_file` is what a client must trust."""

    def __init__(self, folder: Path) -> None:
        self._trusted = trustme.CA(organization_name="Vendor simulator")
        self._other = trustme.CA(organization_name="Nobody's authority")
        self._contexts: dict[tuple[str, Certificate], ssl.SSLContext] = {}
        self.certificate_file = folder / "simulator-ca.pem"
        self._trusted.cert_pem.write_to_path(str(self.certificate_file))

    @property
    def certificate(self) -> bytes:
        """The authority's own certificate (PEM)."""
        return self._trusted.cert_pem.bytes()

    def context(self, host: str, kind: Certificate = Certificate.GOOD) -> ssl.SSLContext:
        """A server context for this host, with a certificate of this kind."""
        key = (host, kind)
        if key not in self._contexts:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._certificate(host, kind).configure_cert(context)
            self._contexts[key] = context
        return self._contexts[key]

    def _certificate(self, host: str, kind: Certificate) -> trustme.LeafCert:
        names = (host,) if not _is_loopback(host) else ("127.0.0.1", "localhost", "::1")
        now = datetime.now(UTC)
        match kind:
            case Certificate.UNTRUSTED:
                return self._other.issue_cert(*names)
            case Certificate.EXPIRED:
                return self._trusted.issue_cert(*names, not_after=now - timedelta(days=1))
            case Certificate.NOT_YET_VALID:
                later = now + timedelta(days=1)
                return self._trusted.issue_cert(*names, not_before=later, not_after=later + timedelta(days=1))
            case Certificate.OF_ANOTHER_HOST:
                return self._trusted.issue_cert("elsewhere.example")
        return self._trusted.issue_cert(*names)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
