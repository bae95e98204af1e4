"""What Google's answers mean: the worst model of each family, the plan, and the rows of detail. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from quotaline_providers import (
    DAY_MINUTES,
    Identity,
    Lane,
    Row,
    Section,
    Usage,
    Window,
    clamped,
    last_to_stop,
    percent,
    to_number,
    to_time,
)
from quotaline_providers.vendors.gemini.payloads import Bucket, LoadAnswer, QuotaAnswer

_LANES: tuple[tuple[str, str, Lane], ...] = (
    ("pro", "Pro", "primary"),
    ("flash", "Flash", "secondary"),
    ("flash-lite", "Flash Lite", "tertiary"),
)


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
        yield Quota(model, clamped(fraction * 100), resets_at, text)


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


def to_usage(
    answer: QuotaAnswer,
    load: LoadAnswer,
    email: str | None,
    domain: str | None,
    now: datetime,
    *,
    has_project: bool = True,
) -> Usage:
    """The worst model of each family as a daily window, and every model as a detail row.

    Without a project Google tells all left of every model: that is no figure, and any other is not a project's.
    """
    models = quotas(answer, now)
    untold = not has_project and all(quota.left == 100 for quota in models)
    if untold:
        models = ()
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
                blocks=False,
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
    project = () if has_project else (_no_project(untold),)
    sections = (Section(title="Models", rows=rows + project), Section(title="Subscription", rows=_subscription(load)))
    return Usage(
        updated_at=now,
        windows=last_to_stop(windows),  # as long as one family is left the program goes on
        identity=Identity(email=email, plan=plan(load, domain)),
        details=tuple(section for section in sections if section.rows),
        limits_unavailable=untold,
    )


def _no_project(untold: bool) -> Row:
    told = "Google tells no quota without one" if untold else "these figures are not a project's"
    return Row(label="Google Cloud project", value=f"None is known: {told}", secondary="Set GOOGLE_CLOUD_PROJECT")


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
