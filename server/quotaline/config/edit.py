"""Changing the config file when the user asks: only what must change, in one step, readable by the user alone."""

from __future__ import annotations

import json
import os
import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from quotaline.config.check import read_entry
from quotaline.config.editor.positions import Node, scan
from quotaline.config.fields import ENTRY_ALIASES, VERSION, canonical_id, entry_keys, find_provider, uses
from quotaline.config.load import Layer, decode, read_layer
from quotaline_providers.contract import Provider
from quotaline_providers.errors import Misconfigured
from quotaline_providers.hosts.files import locked, replace_file, state_of
from quotaline_providers.secret import Secret

_UNIT = "  "
_ATTEMPTS = 20
_FIX_FIRST = "Correct the file first: run `quotaline config edit`."


def starter_text() -> str:
    """What a fresh config file holds."""
    return json.dumps({"version": VERSION, "providers": []}, indent=2) + "\n"


def set_enabled(path: Path, provider: str, enabled: bool) -> None:
    """Show or hide a provider. Raises Misconfigured (unknown provider, broken file, no permission)."""
    set_field(path, provider, "enabled", enabled)


def set_field(path: Path, provider: str, field: str, value: object) -> None:
    """Set one key of a provider's entry, or take it out with None. `field` is the key as it stands in the file.

    Raises Misconfigured for an unknown provider or key, a value of the wrong type, a broken file, no permission.
    """
    known = _provider(provider)
    if field == "id" or field not in {key.name for key in entry_keys(known)}:
        raise Misconfigured(f"{known.name} has no setting of that name.", "See `quotaline config` for what it has.")
    settings, problems = read_entry({field: value} if value is not None else {}, known.id)
    unread = settings.names_source and not known.read_from(settings.source or "")
    if problems or unread:
        raise Misconfigured(f"The value does not fit the setting {field} of {known.name}.")
    _change(path, lambda document: _put_in(_entry(document, known), field, value))


def store_credential(
    path: Path, provider: str, secret: Secret, label: str = "", external_identifier: str | None = None
) -> None:
    """Keep a credential in the file, for machines without a keyring.

    Without a label it is the entry's `apiKey` (`cookieHeader` for a provider that takes no key, and for the label
    `cookie`); with one it is an account, which becomes the active one. Raises Misconfigured.
    """
    known = _provider(provider)
    field = _credential_field(known, label)

    def store(document: dict[str, object]) -> None:
        entry = _entry(document, known)
        if field is None:
            _store_account(entry, known, secret, label, external_identifier)
            return
        entry[field] = secret.reveal()
        # A key belongs to the region it was typed for and may not reach another host.
        if field == "apiKey" and any("apiKeyRegion" in names for names in _own_names(known)):
            entry["apiKeyRegion"] = entry.get("region") or known.regions[0]

    _change(path, store)


def remove_credential(path: Path, provider: str, label: str = "") -> bool:
    """Take a stored credential out again; false when there was none. Raises Misconfigured."""
    known = _provider(provider)
    field = _credential_field(known, label, strict=False)
    removed = False

    def remove(document: dict[str, object]) -> None:
        nonlocal removed
        entry = _existing(document, known.id)
        if entry is None:
            return
        if field is None:
            removed = _remove_account(entry, label)
            return
        names = (field, *(plain for plain, key in ENTRY_ALIASES.items() if key == field))
        if any([entry.pop(name, None) is not None for name in names]):  # noqa: C419 (all of them leave)
            removed = True
            if field == "apiKey":
                entry.pop("apiKeyRegion", None)

    _change(path, remove, only_existing=True)
    return removed


def create(path: Path) -> None:
    """Write a fresh file unless there is one. Raises Misconfigured."""
    if not path.exists():
        _replaced(path, lambda layer: None if layer.state != "missing" else starter_text())


def _change(path: Path, change: Callable[[dict[str, object]], None], *, only_existing: bool = False) -> None:
    """Have `change` change what the file says. It runs again when an editor has saved the file meanwhile."""
    if not only_existing or os.path.lexists(path):
        _replaced(path, lambda layer: None if only_existing and layer.state == "missing" else _text(layer, change))


def _text(layer: Layer, change: Callable[[dict[str, object]], None]) -> str | None:
    """What a file is to say; None for one that says so already."""
    if layer.state == "broken":
        raise Misconfigured("The config file is broken and was not changed.", _FIX_FIRST)
    text = layer.text if layer.state == "ok" else starter_text()
    before, _ = decode(text)
    after, _ = decode(text)
    if not isinstance(before, dict) or not isinstance(after, dict):
        raise Misconfigured("The config file is broken and was not changed.", _FIX_FIRST)
    change(after)
    return None if after == before and layer.state == "ok" else rewritten(text, before, after)


def _replaced(path: Path, make: Callable[[Layer], str | None]) -> None:
    """Replace the file with what `make` makes of it, as the only one of our programs: the others wait. A link keeps
    pointing to it. Raises Misconfigured."""
    target = Path(os.path.realpath(path))
    try:
        with locked(target):
            for _ in range(_ATTEMPTS):
                seen = state_of(target)
                text = make(read_layer(path))
                if text is None or replace_file(target, text, seen=seen):
                    return
    except TimeoutError:
        raise Misconfigured(
            "Another program is changing the config file and was not done in time.", "Try again."
        ) from None
    except OSError as error:
        raise Misconfigured(
            "The config file cannot be written.", f"Check that {target.parent.name} is a folder you may write to."
        ) from error
    raise Misconfigured("Another program keeps changing the config file.", "Save it there, then try again.")


def rewritten(text: str, before: dict[str, object], after: dict[str, object]) -> str:
    """The text changed so that it says `after`, with everything that stays the same left exactly as it is written."""
    node = scan(text)
    edits: list[tuple[int, int, str]] = []
    try:
        _compare(text, node, before, after, edits)
        for start, end, new in sorted(edits, reverse=True):
            text = text[:start] + new + text[end:]
        if decode(text)[0] == after:
            return text
    except (LookupError, ValueError):
        pass
    return json.dumps(after, indent=2, ensure_ascii=False) + "\n"


Edits = list[tuple[int, int, str]]


def _compare(text: str, node: Node, before: object, after: object, edits: Edits) -> None:
    """Collect the edits (start, end, new text; never overlapping) that turn the one into the other."""
    if before == after and type(before) is type(after):
        return
    if isinstance(before, dict) and isinstance(after, dict) and set(before) <= set(after) and before:
        for key, value in before.items():
            member = node.member(key)
            if member is None:
                raise LookupError(key)
            _compare(text, member.node, value, after[key], edits)
        new = [f"{json.dumps(key)}: {{}}" for key in after if key not in before]
        values = [value for key, value in after.items() if key not in before]
        _append(text, node, [member.start for member in node.members], new, values, edits)
    elif isinstance(before, list) and isinstance(after, list) and len(before) <= len(after) and before:
        for item, old, changed in zip(node.items, before, after, strict=False):
            _compare(text, item, old, changed, edits)
        more = after[len(before) :]
        _append(text, node, [item.start for item in node.items], ["{}"] * len(more), more, edits)
    elif isinstance(before, dict) and isinstance(after, dict) and len(node.members) == len(before) and len(after) > 0:
        _take_out(text, node, before, after, edits)
    else:
        edits.append((node.start, node.end, _dump(after, _indent(text, node.start))))


def _take_out(text: str, node: Node, before: dict[str, object], after: dict[str, object], edits: Edits) -> None:
    """Members that are gone leave with the comma that is theirs; members that are new make it a plain rewrite."""
    if set(after) - set(before):
        edits.append((node.start, node.end, _dump(after, _indent(text, node.start))))
        return
    last_kept: Node | None = None
    kept = [member for member in node.members if member.key in after]
    for member in node.members:
        if member.key in after:
            _compare(text, member.node, before[member.key], after[member.key], edits)
            last_kept = member.node
        elif last_kept is not None:
            start = max((end for _, end, _ in edits if end <= member.node.end), default=0)
            edits.append((max(start, last_kept.end), member.node.end, ""))
            last_kept = member.node
        else:
            following = next(other for other in node.members if other.start > member.start)
            edits.append((member.start, following.start, ""))
    if not kept:
        raise ValueError


def _append(text: str, node: Node, starts: list[int], heads: list[str], values: list[object], edits: Edits) -> None:
    if not values:
        return
    last = node.members[-1].node.end if node.members else node.items[-1].end
    gap = text[node.start + 1 : starts[0]]
    many_lines = "\n" in gap
    indent = _indent(text, starts[-1]) if many_lines else _indent(text, node.start)
    between = re.sub(r"^.*(?=\r?\n[^\n]*$)", "", gap, flags=re.DOTALL) if many_lines else " "
    added = "".join(f",{between}{head[:-2]}{_dump(value, indent)}" for head, value in zip(heads, values, strict=True))
    edits.append((last, last, added))


def _dump(value: object, indent: str) -> str:
    text = json.dumps(
        value, ensure_ascii=False, indent=len(_UNIT) if value and isinstance(value, dict | list) else None
    )
    return text.replace("\n", "\n" + indent)


def _indent(text: str, offset: int) -> str:
    line = text[text.rfind("\n", 0, offset) + 1 : offset]
    return line[: len(line) - len(line.lstrip())]


def _provider(name: str) -> Provider:
    provider = find_provider(name)
    if provider is None:
        raise Misconfigured("There is no provider with that name.", "Run `quotaline providers` to see them all.")
    return provider


def _existing(document: dict[str, object], id: str) -> dict[str, object] | None:
    providers = document.get("providers")
    for entry in providers if isinstance(providers, list) else ():
        name = entry.get("id") if isinstance(entry, dict) else None
        if isinstance(entry, dict) and isinstance(name, str) and canonical_id(name) == id:
            return entry
    return None


def _entry(document: dict[str, object], provider: Provider) -> dict[str, object]:
    found = _existing(document, provider.id)
    if found is not None:
        return found
    document.setdefault("version", VERSION)
    providers = document.get("providers")
    if providers is None:
        providers = document["providers"] = []
    if not isinstance(providers, list):
        raise Misconfigured("providers in the config file is not a list; the file was not changed.", _FIX_FIRST)
    made: dict[str, object] = {"id": provider.id}
    providers.append(made)
    return made


def _put_in(entry: dict[str, object], field: str, value: object) -> None:
    for name in {field, *(plain for plain, key in ENTRY_ALIASES.items() if key == field and plain in entry)}:
        if value is None or name != field:
            entry.pop(name, None)
    if value is not None:
        entry[field] = value


def _credential_field(provider: Provider, label: str, *, strict: bool = True) -> str | None:
    """The entry's key for a credential of this label; None when it is an account."""
    if label == "cookie" and uses(provider, "cookie_header"):
        return "cookieHeader"
    if not label:
        cookie_only = uses(provider, "cookie_header") and not uses(provider, "api_key")
        return "cookieHeader" if cookie_only else "apiKey"
    if provider.accounts is None and strict:
        raise Misconfigured(f"{provider.name} does not support token accounts.", "Leave the label out.")
    return None


def _own_names(provider: Provider) -> tuple[tuple[str, ...], ...]:
    return (provider.settings, tuple(option.name for option in provider.options)) if provider.regions else ()


def _store_account(
    entry: dict[str, object], provider: Provider, secret: Secret, label: str, external: str | None
) -> None:
    group = entry.setdefault("tokenAccounts", {"version": 1, "activeIndex": 0, "accounts": []})
    if not isinstance(group, dict) or not isinstance(group.setdefault("accounts", []), list):
        raise Misconfigured(f"tokenAccounts of {provider.name} has the wrong shape.", _FIX_FIRST)
    accounts = group["accounts"]
    index = _index(accounts, label)
    if index is None:
        added = int(datetime.now(UTC).timestamp())
        accounts.append({"id": str(uuid.uuid4()), "label": label, "token": secret.reveal(), "addedAt": added})
        index = len(accounts) - 1
    else:
        accounts[index]["token"] = secret.reveal()
    if external is not None:
        accounts[index]["externalIdentifier"] = external
    group["activeIndex"] = index
    if provider.account_replaces_key:
        entry.pop("apiKey", None)


def _remove_account(entry: dict[str, object], label: str) -> bool:
    group = entry.get("tokenAccounts")
    accounts = group.get("accounts") if isinstance(group, dict) else None
    index = _index(accounts, label) if isinstance(accounts, list) else None
    if not isinstance(group, dict) or not isinstance(accounts, list) or index is None:
        return False
    del accounts[index]
    active = group.get("activeIndex")
    if isinstance(active, int) and active >= index:
        group["activeIndex"] = max(0, active - 1) if active > index else min(active, max(0, len(accounts) - 1))
    if not accounts:
        entry.pop("tokenAccounts")
    return True


def _index(accounts: list[object], label: str) -> int | None:
    wanted = label.casefold()
    for index, account in enumerate(accounts):
        known = account.get("label") if isinstance(account, dict) else None
        if isinstance(known, str) and known.strip().casefold() == wanted:
            return index
    return None
