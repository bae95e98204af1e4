"""What a vendor's usual refusals are to the user: pairs of an HTTP status and the error a read raises."""

from __future__ import annotations

from quotaline_providers.errors import (
    BadResponse,
    ExpiredCredential,
    Forbidden,
    RateLimited,
    ReadError,
    Unavailable,
)

Refusals = tuple[tuple[int, type[ReadError]], ...]

FAILURES: Refusals = ((429, RateLimited), (500, Unavailable), (404, BadResponse))
"""Whoever asks."""
REFUSALS: Refusals = ((401, ExpiredCredential), (403, Forbidden), *FAILURES)
"""With a credential."""
KEY_REFUSALS: Refusals = ((401, ExpiredCredential), (403, ExpiredCredential), *FAILURES)
"""With a key, where the vendor's 403 means the key itself."""
