"""The AWS service `kiro-cli` itself asks for its limits, let in by the login the program keeps in its state database.

A best effort beside the program's own report: whatever goes wrong here is None and never fails a read.
"""

from __future__ import annotations

import json
import math
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from quotaline_providers.contract import Context
from quotaline_providers.errors import ReadError
from quotaline_providers.parsing.payload import (
    Number,
    Payload,
    Text,
    exact,
    lenient,
    lenient_items,
    lenient_part,
    to_number,
)
from quotaline_providers.secret import Secret

URL = "https://codewhisperer.us-east-1.amazonaws.com/"
REGION = "us-east-1"
TARGET = "AmazonCodeWhispererService.GetUsageLimits"
TIMEOUT = 10.0
TOKEN_KEYS = ("kirocli:odic:token", "kirocli:social:token", "codewhisperer:odic:token")
PROFILE_KEY = "api.codewhisperer.profile"

_EARLIEST, _LATEST = 1_000_000_000, 4_102_444_800
_ROUNDING = 1e-6

# --- what the service sends ------------------------------------------------------------------------


def _absent_is_zero(value: object) -> float | None:
    return 0.0 if value is None else to_number(value)


class Breakdown(Payload):
    """One resource's allowance. `total` includes `overage`; bonus spend is mixed in while `bonuses` has entries."""

    resource: Text = Field(default=None, alias="resourceType")
    limit: Number = Field(default=None, alias="usageLimitWithPrecision")
    total: Number = Field(default=None, alias="currentUsageWithPrecision")
    overage: Annotated[float | None, BeforeValidator(_absent_is_zero)] = Field(
        default=0.0, alias="currentOveragesWithPrecision"
    )
    cap: object = Field(default=None, alias="overageCapWithPrecision")
    charges: Number = Field(default=None, alias="overageCharges")
    rate: Number = Field(default=None, alias="overageRate")
    currency: Text = None
    next_reset: Number = Field(default=None, alias="nextDateReset")
    bonuses: object = None


class OverageConfiguration(Payload):
    """Whether credits beyond the plan may be used."""

    status: Text = Field(default=None, alias="overageStatus")


class Subscription(Payload):
    """The plan's name."""

    title: Text = Field(default=None, alias="subscriptionTitle")


class LimitsAnswer(Payload):
    """GetUsageLimits. Reset times are epoch seconds."""

    next_reset: Number = Field(default=None, alias="nextDateReset")
    overage: Annotated[OverageConfiguration, lenient_part(OverageConfiguration)] = Field(
        default=OverageConfiguration(), alias="overageConfiguration"
    )
    subscription: Annotated[Subscription | None, lenient(Subscription)] = Field(default=None, alias="subscriptionInfo")
    breakdowns: Annotated[tuple[Breakdown, ...], lenient_items(Breakdown)] = Field(
        default=(), alias="usageBreakdownList"
    )


@dataclass(frozen=True, slots=True)
class Limits:
    """A credible answer, in credits. `used` is the plan's part; `cap` is set only when overage is enabled."""

    limit: float
    used: float
    overage: float
    resets_at: datetime
    state: Literal["enabled", "disabled", "unknown"]
    cap: float | None = None
    charges: Decimal | None = None
    rate: Decimal | None = None
    currency: str = "USD"
    has_bonuses: bool = False
    title: str | None = None


def to_limits(answer: LimitsAnswer) -> Limits | None:
    """The answer's credits; None when there is not exactly one credit row or its numbers contradict each other."""
    rows = [row for row in answer.breakdowns if row.resource == "CREDIT"]
    if len(rows) != 1:
        return None
    row = rows[0]
    reset = next((time for time in map(_seconds, (row.next_reset, answer.next_reset)) if time), None)
    if row.limit is None or row.total is None or row.overage is None or reset is None:
        return None
    if min(row.limit, row.total, row.overage) < 0 or row.overage > row.total:
        return None
    used = row.total - row.overage
    has_bonuses = bool(row.bonuses)
    if used > row.limit + _ROUNDING and not has_bonuses:
        return None
    state, cap = _overage_state((answer.overage.status or "").upper(), row.cap)
    if cap is not None and not (math.isfinite(cap) and cap >= 0):
        return None
    return Limits(
        limit=row.limit,
        used=used,
        overage=row.overage,
        resets_at=reset,
        state=state,
        cap=cap,
        charges=exact(row.charges) if row.charges is not None and row.charges >= 0 else None,
        rate=exact(row.rate) if row.rate is not None and row.rate > 0 else None,
        currency=(row.currency or "USD").upper(),
        has_bonuses=has_bonuses,
        title=answer.subscription.title if answer.subscription else None,
    )


def _overage_state(status: str, cap: object) -> tuple[Literal["enabled", "disabled", "unknown"], float | None]:
    if status == "DISABLED":
        return "disabled", None
    if status != "ENABLED" or cap is None:
        return "unknown", None
    number = to_number(cap)
    return "enabled", math.nan if number is None else number


def _seconds(value: float | None) -> datetime | None:
    return datetime.fromtimestamp(value, UTC) if value is not None and _EARLIEST <= value <= _LATEST else None


# --- the login the program keeps -------------------------------------------------------------------


class StoredToken(Payload):
    """A row of `auth_kv`. Social logins carry their profile with them."""

    access_token: Text = Field(default=None, repr=False)
    profile_arn: Text = None


class StoredProfile(Payload):
    """The profile that the program chose at its login."""

    arn: Text = None


def state_databases(ctx: Context) -> tuple[Path, ...]:
    """Where the program may keep its state, in order."""
    if own := ctx.env_path("KIRO_DATA_DIR"):
        folders: tuple[Path, ...] = (own,)
    elif ctx.platform == "darwin":
        folders = (ctx.home / "Library" / "Application Support" / "kiro-cli",)
    elif ctx.platform == "win32":
        local_share = ctx.home / ".local" / "share"
        folders = tuple(base / "kiro-cli" for base in (ctx.data_home(), ctx.config_home(), local_share))
    else:
        folders = (ctx.data_home() / "kiro-cli",)
    return tuple(folder / "data.sqlite3" for folder in folders)


async def _stored_login(ctx: Context) -> tuple[Secret, str] | None:
    """The access token and the profile's ARN, if that profile lives in the one region whose address is known."""
    for path in state_databases(ctx):
        if not await ctx.files.in_thread(path.is_file):
            continue
        profile = StoredProfile.model_validate(await _row(ctx, path, "state", PROFILE_KEY) or {})
        for key in TOKEN_KEYS:
            token = StoredToken.model_validate(await _row(ctx, path, "auth_kv", key) or {})
            arn = profile.arn or token.profile_arn
            if token.access_token and arn:
                in_region = arn.split(":")[3:4] == [REGION]
                return (Secret(token.access_token), arn) if in_region else None
    return None


_QUERIES = {
    "auth_kv": "SELECT value FROM auth_kv WHERE key = ?",
    "state": "SELECT value FROM state WHERE key = ?",
}


async def _row(ctx: Context, path: Path, table: str, key: str) -> dict[str, Any] | None:
    try:
        rows = await ctx.databases.rows(path, _QUERIES[table], (key,))
        value = json.loads(rows[0][0]) if rows and isinstance(rows[0][0], str | bytes) else None
    except (OSError, ValueError, RecursionError, sqlite3.Error):
        return None
    return value if isinstance(value, dict) else None


async def limits(ctx: Context) -> Limits | None:
    """Ask the service. None when there is no login, no credible answer, or any failure."""
    try:
        login = await _stored_login(ctx)
        if login is None:
            return None
        token, arn = login
        headers = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": TARGET, "Cache-Control": "no-store"}
        answer = await ctx.http.send(
            "POST", URL, headers=headers, bearer=token, json={"profileArn": arn}, timeout=TIMEOUT
        )
        return to_limits(ctx.http.parse(ctx.http.check(answer), LimitsAnswer))
    except (ReadError, ValueError):
        return None
