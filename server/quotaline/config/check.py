"""What is wrong with one provider's entry, the hooks or the version. Every problem has the path of its value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath, PurePosixPath, PureWindowsPath

from pydantic import ValidationError

from quotaline.config.editor.positions import Path
from quotaline.config.fields import (
    ENTRY_ALIASES,
    KEPT,
    METRICS,
    SOURCES,
    VERSION,
    Severity,
    by_id,
    canonical_id,
    entry_keys,
    uses,
)
from quotaline_providers.access.endpoints import endpoint
from quotaline_providers.contract import Provider
from quotaline_providers.diagnostics import note_defect
from quotaline_providers.errors import Misconfigured
from quotaline_providers.parsing.payload import clean, to_number
from quotaline_providers.secret import redact
from quotaline_providers.settings import ProviderSettings, TokenAccounts

KEY_UNUSED = "key_unused"
"""The code of a key that nobody knows: in another program's file that is for that program to judge."""
_UNUSED_CODES = {
    "api_key": "api_key_unused",
    "api_key_env": "api_key_unused",
    "secret_key": "secret_key_unused",
    "cookie_source": "cookie_source_unused",
    "cookie_header": "cookie_header_unused",
    "region": "region_unused",
    "workspace_id": "workspace_unused",
    "enterprise_host": "enterprise_host_unused",
    "allow_private_hosts": "allow_private_hosts_unused",
    "token_accounts": "token_accounts_unused",
}
_OPTION_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "array": (list,),
    "object": (dict,),
}
_WORDS = {
    "string_type": "a string",
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "float_parsing": "a number",
    "float_type": "a number",
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "greater_than": "a number above 0",
    "finite_number": "a number",
    "tuple_type": "a list",
    "dict_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
}
_HOOK_EVENTS = [
    "quota_low",
    "quota_reached",
    "quota_reset",
    "provider_unavailable",
    "provider_recovered",
    "refresh_failed",
]


@dataclass(frozen=True, slots=True)
class Problem:
    """A finding without its place in the text: `path` tells where in the JSON it is."""

    severity: Severity
    code: str
    message: str
    path: Path
    provider: str = ""


def shown(value: object) -> str:
    """A source, region or version as it may be shown: short, and nothing that looks like a secret."""
    text = redact(str(value))
    return text if len(text) <= 24 else "given"


def check_version(document: Mapping[str, object]) -> Iterator[Problem]:
    """A missing or other version."""
    version = document.get("version")
    if version is None:
        yield Problem("warning", "version_mismatch", f'"version": {VERSION} is missing.', ())
    elif isinstance(version, bool) or version != VERSION:
        what = f"Version {shown(version)}" if isinstance(version, int | float) else "The version"
        yield Problem(
            "error", "version_mismatch", f"{what} is not {VERSION}, the only supported version.", ("version",)
        )


def read_entry(raw: dict[str, object], id: str, path: Path = ()) -> tuple[ProviderSettings, list[Problem]]:
    """The entry's usable parts as settings, and a problem for every part that had to be left out."""
    value = {**raw, "id": id}
    problems: list[Problem] = []
    while True:
        try:
            return ProviderSettings.model_validate(value), problems
        except (ValidationError, RecursionError) as error:
            if not isinstance(error, ValidationError):
                return ProviderSettings(id=id), problems
            first = error.errors(include_input=False, include_url=False, include_context=False)[0]
            loc = tuple(step for step in first["loc"])
            problems.append(_wrong(first["type"], loc, raw, id, path))
            value = _without(value, loc)


def check_entry(
    entry: ProviderSettings, raw: Mapping[str, object], path: Path, merged: ProviderSettings
) -> list[Problem]:
    """Problems of an entry whose types are right. `merged` is the entry with the layers below it."""
    if not (entry.enabled or set(raw) - {"id", "enabled", *KEPT}) or (provider := by_id(entry.id)) is None:
        return []  # one that is not used is not imported either
    found = [
        *_ended(provider, merged, path),
        *_source(provider, entry, path),
        *_unused(provider, entry, path),
        *_region(provider, entry, path),
        *_host(provider, entry, path),
        *_missing(provider, entry, merged, path),
        *_accounts(provider, entry, path),
        *_metric(entry, path),
        *_own(provider, entry, path),
        *_unknown_keys(provider, raw, path),
    ]
    return [Problem(item.severity, item.code, item.message, item.path, entry.id) for item in found]


def check_hooks(hooks: object) -> Iterator[Problem]:
    """Problems of the hooks, by the limits of the hook rules."""
    if hooks is None:
        return
    if not isinstance(hooks, dict):
        yield Problem("error", "wrong_type", "hooks must be an object.", ("hooks",))
        return
    events = hooks.get("events")
    if events is None:
        return
    if not isinstance(events, list):
        yield Problem("error", "wrong_type", "events must be a list.", ("hooks", "events"))
        return
    if len(events) > 32:
        yield Problem(
            "error", "too_many_hook_rules", "There are more than 32 hook rules; none runs.", ("hooks", "events")
        )
    seen: set[str] = set()
    for index, rule in enumerate(events):
        path: Path = ("hooks", "events", index)
        if not isinstance(rule, dict):
            yield Problem("error", "wrong_type", "A hook rule must be an object.", path)
            continue
        id = rule.get("id")
        if isinstance(id, str):
            if id in seen:
                yield Problem("error", "duplicate_hook_id", "Another hook rule has this id.", (*path, "id"))
            seen.add(id)
        yield from _hook_rule(rule, path)


def _hook_rule(rule: dict[str, object], path: Path) -> Iterator[Problem]:
    id = rule.get("id")
    if not isinstance(id, str) or not 1 <= len(id.encode("utf-8", "replace")) <= 128:
        yield Problem("error", "invalid_hook_id", "A hook rule needs an id of 1 to 128 bytes.", (*path, "id"))
    if rule.get("event") not in _HOOK_EVENTS:
        known = ", ".join(_HOOK_EVENTS)
        yield Problem("error", "invalid_hook_event", f"The event must be one of: {known}.", (*path, "event"))
    executable = rule.get("executable")
    if not isinstance(executable, str) or not _absolute(executable):
        message = "The executable of a hook must be an absolute path."
        yield Problem("error", "invalid_hook_executable", message, (*path, "executable"))
    provider = rule.get("provider")
    if provider is not None and (not isinstance(provider, str) or canonical_id(provider) is None):
        message = "The provider of this hook is unknown."
        yield Problem("error", "invalid_hook_provider", message, (*path, "provider"))
    threshold = rule.get("threshold")
    if threshold is not None and not _between(threshold, 0, 1, above=True):
        message = "The threshold of a hook must be above 0 and at most 1."
        yield Problem("error", "invalid_hook_threshold", message, (*path, "threshold"))
    timeout = rule.get("timeoutSeconds")
    if timeout is not None and not _between(timeout, 0.1, 300):
        message = "timeoutSeconds must be between 0.1 and 300."
        yield Problem("error", "invalid_hook_timeout", message, (*path, "timeoutSeconds"))
    arguments = rule.get("arguments", [])
    texts = [executable if isinstance(executable, str) else "", *(arguments if isinstance(arguments, list) else [None])]
    sizes = [len(text.encode("utf-8", "replace")) if isinstance(text, str) else 1 << 20 for text in texts]
    if len(texts) > 33 or max(sizes) > 4096 or sum(sizes) > 32 << 10:
        message = "A hook may have 32 text arguments of 4096 bytes each, 32 KiB in all."
        yield Problem("error", "invalid_hook_command_size", message, (*path, "arguments"))


def _absolute(path: str) -> bool:
    kinds: tuple[type[PurePath], ...] = (PurePosixPath, PureWindowsPath)
    return any(kind(path).is_absolute() for kind in kinds)


def _between(value: object, low: float, high: float, *, above: bool = False) -> bool:
    number = to_number(value) if not isinstance(value, str) else None
    return number is not None and low <= number <= high and not (above and number == low)


def _wrong(kind: str, loc: Path, raw: Mapping[str, object], id: str, path: Path) -> Problem:
    key = next((str(step) for step in reversed(loc) if isinstance(step, str)), "entry")
    at = (*path, *loc)
    if key == "source" and isinstance(raw.get("source"), str):
        provider = by_id(id)
        offered = provider.sources if provider else SOURCES[1:]
        message = _source_sentence(str(raw["source"]), provider.name if provider else id, offered)
        return Problem("error", "unsupported_source", message, at, id)
    if kind == "literal_error":
        return Problem("error", "wrong_value", f"{key} must be one of: auto, manual, off.", at, id)
    return Problem("error", "wrong_type", f"{key} must be {_WORDS.get(kind, 'of another type')}.", at, id)


def _without(value: dict[str, object], loc: Path) -> dict[str, object]:
    """A copy without what stands at `loc`; a list's element becomes an empty object, so the others keep their place."""
    head, *rest = loc
    copy = dict(value)
    inner = copy.get(str(head))
    if not rest:
        copy.pop(str(head), None)
    elif isinstance(inner, dict):
        copy[str(head)] = _without(inner, tuple(rest))
    elif isinstance(inner, list) and isinstance(rest[0], int):
        item = inner[rest[0]]
        left = _without(item, tuple(rest[1:])) if isinstance(item, dict) and len(rest) > 1 else {}
        copy[str(head)] = [*inner[: rest[0]], left, *inner[rest[0] + 1 :]]
    else:
        copy.pop(str(head), None)
    return copy


def _source_sentence(source: str, name: str, offered: tuple[str, ...]) -> str:
    return f"Source {shown(source)} is not supported for {name}; use {' or '.join(('auto', *offered))}."


def _ended(provider: Provider, merged: ProviderSettings, path: Path) -> Iterator[Problem]:
    if provider.ended and not merged.names_source:
        message = f"{provider.ended} This entry is not used; a named `source` asks all the same."
        yield Problem("information", "service_ended", message, path)


def _source(provider: Provider, entry: ProviderSettings, path: Path) -> Iterator[Problem]:
    if entry.source not in (None, "auto") and not provider.read_from(entry.source):
        code = "api_source_unsupported" if entry.source == "api" else "unsupported_source"
        message = _source_sentence(entry.source or "", provider.name, provider.sources)
        yield Problem("error", code, message, (*path, "source"))


def _unused(provider: Provider, entry: ProviderSettings, path: Path) -> Iterator[Problem]:
    for field, code in _UNUSED_CODES.items():
        key = ENTRY_ALIASES[field]
        if getattr(entry, field) is not None and not uses(provider, field):
            yield Problem("warning", code, f"{key} is not used by {provider.name}.", (*path, key))


def _region(provider: Provider, entry: ProviderSettings, path: Path) -> Iterator[Problem]:
    if entry.region and provider.regions and entry.region not in provider.regions:
        known = " or ".join(provider.regions)
        message = f"Region {shown(entry.region)} is not known for {provider.name}; use {known}."
        yield Problem("error", "invalid_region", message, (*path, "region"))


def _host(provider: Provider, entry: ProviderSettings, path: Path) -> Iterator[Problem]:
    if entry.enterprise_host is None or not uses(provider, "enterprise_host"):
        return
    try:
        own = "named" if entry.allow_private_hosts and uses(provider, "allow_private_hosts") else "private"
        endpoint(entry.enterprise_host, "enterpriseHost", http="never" if provider.https_only else own)
    except Misconfigured as error:
        message = f"{error.message} ({provider.name})"
        yield Problem("error", "invalid_enterprise_host", message, (*path, "enterpriseHost"))


def _missing(provider: Provider, entry: ProviderSettings, merged: ProviderSettings, path: Path) -> Iterator[Problem]:
    has_account = bool(merged.token_accounts and any(account.token for account in merged.token_accounts.accounts))
    wants_key = entry.source == "api" and uses(provider, "api_key")
    if wants_key and not (merged.api_key or merged.api_key_env or (has_account and provider.accounts)):
        message = f"No key for {provider.name} is in this file; the keyring and the environment are used."
        yield Problem("information", "api_key_missing", message, (*path, "source"))
    wants_cookie = entry.cookie_source == "manual" and uses(provider, "cookie_header")
    if wants_cookie and not (merged.cookie_header or (has_account and provider.accounts)):
        message = f"cookieSource is manual, but no cookieHeader is set for {provider.name}."
        yield Problem("warning", "cookie_header_missing", message, (*path, "cookieSource"))


def _accounts(provider: Provider, entry: ProviderSettings, path: Path) -> Iterator[Problem]:
    group: TokenAccounts | None = entry.token_accounts
    if group is None or provider.accounts is None:
        return
    for index, account in enumerate(group.accounts):
        at = (*path, "tokenAccounts", "accounts", index)
        if account.token is None:
            yield Problem("warning", "account_without_token", "This account has no token and is ignored.", at)


def _metric(entry: ProviderSettings, path: Path) -> Iterator[Problem]:
    """A word that is nearly one of ours: which windows an account has is not known here."""
    if not entry.metric or entry.metric in METRICS:
        return
    from difflib import get_close_matches  # only where it is set

    if near := get_close_matches(entry.metric.lower(), METRICS, n=1, cutoff=0.75):
        yield Problem("warning", "unknown_metric", f"Unknown metric; did you mean {near[0]}?", (*path, "metric"))


def _own(provider: Provider, entry: ProviderSettings, path: Path) -> Iterator[Problem]:
    """What the provider's own check says."""
    if provider.check_entry is None:
        return
    try:
        found = tuple(provider.check_entry(entry))
    except Exception as error:  # a third-party provider must not take the config down
        note_defect(f"checking the config entry of {provider.id}", error)
        return
    for problem in found:
        yield Problem("warning", problem.code, problem.message, (*path, *problem.path))


def _unknown_keys(provider: Provider, raw: Mapping[str, object], path: Path) -> Iterator[Problem]:
    known = {key.name: key for key in entry_keys(provider)}
    plain = {_plain(name): name for name in (*known, *ENTRY_ALIASES.values())}
    options = {option.name: option for option in provider.options}
    also = {key for option in provider.options for key in option.also}
    for key, value in raw.items():
        if value is None:
            continue
        option = options.get(key)
        if option and key not in ENTRY_ALIASES.values() and not _fits(value, option.type):
            yield Problem("warning", "wrong_type", f"{key} must be {_article(option.type)}.", (*path, key))
        if key in known or key in KEPT or key in plain.values() or key in ENTRY_ALIASES or key in also:
            continue
        from difflib import get_close_matches  # only for what is misspelt

        near = get_close_matches(_plain(key), plain, n=1, cutoff=0.85)
        if near:
            message = f"Unknown key; did you mean {plain[near[0]]}?"
            yield Problem("warning", "unknown_key", message, (*path, key))
        else:
            yield Problem("warning", KEY_UNUSED, f"{provider.name} does not use this key.", (*path, key))


def _fits(value: object, kind: str) -> bool:
    kinds = _OPTION_TYPES.get(kind)
    return kinds is None or (isinstance(value, kinds) and (kind == "boolean" or not isinstance(value, bool)))


def _article(kind: str) -> str:
    return {"boolean": "true or false", "integer": "a whole number", "array": "a list", "object": "an object"}.get(
        kind, "a string" if kind == "string" else f"a {kind}"
    )


def _plain(key: str) -> str:
    return clean(key.replace("_", "").replace("-", "").lower()) or ""


def looks_empty(value: object) -> bool:
    """Whether a setting counts as absent: null or blank text."""
    return value is None or (isinstance(value, str) and clean(value) is None)
