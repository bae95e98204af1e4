"""What the user set for one provider: one entry of the config file's `providers`. Same shape as CodexBar's."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal, TypeAlias, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, WithJsonSchema
from pydantic.alias_generators import to_camel

from quotaline_providers.parsing.payload import clean


class Source(StrEnum):
    """The kind of way in which a strategy reads."""

    OAUTH = "oauth"
    API = "api"
    WEB = "web"
    CLI = "cli"
    LOCAL = "local"


Auto = Literal["auto"]
AUTO: Auto = "auto"
"""All strategies in order."""
SourceChoice: TypeAlias = str
"""`auto`, a source, or the label of a provider's strategy (`codex-cli`), which only that provider knows."""
SOURCE_CHOICES: tuple[str, ...] = (*get_args(Auto), *Source)
"""What a user may write where a source is asked for, beside the labels of a provider."""


def source_choice(name: object) -> SourceChoice:
    """The choice of this name. Raises ValueError for what cannot be one."""
    if not isinstance(name, str) or not name.strip():
        raise ValueError("not a name")
    plain = name.strip().lower()
    return plain if plain in SOURCE_CHOICES else name.strip()


ChosenSource = Annotated[
    SourceChoice,
    PlainValidator(source_choice),
    WithJsonSchema({"type": "string", "enum": list(SOURCE_CHOICES)}),
]


def _clean(value: object) -> object:
    return clean(value) if isinstance(value, str) else value


Setting = Annotated[str | None, BeforeValidator(_clean)]


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="allow", populate_by_name=True, alias_generator=to_camel)

    def __repr_args__(self) -> Iterator[tuple[str | None, object]]:
        """Only the fields that may be shown: an entry's unknown keys may hold secrets too."""
        unknown = self.model_extra or {}
        return ((name, value) for name, value in super().__repr_args__() if name not in unknown)


class TokenAccount(_Entry):
    """One labelled account of a provider. `token` is an API key, OAuth token or cookie header."""

    id: Setting = None
    label: Setting = None
    token: Setting = Field(default=None, repr=False)
    external_identifier: Setting = None
    usage_scope: Setting = None
    organization_id: Setting = None
    workspace_id: Setting = Field(default=None, alias="workspaceID")


class TokenAccounts(_Entry):
    """Several accounts of one provider; `active_index` is clamped to what is there."""

    version: int = 1
    active_index: int = 0
    accounts: tuple[TokenAccount, ...] = ()


class ProviderSettings(_Entry):
    """One provider's settings. Texts are trimmed and one pair of quotes is taken off; empty is absent."""

    id: str = Field(description="The provider's id or one of its aliases.")
    enabled: bool | None = Field(
        default=None,
        description="Show this provider; when absent it is shown once a credential or its program is found.",
    )
    source: ChosenSource | None = Field(default=None, description="The only way to read it; `auto` tries all in order.")
    api_key: Setting = Field(
        default=None,
        repr=False,
        description="An API key. Better kept in the keyring: `quotaline set-credential`.",
    )
    api_key_env: Setting = Field(
        default=None, description="The name of the environment variable that holds the API key."
    )
    secret_key: Setting = Field(default=None, repr=False, description="The second half of a key pair.")
    cookie_header: Setting = Field(
        default=None,
        repr=False,
        description="A Cookie header of a signed-in browser, or what it copied: request headers, a cURL command.",
    )
    cookie_source: Literal["auto", "manual", "off"] | None = Field(
        default=None, description="Where cookies come from; `manual` when a cookie header is set."
    )
    region: Setting = Field(default=None, repr=False, description="The vendor's region, where it has several.")
    workspace_id: Setting = Field(
        default=None, alias="workspaceID", description="The workspace, project, organisation or deployment."
    )
    enterprise_host: Setting = Field(
        default=None, repr=False, description="The host or address of your own installation."
    )
    allow_private_hosts: bool | None = Field(
        default=None,
        description="Allow plain HTTP to a server by a name of your own network (`litellm`, `host.docker.internal`), "
        "as long as every address of the name is private.",
    )
    refresh_minutes: float | None = Field(
        default=None, gt=0, description="A fixed refresh interval in minutes instead of the adaptive one."
    )
    metric: Setting = Field(
        default=None,
        description="What its short text shows: `automatic` (the limit that will stop you first), a window's id, "
        "`spend` or `balance`.",
    )
    low_balance: dict[str, Annotated[float, Field(gt=0)]] | None = Field(
        default=None,
        description='Below which amount money is low, by unit: `{"USD": 5, "credits": 100}`. Less is a warning.',
    )
    token_accounts: TokenAccounts | None = Field(default=None, description="Several labelled accounts.")

    @property
    def low_balances(self) -> dict[str, Decimal]:
        """The amounts of `lowBalance` by case-folded unit."""
        return {unit.casefold(): Decimal(str(amount)) for unit, amount in (self.low_balance or {}).items()}

    @property
    def names_source(self) -> bool:
        """Whether the user chose one way to read it."""
        return self.source not in (None, AUTO)

    def own(self, name: str) -> object:
        """A provider's own setting that has no field here, as it stands in the file; None when absent."""
        return (self.model_extra or {}).get(name)

    def own_text(self, name: str) -> str | None:
        """As `own`, but only a non-empty text."""
        value = self.own(name)
        return clean(value) if isinstance(value, str) else None
