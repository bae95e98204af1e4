"""Warp: the monthly AI credits of an account and its add-on credits, read from Warp's GraphQL service."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import MAXYEAR, datetime
from typing import Annotated, Any

from pydantic import BeforeValidator

import quotaline_providers as ql

ADDRESS = "https://app.warp.dev/graphql/v2"
OPERATION = "GetRequestLimitInfo"
SECONDS = 15.0
_SYSTEMS = {"darwin": ("macOS", "15.0.0"), "win32": ("Windows", "11")}
_GRANT = "requestCreditsGranted requestCreditsRemaining expiration"
QUERY = f"""query {OPERATION}($requestContext: RequestContext!) {{
  user(requestContext: $requestContext) {{
    __typename
    ... on UserOutput {{
      user {{
        requestLimitInfo {{ isUnlimited nextRefreshTime requestLimit requestsUsedSinceLastRefresh }}
        bonusGrants {{ {_GRANT} }}
        workspaces {{ bonusGrantsInfo {{ grants {{ {_GRANT} }} }} }}
      }}
    }}
  }}
}}"""


# --- what the vendor sends -------------------------------------------------------------------------


def _yes(value: object) -> bool:
    if isinstance(value, str):
        return value.strip().lower() in ("true", "1", "yes")
    return value if isinstance(value, bool) else bool(ql.to_number(value))


Count = Annotated[int, BeforeValidator(lambda value: ql.to_integer(value) or 0)]


class LimitInfo(ql.Payload):
    """Credits of the running month; counts that cannot be read are 0."""

    isUnlimited: Annotated[bool, BeforeValidator(_yes)] = False  # noqa: N815 - the vendor's spelling
    nextRefreshTime: ql.When = None  # noqa: N815
    requestLimit: Count = 0  # noqa: N815
    requestsUsedSinceLastRefresh: Count = 0  # noqa: N815


class Grant(ql.Payload):
    """Add-on credits that expire together."""

    requestCreditsGranted: Count = 0  # noqa: N815
    requestCreditsRemaining: Count = 0  # noqa: N815
    expiration: ql.When = None


class GrantsInfo(ql.Payload):
    """A workspace's add-on credits."""

    grants: Annotated[tuple[Grant, ...], ql.lenient_items(Grant)] = ()


class Workspace(ql.Payload):
    """A workspace of the user's."""

    bonusGrantsInfo: Annotated[GrantsInfo | None, ql.lenient(GrantsInfo)] = None  # noqa: N815


class User(ql.Payload):
    """The user's own limit and add-on credits, and those shared in workspaces."""

    requestLimitInfo: Annotated[LimitInfo | None, ql.lenient(LimitInfo)] = None  # noqa: N815
    bonusGrants: Annotated[tuple[Grant, ...], ql.lenient_items(Grant)] = ()  # noqa: N815
    workspaces: Annotated[tuple[Workspace, ...], ql.lenient_items(Workspace)] = ()

    @property
    def grants(self) -> tuple[Grant, ...]:
        shared = (item.bonusGrantsInfo.grants for item in self.workspaces if item.bonusGrantsInfo)
        return (*self.bonusGrants, *(grant for grants in shared for grant in grants))


class Data(ql.Payload):
    """The answer to `OPERATION`."""

    user: dict[str, Any] | None = None


class Reply(ql.Payload):
    """A GraphQL answer; errors may come with HTTP 200."""

    errors: Any = None
    data: Annotated[Data | None, ql.lenient(Data)] = None


# --- what it means ---------------------------------------------------------------------------------


def user_of(reply: Reply) -> tuple[LimitInfo, tuple[Grant, ...]]:
    """The limits and the add-on grants. Raises ExpiredCredential and BadResponse."""
    if isinstance(reply.errors, list) and reply.errors:
        if "unauth" in _messages(reply.errors).lower():
            raise ql.ExpiredCredential("Warp refused the API key.")
        raise ql.BadResponse("Warp answered with an error instead of the credits.")
    output = reply.data.user if reply.data else None
    if output is None:
        raise ql.BadResponse("Warp's answer has no user.")
    user = User.model_validate(output["user"]) if isinstance(output.get("user"), dict) else None
    if user is None or user.requestLimitInfo is None:
        kind = output.get("__typename")
        raise ql.BadResponse(
            "Warp's answer has no credits for this user."
            if kind in (None, "UserOutput") or not isinstance(kind, str) or not kind.isidentifier()
            else f"Warp answered with {kind[:40]} instead of the user."
        )
    return user.requestLimitInfo, user.grants


def _messages(errors: Iterable[object]) -> str:
    texts = (item.get("message") if isinstance(item, dict) else item for item in errors)
    return " | ".join([text for text in texts if isinstance(text, str) and text][:3])


def credits_window(info: LimitInfo) -> ql.Window:
    """The month's credits; an unlimited account has no reset."""
    if info.isUnlimited:
        return ql.Window(
            id="credits",
            label="Credits",
            used_percent=0,
            description="Unlimited",
            lane="primary",
            blocks=True,
            unlimited=True,
        )
    used, limit = info.requestsUsedSinceLastRefresh, info.requestLimit
    return ql.Window(
        id="credits",
        label="Credits",
        used_percent=ql.share(used, limit),
        used=used,
        limit=limit if limit > 0 else None,
        unit="credits",
        resets_at=info.nextRefreshTime,
        description=f"{ql.grouped(used)}/{ql.grouped(limit)} credits",
        lane="primary",
        blocks=True,
    )


def addon_window(grants: tuple[Grant, ...]) -> ql.Window | None:
    """All add-on credits together; None when there never were any. They expire, they do not reset."""
    total = sum(grant.requestCreditsGranted for grant in grants)
    left = sum(grant.requestCreditsRemaining for grant in grants)
    if total <= 0 and left <= 0:
        return None
    return ql.Window(
        id="add-on",
        label="Add-on credits",
        used_percent=ql.share(total - left, total),
        used=max(0, total - left),
        limit=total if total > 0 else None,
        unit="credits",
        description=expiry_text(grants) if left > 0 else None,
        lane="secondary",
        blocks=False,
    )


def expiry_text(grants: Iterable[Grant]) -> str | None:
    """What expires next, and when, in local time. The ends of the calendar mean never."""
    left: dict[datetime, int] = defaultdict(int)
    for grant in grants:
        if grant.expiration and 1970 < grant.expiration.year < MAXYEAR and grant.requestCreditsRemaining > 0:
            left[grant.expiration.replace(microsecond=0)] += grant.requestCreditsRemaining
    if not left:
        return None
    first = min(left)
    return f"{ql.grouped(left[first])} credits expires on {first.astimezone():%Y-%m-%d %H:%M}"


def to_usage(reply: Reply, now: datetime) -> ql.Usage:
    """The usage of one key. Raises ExpiredCredential and BadResponse."""
    info, grants = user_of(reply)
    addon = addon_window(grants)
    paid = addon is not None and not addon.exhausted
    windows = (ql.paid_on(credits_window(info), by_others=paid), addon)
    return ql.Usage(
        updated_at=now, windows=tuple(window for window in windows if window), confidence=ql.Confidence.EXACT
    )


# --- how it is fetched -----------------------------------------------------------------------------


async def from_api(ctx: ql.Context, key: ql.Credential) -> ql.Usage:
    """One request with the headers of Warp's own app, which the service expects. Raises ReadError."""
    name, version = _SYSTEMS.get(ctx.platform, ("Linux", "6.0.0"))
    system = {"category": name, "name": name, "version": version}
    response = await ctx.http.send(
        "POST",
        ADDRESS,
        bearer=key.secret,
        headers={
            "User-Agent": "Warp/1.0",
            "x-warp-client-id": "warp-app",
            "x-warp-os-category": name,
            "x-warp-os-name": name,
            "x-warp-os-version": version,
        },
        params={"op": OPERATION},
        json={
            "operationName": OPERATION,
            "variables": {"requestContext": {"clientContext": {}, "osContext": system}},
            "query": QUERY,
        },
        timeout=SECONDS,
    )
    if ctx.http.check(response, ql.refused_key("Warp")).status != 200:
        raise ql.BadResponse(f"Warp gave an unexpected answer (HTTP {response.status}).")
    return to_usage(ctx.http.parse(response, Reply), ctx.now)


PROVIDER = ql.Provider(
    id="warp",
    name="Warp",
    kind=ql.ProviderKind.CODING,
    connect="Create an API key in Warp's settings under Platform and set WARP_API_KEY.",
    summary="The monthly AI credits and the add-on credits.",
    aliases=("warp-ai", "warp-terminal"),
    dashboard="https://docs.warp.dev/reference/cli/api-keys",
    min_interval=300,
    deadline=30,
    description_is_detail=True,
    strategies=(ql.Strategy.api(from_api, ql.ApiKey(env=("WARP_API_KEY", "WARP_TOKEN"))),),
)
