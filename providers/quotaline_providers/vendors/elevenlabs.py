"""ElevenLabs: character credits of the billing period and voice slots."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from quotaline_providers.access.endpoints import base_address
from quotaline_providers.access.lookups import ApiKey
from quotaline_providers.contract import (
    AccountKind,
    Context,
    Credential,
    Provider,
    ProviderKind,
    Response,
    StatusPage,
    Strategy,
)
from quotaline_providers.errors import BadResponse, Forbidden
from quotaline_providers.fetching.refusals import refused_key
from quotaline_providers.formatting import grouped, money, plan_name
from quotaline_providers.model import MONTH_MINUTES, Identity, Row, Section, Spend, Usage, Window
from quotaline_providers.parsing.payload import (
    Integer,
    JsonObject,
    NeededNumber,
    Number,
    Payload,
    Text,
    When,
    child,
    exact,
    lenient,
    share,
)

OFFICIAL, OVERRIDE = "https://api.elevenlabs.io", "ELEVENLABS_API_URL"
TIMEOUT = 15.0


class Overage(Payload):
    """What the period costs beyond the plan, in major units."""

    amount: Number = None
    currency: Text = None


class Invoice(Payload):
    """The next invoice, in cents of the account's currency."""

    amount_due_cents: Number = None
    next_payment_attempt_unix: When = None


class Subscription(Payload):
    """`GET /v1/user/subscription`. Counts are characters."""

    character_count: NeededNumber
    character_limit: NeededNumber
    tier: Text = None
    status: Text = None
    voice_slots_used: Integer = None
    voice_limit: Integer = None
    professional_voice_slots_used: Integer = None
    professional_voice_limit: Integer = None
    next_character_count_reset_unix: When = None
    character_refresh_period: Text = None
    currency: Text = None
    current_overage: Annotated[Overage | None, lenient(Overage)] = None
    next_invoice: Annotated[Invoice | None, lenient(Invoice)] = None


def plan_text(tier: str | None, status: str | None) -> str | None:
    """`Growing Business · past_due`; an active status goes without saying."""
    name = plan_name(tier) if tier else None
    if status is None or status.lower() == "active":
        return name
    return f"{name} · {status}" if name else status


def _voices(id: str, label: str, used: int | None, limit: int | None) -> Window | None:
    if used is None or limit is None or limit <= 0:
        return None
    text = f"{used} / {limit}"
    percent = share(used, limit)
    return Window(id=id, label=label, used_percent=percent, used=used, limit=limit, unit="voices", description=text)


def to_usage(answer: Subscription, now: datetime) -> Usage:
    """The usage of one account: credits (characters) and voice slots."""
    used, limit, reset = answer.character_count, answer.character_limit, answer.next_character_count_reset_unix
    text = f"{grouped(used)} / {grouped(limit)} credits"
    credits = Window(
        id="credits",
        label="Credits",
        used_percent=share(used, limit),
        used=used,
        limit=limit if limit > 0 else None,
        unit="credits",
        minutes=MONTH_MINUTES if answer.character_refresh_period == "monthly_period" else None,
        resets_at=reset if reset and reset > now else None,
        description=text,
        lane="primary",
    )
    voices = (
        _voices("voice-slots", "Voice slots", answer.voice_slots_used, answer.voice_limit),
        _voices(
            "professional-voices",
            "Professional voices",
            answer.professional_voice_slots_used,
            answer.professional_voice_limit,
        ),
    )
    rows = [
        Row(label="Credits", value=text),
        Row(label="Remaining", value=f"{grouped(max(0.0, limit - used))} credits"),
    ]
    spends: tuple[Spend, ...] = ()
    overage, invoice = answer.current_overage, answer.next_invoice
    if overage and overage.amount and overage.amount > 0:
        unit = (overage.currency or answer.currency or "usd").upper()
        rows.append(Row(label="Overage", value=money(overage.amount, unit)))
        used_more = exact(overage.amount)
        spends = (Spend(id="overage", label="Overage", used=used_more, unit=unit, period="Billing period"),)
    if invoice and invoice.amount_due_cents is not None:
        due = money(invoice.amount_due_cents / 100, (answer.currency or "usd").upper())
        when = invoice.next_payment_attempt_unix
        rows.append(Row(label="Next invoice", value=due, secondary=f"{when:%Y-%m-%d}" if when else None))
    return Usage(
        updated_at=now,
        windows=(credits, *(window for window in voices if window)),
        spends=spends,
        identity=Identity(plan=plan_text(answer.tier, answer.status)),
        details=(Section(title="Subscription", rows=tuple(rows)),),
    )


def address(ctx: Context) -> str:
    """Where the subscription is asked for; an override may already end in `v1`. Raises Misconfigured."""
    base = base_address(ctx.env(OVERRIDE), OVERRIDE, OFFICIAL)
    return f"{base}/user/subscription" if base.endswith("/v1") else f"{base}/v1/user/subscription"


def _lacks_permission(ctx: Context, response: Response) -> bool:
    try:
        detail = child(ctx.http.parse(response, JsonObject).root, "detail")
    except BadResponse:
        return False
    return detail is not None and detail.get("status") == "missing_permissions"


async def from_api(ctx: Context, key: Credential) -> Usage:
    """One call tells everything. Raises ReadError."""
    headers = {"xi-api-key": key.secret.reveal()}
    response = await ctx.http.send("GET", address(ctx), headers=headers, timeout=TIMEOUT)
    if response.status in (401, 403) and _lacks_permission(ctx, response):
        raise Forbidden("The ElevenLabs key lacks user_read.", 'Give the key the permission "User: Read".')
    return to_usage(ctx.http.parse(ctx.http.check(response, refused_key("ElevenLabs")), Subscription), ctx.now)


PROVIDER = Provider(
    id="elevenlabs",
    name="ElevenLabs",
    kind=ProviderKind.VOICE,
    connect='Create an API key with "User: Read" at elevenlabs.io and set ELEVENLABS_API_KEY.',
    summary="Character credits of the billing period and voice slots.",
    aliases=("11labs", "eleven"),
    dashboard="https://elevenlabs.io/app/developers/usage",
    status=StatusPage("https://status.elevenlabs.io"),
    keys="https://elevenlabs.io/app/settings/api-keys",
    accounts=AccountKind.TOKEN,
    deadline=20,
    strategies=(Strategy.api(from_api, ApiKey(env=("ELEVENLABS_API_KEY", "XI_API_KEY"))),),
)
