"""Addresses a user may override. Whatever could send a key to a host the user did not choose is refused."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import unquote, urlsplit

from quotaline_providers.errors import Misconfigured
from quotaline_providers.payload import clean

_SCHEME = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*):(?!\d+(?:[/?#]|$))")
_ENCODED_DELIMITER = re.compile(r"%(2f|5c|3f|23|40|3a)", re.IGNORECASE)


def endpoint(value: str, name: str, *, http: str = "never") -> str:
    """The address without trailing slashes, `https://` put in front of a bare host.

    `name` is the setting as the user knows it. `http` says where plain HTTP is allowed: `never`, `loopback` or
    `private` networks. Raises Misconfigured (which names the setting, never its value).
    """
    text = clean(value) or ""
    scheme = _SCHEME.match(text)
    if scheme is None:
        text = f"https://{text}"
    elif scheme.group(1).lower() not in ("https", "http") or not text[scheme.end() :].startswith("//"):
        raise _refused(name, "must be an HTTPS address")
    if "\\" in text or any(character.isspace() or ord(character) < 32 for character in text):
        raise _refused(name, "holds characters that no address has")
    if "#" in text:
        raise _refused(name, "must not have a fragment")
    netloc = re.split(r"[/?]", text.split("://", 1)[1], maxsplit=1)[0]
    if "@" in netloc:
        raise _refused(name, "must not hold a user name")
    if _ENCODED_DELIMITER.search(netloc) or "%" in unquote(netloc) or re.search(r"[/\\?#@]", unquote(netloc)):
        raise _refused(name, "has an encoded host")
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise _refused(name, "is not an address") from None
    if not host or not _valid_host(netloc, host):
        raise _refused(name, "has no valid host")
    if parts.scheme.lower() == "http" and not _http_allowed(host, http):
        raise _refused(name, "must use HTTPS")
    return text.rstrip("/")


def same_origin(first: str, second: str) -> bool:
    """Whether two addresses share scheme, host and port, and that scheme is HTTPS."""
    one, two = urlsplit(first), urlsplit(second)
    if one.scheme != "https" or two.scheme != "https":
        return False
    return one.hostname == two.hostname and (one.port or 443) == (two.port or 443)


def _refused(name: str, reason: str) -> Misconfigured:
    return Misconfigured(f"The setting {name} {reason}.", f"Correct {name} or remove it.")


def _valid_host(netloc: str, host: str) -> bool:
    if netloc.startswith("["):
        return re.fullmatch(r"\[[0-9A-Fa-f:.]+\](:\d+)?", netloc) is not None
    return ":" not in host and re.fullmatch(r"[^\x00-\x20<>\"{}|^`\[\]]+", unquote(host)) is not None


def _http_allowed(host: str, http: str) -> bool:
    if http == "never":
        return False
    if host == "localhost" or (http == "private" and host.endswith(".local")):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    if address.is_loopback:
        return True
    networks = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "fc00::/7", "fe80::/10")
    return http == "private" and any(
        address in network for network in map(ipaddress.ip_network, networks) if network.version == address.version
    )
