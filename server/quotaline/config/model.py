"""The config as the rest of the server sees it: providers in display order, their accounts, and what is wrong."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path

from quotaline.config.editor import positions
from quotaline.config.fields import Severity
from quotaline.settings import Settings
from quotaline_providers import registry
from quotaline_providers.contract import Account
from quotaline_providers.secret import Secret
from quotaline_providers.settings import ProviderSettings, TokenAccount

_SHOWN_ONLY = frozenset({"id", "enabled", "refreshMinutes", "metric", "lowBalance", "quotaWarnings", "accentColor"})


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """Something wrong in a config file. Lines and columns are zero-based, columns count UTF-16 units.

    `code` is a word for programs, `provider` the entry it is about, `file` the file (None for a bare text). The message
    never holds a value other than a source, a region or a version.
    """

    severity: Severity
    message: str
    line: int = 0
    column: int = 0
    end_line: int = 0
    end_column: int = 0
    code: str = ""
    path_in_json: positions.Path = ()
    provider: str = ""
    file: Path | None = None

    def __str__(self) -> str:
        """`[ERROR] zai (region): ...`, as `quotaline config validate` prints it."""
        subject = f"{self.provider} ({self.field})" if self.provider and self.field else self.provider or self.field
        return f"[{self.severity.upper()}] {subject or 'config'}: {self.message}"

    @property
    def field(self) -> str:
        """The key it is about, empty for the file as a whole."""
        last = next((step for step in reversed(self.path_in_json) if isinstance(step, str)), "")
        return "" if last == "providers" else last


@dataclass(frozen=True)
class Config:
    """What the user set, of all layers together. `entries` are in display order, with canonical ids, each once.

    `display` is how things are shown: settings of which only those in the file are set.
    """

    entries: tuple[ProviderSettings, ...] = ()
    hooks: object = field(default=None, repr=False)
    display: Settings = field(default=Settings(), repr=False)

    def __repr__(self) -> str:
        return f"Config({', '.join(self.order)})"

    @property
    def order(self) -> tuple[str, ...]:
        """The ids that have an entry, in display order."""
        return tuple(entry.id for entry in self.entries)

    def provider(self, id: str) -> ProviderSettings:
        """The provider's settings; all absent when it has no entry."""
        return next((entry for entry in self.entries if entry.id == id), None) or ProviderSettings(id=id)

    def accounts(self, id: str) -> tuple[Account, ...]:
        """The provider's labelled accounts that hold a token, in order, each label once; empty without any."""
        return tuple(_labelled(self._tokens(id)))

    def active_index(self, id: str) -> int:
        """Which of `accounts(id)` is the active one (clamped; 0 when there is none)."""
        group = self.provider(id).token_accounts
        if group is None:
            return 0
        usable = [index for index, account in enumerate(group.accounts) if account.token]
        wanted = max(0, min(group.active_index, len(group.accounts) - 1))
        before = sum(index < wanted for index in usable)
        return max(0, min(before, len(usable) - 1))

    def active_account(self, id: str) -> Account | None:
        """The account that is read when only one is; None without labelled accounts."""
        accounts = self.accounts(id)
        return accounts[self.active_index(id)] if accounts else None

    def digest(self, id: str, account: str = "") -> str:
        """A fingerprint of all that decides what a read of this provider (or one account of it) gives.

        It changes with keys, hosts, regions, sources and options, not with what is only shown. Shows no secret.
        """
        entry = self.provider(id)
        data = entry.model_dump(mode="json", by_alias=True, exclude_none=True)
        data = {key: value for key, value in data.items() if key not in _SHOWN_ONLY}
        group = data.pop("tokenAccounts", None) or {}
        accounts = [
            {key: value for key, value in item.items() if key not in ("lastUsed", "addedAt")}
            for item in group.get("accounts", ())
        ]
        if account:
            labels = [known.label for known in self.accounts(id)]
            usable = [item for item in accounts if item.get("token")]
            accounts = [usable[labels.index(account)]] if account in labels else []
        text = json.dumps([id, data, accounts], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def _tokens(self, id: str) -> tuple[TokenAccount, ...]:
        group = self.provider(id).token_accounts
        if group is None or not _takes_accounts(id):
            return ()
        return tuple(account for account in group.accounts if account.token)


@dataclass(frozen=True)
class Loaded:
    """A config as it was read. While the file at `path` is broken, `readable` is false and `config` an earlier one."""

    config: Config
    diagnostics: tuple[Diagnostic, ...]
    path: Path
    readable: bool = True

    @property
    def problem(self) -> str | None:
        """One sentence for the status line when the file cannot be used at all."""
        if self.readable:
            return None
        first = next((item for item in self.diagnostics if item.severity == "error" and item.file == self.path), None)
        return first.message if first else "The config file cannot be read."


def _labelled(accounts: tuple[TokenAccount, ...]) -> list[Account]:
    made: list[Account] = []
    taken: set[str] = set()
    for number, account in enumerate(accounts, start=1):
        label = plain = account.label or f"Account {number}"
        repeat = 2
        while label.casefold() in taken:
            label, repeat = f"{plain} ({repeat})", repeat + 1
        taken.add(label.casefold())
        made.append(
            Account(
                label=label,
                token=Secret(account.token or ""),
                id=account.id,
                external_identifier=account.external_identifier,
                usage_scope=account.usage_scope,
                organization_id=account.organization_id,
                workspace_id=account.workspace_id,
            )
        )
    return made


def _takes_accounts(id: str) -> bool:
    try:
        return registry.get(id).accounts is not None
    except KeyError:
        return False
