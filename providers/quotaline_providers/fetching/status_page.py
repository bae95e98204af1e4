"""Whether a vendor itself says that something is wrong: its status page, read beside the usage.

Three kinds of page (`StatusPage.kind`): `statuspage` (an incident.io page, or one that speaks Statuspage v2), `google`
(the incidents of Google Workspace, for one product) and `link`, which is shown and never asked.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Annotated, Literal, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, RootModel, TypeAdapter

from quotaline_providers.access.endpoints import check_address
from quotaline_providers.contract import Http, Provider, StatusKind, StatusPage
from quotaline_providers.errors import BadResponse, ReadError
from quotaline_providers.fetching.optional import together
from quotaline_providers.model import Model, Time
from quotaline_providers.parsing.payload import Flag, Payload, Text, When, lenient, lenient_items

P = TypeVar("P", bound=BaseModel)

Indicator = Literal["none", "minor", "major", "critical", "maintenance", "unknown"]

TIMEOUT = 10.0
GOOGLE_FEED = "https://www.google.com/appsstatus/dashboard/incidents.json"
LONGEST_DESCRIPTION = 300

_INDICATORS: dict[str, Indicator] = {
    "none": "none",
    "minor": "minor",
    "major": "major",
    "critical": "critical",
    "maintenance": "maintenance",
}
_OF_COMPONENT: dict[str, Indicator] = {
    "operational": "none",
    "degraded_performance": "minor",
    "partial_outage": "major",
    "major_outage": "critical",
    "full_outage": "critical",
    "under_maintenance": "maintenance",
}
_OF_GOOGLE: dict[str, Indicator] = {
    "AVAILABLE": "none",
    "SERVICE_INFORMATION": "minor",
    "SERVICE_DISRUPTION": "major",
    "SERVICE_OUTAGE": "critical",
    "SERVICE_MAINTENANCE": "maintenance",
    "SCHEDULED_MAINTENANCE": "maintenance",
}
_OF_SEVERITY: dict[str, Indicator] = {"low": "minor", "medium": "major", "high": "critical"}
_RANK: dict[Indicator, int] = {"none": 0, "maintenance": 1, "unknown": 1, "minor": 2, "major": 3, "critical": 4}
_LONG_AGO = datetime.min.replace(tzinfo=UTC)

_HEADING = re.compile(r"^\*\*\s*(?:summary|description)[^*]*(?:\*\*|$)[\s:]*", re.IGNORECASE)
_LINK = re.compile(r"\[([^\[\]]*)\]\([^()]*\)")


def _one_line(value: object) -> object:
    if not isinstance(value, str):
        return value
    text = " ".join(value.split())
    return text if len(text) <= LONGEST_DESCRIPTION else f"{text[: LONGEST_DESCRIPTION - 1].rstrip()}…"


class ServiceStatus(Model):
    """What a vendor says of its own service: one line and when it was said, and the page for people.

    `updated_at` is never later than the time of asking, and None when the page gives no time.
    """

    indicator: Indicator
    description: Annotated[str, BeforeValidator(_one_line)] = ""
    updated_at: Time | None = None
    url: str


# --- Statuspage v2: GET <base>/api/v2/status.json --------------------------------------------------


class PageHead(Payload):
    """The page itself."""

    updated_at: When = None


class Overall(Payload):
    """The vendor's own verdict. `indicator` is one of Statuspage's five words."""

    indicator: Text = None
    description: Text = None


class StatusAnswer(Payload):
    """The answer of `status.json`; the same two objects are in `summary.json`."""

    status: Overall
    page: Annotated[PageHead | None, lenient(PageHead)] = None

    @property
    def indicator(self) -> Indicator:
        return _INDICATORS.get((self.status.indicator or "").lower(), "unknown")


# --- incident.io: GET https://<host>/proxy/<host> --------------------------------------------------

# Nothing here is lenient: a part that could not be read would count as operational, and the same page's Statuspage
# answer is there to be used instead.


class Component(Payload):
    """One service of the vendor."""

    component_id: str
    hidden: Flag = None


class Group(Payload):
    """Services under one heading."""

    components: list[Component]
    hidden: Flag = None


class Item(Payload):
    """One row of the page: a group or a single service."""

    group: Group | None = None
    component: Component | None = None


class Structure(Payload):
    """The rows of the page."""

    items: list[Item]


class Affected(Payload):
    """A service that is not operational."""

    component_id: str
    status: Text = None


class Summary(Payload):
    """The rows of the page and which services in them are affected."""

    structure: Structure
    affected_components: list[Affected] | None = None


class IncidentFeed(Payload):
    """The answer of an incident.io page."""

    summary: Summary


# --- Google Workspace incidents --------------------------------------------------------------------


class Product(Payload):
    """A Google product, named by an opaque id."""

    id: Text = None


def _products(value: object) -> object:
    """A list of products as it is, without what is none; a null is as good as no key."""
    return None if value is None else _PRODUCTS.validate_python(value)


_PRODUCTS = TypeAdapter[tuple[Product, ...]](Annotated[tuple[Product, ...], lenient_items(Product)])


class Update(Payload):
    """What Google said at one time. `text` is Markdown."""

    when: When = None
    status: Text = None
    text: Text = None


class GoogleIncident(Payload):
    """One incident, over when it has an `end`. `currently_affected_products` is None when the key is absent."""

    begin: When = None
    end: Text = None
    modified: When = None
    external_desc: Text = None
    status_impact: Text = None
    severity: Text = None
    affected_products: Annotated[tuple[Product, ...], lenient_items(Product)] = ()
    currently_affected_products: Annotated[tuple[Product, ...] | None, BeforeValidator(_products)] = None
    most_recent_update: Annotated[Update | None, lenient(Update)] = None
    updates: Annotated[tuple[Update, ...], lenient_items(Update)] = ()

    def concerns(self, product: str) -> bool:
        """Whether it goes on and affects this product."""
        current = self.currently_affected_products
        products = self.affected_products if current is None else current
        return self.end is None and any(each.id == product for each in products)

    @property
    def update(self) -> Update:
        """The newest thing said of it: of several updates the latest, the last in the list when none has a time."""
        if self.most_recent_update is not None:
            return self.most_recent_update
        return max(reversed(self.updates), key=lambda update: update.when or _LONG_AGO, default=Update())

    @property
    def indicator(self) -> Indicator:
        for status in (self.update.status, self.status_impact):
            if (known := _OF_GOOGLE.get((status or "").upper())) is not None:
                return known
        return _OF_SEVERITY.get((self.severity or "").lower(), "minor")

    @property
    def description(self) -> str:
        return first_useful_line(self.update.text or "") or first_useful_line(self.external_desc or "")

    @property
    def time(self) -> datetime | None:
        return self.update.when or self.modified or self.begin


class GoogleFeed(RootModel[list[Annotated[GoogleIncident | None, lenient(GoogleIncident)]]]):
    """All incidents of all products, open and past; anything else is left out as None."""

    @property
    def incidents(self) -> tuple[GoogleIncident, ...]:
        return tuple(incident for incident in self.root if incident is not None)


# --- what it means ---------------------------------------------------------------------------------


def worst(indicators: Iterable[Indicator]) -> Indicator | None:
    """The gravest: none < maintenance = unknown < minor < major < critical. None when there are none."""
    return max(indicators, key=_RANK.__getitem__, default=None)


def of_component(status: str | None) -> Indicator:
    """A component's status (`degraded_performance`) as an indicator."""
    return _OF_COMPONENT.get((status or "").lower(), "unknown")


def of_incident_io(feed: IncidentFeed) -> Indicator | None:
    """The worst of all services the page shows; those not listed as affected are operational. None when the page
    shows no service."""
    affected: dict[str, Indicator] = {}
    for entry in feed.summary.affected_components or ():
        indicator = of_component(entry.status)
        affected[entry.component_id] = worst((affected.get(entry.component_id, "none"), indicator)) or indicator
    return worst(affected.get(component.component_id, "none") for component in _shown(feed.summary.structure.items))


def _shown(items: Iterable[Item]) -> Iterator[Component]:
    """The services that the page shows, groups opened."""
    for item in items:
        if item.group is not None and not item.group.hidden:
            yield from (component for component in item.group.components if not component.hidden)
        if item.component is not None and not item.component.hidden:
            yield item.component


def of_statuspage(
    feed: IncidentFeed | None, answer: StatusAnswer | None, page: StatusPage, now: datetime
) -> ServiceStatus | None:
    """The incident.io verdict when there is one, else the Statuspage one; text and time are always Statuspage's."""
    indicator = of_incident_io(feed) if feed is not None else None
    if indicator is None and answer is not None:
        indicator = answer.indicator
    if indicator is None:
        return None
    head = answer.page if answer is not None else None
    return ServiceStatus(
        indicator=indicator,
        description=(answer.status.description if answer is not None else None) or "",
        updated_at=_not_after(now, head.updated_at if head is not None else None),
        url=page.url,
    )


def of_google(feed: GoogleFeed, page: StatusPage, now: datetime) -> ServiceStatus:
    """The worst incident that concerns the page's product, of several the newest. Raises BadResponse when the feed
    holds incidents but none names a product."""
    incidents = feed.incidents
    if feed.root and not any(each.affected_products or each.currently_affected_products for each in incidents):
        raise BadResponse("Google's list of incidents has another shape.")
    concerning = [incident for incident in incidents if incident.concerns(page.product)]
    if not concerning:
        return ServiceStatus(indicator="none", url=page.url)
    gravest = max(concerning, key=lambda incident: (_RANK[incident.indicator], incident.time or _LONG_AGO))
    return ServiceStatus(
        indicator=gravest.indicator,
        description=gravest.description,
        updated_at=_not_after(now, gravest.time),
        url=page.url,
    )


def first_useful_line(text: str) -> str:
    """The first line of a Markdown text that says something: no Summary or Description heading, no bold, links as
    their text, no list dash. Empty when there is none."""
    for line in text.splitlines():
        line = _HEADING.sub("", line.strip().removeprefix("- ").lstrip())
        line = _LINK.sub(r"\1", line).replace("**", "").strip().removeprefix("- ").strip()
        if line:
            return line
    return ""


def _not_after(now: datetime, time: datetime | None) -> datetime | None:
    return min(time, now) if time is not None else None


# --- how it is asked -------------------------------------------------------------------------------


async def read_status(provider: Provider, http: Http, now: datetime) -> ServiceStatus | None:
    """What the provider's status page says. None when it has none that is read, or when it could not be read: then
    what was known before stays."""
    page = provider.status
    try:
        if page is not None and page.kind is StatusKind.STATUSPAGE:
            return await _from_statuspage(page, http, now)
        if page is not None and page.kind is StatusKind.GOOGLE and page.product:
            return await _from_google(page, http, now)
    except (ReadError, ValueError):
        pass
    return None


async def _from_statuspage(page: StatusPage, http: Http, now: datetime) -> ServiceStatus | None:
    check_address(page.url)
    host = urlsplit(page.url).hostname
    feed, answer = await together(
        _ask(f"https://{host}/proxy/{host}", IncidentFeed, http),
        _ask(f"{page.url.rstrip('/')}/api/v2/status.json", StatusAnswer, http),
    )
    return of_statuspage(feed, answer, page, now)


async def _ask(url: str, model: type[P], http: Http) -> P | None:
    try:
        return await http.get(url, model, timeout=TIMEOUT)
    except ReadError:
        return None


async def _from_google(page: StatusPage, http: Http, now: datetime) -> ServiceStatus:
    answer = http.check(await http.send("GET", GOOGLE_FEED, timeout=TIMEOUT))
    # Hundreds of kilobytes: the feed holds years of incidents.
    return await asyncio.to_thread(lambda: of_google(http.parse(answer, GoogleFeed), page, now))
