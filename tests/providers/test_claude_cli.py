"""Claude through its own program: prompts, slow and failing panels, reuse, and what is left behind."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from quotaline_providers.contract import Account
from quotaline_providers.errors import (
    BadResponse,
    ExpiredCredential,
    Forbidden,
    MissingCredential,
    MissingProgram,
    RateLimited,
    TimedOut,
    Unavailable,
)
from quotaline_providers.model import Confidence
from quotaline_providers.secret import Secret
from quotaline_providers.vendors.claude import cli, commands, probe, workplace
from tests import systems

pytestmark = systems.terminals

PANEL = "Current session\\r\\n22% used\\r\\nResets 2pm (UTC)\\r\\nCurrent week (all models)\\r\\n8% used\\r\\n"

Claude = Callable[..., Path]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, simulator: Any) -> None:
    for name, seconds in {
        "START_SECONDS": 0.3,
        "ENTER_SECONDS": 0.1,
        "SETTLE_SECONDS": 0.1,
        "GRACE_SECONDS": 0.2,
    }.items():
        monkeypatch.setattr(probe, name, seconds)
    for name, seconds in {
        "AUTH_SECONDS": 2.0,
        "PRINT_SECONDS": 2.0,
        "PLAIN_SECONDS": 1.0,
        "GRACE_SECONDS": 0.2,
    }.items():
        monkeypatch.setattr(commands, name, seconds)
    for name in ("ASKED_SECONDS", "AUTO_SECONDS", "AGAIN_SECONDS", "LATE_SECONDS"):
        monkeypatch.setattr(cli, name, 1.5)


@pytest.fixture
def claude(program: Any, home: Path) -> Claude:
    """`claude(panel=..., start=..., plain=..., auth=..., printed=..., version=...)`: a fake Claude Code.

    `panel` is run when `/usage` is typed, `start` at first, `plain` for `claude /usage`, `printed` for `claude -p
    /usage`, which only newer versions know; each run is counted.
    """

    def write(
        panel: str = f'say("{PANEL}")',
        start: str = "",
        plain: str = "",
        auth: str = '{"loggedIn": true}',
        printed: str = "",
        version: str = "2.1.90",
    ) -> Path:
        body = f"""
import json, os, signal, sys, time, tty
def say(text):
    sys.stdout.write(text); sys.stdout.flush()
if sys.argv[1:3] == ["auth", "status"]:
    say({auth!r}); sys.exit()
if sys.argv[1:] == ["--version"]:
    say({version!r}); sys.exit()
runs = {str(home / "runs")!r}
plain = sys.argv[-1] == "/usage"
open(runs, "a").write("J" if "-p" in sys.argv else "P" if plain else "T")
json.dump({{"argv": sys.argv[1:], "env": dict(os.environ), "cwd": os.getcwd()}}, open({str(home / "seen")!r}, "w"))
if "-p" in sys.argv:
    {printed or "pass"}
    sys.exit()
if plain:
    {plain or "pass"}
    sys.exit()
run = open(runs).read().count("T")
tty.setraw(0)
def ask():
    typed = ""
    while not typed.endswith("\\r"):
        typed += os.read(0, 1).decode()
    return typed[:-1]
{start}
while True:
    line = ask()
    if line.endswith("/usage"):
        {panel}
    if line.endswith("/exit"):
        break
"""
        path: Path = program("claude", body)
        return path

    return write


def runs(home: Path) -> str:
    path = home / "runs"
    return path.read_text() if path.exists() else ""


def test_the_panel(claude: Claude, read: Any, home: Path) -> None:
    claude()
    seen = read("claude", source="cli", ANTHROPIC_BASE_URL="x", CLAUDE_CODE_OAUTH_TOKEN="demo", CLAUDECODE="1")
    assert (seen.window("session").used_percent, seen.window("weekly").used_percent) == (22, 8)
    assert (seen.source, seen.confidence) == ("claude", Confidence.PERCENT_ONLY)
    assert runs(home) == "T"
    child = json.loads((home / "seen").read_text())
    assert child["argv"][:-2] == list(workplace.ALONE)
    assert child["argv"][-2] == "--session-id"
    assert child["env"]["DISABLE_AUTOUPDATER"] == "1"
    assert child["env"]["PWD"] == child["cwd"]
    assert "CLAUDECODE" not in child["env"]
    assert not [name for name in child["env"] if name.startswith("ANTHROPIC_") or name.endswith("OAUTH_TOKEN")]
    settings = json.loads((Path(child["cwd"]) / ".claude/settings.local.json").read_text())
    assert settings == {"disableDeepLinkRegistration": "disable"}


def test_the_same_session_is_used_again(claude: Claude, read: Any, home: Path) -> None:
    claude()
    ids = set()
    for _ in range(2):
        read("claude", source="cli", interactive=True)
        ids.add(json.loads((home / "seen").read_text())["argv"][-1])
    assert len(ids) == 1


def test_its_own_session_logs_are_removed(claude: Claude, read: Any, home: Path) -> None:
    log = (
        "import re; d = " + repr(str(home / ".claude/projects/")) + " + '/' + re.sub('[^A-Za-z0-9]', '-', os.getcwd())"
        "; os.makedirs(d, exist_ok=True); open(d + '/a.jsonl', 'w').write('{}')"
    )
    other = home / ".claude/projects/mine/b.jsonl"
    other.parent.mkdir(parents=True)
    other.write_text("{}")
    claude(start=log)
    read("claude", source="cli")
    assert list((home / ".claude/projects").rglob("*.jsonl")) == [other]


def test_project_names() -> None:
    assert workplace.project_name("/srv/a_b.c/é🙂") == "-srv-a-b-c----"
    long = workplace.project_name("/" + "a" * 250)
    assert long.startswith("-" + "a" * 199 + "-")
    assert len(long) > 201


@pytest.mark.parametrize(
    ("question", "reply"),
    [
        ("Do you trust the files in this folder?\\r\\n", "y"),
        ("Quick safety check:\\r\\n 1. Yes, I trust this folder\\r\\n", ""),
        ("Ready to code here?\\r\\n", ""),
        ("Press Enter to continue\\r\\n", ""),
    ],
)
def test_prompts_are_answered_once(claude: Claude, read: Any, home: Path, question: str, reply: str) -> None:
    claude(start=f'say("{question}"); open({str(home / "reply")!r}, "w").write(ask())')
    read("claude", source="cli")
    assert (home / "reply").read_text() == reply


def test_the_cursor_position_is_told(claude: Claude, read: Any, home: Path) -> None:
    claude(start=f'say("\\x1b[6n"); open({str(home / "reply")!r}, "w").write(os.read(0, 6).decode())')
    read("claude", source="cli")
    assert (home / "reply").read_text() == "\x1b[1;1R"


def test_the_palette_is_confirmed_with_enter(claude: Claude, read: Any) -> None:
    claude(panel=f'say("Show plan usage limits\\r\\n"); ask(); say("{PANEL}")')
    assert read("claude", source="cli").window("session").used_percent == 22


def test_a_panel_in_torn_pieces(claude: Claude, read: Any) -> None:
    pieces = 'sys.stdout.buffer.write("Settings: Usage\\rCurre".encode()); sys.stdout.flush(); time.sleep(0.05)'
    rest = 'for part in ("ntsession\\r█".encode()[:-1], "█".encode()[-1:] + b" 31% us", b"ed\\r"): '
    claude(panel=f"{pieces}\n        {rest}os.write(1, part); time.sleep(0.02)")
    assert read("claude", source="cli").window("session").used_percent == 31


def test_a_panel_without_its_words_is_asked_for_once_more(claude: Claude, read: Any, home: Path) -> None:
    claude(panel=f'say("{PANEL}") if run == 2 else sys.exit()')
    read("claude", source="cli")
    assert runs(home) == "TT"


@pytest.mark.parametrize("choice", [{"source": "cli"}, {"config": {"source": "cli"}}])
def test_a_chosen_source_is_given_more_time(
    claude: Claude, read: Any, home: Path, monkeypatch: pytest.MonkeyPatch, choice: dict[str, Any]
) -> None:
    monkeypatch.setattr(cli, "AUTO_SECONDS", 0.01)
    claude()
    read("claude", **choice)
    assert runs(home) == "T"


def test_a_slow_panel_gets_a_second_longer_try(
    claude: Claude, read: Any, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cli, "ASKED_SECONDS", 0.8)
    claude(panel=f'say("Loading usage data"); run == 2 and say("{PANEL}")')
    read("claude", source="cli", interactive=True)
    assert runs(home) == "TT"


def test_a_hanging_terminal_gives_way_to_the_plain_process(claude: Claude, read: Any, home: Path) -> None:
    claude(start="signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)", plain=f'say("{PANEL}")')
    assert read("claude", source="cli").window("session").used_percent == 22
    assert runs(home) == "TTP"


def test_without_pseudo_terminals_the_plain_process_is_the_only_way(
    claude: Claude, read: Any, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("quotaline_providers.hosts.processes.start.HAS_PTY", False)
    claude(plain=f'say("{PANEL}")')
    assert read("claude", source="cli").window("session").used_percent == 22
    assert runs(home) == "P"


def test_a_load_failure_gives_way_to_the_plain_process(claude: Claude, read: Any, home: Path) -> None:
    claude(panel='say("Failed to load usage data: {}")', plain=f'say("{PANEL}")')
    assert read("claude", source="cli").window("session").used_percent == 22
    assert runs(home) == "TP"


FAILED = 'say(\'Failed to load usage data: {"error": {"type": "%s"}}\')'


@pytest.mark.parametrize(
    ("panel", "error"),
    [
        (FAILED % "rate_limit_error", RateLimited),
        (FAILED % "authentication_error", ExpiredCredential),
        (FAILED % "other_error", Unavailable),
        ('say("Loading usage data")', TimedOut),
        ('say("Do you trust the files in this folder?")', Forbidden),
        ("sys.exit()", BadResponse),
        ("time.sleep(60)", TimedOut),
    ],
)
def test_what_goes_wrong(claude: Claude, read: Any, panel: str, error: type[Exception]) -> None:
    claude(panel=panel)
    with pytest.raises(error):
        read("claude", source="cli")


def test_a_subscription_without_limits_is_no_error_and_ends_the_run(claude: Claude, outcome: Any) -> None:
    claude(panel='say("You are currently using your subscription to power your Claude Code usage")')
    seen = outcome("claude", config={"cookieHeader": "sk-ant-demo"})
    assert seen.error is None
    assert seen.usage.limits_unavailable
    assert seen.attempts[-1].source == "cli"


def test_in_auto_a_cli_error_goes_on_to_the_web(claude: Claude, outcome: Any, vendor: Any) -> None:
    claude(panel=FAILED % "authentication_error")
    vendor("claude.ai").get("/api/organizations").fails(401)
    seen = outcome("claude", config={"cookieHeader": "sk-ant-demo"})
    assert [attempt.source for attempt in seen.attempts if not attempt.skipped] == ["cli", "web"]
    assert "claude.ai" in seen.error.message


def test_signed_out(claude: Claude, read: Any, home: Path) -> None:
    claude(auth='{"loggedIn": false}')
    with pytest.raises(MissingCredential, match="signed out"):
        read("claude", source="cli")
    assert runs(home) == ""


def test_an_unknown_sign_in_state_is_worth_a_try(claude: Claude, read: Any) -> None:
    claude(auth="unknown command")
    read("claude", source="cli")


def test_no_program(read: Any) -> None:
    with pytest.raises(MissingProgram):
        read("claude", source="cli", CLAUDE_CLI_PATH="/nowhere/claude")


def test_the_named_program(claude: Claude, read: Any, home: Path) -> None:
    named = home / "my-claude"
    claude().rename(named)
    read("claude", source="cli", CLAUDE_CLI_PATH=str(named))


def test_a_login_shell_may_know_where_it_is(claude: Claude, read: Any, home: Path, tmp_path: Path) -> None:
    hidden = claude().rename(home / "claude")
    shell = tmp_path / "fish"
    shell.write_text(f"#!/bin/sh\necho {hidden}\n")
    shell.chmod(0o755)
    assert read("claude", source="cli", SHELL=str(shell)).source == "claude"


def test_a_selected_account_is_never_read_with_the_program(claude: Claude, read: Any, home: Path) -> None:
    claude()
    with pytest.raises(MissingCredential):
        read("claude", source="cli", account=Account("Work", Secret("sk-ant-oat-demo")))
    assert runs(home) == ""


# --- the print form --------------------------------------------------------------------------------

LINES = """You are currently using your subscription to power your Claude Code usage

Current session: 22% used · resets Jan 2, 2pm (UTC)
Current week (all models): 8% used · resets Jan 5, 9am (Europe/Rome)
Current week (Sonnet only): 7% used
Current week (Demo): 2.5% used · resets Jan 6, 1:40pm (UTC)
Current week (Opus): not used yet

What's contributing to your limits usage?
80% of your usage came from subagent-heavy sessions
Current session: 99% used by one project
"""


def printing(text: str, **more: Any) -> str:
    return f"say(json.dumps({ {'type': 'result', 'result': text, **more}!r}))"


def test_what_is_printed_comes_first(claude: Claude, read: Any, home: Path) -> None:
    claude(printed=printing(LINES), version="2.1.205 (Claude Code)")
    seen = read("claude", source="cli", ANTHROPIC_API_KEY="k", CLAUDE_CODE_OAUTH_TOKEN="demo")
    windows = [(window.id, window.lane, window.used_percent) for window in seen.windows]
    assert windows == [
        ("session", "primary", 22),
        ("weekly", "secondary", 8),
        ("sonnet", "tertiary", 7),
        ("claude-weekly-scoped-demo", None, 2.5),
    ]
    assert seen.window("session").resets_at == datetime(2030, 1, 2, 14, tzinfo=UTC)
    assert seen.window("claude-weekly-scoped-demo").resets_at == datetime(2030, 1, 6, 13, 40, tzinfo=UTC)
    assert (seen.source, seen.confidence, runs(home)) == ("claude", Confidence.PERCENT_ONLY, "J")
    child = json.loads((home / "seen").read_text())
    assert child["argv"][:5] == ["-p", "/usage", "--output-format", "json", "--no-session-persistence"]
    assert child["argv"][5:] == [*workplace.ALONE, "--setting-sources", "user"]
    assert not [name for name in child["env"] if name.startswith("ANTHROPIC_") or name.endswith("OAUTH_TOKEN")]


def test_every_probe_keeps_hooks_servers_and_remote_control_out() -> None:
    settings = json.loads(workplace.ALONE[-1])
    assert settings["disableAllHooks"] is True
    assert (settings["remoteControlAtStartup"], settings["disableRemoteControl"]) == (False, True)
    assert workplace.ALONE[:4] == ("--strict-mcp-config", "--allowed-tools", "", "--settings")


@pytest.mark.parametrize(
    "printed",
    [
        printing("Unknown command"),
        printing("Current week (all models): 8% used"),
        printing(
            "You are currently using your subscription to power your Claude Code usage\nCurrent week (X): 8% used"
        ),
        printing("40% of your usage is in this session"),
        "say('Current session: 22% used')",
        "say('[1]')",
        "sys.exit('unknown option')",
        "time.sleep(60)",
        printing("Failed to load usage data: {}"),
    ],
)
def test_what_is_not_printed_is_on_the_screen(claude: Claude, read: Any, home: Path, printed: str) -> None:
    claude(printed=printed, version="9.0.0")
    assert read("claude", source="cli").window("session").used_percent == 22
    assert runs(home) == "JT"


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ('Failed to load usage data: {"error": {"type": "rate_limit_error"}}', RateLimited),
        ("Please run /login · API Error: 401", ExpiredCredential),
    ],
)
def test_a_refusal_that_is_printed_is_not_asked_for_again(
    claude: Claude, read: Any, home: Path, text: str, error: type[Exception]
) -> None:
    claude(printed=printing(text, is_error=True), version="9.0.0")
    with pytest.raises(error):
        read("claude", source="cli")
    assert runs(home) == "J"


def test_a_subscription_without_limits_is_printed(claude: Claude, read: Any) -> None:
    claude(
        printed=printing("You are currently using your subscription to power your Claude Code usage"), version="9.0.0"
    )
    assert read("claude", source="cli").limits_unavailable


@pytest.mark.parametrize(
    ("version", "prints"),
    [("2.1.204", False), ("2.1.205", True), ("2.2.0-beta.1", True), ("1.9.999", False), (None, True)],
)
def test_which_versions_are_asked_to_print(version: str | None, prints: bool) -> None:
    assert commands.can_print(version) is prints


def test_the_print_form_needs_no_terminal(
    claude: Claude, read: Any, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("quotaline_providers.hosts.processes.start.HAS_PTY", False)
    claude(printed=printing(LINES), version="9.0.0")
    assert read("claude", source="cli").window("session").used_percent == 22
    assert runs(home) == "J"


# --- the background --------------------------------------------------------------------------------


@pytest.fixture
def known(home: Path) -> None:
    """Claude Code says who is signed in."""
    account = {"accountUuid": "u1", "emailAddress": "ada@lab.test"}
    (home / ".claude.json").write_text(json.dumps({"oauthAccount": account}))


def test_the_background_reuses_a_result_for_a_while(
    claude: Claude, read: Any, home: Path, clock: Any, known: None
) -> None:
    claude()
    first = read("claude", source="cli")
    clock.advance(timedelta(minutes=14))
    again = read("claude", source="cli")
    assert (again.windows, again.updated_at) == (first.windows, first.updated_at)
    assert again.identity.email == "ada@lab.test"
    assert runs(home) == "T"
    clock.advance(timedelta(minutes=2))
    read("claude", source="cli")
    assert runs(home) == "TT"


def test_a_user_gets_a_new_result(claude: Claude, read: Any, home: Path, known: None) -> None:
    claude()
    read("claude", source="cli")
    read("claude", source="cli", interactive=True)
    assert runs(home) == "TT"


def test_a_result_is_not_reused_past_a_reset(claude: Claude, read: Any, home: Path, clock: Any, known: None) -> None:
    claude()
    clock.set(datetime.fromisoformat("2030-01-02T13:55:00+00:00"))
    read("claude", source="cli")
    clock.advance(timedelta(minutes=6))
    read("claude", source="cli")
    assert runs(home) == "TT"


def test_a_result_is_not_reused_for_an_unknown_or_another_account(
    claude: Claude, read: Any, home: Path, known: None
) -> None:
    claude()
    read("claude", source="cli")
    (home / ".claude.json").write_text(json.dumps({"oauthAccount": {"accountUuid": "u2"}}))
    read("claude", source="cli")
    (home / ".claude.json").unlink()
    read("claude", source="cli")
    assert runs(home) == "TTT"


def test_a_rate_limit_pauses_the_background_only(claude: Claude, read: Any, home: Path, clock: Any) -> None:
    claude(panel=f'say("{PANEL}") if run > 1 else {FAILED % "rate_limit_error"}')
    for _ in range(2):
        with pytest.raises(RateLimited) as raised:
            read("claude", source="cli")
        assert raised.value.until == clock.now + timedelta(minutes=5)
    assert runs(home) == "T"
    read("claude", source="cli", interactive=True)
    assert runs(home) == "TT"
