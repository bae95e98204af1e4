"""The made-up user the benchmarks run as: folders of its own, a login for every provider, and two more providers."""

from __future__ import annotations

import base64
import json
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Self
from xml.sax.saxutils import quoteattr

from tests.providers.samples import Sample

PROVIDERS = (
    "claude",
    "codebuff",
    "codex",
    "copilot",
    "gemini",
    "jetbrains",
    "kiro",
    "openrouter",
    "demo-one",
    "demo-two",
)
"""All ten: the eight built in and two that are installed from elsewhere."""

FAR_MILLISECONDS = 4_000_000_000_000

_THIRD_PARTY = '''
"""A provider from elsewhere."""

from quotaline_providers.contract import Provider, Strategy
from quotaline_providers.access.lookups import Always
from quotaline_providers.model import Usage, Window
from quotaline_providers.parsing.payload import Payload


class Answer(Payload):
    used: float


async def read(ctx, found):
    answer = await ctx.http.get("https://{id}.example/usage", Answer)
    return Usage(updated_at=ctx.now, windows=(Window(id="day", label="Day", used_percent=answer.used),))


PROVIDER = Provider("{id}", "{name}", "Nothing is needed.", (Strategy("api", read, Always()),))
'''

_KIRO = """#!/bin/sh
sleep {delay}
case "$1" in
whoami) printf 'Logged in with Google\\nEmail: demo@example.test\\n' ;;
*) case "$3" in
  /usage) printf '| KIRO TRIAL |\\n(10 of 50 covered in plan), resets on 2099-02-01\\n' ;;
  *) printf 'Context window: 3%% used\\n' ;;
  esac ;;
esac
"""


class World:
    """A temporary home. `environ` starts a program as this user."""

    def __init__(self, vendors: Mapping[str, str], delay: float = 0.2, providers: Sequence[str] = PROVIDERS) -> None:
        self.providers = tuple(providers)
        self.folder = Path(tempfile.mkdtemp(prefix="quotaline-bench-"))
        self.home = self.folder / "home"
        self._bin = self.folder / "bin"
        self._site = self.folder / "site"
        for folder in (self.home, self._bin, self._site):
            folder.mkdir()
        self.settings: dict[str, Mapping[str, object]] = {}
        self.environ = {
            "HOME": str(self.home),
            "USERPROFILE": str(self.home),
            "PATH": f"{self._bin}:/usr/bin:/bin",
            "PYTHONPATH": str(self._site),
            "LANG": "C.UTF-8",
            "QUOTALINE_CLAUDE_OAUTH_TOKEN": "demo-token",
            "COPILOT_API_TOKEN": "demo-token",
            "OPENROUTER_API_KEY": "demo-token",
            "CODEBUFF_API_KEY": "demo-token",
            **vendors,
        }
        self._write_logins(delay)
        self._install_third_party()

    @property
    def config(self) -> Path:
        """The config file, with all providers enabled."""
        path = self.home / ".config" / "quotaline" / "config.json"
        self.environ["QUOTALINE_CONFIG"] = str(path)
        if not path.exists():
            entries = [{"id": id, "enabled": True, **self.settings.get(id, {})} for id in self.providers]
            self._write(path, json.dumps({"version": 1, "providers": entries}, indent=2))
            path.chmod(0o600)
        return path

    def sign_in(self, sample: Sample) -> None:
        """Give this user what lets a provider in. Only before the config file is written."""
        self.environ |= sample.environ
        self.settings[sample.provider] = sample.config
        for name, content in sample.files.items():
            self._write(self.home / name, content if isinstance(content, str) else json.dumps(content))

    def fill_chats(self, total: int, each: int = 512 * 1024) -> None:
        """Codebuff's chats, this many bytes in all, in files of `each` bytes."""
        usage = {"input_tokens": 900, "output_tokens": 150, "model": "claude-demo"}
        messages: list[object] = []
        size = 0
        while size < each:
            at = f"2026-01-02T08:{len(messages) % 60:02}:00Z"
            message = {"id": f"m{len(messages)}", "role": "assistant", "metadata": {"timestamp": at, "usage": usage}}
            message["content"] = "lorem ipsum dolor sit amet " * 40
            messages.append(message)
            size += len(json.dumps(message)) + 2
        text = json.dumps(messages)
        for number in range(total // each):
            folder = f".config/manicode/projects/garden/chats/2026-01-02T08-{number // 60:02}-{number % 60:02}.000Z"
            self._write(self.home / folder / "chat-messages.json", text)

    def touch_chats(self) -> None:
        """Make all chats look changed, so that they are read again."""
        for path in self.home.glob(".config/manicode/projects/*/chats/*/chat-messages.json"):
            with path.open("a") as file:
                file.write("\n")

    def empty_startup_cache(self) -> None:
        """Let the shared store forget how its usage was rendered."""
        with closing(self._store()) as store, store:
            store.execute("DELETE FROM note WHERE key GLOB 'startup:*'")

    def wait_for_startup_cache(self) -> None:
        """Until the shared store holds what the next editor shows at once."""
        with closing(self._store()) as store:
            while not store.execute("SELECT 1 FROM note WHERE key GLOB 'startup:*'").fetchall():
                time.sleep(0.02)

    def _store(self) -> sqlite3.Connection:
        return sqlite3.connect(self.home / ".cache" / "quotaline" / "store.sqlite3", timeout=10)

    def __enter__(self) -> Self:
        _ = self.config
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    # --- what is in it ---

    def _write_logins(self, delay: float) -> None:
        claims = base64.urlsafe_b64encode(json.dumps({"email": "demo@example.test"}).encode()).decode().rstrip("=")
        tokens = {
            "access_token": "demo-token",
            "refresh_token": "demo-token",
            "id_token": f"e30.{claims}.x",
            "account_id": "acc-1",
        }
        self._write(self.home / ".codex" / "auth.json", json.dumps({"tokens": tokens}))
        login = {"access_token": "demo-token", "expiry_date": FAR_MILLISECONDS}
        self._write(self.home / ".gemini" / "oauth_creds.json", json.dumps(login))
        program = self._bin / "kiro-cli"
        program.write_text(_KIRO.replace("{delay}", str(delay)))
        program.chmod(0o755)
        quota = {"type": "Available", "current": "250000", "maximum": "1000000", "until": "2099-01-01T00:00:00Z"}
        option = f'<option name="quotaInfo" value={quoteattr(json.dumps(quota))} />'
        self._write(
            self.home / ".config/JetBrains/IntelliJIdea2026.1/options/AIAssistantQuotaManager2.xml",
            f'<application><component name="AIAssistantQuotaManager2">{option}</component></application>',
        )

    def _install_third_party(self) -> None:
        points = ["[quotaline.providers]"]
        for id in PROVIDERS[-2:]:
            module = id.replace("-", "_")
            self._write(self._site / f"{module}.py", _THIRD_PARTY.replace("{id}", id).replace("{name}", id.title()))
            points.append(f"{id} = {module}:PROVIDER")
        info = self._site / "demo_providers-1.0.dist-info"
        self._write(info / "METADATA", "Metadata-Version: 2.1\nName: demo-providers\nVersion: 1.0\n")
        self._write(info / "entry_points.txt", "\n".join(points) + "\n")

    @staticmethod
    def _write(path: Path, text: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
