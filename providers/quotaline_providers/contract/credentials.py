"""A credential, and in words for people where it was found."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from quotaline_providers.secret import Secret


class OriginKind(StrEnum):
    """The kind of place in which a credential was found."""

    ACCOUNT = "account"
    CONFIG = "config"
    KEYRING = "keyring"
    ENVIRONMENT = "environment"
    FILE = "file"
    PROGRAM = "program"
    OTHER = "other"


class Origin(str):
    """Where a credential was found, in words for people (`env X`, `config`, `keyring`, `~/.codex/auth.json`).

    Code decides by `kind` and `name` (of the variable, account or program), never by the words.
    """

    kind: OriginKind
    name: str

    def __new__(cls, text: str, kind: OriginKind = OriginKind.OTHER, name: str = "") -> Origin:
        self = super().__new__(cls, text)
        self.kind, self.name = kind, name
        return self

    @classmethod
    def account(cls, label: str) -> Origin:
        return cls(f"account {label}", OriginKind.ACCOUNT, label)

    @classmethod
    def config(cls, key: str = "") -> Origin:
        return cls(f"config {key}".rstrip(), OriginKind.CONFIG, key)

    @classmethod
    def keyring(cls) -> Origin:
        return cls("keyring", OriginKind.KEYRING)

    @classmethod
    def env(cls, name: str) -> Origin:
        return cls(f"env {name}", OriginKind.ENVIRONMENT, name)

    @classmethod
    def file(cls, shown: str) -> Origin:
        """`shown` is the path for people, see `Context.show`."""
        return cls(shown, OriginKind.FILE)

    @classmethod
    def program(cls, name: str) -> Origin:
        return cls(f"program `{name}`", OriginKind.PROGRAM, name)


@dataclass(frozen=True, slots=True)
class Credential:
    """A secret, where it came from, and until when it is known to be accepted (UTC; None when nothing tells)."""

    secret: Secret
    origin: Origin
    expires_at: datetime | None = None
