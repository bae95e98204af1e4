"""Which proxy a request goes through: `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`, else the system's."""

from __future__ import annotations

import fnmatch
import ipaddress
import os
import re
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from quotaline_providers.errors import Misconfigured

SCHEMES = ("http", "https", "socks5", "socks5h")
_SOCKS = {"socks": "socks5", "socks5": "socks5", "socks5h": "socks5h"}
_SYSTEM = "the proxy settings of this computer"


@dataclass(frozen=True)
class Proxy:
    """One proxy. `setting` is the variable that names it; `login` (user name and password) is shown nowhere."""

    address: str = field(repr=False)
    setting: str
    login: tuple[str, str] | None = field(default=None, repr=False)

    @classmethod
    def of(cls, value: str, setting: str) -> Proxy:
        """The proxy that this value of a setting names. Raises Misconfigured, which names the setting alone."""
        scheme, separator, rest = value.partition("://")
        if not separator:
            scheme, rest = "http", value
        # A password may hold any character: all up to the last `@` is the login, as it was typed or percent-encoded.
        login, at, place = rest.rpartition("@")
        scheme = _SOCKS.get(scheme.lower(), scheme.lower())
        host = re.split(r"[/?#]", place, maxsplit=1)[0]
        if scheme not in SCHEMES:
            raise Misconfigured(
                f"The proxy in {setting} is of a kind that cannot be used.",
                f"Set {setting} to an HTTP or SOCKS5 proxy.",
            )
        if not _is_place(f"{scheme}://{host}"):
            raise Misconfigured(f"The proxy in {setting} has no usable address.", _form(setting))
        user, _, password = login.partition(":")
        return cls(f"{scheme}://{host}", setting, (unquote(user), unquote(password)) if at else None)

    @property
    def secure(self) -> bool:
        """Whether the proxy itself is spoken to over TLS."""
        return self.address.startswith("https:")

    @property
    def words(self) -> str:
        """The proxy as it is called in sentences."""
        return f"The proxy in {self.setting}"

    @property
    def hint(self) -> str:
        """What to do when it does not work."""
        return f"Check {self.setting}; NO_PROXY names hosts that need no proxy."

    @property
    def login_hint(self) -> str:
        """What to do when it asks for another login."""
        return f"Correct the user name and password in {self.setting}." if self.login else _form(self.setting)


def _form(setting: str) -> str:
    return f"Set {setting} to the proxy's address, with user:password@ before its host if it asks for them."


def _is_place(address: str) -> bool:
    try:
        parts = urlsplit(address)
        return bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False


@dataclass(frozen=True)
class Proxies:
    """The proxies of an environment: for each, what it is set to and where. Loopback is never asked through one."""

    https: tuple[str, str] | None = field(default=None, repr=False)
    http: tuple[str, str] | None = field(default=None, repr=False)
    exceptions: str = ""
    system: bool = False

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Proxies:
        """The proxies this environment names; when the process's own names none, the system's."""
        found = _named(environ)
        system = environ is os.environ and not any(scheme in found for scheme in ("https", "http", "all"))
        if system:
            asked = {scheme: (value, _SYSTEM) for scheme, value in urllib.request.getproxies().items()}
            found = {**asked, **found}
        rest = found.get("all")
        return cls(
            https=found.get("https") or rest,
            http=found.get("http") or rest,
            exceptions=found.get("no", ("", ""))[0],
            system=system,
        )

    def choose(self, url: str) -> Proxy | None:
        """The proxy for a request to `url`, None to connect directly. Raises Misconfigured."""
        parts = urlsplit(url)
        host, https = parts.hostname or "", parts.scheme == "https"
        chosen = self.https if https else self.http
        if chosen is None or is_loopback(host) or self._excepted(host, parts.port or (443 if https else 80)):
            return None
        return Proxy.of(*chosen)

    def _excepted(self, host: str, port: int) -> bool:
        entries = re.split(r"[,\s]+", self.exceptions)
        if any(_excepts(entry, host.removesuffix("."), port) for entry in entries if entry):
            return True
        return self.system and not self.exceptions and bool(urllib.request.proxy_bypass(f"{host}:{port}"))


def _excepts(entry: str, host: str, port: int) -> bool:
    """Whether one entry of `NO_PROXY` means this host: `*`, a name (with all below it), `.name`, `*.name`, an address,
    each also with `:port`, or a network."""
    address = _address(host)
    if address is not None and _in_network(address, entry):
        return True
    name, colon, of_port = entry.lower().rpartition(":")
    if not colon or not re.fullmatch(r"[0-9]{1,5}", of_port) or (":" in name and not name.endswith("]")):
        name = entry.lower()
    elif int(of_port) != port:
        return False
    name = name.strip("[]").removesuffix(".")
    if address is not None and _address(name) == address:
        return True
    name = name.removeprefix("*.").removeprefix(".") if name != "*" else name
    return bool(name) and (host == name or host.endswith(f".{name}") or ("*" in name and fnmatch.fnmatch(host, name)))


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine."""
    address = _address(host)
    return host == "localhost" or (address is not None and address.is_loopback)


def _named(environ: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """What the variables are set to, and the name of each as it is written there."""
    found: dict[str, tuple[str, str]] = {}
    for scheme in ("https", "http", "all", "no"):
        for name in (f"{scheme}_proxy", f"{scheme}_proxy".upper()):
            if name in environ:
                if environ[name].strip():
                    found[scheme] = environ[name].strip(), name
                break
    return found


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _in_network(address: ipaddress.IPv4Address | ipaddress.IPv6Address, entry: str) -> bool:
    try:
        return "/" in entry and address in ipaddress.ip_network(entry, strict=False)
    except (ValueError, TypeError):
        return False
