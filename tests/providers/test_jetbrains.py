"""JetBrains AI: the quota file, its oddities, and which of several is read."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import pytest

from quotaline_providers.errors import BadResponse, Misconfigured, MissingCredential
from quotaline_providers.model import Usage
from quotaline_providers.testing import NOW, Read, Reader
from quotaline_providers.vendors.jetbrains import installs
from quotaline_providers.vendors.jetbrains.installs import Ide, base_folders, ide_of, installed, log_file
from quotaline_providers.vendors.jetbrains.local import choices
from quotaline_providers.vendors.jetbrains.mapping import minutes_of, to_usage
from quotaline_providers.vendors.jetbrains.payloads import fields, parse_log, parse_quota


def document(info: object = None, refill: object = None, before: str = "") -> str:
    options = [("quotaInfo", info), ("nextRefill", refill)]
    lines = [f'<option name="{name}" value={quoteattr(json.dumps(value))} />' for name, value in options if value]
    return f'<application>{before}<component name="AIAssistantQuotaManager2">{"".join(lines)}</component></application>'


INFO = {"type": "Available", "current": "250000.5", "maximum": "1000000", "until": "2031-03-01T00:00:00Z"}
REFILL = {"type": "Known", "next": "2030-01-12T08:00:00.5Z", "amount": "1000000", "duration": "PT720H"}


def usage(info: object = INFO, refill: object = REFILL) -> Usage:
    return to_usage(parse_quota(document(info, refill)), NOW)


@pytest.fixture
def ide(home: Path) -> Callable[..., Path]:
    """`ide(folder, text, written=...)`: an IDE folder with a quota file of that age (epoch seconds)."""

    def make(folder: str, text: str | None = None, written: int = 1_890_000_000, base: str = "JetBrains") -> Path:
        options = home / ".config" / base / folder / "options"
        options.mkdir(parents=True)
        if text is not None:
            file = options / "AIAssistantQuotaManager2.xml"
            file.write_text(text)
            os.utime(file, (written, written))
        return options.parent

    return make


class TestQuota:
    def test_is_a_share_of_the_month_with_the_refill_as_reset(self) -> None:
        window = usage().window("current")
        assert window.used_percent == pytest.approx(25.00005)
        assert (window.label, window.lane, window.minutes) == ("Current", "primary", 43200)
        assert window.resets_at == datetime(2030, 1, 12, 8, 0, 0, 500_000, UTC)

    def test_raw_amounts_are_shown_in_credits(self) -> None:
        found = usage()
        assert found.row("Used").value == "2.5 / 10 credits"
        assert found.row("Remaining").value == "7.5 credits"

    def test_small_amounts_are_credits_already(self) -> None:
        found = usage({"current": "3", "maximum": "12"}, None)
        assert found.row("Used").value == "3 / 12 credits"

    def test_a_large_refill_tells_the_scale_too(self) -> None:
        found = usage({"current": "0", "maximum": "50000"}, {"tariff": {"amount": "100000"}})
        assert found.window("current").limit == 0.5
        assert found.window("current").blocks

    def test_numbers_need_not_be_text(self) -> None:
        assert usage({"current": 1, "maximum": 4}).window("current").used_percent == 25

    def test_nothing_to_use_is_zero_percent(self) -> None:
        assert usage({"current": "5", "maximum": "0"}).window("current").used_percent == 0

    def test_more_than_all_is_all(self) -> None:
        assert usage({"current": "9", "maximum": "4"}).window("current").used_percent == 100

    def test_explicit_available_is_shown_but_percent_follows_current(self) -> None:
        found = usage({"current": "2", "maximum": "10", "available": "3"}, None)
        assert found.row("Remaining").value == "3 credits"
        assert found.window("current").used_percent == 20

    def test_bought_top_ups_are_no_part_of_the_month(self) -> None:
        info = {
            "current": "800000",
            "maximum": "1000000",
            "available": "200000",
            "tariffQuota": {"current": "800000", "maximum": "800000", "available": "0"},
            "topUpQuota": {"current": "0", "maximum": "200000", "available": "200000"},
        }
        found = usage(info, None)
        assert (found.window("current").used_percent, found.window("current").limit) == (100, 8)
        assert found.row("Used").value == "8 / 8 credits"
        assert found.row("Remaining").value == "0 credits"
        assert found.row("Bought").value == "2 top-up credits"

    def test_without_top_ups_none_are_told(self) -> None:
        with pytest.raises(KeyError):
            usage({"tariffQuota": {"current": "1", "maximum": "2"}, "topUpQuota": {"available": "0"}}).row("Bought")

    def test_tariff_and_top_up_are_added_where_only_their_maximum_is_told(self) -> None:
        pots = {"tariffQuota": {"maximum": "8", "available": "4"}, "topUpQuota": {"current": "1", "maximum": "2"}}
        found = usage(pots, None)
        assert found.row("Used").value == "1 / 10 credits"
        assert found.row("Remaining").value == "4 credits"

    def test_until_ends_the_subscription_and_never_resets_the_window(self) -> None:
        found = usage(refill=None)
        assert found.window("current").resets_at is None
        assert found.subscription_expires_at == datetime(2031, 3, 1, tzinfo=UTC)
        assert found.row("Subscription end").value == "2031-03-01"

    def test_until_long_after_the_refill_changes_nothing(self) -> None:
        resets_at = usage().window("current").resets_at
        assert resets_at is not None
        assert resets_at.year == 2030

    def test_a_refill_in_the_past_has_expired(self) -> None:
        window = usage(refill={"next": "2029-12-30T00:00:00Z"}).window("current")
        assert (window.resets_at, window.description) == (None, "Expired")

    def test_refill_top_level_is_preferred_over_tariff(self) -> None:
        refill = {"next": "2030-02-01T00:00:00Z", "duration": "P7D", "tariff": {"duration": "P30D"}}
        assert usage(refill=refill).window("current").minutes == 10080

    def test_plan_is_the_type(self) -> None:
        assert usage().identity.login_method == "Available"

    @pytest.mark.parametrize(
        ("text", "minutes"), [("PT5H", 300), ("P1D", 1440), ("P2W", 20160), ("monthly", None), ("P1DT2H", None)]
    )
    def test_durations_with_one_part_are_understood(self, text: str, minutes: int | None) -> None:
        assert minutes_of(text) == minutes


class TestFile:
    def test_attributes_may_be_reversed_single_quoted_and_over_lines(self) -> None:
        text = """<?xml version="1.0" encoding="UTF-8"?>
        <application><component
           name='AIAssistantQuotaManager2'>
          <option value='{"type":"Available",&#10;"current":"1","maximum":"4"}'
                  name='quotaInfo'></option></component></application>"""
        assert parse_quota(text).info.maximum == 4

    def test_other_components_are_ignored(self) -> None:
        other = '<component name="Other"><option name="quotaInfo" value="{}" /></component>'
        assert parse_quota(document(INFO, before=other)).info.maximum == 1_000_000
        with pytest.raises(BadResponse, match="no quota information"):
            parse_quota(f"<application>{other}</application>")

    def test_entities_are_decoded_once(self) -> None:
        with pytest.raises(BadResponse):
            parse_quota(document(INFO).replace("&quot;", "&amp;quot;").replace("'", "&amp;quot;"))

    @pytest.mark.parametrize("text", ["", "<application>", "no xml", document([1])])
    def test_what_cannot_be_parsed_is_a_bad_response(self, text: str) -> None:
        with pytest.raises(BadResponse):
            parse_quota(text)

    @pytest.mark.parametrize("declaration", ["<!DOCTYPE a>", '<!DOCTYPE a [<!ENTITY b "c">]>'])
    def test_document_types_are_refused(self, declaration: str) -> None:
        with pytest.raises(BadResponse, match="document type"):
            parse_quota(declaration + document(INFO))

    def test_a_missing_quota_is_said_to_be_missing(self) -> None:
        with pytest.raises(BadResponse, match="no quota information"):
            parse_quota(document(None, REFILL))

    @pytest.mark.parametrize("info", [{"type": "Unknown"}, {"maximum": "many", "tariffQuota": {}}])
    def test_a_quota_without_a_number_is_none(self, info: object) -> None:
        with pytest.raises(BadResponse, match="no quota information"):
            parse_quota(document(info))

    @pytest.mark.parametrize("pot", [None, "none", []])
    def test_a_malformed_pot_does_not_spoil_the_others(self, pot: object) -> None:
        assert parse_quota(document({**INFO, "topUpQuota": pot})).info.maximum == 1_000_000

    @pytest.mark.parametrize("refill", ["{broken", "null", "[]"])
    def test_a_broken_refill_is_ignored(self, refill: str) -> None:
        text = document(INFO).replace("</component>", f'<option name="nextRefill" value="{refill}"/></component>')
        assert parse_quota(text).refill.next is None


def line(time: str, text: str) -> str:
    return f"{time} [ 123] INFO - #c.i.m.l.QuotaManager2Impl - New quota {text}\n"


def available(current: float, **pots: str) -> str:
    more = "".join(f", {name}={value}" for name, value in pots.items())
    return f"state is: Available(current={current}, maximum=1000000, until=2031-12-31T00:00:00Z{more})"


TARIFF = "QuotaDetails(current=600000, maximum=800000, available=200000)"
TOP_UP = "QuotaDetails(current=0, maximum=200000, available=200000)"
NEXT = "next=2030-01-20T06:30:00.250Z"
KNOWN = f"refill state is: Known({NEXT}, tariff=QuotaRefillInfoTariff(amount=600000, duration=P7D))"
EARLY, LATE = "2029-01-02 03:04:05,678", "2029-12-31 23:59:59,000"


class TestLog:
    @pytest.fixture
    def log(self, home: Path) -> Callable[[str, str], None]:
        """`log(folder, text)`: the log of an IDE."""

        def make(folder: str, text: str) -> None:
            path = home / ".cache/JetBrains" / folder / "log/idea.log"
            path.parent.mkdir(parents=True)
            path.write_text(text, encoding="utf-8")

        return make

    def test_newest_state_and_refill_are_read(self) -> None:
        text = (
            line(EARLY, available(1))
            + line(EARLY, KNOWN)
            + "something else\n"
            + line(LATE, available(600000.5, tariffQuota=TARIFF, topUpQuota=TOP_UP))
        )
        found = parse_log(text, cut=False)
        assert found is not None
        assert found.written == datetime(2029, 12, 31, 23, 59, 59).astimezone()
        assert (found.info.type, found.info.current, found.info.tariff.maximum) == ("Available", 600000.5, 800000)
        assert found.info.top_up.available == 200000
        assert found.info.until == datetime(2031, 12, 31, tzinfo=UTC)
        assert found.refill is not None
        assert found.refill.tariff is not None
        assert (found.refill.next, found.refill.tariff.duration) == (
            datetime(2030, 1, 20, 6, 30, 0, 250_000, UTC),
            "P7D",
        )

    def test_a_cut_first_and_a_torn_last_line_do_not_count(self) -> None:
        good, other = line(EARLY, available(1)), line(LATE, available(2))
        assert parse_log(other + good, cut=True) == parse_log(good, cut=False)
        assert parse_log(good + other.rstrip("\n"), cut=False) == parse_log(good, cut=False)
        assert parse_log(good.rstrip("\n"), cut=False) is None

    @pytest.mark.parametrize(
        "state",
        [
            "state is: Unknown(reason=offline)",
            "state is: Unavailable",
            "state is: Available(current)",
            "state is: Available(current=1",
            "state is: Available(a=B(c=D(e=F(g=H(i=1)))))",
        ],
    )
    def test_a_newest_state_of_another_form_is_not_read(self, state: str) -> None:
        assert parse_log(line(EARLY, available(1)) + line(LATE, state), cut=False) is None

    def test_a_hostile_line_costs_no_more_than_its_length(self) -> None:
        assert parse_log(line(LATE, "state is: Available" + " " * 500_000 + "x"), cut=False) is None

    @pytest.mark.parametrize("text", ["", "a", "a=B(", "a=1)", "=", "(", ")" * 9])
    def test_other_texts_are_no_fields(self, text: str) -> None:
        assert not fields(text)

    def test_counts_where_it_is_newer_than_the_file(
        self, read: Read, ide: Callable[..., Path], log: Callable[[str, str], None]
    ) -> None:
        ide("GoLand2030.1", document(INFO, REFILL), written=1_860_000_000)
        log("GoLand2030.1", line(LATE, available(600000, tariffQuota=TARIFF)))
        found = read("jetbrains")
        assert found.window("current").used_percent == 75
        assert found.window("current").resets_at == datetime(2030, 1, 12, 8, 0, 0, 500_000, UTC), "that of the file"
        assert found.identity.organization == "GoLand 2030.1"

    def test_does_not_count_where_it_is_older_or_of_another_ide(
        self, read: Read, ide: Callable[..., Path], log: Callable[[str, str], None]
    ) -> None:
        ide("GoLand2030.1", document(INFO), written=1_890_000_000)
        log("GoLand2030.1", line(EARLY, available(900000)))
        log("GoLand2029.3", line(LATE, available(900000)))
        assert read("jetbrains").window("current").used_percent == pytest.approx(25.00005)

    def test_is_read_from_its_end_alone(
        self,
        read: Read,
        ide: Callable[..., Path],
        log: Callable[[str, str], None],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        newest = line(LATE, available(500000))
        monkeypatch.setattr(installs, "LOG_BYTES", len(newest) + 20)
        ide("GoLand2030.1", document(INFO), written=1_860_000_000)
        log("GoLand2030.1", line(LATE, KNOWN) + line(EARLY, available(1)) + newest)
        assert read("jetbrains").window("current").used_percent == 50

    def test_stands_in_for_a_broken_file(
        self, read: Read, ide: Callable[..., Path], log: Callable[[str, str], None]
    ) -> None:
        ide("GoLand2030.1", "broken", written=1_860_000_000)
        log("GoLand2030.1", line(LATE, available(500000)) + line(LATE, KNOWN))
        window = read("jetbrains").window("current")
        assert (window.used_percent, window.minutes) == (50, 10080)

    def test_of_the_chosen_ide_is_read_too(
        self, read: Read, ide: Callable[..., Path], log: Callable[[str, str], None]
    ) -> None:
        folder = ide("GoLand2030.1", document(INFO), written=1_860_000_000)
        log("GoLand2030.1", line(LATE, available(500000)))
        assert read("jetbrains", config={"ideBasePath": str(folder)}).window("current").used_percent == 50

    @pytest.mark.parametrize(
        ("platform", "place"),
        [
            ("linux", ".cache/JetBrains/Aqua2030.1/log/idea.log"),
            ("darwin", "Library/Logs/JetBrains/Aqua2030.1/idea.log"),
            ("win32", "AppData/Local/JetBrains/Aqua2030.1/log/idea.log"),
        ],
    )
    def test_each_system_has_its_own_place(self, reader: Reader, home: Path, platform: str, place: str) -> None:
        ctx = replace(reader.context("jetbrains"), platform=platform)
        assert log_file(ctx, home / "any/JetBrains/Aqua2030.1") == home / place
        assert log_file(ctx, home / "mine") is None


class TestFolders:
    @pytest.mark.parametrize(
        ("folder", "label"),
        [
            ("IntelliJIdea2030.1", "IntelliJ IDEA 2030.1"),
            ("Webstorm2026.1", "WebStorm 2026.1"),
            ("PyCharmCE2026.1", "PyCharm Community 2026.1"),
            ("IdeaIC2029.3", "IntelliJ IDEA Community 2029.3"),
            ("AndroidStudio2030.2", "Android Studio 2030.2"),
            ("RustRover", "RustRover Unknown"),
        ],
    )
    def test_names_tell_ide_and_version(self, folder: str, label: str) -> None:
        found = ide_of(Path(folder))
        assert found is not None
        assert found.label == label

    def test_other_folders_are_no_ide(self) -> None:
        assert ide_of(Path("consentOptions")) is None

    def test_versions_order_by_number_newest_first(self) -> None:
        ides = [Ide(Path(), "GoLand", version) for version in ("2029.9", "2029.10", "2029")]
        assert [ide.version for ide in sorted(ides, key=lambda ide: ide.order)] == ["2029.10", "2029.9", "2029"]

    def test_the_file_written_last_wins(self, read: Read, ide: Callable[..., Path]) -> None:
        ide("GoLand2030.1", document({"current": "1", "maximum": "10"}), written=1_890_000_000)
        ide("CLion2029.3", document({"current": "7", "maximum": "10"}), written=1_890_000_500)
        found = read("jetbrains")
        assert found.window("current").used_percent == 70
        assert found.identity.organization == "CLion 2029.3"
        assert found.source == "local"

    def test_a_newest_file_without_quota_gives_way_to_the_next(self, read: Read, ide: Callable[..., Path]) -> None:
        ide("GoLand2030.1", document({"current": "1", "maximum": "10"}), written=1_890_000_000)
        ide("Rider2030.1", document(), written=1_890_000_500)
        assert read("jetbrains").identity.organization == "GoLand 2030.1"

    def test_when_all_fail_the_newest_file_says_why(self, read: Read, ide: Callable[..., Path]) -> None:
        ide("GoLand2030.1", "broken", written=1_890_000_000)
        ide("Rider2030.1", document(), written=1_890_000_500)
        with pytest.raises(BadResponse, match="no quota information"):
            read("jetbrains")

    def test_android_studio_is_found_beside_googles_other_things(self, read: Read, ide: Callable[..., Path]) -> None:
        ide("AndroidStudio2030.1", document(INFO), base="Google")
        assert read("jetbrains").identity.organization == "Android Studio 2030.1"

    def test_a_choice_offers_all_ides_there_are(self, reader: Reader, ide: Callable[..., Path]) -> None:
        ide("PyCharm2029.3")
        ide("PyCharm2030.1", document(INFO))
        ide("AndroidStudio2030.1", base="Google")
        context = reader.context("jetbrains")
        labels = [found.label for found in installed(context)]
        assert labels == ["Android Studio 2030.1", "PyCharm 2030.1", "PyCharm 2029.3"]
        assert [(choice.value, choice.label) for choice in choices(context)] == [
            ("", "automatic"),
            ("~/.config/Google/AndroidStudio2030.1", "Android Studio 2030.1"),
            ("~/.config/JetBrains/PyCharm2030.1", "PyCharm 2030.1"),
            ("~/.config/JetBrains/PyCharm2029.3", "PyCharm 2029.3"),
        ]

    @pytest.mark.parametrize(
        ("platform", "folders"),
        [
            ("darwin", ["Library/Application Support/JetBrains", "Library/Application Support/Google"]),
            ("win32", ["AppData/Roaming/JetBrains", "AppData/Roaming/Google"]),
            ("linux", [".config/JetBrains", ".local/share/JetBrains", ".config/Google"]),
        ],
    )
    def test_each_system_has_its_own_places(
        self, reader: Reader, home: Path, platform: str, folders: list[str]
    ) -> None:
        context = reader.context("jetbrains")
        found = base_folders(replace(context, platform=platform))
        assert [path.relative_to(home).as_posix() for path in found] == folders

    def test_xdg_folders_are_looked_into(self, read: Read, tmp_path: Path) -> None:
        options = tmp_path / "xdg" / "JetBrains" / "Aqua2030.1" / "options"
        options.mkdir(parents=True)
        (options / "AIAssistantQuotaManager2.xml").write_text(document(INFO))
        assert read("jetbrains", XDG_CONFIG_HOME=str(tmp_path / "xdg")).identity.organization == "Aqua 2030.1"

    def test_a_plain_file_with_a_matching_name_is_no_ide(self, read: Read, home: Path) -> None:
        (home / ".config" / "JetBrains").mkdir(parents=True)
        (home / ".config" / "JetBrains" / "PyCharm2030.1").write_text("x")
        with pytest.raises(MissingCredential, match="No JetBrains IDE"):
            read("jetbrains")

    def test_no_ide_at_all_says_what_to_do(self, read: Read, ide: Callable[..., Path]) -> None:
        ide("PyCharm2030.1")
        with pytest.raises(MissingCredential) as caught:
            read("jetbrains")
        assert "use it once" in caught.value.hint

    def test_a_chosen_folder_is_the_only_one_read(self, read: Read, ide: Callable[..., Path], home: Path) -> None:
        ide("GoLand2030.1", document(INFO))
        mine = home / "ide" / "options"
        mine.mkdir(parents=True)
        (mine / "AIAssistantQuotaManager2.xml").write_text(document({"current": "1", "maximum": "2"}))
        found = read("jetbrains", config={"ideBasePath": " ~/ide "})
        assert found.window("current").used_percent == 50
        assert found.identity.organization is None

    def test_a_chosen_folder_without_the_file_is_named(self, read: Read, ide: Callable[..., Path]) -> None:
        ide("GoLand2030.1", document(INFO))
        with pytest.raises(Misconfigured, match=r"~/elsewhere/options/AIAssistantQuotaManager2\.xml"):
            read("jetbrains", config={"ideBasePath": "~/elsewhere"})

    def test_an_unreadable_file_is_a_bad_response(self, read: Read, home: Path) -> None:
        (home / "ide" / "options" / "AIAssistantQuotaManager2.xml").mkdir(parents=True)
        with pytest.raises(BadResponse, match="cannot be read"):
            read("jetbrains", config={"ideBasePath": "~/ide"})

    def test_source_cli_reads_the_same_file(self, read: Any, ide: Callable[..., Path]) -> None:
        ide("GoLand2030.1", document(INFO))
        assert read("jetbrains", source="cli").source == "local"
