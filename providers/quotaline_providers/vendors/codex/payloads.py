"""What ChatGPT's usage service and the Codex program send and keep. Both say the same things in different spellings."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator
from pydantic.alias_generators import to_snake

from quotaline_providers import Flag, Number, Payload, Text, When, lenient, lenient_items, to_text

_WINDOW_NAMES = ("primary_window", "secondary_window", "primary", "secondary")


class Spelled(Payload):
    """A payload whose names come in snake_case or camelCase. The snake one wins unless it is null or empty."""

    @model_validator(mode="before")
    @classmethod
    def _in_snake_case(cls, value: Any) -> Any:
        return snake_keys(value) if isinstance(value, dict) else value


def snake_keys(value: dict[str, Any]) -> dict[str, Any]:
    """The object with its own (not its children's) names in snake_case."""
    folded = {key: item for key, item in value.items() if key == to_snake(key)}
    for key, item in value.items():
        name = to_snake(key)
        if folded.get(name) is None or folded[name] == "":
            folded[name] = item
    return folded


# --- limits ----------------------------------------------------------------------------------------


class WindowPart(Spelled):
    """One window. Percent 0-100, times in epoch seconds; the program counts the length in minutes."""

    used_percent: Number = None
    remaining_percent: Number = None
    limit_window_seconds: Number = None
    window_minutes: Number = None
    window_duration_mins: Number = None
    reset_at: When = None
    resets_at: When = None
    reset_after_seconds: Number = None


class IndividualLimit(Spelled):
    """A member's own monthly allowance, in credits."""

    limit: Number = None
    used: Number = None
    remaining_percent: Number = None
    resets_at: When = None
    reset_at: When = None


def reached_type(value: Any) -> str | None:
    """Why a limit was reached: a text, or an object with a `type`."""
    return to_text(value.get("type") if isinstance(value, dict) else value)


ReachedType = Annotated[str | None, BeforeValidator(reached_type)]


class RateLimit(Spelled):
    """A pair of windows. They stay raw: one that cannot be understood must not spoil the other.

    `allowed` and `limit_reached` are the vendor's own verdict.
    """

    allowed: Flag = None
    limit_reached: Flag = None
    rate_limit_reached_type: ReachedType = None

    primary_window: Any = None
    secondary_window: Any = None
    primary: Any = None
    secondary: Any = None
    individual_limit: Annotated[IndividualLimit | None, lenient(IndividualLimit)] = None

    @property
    def windows(self) -> tuple[Any, Any]:
        first = self.primary if self.primary_window is None else self.primary_window
        second = self.secondary if self.secondary_window is None else self.secondary_window
        return first, second


class AdditionalLimit(Spelled):
    """A limit of one model or feature."""

    limit_name: Text = None
    metered_feature: Text = None
    rate_limit: Any = None


class Credits(Spelled):
    """Purchased credits (not dollars). `told` is the balance as it was sent."""

    has_credits: Flag = None
    unlimited: Flag = None
    balance: Number = None
    told: Any = Field(default=None, validation_alias="balance")


class SpendControl(Spelled):
    """A member's own limit in a workspace, and whether it is used up."""

    reached: Flag = None
    individual_limit: Annotated[IndividualLimit | None, lenient(IndividualLimit)] = None


class ResetCount(Spelled):
    """How many reset credits can be used."""

    available_count: Annotated[int, Field(ge=0, strict=True)]


class UsageAnswer(Spelled):
    """`GET .../wham/usage`. A wrapper `rate_limit_status` may hold the members instead of the top level."""

    account_id: Text = None
    email: Text = None
    plan_type: Text = None
    rate_limit: Any = None
    rate_limit_reached_type: ReachedType = None
    additional_rate_limits: Any = None
    code_review_rate_limit: Any = None
    credits: Annotated[Credits | None, lenient(Credits)] = None
    individual_limit: Annotated[IndividualLimit | None, lenient(IndividualLimit)] = None
    spend_control: Annotated[SpendControl | None, lenient(SpendControl)] = None
    rate_limit_reset_credits: Annotated[ResetCount | None, lenient(ResetCount)] = None

    @model_validator(mode="before")
    @classmethod
    def _unwrapped(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        outer = snake_keys(value)
        wrapper = outer.pop("rate_limit_status", None)
        if not isinstance(wrapper, dict):
            return outer
        inner = snake_keys(wrapper)
        if any(name in inner for name in _WINDOW_NAMES):
            inner = {"rate_limit": wrapper}
        return inner | {name: item for name, item in outer.items() if item is not None}

    @property
    def has_spend_control(self) -> bool:
        """Whether the answer names spend control at all, even as null."""
        return "spend_control" in self.model_fields_set


# --- extras ----------------------------------------------------------------------------------------


class ResetCreditPart(Payload):
    """One voucher. No `status` means it is available."""

    id: str
    status: Text = None
    reset_type: Text = None
    granted_at: When = None
    expires_at: When = None
    redeem_started_at: When = None
    redeemed_at: When = None
    title: Text = None
    description: Text = None


class ResetCreditsAnswer(Payload):
    """`GET .../wham/rate-limit-reset-credits`. Without a proper count the whole answer is invalid."""

    available_count: Annotated[int, Field(ge=0, strict=True)]
    credits: Annotated[tuple[ResetCreditPart, ...], lenient_items(ResetCreditPart)] = ()


class MonthlyLimit(Payload):
    """A member's monthly credits. The limit comes as text, number or object."""

    limit: Any = None
    enforcement_mode: Text = None
    limit_mode: Text = None


class MonthlyUsageAnswer(Payload):
    """`GET .../spend-controls/current-user/monthly-usage`, in credits."""

    current_month_usage: Any = None
    effective_monthly_limit: Annotated[MonthlyLimit | None, lenient(MonthlyLimit)] = None


class WhoAmI(Payload):
    """Whose personal access token it is."""

    chatgpt_account_id: Text = None
    chatgpt_plan_type: Text = None
    email: Text = None


class Workspace(Payload):
    """A workspace; a blank name is the personal one."""

    id: Text = None
    name: Text = None


class WorkspacesAnswer(Payload):
    """`GET .../accounts`: the workspaces of a login."""

    items: Annotated[tuple[Workspace, ...], lenient_items(Workspace)] = ()

    def name_of(self, id: str) -> str | None:
        """The workspace's name; one without a name is the personal one. None when it is not there."""
        found = next((item for item in self.items if item.id and item.id.lower() == id.lower()), None)
        return (found.name or "Personal") if found else None


class Subscription(Spelled):
    """`GET /backend-api/subscriptions`."""

    active_until: When = None
    will_renew: Flag = None


# --- the program's JSON-RPC ------------------------------------------------------------------------


class RpcLimits(RateLimit):
    """One `rateLimits` object."""

    limit_id: Text = None
    limit_name: Text = None
    credits: Annotated[Credits | None, lenient(Credits)] = None
    plan_type: Text = None
    spend_control_reached: Flag = None


class RpcRateLimits(Spelled):
    """The result of `account/rateLimits/read`."""

    spend_control_reached: Flag = None

    rate_limits: Annotated[RpcLimits | None, lenient(RpcLimits)] = None
    rate_limits_by_limit_id: Any = None


class RpcAccountPart(Spelled):
    """Who is signed in; `type` is `chatgpt` or `apikey`."""

    type: Text = None
    email: Text = None
    plan_type: Text = None


class RpcAccount(Spelled):
    """The result of `account/read`."""

    account: Annotated[RpcAccountPart | None, lenient(RpcAccountPart)] = None
    requires_openai_auth: Flag = None


# --- the login files ------------------------------------------------------------------------------


class Tokens(Spelled):
    """The login's tokens, in either spelling."""

    access_token: Text = None
    refresh_token: Text = None
    id_token: Text = None
    account_id: Text = None


class AuthFile(Spelled):
    """`auth.json`. Tokens beside an API key win: only they have subscription usage."""

    tokens: Annotated[Tokens | None, lenient(Tokens)] = None
    last_refresh: When = None
    openai_api_key: Text = None
    personal_access_token: Text = None
    account_id: Text = None

    @property
    def has_tokens(self) -> bool:
        return bool(self.tokens and self.tokens.access_token)


class OpenCodeEntry(Payload):
    """OpenCode's `openai` login; `expires` is in epoch milliseconds."""

    type: Text = None
    access: Text = None
    accountId: Text = None  # noqa: N815 - the file's own spelling
    expires: When = None


class OpenCodeFile(Payload):
    """The login file of the program `opencode`."""

    openai: Annotated[OpenCodeEntry | None, lenient(OpenCodeEntry)] = None


class Expiry(Payload):
    exp: When = None
