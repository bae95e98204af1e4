"""What one successful read of one account yields. Immutable; times are UTC-aware, money is `Decimal`."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

SESSION_MINUTES = 300
DAY_MINUTES = 1440
WEEK_MINUTES = 10080
MONTH_MINUTES = 43200  # doubles as "one calendar month"

MAX_SECTIONS, MAX_ROWS, MAX_POINTS, MAX_TEXT = 8, 24, 120, 120


def _utc(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("a time needs a time zone")
    return value.astimezone(UTC)


def _label(value: object) -> object:
    """Trim and cut a text for display; an empty one becomes an em dash."""
    return (value.strip()[:MAX_TEXT] or "—") if isinstance(value, str) else value


Time = Annotated[datetime, AfterValidator(_utc)]
Label = Annotated[str, BeforeValidator(_label)]
Lane = Literal["primary", "secondary", "tertiary"]


class Model(BaseModel):
    """Base of all frozen values."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, defer_build=True)


class Window(Model):
    """An allowance over a period.

    `used_percent` is raw (may be below 0 or above 100) and None when only the reset is known. `used` and `limit` are
    in `unit`. `minutes` is the length; 43200 means one calendar month. `lane` is the slot a window fills in
    CodexBar's JSON; None makes it an extra window. `description` is shown when there is no reset time.
    `blocks` says whether its exhaustion stops the whole account (that of one model or feature does not); None when the
    provider does not tell: then a lane blocks and an extra window does not.
    `also` is a second slot that it fills where the vendor has no other window for it.
    A `placeholder` was invented to keep a slot filled and never counts as used, exhausted or binding.
    """

    id: str
    label: Label
    used_percent: float | None = None
    used: float | None = None
    limit: float | None = None
    unit: str | None = None
    minutes: int | None = None
    resets_at: Time | None = None
    description: str | None = None
    lane: Lane | None = None
    also: Lane | None = None
    next_regen_percent: float | None = None
    placeholder: bool = False
    blocks: bool | None = None

    @property
    def shown_percent(self) -> float | None:
        """Percent used, clamped to 0-100."""
        return None if self.used_percent is None else min(100.0, max(0.0, self.used_percent))

    @property
    def blocks_account(self) -> bool:
        """Whether nothing more can be used once this window is exhausted."""
        return self.lane is not None if self.blocks is None else self.blocks

    @property
    def exhausted(self) -> bool:
        return self.used_percent is not None and self.used_percent >= 100 and not self.placeholder


class Balance(Model):
    """An amount left. `unit` is an ISO currency code or a plain unit such as `credits`."""

    id: str
    label: Label
    amount: Decimal
    unit: str


class Spend(Model):
    """An amount used over a period. `limit` None means no limit is known. Source: `providerCost` in CodexBar.

    `next_regen` is what comes back at `resets_at`, where the allowance fills up step by step.
    """

    id: str
    label: Label
    used: Decimal
    unit: str
    limit: Decimal | None = None
    period: str | None = None
    resets_at: Time | None = None
    balance: Decimal | None = None
    next_regen: Decimal | None = None


class Identity(Model):
    """Whose usage this is. `plan` is the vendor's plan or login method, as shown to people."""

    account_id: str | None = None
    email: str | None = None
    organization: str | None = None
    plan: str | None = None


class Row(Model):
    """One line of detail."""

    label: Label
    value: Label
    secondary: Label | None = None


class Point(Model):
    """One value of a series; `label` is usually a day (YYYY-MM-DD) or a model name."""

    label: Label
    value: float


class Chart(Model):
    """A small series to draw."""

    kind: Literal["bars", "line"]
    points: Annotated[tuple[Point, ...], BeforeValidator(lambda points: tuple(points)[-MAX_POINTS:])]
    title: Label | None = None
    unit: str | None = None


class Section(Model):
    """A titled group of detail rows, with an optional chart."""

    title: Label | None = None
    rows: Annotated[tuple[Row, ...], BeforeValidator(lambda rows: tuple(rows)[:MAX_ROWS])] = ()
    chart: Chart | None = None


class ResetCredit(Model):
    """A voucher that resets a limit early (Codex). `id` is already a digest, never the vendor's own."""

    id: str
    status: str
    reset_type: str | None = None
    granted_at: Time | None = None
    expires_at: Time | None = None
    redeem_started_at: Time | None = None
    redeemed_at: Time | None = None
    title: str | None = None
    description: str | None = None


class ResetCredits(Model):
    """All vouchers of an account and how many can be used now."""

    available: int
    credits: tuple[ResetCredit, ...] = ()


class Confidence(StrEnum):
    """How far the numbers can be trusted."""

    EXACT = "exact"
    ESTIMATED = "estimated"
    PERCENT_ONLY = "percentOnly"
    UNKNOWN = "unknown"


class Usage(Model):
    """What one read of one account yields. Window ids are unique; windows are in display order.

    `source` is the label of the way it was read (`oauth`, `api`, `codex-cli`...), set by the run when left empty.
    `version` is the vendor program's version when one was asked.
    """

    updated_at: Time
    windows: tuple[Window, ...] = ()
    balances: tuple[Balance, ...] = ()
    spends: tuple[Spend, ...] = ()
    identity: Identity = Identity()
    details: Annotated[tuple[Section, ...], BeforeValidator(lambda items: tuple(items)[:MAX_SECTIONS])] = ()
    notes: tuple[str, ...] = ()
    confidence: Confidence = Confidence.UNKNOWN
    reset_credits: ResetCredits | None = None
    subscription_expires_at: Time | None = None
    subscription_renews_at: Time | None = None
    source: str = ""
    version: str | None = None
    limits_unavailable: bool = Field(default=False, description="The account is known but has no limits to show.")

    def window(self, id: str) -> Window:
        """The window with this id. Raises KeyError."""
        for window in self.windows:
            if window.id == id:
                return window
        raise KeyError(id)

    def balance(self, id: str) -> Balance:
        """The balance with this id. Raises KeyError."""
        for balance in self.balances:
            if balance.id == id:
                return balance
        raise KeyError(id)

    def spend(self, id: str) -> Spend:
        """The spend with this id. Raises KeyError."""
        for spend in self.spends:
            if spend.id == id:
                return spend
        raise KeyError(id)

    def row(self, label: str) -> Row:
        """The first detail row with this label. Raises KeyError."""
        for section in self.details:
            for row in section.rows:
                if row.label == label:
                    return row
        raise KeyError(label)

    def lane(self, lane: Lane) -> Window | None:
        """The window that fills a CodexBar slot."""
        own = (window for window in self.windows if window.lane == lane)
        return next(own, None) or next((window for window in self.windows if window.also == lane), None)
