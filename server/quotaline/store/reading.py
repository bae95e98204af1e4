"""What the store knows of one account, and the row of the table `reading` that it is kept as."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from quotaline.state import NOBODY, Failure, Held
from quotaline_providers.model import Usage


@dataclass(frozen=True, slots=True)
class Reading:
    """What the store knows of one account, read with a config entry of this `digest` from the `source` asked for.

    `tried` are the fingerprints of the credentials with which the vendor was asked at the last attempt, in order.
    """

    key: str
    provider: str
    account: str
    usage: Usage | None = None
    usage_at: datetime | None = None
    fingerprint: str = ""
    digest: str = ""
    source: str = "auto"
    failure: Failure | None = None
    failures: int = 0
    attempted_at: datetime | None = None
    cool_until: datetime | None = None
    held: Held = NOBODY
    tried: tuple[str, ...] = ()


COLUMNS = (
    "key, provider, account, usage, usage_at, fingerprint, digest, source, failure, failures, attempted_at, "
    "cool_until, headline, challenger, tried"
)
_CHANGES = ", ".join(f"{name} = excluded.{name}" for name in COLUMNS.split(", ")[1:])
SELECT = f"SELECT {COLUMNS} FROM reading"  # noqa: S608 (constants)
SELECT_ONE = f"{SELECT} WHERE key = ?"
UPSERT = (
    f"INSERT INTO reading ({COLUMNS}) VALUES ({', '.join('?' * 15)}) "  # noqa: S608 (constants)
    f"ON CONFLICT (key) DO UPDATE SET {_CHANGES}"
)

Row = tuple[Any, ...]
"""One row, its values in the order of `COLUMNS`; times are epoch seconds."""
ATTEMPTED_AT = COLUMNS.split(", ").index("attempted_at")


def to_row(reading: Reading) -> Row:
    return (
        reading.key,
        reading.provider,
        reading.account,
        reading.usage.model_dump_json(exclude_defaults=True) if reading.usage else None,
        _seconds(reading.usage_at),
        reading.fingerprint,
        reading.digest,
        reading.source,
        reading.failure.model_dump_json(exclude_defaults=True) if reading.failure else None,
        reading.failures,
        _seconds(reading.attempted_at),
        _seconds(reading.cool_until),
        reading.held.id,
        reading.held.challenger,
        " ".join(reading.tried),
    )


def to_reading(row: Row) -> Reading | None:
    """The reading of a row; None when it cannot be understood."""
    try:
        return Reading(
            key=row[0],
            provider=row[1],
            account=row[2],
            usage=Usage.model_validate_json(row[3]) if row[3] else None,
            usage_at=_maybe_time(row[4]),
            fingerprint=row[5],
            digest=row[6],
            source=row[7],
            failure=Failure.model_validate_json(row[8]) if row[8] else None,
            failures=row[9],
            attempted_at=_maybe_time(row[10]),
            cool_until=_maybe_time(row[11]),
            held=Held(row[12], row[13]),
            tried=tuple(row[14].split()),
        )
    except (ValidationError, ValueError, TypeError, AttributeError, OverflowError, OSError):
        return None


def to_time(seconds: float) -> datetime:
    """A time (UTC) of epoch seconds."""
    return datetime.fromtimestamp(seconds, UTC)


def _maybe_time(seconds: float | None) -> datetime | None:
    return None if seconds is None else to_time(seconds)


def _seconds(time: datetime | None) -> float | None:
    return None if time is None else time.timestamp()
