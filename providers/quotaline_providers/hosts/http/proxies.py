"""Which proxy a request goes through: `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`, else the system's."""

from __future__ import annotations

import ipaddress
import os
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Proxies:
    """The proxies of an environment. Loopback is never asked through one."""

    https: str | None = field(default=None, repr=False)
    http: str | None = field(default=None, repr=False)
    exceptions: str = ""
    system: bool = False

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Proxies:
        """The proxies this environment names; for the process's own environment also the system's."""
        system = environ is os.environ
        found = urllib.request.getproxies() if system else _named(environ)
        rest = found.get("all")
        return cls(
            https=_address(found.get("https") or rest),
            http=_address(found.get("http") or rest),
            exceptions=found.get("no", ""),
            system=system,
        )

    def choose(self, url: str) -> str | None:
        """The proxy's address for a request to `url`, None to connect directly."""
        parts = urlsplit(url)
        host = parts.hostname or ""
        proxy = self.https if parts.scheme == "https" else self.http
        if proxy is None or is_loopback(host) or self._excepted(host, parts.port):
            return None
        return proxy

    def _excepted(self, host: str, port: int | None) -> bool:
        name = f"{host}:{port}" if port else host
        if self.exceptions:
            return _in_networks(host, self.exceptions) or bool(
                urllib.request.proxy_bypass_environment(name, {"no": self.exceptions})  # type: ignore[attr-defined]
            )
        return self.system and bool(urllib.request.proxy_bypass(name))


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _named(environ: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for scheme in ("https", "http", "all", "no"):
        for name in (f"{scheme}_proxy", f"{scheme}_proxy".upper()):
            if name in environ:
                if environ[name].strip():
                    found[scheme] = environ[name].strip()
                break
    return found


def _address(value: str | None) -> str | None:
    return value if not value or "://" in value else f"http://{value}"


def _in_networks(host: str, exceptions: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    for entry in exceptions.split(","):
        try:
            if "/" in entry and address in ipaddress.ip_network(entry.strip(), strict=False):
                return True
        except (ValueError, TypeError):
            continue
    return False
