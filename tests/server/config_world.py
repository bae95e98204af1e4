"""Four made-up providers and a home folder with config files, for the tests of the config."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from quotaline.config import ConfigKeeper, Loaded
from quotaline_providers import registry
from quotaline_providers.access.lookups import Always
from quotaline_providers.contract import AccountKind, Context, Option, OptionType, Provider, Strategy
from quotaline_providers.model import Usage
from quotaline_providers.settings import Source
from quotaline_providers.vendors import zai


async def _never(ctx: Context, found: None) -> Usage:
    raise AssertionError("nothing is read here")


def _strategies(*sources: Source) -> tuple[Strategy[None], ...]:
    return tuple(Strategy(source, _never, Always()) for source in sources)


PROVIDERS = {
    provider.id: provider
    for provider in (
        Provider(
            id="claude",
            name="Claude",
            connect="Run `claude` and sign in.",
            strategies=_strategies(Source.API, Source.WEB, Source.CLI, Source.OAUTH),
            fields=("apiKey", "cookieHeader"),
            accounts=AccountKind.COOKIE,
        ),
        Provider(
            id="kiro",
            name="Kiro",
            connect="Run `kiro login`.",
            strategies=(Strategy(Source.CLI, _never, Always(), label="kiro-cli"),),
            options=(Option("dataDir", "One more folder.", also=("data_dir", "extra")),),
        ),
        Provider(
            id="openrouter",
            name="OpenRouter",
            connect="Create a key and run `quotaline set-credential openrouter`.",
            summary="Credits left.",
            strategies=_strategies(Source.API),
            aliases=("or",),
            fields=("apiKey", "enterpriseHost"),
            options=(
                Option("detailSeconds", "How long details may take.", OptionType.NUMBER),
                Option("pluginSecrets", "More keys.", OptionType.OBJECT),
            ),
            accounts=AccountKind.TOKEN,
            keys="https://router.invalid/keys",
        ),
        Provider(
            id="sakana",
            name="Sakana",
            connect="Paste a cookie header.",
            strategies=_strategies(Source.WEB),
            fields=("cookieHeader",),
        ),
        Provider(
            id="zai",
            name="Z.ai",
            connect="Create a key.",
            strategies=_strategies(Source.API),
            aliases=("z.ai",),
            fields=("apiKey", "region"),
            regions=("global", "bigmodel-cn"),
            check_entry=zai.PROVIDER.check_entry,
            accounts=AccountKind.TOKEN,
        ),
    )
}


def install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the registry hold the made-up providers only."""

    def get(id: str) -> Provider:
        return PROVIDERS[id]

    def resolve(name: str) -> Provider:
        wanted = name.strip().lower()
        found = [item for item in PROVIDERS.values() if wanted in (item.id, item.name.lower(), *item.aliases)]
        if not found:
            raise KeyError(name)
        return found[0]

    monkeypatch.setattr(registry, "ids", lambda: tuple(sorted(PROVIDERS)))
    monkeypatch.setattr(registry, "get", get)
    monkeypatch.setattr(registry, "resolve", resolve)
    monkeypatch.setattr(registry, "every", lambda: iter(PROVIDERS.values()))


@dataclass(frozen=True)
class Folder:
    """A user's home with Quotaline's and CodexBar's config files."""

    home: Path

    @property
    def own(self) -> Path:
        return self.home / ".config/quotaline/config.json"

    @property
    def codexbar(self) -> Path:
        return self.home / ".config/codexbar/config.json"

    def write(self, text: str, *, mode: int = 0o600) -> Path:
        return _write(self.own, text, mode)

    def write_codexbar(self, *entries: dict[str, object], **more: object) -> Path:
        return _write(self.codexbar, document(*entries, **more), 0o600)

    def keeper(self) -> ConfigKeeper:
        return ConfigKeeper({}, self.home, "linux")

    def load(self) -> Loaded:
        return self.keeper().loaded


def document(*entries: dict[str, object], **more: object) -> str:
    """A config file's text."""
    return json.dumps({"version": 1, "providers": list(entries), **more})


def codes(loaded: Loaded) -> list[str]:
    """What was found wrong."""
    return [item.code for item in loaded.diagnostics]


def _write(path: Path, text: str, mode: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path
