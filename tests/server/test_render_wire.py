"""Version 1 of the protocol stays what it is: members may be added, never changed or dropped."""

from __future__ import annotations

import dataclasses

import pytest

from quotaline.render import wire
from quotaline_providers.errors import Kind

VERSION_1 = {
    wire.UsageParams: "version statusLine providers restartDue",
    wire.RestartDueParams: "message",
    wire.StatusLine: "text severity hover",
    wire.MarkupContent: "kind value",
    wire.ProviderState: "id name text severity hover account plan source updatedAt stale refreshing windows balances "
    "error status dashboardUrl",
    wire.Window: "id label text usedPercent used limit unit resetsAt windowMinutes",
    wire.Balance: "id label amount unit text",
    wire.ProviderError: "kind message hint",
    wire.VendorStatus: "indicator label description updatedAt url",
    wire.Report: "format content",
    wire.ReportFragment: "format content style",
    wire.ProvidersResult: "providers",
    wire.KnownProvider: "id name summary shown signIn connect credentials keyUrl dashboardUrl",
    wire.DocumentsResult: "config report",
    wire.RefreshResult: "outcomes",
    wire.Outcome: "id account ok asked message",
    wire.DashboardResult: "url",
    wire.DocumentResult: "uri",
    wire.MessageResult: "message",
    wire.SignInResult: "ok message",
    wire.SetCredentialResult: "kept message",
}
"""The members that clients of version 1 may rely on."""


@pytest.mark.parametrize("kind", VERSION_1, ids=lambda kind: kind.__name__)
def test_no_member_is_dropped(kind: type[wire.Wire]) -> None:
    members = [wire.camel_case(field.name) for field in dataclasses.fields(kind)]  # type: ignore[arg-type]
    assert set(VERSION_1[kind].split()) <= set(members)


def test_the_json_has_lists_texts_and_nulls() -> None:
    window = wire.Window(
        "session", "Session", "62% used", 62.5, None, None, None, "2026-01-01T00:00:00Z", 300, True, False
    )
    error = wire.ProviderError(Kind.TIMEOUT, "No answer.", "")
    outcomes = wire.RefreshResult((wire.Outcome("claude", None, True, False, None),))
    assert window.to_json() == {
        "id": "session",
        "label": "Session",
        "text": "62% used",
        "usedPercent": 62.5,
        "used": None,
        "limit": None,
        "unit": None,
        "resetsAt": "2026-01-01T00:00:00Z",
        "windowMinutes": 300,
        "blocks": True,
        "unlimited": False,
    }
    assert error.to_json() == {"kind": "timeout", "message": "No answer.", "hint": ""}
    assert type(error.to_json()["kind"]) is str
    assert outcomes.to_json() == {
        "outcomes": [{"id": "claude", "account": None, "ok": True, "asked": False, "message": None}]
    }
