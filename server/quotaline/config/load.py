"""Reading the config: two layers (Quotaline's file over CodexBar's) become one config, whatever is wrong with them."""

from __future__ import annotations

import json
import os
import stat
import sys
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from quotaline.config.check import KEY_UNUSED, Problem, check_entry, check_hooks, check_version, looks_empty, read_entry
from quotaline.config.display import read_display
from quotaline.config.editor.positions import Lines, Node, Path as JsonPath, repeated, scan
from quotaline.config.fields import ENTRY_ALIASES, SECRET_KEYS, by_id, canonical_id
from quotaline.config.locate import codexbar_path, config_path
from quotaline.config.model import Config, Diagnostic, Loaded
from quotaline.filestate import signature
from quotaline.settings import Settings
from quotaline_providers import registry
from quotaline_providers.access.reading_files import opened
from quotaline_providers.settings import ProviderSettings
from quotaline_providers.vendors import UNREAD

LARGEST = 4 << 20
"""A config file above this many bytes is not read."""

# Keys that belong together: when our file sets the first, CodexBar's other ones would be about another credential.
_TOGETHER = {
    "apiKey": ("apiKeyRegion", "apiKeyEnv", "secretKey"),
    "apiKeyEnv": ("apiKey", "apiKeyRegion", "secretKey"),
    "cookieHeader": ("cookieSource",),
}

Kept = Callable[[str], Collection[str]]
"""The labels of the credentials of a provider that the user gave Quotaline and the keyring keeps."""

State = Literal["ok", "missing", "broken"]


@dataclass(frozen=True)
class Entry:
    """One provider's entry as it stands in a file, its known parts under their canonical id."""

    id: str
    raw: dict[str, object] = field(repr=False)
    path: JsonPath


@dataclass(frozen=True)
class Layer:
    """One file: its usable entries in order (each id once), its hooks, its display, and what is wrong with it."""

    file: Path | None = None
    state: State = "missing"
    entries: tuple[Entry, ...] = ()
    hooks: object = field(default=None, repr=False)
    display: Settings = field(default=Settings(), repr=False)
    problems: tuple[Diagnostic, ...] = ()
    text: str = field(default="", repr=False)


def load(environ: Mapping[str, str], home: Path, platform: str = sys.platform) -> Loaded:
    """Both layers as they are now. Never raises: whatever cannot be used is a diagnostic."""
    return ConfigKeeper(environ, home, platform).loaded


def load_text(text: str, lower: Layer | None = None, file: Path | None = None) -> tuple[Config, tuple[Diagnostic, ...]]:
    """The config that a text would be, over a lower layer, and what is wrong with the text itself."""
    layer = parse_layer(text, file)
    config, found = combine(layer, lower or Layer())
    return config, tuple(item for item in (*layer.problems, *found) if item.file == file)


class ConfigKeeper:
    """Holds the config that is in force. A file that breaks keeps its last good content until it is whole again."""

    def __init__(
        self,
        environ: Mapping[str, str],
        home: Path,
        platform: str = sys.platform,
        *,
        kept: Kept = lambda id: (),
        kept_list: Path | None = None,
    ) -> None:
        self._kept, self._kept_list = kept, kept_list
        self.path = config_path(environ, home, platform)
        self._environ, self._home, self._platform = environ, home, platform
        self._good: dict[Path, Layer] = {}
        self._lock = threading.Lock()
        self.loaded = Loaded(Config(), (), self.path)
        self.seen: tuple[list[str], list[list[int] | None]] = [], []
        """The files (paths, signatures) as they were when the config was read last."""
        self.reload()

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that are read, ours first."""
        lower = codexbar_path(self._environ, self._home, self._platform)
        return (self.path,) if lower == self.path else (self.path, lower)

    @property
    def watched(self) -> tuple[Path, ...]:
        """Where a change may change the config: the files that are read, and the list of what the keyring keeps."""
        return self.files if self._kept_list is None else (*self.files, self._kept_list)

    def reload(self) -> Loaded:
        """Read both files again. Blocks on the disk; never raises."""
        with self._lock:
            watched = self.watched
            seen = [str(file) for file in watched], [list(one) if one else None for one in signature(watched)]
            layers = [self._layer(file) for file in self.files]
            own = layers[0]
            lower = layers[1] if len(layers) > 1 else Layer()
            config, found = combine(self._usable(own), _below_keyring(self._usable(lower), self._kept))
            if config == self.loaded.config:
                config = self.loaded.config  # the same one stays in force, so that nobody starts again for nothing
            diagnostics = (*own.problems, *_softened(lower.problems), *found)
            self.loaded, self.seen = Loaded(config, diagnostics, self.path, own.state != "broken"), seen
            return self.loaded

    def _layer(self, file: Path) -> Layer:
        layer = read_layer(file, own=file == self.path)
        if layer.state != "broken":
            self._good[file] = layer
        return layer

    def _usable(self, layer: Layer) -> Layer:
        if layer.state != "broken" or layer.file is None:
            return layer
        return self._good.get(layer.file, Layer(layer.file))


def read_layer(file: Path, *, own: bool = True) -> Layer:
    """A file as a layer; `missing` when there is none, `broken` when it cannot be read or is not JSON."""
    try:
        with opened(file) as stream:
            mode = os.fstat(stream.fileno()).st_mode
            data = stream.read(LARGEST + 1) or b""
    except FileNotFoundError:
        return Layer(file)
    except NotADirectoryError:
        return Layer(file)
    except (OSError, ValueError) as error:
        denied = isinstance(error, PermissionError)
        message = "There is no permission to read the config file." if denied else "The config file cannot be read."
        return Layer(file, "broken", problems=(Diagnostic("error", message, code="unreadable", file=file),))
    if len(data) > LARGEST:
        message = "The config file is larger than 4 MiB and is not read."
        return Layer(file, "broken", problems=(Diagnostic("error", message, code="too_large", file=file),))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line, column = Lines(data.decode("utf-8", "replace")).position(
            len(data[: error.start].decode("utf-8", "replace"))
        )
        message = "The config file is not UTF-8 text."
        problem = Diagnostic("error", message, line, column, line, column + 1, "not_json", file=file)
        return Layer(file, "broken", problems=(problem,))
    layer = parse_layer(text, file, own=own)
    if os.name == "posix" and layer.state == "ok" and mode & (stat.S_IRGRP | stat.S_IROTH) and _holds_secret(layer):
        message = f"Other users of this machine can read the secrets in {file.name}; run `chmod 600` on it."
        warning = Diagnostic("warning", message, code="readable_by_others", file=file)
        layer = replace(layer, problems=(*layer.problems, warning))
    return layer


def parse_layer(text: str, file: Path | None = None, *, own: bool = True) -> Layer:
    """A text as a layer, with the diagnostics that need no other layer."""
    document, broken = decode(text)
    if broken is not None:
        return Layer(file, "broken", problems=(replace(broken, file=file),), text=text)
    lines, node = Lines(text), scan(text)
    if not isinstance(document, dict):
        what = Problem("error", "not_an_object", "The config must be one JSON object.", ())
        return Layer(file, "broken", problems=(place(what, lines, node, file),), text=text)
    display, wrong = read_display(document.get("display") if own else None)
    problems = [*check_version(document), *check_hooks(document.get("hooks")), *wrong]
    entries = tuple(_entries(document.get("providers"), problems, own=own))
    placed = [place(problem, lines, node, file) for problem in problems]
    for path, member in repeated(node):
        span = lines.range(member.start, member.end)
        message = "This key appears twice in the same object; the last one counts."
        placed.append(Diagnostic("warning", message, *span, "duplicate_key", path, file=file))
    return Layer(file, "ok", entries, document.get("hooks"), display, tuple(placed), text)


_REASONS = {
    "Expecting property name enclosed in double quotes": "a key in double quotes is expected here (or the "
    "comma before it is extra)",
    "Expecting value": "a value is expected here",
    "Expecting ',' delimiter": "a comma is missing before this",
    "Expecting ':' delimiter": "a colon is missing before this",
    "Extra data": "unexpected text after the end of the JSON",
    "Unterminated string starting at": "this string has no closing quote",
    "Invalid control character at": "a string must not contain a line break or a tab",
    "Illegal trailing comma before end of object": "this comma is extra",
    "Illegal trailing comma before end of array": "this comma is extra",
}


def decode(text: str) -> tuple[object, Diagnostic | None]:
    """The text's JSON value, or where and why it is none."""
    if not text.strip("\ufeff \t\r\n"):
        return None, Diagnostic("error", "The config file is empty; it must be one JSON object.", code="not_json")
    try:
        return json.loads(text.removeprefix("\ufeff"), parse_constant=_no_constant), None
    except json.JSONDecodeError as error:
        lines = Lines(text)
        start = error.pos + text.startswith("\ufeff")
        span = lines.range(start, start + (start < len(text) and text[start] not in "\r\n"))
        reason = _REASONS.get(error.msg) or error.msg[:1].lower() + error.msg[1:]
        message = f"The config file is not valid JSON: line {span[0] + 1}, column {span[1] + 1}: {reason}."
        return None, Diagnostic("error", message, *span, "not_json")
    except (ValueError, RecursionError):
        message = (
            "The config file is not valid JSON: it contains a number that is out of range, or is nested too deeply."
        )
        return None, Diagnostic("error", message, code="not_json")


def combine(own: Layer, lower: Layer) -> tuple[Config, tuple[Diagnostic, ...]]:
    """One config of both layers, ours winning field by field, and the problems of both layers' entries."""
    below = {entry.id: entry for entry in lower.entries}
    above = {entry.id for entry in own.entries}
    merged: dict[str, ProviderSettings] = {}
    found: list[Diagnostic] = []
    for layer, severity_kept in ((own, True), (lower, False)):
        if not layer.entries:
            continue
        lines, node = Lines(layer.text), scan(layer.text)
        for entry in layer.entries:
            settings, problems = read_entry(entry.raw, entry.id, entry.path)
            if entry.id not in merged:
                under = below.get(entry.id) if layer is own else None
                merged[entry.id] = _merge(entry, settings, under)
            problems += check_entry(settings, entry.raw, entry.path, merged[entry.id])
            if layer is lower:
                problems = [problem for problem in problems if problem.code != KEY_UNUSED]
            if layer is lower and entry.id in above:
                problems = [problem for problem in problems if not problem.code.endswith("_missing")]
            placed = tuple(place(problem, lines, node, layer.file) for problem in problems)
            found += placed if severity_kept else _softened(placed)
    hooks = own.hooks if own.hooks is not None else lower.hooks
    return Config(tuple(merged.values()), hooks, own.display), tuple(found)


def place(problem: Problem, lines: Lines, node: Node, file: Path | None) -> Diagnostic:
    """A problem with the span of its value: of the key for containers, of what is nearest when it is not there."""
    target = node.at(problem.path)
    start, end = 0, 0
    if target is None or target.kind in ("object", "array") or problem.code == "unknown_key":
        path = problem.path
        while path and not (isinstance(path[-1], str) and (parent := node.at(path[:-1])) and parent.member(path[-1])):
            if node.at(path) is not None:
                break
            path = path[:-1]
        parent = node.at(path[:-1]) if path else None
        member = parent.member(path[-1]) if parent and isinstance(path[-1], str) else None
        nearest = node.nearest(path)
        start, end = (member.start, member.end) if member else (nearest.start, nearest.start + 1)
    else:
        start, end = target.start, target.end
    span = lines.range(start, end)
    return Diagnostic(problem.severity, problem.message, *span, problem.code, problem.path, problem.provider, file)


def _entries(providers: object, problems: list[Problem], *, own: bool) -> Iterator[Entry]:
    if providers is None:
        return
    if not isinstance(providers, list):
        problems.append(Problem("error", "wrong_type", "providers must be a list.", ("providers",)))
        return
    seen: set[str] = set()
    for index, raw in enumerate(providers):
        path: JsonPath = ("providers", index)
        if not isinstance(raw, dict):
            problems.append(Problem("error", "wrong_type", "An entry of providers must be an object.", path))
            continue
        name = raw.get("id")
        if not isinstance(name, str) or not name.strip():
            kind = "id must be a string." if "id" in raw and name is not None else "An entry needs an id."
            problems.append(Problem("error", "missing_id", kind, (*path, "id") if "id" in raw else path))
            continue
        id = _known(name, own=own)
        if id is None:
            if own or raw.get("enabled") is True or name not in UNREAD:
                message = "Unknown provider; its entry is kept but not used."
                problems.append(Problem("warning", "unsupported_provider", message, (*path, "id")))
        elif id in seen:
            message = f"{id} already has an entry; this one is not used."
            problems.append(Problem("warning", "duplicate_provider", message, (*path, "id"), id))
        else:
            seen.add(id)
            yield Entry(id, _present(raw), path)


def _known(name: str, *, own: bool) -> str | None:
    if own:
        return canonical_id(name)
    # CodexBar writes plain ids, of every provider it knows: looking for aliases would import all of ours.
    return name if name in registry.ids() else None


def _present(raw: dict[str, object]) -> dict[str, object]:
    """The entry without nulls and blank texts, each field under its camel-case key."""
    kept = {ENTRY_ALIASES.get(key, key): value for key, value in raw.items() if not looks_empty(value)}
    return {**kept, **{key: value for key, value in raw.items() if key in kept and not looks_empty(value)}}


def _merge(own: Entry, settings: ProviderSettings, lower: Entry | None) -> ProviderSettings:
    if lower is None:
        return settings
    above = settings.model_dump(by_alias=True, exclude_none=True)
    below = read_entry(lower.raw, lower.id)[0].model_dump(by_alias=True, exclude_none=True)
    for key, belonging in _TOGETHER.items():
        if key in above:
            below = {name: value for name, value in below.items() if name not in belonging}
    if "tokenAccounts" in above and "tokenAccounts" in below:
        above["tokenAccounts"] = _merge_accounts(above["tokenAccounts"], below["tokenAccounts"])
    return read_entry({**below, **above}, own.id)[0]


def _merge_accounts(above: dict[str, object], below: dict[str, object]) -> dict[str, object]:
    """Our accounts, then CodexBar's under other labels; an empty list of ours means none."""
    ours, theirs = above.get("accounts"), below.get("accounts")
    if not isinstance(ours, list | tuple) or not isinstance(theirs, list | tuple) or not ours:
        return above
    labels = {str(account.get("label", "")).casefold() for account in ours}
    tokens = {account.get("token") for account in ours}
    more = [
        account
        for account in theirs
        if account.get("token") not in tokens and str(account.get("label", "")).casefold() not in labels
    ]
    return {**below, **above, "accounts": [*ours, *more]}


def _below_keyring(layer: Layer, kept: Kept) -> Layer:
    """The layer without the keys and cookies that the user has given Quotaline newer ones for."""
    entries: list[Entry] = []
    for entry in layer.entries:
        labels, gone = kept(entry.id), set[str]()
        if "" in labels:
            gone |= {"apiKey", *_TOGETHER["apiKey"]}
        if "cookie" in labels:
            gone |= {"cookieHeader", *_TOGETHER["cookieHeader"]}
        entries.append(replace(entry, raw={key: value for key, value in entry.raw.items() if key not in gone}))
    return replace(layer, entries=tuple(entries))


def _softened(problems: tuple[Diagnostic, ...]) -> tuple[Diagnostic, ...]:
    """CodexBar's file is not ours to complain about: its errors are warnings."""
    return tuple(replace(item, severity="warning") if item.severity == "error" else item for item in problems)


def _holds_secret(layer: Layer) -> bool:
    def search(node: Node) -> bool:
        for member in node.members:
            if member.key in SECRET_KEYS | {"api_key", "secret_key", "cookie_header"}:
                full = member.node.kind == "string" and bool(member.node.text.strip())
                if full or member.node.members:
                    return True
            if search(member.node):
                return True
        return any(search(item) for item in node.items)

    def own(entry: Entry) -> bool:
        """Whether a field holds a secret for this provider alone."""
        provider = by_id(entry.id)
        return provider is not None and any(entry.raw.get(name) for name in provider.secret_fields)

    return any(map(own, layer.entries)) or search(scan(layer.text))


def _no_constant(name: str) -> float:
    raise ValueError(name)
