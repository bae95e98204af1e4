"""The usual meanings of refusals, for `http.get`, `http.post` and `http.check`."""

from __future__ import annotations

from quotaline_providers.contract import Refusal, Refusals
from quotaline_providers.errors import ExpiredCredential


def refused_key(vendor: str, hint: str = "") -> Refusals:
    """For a vendor whose 401 and 403 both mean that the API key is not valid."""
    refusal = Refusal(ExpiredCredential, f"{vendor} refused the API key (HTTP {{status}}).", hint)
    return {401: refusal, 403: refusal}
