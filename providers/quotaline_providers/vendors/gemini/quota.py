"""What Google's Cloud Code API sends about the Gemini CLI's quota and how it becomes a usage."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from pydantic import AliasChoices, BeforeValidator, Field

from quotaline_providers.formatting import percent
from quotaline_providers.model import DAY_MINUTES, Identity, Lane, Row, Section, Usage, Window
from quotaline_providers.parsing.payload import (
    Number,
    Payload,
    Text,
    lenient,
    lenient_items,
    to_number,
    to_text,
    to_time,
)

_LANES: tuple[tuple[str, str, Lane], ...] = (
    ("pro", "Pro", "primary"),
    ("flash", "Flash", "secondary"),
    ("flash-lite", "Flash Lite", "tertiary"),
)


class Bucket(Payload):
    """One model's quota. `remaining_fraction` is what is left, 0-1; `reset_time` is kept as sent."""

    model_id: str | None = Field(default=None, alias="modelId")
    remaining_fraction: Number = Field(default=None, alias="remainingFraction")
    remaining_amount: Text = Field(default=None, alias="remainingAmount")
    reset_time: Text = Field(default=None, alias="resetTime")


class QuotaAnswer(Payload):
    """POST v1internal:retrieveUserQuota. `sent` counts the buckets that came, readable or not."""

    buckets: Annotated[tuple[Bucket, ...], lenient_items(Bucket)] = ()
    sent: Annotated[int, BeforeValidator(lambda value: len(value) if isinstance(value, list) else 0)] = Field(
        default=0, validation_alias="buckets"
    )


def _project(value: object) -> str | None:
    if isinstance(value, Mapping):
        return next((text for key in ("id", "projectId") if (text := to_text(value.get(key)))), None)
    return value.strip() or None if isinstance(value, str) else None


class Tier(Payload):
    """A subscription level of Code Assist; `reason` says why an account is not let into it."""

    id: Text = Field(default=None, validation_alias=AliasChoices("id", "tierId"))
    name: Text = Field(default=None, validation_alias=AliasChoices("name", "tierName"))
    description: Text = None
    reason: Text = Field(default=None, alias="reasonMessage")


class LoadAnswer(Payload):
    """POST v1internal:loadCodeAssist."""

    project: Annotated[str | None, BeforeValidator(_project)] = Field(default=None, alias="cloudaicompanionProject")
    tier: Annotated[Tier | None, lenient(Tier)] = Field(default=None, alias="currentTier")
    paid_tier: Annotated[Tier | None, lenient(Tier)] = Field(default=None, alias="paidTier")
    refused_tiers: Annotated[tuple[Tier, ...], lenient_items(Tier)] = Field(default=(), alias="ineligibleTiers")
    upgrade: Text = Field(default=None, alias="upgradeSubscriptionUri")


class CloudProject(Payload):
    """A Google Cloud project."""

    id: Text = Field(default=None, validation_alias=AliasChoices("projectId", "id"))
    labels: Annotated[dict[str, Any], BeforeValidator(lambda v: v if isinstance(v, dict) else {})] = Field(
        default_factory=dict
    )


class ProjectsAnswer(Payload):
    """GET v1/projects of the resource manager."""

    projects: Annotated[tuple[CloudProject, ...], lenient_items(CloudProject)] = ()

    def for_gemini(self) -> str | None:
        """The first project that was made for the Gemini API."""
        for project in self.projects:
            if project.id and (project.id.startswith("gen-lang-client") or "generative-language" in project.labels):
                return project.id
        return None


@dataclass(frozen=True, slots=True)
class Quota:
    """One model's quota, read. `left` is a percentage, 0-100."""

    model: str
    left: float
    resets_at: datetime | None
    reset_text: str | None


def quotas(answer: QuotaAnswer, now: datetime) -> tuple[Quota, ...]:
    """The lowest quota of each model, by model id. Buckets without a fraction are left out.

    So are those already reset, whose number is of the day before, as long as others are still to be reset. When none
    is, the reset has only just been or this computer's clock is wrong: then they are all there is to show.
    """
    found = tuple(_read(answer, now))
    current = tuple(quota for quota in found if quota.resets_at is None or quota.resets_at > now)
    lowest: dict[str, Quota] = {}
    for quota in current or found:
        if quota.model not in lowest or quota.left < lowest[quota.model].left:
            lowest[quota.model] = quota
    return tuple(lowest[model] for model in sorted(lowest))


def _read(answer: QuotaAnswer, now: datetime) -> Iterator[Quota]:
    for bucket in answer.buckets:
        if bucket.model_id is None or (fraction := _fraction(bucket)) is None:
            continue
        resets_at = to_time(bucket.reset_time)
        model = bucket.model_id.strip().removeprefix("models/").removesuffix("_vertex") or "all_models"
        text = reset_text(resets_at, now) if bucket.reset_time else None
        yield Quota(model, min(1.0, max(0.0, fraction)) * 100, resets_at, text)


def _fraction(bucket: Bucket) -> float | None:
    if bucket.remaining_fraction is not None:
        return bucket.remaining_fraction
    amount = (bucket.remaining_amount or "").replace(" ", "")
    if amount.endswith("%"):
        value = to_number(amount[:-1])
        return None if value is None else value / 100
    left, _, whole = (to_number(part) for part in (*amount.partition("/"),))
    return left / whole if left is not None and whole is not None and whole > 0 else None


def reset_text(resets_at: datetime | None, now: datetime) -> str:
    """`Resets in 3h 5m`, `Resets in 5m`; `Resets soon` when past or not understood."""
    minutes = int((resets_at - now).total_seconds() // 60) if resets_at else 0
    if resets_at is None or resets_at <= now:
        return "Resets soon"
    hours, minutes = divmod(minutes, 60)
    return f"Resets in {hours}h {minutes}m" if hours else f"Resets in {minutes}m"


def group(model: str) -> str | None:
    """The window a model counts to: `pro`, `flash`, `flash-lite`, or none."""
    name = model.lower()
    if "flash-lite" in name:
        return "flash-lite"
    if "flash" in name:
        return "flash"
    return "pro" if "pro" in name else None


def plan(load: LoadAnswer, hosted_domain: str | None) -> str | None:
    """The plan as people know it: a paid tier's name wins over everything."""
    if load.paid_tier is not None and load.paid_tier.name:
        return load.paid_tier.name
    tier = load.tier.id if load.tier else None
    if tier == "free-tier":
        return "Workspace" if hosted_domain else "Free"
    return {"standard-tier": "Paid", "legacy-tier": "Legacy"}.get(tier or "")


def to_usage(answer: QuotaAnswer, load: LoadAnswer, email: str | None, domain: str | None, now: datetime) -> Usage:
    """The worst model of each family as a daily window, and every model as a detail row."""
    models = quotas(answer, now)
    windows = []
    for id, label, lane in _LANES:
        family = [quota for quota in models if group(quota.model) == id]
        if not family:
            continue
        worst = min(family, key=lambda quota: quota.left)
        windows.append(
            Window(
                id=id,
                label=label,
                used_percent=100 - worst.left,
                minutes=DAY_MINUTES,
                resets_at=worst.resets_at,
                description=worst.reset_text,
                lane=lane,
            )
        )
    rows = tuple(
        Row(
            label=quota.model,
            value=f"{percent(quota.left)} left",
            secondary=f"Resets {quota.resets_at:%Y-%m-%d %H:%M} UTC" if quota.resets_at else quota.reset_text,
        )
        for quota in models
    )
    sections = (Section(title="Models", rows=rows), Section(title="Subscription", rows=_subscription(load)))
    return Usage(
        updated_at=now,
        windows=tuple(windows),
        identity=Identity(email=email, plan=plan(load, domain)),
        details=tuple(section for section in sections if section.rows),
    )


def _subscription(load: LoadAnswer) -> tuple[Row, ...]:
    """The account's tier, those it is refused and why, and where a better one is bought."""
    rows = []
    if load.tier is not None and (name := load.tier.name or load.tier.id):
        rows.append(Row(label="Tier", value=name, secondary=load.tier.description))
    for tier in load.refused_tiers:
        if name := tier.name or tier.id:
            rows.append(Row(label=name, value="Not available", secondary=tier.reason))
    if load.upgrade and load.upgrade.startswith("https://"):
        rows.append(Row(label="Upgrade", value=load.upgrade))
    return tuple(rows)
