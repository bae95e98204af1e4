"""What an HTTP answer means: its error, when to ask again, and its body as a payload model."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from types import MappingProxyType
from typing import TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel, ValidationError

from quotaline_providers.access.clock import clock_note
from quotaline_providers.contract import HTML, Refusals, Response
from quotaline_providers.errors import (
    LONGEST_WAIT,
    BadResponse,
    ExpiredCredential,
    Forbidden,
    RateLimited,
    ReadError,
    Unavailable,
)
from quotaline_providers.parsing.answers import Answer, heard
from quotaline_providers.parsing.payload import to_number

P = TypeVar("P", bound=BaseModel)

PROXY_LOGIN = "Put user:password@ before the host in HTTP_PROXY (or ALL_PROXY)."


def error_of(response: Response, now: datetime, refusals: Refusals = MappingProxyType({})) -> ReadError | None:
    """The error that a response stands for: something on the way that refused it, else what `refusals` say of it, else
    what its status means; None for 2xx."""
    host, status = host_of(response.url), response.status
    heard(Answer(host, status, response.body))
    if HTML in refusals and response.is_page:
        return refusals[HTML].raised(status)
    if response.ok:
        return None
    if response.is_barred:
        return _barred(response, host)
    error = _refusal(response, host, now, refusals)
    if status in (401, 403) and (note := clock_note(response, now)):
        error.message = f"{error.message} {note}"
    return error


def _refusal(response: Response, host: str, now: datetime, refusals: Refusals) -> ReadError:
    status = response.status
    if status in refusals:
        return refusals[status].raised(status, retry_after(response, now))
    if status == 401:
        return ExpiredCredential(f"{host} refused the credential (HTTP 401).")
    if status == 403:
        return Forbidden(f"{host} does not let this credential read its usage (HTTP 403).")
    if status == 429:
        return RateLimited(f"{host} refuses further requests for now (HTTP 429).", until=retry_after(response, now))
    if status >= 500:
        return Unavailable(f"{host} has a problem of its own (HTTP {status}).")
    if 300 <= status < 400:
        return BadResponse(f"{host} redirected the request to another place (HTTP {status}).")
    return BadResponse(f"{host} did not accept the request (HTTP {status}).")


def _barred(response: Response, host: str) -> Unavailable:
    if response.status == 407:
        return Unavailable(f"The proxy for {host} asks for a user name and password (HTTP 407).", PROXY_LOGIN)
    if response.status == 511:
        return Unavailable(
            f"This network asks you to sign in before {host} can be reached (HTTP 511).",
            "Open a web page in your browser and sign in to the network.",
        )
    if response.is_challenge:
        return Unavailable(
            f"{host} asked for a bot check (HTTP {response.status}), which says nothing of the credential.",
            f"Open https://{host} in your browser; where that works, leave the VPN or use another network.",
        )
    return Unavailable(
        f"A web page refused the request to {host} (HTTP {response.status}); it says nothing of the credential.",
        f"A filter, a proxy or a bot check may be in the way: open https://{host} in your browser, or use another "
        "network.",
    )


def retry_after(response: Response, now: datetime) -> datetime | None:
    """When `Retry-After` (seconds, also with a fraction, or an HTTP date) lets us ask again, LONGEST_WAIT from
    now at most; None when absent, past, zero or not understood."""
    text = response.headers.get("retry-after", "").strip()
    seconds = to_number(text)
    if seconds is None and text.isdecimal():  # more digits than a number has
        return now + LONGEST_WAIT
    try:
        if seconds is not None:
            return now + timedelta(seconds=min(seconds, LONGEST_WAIT.total_seconds())) if seconds > 0 else None
        until = parsedate_to_datetime(text)
        until = until.replace(tzinfo=UTC) if until.tzinfo is None else until.astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    return min(until, now + LONGEST_WAIT) if until > now else None


def parse(response: Response, model: type[P]) -> P:
    """The body as this model. Raises BadResponse; neither its message nor its cause holds anything of the body."""
    answer = Answer(host_of(response.url), response.status, response.body, model)
    heard(answer)
    found = _parsed(answer.host, response.body.removeprefix(b"\xef\xbb\xbf").strip(), model)
    if isinstance(found, BadResponse):
        heard(answer, found)
        raise found
    return found


def _parsed(host: str, body: bytes, model: type[P]) -> P | BadResponse:
    if not body:
        return BadResponse(f"{host} answered with nothing.")
    if body.startswith(b"<"):
        return BadResponse(
            f"{host} answered with a web page instead of data; a sign-in page or proxy may be in the way.",
            "Check that you are signed in, and that no proxy or network sign-in page answers in between.",
        )
    try:
        return model.model_validate_json(body.decode("utf-8", "replace"))
    except ValidationError as error:
        details = error.errors(include_input=False, include_url=False, include_context=False)
        broken = any(detail["type"] == "json_invalid" for detail in details)
        field = _field(details[0]["loc"], model) if details else ""
    except (RecursionError, ValueError, OverflowError):
        broken, field = True, ""
    if broken:
        return BadResponse(f"{host} answered with data that cannot be read.")
    return BadResponse(f"{host} answered with data of another shape{field}.")


def _field(location: tuple[int | str, ...], model: type[BaseModel]) -> str:
    """Where the first difference is: only names that stand in our own model, never the vendor's words."""
    first = location[0] if location else None
    known = {name for key, field in model.model_fields.items() for name in (key, field.alias)}
    return f" (field {first})" if isinstance(first, str) and first in known else ""


def host_of(url: str) -> str:
    """The host of an address, for messages."""
    return urlsplit(url).hostname or "The vendor"
