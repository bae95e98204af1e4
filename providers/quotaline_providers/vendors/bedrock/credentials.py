"""Which AWS login reads Bedrock: a key pair or a profile, from the config and the environment. Needs no AWS library."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from quotaline_providers import Context, Lookup, Misconfigured, MissingCredential, Origin, Secret
from quotaline_providers.access.unusable import empty, half, told

Mode = Literal["keys", "profile"]

KEY_ENV, SECRET_ENV, TOKEN_ENV = "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"
PROFILE_ENV = "AWS_PROFILE"
MODE_ENV = ("QUOTALINE_BEDROCK_AUTH_MODE", "CODEXBAR_BEDROCK_AUTH_MODE")
BUDGET_ENV = ("QUOTALINE_BEDROCK_BUDGET", "CODEXBAR_BEDROCK_BUDGET")
REGION_ENV = ("AWS_REGION", "AWS_DEFAULT_REGION")
DEFAULT_REGION = "us-east-1"
CONNECT = (
    "Set `awsProfile` (or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY) and run `quotaline config enable bedrock`; "
    "the login needs ce:GetCostAndUsage."
)

_REGION = re.compile(r"[a-z0-9]+(-[a-z0-9]+)+-[0-9]+")


@dataclass(frozen=True, slots=True)
class Keys:
    """A key pair that signs requests; `session_token` goes with a temporary one."""

    access_key: Secret
    secret_key: Secret
    session_token: Secret | None = None

    @property
    def fingerprint(self) -> str:
        return self.access_key.digest()


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile of the AWS configuration files."""

    name: str

    @property
    def fingerprint(self) -> str:
        return f"profile {self.name}"


Login = Keys | Profile


def valid_region(region: str) -> bool:
    """Whether this is how AWS names regions: `eu-central-1`."""
    return _REGION.fullmatch(region) is not None


def set_region(ctx: Context) -> str | None:
    """The region from the config or the environment. Raises Misconfigured for a config value that is not a region."""
    own = ctx.settings.region
    if own is not None and not valid_region(own):
        raise Misconfigured(
            "The setting region of bedrock is not an AWS region.", "Use a region's short name such as eu-central-1."
        )
    return own or ctx.env(*REGION_ENV)


def mode(ctx: Context) -> Mode:
    """Keys or profile. Raises Misconfigured for a config value that is neither."""
    own = ctx.settings.own_text("awsAuthMode")
    if own is not None:
        if (chosen := _mode(own)) is None:
            raise Misconfigured("The setting awsAuthMode of bedrock is neither keys nor profile.")
        return chosen
    for name in MODE_ENV:
        if chosen := _mode(ctx.env(name)):
            return chosen
    if (ctx.settings.api_key or ctx.env(KEY_ENV)) and (ctx.settings.secret_key or ctx.env(SECRET_ENV)):
        return "keys"
    return "profile" if ctx.env(PROFILE_ENV) or ctx.settings.own_text("awsProfile") else "keys"


def _mode(value: str | None) -> Mode | None:
    match (value or "").lower():
        case "keys":
            return "keys"
        case "profile":
            return "profile"
    return None


def keys(ctx: Context) -> Keys | None:
    """The key pair, its halves from the config or the environment each. The ambient session token belongs to the
    ambient access key: AWS refuses it beside another."""
    access, secret = ctx.settings.api_key or ctx.env(KEY_ENV), ctx.settings.secret_key or ctx.env(SECRET_ENV)
    if access is None or secret is None:
        return None
    token = ctx.env(TOKEN_ENV) if access == ctx.env(KEY_ENV) else None
    return Keys(Secret(access), Secret(secret), Secret(token) if token else None)


def profile(ctx: Context) -> Profile | None:
    """The profile the user chose, in the config or the environment."""
    name = ctx.settings.own_text("awsProfile") or ctx.env(PROFILE_ENV)
    return Profile(name) if name else None


@dataclass(frozen=True)
class AwsLogin(Lookup[Login]):
    """The AWS login to use. Raises MissingCredential, Misconfigured.

    Many who use AWS do not use Bedrock, and AWS bills every request for costs: what is only ambient is used when
    bedrock is asked for, but does not make it appear by itself.
    """

    @property
    def settings(self) -> tuple[str, ...]:
        return ("apiKey", "secretKey")

    def places(self, ctx: Context) -> tuple[str, ...]:
        return (
            "config apiKey and secretKey",
            "config awsProfile",
            f"env {KEY_ENV} and {SECRET_ENV}",
            f"env {PROFILE_ENV}",
        )

    def probe(self, ctx: Context) -> Origin | None:
        try:
            chosen = mode(ctx)
        except Misconfigured:
            chosen = "profile"
        if not _wanted(ctx):
            return None
        if chosen == "profile":
            own = ctx.settings.own_text("awsProfile")
            return None if profile(ctx) is None else Origin.config() if own else Origin.env(PROFILE_ENV)
        return None if keys(ctx) is None else Origin.config() if ctx.settings.api_key else Origin.env(KEY_ENV)

    async def find(self, ctx: Context) -> Login:
        if mode(ctx) == "profile":
            found: Login | None = profile(ctx)
            if found is None:
                raise MissingCredential("No AWS profile is named.", "Set `awsProfile` of bedrock or AWS_PROFILE.")
            return found
        found = keys(ctx)
        if found is None:
            reasons = (half(ctx, (KEY_ENV,), (SECRET_ENV,)), empty(ctx, (KEY_ENV, SECRET_ENV, PROFILE_ENV)))
            raise MissingCredential(told("No pair of AWS access key and secret is set.", *reasons))
        return found


def _wanted(ctx: Context) -> bool:
    """Whether the user set anything about Bedrock."""
    settings = ctx.settings
    own = (settings.api_key, settings.secret_key, settings.own_text("awsProfile"), settings.own_text("awsAuthMode"))
    return bool(settings.enabled or any(own) or ctx.env(*MODE_ENV, *BUDGET_ENV))
