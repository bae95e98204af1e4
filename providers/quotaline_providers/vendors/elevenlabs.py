"""ElevenLabs: character credits of the billing period and voice slots."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import quotaline_providers as ql

OFFICIAL, OVERRIDE = "https://api.elevenlabs.io", "ELEVENLABS_API_URL"
TIMEOUT = 15.0


class Overage(ql.Payload):
    """What the period costs beyond the plan, in major units."""

    amount: ql.Number = None
    currency: ql.Text = None


class Invoice(ql.Payload):
    """The next invoice, in cents of the account's currency."""

    amount_due_cents: ql.Number = None
    next_payment_attempt_unix: ql.When = None


class Subscription(ql.Payload):
    """`GET /v1/user/subscription`. Counts are characters."""

    not_read = frozenset({"max_credit_limit_extension"})

    character_count: ql.NeededNumber
    character_limit: ql.NeededNumber
    tier: ql.Text = None
    status: ql.Text = None
    voice_slots_used: ql.Integer = None
    voice_limit: ql.Integer = None
    professional_voice_slots_used: ql.Integer = None
    professional_voice_limit: ql.Integer = None
    next_character_count_reset_unix: ql.When = None
    character_refresh_period: ql.Text = None
    currency: ql.Text = None
    current_overage: Annotated[Overage | None, ql.lenient(Overage)] = None
    next_invoice: Annotated[Invoice | None, ql.lenient(Invoice)] = None


def plan_text(tier: str | None, status: str | None) -> str | None:
    """`Growing Business · past_due`; an active status goes without saying."""
    name = ql.plan_name(tier) if tier else None
    if status is None or status.lower() == "active":
        return name
    return f"{name} · {status}" if name else status


def _voices(id: str, label: str, used: int | None, limit: int | None) -> ql.Window | None:
    if used is None or limit is None or limit <= 0:
        return None
    return ql.Window(
        id=id,
        label=label,
        used_percent=ql.share(used, limit),
        used=used,
        limit=limit,
        unit="voices",
        description=f"{used} / {limit}",
        blocks=False,
    )


def to_usage(answer: Subscription, now: datetime) -> ql.Usage:
    """The usage of one account: credits (characters) and voice slots."""
    used, limit, reset = answer.character_count, answer.character_limit, answer.next_character_count_reset_unix
    text = f"{ql.grouped(used)} / {ql.grouped(limit)} credits"
    credits = ql.Window(
        id="credits",
        label="Credits",
        used_percent=ql.share(used, limit),
        used=used,
        limit=limit if limit > 0 else None,
        unit="credits",
        minutes=ql.MONTH_MINUTES if answer.character_refresh_period == "monthly_period" else None,
        resets_at=reset if reset and reset > now else None,
        description=text,
        lane="primary",
        blocks=True,
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
        ql.Row(label="Credits", value=text),
        ql.Row(label="Remaining", value=f"{ql.grouped(max(0.0, limit - used))} credits"),
    ]
    spends: tuple[ql.Spend, ...] = ()
    overage, invoice = answer.current_overage, answer.next_invoice
    if overage and overage.amount and overage.amount > 0:
        unit = (overage.currency or answer.currency or "usd").upper()
        rows.append(ql.Row(label="Overage", value=ql.money(overage.amount, unit)))
        used_more = ql.exact(overage.amount)
        spends = (ql.Spend(id="overage", label="Overage", used=used_more, unit=unit, period="Billing period"),)
    if invoice and invoice.amount_due_cents is not None:
        currency = (answer.currency or "usd").upper()
        due = ql.money(ql.from_minor(invoice.amount_due_cents, currency) or 0, currency)
        when = invoice.next_payment_attempt_unix
        rows.append(ql.Row(label="Next invoice", value=due, secondary=f"{when:%Y-%m-%d}" if when else None))
    return ql.Usage(
        updated_at=now,
        windows=(credits, *(window for window in voices if window)),
        spends=spends,
        identity=ql.Identity(plan=plan_text(answer.tier, answer.status)),
        details=(ql.Section(title="Subscription", rows=tuple(rows)),),
    )


def address(ctx: ql.Context) -> str:
    """Where the subscription is asked for; an override may already end in `v1`. Raises Misconfigured."""
    base = ql.base_address(ctx.env(OVERRIDE), OVERRIDE, OFFICIAL)
    return f"{base}/user/subscription" if base.endswith("/v1") else f"{base}/v1/user/subscription"


async def from_api(ctx: ql.Context, key: ql.Credential) -> ql.Usage:
    """One request has everything. Raises ReadError."""
    headers = {"xi-api-key": key.secret.reveal()}
    response = await ctx.http.send("GET", address(ctx), headers=headers, timeout=TIMEOUT)
    if response.status in (401, 403) and '"missing_permissions"' in response.text:
        raise ql.Forbidden("The ElevenLabs key lacks user_read.", 'Give the key the permission "User: Read".')
    return to_usage(ctx.http.parse(ctx.http.check(response, ql.refused_key("ElevenLabs")), Subscription), ctx.now)


PROVIDER = ql.Provider(
    id="elevenlabs",
    name="ElevenLabs",
    kind=ql.ProviderKind.VOICE,
    connect='Create an API key with "User: Read" at elevenlabs.io and set ELEVENLABS_API_KEY.',
    summary="Character credits of the billing period and voice slots.",
    aliases=("11labs", "eleven"),
    dashboard="https://elevenlabs.io/app/developers/usage",
    status=ql.StatusPage("https://status.elevenlabs.io"),
    keys="https://elevenlabs.io/app/settings/api-keys",
    accounts=ql.AccountKind.TOKEN,
    deadline=20,
    strategies=(ql.Strategy.api(from_api, ql.ApiKey(env=("ELEVENLABS_API_KEY", "XI_API_KEY"))),),
)
