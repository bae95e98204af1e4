"""Where the OAuth client of the Gemini CLI is found: variables, and every way the CLI gets installed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from quotaline_providers.contract import Context
from quotaline_providers.errors import MissingProgram
from quotaline_providers.testing import Reader, finished
from quotaline_providers.vendors.gemini import installs
from quotaline_providers.vendors.gemini.client import find_client, in_text, near_program
from quotaline_providers.vendors.gemini.installs import managed_by_fnm
from tests import systems

FILE = "dist/src/code_assist/oauth2.js"


def script(name: str) -> str:
    """A JavaScript text that defines a client with this id."""
    return f"const OAUTH_CLIENT_ID = '{name}.apps.example';\nvar OAUTH_CLIENT_SECRET =\n \"{name}-half\";\n"


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def package(root: Path) -> Path:
    write(root / "package.json", json.dumps({"name": "@google/gemini-cli"}))
    return root


@pytest.fixture(autouse=True)
def _nothing_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(installs, "SYSTEM", (tmp_path / "brew", tmp_path / "usr"))


@pytest.fixture
def context(reader: Reader) -> Callable[..., Context]:
    return partial(reader.context, "gemini")


@pytest.fixture
def found(context: Callable[..., Context]) -> Callable[..., str]:
    """The name of the client that is found."""
    return lambda **environment: finished(find_client(context(**environment))).id.removesuffix(".apps.example")


@pytest.fixture
def installed(programs: Path, tmp_path: Path) -> Callable[[str], Path]:
    """`installed("prefix/bin/gemini")`: a CLI there, linked from the PATH."""

    def link(place: str) -> Path:
        real = write(tmp_path / place, "#!/bin/sh\n")
        real.chmod(0o755)
        (programs / "gemini").symlink_to(real)
        return real

    return link


# --- the text --------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [script("a"), "OAUTH_CLIENT_ID='a.apps.example';let OAUTH_CLIENT_SECRET='a-half' ;"])
def test_a_text_defines_both_halves(text: str) -> None:
    seen = in_text(text.encode())
    assert seen is not None
    assert (seen.id, seen.secret.reveal()) == ("a.apps.example", "a-half")


@pytest.mark.parametrize(
    "text",
    [
        "const OAUTH_CLIENT_ID = 'a';",
        "const OAUTH_CLIENT_SECRET = 'a';",
        "const MY_OAUTH_CLIENT_ID = 'a'; const MY_OAUTH_CLIENT_SECRET = 'b';",
        "const $OAUTH_CLIENT_ID = 'a'; const OAUTH_CLIENT_SECRET = 'b';",
        "const OAUTH_CLIENT_ID = `a`; const OAUTH_CLIENT_SECRET = 'b';",
        "const OAUTH_CLIENT_ID = 'a'; const OAUTH_CLIENT_SECRET = 'b.c';",
    ],
)
def test_half_a_client_is_none(text: str) -> None:
    assert in_text(text.encode()) is None


def test_a_client_shows_no_secret() -> None:
    assert "a-half" not in repr(in_text(script("a").encode()))


# --- variables -------------------------------------------------------------------------------------


def test_variables_come_first(found: Any, tmp_path: Path) -> None:
    path = write(tmp_path / "some.js", script("file"))
    both = {"GEMINI_OAUTH_CLIENT_ID": " env ", "GEMINI_OAUTH_CLIENT_SECRET": "half"}
    assert found(**both, GEMINI_OAUTH2_JS_PATH=str(path)) == "env"
    assert found(GEMINI_OAUTH_CLIENT_ID="env", GEMINI_OAUTH2_JS_PATH=str(path)) == "file"


@systems.scripts
def test_a_named_file_beats_the_installed_cli(found: Any, installed: Any, tmp_path: Path) -> None:
    installed("p/bin/gemini")
    write(tmp_path / f"p/node_modules/@google/gemini-cli-core/{FILE}", script("installed"))
    assert found(GEMINI_OAUTH2_JS_PATH=str(write(tmp_path / "some.js", script("file")))) == "file"
    assert found(GEMINI_OAUTH2_JS_PATH=str(tmp_path / "absent.js")) == "installed"


# --- installed packages ----------------------------------------------------------------------------


@systems.scripts
@pytest.mark.parametrize(
    ("program", "file"),
    [
        ("p/bin/gemini", "p/libexec/lib/node_modules/@google/gemini-cli/node_modules/@google/gemini-cli-core"),
        ("p/bin/gemini", "p/lib/node_modules/@google/gemini-cli/node_modules/@google/gemini-cli-core"),
        ("p/bin/gemini", "p/share/gemini-cli/node_modules/@google/gemini-cli-core"),
        ("m/@google/gemini-cli/dist/index.js", "m/@google/gemini-cli-core"),
        ("m/@google/gemini-cli/dist/index.js", "m/@google/gemini-cli/node_modules/@google/gemini-cli-core"),
    ],
    ids=["libexec", "nested", "nix", "sibling", "inside"],
)
def test_the_installed_cli_is_searched(found: Any, installed: Any, tmp_path: Path, program: str, file: str) -> None:
    installed(program)
    write(tmp_path / file / FILE, script("here"))
    assert found() == "here"


@systems.scripts
def test_a_program_named_by_the_user_is_searched(found: Any, tmp_path: Path) -> None:
    program = write(tmp_path / "p/bin/other", "#!/bin/sh\n")
    program.chmod(0o755)
    write(tmp_path / f"p/node_modules/@google/gemini-cli-core/{FILE}", script("named"))
    assert found(GEMINI_CLI_PATH=str(program)) == "named"


@systems.scripts
def test_a_chunk_that_the_bundle_reaches_is_found_first(found: Any, installed: Any, tmp_path: Path) -> None:
    root = package(tmp_path / "m/@google/gemini-cli")
    installed("m/@google/gemini-cli/bundle/gemini.js").write_text('import {a} from "./one.js";\nimport("./lost.js")')
    write(root / "bundle/one.js", 'export * from "./two.js"; import "./../outside.js"; import "./one.js";')
    write(root / "bundle/two.js", script("reached"))
    write(root / "bundle/aaa.js", script("loose"))
    write(root / "outside.js", script("outside"))
    assert found() == "reached"


@systems.scripts
def test_other_chunks_are_searched_last_and_the_bundle_is_never_left(
    found: Any, installed: Any, tmp_path: Path
) -> None:
    root = package(tmp_path / "m/@google/gemini-cli")
    installed("m/@google/gemini-cli/bundle/gemini.js").write_text('import "./../outside.js"')
    write(root / "outside.js", script("outside"))
    write(root / "bundle/loose.js", script("loose"))
    assert found() == "loose"


def test_a_windows_shim_leads_to_the_package_beside_it(tmp_path: Path) -> None:
    shim = write(tmp_path / "npm/gemini.cmd", "")
    root = package(tmp_path / "npm/node_modules/@google/gemini-cli")
    write(root / "bundle/gemini.js", script("shim"))
    assert near_program(shim) == in_text(script("shim").encode())


@pytest.mark.parametrize(
    "place",
    [
        f"brew/lib/node_modules/@google/gemini-cli-core/{FILE}",
        f"brew/lib/node_modules/@google/gemini-cli/node_modules/@google/gemini-cli-core/{FILE}",
        f"home/.npm-global/lib/node_modules/@google/gemini-cli-core/{FILE}",
        "brew/opt/gemini-cli/libexec/lib/node_modules/@google/gemini-cli/bundle/gemini.js",
        "brew/Cellar/gemini-cli/1.2.3/libexec/lib/node_modules/@google/gemini-cli/bundle/chunk.js",
        "usr/lib/node_modules/@google/gemini-cli/bundle/gemini.js",
        "usr/share/gemini-cli/node_modules/@google/gemini-cli-core/dist/src/code_assist/oauth2.js",
        "home/.nvm/versions/node/v9.9.9/lib/node_modules/@google/gemini-cli/bundle/gemini.js",
        "home/.local/share/fnm/node-versions/v9/installation/lib/node_modules/@google/gemini-cli/bundle/gemini.js",
        "home/.volta/tools/image/packages/@google/gemini-cli/lib/node_modules/@google/gemini-cli/bundle/gemini.js",
        "home/.local/share/pnpm/global/5/node_modules/@google/gemini-cli/bundle/gemini.js",
        "home/.local/share/pnpm/global/v11/1ab/node_modules/@google/gemini-cli/bundle/gemini.js",
        "home/.bun/install/global/node_modules/@google/gemini-cli/bundle/gemini.js",
        f"home/.bun/install/global/node_modules/@google/gemini-cli-core/{FILE}",
        "home/.asdf/installs/nodejs/9.9.9/lib/node_modules/@google/gemini-cli/bundle/gemini.js",
        "home/.local/share/mise/installs/node/9/lib/node_modules/@google/gemini-cli/bundle/gemini.js",
        "home/.config/yarn/global/node_modules/@google/gemini-cli/bundle/gemini.js",
        "home/.npm/_npx/0f0f/node_modules/@google/gemini-cli/bundle/gemini.js",
    ],
)
def test_the_usual_places_are_searched_without_a_program(found: Any, tmp_path: Path, place: str) -> None:
    write(tmp_path / place, script("usual"))
    assert found() == "usual"


@pytest.mark.parametrize(
    ("variable", "folder"),
    [
        ("NPM_CONFIG_PREFIX", "lib/node_modules"),
        ("NVM_DIR", "versions/node/v9/lib/node_modules"),
        ("FNM_DIR", "node-versions/v9/installation/lib/node_modules"),
        ("VOLTA_HOME", "tools/image/packages/@google/gemini-cli/lib/node_modules"),
        ("PNPM_HOME", "global/5/node_modules"),
        ("BUN_INSTALL", "install/global/node_modules"),
        ("ASDF_DATA_DIR", "installs/nodejs/9/.npm/lib/node_modules"),
        ("MISE_DATA_DIR", "installs/npm-google-gemini-cli/1/lib/node_modules"),
    ],
)
def test_a_managers_home_may_be_elsewhere(found: Any, tmp_path: Path, variable: str, folder: str) -> None:
    write(tmp_path / f"own/{folder}/@google/gemini-cli/bundle/gemini.js", script("own"))
    assert found(**{variable: str(tmp_path / "own")}) == "own"


@systems.scripts
@pytest.mark.parametrize(
    ("program", "folder"),
    [
        ("own/bin/gemini", "tools/image/packages/@google/gemini-cli/lib/node_modules"),
        ("own/shims/gemini", "installs/nodejs/9/lib/node_modules"),
        ("own/gemini", "global/5/node_modules"),
        ("own/bin/gemini", "global/5/node_modules"),
    ],
    ids=["volta", "asdf", "pnpm", "newer pnpm"],
)
def test_a_managers_shim_tells_its_home(found: Any, installed: Any, tmp_path: Path, program: str, folder: str) -> None:
    installed(program)
    write(tmp_path / f"own/{folder}/@google/gemini-cli/bundle/gemini.js", script("shimmed"))
    assert found(GEMINI_CLI_PATH=str(tmp_path / program)) == "shimmed"


@systems.scripts
def test_pnpm_links_the_package_beside_its_core(found: Any, tmp_path: Path, home: Path) -> None:
    store = tmp_path / "store/node_modules/@google"
    write(store / f"gemini-cli-core/{FILE}", script("linked"))
    link = home / ".local/share/pnpm/global/5/node_modules/@google/gemini-cli"
    link.parent.mkdir(parents=True)
    link.symlink_to(package(store / "gemini-cli"))
    assert found() == "linked"


@pytest.mark.parametrize(
    "place",
    [
        "roaming/npm/node_modules",
        "roaming/nvm/v9.9.9/node_modules",
        "roaming/fnm/node-versions/v9/installation/node_modules",
        "local/Volta/tools/image/packages/@google/gemini-cli/node_modules",
        "local/pnpm/global/5/node_modules",
        "local/npm-cache/_npx/0f/node_modules",
        "files/nodejs/node_modules",
    ],
)
def test_windows_has_its_own_usual_places(context: Any, tmp_path: Path, place: str) -> None:
    write(tmp_path / place / "@google/gemini-cli/bundle/gemini.js", script("windows"))
    folders = {"APPDATA": "roaming", "LOCALAPPDATA": "local", "ProgramFiles": "files"}
    ctx = context(**{name: str(tmp_path / folder) for name, folder in folders.items()})
    assert finished(find_client(replace(ctx, platform="win32"))).id == "windows.apps.example"


# --- fnm -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "managed"),
    [
        ("/run/fnm_multishells/7/bin/gemini", True),
        ("/home/x/fnm/node-versions/v9/bin/gemini", True),
        ("/home/x/node-versions/v9/bin/gemini", False),
        ("C:\\fnm_multishells\\7\\gemini.cmd", True),
        ("/usr/bin/gemini", False),
    ],
)
def test_fnm_is_told_by_the_path(path: str, managed: bool) -> None:
    assert managed_by_fnm(Path(path)) is managed


FNM = """\
import sys, os, signal, subprocess
words = sys.argv[1:]
{before}
if words == ["current"]:
    print("v9.9.9", flush=True)
elif words == ["exec", "--using", "v9.9.9", "npm", "root", "-g"]:
    print({modules!r}, flush=True)
elif words[:5] == ["exec", "--using", "v9.9.9", "node", "-p"]:
    print({package!r}, flush=True)
{after}
"""


@pytest.fixture
def fnm(program: Any, programs: Path, tmp_path: Path) -> Callable[..., Path]:
    """A CLI that fnm put on the PATH, far from its package, and an fnm that knows where that is."""

    def install(before: str = "", after: str = "", modules: str | None = None, package_file: str = "") -> Path:
        shim = write(tmp_path / "fnm_multishells/7/bin/gemini", "#!/bin/sh\n")
        shim.chmod(0o755)
        (programs / "gemini").symlink_to(shim)
        root = package(tmp_path / "elsewhere/node_modules/@google/gemini-cli")
        write(root / "bundle/gemini.js", script("fnm"))
        known = str(tmp_path / "elsewhere/node_modules") if modules is None else modules
        program("fnm", FNM.format(before=before, after=after, modules=known, package=package_file))
        return root

    return install


@systems.scripts
def test_fnm_says_where_the_package_is(found: Any, fnm: Any) -> None:
    fnm()
    assert found() == "fnm"


@systems.scripts
def test_node_is_asked_when_npm_knows_nothing(found: Any, fnm: Any, tmp_path: Path) -> None:
    file = tmp_path / "elsewhere/node_modules/@google/gemini-cli/package.json"
    fnm(modules="/nowhere", package_file=str(file))
    assert found() == "fnm"


@systems.scripts
def test_a_child_that_keeps_the_output_open_does_not_block(found: Any, fnm: Any) -> None:
    fnm(after="subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])")
    assert found() == "fnm"


@systems.scripts
def test_a_helper_that_will_not_end_does_not_block(found: Any, fnm: Any) -> None:
    fnm(before="signal.signal(signal.SIGTERM, signal.SIG_IGN)", after="import time; time.sleep(60)")
    assert found() == "fnm"


@systems.scripts
def test_a_helper_that_says_nothing_is_given_up(found: Any, fnm: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installs, "FNM_CURRENT_SECONDS", 0.5)
    fnm(before="import time; time.sleep(60)")
    with pytest.raises(MissingProgram):
        found()


# --- nothing ---------------------------------------------------------------------------------------


def test_nothing_names_the_two_variables(found: Any) -> None:
    with pytest.raises(MissingProgram) as raised:
        found()
    assert "GEMINI_OAUTH_CLIENT_ID" in raised.value.hint
    assert "GEMINI_OAUTH_CLIENT_SECRET" in raised.value.hint


def test_with_antigravity_installed_signing_in_there_is_advised(found: Any, program: Any) -> None:
    program("agy", "")
    with pytest.raises(MissingProgram) as raised:
        found()
    assert "Antigravity" in raised.value.hint


def test_the_error_reaches_the_user(home: Path, read: Any) -> None:
    write(home / ".gemini/oauth_creds.json", '{"refresh_token": "r"}')
    with pytest.raises(MissingProgram):
        read("gemini")
