"""The configuration told from its own models: a JSON schema for editors and Markdown tables for the documentation."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel

from quotaline.config.display import display_keys, display_shapes
from quotaline.config.fields import (
    ALWAYS,
    TOP_LEVEL,
    TOP_LEVEL_TYPES,
    VERSION,
    Key,
    account_group_keys,
    account_keys,
    by_id,
    entry_keys,
    type_words,
)
from quotaline.settings import Settings
from quotaline_providers import registry
from quotaline_providers.settings import ProviderSettings


def json_schema() -> dict[str, Any]:
    """The JSON schema (draft 2020-12) of the config file, with all provider ids. Unknown keys are allowed."""
    entry = ProviderSettings.model_json_schema(by_alias=True)
    definitions = entry.pop("$defs", {})
    for definition in (entry, *definitions.values()):
        definition["additionalProperties"] = True
        definition.pop("title", None)
        for field in definition["properties"].values():
            field.pop("title", None)
    _describe(definitions["TokenAccounts"], account_group_keys())
    _describe(definitions["TokenAccount"], account_keys())
    entry["properties"]["id"]["anyOf"] = [{"enum": list(_names())}, {"type": "string"}]
    entry["properties"]["id"].pop("type", None)
    for provider in filter(None, map(by_id, registry.ids())):
        for option in provider.options:
            entry["properties"].setdefault(option.name, {"description": f"{provider.name}: {option.description}"})
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Quotaline's config file",
        "type": "object",
        "required": ["version"],
        "properties": {
            "version": {"const": VERSION, "description": TOP_LEVEL["version"]},
            "providers": {"type": "array", "description": TOP_LEVEL["providers"], "items": {"$ref": "#/$defs/Entry"}},
            "display": {
                "type": "object",
                "description": TOP_LEVEL["display"],
                "properties": display_shapes(),
            },
            "hooks": {"type": "object", "description": TOP_LEVEL["hooks"]},
        },
        "$defs": {"Entry": entry, **definitions},
    }


def configuration_reference() -> str:
    """All settings as Markdown tables: the file's keys, an account's, each provider's own, and the client's."""
    parts = [
        "### The file",
        _table(Key(name, TOP_LEVEL_TYPES[name], text) for name, text in TOP_LEVEL.items()),
        "### `display`",
        _table(display_keys()),
        "### An entry of `providers`",
        _table(entry_keys(None)),
        "### `tokenAccounts`",
        _table(account_group_keys()),
        "### An entry of `tokenAccounts.accounts`",
        _table(account_keys()),
        "### What each provider uses",
        _providers(),
    ]
    if options := _options():
        parts += ["### Settings of one provider only", options]
    parts += ["### Settings of the client (section `quotaline`)", _table(_client(Settings, "quotaline"))]
    return "\n\n".join(parts) + "\n"


def _describe(definition: dict[str, Any], keys: Iterable[Key]) -> None:
    for key in keys:
        if key.description:
            definition["properties"][key.name].setdefault("description", key.description)


def _names() -> tuple[str, ...]:
    every = [provider for provider in map(by_id, registry.ids()) if provider]
    return tuple(dict.fromkeys([*registry.ids(), *(alias for provider in every for alias in provider.aliases)]))


def _table(keys: Iterable[Key]) -> str:
    rows = [(f"`{key.name}`", _type(key), f"`{key.default}`" if key.default else "", key.description) for key in keys]
    return _rows(("Key", "Type", "Default", "Description"), rows)


def _type(key: Key) -> str:
    if key.values and key.type == "string":
        return " or ".join(f"`{value}`" for value in key.values)
    return key.type + (" (secret)" if key.secret else "")


def _providers() -> str:
    rows = []
    for provider in filter(None, map(by_id, registry.ids())):
        keys = [f"`{key.name}`" for key in entry_keys(provider) if key.name not in ALWAYS]
        sources = ", ".join(f"`{source}`" for source in provider.sources)
        regions = ", ".join(f"`{region}`" for region in provider.regions)
        rows.append((f"`{provider.id}`", provider.name, sources, regions, ", ".join(keys)))
    return _rows(("Id", "Name", "Sources", "Regions", "Keys"), rows)


def _options() -> str:
    rows = [
        (f"`{provider.id}`", f"`{option.name}`", option.type, option.description)
        for provider in filter(None, map(by_id, registry.ids()))
        for option in provider.options
    ]
    return _rows(("Provider", "Key", "Type", "Description"), rows) if rows else ""


def _client(model: type[BaseModel], prefix: str) -> Iterable[Key]:
    properties = model.model_json_schema(by_alias=True)["properties"]
    for field, info in model.model_fields.items():
        name = info.alias or field
        inner = info.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from _client(inner, f"{prefix}.{name}")
            continue
        default = info.default
        shown = str(default).lower() if isinstance(default, bool) else "[]" if default == () else f"{default}"
        yield Key(f"{prefix}.{name}", type_words(properties[name]), info.description or "", default=shown)


def _rows(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
