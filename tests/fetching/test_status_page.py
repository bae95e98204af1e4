"""What vendors' status pages say: Statuspage, incident.io, Google's incidents, and every way of not knowing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from quotaline_providers import registry
from quotaline_providers.contract import Provider, StatusKind, StatusPage
from quotaline_providers.fetching import status_page
from quotaline_providers.fetching.status_page import (
    LONGEST_DESCRIPTION,
    GoogleFeed,
    GoogleIncident,
    IncidentFeed,
    Indicator,
    ServiceStatus,
    first_useful_line,
    of_component,
    of_google,
    of_incident_io,
    read_status,
    worst,
)
from quotaline_providers.testing import NOW, Clock, Reader, Vendor, finished

HOST = "status.example.com"
PAGE = f"https://{HOST}/"
PRODUCT = "p-ours"
OURS = StatusPage(PAGE, StatusKind.STATUSPAGE)
GOOGLE_PAGE = StatusPage(
    "https://www.google.com/appsstatus/dashboard/products/p-ours/history", StatusKind.GOOGLE, PRODUCT
)

Ask = Callable[..., ServiceStatus | None]
Vendors = Callable[[str], Vendor]


def provider_with(page: StatusPage | None) -> Provider:
    return Provider(id="example", name="Example", connect="Nothing to connect.", strategies=(), status=page)


@pytest.fixture
def ask(reader: Reader, clock: Clock) -> Ask:
    """`ask(page)`: what the status page of a provider says."""

    def asking(page: StatusPage | None = OURS) -> ServiceStatus | None:
        async def reading() -> ServiceStatus | None:
            machine = reader.machine({})
            try:
                return await read_status(provider_with(page), machine.http, clock.now)
            finally:
                await machine.close()

        return finished(reading())

    return asking


def verdict(indicator: object = "none", description: str = "All good", at: object = "2030-01-02T11:30:00.250Z") -> Any:
    return {"page": {"updated_at": at}, "status": {"indicator": indicator, "description": description}}


def row(id: str, hidden: bool = False) -> dict[str, Any]:
    return {"component": {"component_id": id, "name": f"Service {id}", "hidden": hidden}}


def group(*rows: dict[str, Any], hidden: bool = False) -> dict[str, Any]:
    return {"group": {"id": "g", "name": "Group", "hidden": hidden, "components": [each["component"] for each in rows]}}


def feed(*items: dict[str, Any], **affected: str) -> dict[str, Any]:
    entries = [{"component_id": id, "status": status} for id, status in affected.items()]
    return {"summary": {"structure": {"items": list(items)}, "affected_components": entries}}


def incident(**fields: Any) -> dict[str, Any]:
    return {"begin": "2030-01-02T08:00:00+00:00", "affected_products": [{"title": "Ours", "id": PRODUCT}], **fields}


def google(*incidents: dict[str, Any]) -> ServiceStatus:
    return of_google(GoogleFeed.model_validate(list(incidents)), GOOGLE_PAGE, NOW)


class TestStatuspage:
    @pytest.fixture(autouse=True)
    def no_incident_io(self, vendor: Vendors) -> None:
        vendor(HOST).get(f"/proxy/{HOST}").answers_text("<html>not here</html>", status=404)

    @pytest.mark.parametrize("indicator", ["none", "minor", "major", "critical", "maintenance"])
    def test_its_indicators_are_ours(self, vendor: Vendors, ask: Ask, indicator: Indicator) -> None:
        vendor(HOST).get("/api/v2/status.json").answers_json(verdict(indicator, "As it is"))
        assert ask() == ServiceStatus(
            indicator=indicator,
            description="As it is",
            updated_at=datetime(2030, 1, 2, 11, 30, 0, 250_000, UTC),
            url=PAGE,
        )

    @pytest.mark.parametrize("indicator", ["catastrophic", "", None, 3])
    def test_any_other_indicator_is_unknown(self, vendor: Vendors, ask: Ask, indicator: object) -> None:
        vendor(HOST).get("/api/v2/status.json").answers_json(verdict(indicator))
        read = ask()
        assert read is not None
        assert read.indicator == "unknown"

    def test_a_time_without_fraction(self, vendor: Vendors, ask: Ask) -> None:
        vendor(HOST).get("/api/v2/status.json").answers_json(verdict(at="2030-01-02T05:00:00-04:00"))
        read = ask()
        assert read is not None
        assert read.updated_at == datetime(2030, 1, 2, 9, tzinfo=UTC)

    def test_a_time_ahead_of_our_clock_is_now(self, vendor: Vendors, ask: Ask, clock: Clock) -> None:
        vendor(HOST).get("/api/v2/status.json").answers_json(verdict(at=(clock.now + timedelta(hours=1)).isoformat()))
        read = ask()
        assert read is not None
        assert read.updated_at == clock.now

    @pytest.mark.parametrize("page", [None, "page", {}, {"updated_at": "yesterday"}])
    def test_no_time_is_no_obstacle(self, vendor: Vendors, ask: Ask, page: object) -> None:
        vendor(HOST).get("/api/v2/status.json").answers_json({**verdict("major"), "page": page})
        read = ask()
        assert read is not None
        assert (read.indicator, read.updated_at) == ("major", None)

    def test_a_description_is_one_short_line(self, vendor: Vendors, ask: Ask) -> None:
        vendor(HOST).get("/api/v2/status.json").answers_json(verdict(description=" Slow\n\tanswers " + "x" * 1000))
        read = ask()
        assert read is not None
        assert read.description.startswith("Slow answers x")
        assert len(read.description) == LONGEST_DESCRIPTION


class TestIncidentIo:
    @pytest.fixture
    def says(self, vendor: Vendors, ask: Ask) -> Callable[[object], ServiceStatus | None]:
        def reading(answer: object) -> ServiceStatus | None:
            vendor(HOST).get(f"/proxy/{HOST}").answers_json(answer)
            vendor(HOST).get("/api/v2/status.json").answers_json(verdict("minor", "From Statuspage"))
            return ask()

        return reading

    def test_its_verdict_comes_first_and_the_text_and_time_from_statuspage(self, says: Any) -> None:
        assert says(feed(row("a"), row("b"), b="full_outage")) == ServiceStatus(
            indicator="critical",
            description="From Statuspage",
            updated_at=datetime(2030, 1, 2, 11, 30, 0, 250_000, UTC),
            url=PAGE,
        )

    def test_what_is_not_listed_is_operational(self, says: Any) -> None:
        assert says(feed(row("a"), group(row("b")))).indicator == "none"

    def test_a_null_list_affects_nothing(self, says: Any) -> None:
        answer = feed(row("a"))
        answer["summary"]["affected_components"] = None
        assert says(answer).indicator == "none"

    def test_the_verdict_stands_without_the_text(self, vendor: Vendors, ask: Ask) -> None:
        vendor(HOST).get(f"/proxy/{HOST}").answers_json(feed(row("a"), a="partial_outage"))
        vendor(HOST).get("/api/v2/status.json").fails(503)
        assert ask() == ServiceStatus(indicator="major", url=PAGE)

    @pytest.mark.parametrize(
        "answer",
        [
            feed(),
            feed({"divider": {}}),
            feed(group(), a="full_outage"),
            feed(row("a", hidden=True), a="full_outage"),
            feed(group(row("a"), hidden=True), a="full_outage"),
            {},
            [],
            {"summary": {}},
            {"summary": {"structure": {"items": {}}}},
            {"summary": {"structure": {"items": ["a"]}}},
            {"summary": {"structure": {"items": [{"component": {"name": "no id"}}]}}},
            {"summary": {"structure": {"items": [row("a")]}, "affected_components": {"a": "full_outage"}}},
            {"summary": {"structure": {"items": [row("a")]}, "affected_components": [{"id": "a"}]}},
        ],
    )
    def test_statuspage_is_used_when_it_shows_nothing_or_has_another_shape(self, says: Any, answer: object) -> None:
        assert says(answer).indicator == "minor"

    @pytest.mark.parametrize("how", ["cut", "garbage"])
    def test_statuspage_is_used_when_it_breaks(self, vendor: Vendors, ask: Ask, how: Any) -> None:
        vendor(HOST).get(f"/proxy/{HOST}").misbehaves(how)
        vendor(HOST).get("/api/v2/status.json").answers_json(verdict("critical"))
        read = ask()
        assert read is not None
        assert read.indicator == "critical"

    def test_statuspage_is_used_when_it_hangs(self, vendor: Vendors, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(status_page, "TIMEOUT", 0.5)
        vendor(HOST).get(f"/proxy/{HOST}").delays(3).answers_json(feed(row("a"), a="full_outage"))
        vendor(HOST).get("/api/v2/status.json").answers_json(verdict("minor"))
        read = ask()
        assert read is not None
        assert read.indicator == "minor"

    @pytest.mark.parametrize(
        ("answer", "indicator"),
        [
            (feed(group(row("a"), row("b")), a="degraded_performance"), "minor"),
            (feed(group(row("a"), row("b")), row("c"), a="degraded_performance", c="partial_outage"), "major"),
            (feed(group(row("a"), row("b")), row("c"), b="full_outage", c="degraded_performance"), "critical"),
            (feed(row("a"), row("b"), a="under_maintenance"), "maintenance"),
            (feed(row("a"), row("b"), a="under_maintenance", b="degraded_performance"), "minor"),
            (feed(row("a"), a="on_fire"), "unknown"),
            (feed(row("a"), elsewhere="full_outage"), "none"),
        ],
    )
    def test_the_worst_service_decides(self, answer: object, indicator: str) -> None:
        assert of_incident_io(IncidentFeed.model_validate(answer)) == indicator

    def test_hidden_services_do_not_count(self) -> None:
        answer = feed(
            row("shown"),
            row("secret", hidden=True),
            group(row("old"), hidden=True),
            group(row("a"), row("b", hidden=True)),
            secret="full_outage",
            old="full_outage",
            b="partial_outage",
            a="degraded_performance",
        )
        assert of_incident_io(IncidentFeed.model_validate(answer)) == "minor"

    def test_a_service_listed_twice_has_its_worst_status(self) -> None:
        answer = feed(row("a"))
        answer["summary"]["affected_components"] = [
            {"component_id": "a", "status": "full_outage"},
            {"component_id": "a", "status": "degraded_performance"},
        ]
        assert of_incident_io(IncidentFeed.model_validate(answer)) == "critical"


@pytest.mark.parametrize(
    ("component", "indicator"),
    [
        ("operational", "none"),
        ("degraded_performance", "minor"),
        ("partial_outage", "major"),
        ("major_outage", "critical"),
        ("full_outage", "critical"),
        ("under_maintenance", "maintenance"),
        ("haunted", "unknown"),
        (None, "unknown"),
    ],
)
def test_components_have_their_own_words(component: str | None, indicator: str) -> None:
    assert of_component(component) == indicator


def test_severity_has_an_order() -> None:
    assert worst(["none", "maintenance"]) == "maintenance"
    assert worst(["none", "unknown"]) == "unknown"
    assert worst(["unknown", "minor", "maintenance"]) == "minor"
    assert worst(["minor", "critical", "major"]) == "critical"
    assert worst([]) is None


class TestGoogle:
    def test_no_active_incident_is_none(self) -> None:
        assert google() == ServiceStatus(indicator="none", url=GOOGLE_PAGE.url)
        assert google(incident(end="2030-01-02T09:00:00Z", status_impact="SERVICE_OUTAGE")).indicator == "none"

    @pytest.mark.parametrize("end", [{}, {"end": None}, {"end": ""}])
    def test_an_incident_without_end_is_active(self, end: dict[str, Any]) -> None:
        assert google(incident(status_impact="SERVICE_OUTAGE", **end)).indicator == "critical"

    @pytest.mark.parametrize(
        ("products", "indicator"),
        [
            ({"affected_products": [{"id": PRODUCT}]}, "major"),
            ({"affected_products": [{"id": "other"}, {"id": PRODUCT}]}, "major"),
            ({"affected_products": [{"id": "other"}]}, "none"),
            ({"affected_products": [{"id": PRODUCT}], "currently_affected_products": []}, "none"),
            ({"affected_products": [{"id": PRODUCT}], "currently_affected_products": [{"id": "other"}]}, "none"),
            ({"affected_products": [{"id": "other"}], "currently_affected_products": [{"id": PRODUCT}]}, "major"),
            ({"affected_products": [{"id": PRODUCT}], "currently_affected_products": None}, "major"),
            ({"affected_products": [7, {"title": "x"}, {"id": PRODUCT}]}, "major"),
        ],
    )
    def test_the_currently_affected_products_decide_when_given(self, products: Any, indicator: str) -> None:
        assert google(incident(status_impact="SERVICE_DISRUPTION", **products)).indicator == indicator

    @pytest.mark.parametrize(
        ("said", "indicator"),
        [
            ("AVAILABLE", "none"),
            ("SERVICE_INFORMATION", "minor"),
            ("SERVICE_DISRUPTION", "major"),
            ("SERVICE_OUTAGE", "critical"),
            ("SERVICE_MAINTENANCE", "maintenance"),
            ("SCHEDULED_MAINTENANCE", "maintenance"),
        ],
    )
    def test_its_statuses(self, said: str, indicator: str) -> None:
        assert google(incident(status_impact=said)).indicator == indicator
        updated = incident(most_recent_update={"status": said}, status_impact="SERVICE_INFORMATION", severity="high")
        assert google(updated).indicator == indicator

    @pytest.mark.parametrize(
        ("severity", "indicator"),
        [("low", "minor"), ("medium", "major"), ("high", "critical"), ("huge", "minor"), (None, "minor")],
    )
    def test_the_severity_stands_in_for_a_status(self, severity: str | None, indicator: str) -> None:
        assert google(incident(severity=severity)).indicator == indicator
        assert google(incident(severity=severity, status_impact="SERVICE_NEWS")).indicator == indicator

    def test_the_worst_incident_wins_with_its_text(self) -> None:
        read = google(
            incident(status_impact="SERVICE_INFORMATION", external_desc="Small", modified="2030-01-02T11:00:00Z"),
            incident(status_impact="SERVICE_OUTAGE", external_desc="Large", modified="2030-01-02T09:00:00Z"),
            incident(status_impact="SCHEDULED_MAINTENANCE", external_desc="Planned"),
        )
        assert (read.indicator, read.description) == ("critical", "Large")

    def test_of_equals_the_newest_wins(self) -> None:
        read = google(
            incident(status_impact="SERVICE_OUTAGE", external_desc="Older", modified="2030-01-02T09:00:00Z"),
            incident(status_impact="SERVICE_OUTAGE", external_desc="Newer", modified="2030-01-02T10:00:00Z"),
        )
        assert read.description == "Newer"

    def test_the_last_update_stands_in_for_the_most_recent(self) -> None:
        updates = [{"status": "SERVICE_OUTAGE", "text": "Down"}, {"status": "SERVICE_INFORMATION", "text": "Better"}]
        read = google(incident(updates=updates, status_impact="SERVICE_OUTAGE"))
        assert (read.indicator, read.description) == ("minor", "Better")

    def test_of_timed_updates_the_latest_counts_wherever_it_stands(self) -> None:
        updates = [
            {"when": "2030-01-02T10:00:00Z", "text": "Later"},
            {"when": "2030-01-02T09:00:00Z", "text": "Earlier"},
        ]
        assert google(incident(updates=updates)).description == "Later"

    def test_the_most_recent_update_beats_the_list(self) -> None:
        read = google(incident(most_recent_update={"text": "Now"}, updates=[{"text": "Then"}]))
        assert read.description == "Now"

    @pytest.mark.parametrize(
        ("fields", "hour"),
        [
            ({"most_recent_update": {"when": "2030-01-02T11:00:00Z"}, "modified": "2030-01-02T10:00:00Z"}, 11),
            ({"most_recent_update": {"text": "Hm"}, "modified": "2030-01-02T10:00:00Z"}, 10),
            ({"modified": "2030-01-02T10:00:00Z"}, 10),
            ({}, 8),
            ({"most_recent_update": {"when": "2030-01-02T23:00:00Z"}}, 12),
        ],
    )
    def test_its_time_is_the_updates_then_modified_then_begin_and_never_ahead(self, fields: Any, hour: int) -> None:
        assert google(incident(**fields)).updated_at == datetime(2030, 1, 2, hour, tzinfo=UTC)

    @pytest.mark.parametrize(
        ("text", "line"),
        [
            ("Some people see errors.", "Some people see errors."),
            ("**Summary**\n\n**Description**\nAnswers are slow.\nMore later.", "Answers are slow."),
            ("**Summary:**\nAnswers are slow.", "Answers are slow."),
            ("**Summary of the event\nAnswers are slow.", "Answers are slow."),
            ("**Description:** Answers are slow.", "Answers are slow."),
            ("We are **aware** of it.", "We are aware of it."),
            ("For **Summary** tabs only.", "For Summary tabs only."),
            ("See [the notes](https://example.com/a) and [more](b).", "See the notes and more."),
            ("\r\n - Chats fail.\r\n - Images fail.", "Chats fail."),
            ("**- Chats fail.**", "Chats fail."),
            ("**Summary**\n\n", ""),
            ("", ""),
        ],
    )
    def test_the_text_is_its_first_useful_line(self, text: str, line: str) -> None:
        assert first_useful_line(text) == line

    def test_the_description_of_the_incident_stands_in_for_a_useless_update(self) -> None:
        read = google(incident(most_recent_update={"text": "**Summary**\n"}, external_desc="**Chats** fail.\n"))
        assert read.description == "Chats fail."

    def test_a_malformed_incident_does_not_hide_the_others(self) -> None:
        entries: list[Any] = [None, "incident", incident(updates="none", most_recent_update=3, severity="medium")]
        assert google(*entries).indicator == "major"

    def test_an_ended_incident_concerns_nobody(self) -> None:
        assert not GoogleIncident.model_validate(incident(end="2030-01-01T00:00:00Z")).concerns(PRODUCT)

    def test_the_feed_is_read_from_its_one_place(self, vendor: Vendors, ask: Ask) -> None:
        route = vendor("www.google.com").get("/appsstatus/dashboard/incidents.json")
        route.answers_json([incident(status_impact="SERVICE_OUTAGE", external_desc="Down")])
        assert ask(GOOGLE_PAGE) == ServiceStatus(
            indicator="critical",
            description="Down",
            updated_at=datetime(2030, 1, 2, 8, tzinfo=UTC),
            url=GOOGLE_PAGE.url,
        )
        assert route.count == 1


class TestNotKnowing:
    @pytest.mark.parametrize(
        "page",
        [
            None,
            StatusPage(PAGE),
            StatusPage(PAGE, StatusKind.LINK),
            StatusPage(PAGE, StatusKind.GOOGLE),
        ],
    )
    def test_a_page_that_is_only_a_link_is_never_asked(self, vendor: Vendors, ask: Ask, page: StatusPage) -> None:
        ours, googles = vendor(HOST), vendor("www.google.com")
        assert ask(page) is None
        assert ours.count == googles.count == 0

    @pytest.mark.parametrize("code", [301, 401, 403, 404, 429, 500, 503])
    @pytest.mark.parametrize("kind", [StatusKind.STATUSPAGE, StatusKind.GOOGLE])
    def test_a_refusal_says_nothing(self, vendor: Vendors, ask: Ask, kind: StatusKind, code: int) -> None:
        vendor(HOST).get(f"/proxy/{HOST}").fails(code)
        vendor(HOST).get("/api/v2/status.json").fails(code)
        vendor("www.google.com").get("/appsstatus/dashboard/incidents.json").fails(code)
        assert ask(StatusPage(PAGE, kind, PRODUCT)) is None

    @pytest.mark.parametrize("body", ["", "<html>Sign in</html>", "{", "[]", "{}", '{"status": "none"}', "null"])
    def test_statuspage_in_another_shape_says_nothing(self, vendor: Vendors, ask: Ask, body: str) -> None:
        vendor(HOST).get(f"/proxy/{HOST}").answers_text(body)
        vendor(HOST).get("/api/v2/status.json").answers_text(body)
        assert ask() is None

    @pytest.mark.parametrize("body", ["", "<html>Sign in</html>", "[", "{}", "null", "[1, 2]", '[{"id": "x"}]'])
    def test_google_in_another_shape_says_nothing(self, vendor: Vendors, ask: Ask, body: str) -> None:
        vendor("www.google.com").get("/appsstatus/dashboard/incidents.json").answers_text(body)
        assert ask(GOOGLE_PAGE) is None

    @pytest.mark.parametrize("how", ["cut", "garbage", "huge", "refuse"])
    def test_a_broken_connection_says_nothing(self, vendor: Vendors, ask: Ask, how: Any) -> None:
        vendor("www.google.com").get("/appsstatus/dashboard/incidents.json").misbehaves(how)
        assert ask(GOOGLE_PAGE) is None

    def test_a_page_that_refuses_connections_says_nothing(self, vendor: Vendors, ask: Ask) -> None:
        vendor(HOST).refuses()
        assert ask() is None

    @pytest.mark.parametrize("page", [OURS, GOOGLE_PAGE])
    def test_a_page_that_hangs_says_nothing(
        self, vendor: Vendors, ask: Ask, page: StatusPage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(status_page, "TIMEOUT", 0.3)
        vendor(HOST).get(f"/proxy/{HOST}").delays(2).answers_json(feed(row("a")))
        vendor(HOST).get("/api/v2/status.json").delays(2).answers_json(verdict())
        vendor("www.google.com").get("/appsstatus/dashboard/incidents.json").delays(2).answers_json([])
        assert ask(page) is None

    @pytest.mark.parametrize("url", ["http://status.example.com", "https://[broken", "not an address", ""])
    def test_an_unusable_address_says_nothing(self, ask: Ask, url: str) -> None:
        assert ask(StatusPage(url, StatusKind.STATUSPAGE)) is None

    def test_being_cancelled_is_no_failure(self, vendor: Vendors, reader: Reader, clock: Clock) -> None:
        vendor(HOST).get(f"/proxy/{HOST}").delays(5).answers_json(feed(row("a")))
        vendor(HOST).get("/api/v2/status.json").delays(5).answers_json(verdict())

        async def cancelled() -> None:
            machine = reader.machine({})
            try:
                async with asyncio.timeout(0.3):
                    await read_status(provider_with(OURS), machine.http, clock.now)
            finally:
                await machine.close()

        with pytest.raises(TimeoutError):
            finished(cancelled())


@pytest.mark.parametrize("id", sorted(registry.ids()))
def test_every_providers_page_is_of_a_known_kind(id: str) -> None:
    page = registry.get(id).status
    assert page is None or page.kind in ("statuspage", StatusKind.GOOGLE, "link")
    assert page is None or page.url.startswith("https://")
    assert page is None or bool(page.product) == (page.kind is StatusKind.GOOGLE)
