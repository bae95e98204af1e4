"""Cookies as people paste them: a header, a block of headers, a command that a browser copied. One reader for all."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import zip_longest

from quotaline_providers.parsing.payload import clean

_CURL = re.compile(r"(?:\S*[/\\])?curl(?:\.exe)?\s", re.IGNORECASE)
_FLAG = re.compile(r"-(?:[Hb]\b|-header\b|-cookie\b)|-[Hb](?=\S*[:=])")
_CALL = re.compile(r"(?:await\s+)?fetch\(|Invoke-WebRequest\b|\$session\b", re.IGNORECASE)
_REQUEST = re.compile(r"(?:GET|POST|PUT|HEAD|OPTIONS) \S+ HTTP/\d")
_HEADER = re.compile(r":?[A-Za-z][\w-]*:(?:\s|\Z)")
# Up to the next header or an empty line, also where the ends of lines were lost on the way.
_COOKIE_LINE = re.compile(
    r"(?:^|(?<=\s))cookie\s*:(.*?)(?=(?<!\s)\s++:?[A-Za-z][\w-]*+:(?:\s|\Z)|\r?\n[ \t]*\r?\n|\Z)",
    re.IGNORECASE | re.DOTALL,
)
_COOKIE_BELOW = re.compile(r"^cookie:?[ \t]*\r?\n([^\r\n]+)", re.IGNORECASE | re.MULTILINE)
_COOKIE_MEMBER = re.compile(r'"cookie"\s*[:=]\s*("(?:[^"\\]|\\.)*")', re.IGNORECASE)
_PIECE = re.compile(
    r"""(?P<gap>(?:\\\r?\n|\s)+)|\$'(?P<ansi>(?:[^'\\]|\\.)*)'|'(?P<plain>[^']*)'|"(?P<quoted>(?:[^"\\]|\\.)*)"|"""
    r"""\\(?P<escaped>.)|(?P<bare>[^\s'"\\$]+|\$)""",
    re.DOTALL,
)
_ANSI = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(.))", re.DOTALL)
_BARE = re.compile(r"[^\s=;]+={0,2}")


def normalize_cookie(text: str, default_name: str | None = None) -> str | None:
    """The `name=value; ...` part of what was pasted; None when it holds no cookie.

    It may be a cookie header with or without its name, a block of request headers, a cURL command for any shell or a
    part of one, or a `fetch` call. `default_name` makes `name=value` of a bare value.
    """
    value = clean(text) or ""
    if is_capture(value):
        value, default_name = "; ".join(_captured(value)), None
    value = " ".join((clean(value) or "").split())
    if not value or any(ord(character) < 32 for character in value):
        return None
    if default_name and _BARE.fullmatch(value):
        return f"{default_name}={value}"
    pairs = [pair.strip() for pair in value.split(";")]
    return "; ".join(pair for pair in pairs if "=" in pair and not pair.startswith("=")) or None


def is_capture(text: str) -> bool:
    """Whether the text is more than cookies: headers with their names, a command, a call. Its cookies are a part."""
    value = (clean(text) or "").replace('^"', '"')
    return any(pattern.match(value) for pattern in (_CURL, _FLAG, _CALL, _REQUEST, _HEADER)) or any(
        pattern.search(value) for pattern in (_COOKIE_LINE, _COOKIE_BELOW, _COOKIE_MEMBER)
    )


def cookie_values(header: str) -> dict[str, str]:
    """The cookies of a header by name; the first of a repeated name wins."""
    pairs = (pair.split("=", 1) for pair in header.split(";") if "=" in pair)
    found: dict[str, str] = {}
    for name, value in pairs:
        found.setdefault(name.strip(), value.strip())
    return found


def _captured(text: str) -> Iterator[str]:
    """The cookie headers in a capture, without their names."""
    if _CURL.match(text) or _FLAG.match(text):
        yield from _in_command(list(_words(text)))
        return
    if members := _COOKIE_MEMBER.findall(text):
        yield from (json.loads(member, strict=False) for member in members if _is_json(member))
        return
    lines = filter(None, map(clean, _COOKIE_LINE.findall(text)))
    yield from list(lines) or _COOKIE_BELOW.findall(text)


def _is_json(member: str) -> bool:
    try:
        json.loads(member, strict=False)
    except ValueError:
        return False
    return True


def _in_command(words: list[str]) -> Iterator[str]:
    for flag, value in zip_longest(words, words[1:], fillvalue=""):
        if flag in ("-b", "--cookie"):
            yield value
        elif flag in ("-H", "--header"):
            yield from _of_header(value)
        elif flag.startswith("--cookie="):
            yield flag.removeprefix("--cookie=")
        elif flag.startswith("--header="):
            yield from _of_header(flag.removeprefix("--header="))
        elif flag.startswith("-b") and "=" in flag:
            yield flag.removeprefix("-b")
        elif flag.startswith("-H"):
            yield from _of_header(flag.removeprefix("-H"))


def _of_header(line: str) -> Iterator[str]:
    name, colon, value = line.partition(":")
    if colon and name.strip().lower() == "cookie":
        yield value.strip()


def _words(command: str) -> Iterator[str]:
    """The words of a command as a shell reads them: POSIX, bash's `$'...'`, or cmd.exe with its carets. Nothing after a
    quote that does not end."""
    if '^"' in command or "^\n" in command or "^\r" in command:
        command = re.sub(r"\^(\r?\n(?:\r?\n)?|.)", lambda match: match[1].strip("\r\n") or " ", command)
    word: str | None = None
    at = 0
    while (piece := _PIECE.match(command, at)) is not None:
        at = piece.end()
        if piece["gap"]:
            if word is not None:
                yield word
            word = None
            continue
        word = (word or "") + _unquoted(piece)
    if word is not None and at == len(command):
        yield word


def _unquoted(piece: re.Match[str]) -> str:
    if (ansi := piece["ansi"]) is not None:
        return _ANSI.sub(lambda match: chr(int(match[1] or match[2], 16)) if match[1] or match[2] else match[3], ansi)
    if (quoted := piece["quoted"]) is not None:
        return re.sub(r'\\([\\"$`])', r"\1", quoted)
    return piece["plain"] or piece["escaped"] or piece["bare"] or ""
