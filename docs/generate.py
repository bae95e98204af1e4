"""Writes the parts of the documentation that come from the code: `python docs/generate.py`, or `--check` to compare.

A region is marked `<!-- generated: NAME -->` ... `<!-- /generated -->`; some files are generated whole. Nothing here
asks the network or looks at this machine.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, cast

sys.path.insert(0, str(Path(__file__).resolve().parent))

import installing
from blocking import rows as window_rows
from picture import usage_svg
from skipped import skipped_table
from wire_types import luacats, protocol_types, typescript

from quotaline.config.editor.reference import configuration_reference
from quotaline.lsp.methods import METHODS, Method
from quotaline_providers import registry
from quotaline_providers.contract import Context, Provider
from quotaline_providers.settings import ProviderSettings
from quotaline_providers.third_party import claims

ROOT = Path(__file__).resolve().parent.parent
REGION = re.compile(r"(<!-- generated: ([a-z-]+) -->\n).*?(\n<!-- /generated -->)", re.DOTALL)

# --- the protocol ----------------------------------------------------------------------------------


def method_table() -> str:
    """One row per method, linked to its section."""
    rows = ((f"[`{m.name}`](#{anchor(m.name)})", m.kind, m.direction, m.purpose) for m in METHODS)
    return table(("Name", "Kind", "Direction", "Purpose"), rows)


def method_sections() -> str:
    """One section per method: purpose, types, example."""
    return "\n\n".join(map(_method, METHODS))


def _method(method: Method) -> str:
    word = "Arguments" if method.kind == "command" else "Params"
    types = [f"type {word} = {method.params}"]
    if method.kind != "notification":
        types.append(f"type Result = {method.result}")
    parts = [
        f"### `{method.name}`",
        f"{method.kind.capitalize()}, {method.direction}. {method.purpose}",
        "\n".join(("```typescript", *types, "```")),
    ]
    if method.example:
        parts.append("\n".join(("Example:", "", "```json", json.dumps(_message(method), **_JSON), "```")))
    return "\n\n".join(parts)


_JSON: dict[str, Any] = {"indent": 2, "ensure_ascii": False}


def _message(method: Method) -> dict[str, object]:
    params = json.loads(method.example)
    if method.kind == "command":
        return {"method": "workspace/executeCommand", "params": {"command": method.name, "arguments": params}}
    return {"method": method.name, "params": params}


# --- the providers ---------------------------------------------------------------------------------


def provider_table() -> str:
    """One row per provider, linked to its section."""
    rows = (
        (f"[{p.name}](#{anchor(p.name)})", f"`{p.id}`", codes(p.aliases), codes(p.sources), p.summary)
        for p in registry.every()
    )
    return table(("Provider", "Id", "Aliases", "Sources, in order", "What is shown"), rows)


def provider_sections() -> str:
    """One section per provider."""
    return "\n\n".join(map(_provider, registry.every()))


def _provider(provider: Provider) -> str:
    facts = [
        ("Id", f"`{provider.id}`" + (f" (also {codes(provider.aliases)})" if provider.aliases else "")),
        ("How to connect", provider.ended or provider.connect),
        ("Get a key", link(provider.key_url)),
        ("Dashboard", link(provider.dashboard)),
        ("Sign-in", f"`quotaline sign-in {provider.id}`" if provider.sign_in else ""),
        ("Several accounts", "yes, with labels" if provider.accounts else ""),
        ("Regions", codes(provider.regions)),
        ("Read at most every", duration(provider.min_interval)),
    ]
    ctx = empty_machine(provider.id)
    ways = dict.fromkeys(
        (f"`{s.source}`", s.name, words(s.lookup.places(ctx)), "yes" if s.in_auto else "only when chosen")
        for s in provider.strategies
    )
    return "\n\n".join(
        (
            f"### {provider.name}",
            provider.summary,
            "\n".join(f"- {name}: {value}" for name, value in facts if value),
            table(("Source", "Label", "Looks for, in order", "In `auto`"), ways),
        )
    )


def window_table() -> str:
    """One row per window that a provider's sample answers hold."""
    return table(("Provider", "Window", "Length", "Stops the account"), window_rows())


def empty_machine(id: str) -> Context:
    """A Linux machine on which nothing is installed and nobody has signed in."""
    nothing = cast("Any", Nothing())
    return Context(
        provider=id,
        settings=ProviderSettings(id=id),
        environ={},
        home=Path("/nonexistent"),
        http=nothing,
        processes=nothing,
        files=nothing,
        databases=nothing,
        keyring=nothing,
        browsers=nothing,
        memory=nothing,
        platform="linux",
    )


class Nothing:
    """Host facilities that have nothing: no program, no entry. Anything else a lookup might ask is a mistake."""

    def find(self, name: str, **options: object) -> None:
        return None

    def labels(self, provider: str) -> tuple[str, ...]:
        return ()


def provider_list() -> str:
    """How many there are, and their names."""
    living = (provider for provider in registry.every() if not provider.ended)
    providers = sorted(living, key=lambda provider: provider.name.lower())
    names = ", ".join(f"[{provider.name}](docs/providers.md#{anchor(provider.name)})" for provider in providers)
    return f"Quotaline reads {len(providers)} providers: {names}."


# --- Markdown --------------------------------------------------------------------------------------


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = (head, tuple("---" for _ in head), *rows)
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def anchor(heading: str) -> str:
    """The fragment under which a heading is reached."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def codes(values: Iterable[str]) -> str:
    return ", ".join(f"`{value}`" for value in values)


_NAMED = ("~", "/", "$", "env ", "config ")


def words(places: Iterable[str]) -> str:
    """Places for people: paths and names of variables as code, the rest as it is."""
    said = []
    for place in dict.fromkeys(places):
        if "`" in place:
            said.append(place)
        elif match := re.fullmatch(r"((?:env|config) |)(\S+)(.*)", place) if place.startswith(_NAMED) else None:
            said.append(f"{match[1]}`{match[2]}`{match[3]}")
        else:
            said.append(place)
    return "; ".join(said) or "—"


def link(address: str | None) -> str:
    return f"<{address}>" if address else ""


def duration(seconds: float) -> str:
    if seconds % 60 or seconds < 60:
        return f"{seconds:g} seconds"
    minutes = seconds / 60
    return f"{minutes:g} minute" + ("" if minutes == 1 else "s")


def credential_table() -> str:
    """Which built-in provider each credential belongs to, on any system: the package's own table, as JSON."""
    others = {declared.id for declared in registry.third_party()}
    names = [
        (what, provider.id)
        for provider in registry.every()
        if provider.id not in others
        for platform in ("linux", "darwin", "win32")
        for what in claims.of(provider, platform)
    ]
    return json.dumps(dict(sorted(names)), indent=2) + "\n"


# --- the files -------------------------------------------------------------------------------------

REGIONS: dict[str, dict[str, Callable[[], str]]] = {
    "README.md": {"install": installing.install_block, "providers": provider_list},
    "clients/neovim/README.md": {"install": installing.install_block},
    "clients/zed/README.md": {"install-sentence": installing.install_sentence},
    "docs/adding-a-provider.md": {
        "install-for-tests": installing.install_for_tests,
        "install-provider": installing.install_provider,
    },
    "docs/development.md": {"skipped": skipped_table},
    "docs/editors.md": {"install-sentence": installing.install_sentence},
    "docs/configuration.md": {"reference": lambda: configuration_reference().strip()},
    "docs/protocol.md": {"method-table": method_table, "types": protocol_types, "methods": method_sections},
    "docs/providers.md": {
        "provider-table": provider_table,
        "window-table": window_table,
        "providers": provider_sections,
    },
}
WHOLE: dict[str, Callable[[], str]] = {
    "docs/images/usage.svg": usage_svg,
    "clients/vscode/src/protocol.generated.ts": typescript,
    "clients/neovim/lua/quotaline/distribution.lua": installing.lua,
    "clients/neovim/lua/quotaline/wire.lua": luacats,
    "clients/zed/src/distribution.rs": installing.rust,
    "providers/quotaline_providers/third_party/claims.json": credential_table,
}


def generated() -> dict[str, str]:
    """All files with generated parts, as they should be. Raises ValueError for a region that is not there."""
    return {
        **{name: _filled(name, regions) for name, regions in REGIONS.items()},
        **{name: make() for name, make in WHOLE.items()},
    }


def _filled(name: str, regions: dict[str, Callable[[], str]]) -> str:
    text = (ROOT / name).read_text(encoding="utf-8")
    found = [match[2] for match in REGION.finditer(text)]
    if sorted(found) != sorted(regions):
        raise ValueError(f"{name} has the regions {found}, and not {list(regions)}")
    return REGION.sub(lambda match: f"{match[1]}\n{regions[match[2]]()}\n{match[3]}", text)


def stale() -> list[str]:
    """The files that are not as they should be."""
    return [name for name, text in generated().items() if _on_disk(name) != text]


def _on_disk(name: str) -> str | None:
    try:
        return (ROOT / name).read_text(encoding="utf-8")
    except FileNotFoundError:
        return None


def main(arguments: list[str]) -> int:
    """Write what is stale; with `--check` only name it, and exit with 1."""
    if arguments not in ([], ["--check"]):
        print("usage: python docs/generate.py [--check]", file=sys.stderr)
        return 2
    names = stale()
    if arguments:
        for name in names:
            print(f"{name} is out of date; run `make docs`.", file=sys.stderr)
        return 1 if names else 0
    texts = generated()
    for name in names:
        path = ROOT / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(texts[name], encoding="utf-8", newline="\n")
        print(f"wrote {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
