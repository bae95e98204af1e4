"""What may never be shown, and what may."""

from __future__ import annotations

import ast
import pickle
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given, strategies as st

import quotaline
import quotaline_providers
from quotaline_providers import errors
from quotaline_providers.secret import MASK, Secret, redact

VALUE = "demo-0123456789"


def test_a_secret_shows_nothing_however_it_is_printed() -> None:
    secret = Secret(VALUE)
    texts = (str(secret), repr(secret), f"{secret}", f"{secret:>40}", "%s" % secret, str([secret]), str({"k": secret}))  # noqa: UP031
    assert not any(VALUE in text for text in texts)
    assert secret.reveal() == VALUE


def test_two_secrets_are_told_apart_by_their_digests() -> None:
    assert Secret("a").digest() == Secret("a").digest() != Secret("b").digest()
    assert len(Secret("a").digest()) == 16
    assert VALUE not in Secret(VALUE).digest()


def test_a_secret_survives_a_process_boundary() -> None:
    assert pickle.loads(pickle.dumps(Secret("k"))) == Secret("k")


@pytest.mark.parametrize(
    "text",
    [
        f"Authorization: Bearer {VALUE}",
        f"authorization: {VALUE} and the rest",
        f"Proxy-Authorization: Basic {VALUE}",
        f"Cookie: a=1; session={VALUE}",
        f"Set-Cookie: sid={VALUE}; Path=/",
        f"Bearer {VALUE}",
        f"got Bearer {VALUE}, stopped",
        f"missing_credential={VALUE}",
        f'{{"missing_credential": "{VALUE}"}}',
        f"missing_credential: token={VALUE}",
        f"DEMO_API_KEY: {VALUE} is set",
        f'{{"access_token": "{VALUE}"}}',
        f'{{"refreshToken":"{VALUE}", "x": 1}}',
        f'{{"accessToken": "with \\" quote {VALUE}"}}',
        f"{{'api_key': '{VALUE}'}}",
        f'{{"apiKey": "{VALUE}',
        f"X-Api-Key: {VALUE}",
        f"x-codeium-csrf-token={VALUE}",
        f"CROF_API_KEY={VALUE}",
        f"AWS_SECRET_ACCESS_KEY={VALUE}",
        f"password = {VALUE}",
        f"https://own.example/?api_key={VALUE}&a=1",
        f"https://own.example/?a=1&key={VALUE}",
        f"https://own.example/?auth={VALUE}",
        f"https://own.example/cb?code={VALUE}&state={VALUE}",
        f"https://user:{VALUE}@own.example/",
        f"sk-{VALUE}",
        f"sk-ant-oat01-{VALUE}",
        f"sk-cp-{VALUE}",
        f"ghp_{VALUE}",
        f"github_pat_{VALUE}",
        f"xai-{VALUE}",
        f"gsk_{VALUE}",
        f"api_{VALUE}",
        f"devin-session-token${VALUE}",
        f"eyJhbGciOiJub25lIn0.eyJzdWIiOiJkZW1v.{VALUE}",
        "AKIA" + "0123456789ABCDEF",
        "AIza" + "0123456789abcdefghijklmno",
    ],
)
def test_what_looks_like_a_secret_is_taken_out(text: str) -> None:
    shown = redact(text)
    assert "0123456789" not in shown
    assert MASK in shown


@pytest.mark.parametrize(
    "text", ["person@own.example", "email=person%40own.example", "<first.last+tag@mail.own.example>"]
)
def test_mail_addresses_are_taken_out(text: str) -> None:
    assert "person" not in redact(text)
    assert "own.example" not in redact(text)


@pytest.mark.parametrize(
    "text",
    [
        "crof answered HTTP 429 after 1.2 s",
        "token expired at noon",
        "Bearer token missing",
        "The API key is not set.",
        "Set DEMO_API_KEY: it shows the usage.",
        "api from env DEMO_API_KEY: not there",
        "Demo does not support token accounts.",
        "input_tokens=1200 total_tokens: 5,000",
        '{"totalTokens": 1200}',
        "primary-key-constraint",
        "api-version-preview",
        "claude: api failed unexpectedly: ValueError",
        "https://own.example/usage?limit=5",
        "~/.codex/auth.json",
        "2030-01-02T12:00:00Z",
    ],
)
def test_plain_words_stay(text: str) -> None:
    assert redact(text) == text


WORDS = re.compile(r"(?<!\S)[A-Za-z]+[.,:;]?(?!\S)")
SENTENCE = 3
"""A text of ours with so many words is a sentence."""


def spelled(node: ast.expr) -> str | None:
    """A text as it stands in the source, with a word for each of its placeholders; None for anything else."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return "".join(spelled(part) or "Demo" for part in node.values)
    return None


def told(module: ast.Module) -> Iterator[str]:
    """The sentences of a module that somebody may be told: all its texts of some words but docstrings and JSON."""
    documented = {id(node.value) for node in ast.walk(module) if isinstance(node, ast.Expr)}
    for node in ast.walk(module):
        text = spelled(node) if isinstance(node, ast.Constant | ast.JoinedStr) and id(node) not in documented else None
        if text and len(WORDS.findall(text)) >= SENTENCE and '{"' not in text:
            yield text


@pytest.fixture(scope="module")
def sentences() -> list[str]:
    """All that the program's source may say: messages, hints, places, labels, warnings."""
    packages = (Path(package.__path__[0]) for package in (quotaline, quotaline_providers))
    modules = (path for package in packages for path in package.rglob("*.py"))
    return sorted({text for path in modules for text in told(ast.parse(path.read_text(encoding="utf-8")))})


@pytest.mark.parametrize("kind", errors.Kind)
def test_a_sentence_of_ours_stays_also_behind_its_kind(sentences: list[str], kind: errors.Kind) -> None:
    assert len(sentences) > 1000
    lines = [line for sentence in sentences for line in (sentence, f"{kind}: {sentence}", f"demo: {kind}: {sentence}")]
    assert [line for line in lines if redact(line) != line] == []


def test_the_rest_of_a_text_stays() -> None:
    assert redact(f"GET /?api_key={VALUE}&page=2 failed\nCookie: a=b\nnext line") == (
        f"GET /?api_key={MASK}&page=2 failed\nCookie: {MASK}\nnext line"
    )


@given(st.text(min_size=4, max_size=30), st.text(max_size=30), st.text(max_size=30))
def test_a_known_secret_is_taken_out_wherever_it_stands(value: str, before: str, after: str) -> None:
    if value in MASK or value in "[email]":
        return
    shown = redact(f"{before} {value} {after}", Secret(value))
    assert value not in shown.replace(MASK, "").replace("[email]", "") or value in f"{before} {after}"


def test_a_known_secret_is_taken_out_of_json_and_addresses() -> None:
    value = 'a "b"/ü&c'
    assert value not in redact(value, Secret(value))
    assert quote(value, safe="") not in redact(f"q {quote(value, safe='')}", Secret(value))
    assert r"a \"b\"" not in redact(r"x a \"b\"/\u00fc&c", Secret(value))


def test_the_longer_of_two_known_secrets_goes_first() -> None:
    assert redact("zzzz-wwww", Secret("zzzz"), Secret("zzzz-wwww")) == MASK


@given(st.text(max_size=300))
def test_redacting_twice_changes_nothing_more(text: str) -> None:
    once = redact(text)
    assert redact(once) == once


@pytest.mark.timeout(5)
@pytest.mark.parametrize(
    "text", ["a" * 50_000, "token" * 10_000, '"token": "' + "\\" * 50_000, "a.b@" * 20_000, "-" * 50_000]
)
def test_long_texts_are_quick(text: str) -> None:
    redact(text)
