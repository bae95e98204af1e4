"""Values that may never be shown, and the one place that takes them out of texts."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

MASK = "[redacted]"

_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)+"), "[email]"),
    (
        re.compile(r"(?i)\b(set-cookie|cookie|authorization|proxy-authorization)(\"?\s*[:=]\s*)[^\r\n]+"),
        rf"\1\2{MASK}",
    ),
    (re.compile(r"(?i)\b(bearer|token|basic)\s+[A-Za-z0-9._~+/=-]{8,}"), rf"\1 {MASK}"),
    (re.compile(r"\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*"), MASK),
    (re.compile(r"\b(sk|pk|cb|xai|ghp|gho|ghu|ghs|github_pat|api|key|secret)[-_][A-Za-z0-9_-]{8,}"), MASK),
    (re.compile(r"\bAKIA[A-Z0-9]{12,}|\bAKLT[A-Za-z0-9]{8,}|\bAIza[A-Za-z0-9_-]{20,}"), MASK),
    (
        re.compile(
            r"(?i)([\"']?[\w-]*(?:token|secret|password|passwd|api[_-]?key|apikey|cookie|credential|session[_-]?key)[\w-]*"
            r"[\"']?\s*[:=]\s*)([\"'][^\"']*[\"']|[^\s,;&}\"']+)"
        ),
        rf"\1{MASK}",
    ),
    (re.compile(r"(://)[^/@\s]+@"), rf"\1{MASK}@"),
)


@dataclass(frozen=True, slots=True)
class Secret:
    """A credential's value. Printing, formatting or logging it shows nothing; only `reveal` gives it out."""

    _value: str

    def reveal(self) -> str:
        return self._value

    def digest(self) -> str:
        """A short fingerprint by which two credentials can be told apart."""
        return hashlib.sha256(self._value.encode()).hexdigest()[:16]

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)


def redact(text: str, *known: Secret) -> str:
    """The text without anything that looks like, or is known to be, a secret or an e-mail address."""
    for secret in sorted(known, key=lambda item: -len(item.reveal())):
        if len(secret.reveal()) >= 4:
            text = text.replace(secret.reveal(), MASK)
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text
