"""Third-party providers for tests: installed packages in a folder, and files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

PROVIDER = '''"""A third-party provider."""

from __future__ import annotations

from quotaline_providers import (
    ApiKey,
    Balance,
    Context,
    Credential,
    Number,
    Payload,
    Provider,
    ProviderKind,
    Strategy,
    Usage,
)


class Answer(Payload):
    """GET /left."""

    left: Number = None


async def from_api(ctx: Context, key: Credential) -> Usage:
    answer = await ctx.http.get("https://api.meter.example/left", Answer, bearer=key.secret)
    left = Balance(id="left", label="Left", amount=str(answer.left), unit="USD")
    return Usage(updated_at=ctx.now, balances=(left,))


PROVIDER = Provider(
    id="{id}",
    name="Demo Meter",
    connect="Set {variable}.",
    dashboard="https://meter.example/usage",
    kind=ProviderKind.API,
    strategies=(Strategy.api(from_api, ApiKey(env=("{variable}",))),),
    aliases=("dm",),
)
'''


def source(id: str = "demo-meter", variable: str = "DEMO_METER_KEY") -> str:
    """A provider's module."""
    return PROVIDER.replace("{id}", id).replace("{variable}", variable)


def install(site: Path, package: str, providers: Mapping[str, str]) -> None:
    """An installed distribution with these entry points: its own module holds one provider."""
    info = site / f"{package}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n", encoding="utf-8")
    lines = "".join(f"{id} = {target}\n" for id, target in providers.items())
    (info / "entry_points.txt").write_text(f"[quotaline.providers]\n{lines}", encoding="utf-8")
