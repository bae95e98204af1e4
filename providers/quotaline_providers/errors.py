"""Every way a reading can fail. A kind is for programs, the message says what happened, the hint what to do next."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from quotaline_providers.model import Usage
    from quotaline_providers.parsing.shape import AnswerShape


class Kind(StrEnum):
    """What went wrong, as scripts and clients see it."""

    MISSING_CREDENTIAL = "missing_credential"
    EXPIRED_CREDENTIAL = "expired_credential"
    FORBIDDEN = "forbidden"
    RATE_LIMITED = "rate_limited"
    UNAVAILABLE = "unavailable"
    TIMEOUT = "timeout"
    BAD_RESPONSE = "bad_response"
    MISSING_PROGRAM = "missing_program"
    MISCONFIGURED = "misconfigured"


class ReadError(Exception):
    """A reading failed for a reason the user can be told.

    `message` is one plain sentence; `hint` says what to do (the provider's own sentence when empty).
    `definite` means the vendor gave a final answer that makes earlier usage untrue (no plan, account closed).
    `partial` is usage that could still be read beside the failure.
    `quiet` means that what was found here is no account that the user has set up (a program on PATH, a login of another
    product): unless the config enables the provider, the status line leaves it out and only the hover tells.
    Neither text may hold a secret or a vendor's error body.
    """

    kind: Kind = Kind.UNAVAILABLE
    default_hint = ""

    def __init__(
        self,
        message: str,
        hint: str = "",
        *,
        definite: bool = False,
        partial: Usage | None = None,
        quiet: bool = False,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint or self.default_hint
        self.definite = definite
        self.partial = partial
        self.quiet = quiet


class MissingCredential(ReadError):
    """No credential was found. Falls through to the next strategy."""

    kind = Kind.MISSING_CREDENTIAL


class ExpiredCredential(ReadError):
    """The vendor refused the credential (usually HTTP 401), or it is known to have expired."""

    kind = Kind.EXPIRED_CREDENTIAL


class Forbidden(ReadError):
    """The credential is known but may not read this (usually HTTP 403)."""

    kind = Kind.FORBIDDEN


class RateLimited(ReadError):
    """The vendor refused because of too many requests. `until` (UTC) is when it allows the next one, if it said so."""

    kind = Kind.RATE_LIMITED
    default_hint = "Wait until the limit is over; open editors then try again by themselves."

    def __init__(self, message: str, hint: str = "", *, until: datetime | None = None) -> None:
        super().__init__(message, hint)
        self.until = until


class Unavailable(ReadError):
    """The vendor could not be reached or failed itself: DNS, TLS, refused connection, HTTP 5xx."""

    kind = Kind.UNAVAILABLE
    default_hint = "Try again later; open editors do so by themselves."


class TimedOut(ReadError):
    """The vendor or its program did not answer within the deadline."""

    kind = Kind.TIMEOUT
    default_hint = "Try again later; open editors do so by themselves."


class BadResponse(ReadError):
    """There was an answer, but not one that can be understood. `shape` is what may be kept of it, set by the run."""

    kind = Kind.BAD_RESPONSE
    default_hint = "The vendor may have changed its API; an update of Quotaline may help."
    shape: AnswerShape | None = None


class MissingProgram(ReadError):
    """The vendor's program is not installed. Falls through to the next strategy."""

    kind = Kind.MISSING_PROGRAM


class RestartDue(ReadError):
    """The installed Quotaline is another one than the one that runs; nothing more can be loaded from it."""

    kind = Kind.UNAVAILABLE


class Misconfigured(ReadError):
    """A setting cannot be used as it is; the message names it. Raised before anything is sent."""

    kind = Kind.MISCONFIGURED
    default_hint = "Run `quotaline config edit` and correct the setting."


LONGEST_WAIT = timedelta(hours=24)
"""How long a wait that a vendor asks for is kept; a longer one is a slip of the vendor's."""


FALL_THROUGH = (MissingCredential, MissingProgram)
"""Errors after which the next strategy is always tried."""
