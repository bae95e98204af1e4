"""The documentation tells the truth: generated parts are current, links lead somewhere, the worked example runs."""

from __future__ import annotations

import importlib.util
import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from urllib.parse import unquote

import pytest

from quotaline.cli import _parser
from quotaline.lsp.methods import METHODS, Method
from quotaline.render.protocol import usage_params
from quotaline.render.view import View
from quotaline_providers import registry
from quotaline_providers.errors import Kind
from tests.server import render_states

ROOT = Path(__file__).parent.parent
OUTSIDE = {"node_modules", "dist", "build"}
PAGES = sorted(
    path
    for path in ROOT.rglob("*.md")
    if not any(part[0] == "." or part in OUTSIDE for part in path.relative_to(ROOT).parts)
)
NAMES = [path.relative_to(ROOT).as_posix() for path in PAGES]
FENCE = re.compile(r"^(`{3,})(\w*)\n(.*?)^\1$", re.MULTILINE | re.DOTALL)


def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[str]:
    return [match[3] for match in FENCE.finditer(text) if match[2] == language]


# --- generated parts -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_generate", ROOT / "docs/generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_generated_parts_are_up_to_date(generate: ModuleType) -> None:
    assert generate.stale() == [], "run `make docs`"


def test_check_names_stale_files_and_changes_nothing(
    generate: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = page("docs/images/usage.svg")
    monkeypatch.setitem(generate.WHOLE, "docs/images/usage.svg", lambda: "another picture")
    assert generate.main(["--check"]) == 1
    assert "docs/images/usage.svg" in capsys.readouterr().err
    assert page("docs/images/usage.svg") == before


def test_a_file_that_lost_its_region_is_told(generate: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(generate.REGIONS, "LICENSE", {"licence": lambda: ""})
    with pytest.raises(ValueError, match="LICENSE"):
        generate.generated()


@pytest.mark.parametrize("id", registry.ids())
def test_every_provider_has_a_section(id: str) -> None:
    assert f"\n### {registry.get(id).name}\n" in page("docs/providers.md")
    assert f"`{id}`" in page("docs/configuration.md")


def test_no_page_shows_a_machine_path() -> None:
    machine = {str(ROOT), f"{Path.home()}/", "/nonexistent"} - {"//"}
    for name in [*NAMES, "docs/images/usage.svg"]:
        assert [path for path in machine if path in page(name)] == [], name


# --- the protocol ----------------------------------------------------------------------------------


def interface(name: str) -> set[str]:
    """The keys of a TypeScript interface in the protocol's page."""
    types = "\n".join(blocks(page("docs/protocol.md"), "typescript"))
    body = re.search(rf"^interface {name} {{\n(.*?)^}}", types, re.MULTILINE | re.DOTALL)
    assert body is not None, name
    return set(re.findall(r"^  (\w+)\??:", body[1], re.MULTILINE))


def test_the_types_have_the_keys_that_are_sent() -> None:
    state = render_states.state("claude", render_states.session(62.0), failure=render_states.failure())
    assert state.usage is not None
    usage = state.usage.model_copy(update={"balances": (render_states.balance("3"),)})
    sent = usage_params(render_states.snapshot(replace(state, usage=usage)), View(render_states.NOW)).to_json()
    one = json.loads(json.dumps(sent))["providers"][0]
    assert interface("UsageParams") == set(sent)
    assert interface("StatusLine") == set(json.loads(json.dumps(sent))["statusLine"])
    assert interface("ProviderState") == set(one)
    assert interface("Window") == set(one["windows"][0])
    assert interface("Balance") == set(one["balances"][0])
    assert interface("ProviderError") == set(one["error"])


def test_every_error_kind_is_named() -> None:
    assert all(f'"{kind.value}"' in page("docs/protocol.md") for kind in Kind)


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_the_types_of_every_method_are_there(method: Method) -> None:
    types = "\n".join(blocks(page("docs/protocol.md"), "typescript"))
    for name in re.findall(r"\b[A-Z]\w+", f"{method.params} {method.result}"):
        assert re.search(rf"^interface {name}\b", types, re.MULTILINE), name


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_every_method_has_a_section_with_its_types(method: Method) -> None:
    section = page("docs/protocol.md").partition(f"\n### `{method.name}`\n")[2].partition("\n### ")[0]
    assert method.direction in section
    assert method.params in section


@pytest.mark.parametrize("name", NAMES)
def test_json_examples_are_json(name: str) -> None:
    for block in blocks(page(name), "json"):
        json.loads(block)


# --- links and commands ----------------------------------------------------------------------------

LINK = re.compile(r"\]\(([^)\s]+)\)")


def fragments(path: Path) -> set[str]:
    """The anchors of a Markdown file's headings."""
    text = FENCE.sub("", path.read_text(encoding="utf-8"))
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("name", NAMES)
def test_relative_links_lead_somewhere(name: str) -> None:
    for address in LINK.findall(FENCE.sub("", page(name))):
        if re.match(r"[a-z]+:", address):
            continue
        file, _, fragment = unquote(address).partition("#")
        target = (ROOT / name).parent / file if file else ROOT / name
        assert target.exists(), f"{name}: {address}"
        if fragment and target.suffix == ".md":
            assert fragment in fragments(target), f"{name}: {address}"


def commands(text: str) -> Iterator[list[str]]:
    for block in blocks(text, "sh"):
        for line in block.splitlines():
            if words := shlex.split(line, comments=True):
                yield words


@pytest.mark.parametrize("name", [name for name in NAMES if name == "README.md" or name.startswith("docs/")])
def test_commands_exist(name: str) -> None:
    targets = set(re.findall(r"^(\w+):", page("Makefile"), re.MULTILINE))
    for words in commands(page(name)):
        program, rest = Path(words[0]).name, words[1:]
        if program == "make":
            assert set(rest) <= targets, words
        elif program == "quotaline":
            _parser().parse_args(rest or ["usage"])
        elif program in ("pytest", "python", "ruff", "mypy", "bash"):
            assert all((ROOT / word).exists() for word in rest if "/" in word), words
        else:
            assert program in ("uv", "pipx", "git"), words


def test_the_readme_begins_with_the_two_commands() -> None:
    assert list(commands(page("README.md")))[:2] == [["make", "usage"], ["make", "test"]]
