"""Whatever a vendor or user writes: nothing raises, nothing is taken for markup, nothing breaks a line."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from quotaline.render import text
from quotaline.render.codexbar_json import usage_json
from quotaline.render.protocol import usage_params
from quotaline.render.report import report
from quotaline.render.statusline import status_line
from quotaline.render.terminal import terminal
from quotaline.render.text import HIDDEN, without_emails
from quotaline.state import Failure, Snapshot
from quotaline_providers.errors import Kind
from quotaline_providers.model import Balance, Chart, Identity, Point, Row, Section, Usage, Window

from .render_states import NOW, snapshot, state, view
from .test_render_report import page

any_text = st.one_of(
    st.text(max_size=60),
    st.text(st.characters(codec=None, categories=["Cs", "Cc", "Cf", "Zl", "Zp", "Mn", "Lo"]), max_size=20),
    st.sampled_from(
        ["<b>", "](x)", "`", "```", "**", "|", "\\", "\r\n# x", "{name}", "\u202e", "a" * 5000, "&lt;", "--"]
    ),
)
numbers = st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False))
money = st.decimals(allow_nan=False, allow_infinity=False)


@st.composite
def charts(draw: st.DrawFn, title: str, unit: str) -> Chart:
    label = st.one_of(any_text, st.dates().map(str))
    value = st.floats(allow_nan=False, allow_infinity=False)
    point = st.builds(Point, label=label, value=value)
    kind = draw(st.sampled_from(["bars", "line"]))
    return Chart.model_validate({"kind": kind, "points": draw(st.lists(point)), "title": title, "unit": unit})


@st.composite
def snapshots(draw: st.DrawFn) -> Snapshot:
    words = draw(st.lists(any_text, min_size=12, max_size=12))
    window = Window(
        id="w",
        label=words[0],
        used_percent=draw(numbers),
        used=draw(numbers),
        limit=draw(numbers),
        unit=words[1],
        description=words[2],
        minutes=draw(st.one_of(st.none(), st.integers(-10, 10**12))),
        resets_at=draw(st.one_of(st.none(), st.datetimes(timezones=st.just(NOW.tzinfo)))),
        lane="primary",
    )
    reading = Usage(
        updated_at=NOW,
        windows=(window,),
        balances=(Balance(id="b", label=words[3], amount=draw(money), unit=words[1]),),
        identity=Identity(plan=words[4], email=words[5], organization=words[6], account_id=words[0]),
        details=(
            Section(
                title=words[7],
                rows=(Row(label=words[8], value=words[9], secondary=words[0]),),
                chart=draw(charts(words[11], words[1])),
            ),
        ),
        notes=(words[10],),
        source=words[11],
    )
    failed = Failure(kind=Kind.UNAVAILABLE, message=words[9], hint=words[8])
    provider = draw(st.sampled_from(["codex", "copilot", "mimo", "warp", "zai"]))
    all = snapshot(
        state(
            provider, name=words[0], account=words[6], usage=reading, failure=failed, dashboard="https://" + words[2]
        ),
        state("other", name=words[3], failure=failed),
        problem=words[5],
    )
    return replace(all, not_loaded=(words[10],))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(snapshots(), st.booleans(), any_text, any_text)
def test_any_text_can_be_shown_everywhere(all: Snapshot, hidden: bool, format: str, separator: str) -> None:
    viewed = view(hide_identity=hidden, format=format, separator=separator)
    line = status_line(all, viewed).text
    assert len(line.splitlines()) <= 1
    json.loads(json.dumps(usage_params(all, viewed).to_json(), allow_nan=False).encode())
    json.loads(usage_json(all, viewed).encode())
    report(all, viewed, "markdown").encode()
    printed = terminal(all, viewed, width=50)
    assert "\x1b" not in printed
    assert max(text.columns(row) for row in printed.split("\n")) <= 50
    html = report(all, viewed, "html")
    html.encode()
    assert set(page(html).tags) <= {
        *("html", "head", "meta", "title", "style", "body", "main", "h1", "h2", "h3", "p", "section"),
        *("strong", "div", "span", "dl", "dt", "dd", "a", "code"),
        *("figure", "figcaption", "details", "summary", "svg", "desc", "rect", "text", "path", "polyline", "circle"),
    }


@given(any_text)
def test_markdown_has_no_active_character(words: str) -> None:
    plain = re.sub(r"\\[!-/:-@\[-`{-~]", "", text.markdown(words))
    assert not re.search(r"[\\`*_\[\]<>|~#&@\n\r]|://|\$\(", plain)


@given(any_text, st.integers(1, 40))
def test_a_cut_label_is_short_and_its_isolates_are_paired(words: str, length: int) -> None:
    short = text.label(words, length)
    assert len(short) <= length + 2
    assert short.count("\u2068") == short.count("\u2069")


@given(any_text)
def test_prose_keeps_its_commands_and_nothing_else(words: str) -> None:
    assert text.prose(words).count("`") % 2 == 0 or "\\`" in text.prose(words)
    assert set(page(text.escaped_prose(words)).tags) <= {"code"}


def test_a_command_in_a_sentence_is_code() -> None:
    assert text.prose("Run `codex login` *now*.") == "Run `codex login` \\*now\\*."
    assert text.prose("One ` only") == "One \\` only"
    assert text.escaped_prose("Run `a <b>` & `c`") == "Run <code>a &lt;b&gt;</code> &amp; <code>c</code>"


@pytest.mark.parametrize(
    ("words", "seen"),
    [
        ("Pro\u200b Max\u2060", "Pro Max"),
        ("a\U000e0041\U000e0042b", "ab"),  # tags
        ("safe\u202egpj.exe", "safegpj.exe"),
        ("x\ufe0fy\U000e0100z", "xyz"),  # variation selectors behind letters
        ("soft\u00adhyphen \u3164\u2800.", "softhyphen ."),
        ("a\u200d\u200cb", "ab"),
        ("\x1b]8;;https://evil.test\x07link\x9b31m", "]8;;https://evil.testlink31m"),
        ("❤️ 1️⃣ 👩‍👩‍👧", "❤️ 1️⃣ 👩‍👩‍👧"),
        ("می\u200cخواهم", "می\u200cخواهم"),
    ],
)
def test_what_nobody_sees_is_left_out(words: str, seen: str) -> None:
    assert text.cleaned(words) == seen


def test_nothing_begins_a_link_or_an_icon_in_plain_words() -> None:
    assert text.announced("Code: [AB](command:x) $(zap)\nnext\u200b  line") == (
        "Code: [AB] (command:x) $ (zap)\nnext  line"
    )
    assert text.announced("](" * 3) == "] (] (] ("


@given(any_text)
def test_plain_words_for_an_editor_hold_no_link_whatever_is_hidden_in_them(words: str) -> None:
    assert "](" not in text.announced(words)
    assert "$(" not in text.announced(words)


def test_tmux_takes_no_word_for_a_style() -> None:
    assert text.tmux("Pro #[fg=red]#(id)") == "Pro ##[fg=red]##(id)"


def test_a_wide_last_character_is_cut_too() -> None:
    assert text.fitted("a" * 49 + "限", 50) == "a" * 49 + "…"


def test_cutting_tears_no_accent_off_its_letter() -> None:
    assert text.cut("cafe\u0301s", 5) == "caf…"
    assert text.cut("hello", 5) == "hello"


def test_amounts_of_any_size_have_words() -> None:
    assert text.amount(Decimal("1e60"), "USD").startswith("$1,000,")
    assert text.amount(Decimal("1e500"), "credits") == "1e+500 credits"
    assert text.amount(1e300, None)


def test_numbers_for_json_are_whole_where_they_can_be() -> None:
    assert [text.number(value) for value in (2.0, Decimal("3.00"), 1.5)] == [2, 3, 1.5]


@pytest.mark.parametrize(
    ("used", "limit", "unit", "words"),
    [(62, 100, "USD", "$62.00 of $100.00"), (300, 400, "requests", "300 of 400 requests"), (1, 2.5, None, "1 of 2.5")],
)
def test_a_part_names_its_unit_once(used: float, limit: float, unit: str | None, words: str) -> None:
    assert text.portion(used, limit, unit) == words


def test_every_address_is_hidden_and_a_long_word_costs_no_more_than_its_length() -> None:
    assert without_emails("Ada <ada@demo.test>, a@b@c 'q@r.s': z") == f"Ada <{HIDDEN}>, {HIDDEN} '{HIDDEN}': z"
    assert without_emails("a" * 500_000) == "a" * 500_000
