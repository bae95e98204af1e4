"""What Claude's programs keep on this machine, and what the account switcher prints."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from quotaline_providers import Flag, Identity, Integer, Number, Payload, Text, When, lenient, lenient_items, to_text
from quotaline_providers.vendors.claude.payloads import texts

# --- what Claude's programs keep -------------------------------------------------------------------


class OauthEntry(Payload):
    """`claudeAiOauth` of Claude Code's store; times are epoch milliseconds. The refresh token itself is not kept."""

    access_token: Text = Field(default=None, alias="accessToken", repr=False)
    expires_at: When = Field(default=None, alias="expiresAt")
    renewable: Annotated[bool, BeforeValidator(lambda token: to_text(token) is not None)] = Field(
        default=False, alias="refreshToken"
    )
    renewable_until: When = Field(default=None, alias="refreshTokenExpiresAt")
    scopes: Annotated[tuple[str, ...], BeforeValidator(texts)] = ()
    subscription_type: Text = Field(default=None, alias="subscriptionType")
    tier: Text = Field(default=None, alias="rateLimitTier")


class Account(Payload):
    """`oauthAccount` of Claude Code's settings: who is signed in."""

    uuid: Text = Field(default=None, alias="accountUuid")
    email: Text = Field(default=None, alias="emailAddress")
    organization_uuid: Text = Field(default=None, alias="organizationUuid")
    organization: Text = Field(default=None, alias="organizationName")

    def identity(self) -> Identity:
        return Identity(account_id=self.uuid, email=self.email, organization=self.organization)


class Settings(Payload):
    """Claude Code's own settings file."""

    account: Annotated[Account | None, lenient(Account)] = Field(default=None, alias="oauthAccount")


class TokenEntry(Payload):
    """One entry of the cache; `expiresAt` is epoch milliseconds."""

    token: Text = None
    expiresAt: When = None  # noqa: N815 - the file's own spelling
    subscriptionType: Text = None  # noqa: N815
    rateLimitTier: Text = None  # noqa: N815


# --- what the account switcher prints --------------------------------------------------------------


class SwapWindow(Payload):
    """One limit: `pct` is percent used, 0-100."""

    name: Text = None
    used: Number = Field(default=None, alias="pct")
    resets_at: When = Field(default=None, alias="resetsAt")


class SwapUsage(Payload):
    """The limits of one account."""

    session: Annotated[SwapWindow | None, lenient(SwapWindow)] = Field(default=None, alias="fiveHour")
    weekly: Annotated[SwapWindow | None, lenient(SwapWindow)] = Field(default=None, alias="sevenDay")
    scoped: Annotated[tuple[SwapWindow, ...], lenient_items(SwapWindow)] = ()


class SwapAccount(Payload):
    """One account the switcher knows."""

    number: Integer = None
    active: Flag = None
    email: Text = None
    organization: Text = Field(default=None, alias="organizationName")
    alias: Text = None
    status: Text = Field(default=None, alias="usageStatus")
    usage: Annotated[SwapUsage | None, lenient(SwapUsage)] = None


class SwapList(Payload):
    """`cswap --list --json`. Another version of its shape is not understood."""

    version: Literal[1] = Field(alias="schemaVersion")
    active: Integer = Field(default=None, alias="activeAccountNumber")
    accounts: Annotated[tuple[SwapAccount, ...], lenient_items(SwapAccount)] = ()
