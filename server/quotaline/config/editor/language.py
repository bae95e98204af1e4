"""What an editor shows inside the config file: completion, hover and diagnostics, as pure functions over its text."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from quotaline.config.display import display_keys
from quotaline.config.editor.positions import Lines, Member, Node, Path as JsonPath, scan
from quotaline.config.fields import (
    METRICS,
    TOP_LEVEL,
    TOP_LEVEL_TYPES,
    Key,
    account_group_keys,
    account_keys,
    by_id,
    canonical_id,
    entry_keys,
    find_provider,
)
from quotaline.config.load import load_text
from quotaline.config.model import Diagnostic
from quotaline_providers import registry
from quotaline_providers.contract import Choice, Provider

Range = tuple[int, int, int, int]
"""(line, column, end line, end column), zero-based, UTF-16."""


@dataclass(frozen=True, slots=True)
class Completion:
    """One proposal: `text` takes the place of `range`. `documentation` is Markdown."""

    label: str
    kind: Literal["key", "value", "provider"]
    text: str
    range: Range
    detail: str = ""
    documentation: str = ""


@dataclass(frozen=True, slots=True)
class Hover:
    """Markdown about what stands at `range`; `provider` is the id it belongs to, when the cursor is on that."""

    markdown: str
    range: Range
    provider: str | None = None


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the cursor is: in the object at `path`, on a key (`member` as far as typed) or on the value of `member`."""

    path: JsonPath
    holder: Node
    member: Member | None
    on_value: bool


def diagnostics(text: str) -> tuple[Diagnostic, ...]:
    """What is wrong with this text as a config file."""
    return load_text(text)[1]


Offered = Callable[[str], Mapping[str, str]]
"""The windows (label by id) that the accounts of a provider (id) have now; none when that is not known."""


def metric_diagnostics(text: str, offered: Offered) -> Iterator[Diagnostic]:
    """A `metric` that names a window which no account of the provider has."""
    lines, root = Lines(text), scan(text)
    providers = root.at(("providers",))
    for index, entry in enumerate(providers.items if providers else ()):
        member = entry.member("metric")
        provider = _provider_of(root, ("providers", index))
        metric = member.node.text.strip() if member is not None else ""
        windows = offered(provider.id) if provider is not None and metric else {}
        if member is None or provider is None or not windows or metric in windows or metric in METRICS:
            continue
        known = ", ".join(windows)
        message = f"{provider.name} has no window of this name now, so the usual rule holds. It has: {known}."
        span = lines.range(member.node.start, member.node.end)
        yield Diagnostic(
            "warning",
            message,
            *span,
            code="unknown_metric",
            path_in_json=("providers", index, "metric"),
            provider=provider.id,
        )


Choices = Callable[[Provider, str], tuple[Choice, ...]]
"""The values that this machine offers for a provider's own setting of this name."""


def completion(
    text: str, line: int, character: int, choices: Choices = lambda provider, name: ()
) -> tuple[Completion, ...]:
    """What may be typed here. Nothing for secrets; works while the document is not whole yet."""
    lines, root = Lines(text), scan(text)
    offset = lines.offset(line, character)
    place = _find(root, offset, ())
    if place is None:
        return ()
    provider = _provider_of(root, place.path)
    if place.on_value and place.member is not None:
        return _values(text, lines, offset, place, provider, choices)
    taken = {member.key for member in place.holder.members if member is not place.member}
    start, end = (place.member.start, place.member.end) if place.member else (offset, offset)
    bare = place.member is not None and place.member.colon
    found = []
    for key in _keys(place.path, provider):
        if key.name in taken:
            continue
        name = f'"{key.name}"'
        span = lines.range(start, end)
        found.append(
            Completion(key.name, "key", name if bare else f"{name}: {_empty(key)}", span, key.type, key.description)
        )
    return tuple(found)


def hover(text: str, line: int, character: int) -> Hover | None:
    """What the key or provider under the cursor means; None elsewhere. Never shows a value."""
    lines, root = Lines(text), scan(text)
    place = _find(root, lines.offset(line, character), ())
    if place is None or place.member is None:
        return None
    provider = _provider_of(root, place.path)
    member = place.member
    if member.key == "id" and _in_entry(place.path) and provider is not None:
        node = member.node if place.on_value else None
        start, end = (node.start, node.end) if node else (member.start, member.end)
        return Hover(about_provider(provider), lines.range(start, end), provider.id)
    key = next((key for key in _keys(place.path, provider) if key.name == member.key), None)
    if key is None:
        key = next((key for key in _keys(place.path, None) if key.name == member.key), None)
        if key is None or provider is None:
            return None
        note = f"\n\nNot used by {provider.name}."
    else:
        note = ""
    if place.on_value and member.node.kind in ("object", "array"):
        return None
    start, end = (member.node.start, member.node.end) if place.on_value else (member.start, member.end)
    return Hover(about_key(key, provider) + note, lines.range(start, end))


def about_provider(provider: Provider) -> str:
    """A provider in Markdown: what is shown, how to connect it, from where it can be read."""
    parts = [f"**{provider.name}**" + (f": {provider.summary}" if provider.summary else "")]
    parts.append(provider.ended or provider.connect)
    parts.append("Sources: " + ", ".join(f"`{source}`" for source in ("auto", *provider.sources)))
    links = [("Dashboard", provider.dashboard), ("Create a key", provider.key_url)]
    named = [f"[{name}]({url})" for name, url in links if url]
    return "\n\n".join([*parts, " · ".join(named)] if named else parts)


def about_key(key: Key, provider: Provider | None = None) -> str:
    """A key in Markdown: its type, what it does, what it may be; for a secret, where to keep it better."""
    parts = [f"**{key.name}** ({key.type})", key.description]
    if key.values:
        parts.append("One of: " + ", ".join(f"`{value}`" for value in key.values))
    if key.secret:
        name = provider.id if provider else "<provider>"
        parts.append(f"The keyring is the better place for it: `quotaline set-credential {name}`.")
        if key.name == "apiKey":
            parts.append("Or name an environment variable with `apiKeyEnv`.")
    return "\n\n".join(part for part in parts if part)


def provider_lines(text: str) -> Iterator[tuple[int, str]]:
    """The line of every entry's `id` with the provider's canonical id, first entries only."""
    lines, root = Lines(text), scan(text)
    providers = root.at(("providers",))
    seen: set[str] = set()
    for entry in providers.items if providers else ():
        member = entry.member("id")
        id = canonical_id(member.node.text) if member and member.node.text.strip() else None
        if member and id and id not in seen:
            seen.add(id)
            yield lines.position(member.start)[0], id


def _find(node: Node, offset: int, path: JsonPath) -> _Place | None:
    """The innermost object around the cursor and what of it the cursor is on."""
    for index, item in enumerate(node.items):
        if _inside(item, offset):
            return _find(item, offset, (*path, index))
    if node.kind != "object" or not _inside(node, offset):
        return None
    for position, member in enumerate(node.members):
        if member.start <= offset <= member.end:
            return _Place(path, node, member, on_value=False)
        if _inside(member.node, offset):
            if member.node.kind in ("object", "array"):
                return _find(member.node, offset, (*path, member.key))
            return _Place(path, node, member, on_value=True)
        following = node.members[position + 1].start if position + 1 < len(node.members) else node.end
        if member.colon and member.node.kind == "missing" and member.end < offset <= following:
            return _Place(path, node, member, on_value=True)
        if member.colon and member.end < offset <= member.node.start:
            return _Place(path, node, member, on_value=True)
    return _Place(path, node, None, on_value=False)


def _inside(node: Node, offset: int) -> bool:
    if node.kind in ("object", "array"):
        return node.start < offset and (offset < node.end or (not node.closed and offset <= node.end))
    return node.kind != "missing" and node.start <= offset <= node.end


def _in_entry(path: JsonPath) -> bool:
    return len(path) == 2 and path[0] == "providers"


def _keys(path: JsonPath, provider: Provider | None) -> tuple[Key, ...]:
    """The keys of the object at this path."""
    if not path:
        return tuple(Key(name, TOP_LEVEL_TYPES[name], text) for name, text in TOP_LEVEL.items())
    if path == ("display",):
        return display_keys()
    if _in_entry(path):
        return entry_keys(provider)
    if len(path) == 3 and path[0] == "providers" and path[2] == "tokenAccounts":
        return account_group_keys()
    if len(path) == 5 and path[0] == "providers" and path[2:4] == ("tokenAccounts", "accounts"):
        return account_keys()
    return ()


def _provider_of(root: Node, path: JsonPath) -> Provider | None:
    """The provider whose entry the path leads into."""
    entry = root.at(path[:2]) if len(path) >= 2 and path[0] == "providers" else None
    member = entry.member("id") if entry else None
    return find_provider(member.node.text) if member and member.node.text.strip() else None


def _values(
    text: str, lines: Lines, offset: int, place: _Place, provider: Provider | None, choices: Choices
) -> tuple[Completion, ...]:
    member = place.member
    if member is None:
        return ()
    node = member.node
    filled = node.kind in ("string", "other")
    span = lines.range(node.start, node.end) if filled else lines.range(offset, offset)
    lead = " " if node.kind == "missing" and text[:offset].endswith(":") else ""
    if _in_entry(place.path) and member.key == "id":
        return tuple(
            Completion(id, "provider", f'{lead}"{id}"', span, known.name, about_provider(known))
            for id in registry.ids()
            if (known := by_id(id)) is not None and not known.ended
        )
    if not place.path and member.key == "version":
        return (Completion("1", "value", f"{lead}1", span, "", TOP_LEVEL["version"]),)
    key = next((key for key in _keys(place.path, provider) if key.name == member.key), None)
    if key is None or key.secret:
        return ()
    if provider is not None and _in_entry(place.path) and (offered := choices(provider, key.name)):
        said = [(choice, json.dumps(choice.value, ensure_ascii=False)) for choice in offered]
        return tuple(
            Completion(choice.label, "value", lead + value, span, choice.value, key.description)
            for choice, value in said
        )
    values = key.values or (("true", "false") if key.type == "boolean" else ())
    quote = "" if key.type == "boolean" else '"'
    return tuple(
        Completion(value, "value", f"{lead}{quote}{value}{quote}", span, "", key.description) for value in values
    )


def _empty(key: Key) -> str:
    """What a key's value starts as. Editors put the cursor behind it."""
    if key.name == "version":
        return "1"
    if key.type.startswith("list"):
        return "[]"
    if key.type == "object":
        return "{}"
    if key.type == "boolean":
        return "true"
    return '""' if key.type == "string" or "`" in key.type else ""
