"""Third-party providers as their user meets them: approved, changed, broken, revoked; in the terminal and editor."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from quotaline_providers.testing import Vendors
from tests.server.command import Command
from tests.server.lsp_client import START_SECONDS, Desk, Params
from tests.third_party import install, source

HOST = "api.meter.example"
NOT_WRITTEN_OUT = '"_".join(("OPENAI", "API", "KEY"))'


@pytest.fixture
def folder(home: Path) -> Path:
    """The folder of this user's provider files."""
    path = home / ".config/quotaline/providers"
    path.mkdir(parents=True)
    path.chmod(0o700)
    return path


@pytest.fixture
def meter(folder: Path) -> Callable[..., Path]:
    """`meter(text)`: writes the provider file, marking in its first line that it ran."""

    def write(text: str = "", variable: str = "DEMO_METER_KEY") -> Path:
        path = folder / "demo-meter.py"
        ran = f"open({str(folder / 'ran')!r}, 'w').close()\n"
        path.write_text(ran + (text or source(variable=variable)).replace("from __future__ import annotations\n", ""))
        path.chmod(0o600)
        return path

    return write


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder where packages are installed."""
    path = tmp_path / "site"
    path.mkdir()
    return path


def state(quotaline: Command, id: str = "demo-meter") -> tuple[str, str]:
    """What the list says of a provider: its state and the reason."""
    listed = quotaline("provider", "list", "--format", "json")
    assert listed.code == 0
    (row,) = (row for row in listed.json if row["id"] == id)
    return row["state"], row["reason"]


def approved(quotaline: Command) -> list[str]:
    """The files that are approved."""
    kept = quotaline.home / ".local/state/quotaline/approvals.json"
    return [Path(path).name for path in json.loads(kept.read_text()).get("files", ())] if kept.exists() else []


# --- files -----------------------------------------------------------------------------------------


def test_a_file_is_read_after_its_approval(
    quotaline: Command, meter: Callable[..., Path], folder: Path, vendor: Vendors, home: Path
) -> None:
    route = vendor(HOST).get("/left", bearer="k").answers(left=4)
    meter()
    assert state(quotaline)[0] == "unapproved"
    refused = quotaline("usage", "--provider", "demo-meter")
    assert refused.code == 2
    assert "is not loaded" in refused.err
    assert "`quotaline provider approve demo-meter.py`" in refused.err
    assert "Did you mean" not in refused.err
    assert not (folder / "ran").exists()

    approved = quotaline("provider", "approve", "demo-meter.py", "--yes")
    assert approved.code == 0
    for told in ("Demo Meter (demo-meter)", f"sends to:     {HOST}", "DEMO_METER_KEY", "is approved"):
        assert told in approved.out
    kept = home / ".local/state/quotaline/approvals.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert state(quotaline)[0] == "used"

    shown = quotaline("usage", "--provider", "demo-meter", DEMO_METER_KEY="k")
    assert (shown.code, route.count) == (0, 1)
    assert "Demo Meter" in shown.out
    assert quotaline("provider", "approve", "demo-meter").out.startswith("Demo Meter is approved already.")


def test_nothing_runs_before_the_user_has_agreed(quotaline: Command, meter: Callable[..., Path], folder: Path) -> None:
    meter()
    unasked = quotaline("provider", "approve", "demo-meter.py")
    assert unasked.code == 2
    assert "use --yes to say yes" in unasked.err
    declined = quotaline.in_terminal("provider", "approve", "demo-meter.py", types={"[y/N]": "n\n"})
    assert declined.code == 1
    assert HOST in declined.out
    assert "demo-meter.py is not approved." in declined.out
    assert not (folder / "ran").exists()
    agreed = quotaline.in_terminal("provider", "approve", "demo-meter.py", types={"[y/N]": "y\n"})
    assert agreed.code == 0
    assert (folder / "ran").exists()


def test_a_changed_file_is_told_everywhere_and_not_run(
    quotaline: Command, meter: Callable[..., Path], folder: Path
) -> None:
    path = meter()
    quotaline("provider", "approve", path.name, "--yes")
    (folder / "ran").unlink()
    path.write_text(path.read_text() + "\n# one more line\n")
    for told in (
        quotaline("providers").out,
        quotaline("doctor").out,
        quotaline("usage").out,
        quotaline("usage", "--format", "json").err,
        quotaline("refresh").err,
    ):
        words = " ".join(told.split())
        assert "demo-meter" in words
        assert "has changed since you approved it" in words
    assert not (folder / "ran").exists()
    assert quotaline("doctor").code == 1
    assert quotaline("provider", "approve", path.name, "--yes").code == 0


def test_a_revoked_file_is_not_run(quotaline: Command, meter: Callable[..., Path]) -> None:
    path = meter()
    quotaline("provider", "approve", path.name, "--yes")
    assert quotaline("provider", "revoke", "demo-meter").code == 0
    assert state(quotaline)[0] == "unapproved"
    again = quotaline("provider", "revoke", path.name)
    assert again.code == 2
    assert "Nothing was approved" in again.err


def test_another_ones_credential_is_confirmed_by_itself_with_the_host_in_view(
    quotaline: Command, meter: Callable[..., Path]
) -> None:
    path = meter(variable="OPENAI_API_KEY")
    silent = quotaline("provider", "approve", path.name, "--yes")
    assert silent.code == 2
    assert "use --allow 'OPENAI_API_KEY' to say yes" in silent.err
    assert approved(quotaline) == []
    answers = {"Approve it? [y/N]": "y\n", "May it use OPENAI_API_KEY? [y/N]": "n\n"}
    declined = quotaline.in_terminal("provider", "approve", path.name, types=answers)
    assert declined.code == 1
    assert "a credential of OpenAI" in " ".join(declined.out.split())
    assert HOST in declined.out.split("It uses OPENAI_API_KEY")[1]
    assert approved(quotaline) == []
    allowed = quotaline("provider", "approve", path.name, "--yes", "--allow", "OPENAI_API_KEY")
    assert allowed.code == 0
    assert approved(quotaline) == [path.name]


def test_a_credential_that_only_running_shows_is_asked_for_as_well(
    quotaline: Command, meter: Callable[..., Path]
) -> None:
    path = meter(source().replace('"DEMO_METER_KEY"', NOT_WRITTEN_OUT))
    silent = quotaline("provider", "approve", path.name, "--yes")
    assert silent.code == 2
    assert "OPENAI_API_KEY" in silent.err
    assert approved(quotaline) == []
    assert quotaline("provider", "approve", path.name, "--yes", "--allow", "OPENAI_API_KEY").code == 0
    assert approved(quotaline) == [path.name]


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("demo-meter.py", "x = (\n", "demo-meter.py:1: this is not valid Python (SyntaxError)"),
        ("Demo Meter.py", source(), "it must be named by the provider's id"),
        ("another.py", source(), "the file must be named demo-meter.py"),
        ("crof.py", source("crof"), "its id belongs to a built-in one"),
    ],
)
def test_what_cannot_be_approved_is_told(quotaline: Command, folder: Path, name: str, text: str, told: str) -> None:
    (folder / name).write_text(text)
    (folder / name).chmod(0o600)
    refused = quotaline("provider", "approve", name, "--yes")
    assert refused.code == 1
    assert told in refused.err


def test_a_name_cannot_write_over_what_is_told_of_it(quotaline: Command, meter: Callable[..., Path]) -> None:
    path = meter(source().replace('"Demo Meter"', '"Fine\\x1b[2J\\n  SHA-256: none"'))
    told = quotaline("provider", "approve", path.name, "--yes")
    assert "\x1b" not in told.out + told.err
    assert "\n  SHA-256: none" not in told.out
    assert "its name holds characters that cannot be shown" in told.err


def test_python_does_not_print_lines_of_a_file_by_itself(quotaline: Command, meter: Callable[..., Path]) -> None:
    path = meter(source() + '\nX = "\\d" is "x"  # \x1b[2J\n')
    warning = quotaline.with_variables(PYTHONWARNINGS="always", PYTHONDONTWRITEBYTECODE="1")
    for told in (warning("provider", "approve", path.name, "--yes"), warning("usage", "--provider", "demo-meter")):
        assert "\x1b[2J" not in told.out + told.err
        assert "SyntaxWarning" not in told.err


def test_only_files_of_the_folder_can_be_approved(quotaline: Command, folder: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "demo-meter.py"
    elsewhere.write_text(source())
    assert f"is not in {folder}" in quotaline("provider", "approve", str(elsewhere), "--yes").err
    assert "There is no demo-meter.py" in quotaline("provider", "approve", "demo-meter.py", "--yes").err
    assert "There is no third-party provider" in quotaline("provider", "approve", "demo-meter", "--yes").err


def test_the_folder_does_not_move_with_the_config_file(
    quotaline: Command, meter: Callable[..., Path], tmp_path: Path
) -> None:
    beside = tmp_path / "elsewhere" / "providers"
    beside.mkdir(parents=True)
    (beside / "other-meter.py").write_text(source("other-meter"))
    meter()
    listed = quotaline.with_variables(QUOTALINE_CONFIG=str(beside.parent / "config.json"))("provider", "list")
    assert "demo-meter" in listed.out
    assert "other-meter" not in listed.out


def test_approvals_behind_a_link_are_refused_and_nothing_is_written_through_it(
    quotaline: Command, meter: Callable[..., Path], tmp_path: Path
) -> None:
    meter()
    kept = quotaline.home / ".local/state/quotaline/approvals.json"
    kept.parent.mkdir(parents=True)
    kept.symlink_to(tmp_path / "elsewhere.json")
    refused = quotaline("provider", "approve", "demo-meter.py", "--yes")
    assert refused.code == 1
    assert "approvals.json" in refused.err
    assert state(quotaline)[0] == "unapproved"
    assert kept.is_symlink()
    assert not (tmp_path / "elsewhere.json").exists()


def test_approvals_that_others_can_write_count_for_nothing(
    quotaline: Command, meter: Callable[..., Path], home: Path
) -> None:
    path = meter()
    kept = home / ".local/state/quotaline/approvals.json"
    kept.parent.mkdir(parents=True)
    kept.parent.chmod(0o775)  # as some systems make folders
    assert quotaline("provider", "approve", path.name, "--yes").code == 0
    kept.chmod(0o622)
    assert state(quotaline)[0] == "unapproved"
    report = quotaline("doctor", "--format", "json").json
    assert "other users can write to it" in report["approvals"]
    kept.chmod(0o600)
    kept.write_text("{")
    assert "cannot be understood" in quotaline("doctor").out


@pytest.mark.parametrize("content", ['{"files": []}', '{"version": 2, "files": {}, "more": {}}'])
def test_approvals_that_cannot_be_understood_are_not_written_over(
    quotaline: Command, meter: Callable[..., Path], home: Path, content: str
) -> None:
    path = meter()
    kept = home / ".local/state/quotaline/approvals.json"
    kept.parent.mkdir(parents=True, mode=0o700)
    kept.write_text(content)
    for refused in (quotaline("provider", "approve", path.name, "--yes"), quotaline("provider", "revoke", path.name)):
        assert refused.code == 1
        assert f"{kept} is not used: it cannot be understood." in refused.err
    assert kept.read_text() == content


def test_an_answer_about_a_file_does_not_count_for_another_one(
    quotaline: Command, meter: Callable[..., Path], home: Path
) -> None:
    kept = home / ".local/state/quotaline/approvals.json"
    revokes = f"open({str(kept)!r}, 'w').write('{{}}')\n"
    path = meter(revokes + source().replace('"DEMO_METER_KEY"', NOT_WRITTEN_OUT))
    told = quotaline("provider", "approve", path.name, "--yes", "--allow", "OPENAI_API_KEY")
    assert told.code == 1
    assert "has changed meanwhile" in told.err
    assert approved(quotaline) == []


# --- packages --------------------------------------------------------------------------------------


def test_a_broken_package_is_named_with_file_line_and_type(quotaline: Command, site: Path) -> None:
    install(site, "demo", {"demo-meter": "demo_meter:PROVIDER"})
    (site / "demo_meter.py").write_text("x = 1\nraise RuntimeError('a value')\n")
    command = quotaline.with_variables(PYTHONPATH=str(site))
    for told in (
        command("providers").out,
        command("usage").out,
        command("usage", "--provider", "demo-meter").err,
        command("doctor").out,
    ):
        words = " ".join(told.split())
        assert (
            f"Provider demo-meter (package demo 1.0) is not loaded: {site / 'demo_meter.py'}:2: RuntimeError." in words
        )
        assert "a value" not in words
    (item,) = (item for item in command("providers", "--format", "json").json if item["id"] == "demo-meter")
    assert item["notLoaded"] == {
        "why": "failed",
        "reason": "RuntimeError",
        "file": str(site / "demo_meter.py"),
        "line": 2,
    }


def test_a_package_is_not_read_with_another_ones_key_until_that_is_confirmed(
    quotaline: Command, site: Path, vendor: Vendors
) -> None:
    install(site, "demo", {"demo-meter": "demo_meter:PROVIDER"})
    (site / "demo_meter.py").write_text(source(variable="OPENAI_API_KEY"))
    command = quotaline.with_variables(PYTHONPATH=str(site), OPENAI_API_KEY="k")
    vendor("api.openai.com").get("/v1/organization/costs").fails(401)
    assert "OPENAI_API_KEY of openai" in command("usage", "--provider", "demo-meter").err
    assert state(command)[0] == "unconfirmed"
    assert command("provider", "approve", "demo-meter", "--yes").code == 2
    assert command("provider", "approve", "demo-meter", "--allow", "OPENAI_API_KEY").code == 0
    assert state(command)[0] == "used"
    vendor(HOST).get("/left", bearer="k").answers(left=4)
    assert command("usage", "--provider", "demo-meter").code == 0
    (site / "demo_meter.py").write_text(source(variable="OPENAI_API_KEY").replace(HOST, "elsewhere.example"))
    assert state(command)[0] == "unconfirmed"
    assert command("provider", "revoke", "demo-meter").code == 0


# --- in an editor ----------------------------------------------------------------------------------


def hover(params: Params) -> str:
    return str(params["statusLine"]["hover"]["value"])


def test_an_open_editor_follows_approvals(
    quotaline: Command, bare_desk: Desk, meter: Callable[..., Path], vendor: Vendors, folder: Path
) -> None:
    vendor(HOST).get("/left", bearer="k").answers(left=4)
    path = meter("x = 1\n1 / 0\n")
    quotaline("provider", "approve", path.name, "--yes")
    client = bare_desk.open(DEMO_METER_KEY="k")
    client.usage(
        lambda params: "not loaded" in hover(params) and "ZeroDivisionError" in hover(params), timeout=START_SECONDS
    )
    meter()
    assert quotaline("provider", "approve", path.name, "--yes").code == 0
    shown = client.usage(lambda params: any(one["balances"] for one in params["providers"]), timeout=START_SECONDS)
    assert [one["id"] for one in shown["providers"]] == ["demo-meter"]
    assert "not loaded" not in hover(shown)
    assert quotaline("provider", "revoke", path.name).code == 0
    client.usage(lambda params: params["providers"] == [], timeout=START_SECONDS)
    report = client.request("quotaline/report", {"format": "markdown"})
    assert "demo" not in json.dumps(report)
