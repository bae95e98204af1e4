"""How many days of history are shown, where a provider lets the user choose."""

from __future__ import annotations

from quotaline_providers.contract import Context, Option, OptionType
from quotaline_providers.parsing.payload import to_number

USUAL_DAYS, MOST_DAYS = 30, 365
HISTORY = Option(
    "historyDays", f"How many days of history to show, 1 to {MOST_DAYS} ({USUAL_DAYS}).", OptionType.NUMBER
)
"""The setting; put it among a provider's `options`."""


def history_days(ctx: Context) -> int:
    """The days the user wants, within what can be asked for."""
    days = to_number(ctx.settings.own(HISTORY.name))
    return USUAL_DAYS if days is None else int(min(MOST_DAYS, max(1, days)))
