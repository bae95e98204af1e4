"""LLM Proxy: the lowest quota group of a self-hosted key proxy, and its requests, tokens and approximate cost."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import BeforeValidator

from quotaline_providers.access.endpoints import configured_server
from quotaline_providers.access.lookups import ServerKey
from quotaline_providers.contract import AccountKind, Context, Credential, Provider, ProviderKind, Strategy
from quotaline_providers.formatting import grouped, money
from quotaline_providers.model import Confidence, Identity, Lane, Row, Section, Spend, Usage, Window
from quotaline_providers.parsing.payload import Integer, Number, Payload, When, clamped, exact, lenient, parse_or_none

BASE_URL = "LLM_PROXY_BASE_URL"
SECONDS = 30.0
_TOP = 3


# --- what the proxy sends --------------------------------------------------------------------------


class Group(Payload):
    """One quota group: percent left and when it is full again."""

    remaining_percent: Number = None
    reset_time: When = None


def _groups(value: object) -> tuple[Group, ...]:
    """Groups come as a list, or as an object by name; anything else holds none."""
    items: list[Any] = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    return tuple(group for group in (parse_or_none(Group, item) for item in items) if group is not None)


class Tokens(Payload):
    """Tokens by kind."""

    input_cached: Integer = None
    input_uncached: Integer = None
    output: Integer = None


class Upstream(Payload):
    """What went to one vendor behind the proxy; cost in US dollars."""

    credential_count: Integer = None
    active_count: Integer = None
    exhausted_count: Integer = None
    total_requests: Integer = None
    tokens: Annotated[Tokens | None, lenient(Tokens)] = None
    approx_cost: Number = None
    quota_groups: Annotated[tuple[Group, ...], BeforeValidator(_groups)] = ()

    @property
    def requests(self) -> int:
        return self.total_requests or 0

    @property
    def token_count(self) -> int:
        counts = self.tokens or Tokens()
        return (counts.input_cached or 0) + (counts.input_uncached or 0) + (counts.output or 0)


class Summary(Payload):
    """All providers added up; the cost is in US dollars."""

    total_requests: Integer = None
    total_tokens: Integer = None
    approx_cost: Number = None


class Stats(Payload):
    """`GET /v1/quota-stats`."""

    providers: dict[str, Upstream]
    summary: Annotated[Summary | None, lenient(Summary)] = None

    @property
    def requests(self) -> int:
        told = self.summary.total_requests if self.summary else None
        return sum(item.requests for item in self.providers.values()) if told is None else told

    @property
    def token_count(self) -> int:
        told = self.summary.total_tokens if self.summary else None
        return sum(item.token_count for item in self.providers.values()) if told is None else told

    @property
    def cost(self) -> float | None:
        """US dollars; None when nothing is known to have cost anything."""
        if self.summary and self.summary.approx_cost is not None:
            return self.summary.approx_cost
        total = sum(item.approx_cost or 0.0 for item in self.providers.values())
        return total if total > 0 else None


# --- what it means ---------------------------------------------------------------------------------


def to_usage(stats: Stats, now: datetime) -> Usage:
    """The scarcest group as a window, the totals as text."""
    groups = [group for item in stats.providers.values() for group in item.quota_groups]
    resets = [group.reset_time for group in groups if group.reset_time and group.reset_time > now]
    reset = min(resets, default=None)
    windows = [window for window in (_quota(groups, reset),) if window]
    windows.append(_text("requests", "Requests", f"{grouped(stats.requests)} requests", "secondary"))
    windows.append(_text("tokens", "Tokens", f"{grouped(stats.token_count)} tokens", "tertiary"))
    for name, item in _busiest(stats):
        id = f"provider-{name}" if name in {window.id for window in windows} else name
        windows.append(_text(id, name, _upstream_text(item)))
    return Usage(
        updated_at=now,
        windows=tuple(windows),
        spends=_spends(stats.cost, reset),
        identity=Identity(organization=_keys(stats), plan="quota-stats"),
        details=_sections(stats),
        confidence=Confidence.ESTIMATED,
    )


def _quota(groups: list[Group], reset: datetime | None) -> Window | None:
    left = [group.remaining_percent for group in groups if group.remaining_percent is not None]
    if not left:
        return None
    used = clamped(100 - min(left))
    return Window(id="quota", label="Quota", used_percent=used, resets_at=reset, lane="primary")


def _text(id: str, label: str, text: str, lane: Lane | None = None) -> Window:
    """A window that only tells a number: its percentage means nothing."""
    return Window(id=id, label=label, used_percent=0, description=text, lane=lane, placeholder=True)


def _busiest(stats: Stats) -> list[tuple[str, Upstream]]:
    return sorted(stats.providers.items(), key=lambda entry: (-entry[1].requests, entry[0]))[:_TOP]


def _upstream_text(item: Upstream) -> str:
    text = f"{grouped(item.requests)} req · {grouped(item.token_count)} tok"
    return text if item.approx_cost is None else f"{text} · {money(item.approx_cost)}"


def _spends(cost: float | None, reset: datetime | None) -> tuple[Spend, ...]:
    if cost is None:
        return ()
    return (Spend(id="cost", label="Spend", used=exact(cost), unit="USD", period="Approx. spend", resets_at=reset),)


def _keys(stats: Stats) -> str:
    active = sum(item.active_count or 0 for item in stats.providers.values())
    return f"{active}/{sum(item.credential_count or 0 for item in stats.providers.values())} active keys"


def _sections(stats: Stats) -> tuple[Section, ...]:
    exhausted = sum(item.exhausted_count or 0 for item in stats.providers.values())
    totals = (
        Row(label="Requests", value=grouped(stats.requests)),
        Row(label="Tokens", value=grouped(stats.token_count)),
        Row(label="Providers", value=grouped(len(stats.providers))),
        Row(label="Exhausted keys", value=grouped(exhausted)),
    )
    busiest = tuple(Row(label=name, value=_upstream_text(item)) for name, item in _busiest(stats))
    return (
        Section(title="Proxy", rows=totals),
        *((Section(title="Busiest providers", rows=busiest),) if busiest else ()),
    )


# --- how it is fetched -----------------------------------------------------------------------------


def stats_url(ctx: Context) -> str:
    """The address of the statistics. Raises Misconfigured."""
    base = configured_server(ctx.settings.enterprise_host, ctx.env(BASE_URL), BASE_URL)
    return f"{base}/quota-stats" if base.endswith("/v1") else f"{base}/v1/quota-stats"


async def from_api(ctx: Context, key: Credential) -> Usage:
    """One call tells everything."""
    stats = await ctx.http.get(stats_url(ctx), Stats, bearer=key.secret, timeout=SECONDS)
    return to_usage(stats, ctx.now)


PROVIDER = Provider(
    id="llmproxy",
    name="LLM Proxy",
    kind=ProviderKind.GATEWAY,
    connect="Set LLM_PROXY_BASE_URL to your LLM proxy and LLM_PROXY_API_KEY to its key.",
    summary="The scarcest quota group of a self-hosted key proxy, with its requests, tokens and approximate cost.",
    aliases=("llm-api-key-proxy", "llm-proxy"),
    accounts=AccountKind.TOKEN,
    deadline=40,
    strategies=(Strategy.api(from_api, ServerKey(env=("LLM_PROXY_API_KEY",), server=BASE_URL)),),
)
