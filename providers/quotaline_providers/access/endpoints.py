"""Addresses a user may override. Whatever could send a key to a host the user did not choose is refused."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence
from typing import TypeAlias
from urllib.parse import urlsplit

from quotaline_providers.errors import Misconfigured
from quotaline_providers.parsing.answers import set_by_user
from quotaline_providers.parsing.payload import clean

_Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
_Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

UNSPECIFIED = "has an address (0.0.0.0) to which nothing can connect"
NO_HTTPS = "must use HTTPS"
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(?!\d+(?:[/?#]|$))")
_UNPRINTABLE = re.compile(r"[\s\x00-\x1f\x7f]")
_UNUSABLE = re.compile(r"[<>\"{}|^`\[\]:,;()*$!&'+=]")
_PORT = re.compile(r"[0-9]{1,5}")
_PRIVATE = tuple(
    map(
        ipaddress.ip_network,
        ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "fc00::/7", "fe80::/10"),
    )
)


def endpoint(value: str, name: str, *, http: str = "never") -> str:
    """The address without trailing slashes, `https://` put in front of a bare host.

    `name` is the setting as the user knows it. `http` says where plain HTTP is allowed: `never`, `loopback`,
    `private` networks by address, or also `named` hosts, of which the connection then checks every address (see
    `private_addresses`). Raises Misconfigured (which names the setting, never its value).
    """
    text = clean(value) or ""
    if _SCHEME.match(text) is None:
        text = f"https://{text}"
    problem = _problem(text, http)
    if problem:
        raise Misconfigured(f"The setting {name} {problem}.", _hint(problem, name, http))
    set_by_user(urlsplit(text).hostname or "")
    return text.rstrip("/")


def base_address(override: str | None, name: str, official: str) -> str:
    """The official address, or the one the setting `name` puts in its place. Raises Misconfigured."""
    if override is None:
        return official
    return without_query(endpoint(override, name), name)


def without_query(address: str, name: str) -> str:
    """The address, to which a path can be added. Raises Misconfigured when the setting `name` has a query."""
    if "?" in address:
        raise Misconfigured(f"The setting {name} must not have a query.", f"Correct {name} or remove it.")
    return address


def own_server(value: str | None, name: str, private_names: bool = False) -> str:
    """The address of a server of the user's own: with an explicit scheme, plain HTTP only in private networks.

    `name` is the setting as the user knows it; `private_names` allows names of the own network, too (the entry's
    `allowPrivateHosts`). Raises Misconfigured when it is missing or refused.
    """
    text = clean(value)
    if text is None:
        raise Misconfigured(f"The address of your server is missing: set {name}.", f"Set {name} to its address.")
    if "://" not in text:
        raise Misconfigured(f"The setting {name} must begin with https://.", f"Correct {name} or remove it.")
    return endpoint(text, name, http="named" if private_names else "private")


def configured_server(
    host: str | None, from_environ: str | None, variable: str, private_names: bool | None = None
) -> str:
    """As `own_server`, without a query: config `enterpriseHost`, else the value of the environment variable."""
    named = bool(private_names)
    if host:
        name = f"enterpriseHost ({variable})"
        return without_query(own_server(host, name, named), name)
    if from_environ:
        return without_query(own_server(from_environ, variable, named), variable)
    return own_server(None, f"enterpriseHost or {variable}")


def check_address(url: str, private_names: bool = False) -> None:
    """Raises Misconfigured unless a request may go to this address: HTTPS anywhere, plain HTTP in private networks, to
    `private_names` only where each of their `private_addresses` is."""
    problem = _problem(url, "named" if private_names else "private")
    if problem:
        raise Misconfigured(f"The address of a request {problem}.")


def needs_resolving(url: str) -> bool:
    """Whether plain HTTP goes to a name, of which nobody knows yet where it leads."""
    parts = urlsplit(url)
    return parts.scheme == "http" and not _http_allowed((parts.hostname or "").lower(), "private")


def private_addresses(host: str, found: Sequence[str]) -> tuple[str, ...]:
    """The addresses that a name of the own network has. Raises Misconfigured unless each of them is private (or of this
    computer): whoever answers for the name elsewhere shall get no credential."""
    addresses = tuple(ipaddress.ip_address(address.partition("%")[0]) for address in found)
    if not addresses or not all(map(_is_own, addresses)):
        raise Misconfigured(
            f"The name {host} leads out of the private network, so nothing was sent to it over plain HTTP.",
            "Use HTTPS, or correct the name.",
        )
    return tuple(map(str, sorted(addresses, key=lambda address: address.version)))


def same_origin(first: str, second: str) -> bool:
    """Whether two addresses share scheme, host and port, and that scheme is HTTPS."""
    try:
        one, two = urlsplit(first), urlsplit(second)
        ports = one.port or 443, two.port or 443
    except ValueError:
        return False
    if one.scheme != "https" or two.scheme != "https" or one.hostname is None:
        return False
    return one.hostname == two.hostname and ports[0] == ports[1]


def _problem(text: str, http: str) -> str | None:
    """What is wrong with an address that has a scheme. Judged by its text: `urlsplit` forgives too much."""
    scheme, separator, rest = text.partition("://")
    if not separator or scheme.lower() not in ("https", "http"):
        return "must be an HTTPS address"
    if "\\" in text or _UNPRINTABLE.search(text):
        return "holds characters that no address has"
    if "#" in text:
        return "must not have a fragment"
    netloc = re.split(r"[/?]", rest, maxsplit=1)[0]
    if "@" in netloc:
        return "must not hold a user name"
    if "%" in netloc:
        return "has an encoded host"
    try:
        urlsplit(text)
    except ValueError:
        return "is not an address"
    host, port = _split(netloc)
    if not _valid_host(host) or not _valid_port(port):
        return "has no valid host"
    address = _ip(host.strip("[]"))
    if address is not None and address.is_unspecified:
        return UNSPECIFIED
    if scheme.lower() == "http" and not _http_allowed(host.strip("[]").lower(), http):
        return NO_HTTPS
    return None


def _hint(problem: str, name: str, http: str) -> str:
    if problem == UNSPECIFIED:
        return f"Use 127.0.0.1 in {name} for a server on this computer."
    if problem == NO_HTTPS and http == "private":
        return (
            "Use HTTPS; for a name of your own network set allowPrivateHosts to true in the provider's entry of the "
            "config file (`quotaline config edit`)."
        )
    return f"Correct {name} or remove it."


def _split(netloc: str) -> tuple[str, str | None]:
    """Host (an IPv6 address keeps its brackets) and port; the port is None when there is no colon for one."""
    if netloc.startswith("["):
        address, bracket, rest = netloc.partition("]")
        return address + bracket, rest[1:] if rest.startswith(":") else (rest or None)
    host, colon, port = netloc.partition(":")
    return host, port if colon else None


def _valid_port(port: str | None) -> bool:
    return port is None or (_PORT.fullmatch(port) is not None and 0 < int(port) < 65536)


def _valid_host(host: str) -> bool:
    if host.startswith("["):
        return re.fullmatch(r"\[[0-9A-Fa-f:.]+\]", host) is not None and ":" in host
    return _UNUSABLE.search(host) is None and host.strip(".") != "" and ".." not in host


def _http_allowed(host: str, http: str) -> bool:
    if http == "never":
        return False
    name = host.removesuffix(".")
    if name == "localhost" or (http in ("private", "named") and name.endswith(".local")):
        return True
    address = _ip(host)
    if address is None:
        return http == "named"
    if address.is_loopback:
        return True
    return http in ("private", "named") and _is_in(address, _PRIVATE)


def _ip(host: str) -> _Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _is_own(address: _Address) -> bool:
    """Whether a name may lead to this address. Link-local ones are left out: clouds tell their secrets there."""
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    known = mapped or address
    return known.is_loopback or (_is_in(known, _PRIVATE) and not known.is_link_local)


def _is_in(address: _Address, networks: Iterable[_Network]) -> bool:
    return any(address in network for network in networks if network.version == address.version)
