"""LLM Proxy: the lowest quota group of a self-hosted key proxy, and its requests, tokens and approximate cost."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import BeforeValidator

import quotaline_providers as ql

BASE_URL = "LLM_PROXY_BASE_URL"
_TOP = 3


# --- what the proxy sends --------------------------------------------------------------------------


class Group(ql.Payload):
    """One quota group: percent left and when it is full again."""

    remaining_percent: ql.Number = None
    reset_time: ql.When = None


def _groups(value: object) -> tuple[Group, ...]:
    """Groups come as a list, or as an object by name; anything else holds none."""
    items: list[Any] = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    return tuple(group for group in (ql.parse_or_none(Group, item) for item in items) if group is not None)


class Tokens(ql.Payload):
    """Tokens by kind."""

    not_read = frozenset({"input_cache_pct"})

    input_cached: ql.Integer = None
    input_uncached: ql.Integer = None
    output: ql.Integer = None


class Upstream(ql.Payload):
    """What went to one vendor behind the proxy; cost in US dollars."""

    credential_count: ql.Integer = None
    active_count: ql.Integer = None
    exhausted_count: ql.Integer = None
    total_requests: ql.Integer = None
    tokens: Annotated[Tokens | None, ql.lenient(Tokens)] = None
    approx_cost: ql.Number = None
    quota_groups: Annotated[tuple[Group, ...], BeforeValidator(_groups)] = ()

    @property
    def requests(self) -> int:
        return self.total_requests or 0

    @property
    def token_count(self) -> int:
        counts = self.tokens or Tokens()
        return (counts.input_cached or 0) + (counts.input_uncached or 0) + (counts.output or 0)


class Summary(ql.Payload):
    """All providers added up; the cost is in US dollars."""

    total_requests: ql.Integer = None
    total_tokens: ql.Integer = None
    approx_cost: ql.Number = None


class Stats(ql.Payload):
    """`GET /v1/quota-stats`."""

    providers: dict[str, Upstream]
    summary: Annotated[Summary | None, ql.lenient(Summary)] = None

    @property
    def requests(self) -> int:
        total = self.summary.total_requests if self.summary else None
        return sum(item.requests for item in self.providers.values()) if total is None else total

    @property
    def token_count(self) -> int:
        total = self.summary.total_tokens if self.summary else None
        return sum(item.token_count for item in self.providers.values()) if total is None else total

    @property
    def cost(self) -> float | None:
        """US dollars; None when nothing is known to have cost anything."""
        if self.summary and self.summary.approx_cost is not None:
            return self.summary.approx_cost
        total = sum(item.approx_cost or 0.0 for item in self.providers.values())
        return total if total > 0 else None


# --- what it means ---------------------------------------------------------------------------------


def to_usage(stats: Stats, now: datetime) -> ql.Usage:
    """The scarcest group as a window, the totals as text."""
    groups = [group for item in stats.providers.values() for group in item.quota_groups]
    resets = [group.reset_time for group in groups if group.reset_time and group.reset_time > now]
    reset = min(resets, default=None)
    windows = [window for window in (_quota(groups, reset),) if window]
    windows.append(_text("requests", "Requests", f"{ql.grouped(stats.requests)} requests", "secondary"))
    windows.append(_text("tokens", "Tokens", f"{ql.grouped(stats.token_count)} tokens", "tertiary"))
    for name, item in _busiest(stats):
        id = f"provider-{name}" if name in {window.id for window in windows} else name
        windows.append(_text(id, name, _upstream_text(item)))
    return ql.Usage(
        updated_at=now,
        windows=tuple(windows),
        spends=_spends(stats.cost, reset),
        identity=ql.Identity(organization=_keys(stats), login="quota-stats"),
        details=_sections(stats),
        confidence=ql.Confidence.ESTIMATED,
    )


def _quota(groups: list[Group], reset: datetime | None) -> ql.Window | None:
    left = [group.remaining_percent for group in groups if group.remaining_percent is not None]
    if not left:
        return None
    used, blocks = ql.clamped(100 - min(left)), max(left) <= 0 or len(left) == 1  # the other groups go on
    return ql.Window(id="quota", label="Quota", used_percent=used, resets_at=reset, lane="primary", blocks=blocks)


def _text(id: str, label: str, text: str, lane: ql.Lane | None = None) -> ql.Window:
    """A window that only shows a number: its percentage means nothing."""
    return ql.Window(id=id, label=label, used_percent=0, description=text, lane=lane, placeholder=True, blocks=False)


def _busiest(stats: Stats) -> list[tuple[str, Upstream]]:
    return sorted(stats.providers.items(), key=lambda entry: (-entry[1].requests, entry[0]))[:_TOP]


def _upstream_text(item: Upstream) -> str:
    text = f"{ql.grouped(item.requests)} req · {ql.grouped(item.token_count)} tok"
    return text if item.approx_cost is None else f"{text} · {ql.money(item.approx_cost)}"


def _spends(cost: float | None, reset: datetime | None) -> tuple[ql.Spend, ...]:
    if cost is None:
        return ()
    return (
        ql.Spend(id="cost", label="Spend", used=ql.exact(cost), unit="USD", period="Approx. spend", resets_at=reset),
    )


def _keys(stats: Stats) -> str:
    active = sum(item.active_count or 0 for item in stats.providers.values())
    return f"{active}/{sum(item.credential_count or 0 for item in stats.providers.values())} active keys"


def _sections(stats: Stats) -> tuple[ql.Section, ...]:
    exhausted = sum(item.exhausted_count or 0 for item in stats.providers.values())
    totals = (
        ql.Row(label="Requests", value=ql.grouped(stats.requests)),
        ql.Row(label="Tokens", value=ql.grouped(stats.token_count)),
        ql.Row(label="Providers", value=ql.grouped(len(stats.providers))),
        ql.Row(label="Exhausted keys", value=ql.grouped(exhausted)),
    )
    busiest = tuple(ql.Row(label=name, value=_upstream_text(item)) for name, item in _busiest(stats))
    return (
        ql.Section(title="Proxy", rows=totals),
        *((ql.Section(title="Busiest providers", rows=busiest),) if busiest else ()),
    )


# --- how it is fetched -----------------------------------------------------------------------------


def stats_url(ctx: ql.Context) -> str:
    """The address of the statistics. Raises Misconfigured."""
    private_names = ctx.settings.allow_private_hosts
    base = ql.configured_server(ctx.settings.enterprise_host, ctx.env(BASE_URL), BASE_URL, private_names)
    return f"{base}/quota-stats" if base.endswith("/v1") else f"{base}/v1/quota-stats"


async def from_api(ctx: ql.Context, key: ql.Credential) -> ql.Usage:
    """One request has everything. Raises ReadError."""
    stats = await ctx.http.get(stats_url(ctx), Stats, bearer=key.secret)
    return to_usage(stats, ctx.now)


PROVIDER = ql.Provider(
    id="llmproxy",
    name="LLM Proxy",
    kind=ql.ProviderKind.GATEWAY,
    connect="Set LLM_PROXY_BASE_URL to your LLM proxy and LLM_PROXY_API_KEY to its key.",
    summary="The scarcest quota group of a self-hosted key proxy, with its requests, tokens and approximate cost.",
    aliases=("llm-api-key-proxy", "llm-proxy"),
    accounts=ql.AccountKind.TOKEN,
    deadline=40,
    strategies=(ql.Strategy.api(from_api, ql.ServerKey(env=("LLM_PROXY_API_KEY",), server=BASE_URL)),),
)
