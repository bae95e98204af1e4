"""The rows and charts behind the limits: amounts, the credit rate, the account's money, the token history."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta

from quotaline_providers.formatting import duration, grouped, tokens, yuan
from quotaline_providers.model import Chart, Point, Row, Section
from quotaline_providers.vendors.zai.answers import AccountReport, History, Limit
from quotaline_providers.vendors.zai.quota import by_length, tool_calls

_TOP = 20


def quota_section(limits: tuple[Limit, ...], report: AccountReport | None, now: datetime) -> Section:
    """The limits' amounts, and what else the answers tell about them."""
    quotas, calls = by_length(limits), tool_calls(limits)
    rows = [_quota_row(_noun(quotas[-1]).capitalize(), quotas[-1])] if quotas else []
    if len(quotas) > 1:
        rows.append(_quota_row(f"Session {_noun(quotas[0])}", quotas[0]))
    if calls:
        rows.append(_quota_row("MCP quota", calls))
    if any(limit.kind == "CREDIT_LIMIT" for limit in quotas):
        rows.append(rate_row(now))
    if report and report.amount is not None:
        rows.append(_balance_row(report, report.amount))
    details = [item for limit in limits for item in limit.usageDetails if item.modelCode and item.usage is not None]
    rows += [Row(label=item.modelCode or "", value=grouped(item.usage or 0)) for item in details[:_TOP]]
    return Section(title="Quota details", rows=tuple(rows))


def _noun(limit: Limit) -> str:
    return "credit quota" if limit.kind == "CREDIT_LIMIT" else "token quota"


def _quota_row(label: str, limit: Limit) -> Row:
    amounts = [f"{grouped(limit.usage)} limit"] if limit.usage is not None else []
    amounts += [f"{grouped(limit.remaining)} remaining"] if limit.remaining is not None else []
    return Row(label=label, value=f"{grouped(limit.percent or 0, 1)}% used", secondary=" · ".join(amounts) or None)


def rate_row(now: datetime) -> Row:
    """Whether credits cost the peak rate: Monday to Friday, 06:00 to 10:00 UTC."""
    now = now.astimezone(UTC)
    peak = now.weekday() < 5 and 6 <= now.hour < 10
    until = now.replace(hour=10 if peak else 6, minute=0, second=0, microsecond=0)
    while until <= now or until.weekday() >= 5:
        until += timedelta(days=1)
    following = "off-peak" if peak else "peak"
    return Row(
        label="Quota rate", value="Peak" if peak else "Off-peak", secondary=f"{following} in {duration(until - now)}"
    )


def _balance_row(report: AccountReport, amount: float) -> Row:
    granted = report.giveAmount if report.giveAmount and report.giveAmount > 0 else None
    parts = (("recharged", report.rechargeAmount), ("granted", granted), ("spent", report.totalSpendAmount))
    shown = [f"{word} {yuan(value)}" for word, value in parts if value is not None]
    return Row(label="Account balance", value=yuan(amount), secondary=" · ".join(shown) or None)


def history_section(history: History | None, title: str) -> Section | None:
    """Tokens per label as bars and per model as rows; None when nothing was used."""
    if history is None:
        return None
    bars: dict[str, float] = defaultdict(float)
    models: dict[str, float] = defaultdict(float)
    for item in history.modelDataList:
        for label, count in zip(history.x_time, item.tokensUsage, strict=False):
            if label and count and count > 0:
                bars[label] += count
                models[item.modelName or "Unknown model"] += count
    if not bars:
        return None
    points = tuple(Point(label=label, value=bars[label]) for label in dict.fromkeys(history.x_time) if label in bars)
    ranked = sorted(models.items(), key=lambda entry: (-entry[1], entry[0]))[:_TOP]
    rows = tuple(Row(label=name, value=f"{tokens(count)} tokens") for name, count in ranked)
    return Section(title=title, rows=rows, chart=Chart(kind="bars", title=title, unit="tokens", points=points))
