"""Deepgram: what one project, or all projects of a key, used. There is no quota and no balance."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated
from urllib.parse import quote

from pydantic import Field

from quotaline_providers.access.endpoints import base_address
from quotaline_providers.access.lookups import ApiKey
from quotaline_providers.contract import AccountKind, Context, Credential, Provider, ProviderKind, StatusPage, Strategy
from quotaline_providers.errors import BadResponse, ExpiredCredential, Forbidden
from quotaline_providers.formatting import grouped
from quotaline_providers.model import Identity, Row, Section, Spend, Usage
from quotaline_providers.parsing.payload import P, Payload

OFFICIAL, OVERRIDE = "https://api.deepgram.com/v1", "DEEPGRAM_API_URL"
TIMEOUT = 15.0

LARGEST = 10**18
Hours = Annotated[float, Field(strict=True, allow_inf_nan=False, ge=-LARGEST, le=LARGEST)]
Count = Annotated[int, Field(strict=True, ge=-LARGEST, le=LARGEST)]


class Project(Payload):
    """`GET /v1/projects`."""

    project_id: str
    name: str | None = None


class ProjectsAnswer(Payload):
    """`GET /projects`."""

    projects: tuple[Project, ...]


class UsageRow(Payload):
    """Processed and billable audio hours, agent hours, tokens, characters, requests."""

    hours: Hours | None = None
    total_hours: Hours | None = None
    agent_hours: Hours | None = None
    tokens_in: Count | None = None
    tokens_out: Count | None = None
    tts_characters: Count | None = None
    requests: Count | None = None


class Breakdown(Payload):
    """`GET /projects/<id>/usage/breakdown`; the days are `YYYY-MM-DD`."""

    results: tuple[UsageRow, ...]
    start: str | None = None
    end: str | None = None


def hours(value: float) -> str:
    """An amount of hours with at most one decimal."""
    return f"{value:.0f}" if float(value).is_integer() else f"{value:.1f}"


def to_usage(projects: Sequence[Project], answers: Sequence[Breakdown], now: datetime) -> Usage:
    """What the projects used together: rows only, as there is neither a quota nor a balance."""
    rows = [row for answer in answers for row in answer.results]
    audio, billable = sum(row.hours or 0 for row in rows), sum(row.total_hours or 0 for row in rows)
    agent = sum(row.agent_hours or 0 for row in rows)
    count = sum((row.tokens_in or 0) + (row.tokens_out or 0) for row in rows)
    characters = sum(row.tts_characters or 0 for row in rows)
    requests = sum(row.requests or 0 for row in rows)
    shown = [Row(label="Requests", value=grouped(requests))]
    if audio or billable:
        text = f"{hours(billable)} billable hours"
        shown.append(Row(label="Audio", value=f"{hours(audio)} hours", secondary=text))
    if agent:
        shown.append(Row(label="Agent hours", value=hours(agent)))
    if count:
        shown.append(Row(label="Tokens", value=grouped(count)))
    if characters:
        shown.append(Row(label="TTS characters", value=grouped(characters)))
    starts, ends = [a.start for a in answers if a.start], [a.end for a in answers if a.end]
    period = f"{min(starts)} to {max(ends)}" if starts and ends else None
    if period:
        shown.append(Row(label="Period", value=period))
    name = f"{len(projects)} projects"
    if len(projects) == 1:
        name = f"Project: {projects[0].name or projects[0].project_id}"
    return Usage(
        updated_at=now,
        spends=(Spend(id="requests", label="Requests", used=Decimal(requests), unit="requests", period=period),),
        identity=Identity(plan=name),
        details=(Section(title="Usage summary", rows=tuple(shown)),),
    )


async def _get(ctx: Context, url: str, model: type[P], key: Credential) -> P:
    headers = {"Authorization": f"Token {key.secret.reveal()}"}
    answer = await ctx.http.send("GET", url, headers=headers, timeout=TIMEOUT)
    if answer.status == 401:
        raise ExpiredCredential("Deepgram refused the API key (HTTP 401).")
    if answer.status == 403:
        raise Forbidden("The Deepgram key may not read usage.", "Give it the scope usage:read (Management API).")
    return ctx.http.parse(ctx.http.check(answer), model)


async def from_api(ctx: Context, key: Credential) -> Usage:
    """The usage of one project, or of all the key can see. Raises ReadError."""
    base = base_address(ctx.env(OVERRIDE), OVERRIDE, OFFICIAL)
    only = ctx.settings.workspace_id or ctx.env("DEEPGRAM_PROJECT_ID")
    if only:
        projects: tuple[Project, ...] = (Project(project_id=only),)
    else:
        projects = (await _get(ctx, f"{base}/projects", ProjectsAnswer, key)).projects
    if not projects:
        raise BadResponse("Deepgram knows no projects for this key.", "Check the key and the project id.")
    answers = [
        await _get(ctx, f"{base}/projects/{quote(item.project_id, safe='')}/usage/breakdown", Breakdown, key)
        for item in projects
    ]
    return to_usage(projects, answers, ctx.now)


PROVIDER = Provider(
    id="deepgram",
    name="Deepgram",
    kind=ProviderKind.VOICE,
    connect="Create an API key with usage:read at console.deepgram.com and set DEEPGRAM_API_KEY.",
    summary="Requests, hours, tokens and characters of one or all projects.",
    aliases=("dg",),
    dashboard="https://console.deepgram.com/project/",
    status=StatusPage("https://status.deepgram.com"),
    fields=("workspaceID",),
    accounts=AccountKind.TOKEN,
    min_interval=120,
    strategies=(Strategy.api(from_api, ApiKey(env=("DEEPGRAM_API_KEY",))),),
)
