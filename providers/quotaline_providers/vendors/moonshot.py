"""Moonshot / Kimi Open Platform: the prepaid balance of an API account. A key belongs to one of two regions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import Field

from quotaline_providers.access.lookups import ApiKey
from quotaline_providers.contract import Context, Credential, Lookup, Option, Origin, OriginKind, Provider, Strategy
from quotaline_providers.errors import BadResponse, ExpiredCredential, Misconfigured, MissingCredential
from quotaline_providers.fetching.optional import beside
from quotaline_providers.fetching.refusals import refused_key
from quotaline_providers.formatting import grouped, money, yuan
from quotaline_providers.model import Balance, Identity, Row, Section, Usage
from quotaline_providers.parsing.payload import Integer, NeededNumber, Payload, Text, exact, lenient
from quotaline_providers.secret import Secret

INTERNATIONAL, CHINA = "international", "china"
BASES = {INTERNATIONAL: "https://api.moonshot.ai", CHINA: "https://api.moonshot.cn"}
CURRENCIES = {INTERNATIONAL: "USD", CHINA: "CNY"}
ENV = ("MOONSHOT_API_KEY", "MOONSHOT_KEY")
TIMEOUT, INFO_SECONDS = 15.0, 5.0
_SCODE = re.compile(r"(?:0x)?[0-9A-Fa-f]{1,8}")
REGION_HINT = "Check that the key is of this region."

# --- what the vendor sends -------------------------------------------------------------------------


class Amounts(Payload):
    """US dollars (international) or yuan (China); the cash part may be negative while vouchers last."""

    available_balance: NeededNumber
    voucher_balance: NeededNumber
    cash_balance: NeededNumber


class Envelope(Payload):
    """Around every answer: `code` 0 and a true `status` mean success."""

    code: NeededNumber
    status: Annotated[bool, Field(strict=True)]
    scode: Text = None

    @property
    def good(self) -> bool:
        return self.code == 0 and self.status

    @property
    def reason(self) -> str:
        """The vendor's codes, where they are codes and no text."""
        known = self.scode if self.scode and _SCODE.fullmatch(self.scode) else None
        return f"code {self.code:.0f}, scode {known}" if known else f"code {self.code:.0f}"


class BalanceAnswer(Envelope):
    """`GET /v1/users/me/balance`."""

    data: Annotated[Amounts | None, lenient(Amounts)] = None


class Organization(Payload):
    """An account's limits."""

    id: Text = None
    max_concurrency: Integer = None
    max_request_per_minute: Integer = None
    max_token_per_minute: Integer = None


class User(Payload):
    """An account's owner."""

    user_group_id: Text = None


class Info(Payload):
    """What is told of an account; the tier stands in either place."""

    organization: Annotated[Organization | None, lenient(Organization)] = None
    user: Annotated[User | None, lenient(User)] = None
    user_group_id: Text = None

    @property
    def tier(self) -> str | None:
        return self.user_group_id or (self.user.user_group_id if self.user else None)


class InfoAnswer(Envelope):
    """`GET /v1/users/me`: limits only, no live counters; 0 means not given."""

    data: Annotated[Info | None, lenient(Info)] = None


# --- how it becomes a usage ------------------------------------------------------------------------


def amount(value: float, region: str) -> str:
    """Money in the region's currency."""
    return yuan(value) if region == CHINA else money(value)


def balance_text(amounts: Amounts, region: str) -> str:
    """`$12.50`, with what is owed in cash behind it."""
    text = amount(amounts.available_balance, region)
    if amounts.cash_balance < 0:
        text += f" · {amount(abs(amounts.cash_balance), region)} in deficit"
    return text


def to_usage(amounts: Amounts, info: Info | None, region: str, now: datetime) -> Usage:
    """The usage of one account, in the region's currency."""
    text = balance_text(amounts, region)
    rows = (
        Row(label="Balance", value=text),
        Row(label="Available", value=amount(amounts.available_balance, region)),
        Row(label="Vouchers", value=amount(amounts.voucher_balance, region)),
        Row(label="Cash", value=amount(amounts.cash_balance, region)),
    )
    limits = _limits(info.organization) if info and info.organization else ()
    sections = (Section(title="Balance", rows=rows), *((Section(title="Limits", rows=limits),) if limits else ()))
    left = exact(amounts.available_balance)
    return Usage(
        updated_at=now,
        balances=(Balance(id="balance", label="Balance", amount=left, unit=CURRENCIES[region]),),
        identity=Identity(
            plan=(info.tier if info else None) or f"Balance: {text}",
            organization=info.organization.id if info and info.organization else None,
        ),
        details=sections,
    )


def _limits(organization: Organization) -> tuple[Row, ...]:
    caps = (
        ("Requests per minute", organization.max_request_per_minute),
        ("Tokens per minute", organization.max_token_per_minute),
        ("Concurrency", organization.max_concurrency),
    )
    return tuple(Row(label=label, value=grouped(cap)) for label, cap in caps if cap and cap > 0)


# --- regions and keys ------------------------------------------------------------------------------


def _known(value: str | None) -> str | None:
    name = (value or "").strip().lower()
    return name if name in BASES else None


def _configured(ctx: Context, name: str, value: str | None) -> str | None:
    if value is not None and _known(value) is None:
        raise Misconfigured(
            f"The setting {name} is no region of Moonshot.", f"Set {name} to {INTERNATIONAL} or {CHINA}."
        )
    return _known(value)


def ambient_region(ctx: Context) -> str:
    """The region of keys in the environment."""
    return _known(ctx.env("MOONSHOT_REGION")) or INTERNATIONAL


def region_of(ctx: Context) -> str:
    """The region that is read. Raises Misconfigured."""
    return _configured(ctx, "region", ctx.settings.region) or ambient_region(ctx)


def key_region(ctx: Context) -> str:
    """The region of the user's own key. Raises Misconfigured."""
    bound = _configured(ctx, "apiKeyRegion", ctx.settings.own_text("apiKeyRegion"))
    return bound or _configured(ctx, "region", ctx.settings.region) or INTERNATIONAL


@dataclass(frozen=True)
class RegionalKey(Lookup[Credential]):
    """A key of the region that is read: it must not reach the other region's host."""

    def places(self, ctx: Context) -> tuple[str, ...]:
        return ApiKey(env=ENV).places(ctx)

    def probe(self, ctx: Context) -> Origin | None:
        try:
            return self._of(ctx, region_of(ctx)).probe(ctx)
        except Misconfigured:
            return None

    async def find(self, ctx: Context) -> Credential:
        """The key. Raises MissingCredential; Misconfigured where there is only a key of the other region."""
        region = region_of(ctx)
        try:
            return await self._of(ctx, region).find(ctx)
        except MissingCredential:
            other = CHINA if region == INTERNATIONAL else INTERNATIONAL
            origin = self._of(ctx, other).probe(ctx)
            if origin is None:
                raise
        name = "MOONSHOT_REGION" if origin.kind is OriginKind.ENVIRONMENT else "apiKeyRegion"
        raise Misconfigured(
            f"The API key is of the region {other} (setting {name}), but {region} is read.",
            f"Set {name} to {region} if that is the region of the key; else set region to {other}.",
        )

    def _of(self, ctx: Context, region: str) -> ApiKey:
        own = key_region(ctx) == region
        return ApiKey(env=ENV if ambient_region(ctx) == region else (), from_config=own, from_keyring=own)


async def check_region(ctx: Context, key: Secret, region: str) -> None:
    """Raises Misconfigured for a key that once was good in the other region."""
    known = _known(await ctx.memory.get(_note(key)))
    if known is not None and known != region:
        raise Misconfigured(
            f"This API key is of the region {known}, but the setting region is {region}.",
            f"Set region to {known}, or store a key of the region {region}.",
        )


def _note(key: Secret) -> str:
    return f"moonshot.region.{key.digest()}"


# --- how it is fetched -----------------------------------------------------------------------------


async def from_api(ctx: Context, key: Credential) -> Usage:
    """Balance and limits at once; only the balance must succeed."""
    region = region_of(ctx)
    await check_region(ctx, key.secret, region)
    async with beside() as side:
        info = side.start(_info(ctx, BASES[region], key.secret), INFO_SECONDS)
        amounts = await _balance(ctx, BASES[region], key.secret)
        await ctx.memory.set(_note(key.secret), region)
        return to_usage(amounts, await info, region, ctx.now)


async def _balance(ctx: Context, base: str, key: Secret) -> Amounts:
    url = f"{base}/v1/users/me/balance"
    sent = await ctx.http.send("GET", url, bearer=key, timeout=TIMEOUT)
    answer = ctx.http.parse(ctx.http.check(sent, refused_key("Moonshot", REGION_HINT)), BalanceAnswer)
    if answer.code == 401:
        raise ExpiredCredential("Moonshot refused the API key.", REGION_HINT)
    if not answer.good:
        raise BadResponse(f"Moonshot could not tell the balance ({answer.reason}).")
    if answer.data is None:
        raise BadResponse("Moonshot gave an answer without the three balances (field data).")
    return answer.data


async def _info(ctx: Context, base: str, key: Secret) -> Info | None:
    answer = await ctx.http.get(f"{base}/v1/users/me", InfoAnswer, bearer=key, timeout=TIMEOUT)
    return answer.data if answer.good else None


PROVIDER = Provider(
    id="moonshot",
    name="Moonshot / Kimi Open Platform",
    connect="Create an API key at platform.moonshot.ai and set MOONSHOT_API_KEY (and MOONSHOT_REGION for China).",
    summary="Prepaid balance with its voucher and cash parts, and the account's limits.",
    dashboard="https://platform.moonshot.ai/console/account",
    keys="https://platform.moonshot.ai/console/api-keys",
    regions=(INTERNATIONAL, CHINA),
    fields=("apiKey", "apiKeyEnv"),
    options=(Option("apiKeyRegion", "The region the configured key is of; the key is not used for another one."),),
    deadline=30,
    strategies=(Strategy.api(from_api, RegionalKey()),),
)
