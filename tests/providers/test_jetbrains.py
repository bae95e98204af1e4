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
from quotaline_providers.vendors.jetbrains import (
    Ide,
    base_folders,
    ide_of,
    installed,
    minutes_of,
    parse_quota,
    to_usage,
)


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

    def test_tariff_and_top_up_are_added_where_the_top_level_is_silent(self) -> None:
        pots = {
            "tariffQuota": {"current": "4", "maximum": "8", "available": "4"},
            "topUpQuota": {"current": "1", "maximum": "2", "available": "1"},
        }
        found = usage(pots, None)
        assert found.row("Used").value == "5 / 10 credits"
        assert found.row("Remaining").value == "5 credits"

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
