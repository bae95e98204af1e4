"""No credential leaves the place it was found in, except to its vendor: not in a message, a log, a report or a file."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import pytest

from quotaline_providers.testing import Request, Simulator
from quotaline_providers.testing.simulator.routes import Reply, Vendor
from tests.server.lsp_client import FULL, Client, Desk, Refused, spellings

HOSTS = (
    "openrouter.ai",
    "crof.ai",
    "chatgpt.com",
    "auth.openai.com",
    "api.anthropic.com",
    "claude.ai",
    "api.github.com",
    "github.com",
    "www.codebuff.com",
    "cloudcode-pa.googleapis.com",
    "oauth2.googleapis.com",
    "cloudresourcemanager.googleapis.com",
)

ENVIRONMENT = (
    "OPENROUTER_API_KEY",
    "OPENROUTER_MANAGEMENT_API_KEY",
    "ANTHROPIC_ADMIN_KEY",
    "COPILOT_API_TOKEN",
    "CODEBUFF_API_KEY",
    "CROF_API_KEY",
    "GEMINI_OAUTH_CLIENT_SECRET",
    "CLAUDE_CODE_OAUTH_TOKEN",
)


def planted(place: str) -> str:
    """A secret that looks like nothing in particular, so that only care keeps it in, and no pattern."""
    letters = "".join(character for character in place if character.isalnum())
    return f"Zq7{letters}/Wv+3KettleRiver"


class EchoingVendor(Vendor):
    """Answers every request with this status, and repeats in the answer whatever let the caller in."""

    status = 401

    def answer(self, request: Request) -> tuple[Reply, str | None]:
        self.requests.append(request)
        kept = ("authorization", "cookie", "x-api-key", "x-goog-api-key")
        told = " ".join(request.headers[name] for name in kept if name in request.headers)
        said = f"not let in: {told} {request.text} {request.target}"
        body = {"error": {"message": said, "code": told, "type": told}, "message": said, "detail": told, "data": said}
        headers = (
            ("Content-Type", "application/json"),
            ("WWW-Authenticate", f'Bearer error="{told}"'),
            ("Set-Cookie", f"echo={told}"),
            ("Retry-After", "1"),
        )
        return Reply(self.status, headers, json.dumps(body).encode()), None


@pytest.fixture
def vendors(running_simulator: Simulator) -> Iterator[Callable[[Iterable[int]], list[EchoingVendor]]]:
    """`vendors([401, 500])`: every vendor echoes, with these statuses in turn."""
    running_simulator.reset()

    def lay(statuses: Iterable[int]) -> list[EchoingVendor]:
        wanted = list(statuses)
        laid = []
        for number, host in enumerate(HOSTS):
            vendor = EchoingVendor(f"https://{host}", f"https://{host}")
            vendor.status = wanted[number % len(wanted)]
            running_simulator._vendors[vendor.name] = vendor
            laid.append(vendor)
        return laid

    yield lay
    running_simulator.reset()  # requests to status pages and the like are refused, which is not a fault here


@pytest.fixture
def plain_environ(running_simulator: Simulator, home: Path, programs: Path) -> dict[str, str]:
    return {"HOME": str(home), "USERPROFILE": str(home), "PATH": str(programs), **running_simulator.environ()}


class Planted:
    """A user with a credential in every place at once."""

    def __init__(self, environ: Mapping[str, str], home: Path) -> None:
        self.secrets = {name: planted(name) for name in ENVIRONMENT}
        (home / "tmp").mkdir()
        own = {**environ, **self.secrets, "QUOTALINE_LOG": "DEBUG", "TMPDIR": str(home / "tmp")}
        own["GEMINI_OAUTH_CLIENT_ID"] = "client"
        self.desk = Desk(own, home)
        self.files: set[Path] = set()
        self._write_files()

    def secret(self, place: str) -> str:
        return self.secrets.setdefault(place, planted(place))

    def _put(self, path: str, content: object) -> None:
        self.files.add(self.desk.write(path, content))

    def _write_files(self) -> None:
        later = datetime.now(UTC) + timedelta(hours=5)
        secret = self.secret
        self._put(
            ".config/quotaline/config.json",
            {
                "version": 1,
                "providers": [
                    {"id": "crof", "source": "api", "apiKey": secret("config crof")},
                    {"id": "claude", "cookieHeader": f"sessionKey={secret('config claude cookie')}"},
                    {
                        "id": "codex",
                        "cookieHeader": f"__Secure-next-auth.session-token={secret('config codex cookie')}",
                    },
                    {
                        "id": "openrouter",
                        "pluginSecrets": {"OPENROUTER_MANAGEMENT_API_KEY": secret("config openrouter plugin")},
                        "tokenAccounts": {
                            "version": 1,
                            "activeIndex": 0,
                            "accounts": [
                                {"id": "a", "label": "work", "token": secret("config account work")},
                                {"id": "b", "label": "home", "token": secret("config account home")},
                            ],
                        },
                    },
                    {"id": "copilot", "apiKey": secret("config copilot"), "nonsense": secret("config unknown key")},
                ],
            },
        )
        self._put(
            ".codex/auth.json",
            {
                "OPENAI_API_KEY": secret("codex key"),
                "last_refresh": datetime.now(UTC).isoformat(),
                "tokens": {
                    "access_token": secret("codex access"),
                    "refresh_token": secret("codex refresh"),
                    "id_token": secret("codex id"),
                    "account_id": "account",
                },
            },
        )
        self._put(
            ".claude/.credentials.json",
            {
                "claudeAiOauth": {
                    "accessToken": f"sk-ant-oat01-{secret('claude access')}",
                    "refreshToken": f"sk-ant-ort01-{secret('claude refresh')}",
                    "expiresAt": int(later.timestamp() * 1000),
                    "scopes": ["user:inference", "user:profile"],
                    "subscriptionType": "max",
                }
            },
        )
        self._put(
            ".gemini/oauth_creds.json",
            {
                "access_token": secret("gemini access"),
                "refresh_token": secret("gemini refresh"),
                "id_token": secret("gemini id"),
                "expiry_date": int((later - timedelta(hours=9)).timestamp() * 1000),
            },
        )
        self._put(".config/github-copilot/apps.json", {"github.com:Iv1": {"oauth_token": secret("copilot app")}})
        self._put(".config/manicode/credentials.json", {"default": {"authToken": secret("codebuff login")}})
        self._put(".config/openrouter/key.json", {"apiKey": secret("openrouter file")})

    def found_in(self, what: str, data: bytes) -> list[str]:
        """Which secrets stand in these bytes, as `place in what`."""
        return [
            f"{place} in {what}"
            for place, secret in self.secrets.items()
            if any(spelling in data for spelling in spellings(secret))
        ]

    def found_on_disk(self) -> list[str]:
        """Which secrets stand in any file that is not the place they were planted in."""
        found = []
        for path in sorted(self.desk.home.rglob("*")):
            found += self.found_in("the name of a file", str(path).encode())
            if path.is_file() and path not in self.files:
                found += self.found_in(str(path.relative_to(self.desk.home)), path.read_bytes())
        return found

    def found_in_client(self, client: Client) -> list[str]:
        return self.found_in("standard output", bytes(client.stdout)) + self.found_in("the log", bytes(client.stderr))

    def sent(self, vendors: Iterable[Vendor]) -> set[str]:
        """Which secrets the vendors were shown."""
        seen = b"".join(
            json.dumps(dict(request.headers)).encode() + request.body for v in vendors for request in v.requests
        )
        return {place for place, secret in self.secrets.items() if any(text in seen for text in spellings(secret))}


@pytest.fixture
def user(plain_environ: dict[str, str], home: Path) -> Iterator[Planted]:
    planted = Planted(plain_environ, home)
    with planted.desk:
        yield planted


@pytest.mark.parametrize("before", ["", "x", "xy", "user:"])
def test_the_search_sees_through_encodings(user: Planted, before: str) -> None:
    secret = user.secret("codex access")
    hidden = base64.b64encode(f"{before}{secret} and more".encode())
    assert user.found_in("base64", hidden) == ["codex access in base64"]
    assert user.found_in("a URL", quote(before + secret, safe="").encode()) == ["codex access in a URL"]
    (user.desk.home / "leak").write_bytes(secret.encode())
    assert user.found_on_disk() == ["codex access in leak"]


@pytest.mark.parametrize("statuses", [[401], [500, 429], [200], [403, 200, 404]], ids=str)
def test_a_session_keeps_every_secret(
    user: Planted, vendors: Callable[[Iterable[int]], list[EchoingVendor]], statuses: list[int]
) -> None:
    laid = vendors(statuses)
    client = user.desk.open(FULL)
    client.usage(lambda params: len(params["providers"]) >= 6, timeout=30)
    client.command("quotaline.refresh", timeout=60)
    client.command("quotaline.showReport")
    for format in ("markdown", "html", "text"):
        client.request("quotaline/report", {"format": format})
    client.request("quotaline/usage")
    assert user.found_on_disk() == []  # the store's write-ahead log is still there
    assert client.shut_down() == 0
    assert user.found_in_client(client) == []
    assert user.found_on_disk() == []
    assert len(user.sent(laid)) >= 6  # it was worth looking


@pytest.mark.parametrize("status", [401, 500])
def test_logins_of_other_programs_are_kept_secret(
    user: Planted, vendors: Callable[[Iterable[int]], list[EchoingVendor]], status: int
) -> None:
    laid = vendors([status])
    user.desk.write_config()  # so that nothing but the files of the vendors' programs is left
    client = user.desk.open(FULL, **dict.fromkeys(ENVIRONMENT, ""))
    client.usage(lambda params: len(params["providers"]) >= 5, timeout=30)
    client.command("quotaline.refresh", timeout=60)
    assert user.found_on_disk() == []
    client.shut_down()
    assert user.found_in_client(client) == []
    assert {"claude access", "codex access", "copilot app", "codebuff login", "openrouter file"} <= user.sent(laid)


def test_a_credential_given_to_the_sidecar_is_never_repeated(
    user: Planted, vendors: Callable[[Iterable[int]], list[EchoingVendor]]
) -> None:
    vendors([401])
    client = user.desk.open(FULL)
    client.usage()
    given = [user.secret(f"given {number}") for number in range(9)]
    client.command("quotaline.setCredential", {"id": "crof", "value": given[0]})
    client.command("quotaline.setCredential", {"id": "openrouter", "value": given[1], "label": "third"})
    wrong: list[object] = [
        [{"id": given[2], "value": given[2]}],
        [{"id": "openrouter", "value": [given[3]]}],
        [given[4], {"value": given[4]}],
        {"id": "crof", "value": given[5]},
        given[6],
    ]
    for arguments in wrong:
        with pytest.raises(Refused):
            client.request(
                "workspace/executeCommand", {"command": "quotaline.setCredential", "arguments": arguments}, 30
            )
    client.notify("textDocument/didOpen", {"textDocument": {"uri": 5, "text": given[7]}})
    client.notify("workspace/didChangeConfiguration", {"settings": {"statusLine": {"percent": given[8]}}})
    broken = json.dumps({"jsonrpc": "2.0", "id": 99, "method": "quotaline/usage"})[:-1] + f' "{given[7]}'
    client.send_bytes(b"Content-Length: %d\r\n\r\n" % len(broken) + broken.encode())
    document = {"uri": user.desk.config.as_uri(), "languageId": "json", "version": 1}
    client.notify("textDocument/didOpen", {"textDocument": {**document, "text": user.desk.config.read_text()}})
    lines = user.desk.config.read_text().splitlines()
    for line, text in enumerate(lines[:40]):
        position = {"line": line, "character": len(text) // 2}
        params = {"textDocument": {"uri": document["uri"]}, "position": position}
        client.request("textDocument/hover", params)
        client.request("textDocument/completion", params)
    assert client.shut_down() == 0
    assert client.stderr  # the wrong messages were noted, so that there was something to search
    assert user.found_in_client(client) == []
    assert user.found_on_disk() == []
    kept = json.loads(user.desk.config.read_text())
    assert given[0] in json.dumps(kept)
    assert given[1] in json.dumps(kept)


def test_commands_print_no_secret(user: Planted, vendors: Callable[[Iterable[int]], list[EchoingVendor]]) -> None:
    laid = vendors([401, 500, 200, 403])
    found: list[str] = []
    for words in (
        ("usage",),
        ("usage", "--format", "json"),
        ("providers",),
        ("providers", "openrouter", "claude", "--format", "json"),
        ("doctor",),
        ("doctor", "--format", "json"),
        ("doctor", "--shape"),
        ("doctor", "--shape", "--format", "json"),
        ("config", "validate"),
        ("config", "validate", "--format", "json"),
    ):
        done = user.desk.run(*words)
        assert done.stdout, f"{words} printed nothing: {done.stderr}"
        assert "Traceback" not in done.stderr
        found += user.found_in(" ".join(words), (done.stdout + done.stderr).encode())
    assert found == []
    assert user.found_on_disk() == []
    assert len(user.sent(laid)) >= 6


def test_a_key_from_standard_input_is_not_printed(
    user: Planted, vendors: Callable[[Iterable[int]], list[EchoingVendor]]
) -> None:
    vendors([401])
    done = user.desk.run("set-credential", "crof", stdin=user.secret("typed") + "\n")
    assert done.returncode == 0
    assert user.found_in("set-credential", (done.stdout + done.stderr).encode()) == []
    assert user.secret("typed") in user.desk.config.read_text()
    assert user.found_on_disk() == []
