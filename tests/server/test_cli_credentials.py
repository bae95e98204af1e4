"""`set-credential`, `remove-credential` and `sign-in`, on a machine whose keyring does not work."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.server.command import Command


@pytest.fixture
def config(quotaline: Command) -> Path:
    """The user's config file, not there yet."""
    return quotaline.home / ".config/quotaline/config.json"


def entry(config: Path) -> dict[str, Any]:
    (found,) = json.loads(config.read_text())["providers"]
    assert isinstance(found, dict)
    return found


def test_a_key_from_standard_input_is_kept_used_and_removed(quotaline: Command, config: Path, vendor: Any) -> None:
    kept = quotaline("set-credential", "or", given="  demo-key-1 \n")
    assert kept.code == 0
    assert "No keyring is available" in kept.out
    assert str(config) in kept.out
    assert "demo-key-1" not in kept.out + kept.err
    assert config.stat().st_mode & 0o777 == 0o600
    assert entry(config) == {"id": "openrouter", "apiKey": "demo-key-1"}

    host = vendor("openrouter.ai")
    host.get("/api/v1/key", bearer="demo-key-1").answers(data={})
    host.get("/api/v1/credits", bearer="demo-key-1").answers(data={"total_credits": 40, "total_usage": 10})
    assert quotaline("usage").code == 0

    gone = quotaline("remove-credential", "openrouter")
    assert gone.code == 0
    assert "removed from" in gone.out
    assert entry(config) == {"id": "openrouter"}
    assert quotaline("usage").code == 3
    nothing = quotaline("remove-credential", "openrouter")
    assert (nothing.code, nothing.out) == (1, "")
    assert "has no saved credential for OpenRouter" in nothing.err


def test_a_key_is_typed_without_being_seen(quotaline: Command, config: Path) -> None:
    kept = quotaline.in_terminal("set-credential", "openrouter", types={"OpenRouter API key: ": "demo-key-2\r"})
    assert kept.code == 0
    assert "demo-key-2" not in kept.out
    assert entry(config)["apiKey"] == "demo-key-2"


def test_ctrl_c_at_the_prompt_keeps_nothing(quotaline: Command, config: Path) -> None:
    ended = quotaline.in_terminal("set-credential", "openrouter", types={"OpenRouter API key: ": "\x03"})
    assert ended.code == 130
    assert not config.exists()


KEYRING = """
import json, os, pathlib
from keyring.backend import KeyringBackend
from keyring.errors import PasswordDeleteError, PasswordSetError

class Keyring(KeyringBackend):
    priority = 9
    file = pathlib.Path(os.environ["DEMO_KEYRING"])

    def all(self):
        return json.loads(self.file.read_text()) if self.file.exists() else {}

    def get_password(self, service, username):
        return self.all().get(f"{service} {username}")

    def set_password(self, service, username, password):
        if "DEMO_FULL" in os.environ:
            raise PasswordSetError("no")
        self.file.write_text(json.dumps(self.all() | {f"{service} {username}": password}))

    def delete_password(self, service, username):
        if "DEMO_STUBBORN" in os.environ:
            raise PasswordDeleteError("no")
        entries = self.all()
        del entries[f"{service} {username}"]
        self.file.write_text(json.dumps(entries))
"""


def test_a_keyring_that_works_is_used_first(quotaline: Command, config: Path, tmp_path: Path) -> None:
    (tmp_path / "demo_keyring.py").write_text(KEYRING)
    file = tmp_path / "entries.json"
    user = quotaline.with_variables(
        PYTHONPATH=str(tmp_path), PYTHON_KEYRING_BACKEND="demo_keyring.Keyring", DEMO_KEYRING=str(file)
    )
    kept = user("set-credential", "openrouter", given="demo-key-3")
    assert (kept.code, kept.out) == (0, "OpenRouter: It was saved in the system keyring.\n")
    assert json.loads(file.read_text()) == {"quotaline openrouter": "demo-key-3"}
    assert not config.exists()
    assert user("providers", "openrouter").code == 0

    refused = user("remove-credential", "openrouter", DEMO_STUBBORN="1")
    assert (refused.code, refused.out) == (1, "")
    assert "did not remove the credential" in refused.err
    assert "demo-key-3" in file.read_text()
    assert "demo-key-3" not in refused.err

    quotaline("set-credential", "openrouter", given="demo-key-4")
    gone = user("remove-credential", "openrouter")
    assert gone.code == 0
    assert "from the system keyring and from" in gone.out
    assert json.loads(file.read_text()) == {}
    assert "demo-key-4" not in config.read_text()
    assert user("remove-credential", "openrouter").code == 1


@pytest.mark.parametrize(
    ("given", "told"), [("", "Nothing was entered"), (" \n", "Nothing was entered"), (b"\xff\xfe\x00", "not text")]
)
def test_nothing_or_garbage_is_not_kept(quotaline: Command, config: Path, given: str | bytes, told: str) -> None:
    refused = quotaline("set-credential", "openrouter", given=given)
    assert (refused.code, refused.out) == (2, "")
    assert told in refused.err
    assert not config.exists()


def test_what_is_too_long_is_refused_and_not_cut(quotaline: Command, config: Path) -> None:
    refused = quotaline("set-credential", "openrouter", given="k" * ((1 << 20) + 1))
    assert (refused.code, refused.out) == (2, "")
    assert "longer than a key or cookie can be" in refused.err
    assert not config.exists()


def test_a_labelled_account_and_a_cookie(quotaline: Command, config: Path) -> None:
    assert quotaline("set-credential", "openrouter", "--account", "Work", given="demo-work").code == 0
    (account,) = entry(config)["tokenAccounts"]["accounts"]
    assert (account["label"], account["token"]) == ("Work", "demo-work")
    listed = quotaline("providers", "openrouter", "--format", "json")
    assert (listed.code, listed.json[0]["accounts"]) == (0, ["Work"])
    missing = quotaline("remove-credential", "openrouter", "--account", "Home")
    assert missing.code == 1
    assert "labelled Home" in missing.err
    assert quotaline("remove-credential", "openrouter", "--account", "Work").code == 0
    assert "Work" not in config.read_text()

    config.unlink()
    assert quotaline("set-credential", "claude", "--cookie", given="sessionKey=demo").code == 0
    assert entry(config)["cookieHeader"] == "sessionKey=demo"
    assert quotaline("remove-credential", "claude", "--cookie").code == 0
    assert "demo" not in config.read_text()


def test_headers_without_a_cookie_are_not_kept(quotaline: Command, config: Path) -> None:
    refused = quotaline("set-credential", "claude", "--cookie", given="GET /settings HTTP/2\n")
    assert refused.code == 2
    assert "There is no cookie in that." in refused.err
    assert not config.exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("set-credential", "kiro"), "Kiro takes no API key."),
        (("set-credential", "openrouter", "--cookie"), "is not read with a browser's cookies"),
        (("set-credential", "openruter"), "Did you mean openrouter?"),
        (("remove-credential", "openruter"), "Did you mean openrouter?"),
        (("sign-in", "gemini"), "sign in with Google"),
        (("sign-in", "zzz"), "quotaline providers"),
    ],
)
def test_what_a_provider_does_not_have_is_a_usage_error(
    quotaline: Command, config: Path, arguments: tuple[str, ...], says: str
) -> None:
    refused = quotaline(*arguments, given="demo")
    assert (refused.code, refused.out) == (2, "")
    assert says in refused.err
    assert not config.exists()


def test_a_broken_config_file_is_left_as_it_is(quotaline: Command, config: Path) -> None:
    config.parent.mkdir(parents=True)
    config.write_text('{"version": 1,')
    refused = quotaline("set-credential", "openrouter", given="demo-key-1")
    assert refused.code == 1
    assert "was not changed" in refused.err
    assert config.read_text() == '{"version": 1,'


def test_signing_in_with_a_code(quotaline: Command, config: Path, vendor: Any) -> None:
    github, api = vendor("github.com"), vendor("api.github.com")
    github.post("/login/device/code").answers(
        device_code="demo-device",
        user_code="WX-78",
        verification_uri="https://github.com/login/device",
        expires_in=60,
        interval=0,
    )
    polls = github.post("/login/oauth/access_token")
    polls.answers(error="authorization_pending").answers(access_token="demo-copilot-token")
    api.get("/user").answers(id=7, login="ada")
    api.get("/copilot_internal/user").answers(
        copilot_plan="pro",
        quota_snapshots={"premium_interactions": {"entitlement": 300, "remaining": 150, "percent_remaining": 50}},
    )
    signed_in = quotaline("sign-in", "copilot")
    assert signed_in.code == 0, signed_in.err
    assert "https://github.com/login/device" in signed_in.out
    assert "code: WX-78" in signed_in.out
    assert "signed in as ada" in signed_in.out
    assert "demo-copilot-token" not in signed_in.out + signed_in.err
    assert config.stat().st_mode & 0o777 == 0o600
    assert "demo-copilot-token" in config.read_text()
    assert polls.count == 2
    shown = quotaline("usage", "--json")
    assert shown.code == 0, shown.out
    assert shown.json[0]["usage"]["primary"]["usedPercent"] == 50


def test_a_refused_sign_in_says_so(quotaline: Command, config: Path, vendor: Any) -> None:
    github = vendor("github.com")
    github.post("/login/device/code").answers(
        device_code="demo-device",
        user_code="WX-78",
        verification_uri="https://github.com/login/device",
        expires_in=60,
        interval=0,
    )
    github.post("/login/oauth/access_token").answers(error="access_denied")
    refused = quotaline("sign-in", "copilot")
    assert refused.code == 1
    assert refused.err.strip()
    assert not config.exists()
