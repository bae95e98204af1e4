"""Moonshot / Kimi Open Platform: the prepaid balance of an API account. A key belongs to one of two regions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import Field

import quotaline_providers as ql

INTERNATIONAL, CHINA = "international", "china"
BASES = {INTERNATIONAL: "https://api.moonshot.ai", CHINA: "https://api.moonshot.cn"}
CURRENCIES = {INTERNATIONAL: "USD", CHINA: "CNY"}
ENV = ("MOONSHOT_API_KEY", "MOONSHOT_KEY")
TIMEOUT, INFO_SECONDS = 15.0, 5.0
_SCODE = re.compile(r"(?:0x)?[0-9A-Fa-f]{1,8}")
REGION_HINT = "Check that the key belongs to this region."

# --- what the vendor sends -------------------------------------------------------------------------


class Amounts(ql.Payload):
    """US dollars (international) or yuan (China); the cash part may be negative while vouchers last."""

    available_balance: ql.NeededNumber
    voucher_balance: ql.NeededNumber
    cash_balance: ql.NeededNumber


class Envelope(ql.Payload):
    """Around every answer: `code` 0 and a true `status` mean success."""

    code: ql.NeededNumber
    status: Annotated[bool, Field(strict=True)]
    scode: ql.Text = None
    message: ql.Text = None
    error: ql.Text = None

    @property
    def good(self) -> bool:
        return self.code == 0 and self.status

    @property
    def reason(self) -> str:
        """The vendor's codes, where they are codes and not text, and its words, where they are words."""
        known = self.scode if self.scode and _SCODE.fullmatch(self.scode) else None
        words = ql.sentence(self.message) or ql.sentence(self.error)
        return f"(code {self.code:.0f}{f', scode {known}' if known else ''}){f': {words}' if words else '.'}"


class BalanceAnswer(Envelope):
    """`GET /v1/users/me/balance`."""

    data: Annotated[Amounts | None, ql.lenient(Amounts)] = None


class Organization(ql.Payload):
    """An account's limits."""

    id: ql.Text = None
    max_concurrency: ql.Integer = None
    max_request_per_minute: ql.Integer = None
    max_token_per_minute: ql.Integer = None
    max_token_quota: ql.Integer = None


class User(ql.Payload):
    """An account's owner."""

    user_group_id: ql.Text = None


class Info(ql.Payload):
    """What an account is; the tier stands in either place."""

    organization: Annotated[Organization | None, ql.lenient(Organization)] = None
    user: Annotated[User | None, ql.lenient(User)] = None
    user_group_id: ql.Text = None

    @property
    def tier(self) -> str | None:
        return self.user_group_id or (self.user.user_group_id if self.user else None)


class InfoAnswer(Envelope):
    """`GET /v1/users/me`: limits only, no live counters; 0 means not given."""

    data: Annotated[Info | None, ql.lenient(Info)] = None


# --- how it becomes a usage ------------------------------------------------------------------------


def amount(value: float, region: str) -> str:
    """Money in the region's currency."""
    return ql.yuan(value) if region == CHINA else ql.money(value)


def balance_text(amounts: Amounts, region: str) -> str:
    """`$12.50`, with what is owed in cash behind it, where that is not the balance itself."""
    text = amount(amounts.available_balance, region)
    if amounts.cash_balance < 0 and amounts.available_balance != amounts.cash_balance:
        text += f" · {amount(abs(amounts.cash_balance), region)} in deficit"
    return text


def to_usage(amounts: Amounts, info: Info | None, region: str, now: datetime) -> ql.Usage:
    """The usage of one account, in the region's currency."""
    text = balance_text(amounts, region)
    rows = (
        ql.Row(label="Balance", value=text),
        ql.Row(label="Available", value=amount(amounts.available_balance, region)),
        ql.Row(label="Vouchers", value=amount(amounts.voucher_balance, region)),
        ql.Row(label="Cash", value=amount(amounts.cash_balance, region)),
    )
    limits = _limits(info.organization) if info and info.organization else ()
    sections = (ql.Section(title="Balance", rows=rows), *((ql.Section(title="Limits", rows=limits),) if limits else ()))
    left = ql.exact(amounts.available_balance)
    return ql.Usage(
        updated_at=now,
        balances=(ql.Balance(id="balance", label="Balance", amount=left, unit=CURRENCIES[region]),),
        identity=ql.Identity(
            plan=info.tier if info else None,
            login=(info.tier if info else None) or f"Balance: {text}",
            organization=info.organization.id if info and info.organization else None,
        ),
        details=sections,
    )


def _limits(organization: Organization) -> tuple[ql.Row, ...]:
    caps = (
        ("Requests per minute", organization.max_request_per_minute),
        ("Tokens per minute", organization.max_token_per_minute),
        ("Concurrency", organization.max_concurrency),
        ("Token quota", organization.max_token_quota),
    )
    return tuple(ql.Row(label=label, value=ql.grouped(cap)) for label, cap in caps if cap and cap > 0)


# --- regions and keys ------------------------------------------------------------------------------


def _known(value: str | None) -> str | None:
    name = (value or "").strip().lower()
    return name if name in BASES else None


def _configured(ctx: ql.Context, name: str, value: str | None) -> str | None:
    if value is not None and _known(value) is None:
        raise ql.Misconfigured(
            f"The setting {name} is not a Moonshot region.", f"Set {name} to {INTERNATIONAL} or {CHINA}."
        )
    return _known(value)


def ambient_region(ctx: ql.Context) -> str:
    """The region of keys in the environment."""
    return _known(ctx.env("MOONSHOT_REGION")) or INTERNATIONAL


def region_of(ctx: ql.Context) -> str:
    """The region that is read. Raises Misconfigured."""
    return _configured(ctx, "region", ctx.settings.region) or ambient_region(ctx)


def key_region(ctx: ql.Context) -> str:
    """The region of the user's own key. Raises Misconfigured."""
    bound = _configured(ctx, "apiKeyRegion", ctx.settings.own_text("apiKeyRegion"))
    return bound or _configured(ctx, "region", ctx.settings.region) or INTERNATIONAL


@dataclass(frozen=True)
class RegionalKey(ql.Lookup[ql.Credential]):
    """A key of the region that is read: it must not reach the other region's host."""

    @property
    def settings(self) -> tuple[str, ...]:
        return ql.ApiKey().settings

    def places(self, ctx: ql.Context) -> tuple[str, ...]:
        return ql.ApiKey(env=ENV).places(ctx)

    def probe(self, ctx: ql.Context) -> ql.Origin | None:
        try:
            return self._of(ctx, region_of(ctx)).probe(ctx)
        except ql.Misconfigured:
            return None

    async def find(self, ctx: ql.Context) -> ql.Credential:
        """The key. Raises MissingCredential; Misconfigured where there is only a key of the other region."""
        region = region_of(ctx)
        try:
            return await self._of(ctx, region).find(ctx)
        except ql.MissingCredential:
            other = CHINA if region == INTERNATIONAL else INTERNATIONAL
            origin = self._of(ctx, other).probe(ctx)
            if origin is None:
                raise
        name = "MOONSHOT_REGION" if origin.kind is ql.OriginKind.ENVIRONMENT else "apiKeyRegion"
        raise ql.Misconfigured(
            f"The API key belongs to the region {other} (setting {name}), but {region} is read.",
            f"Set {name} to {region} if that is the region of the key; else set region to {other}.",
        )

    def _of(self, ctx: ql.Context, region: str) -> ql.ApiKey:
        own = key_region(ctx) == region
        return ql.ApiKey(env=ENV if ambient_region(ctx) == region else (), from_config=own, from_keyring=own)


async def check_region(ctx: ql.Context, key: ql.Secret, region: str) -> None:
    """Raises Misconfigured for a key that the other region accepted before."""
    known = _known(await ctx.memory.get(_note(key)))
    if known is not None and known != region:
        raise ql.Misconfigured(
            f"This API key belongs to the region {known}, but the setting region is {region}.",
            f"Set region to {known}, or store a key of the region {region}.",
        )


def _note(key: ql.Secret) -> str:
    return f"moonshot.region.{key.digest()}"


# --- how it is fetched -----------------------------------------------------------------------------


async def from_api(ctx: ql.Context, key: ql.Credential) -> ql.Usage:
    """Balance and limits at once; only the balance must succeed."""
    region = region_of(ctx)
    await check_region(ctx, key.secret, region)
    async with ql.beside() as side:
        info = side.start(_info(ctx, BASES[region], key.secret), INFO_SECONDS)
        amounts = await _balance(ctx, BASES[region], key.secret)
        await ctx.memory.set(_note(key.secret), region)
        return to_usage(amounts, await info, region, ctx.now)


async def _balance(ctx: ql.Context, base: str, key: ql.Secret) -> Amounts:
    url = f"{base}/v1/users/me/balance"
    refusals = ql.refused_key("Moonshot", REGION_HINT)
    answer = await ctx.http.get(url, BalanceAnswer, refusals=refusals, bearer=key, timeout=TIMEOUT)
    if answer.code == 401:
        raise ql.ExpiredCredential("Moonshot refused the API key.", REGION_HINT)
    if not answer.good:
        hint = "Look at the account on its dashboard, or try again later."
        raise ql.BadResponse(f"Moonshot answered with an error {answer.reason}", hint)
    if answer.data is None:
        raise ql.BadResponse("Moonshot answered without the three balances (field data).")
    return answer.data


async def _info(ctx: ql.Context, base: str, key: ql.Secret) -> Info | None:
    answer = await ctx.http.get(f"{base}/v1/users/me", InfoAnswer, bearer=key, timeout=TIMEOUT)
    return answer.data if answer.good else None


PROVIDER = ql.Provider(
    id="moonshot",
    name="Moonshot / Kimi Open Platform",
    connect="Create an API key at platform.moonshot.ai and set MOONSHOT_API_KEY (and MOONSHOT_REGION for China).",
    summary="Prepaid balance with its voucher and cash parts, and the account's limits.",
    dashboard="https://platform.moonshot.ai/console/account",
    keys="https://platform.moonshot.ai/console/api-keys",
    regions=(INTERNATIONAL, CHINA),
    options=(
        ql.Option("apiKeyRegion", "The region the configured key belongs to; the key is not used for another one."),
    ),
    deadline=30,
    strategies=(ql.Strategy.api(from_api, RegionalKey()),),
)
