"""What an account's credits, Kilo Pass and automatic top-ups mean, from the payloads of the three procedures. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from quotaline_providers import (
    Balance,
    Identity,
    Lane,
    Row,
    Section,
    Usage,
    Window,
    child,
    exact,
    grouped,
    last_to_stop,
    money,
    share,
    to_number,
    to_time,
)
from quotaline_providers.parsing.json_search import Object, first_in
from quotaline_providers.parsing.payload import to_flag, to_words
from quotaline_providers.vendors.kilo.payloads import contexts, switch

MICRO = 1_000_000  # what the vendor calls `mUsd` are millionths of a dollar
_CREDITS = {
    "used": "used usedCredits creditsUsed consumed spent",
    "total": "total totalCredits creditsTotal limit",
    "left": "remaining remainingCredits creditsRemaining",
}
_BLOCK_USED = "used usedCredits consumed spent creditsUsed"
_PASS_OF_OLD = ("currentPeriodUsageUsd", "currentPeriodBaseCreditsUsd", "currentPeriodBonusCreditsUsd", "tier")
_PASS: dict[str, tuple[str, str, str]] = {
    "total": (
        "amountCents totalCents planAmountCents monthlyAmountCents limitCents includedCents valueCents",
        "amount_mUsd total_mUsd planAmount_mUsd limit_mUsd included_mUsd value_mUsd",
        "amount total limit included value creditsTotal totalCredits planAmount",
    ),
    "used": (
        "usedCents spentCents consumedCents usedAmountCents consumedAmountCents",
        "used_mUsd spent_mUsd consumed_mUsd usedAmount_mUsd",
        "used spent consumed usage creditsUsed usedAmount consumedAmount",
    ),
    "left": (
        "remainingCents remainingAmountCents availableCents leftCents balanceCents",
        "remaining_mUsd available_mUsd left_mUsd balance_mUsd",
        "remaining available left balance creditsRemaining remainingAmount availableAmount",
    ),
    "bonus": (
        "bonusCents bonusAmountCents includedBonusCents bonusRemainingCents",
        "bonus_mUsd bonusAmount_mUsd",
        "bonus bonusAmount bonusCredits includedBonus",
    ),
}
_RENEWAL = "nextBillingAt nextRenewalAt renewsAt renewAt"
_RESET = "resetAt resetsAt nextResetAt renewAt renewsAt nextRenewalAt currentPeriodEnd periodEndsAt expiresAt expiryAt"
_TIERS = {"tier_19": "Starter", "tier_49": "Pro", "tier_199": "Expert"}
_PLAN_PATHS = (("plan", "name"), ("subscription", "plan", "name"), ("subscription", "name"), ("pass", "name"))
_SHOWN_BLOCKS = 8


@dataclass(frozen=True)
class Amounts:
    """Dollars used of a total and what is left of it; None where it is not known."""

    used: float | None = None
    total: float | None = None
    left: float | None = None
    bonus: float = 0.0
    resets_at: datetime | None = None

    @property
    def allowance(self) -> float | None:
        if self.total is not None:
            return max(0.0, self.total)
        return None if self.used is None or self.left is None else max(0.0, self.used + self.left)

    @property
    def spent(self) -> float:
        if self.used is not None:
            return max(0.0, self.used)
        return max(0.0, (self.allowance or 0.0) - self.left) if self.left is not None else 0.0

    @property
    def percent(self) -> float | None:
        """0-100; an allowance of nothing is used up."""
        total = self.allowance
        if total is None:
            return None
        return share(self.spent, total) if total > 0 else 100.0


# --- credits ---------------------------------------------------------------------------------------


def credits_of(payload: object) -> Amounts | None:
    """The credit balance; None when no number states it."""
    places = contexts(payload)
    blocks = first_in(places, "creditBlocks", _array)
    known = _of_blocks(blocks) if blocks else None
    return known or _of_names(places) or _of_balance(places)


def _array(value: object) -> list[object] | None:
    return value if isinstance(value, list) else None


def _of_blocks(blocks: Sequence[object]) -> Amounts | None:
    total, left = (_sum(blocks, name) for name in ("amount_mUsd", "balance_mUsd"))
    if total is None and left is None:
        return None
    return Amounts(None if total is None or left is None else max(0.0, total - left), total, left)


def _sum(blocks: Sequence[object], name: str) -> float | None:
    found = [n for block in blocks if isinstance(block, dict) and (n := to_number(block.get(name))) is not None]
    return max(0.0, sum(found) / MICRO) if found else None


def _of_names(places: Sequence[Object]) -> Amounts | None:
    blocks = [block for block in first_in(places, "blocks", _array) or () if isinstance(block, dict)]

    def find(what: str, in_blocks: str = "") -> float | None:
        names = _CREDITS[what]
        inside = first_in(blocks, in_blocks or names, to_number)
        return first_in(places, names, to_number) if inside is None else inside

    used, total, left = find("used", _BLOCK_USED), find("total"), find("left")
    return None if used is None and total is None and left is None else Amounts(used, total, left)


def _of_balance(places: Sequence[Object]) -> Amounts | None:
    balance = first_in(places, "totalBalance_mUsd", to_number)
    if balance is None:
        return None
    left = max(0.0, balance / MICRO)
    return Amounts(0.0, left, left)


# --- the pass --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Pass:
    """A subscription: its plan's name and its allowance of the running month."""

    plan: str | None
    amounts: Amounts


def pass_of(payload: object) -> Pass:
    """The Kilo Pass, from its subscription or whatever else the answer holds."""
    subscription = _subscription(payload)
    if subscription is None:
        places = contexts(payload)
        return Pass(_plan_in(payload, places), _generic(places))
    used, base, bonus = (_dollars(subscription.get(name)) for name in _PASS_OF_OLD[:3])
    total = None if base is None else base + (bonus or 0.0)
    left = None if total is None or used is None else max(0.0, total - used)
    tier = to_words(subscription.get("tier"))
    return Pass(
        plan=_TIERS.get(tier, tier) if tier else "Kilo Pass",
        amounts=Amounts(used, total, left, bonus or 0.0, first_in((subscription,), _RENEWAL, to_time)),
    )


def _subscription(payload: object) -> Object | None:
    if not isinstance(payload, dict):
        return None
    if "subscription" in payload:
        return child(payload, "subscription")
    return payload if any(name in payload for name in _PASS_OF_OLD) else None


def _dollars(value: object) -> float | None:
    number = to_number(value)
    return None if number is None else max(0.0, number)


def _generic(places: Sequence[Object]) -> Amounts:
    total, used, left, bonus = (_scaled(places, *_PASS[what]) for what in ("total", "used", "left", "bonus"))
    if total is None and used is not None and left is not None:
        total = used + left
    if used is None and total is not None and left is not None:
        used = max(0.0, total - left)
    if left is None and total is not None and used is not None:
        left = max(0.0, total - used)
    return Amounts(used, total, left, bonus or 0.0, first_in(places, _RESET, to_time))


def _scaled(places: Sequence[Object], cents: str, micro: str, plain: str) -> float | None:
    """Dollars: names in cents count before those in millionths, and these before plain ones."""
    for names, divisor in ((cents, 100), (micro, MICRO), (plain, 1)):
        if (value := first_in(places, names, to_number)) is not None:
            return value / divisor
    return None


def _plan_in(payload: object, places: Sequence[Object]) -> str | None:
    """The plan's name, wherever it may stand without a subscription."""
    if named := first_in(places, "planName tier tierName passName subscriptionName", to_words):
        return named
    paths = (*_PLAN_PATHS, ("state", "name"))
    for *way, last in paths:
        if found := to_words((child(payload, *way) or {}).get(last)):
            return found
    root: Object = payload if isinstance(payload, dict) else {}
    name = first_in(places, "name", to_words)
    return to_words(root.get("state")) or (name if name and "pass" in name.lower() else None)


# --- automatic top-ups -----------------------------------------------------------------------------


def top_up_text(credits: object, method: object) -> str | None:
    """Whether credits are bought automatically, and how; None when that is not known."""
    places = contexts(method)
    enabled = first_in(places, "enabled isEnabled active", switch)
    if enabled is None:
        enabled = first_in(places, "status", _status)
    if enabled is None:
        enabled = first_in(contexts(credits), "autoTopUpEnabled", switch)
    if enabled is None:
        return None
    if not enabled:
        return "Auto top-up: off"
    named = first_in(places, "paymentMethod paymentMethodType method cardBrand", to_words)
    return f"Auto top-up: {named or _top_up_amount(places) or 'enabled'}"


def _status(value: object) -> bool | None:
    word = (to_words(value) or "").lower()
    if word in ("enabled", "active", "on"):
        return True
    return False if word in ("disabled", "inactive", "off", "none") else None


def _top_up_amount(places: Sequence[Object]) -> str | None:
    cents = first_in(places, "amountCents", _positive)
    dollars = first_in(places, "amount topUpAmount amountUsd", _positive) if cents is None else cents / 100
    return None if dollars is None else money(dollars).removesuffix(".00")


def _positive(value: object) -> float | None:
    number = to_number(value)
    return number if number and number > 0 else None


# --- all of it -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Account:
    """What is known of a person's account, or of an organisation's."""

    credits: Amounts | None
    subscription: Pass
    top_up: str | None
    blocks: tuple[Row, ...] = ()


def account_of(credits: object, subscription: object, method: object) -> Account:
    """The account, from the three procedures' payloads; None is one that failed."""
    return Account(credits_of(credits), pass_of(subscription), top_up_text(credits, method), block_rows(credits))


def block_rows(payload: object) -> tuple[Row, ...]:
    """The blocks of credits that still hold something, in the vendor's order."""
    rows = []
    for block in first_in(contexts(payload), "creditBlocks", _array) or ():
        left = to_number(block.get("balance_mUsd")) if isinstance(block, dict) else None
        if isinstance(block, dict) and left and left > 0:
            expiry = to_time(block.get("expiry_date"))
            until = f"until {expiry:%Y-%m-%d}" if expiry else "without end"
            kind = "Free credits" if to_flag(block.get("is_free")) else "Credits"
            rows.append(Row(label=kind, value=f"{money(left / MICRO)} left", secondary=until))
    return tuple(rows[:_SHOWN_BLOCKS])


def windows(account: Account, prefix: str = "", name: str = "") -> tuple[Window, ...]:
    """Credits and Kilo Pass, in lanes for the account itself; with a prefix and a name for an organisation's.

    One of the two pays on when the other is used up; an organisation's never stops the account.
    """
    found: list[Window] = []
    pools: tuple[tuple[str, str, Lane, Amounts | None, Callable[[Amounts], str]], ...] = (
        ("credits", "Credits", "primary", account.credits, _credits_text),
        ("pass", "Kilo Pass", "secondary", account.subscription.amounts, _pass_text),
    )
    for id, label, lane, amounts, worded in pools:
        if amounts is None or amounts.percent is None:
            continue
        found.append(
            Window(
                id=prefix + id,
                label=f"{name} {label}".strip(),
                used_percent=amounts.percent,
                used=amounts.spent,
                limit=amounts.allowance or None,
                unit="USD",
                resets_at=amounts.resets_at,
                description=worded(amounts),
                lane=None if prefix else lane,
                blocks=False,
            )
        )
    return tuple(found) if prefix else last_to_stop(found)


def _credits_text(amounts: Amounts) -> str:
    return f"{_plain(amounts.spent)}/{_plain(amounts.allowance or 0)} credits"


def _plain(value: float) -> str:
    return grouped(value, 0) if value == int(value) else f"{value:,.2f}"


def _pass_text(amounts: Amounts) -> str:
    text = f"{money(amounts.spent)} / {money(max(0.0, (amounts.allowance or 0) - amounts.bonus))}"
    return f"{text} (+ {money(amounts.bonus)} bonus)" if amounts.bonus > 0 else text


def balances(account: Account, prefix: str = "", name: str = "") -> tuple[Balance, ...]:
    """The credits left in US dollars. `prefix` and `name` mark an organisation's."""
    left = account.credits.left if account.credits else None
    if left is None:
        return ()
    amount = exact(max(0.0, left))
    return (Balance(id=f"{prefix}credits", label=f"{name} Credits".strip(), amount=amount, unit="USD"),)


def to_usage(account: Account, now: datetime) -> Usage:
    """The account's own usage."""
    login = " · ".join(part for part in (account.subscription.plan, account.top_up) if part)
    return Usage(
        updated_at=now,
        windows=windows(account),
        balances=balances(account),
        identity=Identity(plan=account.subscription.plan, login=login or None),
        details=(Section(title="Credit blocks", rows=account.blocks),) if account.blocks else (),
        notes=(f"{account.top_up}.",) if account.top_up else (),
    )
