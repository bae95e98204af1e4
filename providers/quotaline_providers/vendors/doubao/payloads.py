"""What Volcengine sends about its plans: its OpenAPI's answers, and what its program `arkcli` prints."""

from __future__ import annotations

from typing import Annotated

from quotaline_providers import Flag, Integer, NeededNumber, Number, Payload, Text, When, lenient

# --- the OpenAPI -----------------------------------------------------------------------------------


class CodingQuota(Payload):
    """`Percent` is what is used, 0-100; `ResetTimestamp` is in seconds."""

    Level: Text = None
    Percent: NeededNumber
    ResetTimestamp: Integer = None


class CodingResult(Payload):
    """The Coding Plan. Times are Unix seconds."""

    Status: Text = None
    UpdateTimestamp: Integer = None
    QuotaUsage: tuple[CodingQuota, ...] | None = None


class CodingAnswer(Payload):
    """`GetCodingPlanUsage`."""

    Result: CodingResult


class AgentQuota(Payload):
    """`ResetTime` is in milliseconds; -1 means none."""

    Quota: Number = None
    Used: Number = None
    ResetTime: When = None


class AgentResult(Payload):
    """The Agent Plan, in the vendor's points. Its daily figure is no limit."""

    not_read = frozenset({"AFPDaily"})

    AFPFiveHour: Annotated[AgentQuota | None, lenient(AgentQuota)] = None
    AFPWeekly: Annotated[AgentQuota | None, lenient(AgentQuota)] = None
    AFPMonthly: Annotated[AgentQuota | None, lenient(AgentQuota)] = None


class AgentAnswer(Payload):
    """`GetAFPUsage`."""

    Result: AgentResult


# --- arkcli ----------------------------------------------------------------------------------------


class Period(Payload):
    """One window of a plan; `percent` is what was used."""

    label: Text = None
    percent: Number = None
    reset_at: object = None


class Item(Payload):
    """One product's plan; `subscribed` is absent where it goes without saying."""

    product: Text = None
    subscribed: Flag = None
    periods: tuple[Period, ...] | None = None
    updated_at: object = None
    error: object = None


class Viewer(Payload):
    """How the program is signed in."""

    auth_method: Text = None


class Report(Payload):
    """`arkcli usage plan --format json`."""

    viewer: Viewer | None = None
    items: tuple[Item, ...] | None = None
