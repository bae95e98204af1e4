"""What a config file may hold: its keys, what they mean, which provider uses which, and which are secret."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel

from quotaline_providers import registry
from quotaline_providers.contract import Provider
from quotaline_providers.settings import SOURCE_CHOICES, ProviderSettings, TokenAccount, TokenAccounts
from quotaline_providers.vendors import UNREAD

VERSION = 1

SECRET_KEYS = frozenset({"apiKey", "secretKey", "cookieHeader", "token", "pluginSecrets"})
"""Keys whose values are secret wherever they stand."""

ALWAYS = ("id", "enabled", "source", "refreshMinutes", "metric", "lowBalance")
"""Entry keys that every provider understands."""

METRICS = {
    "automatic": "The limit that will stop you first.",
    "spend": "What was spent.",
    "balance": "The money or credits that are left.",
}
"""What `metric` may be beside a window's id."""

KEPT = frozenset({"quotaWarnings", "accentColor", "pluginSettings", "pluginSecrets", "extrasEnabled"})
"""CodexBar's entry keys that are kept and not used."""

COOKIE_SOURCES = ("auto", "manual", "off")
SOURCES = SOURCE_CHOICES

TOP_LEVEL = {
    "version": "The version of the file's shape. Always 1.",
    "providers": "One entry per provider, in display order.",
    "display": "How things are shown, in the terminal and in every editor. What you set in an editor's own settings "
    "goes before it there.",
    "hooks": "CodexBar's commands for events: `{enabled, events}`. They are checked and kept; Quotaline does not run "
    "them.",
}
TOP_LEVEL_TYPES = {"version": "integer", "providers": "list", "display": "object", "hooks": "object"}

_ACCOUNTS = {
    "version": "The version of this object's shape. Always 1.",
    "activeIndex": "Which account is the active one, counted from 0.",
    "accounts": "The accounts, each with a label and a token.",
}
_ACCOUNT = {
    "id": "A name that stays the same when the label changes.",
    "label": "How the account is shown.",
    "token": "The account's API key, OAuth token or cookie header. Better kept in the keyring: "
    "`quotaline set-credential`.",
    "externalIdentifier": "The vendor's own identifier of the account.",
    "usageScope": "`personal` or `team`, where the vendor has both.",
    "organizationId": "The organisation that is read.",
    "workspaceID": "The workspace or project that is read.",
}


@dataclass(frozen=True, slots=True)
class Key:
    """A key of the file: its JSON type in words, what it does, and the values it may have (empty when free)."""

    name: str
    type: str
    description: str
    values: tuple[str, ...] = ()
    secret: bool = False
    default: str = ""


def aliases(model: type[BaseModel]) -> dict[str, str]:
    """The JSON key of each field of a model, by field name."""
    return {name: info.alias or name for name, info in model.model_fields.items()}


ENTRY_ALIASES = aliases(ProviderSettings)


def entry_keys(provider: Provider | None) -> tuple[Key, ...]:
    """The keys of an entry: of this provider, or all that any provider may have when it is not known."""
    keys = [_entry_key(field, provider) for field in ENTRY_ALIASES if provider is None or uses(provider, field)]
    if provider is not None:
        names = {key.name for key in keys}
        keys += [
            Key(option.name, option.type, option.description, secret=option.name in SECRET_KEYS)
            for option in provider.options
            if option.name not in names
        ]
    return tuple(keys)


def account_group_keys() -> tuple[Key, ...]:
    """The keys of `tokenAccounts`."""
    return tuple(_model_key(TokenAccounts, name, _ACCOUNTS) for name in TokenAccounts.model_fields)


def account_keys() -> tuple[Key, ...]:
    """The keys of one element of `tokenAccounts.accounts`."""
    return tuple(_model_key(TokenAccount, name, _ACCOUNT) for name in TokenAccount.model_fields)


def uses(provider: Provider, field: str) -> bool:
    """Whether a provider uses an entry's field (given by its Python name)."""
    key = ENTRY_ALIASES[field]
    if key in ALWAYS or key in provider.settings:
        return True
    if key == "apiKeyEnv":
        return "apiKey" in provider.settings
    if key == "cookieSource":
        return "cookieHeader" in provider.settings
    if key == "tokenAccounts":
        return provider.accounts is not None
    if key == "region":
        return bool(provider.regions)
    return False


def find_provider(name: str) -> Provider | None:
    """The provider with this id or alias; None when there is none. Imports all of them only for an unusual name."""
    wanted = name.strip().lower()
    if wanted in UNREAD and wanted not in registry.ids():
        return None
    try:
        return registry.resolve(wanted)
    except KeyError:
        return None


def by_id(id: str) -> Provider | None:
    """The provider with exactly this id."""
    try:
        return registry.get(id)
    except KeyError:
        return None


def canonical_id(name: str) -> str | None:
    """The id for an id or alias; None when no provider has it. Imports nothing for an exact id."""
    wanted = name.strip().lower()
    for id in registry.ids():
        if id.lower() == wanted:
            return id
    provider = find_provider(wanted)
    return provider.id if provider else None


def type_words(schema: dict[str, Any]) -> str:
    """A JSON schema's type in words: `string`, `number or null` without the null."""
    if "enum" in schema:
        return " or ".join(f"`{value}`" for value in schema["enum"])
    if "const" in schema:
        return f"`{schema['const']}`"
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(type_words(part) for part in schema["anyOf"] if part.get("type") != "null"))
    if schema.get("type") == "array":
        items = schema.get("items", {})
        return f"list of {type_words(items)}s" if items.get("type") in ("string", "number") else "list"
    kind: str = schema.get("type", "object")
    return kind


def _entry_key(field: str, provider: Provider | None) -> Key:
    key = _model_key(ProviderSettings, field, {})
    values: tuple[str, ...] = ()
    if key.name == "source":
        values = ("auto", *provider.sources) if provider else SOURCES
    elif key.name == "cookieSource":
        values = COOKIE_SOURCES
    elif key.name == "region" and provider:
        values = provider.regions
    elif key.name == "enabled":
        values = ("true", "false")
    return Key(key.name, key.type, key.description, values, key.secret, key.default)


def _model_key(model: type[BaseModel], field: str, descriptions: dict[str, str]) -> Key:
    info = model.model_fields[field]
    name = info.alias or field
    schema = model.model_json_schema(by_alias=True)["properties"][name]
    description = info.description or descriptions.get(name, "")
    default = "" if info.is_required() or info.default in (None, ()) else str(info.default)
    return Key(name, type_words(schema), description, secret=name in SECRET_KEYS, default=default)


Severity = Literal["error", "warning", "information"]
