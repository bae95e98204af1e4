"""What people paste when they are asked for a cookie, in every form that browsers copy."""

from __future__ import annotations

import pytest
from hypothesis import example, given, strategies as st

from quotaline_providers.access.cookies import cookie_values, is_capture, normalize_cookie

FIREFOX = """GET /settings HTTP/2
Host: own.example
User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0
Accept: */*
Cookie: a=1; b=x:y
Referer: https://own.example/
"""
CHROME = """:authority
own.example
cookie
a=1; b=x:y
user-agent
Mozilla/5.0
"""
BASH = r"""curl 'https://own.example/api?x=$' \
  -H 'accept: */*' \
  -b $'a=1\u0021; b=it\'s\\x' \
  -H 'user-agent: Mozilla/5.0'"""
CMD = """curl ^"https://own.example/api?a=1^&b=2^" ^
  -H ^"accept: */*^" ^
  -b ^"a=^%^22x^%^22; b=2^&3^" ^
  -H ^"sec-ch-ua: ^\\^"Chromium^\\^";v=^\\^"143^\\^"^\""""
FETCH = """fetch("https://own.example/", {
  "headers": { "accept": "*/*", "cookie": "a=1; b=\\"2\\"" },
  "method": "GET"
});"""


@pytest.mark.parametrize(
    ("text", "header"),
    [
        ("a=1", "a=1"),
        ("  cookie:  a=1;b=2 ; ", "a=1; b=2"),
        ('"Cookie: a=1"', "a=1"),
        ("cookie: 'a=1'", "a=1"),
        ("COOKIE: a=x=y", "a=x=y"),
        ("a=1;\n b=2", "a=1; b=2"),
        ("Cookie: a=1;\n b=2", "a=1; b=2"),
        ("a=1; bare; =c", "a=1"),
        (FIREFOX, "a=1; b=x:y"),
        (FIREFOX.replace("\n", "\r\n"), "a=1; b=x:y"),
        (" ".join(FIREFOX.split()), "a=1; b=x:y"),
        ("Accept: */* Cookie: a=b Host: x", "a=b"),
        ("Host: x\ncookie: a=1\ncookie: b=2\n\nbody: c=3", "a=1; b=2"),
        (CHROME, "a=1; b=x:y"),
        ("-H 'Cookie: a=b'", "a=b"),
        ("--header 'cookie: a=b'", "a=b"),
        ("-b 'a=b'", "a=b"),
        ("--cookie=a=b", "a=b"),
        ("-ba=b", "a=b"),
        ("curl https://own.example -H 'Cookie: a=1; b=2' -H 'Accept: */*'", "a=1; b=2"),
        ("curl.exe https://own.example -H 'Cookie: a=1'", "a=1"),
        ("C:\\Windows\\System32\\curl.exe -b a=1", "a=1"),
        ("/usr/bin/curl -b a=1", "a=1"),
        ('curl -b "a=1" https://own.example', "a=1"),
        ('curl -b "a=\\"1\\"" https://own.example', 'a="1"'),
        ("curl --cookie a=1 \\\n https://own.example", "a=1"),
        ('curl ^"https://own.example^" -b ^"a=b^"', "a=b"),
        ('curl "https://own.example" ^\n -H "cookie: a=1"', "a=1"),
        ("curl 'https://own.example' -b $'a=b\\u0021'", "a=b!"),
        (BASH, "a=1!; b=it's\\x"),
        (CMD, "a=%22x%22; b=2&3"),
        (FETCH, 'a=1; b="2"'),
        ('curl -H "x-old: cookie: c=3" -b a=1', "a=1"),
    ],
)
def test_a_cookie_is_found_in(text: str, header: str) -> None:
    assert normalize_cookie(text) == header
    assert normalize_cookie(text, "session") == header


@pytest.mark.parametrize(
    "text",
    [
        "bare",
        "",
        "Cookie:",
        "cookie",
        "curl https://own.example",
        "curl 'open quote",
        "curl -b 'a=1",
        "-H 'Accept: a=b'",
        "Accept: text/html;q=0.9\nHost: x",
        "GET /?a=1 HTTP/1.1",
        "Set-Cookie: a=1; Path=/",
        'fetch("https://own.example/?a=1", {"headers": {"cookie": "a=1',
    ],
)
def test_there_is_no_cookie_in(text: str) -> None:
    assert normalize_cookie(text) is None


@pytest.mark.parametrize("text", [FIREFOX, CHROME, BASH, CMD, FETCH, "Host: x", "cookie: a=1", "-b a=1"])
def test_a_capture_is_more_than_cookies(text: str) -> None:
    assert is_capture(text)


@pytest.mark.parametrize("text", ["a=1; b=2", "bare", "a=1; b=x:y", "sk-ant-x", "https://own.example/?a=1", ""])
def test_no_capture(text: str) -> None:
    assert not is_capture(text)


@pytest.mark.parametrize("text", [" bare ", "bare=", "bare==", "'bare'"])
def test_a_bare_value_gets_the_default_name(text: str) -> None:
    assert normalize_cookie(text, "session") == f"session={text.strip(chr(32) + chr(39))}"


@example("-H'''")
@given(st.text() | st.text("curlCookie: -bH=;^\"'\\$\n{}", max_size=60))
def test_a_header_can_be_sent_on_one_line(text: str) -> None:
    header = normalize_cookie(text, "session")
    assert header is None or ("=" in header and not any(ord(character) < 32 for character in header))


@pytest.mark.timeout(10)
@pytest.mark.parametrize(
    "text", ["cookie: " * 20_000, "curl " + "\\" * 50_000, "curl '" * 20_000, "a: " * 50_000, '"cookie": "' * 10_000]
)
def test_long_texts_are_quick(text: str) -> None:
    normalize_cookie(text)


def test_the_first_cookie_of_a_name_wins() -> None:
    assert cookie_values("a=1; b=x=y; a=2; bare") == {"a": "1", "b": "x=y"}


@pytest.mark.parametrize("text", ["cookie:" + " " * 500_000 + "a=b", "cookie:a=b" + "\n " * 200_000 + "x: y"])
def test_a_paste_of_blanks_costs_no_more_than_its_length(text: str) -> None:
    assert normalize_cookie(text) == "a=b"
