"""Codex read through its own program, which talks JSON over its pipes, and what falls back to it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from quotaline_providers.access.login_shell import paths_in
from quotaline_providers.errors import (
    BadResponse,
    ExpiredCredential,
    Forbidden,
    MissingCredential,
    MissingProgram,
    TimedOut,
    Unavailable,
)
from quotaline_providers.run import Outcome
from quotaline_providers.testing import Read
from quotaline_providers.vendors.codex import cli
from quotaline_providers.vendors.codex.cli import embedded_object
from tests.providers.codex_login import EMAIL, tokens, write_login

Fake = Callable[..., Path]

SCRIPT = """
import json, os, signal, sys, time
if sys.argv[1:] == ["--version"]:
    print("codex-cli 9.8.7"); raise SystemExit
assert sys.argv[1:] == ["-s", "read-only", "-a", "never", "app-server"], sys.argv
with open({log!r}, "a") as log:
    keys = ",".join(sorted(name for name in os.environ if "API_KEY" in name))
    log.write(os.environ.get("CODEX_HOME", "") + "|" + keys + "\\n")
ready = False
for line in sys.stdin:
    message = json.loads(line)
    method, id = message["method"], message.get("id")
    ready = ready or method == "initialized"
    if id is None:
        continue
    assert "jsonrpc" not in message
    assert method == "initialize" or ready
    print("\\n# not json\\n[1]")
    print(json.dumps({{"method": "account/changed", "params": {{}}}}))
    print(json.dumps({{"id": id + 100, "result": {{"rateLimits": None}}}}))
    sys.stderr.write("x" * 70000)
    {extra}
    answers = json.loads({answers!r})
    print(json.dumps({{"id": id}} | answers.get(method, {{"result": {{}}}})), flush=True)
"""


@pytest.fixture
def starts(tmp_path: Path) -> Callable[[], list[str]]:
    """What each started program saw of its environment."""
    path = tmp_path / "starts.log"
    return lambda: path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def codex(program: Callable[[str, str], Path], tmp_path: Path) -> Fake:
    """`codex(limits=..., account=..., error=..., extra=...)`: a Codex program that gives these answers."""

    def write(
        limits: object = None,
        account: object = None,
        error: str | None = None,
        extra: str = "pass",
        agent: object = "quotaline/9.8.7-beta.1 (Demo OS; x86_64) demo",
    ) -> Path:
        answers: dict[str, object] = {"account/read": {"result": account or {}}}
        answers["initialize"] = {"result": {"userAgent": agent}}
        answers["account/rateLimits/read"] = {"error": {"message": error}} if error else {"result": limits}
        script = SCRIPT.format(log=str(tmp_path / "starts.log"), answers=json.dumps(answers), extra=extra)
        return program("codex", script)

    return write


@pytest.fixture
def short_deadlines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "INITIALIZE_SECONDS", 3.0)
    monkeypatch.setattr(cli, "REQUEST_SECONDS", 0.4)


def session(used: float = 12) -> dict[str, object]:
    return {"usedPercent": used, "windowDurationMins": 300, "resetsAt": 1893700000}


ACCOUNT = {"account": {"type": "chatgpt", "email": EMAIL, "planType": "pro"}}
LIMITS = {"rateLimits": {"primary": session(), "credits": {"hasCredits": True, "balance": "7"}, "planType": "plus"}}


def test_reads_through_the_program(codex: Fake, read: Read, starts: Callable[[], list[str]]) -> None:
    codex(LIMITS, ACCOUNT)
    usage = read("codex", OPENAI_API_KEY="k")
    assert usage.window("session").used_percent == 12
    assert usage.balance("credits").amount == 7
    assert (usage.source, usage.identity.email, usage.identity.plan) == ("codex-cli", EMAIL, "Pro 20x")
    assert starts() == ["|"]


@pytest.mark.parametrize(
    ("agent", "version"),
    [("quotaline/9.8.7-beta.1 (Demo OS)", "9.8.7-beta.1"), ("codex", None), (7, None), (None, None)],
)
def test_the_program_names_its_version(codex: Fake, read: Read, agent: object, version: str | None) -> None:
    codex(LIMITS, agent=agent)
    assert read("codex").version == version


def test_the_home_is_passed_on(codex: Fake, read: Read, home: Path, starts: Callable[[], list[str]]) -> None:
    codex(LIMITS)
    read("codex", source="cli", CODEX_HOME="~/other")
    assert starts() == [f"{home}/other|"]


def test_a_named_program_is_used(codex: Fake, read: Read, tmp_path: Path) -> None:
    moved = codex(LIMITS).rename(tmp_path / "codex-next")
    assert read("codex", source="cli", CODEX_CLI_PATH=str(moved)).source == "codex-cli"


def test_a_plan_alone(codex: Fake, read: Read) -> None:
    codex({"rateLimits": {"planType": "free"}})
    usage = read("codex", source="cli")
    assert (usage.limits_unavailable, usage.identity.plan) == (True, "Free")


def test_credits_alone(codex: Fake, read: Read) -> None:
    codex({"rateLimits": {"credits": {"hasCredits": True, "balance": "3"}}})
    assert read("codex", source="cli").balance("credits").amount == 3


def test_unknown_identity_is_no_identity(codex: Fake, read: Read) -> None:
    codex(LIMITS | {"rateLimits": {"primary": session()}}, {"account": {"email": "unknown", "planType": "Unknown"}})
    identity = read("codex", source="cli").identity
    assert (identity.email, identity.plan) == (None, None)


def test_nothing_at_all(codex: Fake, read: Read) -> None:
    codex({"rateLimits": None})
    with pytest.raises(BadResponse):
        read("codex", source="cli")


def test_the_account_may_fail(codex: Fake, read: Read, short_deadlines: None) -> None:
    codex(LIMITS, extra="if method == 'account/read': continue")
    assert read("codex", source="cli").identity.plan == "Plus"


def test_a_hung_program_is_a_timeout_and_is_ended(
    codex: Fake, read: Read, short_deadlines: None, tmp_path: Path
) -> None:
    pid = tmp_path / "pid"
    stubborn = f"signal.signal(signal.SIGTERM, signal.SIG_IGN); open({str(pid)!r}, 'w').write(str(os.getpid()))"
    codex(LIMITS, extra=f"{stubborn}\n    if method != 'initialize': time.sleep(60)")
    with pytest.raises(TimedOut):
        read("codex", source="cli")
    assert not Path(f"/proc/{pid.read_text()}").exists()


def test_a_program_that_ends(codex: Fake, read: Read) -> None:
    codex(LIMITS, extra="if method != 'initialize': raise SystemExit(0)")
    with pytest.raises(Unavailable):
        read("codex", source="cli")


def test_an_endless_line(codex: Fake, read: Read) -> None:
    codex(LIMITS, extra="if method != 'initialize': print('z' * 6_000_000)")
    with pytest.raises(BadResponse):
        read("codex", source="cli")


@pytest.fixture
def login_shell(codex: Fake, home: Path, tmp_path: Path) -> dict[str, str]:
    """A shell that finds the program where PATH does not, after its start-up files have greeted."""
    hidden = home / "node/bin/codex"
    hidden.parent.mkdir(parents=True)
    codex(LIMITS).rename(hidden)
    shell = tmp_path / "zsh"
    shell.write_text(f"""#!/bin/sh
echo x >> {tmp_path / "shells"}
echo "welcome to /opt/codex-tools"
[ "$*" = "-l -i -c command -v codex" ] && echo "alias codex='{hidden}'"
""")
    shell.chmod(0o755)
    return {"SHELL": str(shell)}


def test_a_login_shell_may_know_where_it_is(login_shell: dict[str, str], read: Read, tmp_path: Path) -> None:
    for _ in range(2):
        assert read("codex", source="cli", **login_shell).source == "codex-cli"
    assert (tmp_path / "shells").read_text() == "x\n"


def test_a_login_shell_is_not_asked_all_the_time(
    login_shell: dict[str, str], read: Read, tmp_path: Path, home: Path, clock: Any
) -> None:
    hidden = (home / "node/bin/codex").rename(home / "codex")
    for interactive, after, shells in ((False, 0, 1), (False, 1, 1), (True, 1, 2), (False, 7, 3)):
        clock.advance(timedelta(hours=after))
        with pytest.raises(MissingProgram):
            read("codex", source="cli", interactive=interactive, **login_shell)
        assert len((tmp_path / "shells").read_text().split()) == shells
    hidden.rename(home / "node/bin/codex")
    read("codex", source="cli", interactive=True, **login_shell)


def test_what_a_shell_prints() -> None:
    assert paths_in("codex: aliased to /a b/codex\n/opt/x/codex --flag\n", "codex") == ["/codex", "/opt/x/codex"]
    assert paths_in("/opt/codex-tools /opt/codex/bin codex not found", "codex") == []


def test_no_program(read: Read) -> None:
    with pytest.raises(MissingProgram) as raised:
        read("codex", source="cli")
    assert "npm i -g @openai/codex" in raised.value.hint


def test_a_program_that_cannot_start_rests_for_half_an_hour(codex: Fake, read: Read, clock: Any) -> None:
    path = codex(LIMITS)
    good = path.read_text()
    path.write_text("#!/nowhere/python\n")
    with pytest.raises(MissingProgram, match="cannot be started"):
        read("codex", source="cli")
    path.write_text(good)
    with pytest.raises(MissingProgram, match="a moment ago"):
        read("codex", source="cli")
    assert read("codex", source="cli", interactive=True).source == "codex-cli"
    clock.advance(timedelta(minutes=31))
    assert read("codex", source="cli").source == "codex-cli"


def test_an_access_token_is_used_under_the_name_of_the_program(
    codex: Fake, vendor: Any, read: Read, home: Path
) -> None:
    write_login(home, {"personal_access_token": "demo-pat"})
    codex()
    vendor("auth.openai.com").get("/api/accounts/v1/user-auth-credential/whoami").answers(email=EMAIL)
    route = vendor("chatgpt.com").get("/backend-api/wham/usage", bearer="demo-pat").answers(credits={"balance": 1})
    read("codex")
    assert route.requests[0].headers["user-agent"].startswith("codex_cli_rs/9.8.7 (")


# --- errors that the program tells -----------------------------------------------------------------


def body(**fields: object) -> str:
    return "request failed: body=" + json.dumps({"email": EMAIL, "plan_type": "go"} | fields) + " (brace } after)"


def test_an_error_may_hold_the_data(codex: Fake, read: Read) -> None:
    window = {"used_percent": 64, "limit_window_seconds": 18000}
    codex(error=body(rate_limit={"primary_window": window}, note='a "{" in text'))
    usage = read("codex", source="cli")
    assert (usage.window("session").used_percent, usage.identity.email, usage.identity.plan) == (64, EMAIL, "Go")


def test_data_in_an_error_without_the_session_gives_no_windows(codex: Fake, read: Read) -> None:
    weekly = {"primary_window": {"used_percent": 64, "limit_window_seconds": 604800}}
    codex(error=body(rate_limit=weekly, credits={"balance": 2}))
    usage = read("codex", source="cli")
    assert not usage.windows
    assert usage.balance("credits").amount == 2
    codex(error=body(rate_limit=weekly))
    with pytest.raises(Unavailable):
        read("codex", source="cli")


def test_embedded_objects() -> None:
    assert embedded_object('body={"a": {"b": "}"}} tail') == {"a": {"b": "}"}}
    assert embedded_object("body=[1]") is None
    assert embedded_object("body={broken") is None
    assert embedded_object("nothing") is None


def test_vendor_texts_are_not_shown(codex: Fake, read: Read) -> None:
    codex(error="something demo-secret-text")
    with pytest.raises(Unavailable) as raised:
        read("codex", source="cli")
    assert "demo-secret-text" not in raised.value.message + raised.value.hint


def test_an_api_key_account(codex: Fake, read: Read) -> None:
    codex(error="chatgpt authentication required", account={"account": {"type": "ApiKey"}})
    with pytest.raises(MissingCredential, match="API key"):
        read("codex", source="cli")


def test_the_account_may_say_that_a_login_is_needed(codex: Fake, read: Read) -> None:
    codex(error="no limits", account={"account": None, "requiresOpenaiAuth": True})
    with pytest.raises(ExpiredCredential):
        read("codex", source="cli")


def test_not_signed_in(codex: Fake, read: Read) -> None:
    codex(error="codex account authentication required to read rate limits")
    with pytest.raises(ExpiredCredential) as raised:
        read("codex", source="cli")
    assert "codex login" in raised.value.hint


@pytest.mark.parametrize(
    ("config", "name"),
    [
        ('model_provider = "local"', "local"),
        ('model_provider = "amazon-bedrock"', "Amazon Bedrock"),
    ],
)
def test_a_custom_provider_needs_no_login(codex: Fake, read: Read, home: Path, config: str, name: str) -> None:
    (home / ".codex").mkdir()
    (home / ".codex/config.toml").write_text(config)
    codex(error="codex account authentication required to read rate limits")
    with pytest.raises(Forbidden, match=name) as raised:
        read("codex", source="cli")
    assert "codex login" not in raised.value.hint


def test_a_huge_config_file_tells_nothing(codex: Fake, read: Read, home: Path) -> None:
    (home / ".codex").mkdir()
    (home / ".codex/config.toml").write_text('model_provider = "local"\n' + "#" * (257 << 10))
    codex(error="account authentication required")
    with pytest.raises(ExpiredCredential):
        read("codex", source="cli")


# --- falling back to the program -------------------------------------------------------------------

SPENT = {"tokens": tokens(), "last_refresh": "2029-11-01T00:00:00Z"}


def labels(result: Outcome) -> list[str]:
    return [attempt.label for attempt in result.attempts]


def test_a_spent_login_falls_to_the_program(codex: Fake, outcome: Callable[..., Outcome], home: Path) -> None:
    write_login(home, SPENT)
    codex(LIMITS)
    result = outcome("codex")
    assert result.usage is not None
    assert labels(result) == ["pat", "oauth", "codex-cli"]


def test_a_refused_login_falls_to_the_program_only_in_auto(
    codex: Fake, vendor: Any, outcome: Callable[..., Outcome], home: Path
) -> None:
    write_login(home)
    codex(LIMITS)
    vendor("chatgpt.com").get("/backend-api/wham/usage").fails(403)
    assert outcome("codex").usage is not None
    assert isinstance(outcome("codex", source="oauth").error, ExpiredCredential)


@pytest.mark.parametrize("content", ["{", '{"tokens": {}}', '{"OPENAI_API_KEY": "k"}'])
def test_a_useless_login_file_falls_to_the_program_only_in_auto(
    codex: Fake, outcome: Callable[..., Outcome], home: Path, content: str
) -> None:
    write_login(home, content)
    codex(LIMITS)
    assert outcome("codex").usage is not None
    assert isinstance(outcome("codex", source="oauth").error, MissingCredential)


def test_the_chosen_login_may_be_renewed_by_the_program(codex: Fake, read: Read, home: Path) -> None:
    write_login(home, SPENT)
    codex(LIMITS)
    assert read("codex", source="oauth").source == "codex-cli"


def test_a_workspace_is_never_asked_of_the_program(codex: Fake, outcome: Callable[..., Outcome], home: Path) -> None:
    write_login(home, SPENT)
    codex(LIMITS)
    for source in ("auto", "oauth"):
        result = outcome("codex", source=source, config={"workspaceID": "ws"})
        assert isinstance(result.error, ExpiredCredential)
        assert "codex-cli" not in labels(result)


# --- a monthly limit that only the program knows ---------------------------------------------------


@pytest.fixture
def empty_balance(vendor: Any, home: Path) -> Any:
    """An account whose service answer has no credits and no monthly limit."""
    write_login(home)
    chatgpt = vendor("chatgpt.com")
    chatgpt.get("/backend-api/wham/rate-limit-reset-credits").fails(404)
    return chatgpt.get("/backend-api/wham/usage").answers(plan_type="plus", credits={"balance": "0"})


MONTHLY = {"rateLimits": {"individualLimit": {"limit": "80", "used": 20}}}


def test_the_program_adds_a_monthly_limit(codex: Fake, empty_balance: Any, read: Read) -> None:
    codex(MONTHLY, {"account": {"email": EMAIL.upper()}})
    usage = read("codex")
    assert usage.source == "oauth"
    assert usage.window("monthly-credit-limit").used == 20


@pytest.mark.parametrize("email", ["other@demo.test", None])
def test_only_of_the_same_account(codex: Fake, empty_balance: Any, read: Read, email: str | None) -> None:
    codex(MONTHLY, {"account": {"email": email}})
    assert read("codex").windows == ()


def test_the_program_is_not_asked_all_the_time(
    codex: Fake, empty_balance: Any, read: Read, starts: Callable[[], list[str]], clock: Any
) -> None:
    codex(LIMITS, ACCOUNT)
    read("codex")
    read("codex")
    assert len(starts()) == 1
    clock.advance(timedelta(hours=7))
    read("codex")
    assert len(starts()) == 2


@pytest.mark.parametrize("choice", [{"config": {"source": "oauth"}}, {"source": "oauth"}])
def test_a_chosen_source_asks_nobody_else(
    codex: Fake, empty_balance: Any, read: Read, starts: Callable[[], list[str]], choice: dict[str, Any]
) -> None:
    codex(MONTHLY, ACCOUNT)
    assert read("codex", **choice).windows == ()
    assert starts() == []


def test_auto_for_this_run_wins_over_the_configured_source(codex: Fake, empty_balance: Any, read: Read) -> None:
    codex(MONTHLY, ACCOUNT)
    assert read("codex", config={"source": "oauth"}, source="auto").window("monthly-credit-limit").used == 20
