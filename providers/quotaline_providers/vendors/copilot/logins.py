"""What programs write down of a GitHub login: editor plug-ins, the Copilot CLI and the GitHub CLI. Pure."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from quotaline_providers import clean
from quotaline_providers.parsing.jsonc import from_jsonc

_PREFIXES = ("gho_", "ghu_", "ghp_", "github_pat_")
_TENANT = re.compile(r"(?:https://)?([a-z0-9-]+\.ghe\.com)(?![a-z0-9.-])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class GhLogin:
    """What `hosts.yml` of the GitHub CLI says of one host. The token is absent when it lies in the keyring."""

    user: str | None = None
    token: str | None = None


def usable(value: object) -> str | None:
    """A text that can stand in a header: trimmed, unquoted, printable ASCII without blanks; else None."""
    text = clean(value) if isinstance(value, str) else None
    return text if text and text.isascii() and text.isprintable() and " " not in text else None


def github_token(value: object) -> str | None:
    """A usable text with one of GitHub's prefixes; None for anything else, such as a refresh token."""
    token = usable(value)
    return token if token and token.startswith(_PREFIXES) else None


def names(key: str, host: str) -> bool:
    """Whether a key is a host's: `github.com`, `https://github.com`, maybe with `:<application or user>` behind."""
    key = key.lower().removeprefix("https://").rstrip("/")
    return key == host or key.startswith(f"{host}:")


def tenant(key: str) -> str | None:
    """The host with data residency (`octo.ghe.com`) that a key names; None for any other."""
    match = _TENANT.match(key.strip())
    return match.group(1).lower() if match else None


# --- editor plug-ins -------------------------------------------------------------------------------


def plugin_token(text: str, host: str) -> str | None:
    """The token an editor plug-in's `apps.json` or `hosts.json` holds for exactly this host."""
    for key, entry in _entries(text):
        if names(key, host) and isinstance(entry, dict) and (token := usable(entry.get("oauth_token"))):
            return token
    return None


def plugin_hosts(text: str) -> Iterator[str]:
    """The hosts that such a file holds something for."""
    return (key for key, _ in _entries(text))


def _entries(text: str) -> Iterable[tuple[str, object]]:
    try:
        entries = json.loads(text)
    except (ValueError, RecursionError):
        return ()
    return tuple(entries.items()) if isinstance(entries, dict) else ()


def row_token(authority: object, value: object, host: str) -> str | None:
    """The token in a row of `auth.db`: its value is plain, as text or bytes, in spite of the column's name."""
    if not isinstance(authority, str) or not names(authority, host):
        return None
    return github_token(value.decode("utf-8", "replace") if isinstance(value, bytes) else value)


# --- the Copilot CLI -------------------------------------------------------------------------------


def cli_tokens(text: str, host: str) -> tuple[str, ...]:
    """The tokens of this host in the CLI's `config.json`, that of the last user first.

    The shape is undocumented and has moved: under a key that names the host, the first text with a GitHub prefix.
    """
    try:
        document = from_jsonc(text)
    except ValueError:
        return ()
    last = _last_login(document)
    found = [(key, value) for key, value in _pairs(document) if names(key, host)]
    found.sort(key=lambda pair: not (last and pair[0].lower().endswith(f":{last}")))
    return tuple(dict.fromkeys(token for _, value in found if (token := _first_token(value))))


def cli_hosts(text: str) -> tuple[str, ...]:
    """The keys of that file, of which some name hosts."""
    try:
        return tuple(key for key, _ in _pairs(from_jsonc(text)))
    except ValueError:
        return ()


def _pairs(value: object) -> Iterator[tuple[str, object]]:
    """All members of all objects in a JSON value, outer ones first."""
    waiting = deque([value])
    while waiting:
        value = waiting.popleft()
        if isinstance(value, dict):
            yield from value.items()
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value


def _last_login(document: object) -> str | None:
    for name in ("lastLoggedInUser", "last_logged_in_user"):
        user = document.get(name) if isinstance(document, dict) else None
        if isinstance(user, dict) and isinstance(login := user.get("login"), str) and login.strip():
            return login.strip().lower()
    return None


def _first_token(value: object) -> str | None:
    """The value itself, or the first text in it that is a token."""
    return github_token(value) or next((token for _, inner in _pairs(value) if (token := github_token(inner))), None)


# --- the GitHub CLI --------------------------------------------------------------------------------


def gh_login(text: str, host: str) -> GhLogin | None:
    """The top-level block of a host in `hosts.yml`; None without one.

    Only plain `key: value` lines are understood, which is all the GitHub CLI writes. Tokens that newer versions keep
    below `users:` count only for the active user.
    """
    inside, found, child = False, False, 0
    user = token = None
    path: list[tuple[int, str]] = []
    others: dict[str, str] = {}
    for line in text.splitlines():
        body = line.strip()
        if not body or body.startswith("#"):
            continue
        indent = len(line) - len(line.lstrip(" "))
        key, colon, rest = _pair(body)
        if indent == 0:
            inside = bool(colon) and key.lower() == host
            found, child, path = found or inside, 0, []
            continue
        if not inside or not colon:
            continue
        child = child or indent
        path = [(depth, name) for depth, name in path if depth < indent]
        value = _scalar(rest)
        if indent == child:
            user = value if key == "user" else user
            token = value if key == "oauth_token" else token
        elif key == "oauth_token" and value and len(path) == 2 and path[0][1] == "users":
            others[path[1][1]] = value
        path.append((indent, key))
    if not found:
        return None
    return GhLogin(user, usable(token) or usable(others.get(user or "")))


def _pair(line: str) -> tuple[str, str, str]:
    """Key, colon and value of a line. A colon ends the key only before a blank or the end, so hosts may have ports."""
    if line[0] in "\"'" and (end := line.find(line[0], 1)) > 0:
        rest = line[end + 1 :].lstrip()
        return line[1:end], rest[:1] if rest.startswith(":") else "", rest[1:]
    head, colon, rest = line.partition(": ")
    if not colon and line.endswith(":"):
        return line[:-1].rstrip(), ":", ""
    return head.rstrip(), colon.strip(), rest


def _scalar(text: str) -> str | None:
    value = text.strip()
    if value.startswith("#"):
        return None
    if value[:1] in ("'", '"') and (end := value.find(value[0], 1)) > 0:
        return value[1:end].strip() or None
    return clean(value.split(" #", 1)[0])


def keyring_token(value: str) -> str | None:
    """The token in a keyring item of the GitHub CLI, which may be wrapped in base64."""
    marker = "go-keyring-base64:"
    if value.startswith(marker):
        try:
            value = base64.b64decode(value.removeprefix(marker), validate=True).decode()
        except (binascii.Error, ValueError):
            return None
    return usable(value)


def gh_hosts(text: str) -> Iterator[str]:
    """The top-level names in `hosts.yml`."""
    return (_pair(line)[0] for line in text.splitlines() if line.strip() and line[:1] not in " #\t")
