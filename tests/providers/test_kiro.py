"""Kiro read as a whole: the program over pipes and in a terminal, its login, and the service behind it."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest

from quotaline_providers.contract import Context, SignedIn, SignInPrompt
from quotaline_providers.errors import BadResponse, MissingCredential, MissingProgram, TimedOut, Unavailable
from quotaline_providers.run import run
from quotaline_providers.testing import Read, Reader, Route, Vendor
from quotaline_providers.vendors import kiro
from quotaline_providers.vendors.kiro import cli as reports, login
from quotaline_providers.vendors.kiro.credentials import programs, state_databases
from tests import systems

pytestmark = systems.terminals

HOST = "codewhisperer.us-east-1.amazonaws.com"
ARN = "arn:aws:codewhisperer:us-east-1:000000000000:profile/DEMO"

GOOD = "| KIRO TRIAL |\\n██ 20%\\n(10 of 50 covered in plan), resets on 2030-02-01"
PRELUDE = """
import os, signal, subprocess, sys, time
in_terminal = sys.stdout.isatty()
def say(text, to=sys.stdout): print(text, file=to, flush=True)
def hang(): time.sleep(60)
good = "{good}"
def whoami(): say("Logged in with Google\\nEmail: demo@example.test")
def usage(): say(good)
def context(): say("Context window: 3% used")
def older(): say("Error: no such engine"); sys.exit(2)
def login(): say("Open this URL: https://view.awsapps.com/start")
""".replace("{good}", GOOD)
MAIN = """
if sys.argv[1:] == ["whoami"]: whoami()
elif sys.argv[1:] == ["login"]: login()
elif sys.argv[1:] == ["chat", "--no-interactive", "/usage"]: usage()
elif sys.argv[1:] == ["chat", "--no-interactive", "--agent-engine=v1", "--legacy-ui", "/usage"]: older()
elif sys.argv[1:] == ["chat", "--no-interactive", "/context"]: context()
else: sys.exit("unexpected arguments")
"""


@pytest.fixture
def cli(program: Callable[[str, str], Path]) -> Callable[[str], Path]:
    """`cli(script)`: a `kiro-cli` that is well except for what the script defines itself."""
    return lambda script: program("kiro-cli", PRELUDE + script + MAIN)


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """The program's time limits, a few times shorter."""
    monkeypatch.setattr(reports, "SILENCE", 0.7)
    monkeypatch.setattr(reports, "WHOAMI", replace(reports.WHOAMI, timeout=2.5, idle=0.6))
    monkeypatch.setattr(reports, "USAGE", replace(reports.USAGE, timeout=5, idle=0.6))
    monkeypatch.setattr(reports, "OLDER_USAGE", replace(reports.OLDER_USAGE, timeout=5, idle=0.6))
    monkeypatch.setattr(reports, "CONTEXT", replace(reports.CONTEXT, timeout=2.5, idle=0.6))


@pytest.fixture
def database(home: Path) -> Callable[..., Path]:
    """`database(tokens, profile, folder=)`: the program's state database with these rows."""

    def make(
        tokens: dict[str, object] | None = None, profile: object = None, folder: str = ".local/share/kiro-cli"
    ) -> Path:
        path = home / folder / "data.sqlite3"
        path.parent.mkdir(parents=True)
        with sqlite3.connect(path) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("CREATE TABLE auth_kv (key TEXT PRIMARY KEY, value TEXT)")
            connection.execute("CREATE TABLE state (key TEXT PRIMARY KEY, value BLOB)")
            rows = tokens if tokens is not None else {"kirocli:odic:token": {"access_token": "demo-token"}}
            connection.executemany(
                "INSERT INTO auth_kv VALUES (?, ?)", [(key, json.dumps(value)) for key, value in rows.items()]
            )
            connection.execute(
                "INSERT INTO state VALUES ('api.codewhisperer.profile', ?)",
                (json.dumps({"arn": ARN} if profile is None else profile),),
            )
        connection.close()
        return path

    return make


@pytest.fixture
def service(vendor: Callable[[str], Vendor]) -> Route:
    """The service, which lets in `demo-token`."""
    return vendor(HOST).post(
        "/",
        bearer="demo-token",
        json={"profileArn": ARN},
        headers={
            "Content-Type": "application/x-amz-json-1.0",
            "X-Amz-Target": "AmazonCodeWhispererService.GetUsageLimits",
            "Cookie": None,
        },
    )


@pytest.fixture
def context(reader: Reader) -> Context:
    return reader.context("kiro")


LIMITS = {
    "nextDateReset": 1.9e9,
    "usageBreakdownList": [
        {"resourceType": "CREDIT", "usageLimitWithPrecision": 80.0, "currentUsageWithPrecision": 20.0, "bonuses": []}
    ],
}


class TestProgram:
    def test_all_three_reports_are_read(self, read: Read, cli: Callable[[str], Path]) -> None:
        cli("")
        found = read("kiro")
        assert found.window("credits").used_percent == 20
        assert found.identity.email == "demo@example.test"
        assert found.identity.plan == "KIRO TRIAL"
        assert found.row("Context used").value == "3.0%"
        assert found.source == "cli"

    def test_missing_says_where_to_get_it(self, read: Read) -> None:
        with pytest.raises(MissingProgram) as caught:
            read("kiro")
        assert "https://kiro.dev" in caught.value.hint

    def test_may_be_named_by_the_environment(self, read: Read, cli: Callable[[str], Path], tmp_path: Path) -> None:
        path = cli("").rename(tmp_path / "my-kiro")
        assert read("kiro", KIRO_CLI_PATH=str(path)).window("credits").used_percent == 20

    def test_that_is_named_wrongly_is_looked_for_elsewhere(
        self, read: Read, cli: Callable[[str], Path], tmp_path: Path
    ) -> None:
        cli("")
        (tmp_path / "kiro").write_text("no program")
        assert read("kiro", KIRO_CLI_PATH=str(tmp_path / "kiro")).window("credits").used_percent == 20

    @pytest.mark.parametrize(
        ("platform", "places"),
        [
            ("linux", ["~/.local/bin/kiro-cli", "/opt/homebrew/bin/kiro-cli", "/usr/local/bin/kiro-cli"]),
            ("darwin", ["~/.local/bin/kiro-cli", "/opt/homebrew/bin/kiro-cli", "/usr/local/bin/kiro-cli"]),
            ("win32", ["~/AppData/Local/Kiro-Cli/kiro-cli.exe", "C:/Program Files/Kiro-Cli/kiro-cli.exe"]),
        ],
    )
    def test_has_its_places_on_each_system(self, context: Context, platform: str, places: list[str]) -> None:
        there = replace(context, platform=platform)
        assert [there.show(path) for path in programs(there)] == places

    def test_may_be_in_the_users_own_folder(self, read: Read, cli: Callable[[str], Path], home: Path) -> None:
        place = home / ".local" / "bin" / "kiro-cli"
        place.parent.mkdir(parents=True)
        cli("").rename(place)
        assert read("kiro").window("credits").used_percent == 20

    def test_is_told_which_terminal_it_may_expect(self, read: Read, cli: Callable[[str], Path]) -> None:
        cli("def usage(): say(good if os.environ['TERM'] == 'xterm-256color' else 'no')")
        assert read("kiro").window("credits").used_percent == 20

    def test_warnings_on_standard_error_do_no_harm(self, read: Read, cli: Callable[[str], Path]) -> None:
        cli("def usage(): say('warning: old', sys.stderr); say(good)")
        assert read("kiro").window("credits").used_percent == 20

    def test_failing_is_an_error_even_with_a_good_report(self, read: Read, cli: Callable[[str], Path]) -> None:
        cli("def usage(): say(good); sys.exit(3)")
        with pytest.raises(Unavailable, match="exit code 3"):
            read("kiro")

    def test_an_unknown_text_is_a_bad_response(self, read: Read, cli: Callable[[str], Path]) -> None:
        cli("def usage(): say('Welcome')")
        with pytest.raises(BadResponse, match="format may have changed"):
            read("kiro")

    def test_a_report_counts_though_the_program_never_exits(self, read: Read, cli: Callable[[str], Path]) -> None:
        cli("def usage(): say(good); hang()")
        assert read("kiro").window("credits").used_percent == 20

    def test_silence_until_the_deadline_is_a_timeout(
        self, read: Read, cli: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(reports, "USAGE", replace(reports.USAGE, timeout=1))
        cli("def usage(): hang()")
        with pytest.raises(TimedOut):
            read("kiro")

    def test_children_that_refuse_to_end_are_ended(
        self, read: Read, cli: Callable[[str], Path], tmp_path: Path
    ) -> None:
        note = tmp_path / "child"
        stubborn = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
        cli(
            f"def usage():\n"
            f"  child = subprocess.Popen([sys.executable, '-c', {stubborn!r}], start_new_session=True)\n"
            f"  open({str(note)!r}, 'w').write(str(child.pid)); say(good)"
        )
        assert read("kiro").window("credits").used_percent == 20
        assert not _lives(int(note.read_text()))

    def test_cancelling_ends_all_of_it(self, reader: Reader, cli: Callable[[str], Path], tmp_path: Path) -> None:
        note = tmp_path / "pids"
        remember = f"open({str(note)!r}, 'a').write(str(os.getpid()) + ' '); hang()"
        cli(f"def usage(): {remember}\ndef whoami(): {remember}")

        async def cancelled(context: Context) -> None:
            reading = asyncio.create_task(run(kiro.PROVIDER, context))
            while not note.exists() or len(note.read_text().split()) < 2:
                await asyncio.sleep(0.02)
            reading.cancel()
            with pytest.raises(asyncio.CancelledError):
                await reading

        reader.result("kiro", cancelled)
        assert not any(_lives(int(pid)) for pid in note.read_text().split())


def _lives(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


class TestTerminal:
    def test_is_used_by_programs_that_print_nothing_into_a_pipe(self, read: Read, cli: Callable[[str], Path]) -> None:
        cli("def usage():\n  if in_terminal: say(good)\n  else: hang()")
        assert read("kiro").window("credits").used_percent == 20

    def test_is_not_used_while_a_run_over_pipes_has_begun_to_speak(
        self, read: Read, cli: Callable[[str], Path], tmp_path: Path
    ) -> None:
        note = tmp_path / "terminal"
        cli(
            "def usage():\n"
            f"  if in_terminal: open({str(note)!r}, 'w')\n"
            "  say('Loading')\n"
            "  for _ in range(4): time.sleep(0.4); say('.')\n"
            "  say(good)"
        )
        assert read("kiro").window("credits").used_percent == 20
        assert not note.exists()

    def test_is_used_after_a_useless_run_over_pipes(self, read: Read, cli: Callable[[str], Path]) -> None:
        cli("def usage(): say(good if in_terminal else 'no terminal')")
        assert read("kiro").window("credits").used_percent == 20

    def test_has_50_rows_and_200_columns(self, read: Read, cli: Callable[[str], Path]) -> None:
        cli("def usage(): say(good if in_terminal and tuple(os.get_terminal_size()) == (200, 50) else 'no')")
        assert read("kiro").window("credits").used_percent == 20

    def test_that_hangs_does_not_matter(self, read: Read, cli: Callable[[str], Path]) -> None:
        cli("def usage():\n  if in_terminal: hang()\n  time.sleep(1.2); say(good)")
        assert read("kiro").window("credits").used_percent == 20

    def test_that_failed_does_not_end_a_slow_run_over_pipes(self, read: Read, cli: Callable[[str], Path]) -> None:
        cli("def usage():\n  if in_terminal: say('no'); sys.exit(2)\n  time.sleep(1.5); say(good)")
        assert read("kiro").window("credits").used_percent == 20

    def test_that_fails_with_a_good_report_is_not_accepted(self, read: Read, cli: Callable[[str], Path]) -> None:
        cli("def usage():\n  if in_terminal: say(good); sys.exit(2)\n  say('no')")
        with pytest.raises(BadResponse):
            read("kiro")


class TestLogin:
    @pytest.mark.parametrize(
        "script",
        [
            "def usage(): say('You are not logged in')",
            "def usage(): say('Not logged in', sys.stderr); sys.exit(1)",
            "def usage(): say('Login required'); hang()",
            "def usage():\n  if in_terminal: say('run kiro-cli login'); sys.exit(1)\n  hang()",
            "def usage(): sys.exit(1)\ndef whoami(): say('Not logged in'); sys.exit(1)",
            "def usage(): say('?')\ndef whoami(): say('Not logged in'); hang()",
        ],
    )
    def test_is_asked_for_when_there_is_none(self, read: Read, cli: Callable[[str], Path], script: str) -> None:
        cli(script)
        with pytest.raises(MissingCredential) as caught:
            read("kiro")
        assert "kiro-cli login" in caught.value.hint

    @pytest.mark.parametrize(
        "script",
        [
            "def whoami(): hang()",
            "def whoami(): pass",
            "def whoami(): say('Logged in with Google'); sys.exit(1)",
            "def whoami(): say('Email: demo@example.test'); hang()",
            "def whoami(): say('not logged in')",
        ],
    )
    def test_that_cannot_be_told_is_unknown(self, read: Read, cli: Callable[[str], Path], script: str) -> None:
        cli(script)
        found = read("kiro")
        assert found.identity.email is None
        assert found.window("credits").used_percent == 20

    @pytest.mark.parametrize(
        "script", ["def context(): hang()", "def context(): say('login required')", "def context(): sys.exit(1)"]
    )
    def test_and_context_are_apart(self, read: Read, cli: Callable[[str], Path], script: str) -> None:
        cli(script)
        found = read("kiro")
        assert found.window("credits").used_percent == 20
        with pytest.raises(KeyError):
            found.row("Context used")


PLAN_ALONE = "def usage(): say('Plan: KIRO PRO MAX | 1 usage breakdowns')"


class TestService:
    def test_completes_the_report(
        self, read: Read, cli: Callable[[str], Path], database: Callable[..., Path], service: Route
    ) -> None:
        cli("")
        database()
        service.answers_json(LIMITS)
        window = read("kiro").window("credits")
        assert (window.used_percent, window.limit) == (25, 80)
        assert window.resets_at == datetime.fromtimestamp(1.9e9, UTC)

    @pytest.mark.parametrize(
        "tokens",
        [
            {"kirocli:social:token": {"access_token": "demo-token", "profile_arn": ARN}},
            {"codewhisperer:odic:token": {"access_token": "demo-token"}, "kirocli:odic:token": []},
        ],
    )
    def test_accepts_other_logins(
        self,
        read: Read,
        cli: Callable[[str], Path],
        database: Callable[..., Path],
        service: Route,
        tokens: dict[str, object],
    ) -> None:
        cli("")
        database(tokens, {} if "kirocli:social:token" in tokens else None)
        service.answers_json(LIMITS)
        assert read("kiro").window("credits").limit == 80

    def test_reads_the_database_where_the_environment_says(
        self, read: Read, cli: Callable[[str], Path], database: Callable[..., Path], service: Route
    ) -> None:
        cli("")
        database(folder="elsewhere")
        service.answers_json(LIMITS)
        assert read("kiro", KIRO_DATA_DIR=" ~/elsewhere ").window("credits").limit == 80

    @pytest.mark.parametrize(
        ("platform", "folders"),
        [
            ("linux", ["~/.local/share/kiro-cli"]),
            ("darwin", ["~/Library/Application Support/kiro-cli"]),
            ("win32", ["~/AppData/Local/kiro-cli", "~/AppData/Roaming/kiro-cli", "~/.local/share/kiro-cli"]),
        ],
    )
    def test_has_its_database_elsewhere_on_each_system(
        self, context: Context, platform: str, folders: list[str]
    ) -> None:
        there = replace(context, platform=platform)
        assert [there.show(path.parent) for path in state_databases(there)] == folders

    def test_sees_a_token_that_was_only_just_written(
        self, read: Read, cli: Callable[[str], Path], database: Callable[..., Path], service: Route
    ) -> None:
        cli("")
        path = database({"kirocli:odic:token": {"access_token": "stale"}})
        service.answers_json(LIMITS)
        with sqlite3.connect(path) as connection:
            connection.execute("UPDATE auth_kv SET value = ?", (json.dumps({"access_token": "demo-token"}),))
            connection.commit()
            assert read("kiro").window("credits").limit == 80
        connection.close()

    def test_is_asked_in_the_profiles_region(
        self, read: Read, cli: Callable[[str], Path], database: Callable[..., Path], vendor: Callable[[str], Vendor]
    ) -> None:
        cli("")
        arn = ARN.replace("us-east-1", "eu-central-1")
        database(profile={"arn": arn})
        route = vendor("q.eu-central-1.amazonaws.com").post("/", bearer="demo-token", json={"profileArn": arn})
        route.answers_json(LIMITS)
        assert read("kiro").window("credits").limit == 80

    @pytest.mark.parametrize(
        "arn",
        [
            ARN.replace("us-east-1", "ap-south-1"),
            ARN.replace("aws", "evil"),
            f"x{ARN}",
            "us-east-1",
            ":::us-east-1",
        ],
    )
    def test_of_another_region_gets_no_token(
        self, read: Read, cli: Callable[[str], Path], database: Callable[..., Path], service: Route, arn: str
    ) -> None:
        cli("")
        database(profile={"arn": arn})
        assert read("kiro").window("credits").limit == 50
        assert service.count == 0

    def test_tries_the_next_login_where_one_is_refused(
        self,
        read: Read,
        cli: Callable[[str], Path],
        database: Callable[..., Path],
        service: Route,
        vendor: Callable[[str], Vendor],
    ) -> None:
        cli("")
        tokens = {"kirocli:odic:token": "old", "kirocli:social:token": "demo-token"}
        database({key: {"access_token": token} for key, token in tokens.items()})
        vendor(HOST).post("/", bearer="old").fails(401)
        service.answers_json(LIMITS)
        assert read("kiro").window("credits").limit == 80

    def test_completes_a_report_of_the_plan_alone(
        self, read: Read, cli: Callable[[str], Path], database: Callable[..., Path], service: Route, tmp_path: Path
    ) -> None:
        note = tmp_path / "older"
        cli(f"{PLAN_ALONE}\ndef older(): open({str(note)!r}, 'w')")
        database()
        service.answers_json(LIMITS)
        found = read("kiro")
        assert (found.window("credits").used_percent, found.identity.plan) == (25, "KIRO PRO MAX")
        assert not note.exists()

    def test_failing_leaves_a_plan_alone_to_the_older_engine(self, read: Read, cli: Callable[[str], Path]) -> None:
        cli(f"{PLAN_ALONE}\ndef older(): say(good)")
        found = read("kiro")
        assert (found.window("credits").used_percent, found.identity.plan) == (20, "KIRO PRO MAX")

    @pytest.mark.parametrize(
        "older",
        ["", "def older(): say('Not logged in')", "def older(): usage()", "def older(): say(good); sys.exit(1)"],
    )
    def test_and_older_engine_failing_leave_the_plan_without_a_window(
        self, read: Read, cli: Callable[[str], Path], older: str
    ) -> None:
        cli(f"{PLAN_ALONE}\n{older}")
        found = read("kiro")
        assert (found.windows, found.limits_unavailable) == ((), True)
        assert found.identity.plan == "KIRO PRO MAX"

    @pytest.mark.parametrize("status", [302, 400, 401, 500])
    def test_refusing_leaves_the_report(
        self, read: Read, cli: Callable[[str], Path], database: Callable[..., Path], service: Route, status: int
    ) -> None:
        cli("")
        database()
        service.fails(status)
        assert read("kiro").window("credits").limit == 50

    def test_that_contradicts_itself_leaves_the_report(
        self, read: Read, cli: Callable[[str], Path], database: Callable[..., Path], service: Route
    ) -> None:
        cli("")
        database()
        service.answers_json(LIMITS | {"usageBreakdownList": LIMITS["usageBreakdownList"] * 2})  # type: ignore[operator]
        assert read("kiro").window("credits").limit == 50

    def test_is_not_asked_without_a_usable_database(
        self, read: Read, cli: Callable[[str], Path], service: Route, home: Path
    ) -> None:
        cli("")
        path = home / ".local" / "share" / "kiro-cli" / "data.sqlite3"
        path.parent.mkdir(parents=True)
        path.write_text("no database")
        assert read("kiro").window("credits").limit == 50
        assert service.count == 0


class TestSignIn:
    @pytest.fixture
    def steps(self, reader: Reader) -> Callable[[], list[SignInPrompt | SignedIn]]:
        """All that signing in says."""

        async def signing_in(ctx: Context) -> list[SignInPrompt | SignedIn]:
            return [step async for step in login.sign_in(ctx)]

        return lambda: reader.result("kiro", signing_in)

    def test_shows_address_and_code_as_soon_as_they_are_known(
        self, cli: Callable[[str], Path], steps: Callable[[], list[SignInPrompt | SignedIn]]
    ) -> None:
        cli("def login(): say('Open this URL: https://view.awsapps.com/start.'); say('Code: WXYZ-1234'); say('Done')")
        address, code, done = steps()
        assert isinstance(address, SignInPrompt)
        assert isinstance(code, SignInPrompt)
        assert (address.url, address.code) == ("https://view.awsapps.com/start", "")
        assert (code.url, code.code) == ("https://view.awsapps.com/start", "WXYZ-1234")
        assert done == SignedIn("demo@example.test", None)

    def test_leaves_out_a_code_that_is_in_the_address(self) -> None:
        prompt = login.to_prompt("\x1b[1mhttps://view.awsapps.com/start?user_code=WXYZ-1234\x1b[0m (WXYZ-1234)")
        assert prompt is not None
        assert (prompt.url, prompt.code) == ("https://view.awsapps.com/start?user_code=WXYZ-1234", "")
        assert login.to_prompt("Waiting") is None

    @pytest.mark.parametrize(
        ("url", "is_opened"),
        [
            ("https://app.kiro.dev/signin", True),
            ("https://device.sso.eu-central-1.amazonaws.com/?user_code=WXYZ-1234", True),
            ("https://device.sso.evil.s3.amazonaws.com/", False),
            ("https://view.awsapps.com.evil.test/start", False),
            ("https://kiro.dev@evil.test/", False),
            ("https://device.example/start", False),
        ],
    )
    def test_opens_only_pages_of_kiro_and_aws(self, url: str, is_opened: bool) -> None:
        assert (login.to_prompt(f"Open {url}") is not None) is is_opened

    def test_that_was_given_up_says_so(
        self, cli: Callable[[str], Path], steps: Callable[[], list[SignInPrompt | SignedIn]]
    ) -> None:
        cli("def login(): sys.exit(1)\ndef whoami(): say('Not logged in'); sys.exit(1)")
        with pytest.raises(MissingCredential):
            steps()

    def test_is_not_waited_for_for_ever(
        self,
        cli: Callable[[str], Path],
        steps: Callable[[], list[SignInPrompt | SignedIn]],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(login, "LOGIN_SECONDS", 0.5)
        cli("def login(): hang()")
        with pytest.raises(TimedOut):
            steps()

    def test_needs_the_program(self, steps: Callable[[], list[SignInPrompt | SignedIn]]) -> None:
        with pytest.raises(MissingProgram):
            steps()
