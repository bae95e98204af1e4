"""Volcengine's request signature, version 4: HMAC-SHA256 over a canonical form of the request."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import quote

from quotaline_providers.vendors.doubao.credentials import AccessKey

SERVICE = "ark"
CONTENT_TYPE = "application/x-www-form-urlencoded; charset=utf-8"


def signed_headers(
    host: str, query: Mapping[str, str], pair: AccessKey, region: str, now: datetime, *, body: bytes = b""
) -> dict[str, str]:
    """The headers of a signed `POST https://<host>/?<query>`, with the signature among them."""
    date = f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    digest = hashlib.sha256(body).hexdigest()
    # The vendor refuses any order but the alphabetical one.
    signed = {"content-type": CONTENT_TYPE, "host": host, "x-content-sha256": digest, "x-date": date}
    names = ";".join(signed)
    lines = "".join(f"{name}:{value}\n" for name, value in signed.items())
    canonical = "\n".join(("POST", "/", canonical_query(query), lines, names, digest))
    scope = f"{date[:8]}/{region}/{SERVICE}/request"
    text = "\n".join(("HMAC-SHA256", date, scope, hashlib.sha256(canonical.encode()).hexdigest()))
    key = pair.secret.reveal().encode()
    for part in (date[:8], region, SERVICE, "request"):
        key = hmac.digest(key, part.encode(), hashlib.sha256)
    signature = hmac.digest(key, text.encode(), hashlib.sha256).hex()
    credential = f"{pair.id.reveal()}/{scope}"
    return {
        "Host": host,
        "Content-Type": CONTENT_TYPE,
        "X-Date": date,
        "X-Content-Sha256": digest,
        "Authorization": f"HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={signature}",
    }


def canonical_query(query: Mapping[str, str]) -> str:
    """Names and values encoded as RFC 3986 has it, sorted."""
    pairs = sorted((quote(name, safe=""), quote(value, safe="")) for name, value in query.items())
    return "&".join(f"{name}={value}" for name, value in pairs)
