"""LLM Proxy: groups in every shape, totals told and summed, and which servers may be asked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from quotaline_providers.access.endpoints import own_server
from quotaline_providers.errors import (
    BadResponse,
    Misconfigured,
    MissingCredential,
)
from quotaline_providers.model import Usage
from quotaline_providers.testing import NOW, Read, Vendor
from quotaline_providers.vendors.llmproxy import Stats, to_usage


def usage(providers: dict[str, object], summary: object = None) -> Usage:
    return to_usage(Stats.model_validate({"providers": providers, "summary": summary}), NOW)


def test_groups_as_list_and_as_object() -> None:
    found = usage(
        {
            "a": {"quota_groups": {"x": {"remaining_percent": 70, "reset_time": "2030-01-02T11:00:00Z"}, "y": None}},
            "b": {"quota_groups": [{"remaining_percent": 30.5, "reset_time": "2030-01-02T15:00:00.25Z"}, 4]},
            "c": {"quota_groups": "none"},
            "d": {"quota_groups": None},
        }
    )
    quota = found.window("quota")
    assert (quota.used_percent, quota.lane, quota.minutes) == (69.5, "primary", None)
    assert quota.blocks is False, "another group can go on"
    empty = {"quota_groups": [{"remaining_percent": 0}, {"remaining_percent": -3}]}
    assert usage({"a": empty}).window("quota").blocks is True
    assert quota.resets_at == datetime(2030, 1, 2, 15, 0, 0, 250_000, UTC)


def test_the_share_of_cached_tokens_is_no_limit(vendor: Callable[[str], Vendor], read: Read) -> None:
    upstream = {"tokens": {"input_cached": 1, "input_cache_pct": 4.5}, "quota_groups": [{"remaining_percent": 5}]}
    vendor("gw.test").get("/v1/quota-stats").answers(providers={"a": upstream})
    assert read("llmproxy", LLM_PROXY_API_KEY="k", LLM_PROXY_BASE_URL="https://gw.test").unread_limits == ()


def test_past_resets_are_none() -> None:
    group = {"remaining_percent": 5, "reset_time": "2029-12-31T00:00:00Z"}
    quota = usage({"a": {"quota_groups": [group]}}).window("quota")
    assert (quota.resets_at, quota.blocks) == (None, True)


@pytest.mark.parametrize(("left", "percent"), [(140, 0), (-3, 100)])
def test_what_is_left_is_clamped(left: float, percent: float) -> None:
    assert usage({"a": {"quota_groups": [{"remaining_percent": left}]}}).window("quota").used_percent == percent


def test_without_groups_the_totals_remain() -> None:
    tokens = {"input_cached": 1, "input_uncached": 1000, "output": 500}
    found = usage({"a": {"total_requests": 1200, "tokens": tokens, "approx_cost": 0.5}, "b": {"total_requests": 3}})
    assert found.lane("primary") is None
    assert found.window("requests").description == "1,203 requests"
    assert found.window("tokens").description == "1,501 tokens"
    assert found.window("a").description == "1,200 req · 1,501 tok · $0.50"
    assert found.window("b").description == "3 req · 0 tok"
    assert [window.id for window in found.windows if not window.placeholder] == [], "none of them is a meter"
    assert (found.row("Requests").value, found.row("Tokens").value) == ("1,203", "1,501")
    assert found.row("a").value == "1,200 req · 1,501 tok · $0.50"
    assert found.spend("cost").used == Decimal("0.5")
    assert found.spend("cost").period == "Approx. spend"


def test_a_told_summary_wins() -> None:
    found = usage({"a": {"total_requests": 5}}, {"total_requests": 9, "total_tokens": 8, "approx_cost": 0})
    assert found.window("requests").description == "9 requests"
    assert found.window("tokens").description == "8 tokens"
    assert found.spend("cost").used == 0


def test_no_cost_anywhere_is_no_spend() -> None:
    assert usage({"a": {"approx_cost": 0}}).spends == ()


def test_three_busiest_providers_ties_by_name() -> None:
    found = usage({"d": {"total_requests": 9}, "c": {}, "b": {}, "quota": {"total_requests": 1}, "a": {}})
    assert [window.label for window in found.windows if window.lane is None] == ["d", "quota", "a"]


def test_a_provider_may_be_called_like_a_window() -> None:
    assert usage({"requests": {}}).window("provider-requests").label == "requests"


def test_keys() -> None:
    found = usage({"a": {"credential_count": 3, "active_count": 2, "exhausted_count": 1}, "b": {"credential_count": 1}})
    assert found.identity.organization == "2/4 active keys"
    assert (found.row("Providers").value, found.row("Exhausted keys").value) == ("2", "1")


def test_no_providers_are_zeros() -> None:
    found = usage({})
    assert found.window("requests").description == "0 requests"
    assert found.identity.organization == "0/0 active keys"


@pytest.mark.parametrize(
    ("base", "path"),
    [
        ("", "/v1/quota-stats"),
        ("/", "/v1/quota-stats"),
        ("/v1", "/v1/quota-stats"),
        ("/v1/", "/v1/quota-stats"),
        ("/up/v1", "/up/v1/quota-stats"),
        ("/up", "/up/v1/quota-stats"),
    ],
)
def test_where_it_asks(vendor: Callable[[str], Vendor], read: Read, base: str, path: str) -> None:
    vendor("gw.test").get(path, bearer="k", query={}).answers(providers={})
    read("llmproxy", config={"enterpriseHost": f"https://gw.test{base}"}, LLM_PROXY_API_KEY="'k'")


@pytest.mark.parametrize(
    "address", ["http://192.168.1.2:8000", "http://[fd00::1]", "http://box.local", "http://127.0.0.1"]
)
def test_plain_http_is_for_private_networks(address: str) -> None:
    assert own_server(address, "LLM_PROXY_BASE_URL") == address


@pytest.mark.parametrize(
    "address",
    [
        "gw.test",
        "http://gw.test",
        "http://10.example.com",
        "http://010.0.0.1",
        "http://10.1",
        "https://user:pw@gw.test",
    ],
)
def test_refused_addresses(read: Read, address: str) -> None:
    with pytest.raises(Misconfigured, match="LLM_PROXY_BASE_URL"):
        read("llmproxy", LLM_PROXY_API_KEY="k", LLM_PROXY_BASE_URL=address)
    with pytest.raises(Misconfigured, match="LLM_PROXY_BASE_URL"):
        read("llmproxy", config={"enterpriseHost": address}, LLM_PROXY_API_KEY="k")


def test_what_is_missing(read: Read) -> None:
    with pytest.raises(MissingCredential):
        read("llmproxy", LLM_PROXY_API_KEY="  ", LLM_PROXY_BASE_URL="https://gw.test")
    with pytest.raises(Misconfigured, match="enterpriseHost or LLM_PROXY_BASE_URL"):
        read("llmproxy", LLM_PROXY_API_KEY="k")


@pytest.mark.parametrize("body", ["{}", '{"providers": []}', "{", "<html>"])
def test_answers_that_cannot_be_understood(vendor: Callable[[str], Vendor], read: Read, body: str) -> None:
    vendor("gw.test").get("/v1/quota-stats").answers_text(body)
    with pytest.raises(BadResponse):
        read("llmproxy", LLM_PROXY_API_KEY="k", LLM_PROXY_BASE_URL="https://gw.test")
