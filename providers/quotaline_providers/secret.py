"""Values that may never be shown, and the one place that takes them out of texts."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote, quote_plus

from quotaline_providers.errors import Kind

MASK = "[redacted]"

_TELLING = (
    "token|secret|password|passwd|passphrase|api[_-]?key|access[_-]?key|private[_-]?key|cookie|credential|"
    "authorization|bearer|session[_-]?(?:id|key)|csrf|signature|otp"
)
_KINDS = "|".join(Kind)
"""`missing_credential: No API key is set.` is a sentence of ours behind its kind, and no value behind a name."""
_NO_WORD = r"(?!(?<=: )(?-i:[a-z]{1,4} [a-z]))"
"""`set DEMO_API_KEY: it shows the usage` goes on in words."""
_QUOTED = r"\"(?:[^\"\\]|\\.)*+\"?|'(?:[^'\\]|\\.)*+'?"

# Names and values are matched possessively and from a word's start: a hostile text must not cost quadratic time.
_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(://)[^/@\s]+@"), rf"\1{MASK}@"),
    (re.compile(r"(?<![\w.+-])[\w.+-]++(?:@|%40)[\w-]++(?:\.[\w-]++)+"), "[email]"),
    # Whole lines, because what follows the name has no end that could be told.
    (
        re.compile(r"(?i)\b(set-cookie|cookie|proxy-authorization|authorization)(\s*+:\s*+)(?![\"'])[^\r\n]+"),
        rf"\1\2{MASK}",
    ),
    # Names in JSON, headers, settings and queries; a count of tokens is not a secret.
    (
        re.compile(
            rf"(?i)(?<![\w-])((?!(?:{_KINDS}): )(?!\w*tokens[\"']?\s*[:=]\s*[\d.,]+(?![\w.-]))"
            rf"(?=[\w-]*?(?:{_TELLING}))[\w-]++[\"']?\s*+[:=]\s*+)({_QUOTED}|{_NO_WORD}[^\s,;&}}\"']+)"
        ),
        rf"\1{MASK}",
    ),
    (re.compile(r"(?i)([?&](?:key|auth|code|sig|sign|user|login|email|state|sid|jwt)=)[^&#\s\"']+"), rf"\1{MASK}"),
    # A word of letters alone, also the last one of a sentence, is a word.
    (re.compile(r"(?i)\b(bearer|token|basic)\s+(?=\S*[\d_~+/=-]|\S*\.\S)[A-Za-z0-9._~+/=-]{8,}"), rf"\1 {MASK}"),
    (re.compile(r"\beyJ[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_-]+)*\.?"), MASK),
    (re.compile(r"\bdevin-session-token\$[^\s\"',;]+"), MASK),
    (
        re.compile(
            r"\b(?:sk|pk|rk|cb|fw|hf|gsk|r8|xai|pplx|sess|nvapi|glpat|gh[opsur]|github_pat|xox[abprs])"
            r"[-_][A-Za-z0-9_-]{8,}"
        ),
        MASK,
    ),
    (re.compile(r"\b(?:api|key|secret)[-_](?=[A-Za-z_-]{0,40}\d)[A-Za-z0-9_-]{12,}"), MASK),
    (re.compile(r"\bA[KS]IA[A-Z0-9]{12,}|\bAKLT[A-Za-z0-9]{8,}|\bAIza[A-Za-z0-9_-]{20,}|\bya29\.[\w.-]{8,}"), MASK),
)


@dataclass(frozen=True, slots=True)
class Secret:
    """A credential's value. Printing, formatting or logging it shows nothing; only `reveal` gives it out."""

    _value: str

    def reveal(self) -> str:
        return self._value

    def digest(self) -> str:
        """A short fingerprint by which two credentials can be told apart."""
        return hashlib.sha256(self._value.encode("utf-8", "surrogatepass")).hexdigest()[:16]

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)


def redact(text: str, *known: Secret) -> str:
    """The text without anything that looks like, or is known to be, a secret or an e-mail address."""
    for value in sorted({form for secret in known for form in _spellings(secret.reveal())}, key=len, reverse=True):
        text = text.replace(value, MASK)
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text


def _spellings(value: str) -> Iterator[str]:
    """A secret as it stands in texts, JSON and addresses. Very short ones would blank out half a text."""
    if len(value) >= 4:
        yield value
        yield json.dumps(value)[1:-1]
        yield quote(value, safe="", errors="replace")
        yield quote_plus(value, errors="replace")
