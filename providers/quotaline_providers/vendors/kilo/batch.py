"""The envelope of Kilo's batched procedure calls: which answer belongs to which procedure, and what its errors mean."""

from __future__ import annotations

from collections.abc import Iterator

from quotaline_providers.errors import BadResponse, ExpiredCredential, ReadError
from quotaline_providers.parsing.json_search import Object
from quotaline_providers.parsing.payload import child, to_words

PROCEDURES = ("user.getCreditBlocks", "kiloPass.getState", "user.getAutoTopUpPaymentMethod")
_NEEDED = (0, 1)


def payloads(document: object) -> tuple[object, object, object]:
    """What the three procedures told, None where one told nothing.

    Raises BadResponse, ExpiredCredential; the third procedure may fail.
    """
    entries = dict(_entries(document))
    for number in _NEEDED:
        error = entries.get(number, {}).get("error")
        if isinstance(error, dict):
            raise refusal(error, PROCEDURES[number])
    first, second, third = (payload(entries.get(number, {})) for number in range(len(PROCEDURES)))
    return first, second, third


def _entries(document: object) -> Iterator[tuple[int, Object]]:
    if isinstance(document, list):
        listed: list[tuple[int, object]] = list(enumerate(document))
    elif isinstance(document, dict) and ("result" in document or "error" in document):
        listed = [(0, document)]
    elif isinstance(document, dict) and any(str(number) in document for number in range(len(PROCEDURES))):
        listed = [(number, document.get(str(number))) for number in range(len(PROCEDURES))]
    else:
        raise BadResponse("Kilo answered with data of another shape.")
    return ((number, entry) for number, entry in listed if isinstance(entry, dict))


def payload(entry: Object) -> object:
    """The content of an entry; None when there is none, also where its procedure failed."""
    result = child(entry, "result")
    if result is None or isinstance(entry.get("error"), dict):
        return None
    data = result.get("data")
    if isinstance(data, dict) and "json" in data:
        return data["json"]
    return result.get("json") if data is None else data


def refusal(error: Object, procedure: str) -> ReadError:
    """What a procedure's error means."""
    inner = child(error, "json") or {}
    codes = ((child(inner, "data") or {}).get("code"), (child(error, "data") or {}).get("code"), error.get("code"))
    texts = (
        next(filter(None, map(to_words, codes)), ""),
        to_words(inner.get("message")) or to_words(error.get("message")) or "",
    )
    told = " ".join(texts).lower()
    if "unauthorized" in told or "forbidden" in told:
        return ExpiredCredential("Kilo refused the token.")
    if "not_found" in told or "not found" in told:
        return BadResponse(f"Kilo no longer answers {procedure}.")
    return BadResponse(f"Kilo could not answer {procedure}.")
