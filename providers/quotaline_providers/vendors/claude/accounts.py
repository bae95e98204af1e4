"""Whose Claude usage it is: the plan, the organisation at claude.ai, whether two ways in lead to one account. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from quotaline_providers import BadResponse, Misconfigured
from quotaline_providers.vendors.claude.payloads import Membership, Organization

PLAN_WORDS = ("max", "pro", "team", "enterprise", "ultra")


# --- the plan --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Plan:
    """A subscription: `word` is one of `PLAN_WORDS` or None, `text` what people read."""

    word: str | None
    text: str | None


def plan_of(subscription: str | None, tier: str | None) -> Plan:
    """The plan from Claude Code's `subscriptionType`, else from the rate-limit tier (`default_claude_max_20x`)."""
    word = _plan_word(subscription) or _plan_word(tier)
    if word is None:
        return Plan(None, None)
    text = f"Claude {word.capitalize()}"
    size = re.search(r"_(5|20)x\b", (tier or "").lower()) if word == "max" else None
    return Plan(word, f"{text} {size.group(1)}x" if size else text)


def _plan_word(text: str | None) -> str | None:
    words = re.split(r"[^a-z]+", (text or "").lower())
    return next((word for word in PLAN_WORDS if word in words), None)


# --- claude.ai -------------------------------------------------------------------------------------


def choose(organizations: tuple[Organization, ...], wanted: str | None) -> Organization:
    """The organisation to read. Raises Misconfigured when the wanted one is not there, BadResponse when none is."""
    known = [one for one in organizations if one.uuid]
    if wanted:
        for one in known:
            if one.uuid == wanted:
                return one
        raise Misconfigured(
            "The Claude organisation in organizationID is not one of this account.",
            "Correct organizationID or remove it.",
        )
    if not known:
        raise BadResponse("This Claude account has no organisation.", "Sign in at claude.ai with another account.")
    chat = (one for one in known if "chat" in one.capabilities)
    people = (one for one in known if one.capabilities != ("api",))
    return next(chat, None) or next(people, None) or known[0]


def web_plan(membership: Membership | None) -> Plan:
    """The plan from a membership: its rate-limit tier, its billing, and the seat of a team."""
    organization = membership.organization if membership else None
    if membership is None or organization is None:
        return Plan(None, None)
    tier = (organization.tier or "").lower()
    plan = plan_of(None, tier)
    if plan.word is None and "stripe" in (organization.billing or "").lower() and "claude" in tier:
        plan = Plan("pro", "Claude Pro")
    seats = {"team_standard": "Claude Team Standard", "team_tier_1": "Claude Team Premium"}
    seat = seats.get((membership.seat_tier or "").lower())
    return Plan("team", seat) if seat and plan.word in (None, "team") else plan


# --- the account -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose usage it is, as far as known: an e-mail address and an organisation's UUID."""

    email: str | None = None
    organization: str | None = None

    def same(self, other: Owner) -> bool:
        """Whether one of the two agrees and none contradicts."""
        pairs = ((self.email, other.email), (self.organization, other.organization))
        known = [one.lower() == two.lower() for one, two in pairs if one and two]
        return bool(known) and all(known)
