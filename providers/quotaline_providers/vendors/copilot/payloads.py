"""What GitHub sends of a Copilot seat, its owner, a sign-in, budgets, and an organisation's bill."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, RootModel, model_validator

from quotaline_providers import (
    Flag,
    Integer,
    Number,
    Payload,
    Text,
    When,
    lenient,
    lenient_items,
    parse_or_none,
    to_number,
    to_text,
)
from quotaline_providers.parsing.payload import to_flag


class Bucket(Payload):
    """One quota. Unknown numbers are None; `percent_remaining` below 0 is over quota."""

    not_read = frozenset({"quota_remaining"})  # the same as `remaining`

    entitlement: Number = None
    remaining: Number = None
    percent_remaining: Number = None
    credits_used: Number = None
    unlimited: Flag = None
    overage_count: Number = None
    overage_permitted: Flag = None

    @property
    def endless(self) -> bool:
        """Whether there is no limit. -1 stands for that, but one left less than none of a limit is one over it."""
        return bool(self.unlimited) or self.entitlement == -1 or (self.remaining == -1 and not self.entitlement)

    @property
    def percent_left(self) -> float | None:
        """100 when unlimited, below 0 over quota, None when unknown."""
        if self.endless:
            return 100
        if self.percent_remaining is not None:
            return self.percent_remaining
        if self.remaining is not None and self.entitlement is not None and self.entitlement > 0:
            return self.remaining / self.entitlement * 100
        return None

    @property
    def usable(self) -> bool:
        """Whether it is metered here at all, or has no end. Business seats are sent 0 of 0 at 100 %: a placeholder."""
        return self.endless or (self.entitlement != 0 and self.percent_left is not None)

    @property
    def window_percent(self) -> float | None:
        """Percent used, raw above 100; None when it is not a window."""
        left = self.percent_left
        return None if self.endless or not self.usable or left is None else max(0.0, 100 - left)


class Counts(Payload):
    """Monthly counts of the free plan."""

    chat: Number = None
    completions: Number = None


def _buckets(value: object) -> dict[str, Bucket]:
    if not isinstance(value, Mapping):
        return {}
    found = {str(name): parse_or_none(Bucket, bucket) for name, bucket in value.items()}
    return {name: bucket for name, bucket in found.items() if bucket is not None}


class UserAnswer(Payload):
    """GET /copilot_internal/user. `limited_user_quotas` is what is left of `monthly_quotas`."""

    copilot_plan: Text = None
    access_type_sku: Text = None
    can_signup_for_limited: Flag = None
    token_based_billing: Flag = None
    quota_reset_date: When = None
    quota_reset_date_utc: When = None
    limited_user_reset_date: When = None
    login: Text = None
    quota_snapshots: Annotated[dict[str, Bucket], BeforeValidator(_buckets)] = Field(default_factory=dict)
    monthly_quotas: Annotated[Counts | None, lenient(Counts)] = None
    limited_user_quotas: Annotated[Counts | None, lenient(Counts)] = None

    @property
    def no_access(self) -> bool:
        """Whether this GitHub account has no Copilot."""
        return (self.access_type_sku or "").lower() == "no_access"

    @property
    def resets_at(self) -> datetime | None:
        return self.quota_reset_date or self.quota_reset_date_utc or self.limited_user_reset_date


class Person(Payload):
    """GET /user."""

    id: Integer = None
    login: Text = None


class DeviceCode(Payload):
    """POST /login/device/code. Times are seconds."""

    device_code: Text = None
    user_code: Text = None
    verification_uri: Text = None
    verification_uri_complete: Text = None
    expires_in: Number = None
    interval: Number = None


class TokenAnswer(Payload):
    """POST /login/oauth/access_token: a token, or why there is none yet."""

    access_token: Text = None
    error: Text = None


# GitHub has renamed these often; the first name that holds something counts.
_IDS = ("id", "uuid", "budget_id", "budgetId")
_NAMES = ("name", "display_name", "displayName", "title")
_TYPES = ("budget_type", "budgetType", "type", "pricing_target_type", "pricingTargetType")
_SKUS = (
    *("budget_product_skus", "budgetProductSkus", "budget_product_sku", "budgetProductSku", "product_skus"),
    *("productSkus", "skus", "sku", "product", "product_name", "productName", "pricing_target_id", "pricingTargetId"),
)
_SKU_KEYS = ("sku", "name", "display_name", "displayName", "product", "product_name", "productName")
_ENTITIES = (
    *("budget_entity_name", "budgetEntityName", "entity_name", "entityName"),
    *("target_name", "targetName"),
)
_LIMITS = (
    *("budget_amount", "budgetAmount", "target_amount", "targetAmount", "spending_limit", "spendingLimit"),
    *("limit", "amount", "max"),
)
_USED = (
    *("current_usage", "currentUsage", "current_amount", "currentAmount", "usage_amount", "usageAmount"),
    *("usage", "spent", "amount_used", "amountUsed"),
)


def to_dollars(value: object) -> float | None:
    """US dollars from a number, a text such as `$1,200.50` or `-$3`, or an object that holds either."""
    if isinstance(value, Mapping):
        for key in ("amount", "value", "total", "cents", "formatted"):
            if (amount := to_dollars(value.get(key))) is not None:
                return amount / 100 if key == "cents" else amount
        return None
    if isinstance(value, str):
        text = value.replace("$", "").replace(",", "").replace(" ", "")
        return to_number(text) if "-" not in text[1:] else None
    return to_number(value)


def _skus(value: object) -> tuple[str, ...]:
    if isinstance(value, list):
        return tuple(text for item in value for text in _skus(item))
    if isinstance(value, Mapping):
        return next(((text,) for key in _SKU_KEYS if (text := to_text(value.get(key)))), ())
    text = to_text(value)
    return (text,) if text else ()


class Budget(Payload):
    """One budget, its many spellings folded into one. Amounts are US dollars."""

    id: str | None = None
    name: str | None = None
    type: str | None = None
    entity: str | None = None
    skus: tuple[str, ...] = ()
    limit: float | None = None
    used: float | None = None

    @model_validator(mode="before")
    @classmethod
    def _fold(cls, raw: Any) -> Any:
        if not isinstance(raw, Mapping):
            return raw

        def text(names: tuple[str, ...]) -> str | None:
            return next((found for name in names if (found := to_text(raw.get(name)))), None)

        def dollars(names: tuple[str, ...]) -> float | None:
            return next((found for name in names if (found := to_dollars(raw.get(name))) is not None), None)

        return {
            "id": text(_IDS),
            "name": text(_NAMES),
            "type": text(_TYPES),
            "entity": text(_ENTITIES),
            "skus": next((found for name in _SKUS if (found := _skus(raw.get(name)))), ()),
            "limit": dollars(_LIMITS),
            "used": dollars(_USED),
        }


class BudgetPage(Payload):
    """GET /settings/billing/budgets?page=n, the object itself or its `payload`."""

    budgets: Annotated[tuple[Budget, ...], lenient_items(Budget)] = ()
    more: bool = False

    @model_validator(mode="before")
    @classmethod
    def _unwrap(cls, raw: Any) -> Any:
        inner = raw.get("payload") if isinstance(raw, Mapping) else None
        body = inner if isinstance(inner, Mapping) and "budgets" not in raw else raw
        if not isinstance(body, Mapping):
            return body
        more = any(to_flag(body.get(name)) for name in ("hasNextPage", "has_next_page"))
        return {"budgets": body.get("budgets"), "more": more}


class Organization(Payload):
    """An organisation that the token's owner belongs to."""

    login: Text = None


class Organizations(RootModel[Annotated[tuple[Organization, ...], lenient_items(Organization)]]):
    """GET /user/orgs."""


class UsageItem(Payload):
    """What a product was used; `gross` in its unit, `net` in US dollars."""

    product: Text = None
    unit_type: Text = Field(default=None, alias="unitType")
    gross: Number = Field(default=None, alias="grossQuantity")
    net: Number = Field(default=None, alias="netAmount")


class Summary(Payload):
    """GET /orgs/<org>/settings/billing/usage/summary."""

    items: Annotated[tuple[UsageItem, ...], lenient_items(UsageItem)] = Field(default=(), alias="usageItems")
