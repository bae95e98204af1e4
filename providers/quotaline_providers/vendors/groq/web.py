"""The console's activity page, with a session of the console."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from urllib.parse import quote, urlsplit

from quotaline_providers import Context, Usage, history_days
from quotaline_providers.vendors.groq.api import api_base
from quotaline_providers.vendors.groq.credentials import (
    REFUSALS,
    SECONDS,
    Session,
    current,
    organization_of,
    sign_in_base,
)
from quotaline_providers.vendors.groq.mapping import to_usage
from quotaline_providers.vendors.groq.payloads import ActivityAnswer


def span(now: datetime, days: int) -> dict[str, str]:
    """From the local midnight before the first day to the one after the last, in Unix seconds."""
    today = now.astimezone().date()
    first, end = today - timedelta(days=days - 1), today + timedelta(days=1)
    return {"start_date": _midnight(first), "end_date": _midnight(end)}


def _midnight(day: date) -> str:
    return str(int(datetime.combine(day, time()).astimezone().timestamp()))


async def from_console(ctx: Context, session: Session) -> Usage:
    """The activity of the last days."""
    base, sign_in, days = urlsplit(api_base(ctx)), sign_in_base(ctx), history_days(ctx)
    jwt = await current(ctx, sign_in, session)
    path = f"/platform/v1/organizations/{quote(organization_of(jwt), safe='')}/activity"
    url = base._replace(path=path, query="").geturl()
    period = span(ctx.now, days)
    answer = await ctx.http.get(url, ActivityAnswer, refusals=REFUSALS, bearer=jwt, params=period, timeout=SECONDS)
    return to_usage(answer, days, ctx.now)
