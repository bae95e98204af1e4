"""The documentation tells the truth: generated parts are current, links lead somewhere, the worked example runs."""

from __future__ import annotations

import ast
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


# --- what the pages name of the code ---------------------------------------------------------------

MAPS = ("docs/architecture.md", "docs/development.md")
ROOMS = (ROOT, ROOT / "providers/quotaline_providers", ROOT / "server/quotaline")
MADE_LATER = {"dist/", "store.sqlite3", "history.sqlite3"}
NOT_OURS = {"Decimal", "None", "Retry-After", "null", "python3"}
INLINE = re.compile(r"`([^`\n]+)`")


def named_in(name: str) -> Iterator[list[str]]:
    """What stands in backticks on each line of a page, without commands and other texts of several words."""
    for line in FENCE.sub("", page(name)).splitlines():
        yield [word for word in INLINE.findall(line) if re.fullmatch(r"[\w./-]+", word)]


def is_path(word: str) -> bool:
    if word.startswith(".cache"):  # made by the commands that a page tells of
        return False
    return "/" in word or Path(word).suffix in (".py", ".md", ".sqlite3")


@pytest.mark.parametrize("name", MAPS)
def test_the_files_and_folders_that_a_page_names_exist(name: str) -> None:
    elsewhere = MADE_LATER | {method.name for method in METHODS}
    for words in named_in(name):
        rooms = list(ROOMS)  # a name may also stand beside or below one before it on the line
        for path in (word for word in words if is_path(word) and word not in elsewhere):
            found = [room / path for room in rooms if (room / path).exists()]
            assert found, f"{name}: {path}"
            rooms += [one if one.is_dir() else one.parent for one in found]


def test_the_map_has_every_room_and_the_modules_of_those_that_are_shown_in_parts() -> None:
    named = {word.rstrip("/") for words in named_in("docs/architecture.md") for word in words}
    named |= {word.partition("/")[0] for word in named}
    for package in ROOMS[1:]:
        for path in package.iterdir():
            name = path.name if path.is_dir() else path.stem
            if name[0] not in "_." and (path.is_dir() or path.suffix == ".py"):
                assert named & {name, path.name}, f"{path.relative_to(package)} is not on the map"
    for room in (ROOMS[2] / name for name in ("refresh", "store", "detection")):
        for path in room.glob("[a-z]*.py"):
            assert named & {path.name, f"{room.name}/{path.name}"}, f"{room.name}/{path.name} is not on the map"


class Definitions(ast.NodeVisitor):
    """The names that modules and classes define, by their owner, and the words of texts that are no docstrings."""

    def __init__(self) -> None:
        self.members: dict[str, set[str]] = {}
        self.words: set[str] = set()
        self._owners: list[str] = []

    def add(self, path: Path) -> None:
        self._owners = [path.parent.name if path.stem == "__init__" else path.stem]
        self._define(path.stem, path.parent.name)
        self.visit(ast.parse(path.read_text(encoding="utf-8")))

    def _define(self, *names: str) -> None:
        self.words.update(names)
        for owner in self._owners:
            self.members.setdefault(owner, set()).update(names)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._define(node.name)
        self._owners.append(node.name)
        self.generic_visit(node)
        self._owners.pop()

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self._define(node.name)
        self.generic_visit(node)

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815 (ast's name)

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Store):
            self._define(node.id)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if isinstance(node.ctx, ast.Store):
            self._define(node.attr)
        self.generic_visit(node)

    def visit_alias(self, node: ast.alias) -> None:
        self._define(node.asname or node.name.rpartition(".")[2])

    def visit_Expr(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Constant):
            self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str):
            self.words.update(re.findall(r"[\w-]+", node.value))


@pytest.fixture(scope="module")
def definitions() -> Definitions:
    found = Definitions()
    for folder in ("providers", "server", "benchmarks", "docs"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            found.add(path)
    return found


def test_the_functions_and_classes_that_the_map_names_exist(definitions: Definitions) -> None:
    for words in named_in("docs/architecture.md"):
        for word in (word for word in words if not is_path(word) and word not in NOT_OURS):
            *owners, last = word.split(".")
            members = definitions.members.get(owners[-1]) if owners else None
            assert last in (members or definitions.words), word


# --- the words -------------------------------------------------------------------------------------

PRIVATE = re.compile(
    r"\banew\b|\blets? (?:us|it|them|a strategy) in\b|\b(?:be|is|are) let in\b|\bask(?:s|ed) (?:us )?to wait\b"
    r"|\bbur(?:y|ied)\b|\bluxur\w+|\blookout\b|\blook(?:s|ed)? around\b|\bgist\b|\bto rest\b|\basked despite\b",
    re.IGNORECASE,
)
"""Words that only someone who has seen the project grow would understand, or that nobody says any more."""


@pytest.mark.parametrize("folder", ["providers", "server", "clients", "docs", "benchmarks"])
def test_nobody_needs_a_glossary(folder: str) -> None:
    found = {}
    for path in sorted((ROOT / folder).rglob("*")):
        parts = path.relative_to(ROOT).parts
        source = path.suffix in (".py", ".md", ".lua", ".ts", ".rs", ".txt")
        if source and path.is_file() and not any(part[0] == "." or part in OUTSIDE for part in parts):
            words = PRIVATE.findall(path.read_text(encoding="utf-8"))
            if words:
                found["/".join(parts)] = words
    assert found == {}


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
            assert rest[:1] != ["-m"] or importlib.util.find_spec(rest[1]), words
        else:
            assert program in ("uv", "pipx", "git"), words


def test_the_readme_begins_with_the_two_commands() -> None:
    assert list(commands(page("README.md")))[:2] == [["make", "usage"], ["make", "test"]]


def test_every_window_that_has_a_name_of_its_own_is_in_the_table() -> None:
    table = page("docs/providers.md").partition("<!-- generated: window-table -->")[2].partition("<!-- /")[0]
    missing = []
    for path in sorted((ROOT / "providers/quotaline_providers/vendors").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).removeprefix("ql.") == "Window":
                named = [key.value for key in node.keywords if key.arg == "id"]
                ids = {str(value.value) for value in named if isinstance(value, ast.Constant)}
                missing += [f"{path.name}: {id}" for id in ids - {"status"} if f"(`{id}`)" not in table]
    assert missing == [], "add it to a sample below tests/providers/samples, else to docs/blocking.py"
