"""The client's settings (section `quotaline`): how things are shown and how often they are asked. No credentials."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True, alias_generator=to_camel)


def _cadence(value: object) -> object:
    if isinstance(value, bool):
        return None
    return float(value) if isinstance(value, int) else value


WorkDays = Annotated[int, Field(ge=2, le=6, strict=True)]
Minutes = Annotated[float, Field(gt=0, le=43200)]
_SENTENCES = {
    "refresh": "it must be adaptive, manual, or a number of minutes up to 43200",
    "workDays": "it must be automatic, or a number of days from 2 to 6",
}

PlainStatus = Literal["progress", "serverStatus", "off"]


class StatusLineSettings(_Settings):
    """What the status line holds."""

    max_items: int = Field(default=3, ge=1, le=20, description="At most this many providers, worst first.")
    providers: tuple[str, ...] = Field(
        default=(), description="Only these provider ids, in this order; empty shows all."
    )
    format: str = Field(
        default="",
        description="Fields for one provider: {name} {used} {left} {window} {tag} {second} {resetsIn} {resetsAt} "
        "{runsOutIn} {balance} {plan} {account} {pace} {status}; empty means the default.",
    )
    separator: str = Field(default=" · ", description="Text between providers.")
    percent: Literal["used", "left"] = Field(default="used", description="Show percent used or percent left.")
    warning_at: float = Field(default=80, ge=0, le=100, description="Percent used from which a provider is a warning.")
    critical_at: float = Field(default=95, ge=0, le=100, description="Percent used from which a provider is critical.")


class Settings(_Settings):
    """All client settings, fully defaulted."""

    status_line: StatusLineSettings = StatusLineSettings()
    refresh: Annotated[Literal["adaptive", "manual"] | Minutes, BeforeValidator(_cadence)] = Field(
        default="adaptive", description="`adaptive`, `manual`, or a number of minutes between refreshes."
    )
    reset_times: Literal["countdown", "absolute"] = Field(
        default="countdown", description="Show resets as time left or as a time of day."
    )
    work_days: Literal["automatic"] | WorkDays = Field(
        default="automatic",
        description="How many days from Monday on you work, 2 to 6: only they count in the pace of a weekly limit. "
        "`automatic` counts every day.",
    )
    check_status: bool = Field(
        default=True, description="Read the status pages of the shown providers' vendors and tell of outages."
    )
    hide_identity: bool = Field(default=False, description="Leave e-mail addresses and account names out.")
    plain_status: PlainStatus = Field(
        default="progress",
        description="How an editor without a Quotaline client shows the status line: as an endless `progress`, as "
        "the server's status where the editor shows one (`serverStatus`; elsewhere as a progress), or `off`.",
    )
    code_actions: Literal["own", "everywhere"] = Field(
        default="own",
        description="Where refresh, report and sign-in are offered as code actions: in Quotaline's `own` documents, or "
        "`everywhere`, for an editor that has no commands of ours.",
    )

    @classmethod
    def parse(cls, value: Any) -> tuple[Settings, tuple[str, ...]]:
        """Settings from what a client sent, and a sentence for each part that could not be used (its default holds)."""
        if isinstance(value, dict) and isinstance(value.get("quotaline"), dict):
            value = value["quotaline"]
        if not isinstance(value, dict):
            return cls(), (() if value is None else ("The settings are not an object.",))
        settings, faults = usable(value)
        return settings, tuple(f"quotaline.{'.'.join(fault.path) or 'settings'}: {fault.sentence}" for fault in faults)

    def over(self, below: Settings) -> Settings:
        """These settings where they were set, else those below. Identities are hidden when either wants it."""
        merged = _merged(below.model_dump(exclude_unset=True), self.model_dump(exclude_unset=True))
        if self.hide_identity or below.hide_identity:
            merged["hide_identity"] = True
        return Settings.model_validate(merged)


@dataclass(frozen=True, slots=True)
class Fault:
    """A part that could not be used: where it is, and what it must be."""

    path: tuple[str, ...]
    sentence: str


def usable(value: Mapping[str, Any]) -> tuple[Settings, tuple[Fault, ...]]:
    """The settings among these, and what is wrong with the others."""
    kept = dict(value)
    faults: list[Fault] = []
    while True:
        try:
            return Settings.model_validate(kept), tuple(faults)
        except ValidationError as error:
            first = error.errors()[0]
            path = [part for part in first["loc"] if isinstance(part, str) and part in _names()]
            faults.append(Fault(tuple(path), f"{_sentence(path, first['msg'])}."))
            if not path or not _drop(kept, path):
                return Settings(), tuple(faults)


def _merged(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    both = {
        name: _merged(below[name], value) for name, value in above.items() if isinstance(value, dict) and name in below
    }
    return {**below, **above, **both}


def _sentence(path: list[str], message: str) -> str:
    return _SENTENCES.get(path[-1] if path else "", message.replace("Input should be", "it must be", 1))


def _names() -> frozenset[str]:
    fields = {**Settings.model_fields, **StatusLineSettings.model_fields}
    return frozenset(name for key, field in fields.items() for name in (key, field.alias or key))


def _drop(value: dict[str, Any], path: list[str]) -> bool:
    head, *rest = path
    if head not in value:
        return False
    if rest and isinstance(value[head], dict):
        value[head] = dict(value[head])
        return _drop(value[head], rest)
    del value[head]
    return True
