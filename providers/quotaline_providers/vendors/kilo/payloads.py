"""What Kilo sends: batched procedure calls, whose payloads change their shape, and the errors in them."""

from __future__ import annotations

from collections.abc import Iterator

from quotaline_providers import BadResponse, ExpiredCredential, ReadError, child, to_number
from quotaline_providers.parsing.json_search import Object
from quotaline_providers.parsing.payload import to_words

PROCEDURES = ("user.getCreditBlocks", "kiloPass.getState", "user.getAutoTopUpPaymentMethod")
_NEEDED = (0, 1)
DEPTH = 2

# --- the batch -------------------------------------------------------------------------------------


def payloads(document: object) -> tuple[object, object, object]:
    """What the three procedures returned, None where one returned nothing.

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
    words = " ".join(texts).lower()
    if "unauthorized" in words or "forbidden" in words:
        return ExpiredCredential("Kilo refused the token.")
    if "not_found" in words or "not found" in words:
        return BadResponse(f"Kilo no longer answers {procedure}.")
    return BadResponse(f"Kilo could not answer {procedure}.")


# --- inside a payload ------------------------------------------------------------------------------


def contexts(payload: object, depth: int = DEPTH) -> tuple[Object, ...]:
    """The payload and the objects nested in it (also in arrays), breadth first, down to a depth."""
    found: list[Object] = []
    level = list(_objects(payload))
    for _ in range(depth + 1):
        found += level
        level = [inner for item in level for value in item.values() for inner in _objects(value)]
    return tuple(found)


def _objects(value: object) -> Iterator[Object]:
    """The value if it is an object, or the objects in an array, however nested."""
    waiting = [value]
    while waiting:
        current = waiting.pop()
        if isinstance(current, dict):
            yield current
        elif isinstance(current, list):
            waiting.extend(reversed(current))


def switch(value: object) -> bool | None:
    """A boolean, a number, or a word for on or off."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        word = value.strip().lower()
        if word in ("true", "1", "yes", "enabled", "on"):
            return True
        return False if word in ("false", "0", "no", "disabled", "off") else None
    number = to_number(value)
    return None if number is None else number != 0
