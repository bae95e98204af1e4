"""`quotaline doctor`: versions, paths, keyring, proxies, and every provider's attempts, with secrets redacted."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from quotaline import approvals
from quotaline.application import Application
from quotaline.cli import console
from quotaline.cli.exit_codes import FAILED, NOTHING_CONFIGURED, OK, USAGE_ERROR
from quotaline.cli.progress import Progress
from quotaline.cli.providers import broken_object
from quotaline.cli.running import UsageError, chosen, opened, viewed
from quotaline.detection.detect import inspect
from quotaline.paths import data_folder, is_virtualised, seen_by_others
from quotaline.refresh import drift
from quotaline.refresh.service import Refreshed
from quotaline.render.shown import shown
from quotaline.render.view import View
from quotaline.store import defects
from quotaline.store.defects import NotedDefect
from quotaline.store.store import Store
from quotaline_providers import registry
from quotaline_providers.computer import this_computer
from quotaline_providers.errors import Misconfigured
from quotaline_providers.hosts.http.proxies import Proxy
from quotaline_providers.run import Attempt
from quotaline_providers.secret import redact

PACKAGES = (
    "quotaline",
    "pygls",
    "lsprotocol",
    "httpx",
    "truststore",
    "pydantic",
    "platformdirs",
    "keyring",
)
VARIABLES = (
    *("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR", "QUOTALINE_CONFIG"),
    *("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"),
)
_APART = (
    "Windows keeps the files of this Python apart from those of other programs (it comes from the Microsoft Store, or "
    "was started by a packaged program), so a Quotaline in another Python has another store, config file and list of "
    "credentials. Use one Python for all, best one that is not from the Store."
)

Object = dict[str, object]


def doctor_command(options: argparse.Namespace) -> int:
    """Check everything once, asking the vendors of all shown providers or of the named ones; or print shapes."""
    try:
        ids = chosen(options.ids)
    except UsageError as error:
        console.say(str(error), error=True)
        return USAGE_ERROR
    if options.shape:
        from quotaline.cli.shapes import print_shapes

        return print_shapes(ids, options.format)
    findings = _redacted(asyncio.run(_examine(ids)))
    assert isinstance(findings, dict)
    if options.format == "json":
        print(json.dumps(findings, indent=2))
    else:
        console.say(_text(findings))
    providers = findings["providers"]
    broken = any(item.urgent for item in registry.known_broken())
    if not providers and not broken:
        return NOTHING_CONFIGURED
    return OK if not broken and all(item["ok"] for item in providers) else FAILED


def _redacted(value: object) -> object:
    """Every text in it without anything that looks like a secret; what holds the texts stays whole."""
    if isinstance(value, dict):
        return {key: _redacted(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_redacted(item) for item in value]
    return redact(value) if isinstance(value, str) else value


async def _examine(ids: list[str] | None) -> Object:
    async with opened() as application:
        service = application.service
        not_connected = _not_connected(application, ids)
        service.include(ids or ())
        states = service.snapshot().states
        names = {state.key: state.name for state in states if ids is None or state.provider in ids}
        with Progress(names, names) as progress:
            done = await service.refresh(list(names), on_done=progress.done)
        kept = await application.store.do(lambda store: _kept(store, done))
        return {
            "versions": {name: _version(name) for name in PACKAGES},
            "python": f"{sys.version.split()[0]} ({sys.executable})",
            "system": _system(),
            "paths": (paths := _paths(application)),
            "folders": _folders(paths),
            "store": application.service.trouble or "ok",
            "keyring": await application.keyring.backend_name(),
            "environment": {name: value for name in VARIABLES if (value := _variable(name)) is not None},
            "config": [str(diagnostic) for diagnostic in application.keeper.loaded.diagnostics],
            "providers": [_provider(one, kept, viewed(application)) for one in done],
            "notConnected": not_connected,
            "ended": _ended(application),
            "defects": [_defect(defect) for defect in kept.defects],
            "notLoaded": [broken_object(item) for item in registry.broken()],
            "approvals": approvals.read()[1] or "ok",
        }


@dataclass(frozen=True, slots=True)
class Kept:
    """What the store knows: the providers with a shape of an answer that was not understood, and our defects."""

    shapes: frozenset[str]
    defects: list[NotedDefect]


def _kept(store: Store, done: Sequence[Refreshed]) -> Kept:
    ids = {refreshed.state.provider for refreshed in done}
    return Kept(frozenset(id for id in ids if drift.kept(store, id) is not None), defects.kept(store))


def _defect(defect: NotedDefect) -> Object:
    return {
        "what": defect.what,
        "trace": list(defect.trace),
        "count": defect.count,
        "lastAt": defect.at.isoformat(timespec="seconds"),
        "version": defect.version,
    }


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _system() -> str:
    own = this_computer(os.environ)
    return " ".join(filter(None, (own.system, own.release, own.version, own.machine)))


def _paths(application: Application) -> dict[str, str]:
    paths = {
        "config": application.keeper.path,
        "store": application.store_path,
        "keyringIndex": data_folder() / "keyring.json",
    }
    return {name: str(seen_by_others(path)) for name, path in paths.items()}


def _folders(paths: Mapping[str, str]) -> str:
    """Whether other programs see the same files as this one."""
    return _APART if any(is_virtualised(Path(path)) for path in paths.values()) else "ok"


def _variable(name: str) -> str | None:
    value = os.environ.get(name) or os.environ.get(name.lower())
    return _proxy(value) if value and name.endswith("_PROXY") and name != "NO_PROXY" else value


def _proxy(value: str) -> str:
    """Where a proxy is, without the user name and password: in what is no address they may stand anywhere."""
    try:
        return Proxy.of(value, "").address
    except Misconfigured:
        return "set, but to no address that can be used"


def _provider(refreshed: Refreshed, kept: Kept, view: View) -> Object:
    state, error = refreshed.state, shown(refreshed.state, view).error
    attempts = refreshed.outcome.attempts if refreshed.outcome else ()
    return {
        "id": state.provider,
        "account": state.account or None,
        "ok": state.failure is None,
        "source": state.usage.source if state.usage else None,
        "windows": len(state.usage.windows) if state.usage else 0,
        "cut": list(state.usage.cut) if state.usage else [],
        "error": f"{state.failure.kind}: {' '.join(error)}".rstrip() if state.failure and error else None,
        "attempts": [_attempt(attempt) for attempt in attempts],
        "notes": list(state.usage.notes) if state.usage else [],
        "unreadLimits": list(state.usage.unread_limits) if state.usage else [],
        "hasShape": state.provider in kept.shapes,
        "note": None if refreshed.fetched or _waits(refreshed, view) else "not asked again: read a moment ago",
    }


def _waits(refreshed: Refreshed, view: View) -> bool:
    """Whether its vendor wants to be left alone for now: the error says until when."""
    failure = refreshed.state.failure
    return failure is not None and failure.until is not None and failure.until > view.now


def _attempt(attempt: Attempt) -> Object:
    result = "ok" if attempt.error is None else "not found" if attempt.skipped else str(attempt.error.kind)
    message = attempt.error.message if attempt.error is not None else None
    return {
        "source": attempt.source,
        "label": attempt.label,
        "from": attempt.origin,
        "result": result,
        "message": message,
    }


def _not_connected(application: Application, ids: list[str] | None) -> Object:
    shown = {target.provider.id for target in application.service.targets}
    config = application.keeper.loaded.config
    every = (provider for provider in registry.every() if not provider.ended)
    return {
        provider.id: list(inspect(provider, config, application.machine).looked_at)
        for provider in (every if ids is None else map(registry.get, ids))
        if provider.id not in shown
    }


def _ended(application: Application) -> Object:
    """What is known of services that have ended, where the user still has an entry or a credential for one."""
    config = application.keeper.loaded.config
    looked = [inspect(one, config, application.machine) for one in registry.every() if one.ended]
    return {item.provider.id: item.ended for item in looked if item.ended and (item.enabled or item.found)}


def _text(findings: Object) -> str:
    lines: list[str] = []
    for name in ("versions", "paths", "environment"):
        section = findings[name]
        assert isinstance(section, dict)
        lines += [
            f"{name}:" if section else f"{name}: nothing set",
            *(f"  {key}: {value}" for key, value in section.items()),
        ]
    for name in ("python", "system", "folders", "store", "keyring", "approvals"):
        lines.append(f"{name}: {findings[name]}")
    config = findings["config"]
    assert isinstance(config, list)
    lines += ["config: ok"] if not config else ["config:", *(f"  {item}" for item in config)]
    providers = findings["providers"]
    assert isinstance(providers, list)
    lines.append("providers:" if providers else "providers: none connected")
    for item in providers:
        account = f"/{item['account']}" if item["account"] else ""
        lines.append(f"  {item['id']}{account}: {'ok' if item['ok'] else item['error']}")
        for attempt in item["attempts"]:
            origin = f" from {attempt['from']}" if attempt["from"] else ""
            message = f" ({attempt['message']})" if attempt["message"] else ""
            lines.append(f"    {attempt['label']}{origin}: {attempt['result']}{message}")
        if item["cut"]:
            lines.append(f"    not all is kept: {'; '.join(item['cut'])}")
        if item["note"]:
            lines.append(f"    {item['note']}")
        lines += [f"    note: {note}" for note in item["notes"]]
        if item["hasShape"]:
            what = "an answer was not understood in full" if item["unreadLimits"] else "an answer was not understood"
            lines.append(f"    {what}: `quotaline doctor {item['id']} --shape` prints its shape")
    lines += _defect_lines(findings["defects"])
    broken = registry.known_broken()
    if broken:
        lines += ["not loaded:", *(f"  {item.sentence}" for item in broken)]
    ended = findings["ended"]
    assert isinstance(ended, dict)
    lines += [f"{id}: {sentence}" for id, sentence in ended.items()]
    missing = findings["notConnected"]
    assert isinstance(missing, dict)
    if missing:
        lines.append("not connected (and where it was looked for):")
        lines += [f"  {id}: {', '.join(map(str, places))}" for id, places in missing.items()]
    return "\n".join(lines)


def _defect_lines(found: object) -> list[str]:
    assert isinstance(found, list)
    lines = ["defects of Quotaline, to be reported:"] if found else ["defects: none"]
    for defect in found:
        often = "once" if defect["count"] == 1 else f"{defect['count']} times"
        lines.append(f"  {defect['what']}, {often}, last {defect['lastAt']}, version {defect['version']}:")
        lines += [f"    {line}" for line in defect["trace"]]
    return lines
