"""`quotaline doctor [ID] --shape`: what answers that were not understood looked like, for a bug report. Asks nobody."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence

from quotaline.application import build
from quotaline.cli import console
from quotaline.cli.exit_codes import OK
from quotaline.refresh.drift import Drift, kept
from quotaline_providers import registry
from quotaline_providers.secret import redact

HARMLESS = (
    "A shape holds types, names that Quotaline knows and names of unknown limits that look like the vendor's, and no "
    "values: it can be sent as it is."
)


def print_shapes(ids: Sequence[str] | None, format: str) -> int:
    """Print what is kept of these providers (of all when None). There may be nothing, which is good news."""
    found = asyncio.run(_kept(ids))
    if format == "json":
        print(json.dumps([_object(drift) for drift in found], indent=2))
    elif found:
        console.say("\n\n".join([*map(_text, found), HARMLESS]))
    else:
        names = ", ".join(registry.get(id).name for id in ids or ()) or "any provider"
        console.say(f"No shape is kept: Quotaline understood the last answers of {names}, or got none.")
    return OK


async def _kept(ids: Sequence[str] | None) -> list[Drift]:
    application = build()
    try:
        wanted = registry.ids() if ids is None else ids
        found = await application.store.do(lambda store: [kept(store, id) for id in wanted])
    finally:
        await application.close()
    return [drift for drift in found if drift is not None]


def _object(drift: Drift) -> dict[str, object]:
    return {
        **drift.model_dump(mode="json", exclude={"shape", "message"}),
        "message": redact(drift.message),
        "shape": _parsed(drift.shape),
    }


def _text(drift: Drift) -> str:
    rows = {
        "provider": drift.provider,
        "quotaline": drift.version,
        "source": drift.source,
        "host": drift.host,
        "HTTP status": drift.status,
        "read at": f"{drift.at:%Y-%m-%d %H:%M} UTC",
        "error": redact(drift.message),
    }
    lines = [f"{name}: {value}" for name, value in rows.items() if value is not None]
    if drift.shape is None:
        return "\n".join([*lines, "shape: not kept, because the answer did not come from a web address"])
    shape = _parsed(drift.shape)
    return "\n".join([*lines, f"shape: {shape if isinstance(shape, str) else json.dumps(shape, indent=2)}"])


def _parsed(shape: str | None) -> object:
    """The shape as JSON; the words for an answer that was none."""
    try:
        return json.loads(shape) if shape is not None else None
    except ValueError:
        return shape
