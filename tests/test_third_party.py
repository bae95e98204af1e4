"""Third-party providers: what is used, what is not, and that whatever is not used is named."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from quotaline_providers import registry
from quotaline_providers.hosts.workers.pool import WorkerProcesses
from quotaline_providers.registry import Agreed, Broken, BrokenProvider
from quotaline_providers.testing import Read, Vendors
from quotaline_providers.third_party import claims, files
from quotaline_providers.third_party.agreed import Consent
from quotaline_providers.third_party.broken import Why
from quotaline_providers.third_party.files import ProviderFile
from quotaline_providers.third_party.outline import outline
from tests import systems
from tests.third_party import install, source

BUILT_IN = "crof"

# --- installed packages ----------------------------------------------------------------------------


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder where packages are installed."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.setenv("PYTHONPATH", str(folder))
    return folder


def answer(code: str) -> Any:
    """What a new interpreter prints as JSON for this expression."""
    lines = (
        "import json, dataclasses\nfrom quotaline_providers import registry\n"
        "from quotaline_providers.registry import Agreed\nfrom quotaline_providers.third_party.agreed import Consent\n"
        "def broken(): return {one.id: [one.why, one.origin, one.place, one.reason] for one in registry.broken()}\n"
        "def told(name):\n    try:\n        registry.resolve(name)\n    except registry.BrokenProvider as error:\n"
        "        return str(error)\n"
        f"print(json.dumps({code}))"
    )
    done = subprocess.run([sys.executable, "-c", lines], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_an_installed_provider_is_found_and_used(site: Path) -> None:
    install(site, "demo", {"demo-meter": "demo_meter:PROVIDER"})
    (site / "demo_meter.py").write_text(source())
    code = "['demo-meter' in registry.ids(), registry.get('demo-meter').name, registry.resolve('dm').id, broken()]"
    assert answer(code) == [True, "Demo Meter", "demo-meter", {}]


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("x = 1\nraise RuntimeError('a value')", 2, "RuntimeError"),
        ("def f():\n    return {}['a value']\n\n\nf()", 2, "KeyError"),
        ("x = 1\nif x\n", 2, "SyntaxError"),
        ("import json\nimport no_such_module_here", 2, "ModuleNotFoundError (no_such_module_here)"),
        ("import sys\nsys.exit('a value')", 2, "SystemExit"),
        ("import asyncio\nraise asyncio.CancelledError('a value')", 2, "CancelledError"),
        ("class Odd(BaseException): pass\nraise Odd('a value')", 2, "Odd"),
        ("import json\n\njson.loads('{a value')", 3, "JSONDecodeError"),
        ("from quotaline_providers.contract import Provider\nPROVIDER = Provider(id=1)", 2, "TypeError"),
        ("PROVIDER = 'a value'", 0, "its PROVIDER is not a Provider"),
        ("", 0, "its PROVIDER is not a Provider"),
        (source("another"), 0, "its PROVIDER has another id than demo-meter"),
        (source().replace("Demo Meter", "Demo\\x1b[2J"), 0, "its name holds characters that cannot be shown"),
    ],
)
def test_one_that_fails_is_named_with_its_place_and_no_value(site: Path, text: str, line: int, reason: str) -> None:
    install(site, "demo", {"demo-meter": "demo_meter:PROVIDER"})
    module = site / "demo_meter.py"
    module.write_text(text)
    found = answer("[broken(), [one.id for one in registry.every()]]")
    place = f"{module}:{line}" if line else str(module)
    assert found[0] == {"demo-meter": ["failed", "package demo 1.0", place, reason]}
    assert "demo-meter" not in found[1]
    assert "crof" in found[1]


def test_one_in_a_package_fails_where_its_own_code_is(site: Path) -> None:
    install(site, "demo", {"demo-meter": "demo.meter:PROVIDER"})
    (site / "demo").mkdir()
    (site / "demo" / "__init__.py").touch()
    (site / "demo" / "meter.py").write_text("from demo import inner\n")
    (site / "demo" / "inner.py").write_text("\nint('a value')\n")
    assert answer("broken()")["demo-meter"][2:] == [f"{site / 'demo' / 'inner.py'}:2", "ValueError"]


def test_one_whose_module_is_missing_is_named(site: Path) -> None:
    install(site, "demo", {"demo-meter": "demo_meter:PROVIDER"})
    assert answer("broken()") == {"demo-meter": ["failed", "package demo 1.0", "", "ModuleNotFoundError (demo_meter)"]}


@pytest.mark.parametrize("id", ["Demo", "demo/meter", "demo meter"])
def test_an_id_that_no_file_could_have_is_refused(site: Path, id: str) -> None:
    install(site, "demo", {id: "demo_meter:PROVIDER"})
    (site / "demo_meter.py").write_text(source(id))
    reason = "its id is not of small letters, digits, `-` and `_` alone"
    assert answer("broken()")[id][3] == reason
    assert (
        answer(f"told({id!r})")
        == f"Provider {id} (package demo 1.0) is not loaded: {site / 'demo_meter.py'}: {reason}."
    )


def test_an_id_belongs_to_the_first_and_the_other_is_named(site: Path) -> None:
    install(site, "demo", {BUILT_IN: "demo_meter:PROVIDER"})
    install(site, "one", {"demo-meter": "demo_meter:PROVIDER"})
    install(site, "two", {"demo-meter": "demo_meter:PROVIDER"})
    (site / "demo_meter.py").write_text(source())
    found = answer(f"[broken(), registry.get({BUILT_IN!r}).name, registry.get('demo-meter').name]")
    assert found[1:] == ["Crof", "Demo Meter"]
    assert found[0][BUILT_IN][:2] == ["refused", "package demo 1.0"]
    assert found[0][BUILT_IN][3] == "its id belongs to a built-in one"
    why, origin, _, reason = found[0]["demo-meter"]
    assert why == "refused"
    assert {origin, reason.removeprefix("its id belongs to ")} == {"package one 1.0", "package two 1.0"}


def test_another_ones_credential_needs_consent_for_this_package_and_its_hosts(site: Path) -> None:
    install(site, "demo", {"demo-meter": "demo_meter:PROVIDER"})
    (site / "demo_meter.py").write_text(source(variable="OPENAI_API_KEY"))

    def why(package: str, host: str) -> str:
        consent = f"Consent({package!r}, frozenset(['OPENAI_API_KEY']), frozenset([{host!r}]))"
        told = answer(f"[registry.use(Agreed((), {{'demo-meter': {consent}}})), broken()]")[1]
        return " ".join(told["demo-meter"][::3]) if told else ""

    assert why("demo", "api.meter.example") == ""
    told = why("demo", "elsewhere.example")
    assert told == why("another", "api.meter.example")
    assert told.startswith("unconfirmed it uses OPENAI_API_KEY of openai")
    assert "api.meter.example;" in told
    assert "`quotaline provider approve demo-meter`" in told


# --- files -----------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The user's folder for provider files."""
    path = tmp_path / "providers"
    path.mkdir(mode=0o700)
    return path


@pytest.fixture(autouse=True)
def nothing_agreed() -> Any:
    """What a test agreed to ends with it."""
    yield
    registry.use(Agreed())


def file(path: Path, text: str, mode: int = 0o600) -> ProviderFile:
    """A provider file, approved as it is."""
    path.write_text(text)
    path.chmod(mode)
    return ProviderFile(path, files.read(path).digest if mode == 0o600 else "")


def why(*given: ProviderFile) -> Broken:
    """What is wrong with the only broken one of these."""
    registry.use(Agreed(given))
    (found,) = registry.broken()
    return found


def test_an_approved_file_is_a_provider(folder: Path, vendor: Vendors, read: Read) -> None:
    registry.use(Agreed((file(folder / "demo-meter.py", source()),)))
    vendor("api.meter.example").get("/left", bearer="k").answers(left=4)
    assert read("demo-meter", DEMO_METER_KEY="k").balances[0].amount == 4
    assert registry.resolve("DM").id == "demo-meter"
    assert registry.broken() == ()


def test_one_without_approval_is_not_run(folder: Path) -> None:
    (folder / "demo-meter.py").write_text(f"open({str(folder / 'ran')!r}, 'w')")
    found = why(ProviderFile(folder / "demo-meter.py"))
    assert (found.why, found.urgent) == (Why.UNAPPROVED, False)
    assert "`quotaline provider approve demo-meter.py`" in found.reason
    assert not (folder / "ran").exists()


@pytest.mark.parametrize("name", ["a b", "$(id)", "x;id", "Meter", "métre", "a.b"])
def test_a_name_that_is_no_id_gets_no_command_to_copy(folder: Path, name: str) -> None:
    found = why(ProviderFile(folder / f"{name}.py"))
    assert (found.why, found.reason) == (Why.UNAPPROVED, files.MISNAMED)


def test_a_changed_one_is_not_run_until_it_is_approved_again(folder: Path) -> None:
    approved = file(folder / "demo-meter.py", source())
    approved.path.write_text(f"open({str(folder / 'ran')!r}, 'w')\n" + source())
    found = why(approved)
    assert (found.why, found.urgent) == (Why.CHANGED, True)
    assert not (folder / "ran").exists()
    with pytest.raises(BrokenProvider, match="has changed since you approved it"):
        registry.get("demo-meter")
    registry.use(Agreed((file(approved.path, source().replace("Demo Meter", "Second Meter")),)))
    assert registry.get("demo-meter").name == "Second Meter"


def test_a_new_approval_takes_the_place_of_what_runs(folder: Path) -> None:
    path = folder / "demo-meter.py"
    registry.use(Agreed((file(path, source()),)))
    assert registry.get("demo-meter").name == "Demo Meter"
    registry.use(Agreed((file(path, source().replace("Demo Meter", "Second Meter")),)))
    assert registry.get("demo-meter").name == "Second Meter"
    registry.use(Agreed())
    with pytest.raises(KeyError):
        registry.get("demo-meter")


@systems.modes
@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda path: path.chmod(0o620), "other users can write to it"),
        (lambda path: path.chmod(0o602), "other users can write to it"),
        (lambda path: path.parent.chmod(0o770), "other users can write to its folder"),
        (lambda path: path.parent.chmod(0o777), "other users can write to its folder"),
        (lambda path: _linked(path), "it is a link"),
        (lambda path: _linked(path.parent), "its folder is a link"),
        (lambda path: _replaced(path, os.mkfifo), "it is not a file"),
        (lambda path: _replaced(path, os.mkdir), "it is not a file"),
        (lambda path: path.write_bytes(b"#" * ((1 << 20) + 1)), "it is larger than 1 MiB"),
    ],
)
def test_one_that_others_may_have_written_is_not_run(
    folder: Path, spoil: Callable[[Path], object], reason: str
) -> None:
    approved = file(folder / "demo-meter.py", source())
    spoil(approved.path)
    found = why(approved)
    assert found.why is Why.UNSAFE
    assert found.reason.startswith(reason)


def _replaced(path: Path, make: Callable[[Path], None]) -> None:
    path.unlink()
    make(path)


def _linked(path: Path) -> None:
    moved = path.with_name("moved")
    path.rename(moved)
    path.symlink_to(moved)


@systems.modes
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give a file away")
@pytest.mark.parametrize("what", ["it", "its folder"])
def test_one_of_another_user_is_not_run(folder: Path, what: str) -> None:
    approved = file(folder / "demo-meter.py", source())
    os.chown(approved.path if what == "it" else folder, 12345, -1)
    assert why(approved).reason == f"{what} belongs to another user"


def test_one_that_fails_is_named_with_its_line(folder: Path) -> None:
    found = why(file(folder / "demo-meter.py", "x = 1\n1 / 0\n"))
    assert (found.why, found.place, found.reason) == (
        Why.FAILED,
        f"{folder / 'demo-meter.py'}:2",
        "ZeroDivisionError",
    )
    found = why(file(folder / "demo-meter.py", "import asyncio\nraise asyncio.CancelledError\n"))
    assert (found.why, found.reason) == (Why.FAILED, "CancelledError")
    found = why(file(folder / "demo-meter.py", "x = (\n"))
    assert found.place == f"{folder / 'demo-meter.py'}:1"


def test_a_file_comes_after_a_built_in_provider(folder: Path) -> None:
    found = why(file(folder / f"{BUILT_IN}.py", source(BUILT_IN)))
    assert (found.id, found.why) == (BUILT_IN, Why.REFUSED)
    assert registry.get(BUILT_IN).name == "Crof"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (source(variable="OPENAI_API_KEY"), "OPENAI_API_KEY"),
        (source() + '\nHIDDEN = "OPENAI_API_KEY"\n', "OPENAI_API_KEY"),
        (source() + '\ndef login(home): return home / ".codex" / "auth.json"\n', "~/.codex/auth.json"),
        (source() + '\nNAME = "_".join(("OPENAI", "API", "KEY"))\n', None),
    ],
    ids=["lookup", "text", "path", "hidden"],
)
def test_another_ones_credential_needs_a_confirmation(folder: Path, text: str, what: str | None) -> None:
    approved = file(folder / "demo-meter.py", text)
    if what is None:  # it is no wall, and does not say that it is one
        registry.use(Agreed((approved,)))
        assert registry.broken() == ()
        return
    found = why(approved)
    assert found.why is Why.UNCONFIRMED
    assert [claim.what for claim in found.claims] == [what]
    assert found.hosts == {"api.meter.example"}
    registry.use(Agreed((ProviderFile(approved.path, approved.digest, frozenset([what])),)))
    assert registry.broken() == ()


def test_a_credential_of_an_installed_package_belongs_to_it(site: Path, folder: Path) -> None:
    install(site, "demo", {"demo-meter": "demo_meter:PROVIDER"})
    (site / "demo_meter.py").write_text(source())
    mine = file(folder / "mine.py", source("mine"))
    setup = (
        "__import__('pathlib').Path, __import__('quotaline_providers.third_party.files', fromlist=['x']).ProviderFile"
    )
    code = f"(lambda P, F: [registry.use(Agreed((F(P({str(mine.path)!r}), {mine.digest!r}),))), broken()])({setup})[1]"
    assert answer(code)["mine"][0] == "unconfirmed"


async def test_a_worker_process_runs_what_a_file_sends_there(folder: Path) -> None:
    registry.use(Agreed((file(folder / "demo-meter.py", source() + "\n\ndef twice(x): return 2 * x\n"),)))
    registry.get("demo-meter")
    twice = sys.modules["quotaline_provider_files.demo-meter"].twice
    workers = WorkerProcesses(os.environ)
    try:
        assert await workers.run(twice, 21, timeout=30) == 42
    finally:
        await workers.close()


# --- reading a source without running it -----------------------------------------------------------


def test_an_outline_tells_what_a_module_names_and_not_what_is_only_shown() -> None:
    seen = outline(source().encode())
    assert (seen.id, seen.name) == ("demo-meter", "Demo Meter")
    assert seen.hosts == {"api.meter.example"}
    assert seen.variables == {"DEMO_METER_KEY"}


@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        ('x = f"https://{region}.meter.example/x"', {"{}.meter.example"}),
        ('"""See https://docs.meter.example."""', set()),
        ('x = "http://USER:secret@Meter.example:8443/a b"', {"meter.example:8443"}),
        ('x = "https://" + host', set()),
        ('x = "https://\\x1b[2Jm\\u0435ter.example/"', {"\\u001b[2jm\\u0435ter.example"}),
        ('x = "HTTPS://[bad"', {"[bad"}),
    ],
)
def test_hosts_are_found_in_texts(text: str, hosts: set[str]) -> None:
    assert outline(text.encode()).hosts == hosts


@pytest.mark.parametrize("operator", ["+", "/"])
def test_nesting_hides_nothing_and_ends_nothing(folder: Path, operator: str) -> None:
    long = f" {operator} ".join(['"https://deep.example/"', *['"x"'] * 1500])
    text = f'{source()}\ndef _unused(home):\n    return home / ".codex" / "auth.json", {long}\n'
    seen = outline(text.encode())
    assert seen.hosts == {"api.meter.example", "deep.example"}
    assert ".codex/auth.json" in seen.paths
    assert why(file(folder / "demo-meter.py", text)).why is Why.UNCONFIRMED


@pytest.mark.parametrize("data", [b"x = (", b"\x00", b"\xff\xfe", b"(" * 5000])
def test_what_is_no_python_is_told_as_such(data: bytes) -> None:
    with pytest.raises(SyntaxError):
        outline(data)


def test_hosts_for_people_say_when_the_code_does_not_tell() -> None:
    assert claims.host_list({"b.example", "a.example"}) == "a.example, b.example"
    assert claims.host_list({"{}.example"}) == claims.host_list(()) == "addresses made at run time"


def test_what_people_are_told_fits_a_screen() -> None:
    many = claims.host_list({*(f"h{number:04}.example" for number in range(999)), "{}.example"})
    assert many.startswith("h0000.example, ")
    assert many.endswith(", and 979 more, addresses made at run time")
    long = claims.host_list({"api.openai.com." + "x." * 400 + "evil.example"})
    assert len(long) == claims.LONGEST_NAME
    assert long.endswith("evil.example")


def test_the_table_of_credentials_knows_variables_and_files() -> None:
    table = claims.builtin()
    assert table["OPENROUTER_API_KEY"] == "openrouter"
    assert table["~/.codex/auth.json"] == "codex"


def test_consents_can_be_sent_to_a_worker() -> None:
    import pickle

    agreed = Agreed((), {"demo-meter": Consent("demo", frozenset(["A_B"]))})
    assert pickle.loads(pickle.dumps(agreed)) == agreed
