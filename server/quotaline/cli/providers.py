"""`quotaline providers`: what is known, found and missing, and how to connect each one."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace

from quotaline.application import build
from quotaline.cli import console
from quotaline.cli.exit_codes import NOTHING_CONFIGURED, OK, USAGE_ERROR
from quotaline.cli.running import UsageError, named
from quotaline.detection.detect import Inspection, choices, inspect, ordered
from quotaline_providers import registry

KEEPS = "`quotaline set-credential ID` keeps an API key or a Cookie header, in the keyring where there is one."


def providers_command(options: argparse.Namespace) -> int:
    """List providers. Nothing is asked over the network, no program is started, nothing prompts."""
    try:
        ids = [named(name) for name in options.ids]
    except UsageError as error:
        console.say(str(error), error=True)
        return USAGE_ERROR
    sightings = [inspection for inspection in _all() if not ids or inspection.provider.id in ids]
    broken = () if ids else registry.known_broken()
    if options.format == "json":
        known = [_object(inspection) for inspection in sightings]
        print(json.dumps([*known, *(broken_object(item) for item in broken)], indent=2))
    else:
        console.say("\n\n".join(_text(s) for s in sightings) if ids else _table(sightings))
        for item in broken:
            console.say(f"\n{item.sentence}")
    return OK if any(inspection.shown for inspection in sightings) else NOTHING_CONFIGURED


def nothing_found() -> str:
    """What a person sees on a machine without any login: what is known, what was looked for, what to do."""
    lines = ["No AI provider is connected on this machine yet.", ""]
    lines += ["Quotaline looks for these and shows each one once it is found:", ""]
    for inspection in _all():
        provider = inspection.provider
        if inspection.ended:
            continue
        lines += [f"  {provider.name} ({provider.id})", f"    looked at: {_listed(inspection.looked_at)}"]
        lines += [f"    connect:   {provider.connect}"]
    for item in registry.known_broken():
        lines += ["", item.sentence]
    return "\n".join([*lines, "", KEEPS, "Run `quotaline doctor` when something you use is not found."])


def broken_object(item: registry.Broken) -> dict[str, object]:
    """A third-party provider that is not loaded, for programs: with all that the others have, as far as known."""
    reason = {"why": str(item.why), "reason": item.reason, "file": item.file or None, "line": item.line or None}
    return {
        "id": item.id,
        "name": item.id,
        "enabled": None,
        "shown": False,
        **{name: [] for name in ("sources", "lookedAt", "found", "accounts")},
        **dict.fromkeys(("connect", "ended", "dashboard", "keyUrl")),
        "choices": {},
        "origin": item.origin,
        "notLoaded": reason,
    }


def _all() -> list[Inspection]:
    application = build()
    config = application.keeper.loaded.config
    machine = application.machine
    return [
        replace(inspect(provider, config, machine), choices=choices(provider, config, machine))
        for provider in ordered(config)
    ]


def _table(sightings: list[Inspection]) -> str:
    shown = [inspection for inspection in sightings if inspection.shown]
    rest = [inspection for inspection in sightings if not inspection.shown and not inspection.ended]
    ended = [inspection for inspection in sightings if inspection.ended and (inspection.enabled or inspection.found)]
    width = max((len(inspection.provider.id) for inspection in sightings), default=0)
    lines = ["Found:"] if shown else ["No provider is connected on this machine yet."]
    for item in shown:
        accounts = f" (accounts: {', '.join(item.accounts)})" if item.accounts else ""
        origin = _listed(item.found) if item.found else "enabled in the config"
        lines.append(f"  {item.provider.id:<{width}}  {item.provider.name}: {origin}{accounts}")
    if rest:
        lines += ["", "Not connected:"]
    for item in rest:
        off = f"switched off in the config; `quotaline config enable {item.provider.id}` shows it again"
        lines.append(f"  {item.provider.id:<{width}}  {item.provider.name}")
        lines.append(f"  {'':<{width}}    {off if item.enabled is False else f'connect:   {item.provider.connect}'}")
        lines.append(f"  {'':<{width}}    looked at: {_listed(item.looked_at)}")
    if ended:
        lines += ["", "Ended, and not asked any more:"]
    for item in ended:
        origin = _listed(item.found) if item.found else "enabled in the config"
        lines.append(f"  {item.provider.id:<{width}}  {item.ended} ({origin})")
    return "\n".join([*lines, "", KEEPS, "`quotaline providers ID` shows more about one."])


def _text(item: Inspection) -> str:
    provider = item.provider
    state = "switched off in the config" if item.enabled is False else "shown" if item.shown else "not connected"
    lines = [f"{provider.name} ({provider.id}): {'service ended' if item.ended else state}"]
    if provider.summary:
        lines.append(f"  {provider.summary}")
    lines.append(f"  sources:    {', '.join(('auto', *provider.sources))}")
    lines.append(f"  looked at:  {_listed(item.looked_at)}")
    lines.append(f"  found:      {_listed(item.found)}")
    if item.accounts:
        lines.append(f"  accounts:   {', '.join(item.accounts)}")
    lines.append(f"  connect:    {item.ended or provider.connect}")
    for name, offered in item.choices.items():
        lines.append(f"  {name}, in its entry of the config file, may be:")
        lines += [f"    {choice.value or '(empty)'}: {choice.label}" for choice in offered]
    for label, address in (("key", provider.key_url), ("dashboard", provider.dashboard)):
        if address:
            lines.append(f"  {label + ':':<11} {address}")
    return "\n".join(lines)


def _listed(places: tuple[str, ...]) -> str:
    return ", ".join(places) if places else "nothing"


def _object(item: Inspection) -> dict[str, object]:
    return {
        "id": item.provider.id,
        "name": item.provider.name,
        "enabled": item.enabled,
        "shown": item.shown,
        "sources": list(item.provider.sources),
        "lookedAt": list(item.looked_at),
        "found": list(item.found),
        "accounts": list(item.accounts),
        "connect": item.provider.connect,
        "ended": item.ended or None,
        "dashboard": item.provider.dashboard,
        "choices": {
            name: [{"value": choice.value, "label": choice.label} for choice in offered]
            for name, offered in item.choices.items()
        },
        "keyUrl": item.provider.key_url,
    }
