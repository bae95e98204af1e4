"""`quotaline config path|validate|edit|enable|disable`."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from quotaline.application import build
from quotaline.cli import console
from quotaline.cli.editor import editor_command, started
from quotaline.cli.exit_codes import FAILED, OK, USAGE_ERROR
from quotaline.cli.running import UsageError, named, placed
from quotaline.config import ConfigKeeper, Diagnostic, edit
from quotaline.paths import seen_by_others
from quotaline_providers import registry
from quotaline_providers.contract import Processes
from quotaline_providers.errors import ReadError


def config_command(options: argparse.Namespace) -> int:
    """Tell where the config file is, check it, open it in the user's editor and check it afterwards, or show or hide
    providers."""
    application = build()
    keeper = application.keeper
    if bool(options.ids) is not (options.action in ("enable", "disable")):
        needs = "needs the IDs of providers" if not options.ids else "takes no providers"
        console.say(f"`quotaline config {options.action}` {needs}.", error=True)
        return USAGE_ERROR
    if options.ids:
        return _switched(keeper.path, options.ids, on=options.action == "enable")
    if options.action == "path":
        print(seen_by_others(keeper.path))
        return OK
    if options.action == "edit" and not _edited(keeper.path, application.machine.processes):
        return FAILED
    return _validate(keeper, options.format)


def _switched(path: Path, names: Sequence[str], *, on: bool) -> int:
    try:
        providers = [registry.get(named(name)) for name in names]
        for provider in providers:
            edit.set_enabled(path, provider.id, on)
            shown = f"{provider.name} is {'shown' if on else 'hidden'} from now on."
            console.say(
                f"{provider.ended} It is shown only where its entry names a source." if on and provider.ended else shown
            )
    except UsageError as error:
        console.say(str(error), error=True)
        return USAGE_ERROR
    except ReadError as error:
        console.say(" ".join(filter(None, (error.message, error.hint))), error=True)
        return FAILED
    return OK


def _validate(keeper: ConfigKeeper, format: str) -> int:
    found = keeper.reload().diagnostics
    if format == "json":
        print(json.dumps([_issue(item) for item in found], indent=2))
    else:
        for item in found:
            console.say(placed(item))
        if not found:
            console.say(
                "Config: OK"
                if keeper.path.exists()
                else f"Config: OK ({seen_by_others(keeper.path)} does not exist; defaults are used)"
            )
    return FAILED if any(item.severity == "error" for item in found) else OK


def _issue(item: Diagnostic) -> dict[str, object]:
    field = next((step for step in reversed(item.path_in_json) if isinstance(step, str)), None)
    return {
        "severity": item.severity,
        "provider": item.provider or None,
        "field": field,
        "code": item.code,
        "message": item.message,
        "file": str(seen_by_others(item.file)) if item.file else None,
        "line": item.line + 1,
        "column": item.column + 1,
    }


def _edited(path: Path, processes: Processes) -> bool:
    words = editor_command(os.environ, processes)
    if words is None:
        known = seen_by_others(path)
        console.say(f"No editor was found. Set EDITOR, or open this file yourself: {known}", error=True)
        return False
    try:
        if not path.exists():
            edit.create(path)
        code = subprocess.run(started([*words, str(seen_by_others(path))]), check=False).returncode
    except (OSError, ReadError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        console.say(f"{path} cannot be edited: {reason}", error=True)
        return False
    if code != 0:
        console.say(f"The editor {Path(words[0]).name} ended with an error; {path} was not checked.", error=True)
    return code == 0
