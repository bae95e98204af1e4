"""Deepgram: what one project, or all projects of a key, used. There is no quota and no balance."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from urllib.parse import quote

from pydantic import Field

import quotaline_providers as ql

OFFICIAL, OVERRIDE = "https://api.deepgram.com/v1", "DEEPGRAM_API_URL"
TIMEOUT = 15.0
REFUSALS = {
    **ql.refused_key("Deepgram"),
    403: ql.Refusal(ql.Forbidden, "The Deepgram key may not read usage.", "Give it usage:read (Management API)."),
}

LARGEST = 10**18
Count = Annotated[int, Field(strict=True, ge=-LARGEST, le=LARGEST)]


class Project(ql.Payload):
    """`GET /v1/projects`."""

    project_id: str
    name: str | None = None


class ProjectsAnswer(ql.Payload):
    """`GET /projects`."""

    projects: tuple[Project, ...]


class UsageRow(ql.Payload):
    """Processed and billable audio hours, agent hours, tokens, characters, requests."""

    hours: ql.StrictNumber | None = None
    total_hours: ql.StrictNumber | None = None
    agent_hours: ql.StrictNumber | None = None
    tokens_in: Count | None = None
    tokens_out: Count | None = None
    tts_characters: Count | None = None
    requests: Count | None = None


class Breakdown(ql.Payload):
    """`GET /projects/<id>/usage/breakdown`; the days are `YYYY-MM-DD`."""

    results: tuple[UsageRow, ...]
    start: str | None = None
    end: str | None = None


def hours(value: float) -> str:
    """An amount of hours with at most one decimal, grouped."""
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.1f}"


def to_usage(projects: tuple[Project, ...], answers: list[Breakdown], now: datetime) -> ql.Usage:
    """What the projects used together: rows only, as there is neither a quota nor a balance."""
    rows = [row for answer in answers for row in answer.results]
    audio, billable = sum(row.hours or 0 for row in rows), sum(row.total_hours or 0 for row in rows)
    agent = sum(row.agent_hours or 0 for row in rows)
    count = sum((row.tokens_in or 0) + (row.tokens_out or 0) for row in rows)
    characters = sum(row.tts_characters or 0 for row in rows)
    requests = sum(row.requests or 0 for row in rows)
    shown = [ql.Row(label="Requests", value=ql.grouped(requests))]
    if audio or billable:
        text = f"{hours(billable)} billable hours"
        shown.append(ql.Row(label="Audio", value=f"{hours(audio)} hours", secondary=text))
    if agent:
        shown.append(ql.Row(label="Agent hours", value=hours(agent)))
    if count:
        shown.append(ql.Row(label="Tokens", value=ql.grouped(count)))
    if characters:
        shown.append(ql.Row(label="TTS characters", value=ql.grouped(characters)))
    starts, ends = [a.start for a in answers if a.start], [a.end for a in answers if a.end]
    period = f"{min(starts)} to {max(ends)}" if starts and ends else None
    if period:
        shown.append(ql.Row(label="Period", value=period))
    name = f"{len(projects)} projects"
    if len(projects) == 1:
        name = f"Project: {projects[0].name or projects[0].project_id}"
    return ql.Usage(
        updated_at=now,
        identity=ql.Identity(login=name),
        details=(ql.Section(title="Usage summary", rows=tuple(shown)),),
        short_text=f"{ql.grouped(requests)} requests",
    )


async def _get(ctx: ql.Context, url: str, model: type[ql.P], key: ql.Credential) -> ql.P:
    headers = {"Authorization": f"Token {key.secret.reveal()}"}
    return await ctx.http.get(url, model, refusals=REFUSALS, headers=headers, timeout=TIMEOUT)


async def from_api(ctx: ql.Context, key: ql.Credential) -> ql.Usage:
    """The usage of one project, or of all the key can see. Raises ReadError."""
    base = ql.base_address(ctx.env(OVERRIDE), OVERRIDE, OFFICIAL)
    only = ctx.settings.workspace_id or ctx.env("DEEPGRAM_PROJECT_ID")
    if only:
        projects: tuple[Project, ...] = (Project(project_id=only),)
    else:
        projects = (await _get(ctx, f"{base}/projects", ProjectsAnswer, key)).projects
    if not projects:
        raise ql.BadResponse("Deepgram knows no projects for this key.", "Check the key and the project id.")
    answers = [
        await _get(ctx, f"{base}/projects/{quote(item.project_id, safe='')}/usage/breakdown", Breakdown, key)
        for item in projects
    ]
    return to_usage(projects, answers, ctx.now)


PROVIDER = ql.Provider(
    id="deepgram",
    name="Deepgram",
    kind=ql.ProviderKind.VOICE,
    connect="Create an API key with usage:read at console.deepgram.com and set DEEPGRAM_API_KEY.",
    summary="Requests, hours, tokens and characters of one or all projects.",
    aliases=("dg",),
    dashboard="https://console.deepgram.com/project/",
    status=ql.StatusPage("https://status.deepgram.com"),
    fields=("workspaceID",),
    accounts=ql.AccountKind.TOKEN,
    min_interval=120,
    strategies=(ql.Strategy.api(from_api, ql.ApiKey(env=("DEEPGRAM_API_KEY",))),),
)
