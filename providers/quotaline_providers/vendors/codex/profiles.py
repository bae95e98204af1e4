"""Several Codex homes as accounts: those the settings name, beside the usual one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from quotaline_providers import Context, clean, parse_or_none, to_text
from quotaline_providers.access.reading_files import read_bytes
from quotaline_providers.contract import Account, Profiles
from quotaline_providers.vendors.codex.credentials import to_login
from quotaline_providers.vendors.codex.homes import usual_home
from quotaline_providers.vendors.codex.payloads import AuthFile

HOMES, CHOSEN = "codexProfileHomePaths", "codexActiveSource"
LARGEST = 1 << 20

_IN_KEYRING = re.compile(r"^\s*cli_auth_credentials_store\s*=\s*[\"'](?:keyring|auto)[\"']", re.MULTILINE)

Owner = tuple[str, str]
"""An e-mail address in lower case and an account id: two homes with the same one hold one account."""


def profiles(ctx: Context) -> Profiles:
    """The accounts of `codexProfileHomePaths`. A home that does not exist stays one: its read says what is missing."""
    named = tuple(named_homes(ctx))
    if not named:
        return Profiles()
    usual = usual_home(ctx)
    labels = {_real(usual): ""}
    owners = {owner: "" for owner in (owner_of(usual, ctx.now),) if owner}
    accounts: list[Account] = []
    for home in named:
        owner = owner_of(home, ctx.now)
        label = labels.get(_real(home), owners.get(owner) if owner else None)
        if label is None:
            label = label_of(home, {account.label.casefold() for account in accounts})
            accounts.append(Account(label, home=home))
        labels[_real(home)] = label
        if owner:
            owners.setdefault(owner, label)
    there, chosen = _has_login(usual), _chosen(ctx, labels)
    return Profiles(tuple(accounts), usual=there, active=None if chosen == "" and not there else chosen)


def named_homes(ctx: Context) -> Iterator[Path]:
    """The folders of the setting: absolute ones and those that begin with `~/`."""
    setting = ctx.settings.own(HOMES)
    for item in setting if isinstance(setting, list) else ():
        text = clean(item) if isinstance(item, str) else None
        if text and (path := ctx.expand(text)).is_absolute():
            yield path


def label_of(home: Path, taken: set[str]) -> str:
    """A name for people: the folder's own, without a leading dot. That of `.codex` is its parent's."""
    name = home.parent.name if home.name == ".codex" and home.parent.name else home.name
    plain = label = name.lstrip(".") or "profile"
    number = 2
    while label.casefold() in taken:
        label, number = f"{plain} ({number})", number + 1
    return label


def owner_of(home: Path, now: datetime) -> Owner | None:
    """Whose login is in a home; None while that is not known."""
    path = home / "auth.json"
    try:
        file = parse_or_none(AuthFile, json.loads(read_bytes(path, LARGEST).decode("utf-8", "replace")))
    except (OSError, ValueError, RecursionError):
        return None
    login = to_login(file, "", now) if file else None
    if login is None or login.email is None:
        return None
    return login.email.lower(), login.account_id or ""


def _chosen(ctx: Context, labels: dict[Path, str]) -> str | None:
    """The label of the account that `codexActiveSource` names; `""` is the usual one, None when it names none."""
    choice = ctx.settings.own(CHOSEN)
    if not isinstance(choice, dict):
        return None
    home = to_text(choice.get("homePath"))
    if home is not None:
        return labels.get(_real(ctx.expand(home)))
    return "" if choice.get("kind") == "liveSystem" else None


def _has_login(home: Path) -> bool:
    """Whether a home holds a login, or its settings put it into the keyring."""
    try:
        if (home / "auth.json").exists():
            return True
        text = read_bytes(home / "config.toml", LARGEST).decode("utf-8", "replace")
    except (OSError, ValueError):
        return False
    return _IN_KEYRING.search(text) is not None


def _real(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError):
        return path
