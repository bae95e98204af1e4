"""What Google sends about the Gemini CLI's quota, and the login that the CLI keeps."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import AliasChoices, BeforeValidator, Field

from quotaline_providers import Number, Payload, Secret, Text, lenient, lenient_items, to_text
from quotaline_providers.parsing.payload import jwt_claims, to_words

MARGIN = timedelta(seconds=60)

# --- the quota -------------------------------------------------------------------------------------


class Bucket(Payload):
    """One model's quota. `remaining_fraction` is what is left, 0-1; `reset_time` is kept as sent."""

    model_id: str | None = Field(default=None, alias="modelId")
    remaining_fraction: Number = Field(default=None, alias="remainingFraction")
    remaining_amount: Text = Field(default=None, alias="remainingAmount")
    reset_time: Text = Field(default=None, alias="resetTime")


class QuotaAnswer(Payload):
    """POST v1internal:retrieveUserQuota. `sent` counts the buckets that came, readable or not."""

    buckets: Annotated[tuple[Bucket, ...], lenient_items(Bucket)] = ()
    sent: Annotated[int, BeforeValidator(lambda value: len(value) if isinstance(value, list) else 0)] = Field(
        default=0, validation_alias="buckets"
    )


def _project(value: object) -> str | None:
    if isinstance(value, Mapping):
        return next((text for key in ("id", "projectId") if (text := to_text(value.get(key)))), None)
    return value.strip() or None if isinstance(value, str) else None


class Tier(Payload):
    """A subscription level of Code Assist; `reason` says why an account is not eligible for it, `code` for programs."""

    id: Text = Field(default=None, validation_alias=AliasChoices("id", "tierId"))
    name: Text = Field(default=None, validation_alias=AliasChoices("name", "tierName"))
    description: Text = None
    reason: Text = Field(default=None, alias="reasonMessage")
    code: Text = Field(default=None, alias="reasonCode")


class LoadAnswer(Payload):
    """POST v1internal:loadCodeAssist."""

    project: Annotated[str | None, BeforeValidator(_project)] = Field(default=None, alias="cloudaicompanionProject")
    tier: Annotated[Tier | None, lenient(Tier)] = Field(default=None, alias="currentTier")
    paid_tier: Annotated[Tier | None, lenient(Tier)] = Field(default=None, alias="paidTier")
    refused_tiers: Annotated[tuple[Tier, ...], lenient_items(Tier)] = Field(default=(), alias="ineligibleTiers")
    upgrade: Text = Field(default=None, alias="upgradeSubscriptionUri")

    @property
    def is_moved(self) -> bool:
        """Whether Google serves the account through another product now: it has no tier and is refused one."""
        refused = any((tier.code or "").upper() == "UNSUPPORTED_CLIENT" for tier in self.refused_tiers)
        return refused and self.tier is None


class CloudProject(Payload):
    """A Google Cloud project; `state` is only told where it is not the usual one, such as its deletion."""

    state: Text = Field(default=None, alias="lifecycleState")
    id: Text = Field(default=None, validation_alias=AliasChoices("projectId", "id"))
    labels: Annotated[dict[str, Any], BeforeValidator(lambda v: v if isinstance(v, dict) else {})] = Field(
        default_factory=dict
    )


class ProjectsAnswer(Payload):
    """GET v1/projects of the resource manager."""

    projects: Annotated[tuple[CloudProject, ...], lenient_items(CloudProject)] = ()

    def for_gemini(self) -> str | None:
        """The first project that was made for the Gemini API, else the first that is not being deleted."""
        known = [project for project in self.projects if project.id]
        for project in known:
            if (project.id or "").startswith("gen-lang-client") or "generative-language" in project.labels:
                return project.id
        return next((project.id for project in known if project.state in (None, "ACTIVE")), None)


# --- the login -------------------------------------------------------------------------------------


def to_secret(value: object) -> Secret | None:
    if isinstance(value, Secret):
        return value
    text = to_words(value)
    return Secret(text) if text else None


SecretText = Annotated[Secret | None, BeforeValidator(to_secret)]


class Credentials(Payload):
    """`oauth_creds.json`. `expiry_date` is epoch milliseconds."""

    access_token: SecretText = None
    refresh_token: SecretText = None
    id_token: SecretText = None
    expiry_date: Number = None

    def needs_refresh(self, now: datetime) -> bool:
        """Without an expiry the token is used as it is."""
        if self.access_token is None:
            return True
        return self.expiry_date is not None and self.expiry_date <= (now + MARGIN).timestamp() * 1000

    @property
    def claims(self) -> tuple[str | None, str | None]:
        """E-mail and hosted domain of the id token, unverified."""
        claims = jwt_claims(self.id_token.reveal() if self.id_token else None)
        return to_words(claims.get("email")), to_words(claims.get("hd"))


class KeyringToken(Payload):
    """The tokens as the CLI keeps them in a keyring; the expiry in milliseconds."""

    access_token: SecretText = Field(default=None, alias="accessToken")
    refresh_token: SecretText = Field(default=None, alias="refreshToken")
    expires_at: Number = Field(default=None, alias="expiresAt")


class KeyringEntry(Payload):
    """The item the CLI keeps when it is set to encrypt its login."""

    token: KeyringToken


class RefreshAnswer(Payload):
    """POST /token of Google's OAuth. `expires_in` is seconds."""

    access_token: SecretText = None
    id_token: SecretText = None
    expires_in: Number = None
