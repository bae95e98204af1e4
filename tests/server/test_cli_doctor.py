"""`quotaline doctor`: one provider, shapes of answers that were not understood, and defects of any process."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from quotaline.store import defects
from quotaline.store.store import Store
from quotaline_providers import __version__
from quotaline_providers.diagnostics import Defect
from quotaline_providers.testing import Route, Vendor
from tests.server.command import Command

PLANTED = "demo-planted-value"


@pytest.fixture
def user(quotaline: Command) -> Command:
    """A user with keys for two providers, one of which is read only where its source is named."""
    config = quotaline.home / ".config/quotaline/config.json"
    config.parent.mkdir(parents=True)
    config.write_text('{"version": 1, "providers": [{"id": "crof", "source": "api"}]}', encoding="utf-8")
    return quotaline.with_variables(CROF_API_KEY="k", DEEPSEEK_API_KEY="k")


@pytest.fixture
def crof(vendor: Callable[[str], Vendor]) -> Route:
    return vendor("crof.ai").get("/usage_api/")


def test_only_the_named_provider_is_asked(user: Command, crof: Route) -> None:
    crof.answers(credits=1.5)
    found = user("doctor", "crofai", "--format", "json")
    assert [item["id"] for item in found.json["providers"]] == ["crof"]
    assert found.json["notConnected"] == {}
    assert (found.code, found.err) == (0, "")
    unknown = user("doctor", "crofff")
    assert (unknown.code, unknown.out) == (2, "")
    assert "Did you mean crof" in unknown.err


def test_a_named_provider_that_is_not_connected_tells_where_it_is_looked_for(quotaline: Command) -> None:
    found = quotaline("doctor", "venice", "--format", "json")
    assert found.code == 1
    assert list(found.json["notConnected"]) == ["venice"]
    assert found.json["providers"][0]["error"].startswith("missing_credential: ")
    assert "[redacted]" not in found.out


def test_a_wait_is_told_with_its_end(user: Command, crof: Route) -> None:
    crof.fails(429, headers={"Retry-After": "5400"})
    for _ in range(2):
        told = user("doctor", "crof")
        assert told.code == 1
        assert "It is asked again after" in told.out
        assert "not asked again" not in told.out
    assert crof.count == 1


def test_a_limit_that_is_not_read_is_told_without_being_an_error(user: Command, crof: Route) -> None:
    answer = {"credits": 1.5, "requests_plan": 100, "usable_requests": 100}
    crof.answers(**answer, surge_pool={"used_ratio": 0.994}, owner=PLANTED)
    crof.answers(**answer)
    told = user("doctor", "crof")
    assert told.code == 0
    assert "note: The answer also holds limits that Quotaline does not know yet (surge_pool)" in told.out
    assert "`quotaline doctor crof --shape`" in told.out
    shape = user("doctor", "crof", "--shape")
    assert '"surge_pool": {' in shape.out
    assert PLANTED not in told.out + shape.out
    user("refresh", "--provider", "crof", "--force")  # else the read of a moment ago is good enough
    assert "No shape is kept" in user("doctor", "crof", "--shape").out


def test_the_shape_of_an_answer_that_was_not_understood_is_kept_until_one_is(user: Command, crof: Route) -> None:
    assert "No shape is kept" in user("doctor", "crof", "--shape").out
    crof.answers(credits=[PLANTED], requests_plan={PLANTED: 1, "other": 2}, owner=PLANTED)
    crof.answers(credits=1.5)
    failed = user("doctor", "crof")
    assert failed.code == 1
    assert "`quotaline doctor crof --shape`" in failed.out
    for words in (("doctor", "crof", "--shape"), ("doctor", "--shape")):
        (kept,) = user(*words, "--format", "json").json
        assert kept.pop("at")
        assert kept == {
            "provider": "crof",
            "version": __version__,
            "source": "api",
            "message": "crof.ai answered with data of another shape (field credits).",
            "host": "crof.ai",
            "status": 200,
            "shape": {"credits": ["string"], "requests_plan": {"*": "number"}, "?": "string"},
            "unread": [],
        }
    text = user("doctor", "crof", "--shape")
    assert text.code == 0
    assert '"credits": [' in text.out
    assert "HTTP status: 200" in text.out
    assert PLANTED not in failed.out + text.out
    assert "No shape is kept" in user("doctor", "deepseek", "--shape").out
    assert user("refresh", "--provider", "crof").code == 0
    assert user("doctor", "--shape", "--format", "json").json == []


def test_a_web_page_is_told_as_such(user: Command, crof: Route) -> None:
    crof.answers_text(f"<html>{PLANTED}</html>")
    assert user("refresh", "--provider", "crof").code == 1
    text = user("doctor", "crof", "--shape")
    assert "shape: html, under 1 kB" in text.out
    assert PLANTED not in text.out


BROKEN = """
from quotaline_providers.access.lookups import Always
from quotaline_providers.contract import Provider, Strategy


async def read(ctx, found):
    token = "demo-planted-value"
    return {}[token]


PROVIDER = Provider("demo-meter", "Demo Meter", "Nothing is needed.", (Strategy("local", read, Always()),))
"""


@pytest.fixture
def broken(user: Command, tmp_path: Path) -> Command:
    """A user of a third-party provider that fails in its own code."""
    info = tmp_path / "site/demo_meter-1.0.dist-info"
    info.mkdir(parents=True)
    (tmp_path / "site/demo_meter.py").write_text(BROKEN, encoding="utf-8")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: demo-meter\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text("[quotaline.providers]\ndemo-meter = demo_meter:PROVIDER\n")
    return user.with_variables(PYTHONPATH=str(tmp_path / "site"))


def test_defects_of_other_processes_are_told_with_their_places(broken: Command, crof: Route) -> None:
    crof.answers(credits=1.5)
    assert user_defects(broken, "crof") == []
    assert broken("refresh", "--provider", "demo-meter").code == 1
    assert broken("refresh", "--provider", "demo-meter").code == 1
    (defect,) = user_defects(broken, "crof")
    assert (defect["what"], defect["count"], defect["version"]) == ("reading demo-meter (local)", 2, __version__)
    assert defect["trace"][:2] == ["KeyError", "at demo_meter.py:8 (read)"]
    text = broken("doctor", "crof")
    assert "reading demo-meter (local), 2 times, last " in text.out
    assert "at demo_meter.py:8 (read)" in text.out
    assert PLANTED not in text.out


def user_defects(user: Command, provider: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = user("doctor", provider, "--format", "json").json["defects"]
    return found


FAILING = """
import sys
from quotaline import cli


def breaks(options):
    raise KeyError("demo-planted-value")


cli._run = breaks
sys.exit(cli.main(["usage"]))
"""


@pytest.mark.parametrize("level", [None, "DEBUG"])
def test_a_command_that_fails_names_the_place(quotaline: Command, tmp_path: Path, level: str | None) -> None:
    script = tmp_path / "failing.py"
    script.write_text(FAILING, encoding="utf-8")
    environ = dict(quotaline.with_variables(QUOTALINE_LOG=level).environ)
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, env=environ, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "KeyError at failing.py:7 (breaks)" in done.stderr
    assert PLANTED not in done.stderr


# --- the notes ---------------------------------------------------------------------------------------

NOW = datetime(2030, 1, 2, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path, lambda: NOW)


def defect(number: int, at: datetime = NOW, count: int = 1) -> Defect:
    return Defect(f"work {number}", ("KeyError", f"at quotaline/demo.py:{number} (work)"), count, at)


def test_one_place_is_counted_over_all_processes(store: Store) -> None:
    defects.keep(store, defect(1, count=2))
    defects.keep(store, defect(2))
    defects.keep(store, defect(1, NOW + timedelta(minutes=1), count=4))
    assert [(kept.what, kept.count) for kept in defects.kept(store)] == [("work 1", 6), ("work 2", 1)]
    store.close()


def test_they_never_grow_and_the_last_ones_stay(store: Store) -> None:
    for number in range(500):
        defects.keep(store, defect(number, NOW + timedelta(seconds=number)))
    kept = defects.kept(store)
    assert len(kept) <= defects.SLOTS
    assert kept[0].what == "work 499"
    store.close()


def test_a_note_of_another_version_or_none_at_all_is_no_trouble(store: Store) -> None:
    for number in range(defects.SLOTS):
        store.keep_note(f"defect:{number}", '{"unknown": 1}')
    assert defects.kept(store) == []
    defects.keep(store, defect(1))
    (kept,) = defects.kept(store)
    text = kept.model_copy(update={"version": "0.0"}).model_dump_json()[:-1] + ', "later": 1}'
    slot = next(
        f"defect:{number}" for number in range(defects.SLOTS) if "work 1" in (store.note(f"defect:{number}") or "")
    )
    store.keep_note(slot, text)
    defects.keep(store, defect(1))
    assert [(kept.count, kept.version) for kept in defects.kept(store)] == [(1, __version__)]
    store.close()
