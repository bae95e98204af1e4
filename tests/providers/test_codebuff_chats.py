"""Codebuff's local half: which messages count, when they were, and what they add up to."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from quotaline_providers.errors import MissingCredential, Unavailable
from quotaline_providers.run import Outcome
from quotaline_providers.testing import NOW, Clock, Read, Reader, Vendor
from quotaline_providers.vendors.codebuff import chats
from quotaline_providers.vendors.codebuff.chats import Found, scan
from quotaline_providers.vendors.codebuff.credentials import data_folders
from quotaline_providers.vendors.codebuff.messages import Turn, chat_time, parse_chat, upstream
from quotaline_providers.vendors.codebuff.totals import add_up, summary, to_usage

Chat = Callable[..., Path]


def message(id: object = None, *, role: str = "assistant", at: object = None, **usage: object) -> dict[str, Any]:
    usage = usage or {"input_tokens": 10, "output_tokens": 5, "model": "claude-demo"}
    return {"id": id, "role": role, "metadata": {"timestamp": at, "usage": usage}}


def parsed(*messages: object, chat_id: str | None = None) -> tuple[Turn, ...]:
    return parse_chat(json.dumps(messages), chat_id)


@pytest.fixture
def chat(home: Path) -> Chat:
    """`chat(*messages, channel=, project=, id=)`: a chat file of the CLI."""

    def write(
        *messages: object, channel: str = "manicode", project: str = "garden", id: str = "2030-01-02T08-00-00.000Z"
    ) -> Path:
        path = home / ".config" / channel / "projects" / project / "chats" / id / "chat-messages.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(messages))
        return path

    return write


class TestMessage:
    def test_counts_with_any_token(self) -> None:
        (turn,) = parsed(message("a", cache_creation_input_tokens=1, credits=0.5))
        assert (turn.counts, turn.credits, turn.model) == ((0, 0, 0, 1), 0.5, "codebuff-unknown")

    def test_of_an_assistant_in_any_case(self) -> None:
        assert len(parsed(message(role="Assistant"), message(role="user"), message(role="tool"))) == 1

    @pytest.mark.parametrize("variant", ["ai", "agent", "assistant"])
    def test_may_have_a_variant_instead_of_a_role(self, variant: str) -> None:
        assert len(parsed({"variant": variant, "metadata": {"usage": {"inputTokens": 4}}}, {"variant": "user"})) == 1

    def test_without_tokens_and_credits_does_not_count(self) -> None:
        assert parsed(message(input_tokens=0, output_tokens=None), {"role": "assistant"}) == ()

    def test_may_carry_only_credits(self) -> None:
        beside, inside = parsed(
            {"role": "assistant", "credits": 1.5},
            message(input_tokens=0, output_tokens=None, credits=3, model="gpt-demo"),
        )
        assert (beside.credits, beside.tokens) == (1.5, 0)
        assert (inside.credits, inside.tokens, inside.model) == (3, 0, "gpt-demo")

    def test_credits_of_an_earlier_block_are_not_lost(self) -> None:
        metadata = {"usage": {"credits": 2}, "codebuff": {"usage": {"input_tokens": 7, "credits": 9}}}
        (turn,) = parsed({"role": "assistant", "metadata": metadata})
        assert (turn.counts[0], turn.credits) == (7, 2)

    def test_negative_counts_are_zero(self) -> None:
        (turn,) = parsed(message(input_tokens=-4, output_tokens=2, credits=-1))
        assert (turn.counts, turn.credits) == ((0, 2, 0, 0), 0)

    def test_the_first_filled_usage_block_wins(self) -> None:
        history = [
            {"providerOptions": {}},
            {"providerOptions": {"usage": {"input_tokens": 0}}},
            {"providerOptions": {"usage": {"input_tokens": 3}}},
            {"providerOptions": {"usage": {"input_tokens": 9}}},
        ]
        state = {"sessionState": {"mainAgentState": {"messageHistory": history}}}
        third = {"usage": {"input_tokens": 0}, "codebuff": {"usage": {}}, "runState": state}
        second = third | {"codebuff": {"usage": {"input_tokens": 2}}}
        first = second | {"usage": {"input_tokens": 1}}
        turns = parsed(*({"role": "assistant", "metadata": metadata} for metadata in (first, second, third)))
        assert [turn.counts[0] for turn in turns] == [1, 2, 3]

    def test_other_spellings_are_understood(self) -> None:
        details: dict[str, Any] = {
            "prompt_tokens": 8,
            "completion_tokens": 2,
            "prompt_tokens_details": {"cached_tokens": 3},
        }
        camel: dict[str, Any] = {
            "inputTokens": 1,
            "outputTokens": 2,
            "cacheReadInputTokens": 3,
            "cacheCreationInputTokens": 4,
        }
        one, two = parsed(message(**details), message(**camel))
        assert one.counts == (8, 2, 3, 0)
        assert two.counts == (1, 2, 3, 4)

    def test_provider_options_may_name_usage_and_model_under_codebuff(self) -> None:
        entry = {"providerOptions": {"codebuff": {"usage": {"input_tokens": 2}, "model": "gpt-demo"}}}
        state = {"sessionState": {"mainAgentState": {"messageHistory": [entry]}}}
        (turn,) = parsed({"role": "assistant", "metadata": {"runState": state}})
        assert (turn.counts[0], turn.model) == (2, "gpt-demo")

    @pytest.mark.parametrize("broken", [5, None, "text", {"role": "assistant", "metadata": "x"}, {"id": 7}])
    def test_a_malformed_one_does_not_spoil_the_file(self, broken: object) -> None:
        assert len(parsed(message("a"), broken, message("b"))) == 2

    @pytest.mark.parametrize("part", [None, "none", [1]])
    def test_malformed_parts_do_not_spoil_it(self, part: object) -> None:
        details, metadata = parsed(
            message(input_tokens=3, prompt_tokens_details=part),
            {"role": "assistant", "credits": 2, "metadata": part},
        )
        assert (details.counts[0], metadata.credits) == (3, 2)

    def test_numbers_of_the_wrong_type_do_not_spoil_it(self) -> None:
        text, whole = parsed(message(7, input_tokens="many", output_tokens="12"), message("b", input_tokens=10.0))
        assert text.counts[1] == 12
        assert (whole.counts[0], text.id) == (10, "7")

    @pytest.mark.parametrize("text", ["", "{", '[{"role": "assistant"', "{}", "null"])
    def test_a_file_that_is_no_array_contributes_nothing(self, text: str) -> None:
        assert parse_chat(text, None) == ()

    @pytest.mark.parametrize(
        ("model", "name", "vendor"),
        [
            ("claude-demo", "claude-demo", "anthropic"),
            ("openrouter/anthropic/Claude-Demo", "openrouter/anthropic/Claude-Demo", "anthropic"),
            ("anthropic/claude-y", "anthropic/claude-y", "anthropic"),
            ("openai/gpt-demo", "openai/gpt-demo", "openai"),
            ("o1-demo", "o1-demo", "openai"),
            ("gemini-demo", "gemini-demo", "google"),
            ("manicode-demo", "manicode-demo", "codebuff"),
            ("codebuff-demo", "codebuff-demo", "codebuff"),
            ("  ", "codebuff-unknown", "unknown"),
            ("other", "other", "unknown"),
        ],
    )
    def test_models_tell_whose_they_are(self, model: str, name: str, vendor: str) -> None:
        (turn,) = parsed(message(input_tokens=1, model=model))
        assert (turn.model, upstream(turn.model)) == (name, vendor)


class TestTime:
    @pytest.mark.parametrize(
        ("chat_id", "moment"),
        [
            ("2030-05-06T07-08-09.123Z", datetime(2030, 5, 6, 7, 8, 9, 123_000, UTC)),
            ("2030-05-06T07-08-09", datetime(2030, 5, 6, 7, 8, 9, 0, UTC)),
            ("2030-05-06T07-08-09.000+02-00", datetime(2030, 5, 6, 5, 8, 9, 0, UTC)),
            ("2030-05-06T07-08-09.000-05-00", datetime(2030, 5, 6, 12, 8, 9, 0, UTC)),
            ("2030-05-06", datetime(2030, 5, 6, tzinfo=UTC)),
            ("2030-05-06T07", None),
            ("2030-13-40T07-08-09Z", None),
            ("my chat", None),
            ("", None),
        ],
    )
    def test_of_a_chat_is_in_its_name(self, chat_id: str, moment: datetime | None) -> None:
        assert chat_time(chat_id) == moment

    def test_of_a_message_is_in_its_metadata_first(self) -> None:
        both = message(at="2030-01-01T01:00:00.5+01:00") | {"timestamp": "2030-01-01T09:00:00Z"}
        broken = message(at="half past nine") | {"timestamp": "2030-01-01T09:00:00Z"}
        assert [turn.at for turn in parsed(both, broken)] == [
            datetime(2030, 1, 1, 0, 0, 0, 500_000, UTC),
            datetime(2030, 1, 1, 9, tzinfo=UTC),
        ]

    @pytest.mark.parametrize("clock_text", ["09:30", "9:30 PM", "0930", 12])
    def test_of_a_message_with_only_a_clock_text_is_the_chats(self, clock_text: object) -> None:
        (turn,) = parsed(message(at=clock_text), chat_id="2030-05-06")
        assert turn.at == datetime(2030, 5, 6, tzinfo=UTC)

    def test_may_be_an_epoch(self) -> None:
        (turn,) = parsed(message(at=1_900_000_000_000))
        assert turn.at == datetime.fromtimestamp(1_900_000_000, UTC)

    def test_may_be_unknown(self) -> None:
        assert parsed(message(), chat_id="garden")[0].at is None


class TestScan:
    def test_finds_chats_of_all_channels(self, chat: Chat, home: Path) -> None:
        chat(message("a"))
        chat(message("b"), channel="manicode-dev")
        roots = [home / ".config" / name for name in ("manicode", "manicode-dev")]
        assert [item.turn.id for item in scan(roots).found] == ["a", "b"]

    def test_the_same_id_counts_in_each_chat_project_and_channel(self, chat: Chat, read: Read) -> None:
        chat(message("1"), message(" 1 "))
        chat(message("1"), id="2030-01-02T09-00-00.000Z")
        chat(message("1"), channel="manicode-dev")
        chat(message("1"), project="kitchen")
        found = read("codebuff")
        assert (found.row("Messages").value, found.row("Chats").value) == ("4", "4")

    def test_a_folder_that_is_reached_through_links_counts_once(self, chat: Chat, home: Path, read: Read) -> None:
        chat(message("a"))
        (home / "linked").symlink_to(home / ".config" / "manicode")
        other = home / ".config" / "manicode-dev"
        other.mkdir()
        (other / "projects").symlink_to(home / ".config" / "manicode" / "projects")
        assert read("codebuff", CODEBUFF_DATA_DIR="~/linked").row("Messages").value == "1"

    def test_a_file_that_is_too_large_is_told(self, chat: Chat, read: Read) -> None:
        chat(message("a"))
        os.truncate(chat(message("b"), project="kitchen"), chats.FILE_LIMIT + 1)
        found = read("codebuff")
        assert found.row("Messages").value == "1"
        assert found.notes[-1] == "1 file called chat-messages.json above 64 MiB left out: chats are missing here."

    def test_two_equal_messages_without_id_stay_two(self, chat: Chat, read: Read) -> None:
        chat(message(), message())
        assert read("codebuff").row("Messages").value == "2"

    def test_an_equal_chat_without_ids_in_another_project_counts_again(self, chat: Chat, read: Read) -> None:
        chat(message())
        chat(message(), project="kitchen")
        assert read("codebuff").row("Messages").value == "2"

    def test_reading_again_doubles_nothing(self, chat: Chat, read: Read) -> None:
        chat(message(), message("a"))
        assert read("codebuff").row("Messages").value == read("codebuff").row("Messages").value == "2"

    def test_a_file_outside_a_chats_folder_counts_but_is_no_chat(self, home: Path, read: Read) -> None:
        path = home / ".config" / "manicode" / "projects" / "garden" / "chat-messages.json"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps([message()]))
        found = read("codebuff")
        assert found.row("Messages").value == "1"
        with pytest.raises(KeyError):
            found.row("Chats")

    def test_a_file_being_written_is_counted_at_the_next_read(self, chat: Chat, read: Read) -> None:
        path = chat(message("a"))
        whole = path.read_text()
        path.write_text(whole[:-9])
        assert read("codebuff").details == ()
        path.write_text(whole)
        assert read("codebuff").row("Messages").value == "1"

    def test_an_unchanged_file_is_read_once(self, chat: Chat, read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
        chat(message("a"))
        read("codebuff")
        monkeypatch.setattr(chats, "parse_chat", lambda raw, chat_id: pytest.fail("read twice"))
        assert read("codebuff").row("Messages").value == "1"

    def test_the_memory_of_files_is_bounded(self, chat: Chat, read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(chats, "_CACHED_FILES", 2)
        for number in range(4):
            chat(message(f"m{number}"), id=f"2030-01-0{number + 1}")
        assert read("codebuff").row("Chats").value == "4"
        assert len(chats._parsed) == 2

    def test_linked_folders_are_not_followed(self, chat: Chat, home: Path, tmp_path: Path, read: Read) -> None:
        chat(message("a"))
        other = tmp_path / "other" / "chats" / "2030-01-01"
        other.mkdir(parents=True)
        (other / "chat-messages.json").write_text(json.dumps([message("b")]))
        (home / ".config" / "manicode" / "projects" / "linked").symlink_to(tmp_path / "other")
        assert read("codebuff").row("Messages").value == "1"

    def test_an_unreadable_file_is_left_out(self, chat: Chat, home: Path, read: Read) -> None:
        chat(message("a"))
        (home / ".config/manicode/projects/odd/chats/2030-01-01/chat-messages.json").mkdir(parents=True)
        assert read("codebuff").row("Messages").value == "1"


class TestFolders:
    def test_none_is_unknown(self, read: Read) -> None:
        with pytest.raises(MissingCredential, match="data directory"):
            read("codebuff", source="local")

    def test_a_program_alone_is_quiet(self, outcome: Callable[..., Outcome], program: Callable[..., Path]) -> None:
        program("codebuff", "")
        error = outcome("codebuff").error
        assert isinstance(error, MissingCredential)
        assert (error.quiet, error.message) == (True, "Codebuff's data directory was not found.")

    def test_one_that_does_not_exist_is_told(
        self, read: Read, chat: Chat, home: Path, vendor: Callable[[str], Vendor]
    ) -> None:
        sentence = "CODEBUFF_DATA_DIR names a folder that does not exist."
        with pytest.raises(MissingCredential, match=sentence):
            read("codebuff", source="local", CODEBUFF_DATA_DIR="~/nowhere")
        vendor("www.codebuff.com").post("/api/v1/usage", bearer="k").answers(usage=1, quota=4)
        assert read("codebuff", CODEBUFF_API_KEY="k", CODEBUFF_DATA_DIR="~/nowhere").notes == (sentence,)
        chat(message("a"))
        assert read("codebuff", CODEBUFF_DATA_DIR=f"~/nowhere,{home}/.config/manicode").notes[-1] == sentence

    def test_without_projects_there_is_nothing_recorded(self, read: Read, home: Path) -> None:
        (home / ".config" / "manicode-dev").mkdir(parents=True)
        found = read("codebuff")
        assert found.notes == ("No Codebuff chats recorded.",)
        assert found.source == "local"

    def test_one_that_cannot_be_walked_is_an_error(self, read: Read, home: Path) -> None:
        root = home / ".config" / "manicode"
        root.mkdir(parents=True)
        (root / "projects").write_text("not a folder")
        with pytest.raises(Unavailable, match=r"~/\.config/manicode"):
            read("codebuff", source="local")

    def test_one_that_cannot_be_walked_does_not_hide_the_others(self, read: Read, home: Path, chat: Chat) -> None:
        chat(message("a"), channel="manicode-dev")
        (home / ".config" / "manicode").mkdir()
        (home / ".config" / "manicode" / "projects").write_text("not a folder")
        found = read("codebuff", source="local")
        assert found.row("Messages").value == "1"
        assert "cannot be read" in found.notes[-1]

    @pytest.mark.parametrize("spelling", ["{}", "{}/", "{}/../more", "{}/projects", " '{}' ", "nowhere, {}"])
    def test_the_environment_adds_one(self, read: Read, home: Path, tmp_path: Path, chat: Chat, spelling: str) -> None:
        chat(message("a"))
        path = tmp_path / "more" / "projects" / "p" / "chats" / "2030-01-01" / "chat-messages.json"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps([message("b")]))
        found = read("codebuff", CODEBUFF_DATA_DIR=spelling.format(tmp_path / "more"))
        assert found.row("Messages").value == "2"

    def test_another_programs_spelling_is_read(self, read: Read, home: Path) -> None:
        path = home / "more" / "projects" / "p" / "chats" / "2030-01-01" / "chat-messages.json"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps([message("b")]))
        assert read("codebuff", config={"extra": {"data_dir": "~/more"}}).row("Messages").value == "1"

    @pytest.mark.parametrize("name", ["dataDir", "data_dir"])
    @pytest.mark.parametrize("spelling", ["~/.config/manicode", "~/.config/manicode/", "~/.config/x/../manicode"])
    def test_the_same_one_twice_counts_once(self, read: Read, chat: Chat, name: str, spelling: str) -> None:
        chat(message())
        found = read("codebuff", config={name: spelling}, CODEBUFF_DATA_DIR=spelling)
        assert found.row("Messages").value == "1"

    def test_the_users_own_comes_first(self, read: Read, chat: Chat, tmp_path: Path) -> None:
        chat(message("a", input_tokens=1), id="2030-01-01")
        path = tmp_path / "manicode" / "projects" / "garden" / "chats" / "2030-01-01" / "chat-messages.json"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps([message("a", input_tokens=50)]))
        found = read("codebuff", config={"dataDir": str(tmp_path / "manicode")})
        assert found.row("Input tokens").value == "50"

    def test_on_windows_case_tells_no_two_apart(self, reader: Reader, tmp_path: Path) -> None:
        for name in ("Data", "data"):
            (tmp_path / name).mkdir()

        def names(reader: Reader) -> list[str]:
            config = {"dataDir": str(tmp_path / "Data")}
            context = reader.context("codebuff", config, CODEBUFF_DATA_DIR=str(tmp_path / "data"))
            return [path.name for path in data_folders(context).found]

        assert names(reader) == ["Data", "data"]
        assert names(reader.on("win32")) == ["Data"]


def turn(at: datetime | None, chat: str | None = "m/p/c", model: str = "claude-demo", credits: float = 0) -> Found:
    return Found(Turn(None, 0, at, model, (10, 5, 2, 1), credits), chat)


class TestTotals:
    def test_tokens_are_without_cache_but_a_models_total_is_with_it(self) -> None:
        totals = add_up([turn(NOW), turn(NOW, credits=0.75)], NOW)
        assert (totals.messages, totals.tokens, totals.counts, totals.credits) == (2, 30, (20, 10, 4, 2), 0.75)
        assert [(model.requests, model.total) for model in totals.models] == [(2, 36)]

    def test_recent_chats_are_distinct(self) -> None:
        days = [NOW, NOW - timedelta(days=1), NOW - timedelta(days=6, hours=23)]
        totals = add_up([*map(turn, days), turn(NOW - timedelta(days=8), "m/p/old")], NOW)
        assert (totals.chats, totals.chats_today, totals.chats_7d) == (2, 1, 1)

    def test_a_chat_across_midnight_is_on_both_days_and_once_in_total(self) -> None:
        midnight = datetime(2030, 1, 2, tzinfo=UTC)
        totals = add_up([turn(midnight + timedelta(minutes=1)), turn(midnight - timedelta(minutes=1))], NOW)
        assert totals.sessions == {"2030-01-01": 1, "2030-01-02": 1}
        assert list(totals.daily_tokens) == ["2030-01-01", "2030-01-02"]
        assert totals.chats == 1

    def test_future_messages_are_in_totals_but_not_recent(self) -> None:
        totals = add_up([turn(NOW + timedelta(days=1))], NOW)
        assert (totals.chats, totals.chats_7d) == (1, 0)

    def test_messages_without_time_are_in_totals_only(self) -> None:
        totals = add_up([turn(None)], NOW)
        assert (totals.messages, totals.chats, totals.chats_7d, totals.sessions) == (1, 1, 0, {})

    def test_days_without_credits_are_not_in_their_series(self) -> None:
        totals = add_up([turn(NOW), turn(NOW - timedelta(days=1), credits=2)], NOW)
        assert totals.daily_credits == {"2030-01-01": 2}

    def test_the_summary_leaves_zeros_out(self) -> None:
        assert summary(add_up([turn(NOW, credits=0.75), turn(NOW, "m/p/d")], NOW)) == "2 chats, 30 tokens, 0.75 credits"
        assert summary(add_up([turn(NOW, None)], NOW)) == "15 tokens"
        assert summary(add_up([], NOW)) == "OK"

    def test_are_shown_in_rows_and_series(self, read: Read, chat: Chat, clock: Clock) -> None:
        chat(message("a", input_tokens=1200, output_tokens=30, cache_read_input_tokens=4, credits=1.5, model="gpt-d"))
        found = read("codebuff")
        assert found.row("Tokens").value == "1,230"
        assert found.row("Cache read").value == "4"
        assert found.row("Credits").value == "1.5 credits"
        assert (found.row("Credits").metric, found.row("Credits").number) == ("total_credits", 1.5)
        assert (found.row("Tokens").metric, found.row("Tokens").number) == ("total_tokens", 1230)
        (model,) = found.models
        assert (model.name, model.upstream, model.cached, model.total, model.credits) == (
            "gpt-d",
            "openai",
            4,
            1234,
            1.5,
        )
        assert found.row("Chats today").value == "1"
        assert "openai" in (found.row("gpt-d").secondary or "")
        with pytest.raises(KeyError):
            found.row("Cache write")
        charts = {section.title: section.chart for section in found.details if section.chart}
        assert set(charts) == {"Sessions per day", "Tokens per day", "Credits per day"}
        assert (found.spends, found.balances) == ((), ())


class TestBothHalves:
    def test_are_shown_together(self, read: Read, chat: Chat, vendor: Callable[[str], Vendor]) -> None:
        vendor("www.codebuff.com").post("/api/v1/usage", bearer="k").answers(usage=1, quota=4)
        chat(message("a"))
        found = read("codebuff", CODEBUFF_API_KEY="k")
        assert found.window("credits").used_percent == 25
        assert found.row("Messages").value == "1"
        assert found.source == "api"

    def test_a_failing_network_does_not_hide_the_chats(
        self, outcome: Callable[..., Outcome], chat: Chat, vendor: Callable[[str], Vendor]
    ) -> None:
        vendor("www.codebuff.com").post("/api/v1/usage", bearer="k").fails(503)
        chat(message("a"))
        result = outcome("codebuff", CODEBUFF_API_KEY="k")
        assert isinstance(result.error, Unavailable)
        assert result.usage is not None
        assert result.usage.row("Messages").value == "1"

    def test_a_refused_address_does_not_hide_the_chats(self, outcome: Callable[..., Outcome], chat: Chat) -> None:
        chat(message("a"))
        result = outcome("codebuff", CODEBUFF_API_KEY="k", CODEBUFF_API_URL="http://host.test")
        assert result.error is not None
        assert result.usage is not None

    def test_failing_chats_do_not_hide_the_network(
        self, read: Read, home: Path, vendor: Callable[[str], Vendor]
    ) -> None:
        vendor("www.codebuff.com").post("/api/v1/usage", bearer="k").answers(usage=1, quota=4)
        (home / ".config" / "manicode").mkdir(parents=True)
        (home / ".config" / "manicode" / "projects").write_text("not a folder")
        found = read("codebuff", CODEBUFF_API_KEY="k")
        assert found.window("credits").used_percent == 25
        assert "cannot be read" in found.notes[0]

    def test_without_a_token_the_chats_stand_alone(self, read: Read, chat: Chat) -> None:
        chat(message("a"))
        found = read("codebuff")
        assert found.source == "local"
        assert found.windows == ()
        assert found.notes == ("1 chat, 15 tokens", "This program writes no credits.")

    @pytest.mark.parametrize(
        ("credits", "days", "text"), [(0.75, 1, "0.75 credits in 7 days"), (0, 1, "15 tokens in 7 days"), (2, 9, None)]
    )
    def test_alone_they_have_a_short_text(self, credits: float, days: int, text: str | None) -> None:
        totals = add_up([turn(NOW - timedelta(days=days), credits=credits)], NOW)
        assert to_usage(totals, NOW).short_text == text

    def test_source_api_leaves_the_chats_out(self, read: Read, chat: Chat, vendor: Callable[[str], Vendor]) -> None:
        vendor("www.codebuff.com").post("/api/v1/usage", bearer="k").answers(usage=1, quota=4)
        chat(message("a"))
        assert read("codebuff", config={"source": "api"}, CODEBUFF_API_KEY="k").notes == ()


def test_modification_of_a_chat_is_seen_even_when_its_size_stays(chat: Chat, read: Read) -> None:
    path = chat(message("a", input_tokens=10))
    read("codebuff")
    path.write_text(path.read_text().replace("10", "70"))
    os.utime(path, ns=(1, 1))
    assert read("codebuff").row("Input tokens").value == "70"
