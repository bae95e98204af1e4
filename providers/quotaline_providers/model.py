"""What one successful read of one account yields. Immutable; times are UTC-aware, money is `Decimal`."""

from __future__ import annotations

import hashlib
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

SESSION_MINUTES = 300
DAY_MINUTES = 1440
WEEK_MINUTES = 10080
MONTH_MINUTES = 43200  # doubles as "one calendar month"

MAX_LABEL = 120
"""Characters of a text that is one line of a display."""
MAX_TEXT = 200
"""Characters of any text and id."""
MAX_ITEMS = {
    "windows": 64,
    "balances": 32,
    "spends": 32,
    "details": 8,
    "rows": 24,
    "points": 120,
    "notes": 16,
    "credits": 64,
    "cut": 16,
}
"""Items of each tuple, by the field's name; any other one may have `MAX_OTHER_ITEMS`. Points are cut at their begin,
as the last ones are the newest, all others at their end."""
MAX_OTHER_ITEMS = 64
MAX_POINTS = 360
"""Points of all charts together."""


def _utc(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("a time needs a time zone")
    return value.astimezone(UTC)


def _label(value: object) -> object:
    """Trim and cut a text for display; an empty one becomes an em dash."""
    return (value.strip()[:MAX_LABEL] or "—") if isinstance(value, str) else value


Time = Annotated[datetime, AfterValidator(_utc)]
Label = Annotated[str, BeforeValidator(_label)]
Lane = Literal["primary", "secondary", "tertiary"]


class Model(BaseModel):
    """Base of all frozen values. A field that only a newer program knows is ignored, as these are stored."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False, defer_build=True)


class Window(Model):
    """An allowance over a period.

    `used_percent` is raw (may be below 0 or above 100) and None when only the reset is known. `used` and `limit` are
    in `unit`. `minutes` is the length; 43200 means one calendar month. `lane` is the slot a window fills in
    CodexBar's JSON; None makes it an extra window. `description` is shown when there is no reset time.
    `blocks` says whether its exhaustion stops the whole account (that of one model or feature does not); None when the
    provider does not tell: then a lane blocks and an extra window does not.
    `also` is a second slot that it fills where the vendor has no other window for it.
    A `placeholder` was invented to keep a slot filled and never counts as used, exhausted or binding. An `unlimited`
    window has no limit: what `used_percent` says (0 for CodexBar's JSON) is shown nowhere. `reset_refused`: the vendor
    told a reset that cannot be, so that none is shown, an earlier one neither.
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
    unlimited: bool = False
    reset_refused: bool = False

    @property
    def shown_percent(self) -> float | None:
        """Percent used, clamped to 0-100; None when it is unknown or there is no limit."""
        if self.used_percent is None or self.unlimited:
            return None
        return min(100.0, max(0.0, self.used_percent))

    @property
    def blocks_account(self) -> bool:
        """Whether nothing more can be used once this window is exhausted."""
        return self.lane is not None if self.blocks is None else self.blocks

    @property
    def exhausted(self) -> bool:
        return self.shown_percent == 100 and not self.placeholder


class Balance(Model):
    """An amount left. `unit` is an ISO currency code or a plain unit such as `credits`.

    `blocks` says whether the account stops when nothing is left. It does not where nothing was ever bought: a free
    account goes on.
    """

    id: str
    label: Label
    amount: Decimal
    unit: str
    blocks: bool = True

    @property
    def exhausted(self) -> bool:
        """Whether nothing is left of an amount that is needed."""
        return self.blocks and self.amount <= 0


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
    """Whose usage this is.

    `plan` is what the user subscribed to, as shown to people; None where there is no plan. `login` is what CodexBar's
    JSON has as `loginMethod` where that is something else: a way of signing in, a balance, a summary. It is for
    scripts alone.
    """

    account_id: str | None = None
    email: str | None = None
    organization: str | None = None
    plan: str | None = None
    login: str | None = None

    @property
    def login_method(self) -> str | None:
        """CodexBar's `loginMethod`."""
        return self.login or self.plan


class Row(Model):
    """One line of detail. `metric` and `number` are the same for programs: a name that never changes, and its value."""

    label: Label
    value: Label
    secondary: Label | None = None
    metric: str | None = None
    number: float | None = None


class Point(Model):
    """One value of a series; `label` is usually a day (YYYY-MM-DD) or a model name."""

    label: Label
    value: float


class Chart(Model):
    """A small series to draw. `id` is its name for programs, where it is a daily series (days are UTC)."""

    id: str | None = None
    kind: Literal["bars", "line"]
    points: tuple[Point, ...]
    title: Label | None = None
    unit: str | None = None


class Section(Model):
    """A titled group of detail rows, with an optional chart."""

    title: Label | None = None
    rows: tuple[Row, ...] = ()
    chart: Chart | None = None


class ModelUse(Model):
    """What one language model was used, for programs. `name` is as sent; `upstream` is whose model it is. `cached` are
    the input tokens that came from a cache; `total` holds all tokens. `credits` are the provider's own unit."""

    name: str
    upstream: str
    requests: int
    input: int
    output: int
    cached: int
    total: int
    credits: float | None = None


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


class Blocked(Model):
    """The vendor's own word that the account cannot be used now, whatever its windows and amounts say.

    `reason` is a short phrase for people without a full stop (`individual spend limit reached`); `until` is when it
    ends, None when that is not known.
    """

    reason: Label
    until: Time | None = None


class Confidence(StrEnum):
    """How far the numbers can be trusted."""

    EXACT = "exact"
    ESTIMATED = "estimated"
    PERCENT_ONLY = "percentOnly"
    UNKNOWN = "unknown"


class Usage(Model):
    """What one read of one account yields. Window ids are unique; windows are in display order.

    `source` is the label of the way it was read (`oauth`, `api`, `codex-cli`...), set by the run when left empty.
    `version` is the vendor program's version when one was asked. `cut` says what of it was too much to keep.
    `blocked` makes the account critical, with its reason in every face. `short_text` is what a status bar shows where
    nothing limits the account and there is no amount either (`34K tokens in 7 days`); it has no severity.
    `unread_limits` names what looks like a limit in the answer and was not read: then a 0 may be no 0.
    """

    updated_at: Time
    windows: tuple[Window, ...] = ()
    balances: tuple[Balance, ...] = ()
    spends: tuple[Spend, ...] = ()
    identity: Identity = Identity()
    details: tuple[Section, ...] = ()
    notes: tuple[str, ...] = ()
    confidence: Confidence = Confidence.UNKNOWN
    models: tuple[ModelUse, ...] = ()
    reset_credits: ResetCredits | None = None
    subscription_expires_at: Time | None = None
    subscription_renews_at: Time | None = None
    source: str = ""
    version: str | None = None
    limits_unavailable: bool = Field(default=False, description="The account is known but has no limits to show.")
    blocked: Blocked | None = None
    short_text: Label | None = None
    cut: tuple[str, ...] = ()
    unread_limits: tuple[str, ...] = ()

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


# --- how much of a usage is kept ---

M = TypeVar("M", bound=Model)


def capped(usage: Usage) -> Usage:
    """A usage of bounded size, whatever the vendor sent: `MAX_TEXT`, `MAX_ITEMS` and `MAX_POINTS` hold in it.

    What was cut is told in `Usage.cut`. The same usage comes back when nothing is too long.
    """
    cap = _Cap()
    kept = cap.model(usage)
    return kept if kept is usage else kept.model_copy(update={"cut": (*usage.cut, *cap.summary())[: MAX_ITEMS["cut"]]})


class _Cap:
    """Cuts what is too long in a model and all models in it, and notes what it has cut."""

    def __init__(self) -> None:
        self._sent: Counter[str] = Counter()
        self._kept: Counter[str] = Counter()
        self._texts = 0
        self._points = MAX_POINTS

    def summary(self) -> list[str]:
        """What was cut: `windows: 64 of 1500 kept`."""
        lists = [f"{name}: {self._kept[name]} of {sent} kept" for name, sent in self._sent.items()]
        return [*lists, f"texts: {self._texts} shortened to {MAX_TEXT} characters"] if self._texts else lists

    def model(self, model: M) -> M:
        changes: dict[str, object] = {}
        for name, value in model.__dict__.items():
            kept = self._value(name, value)
            if kept is not value:
                changes[name] = kept
        return model.model_copy(update=changes) if changes else model

    def _value(self, name: str, value: object) -> object:
        if isinstance(value, str):
            return self._text(name, value)
        if isinstance(value, tuple):
            return self._items(name, value)
        return self.model(value) if isinstance(value, Model) else value

    def _text(self, name: str, text: str) -> str:
        if len(text) <= MAX_TEXT:
            return text
        self._texts += 1
        if name == "id":  # ids stay different, and the same at the next read
            digest = hashlib.sha256(text.encode(errors="replace")).hexdigest()[:16]
            return f"{text[: MAX_TEXT - len(digest) - 1]}~{digest}"
        return text[: MAX_TEXT - 1] + "…"

    def _items(self, name: str, items: tuple[object, ...]) -> tuple[object, ...]:
        most = MAX_ITEMS.get(name, MAX_OTHER_ITEMS)
        if name == "points":
            most = min(most, self._points)
            self._points -= min(most, len(items))
        kept = items
        if len(items) > most:
            kept = items[len(items) - most :] if name == "points" else items[:most]
            self._sent[name] += len(items)
            self._kept[name] += most
        if name == "points":  # numbers with a short label each
            return kept
        whole = tuple(self._value(name, item) for item in kept)
        return whole if any(new is not old for new, old in zip(whole, items, strict=False)) else kept
