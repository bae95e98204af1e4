"""One chat file of the Codebuff CLI: its messages, and those of the assistant that count."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import AliasChoices, BeforeValidator, Field

from quotaline_providers import Number, Payload, Text, lenient, lenient_items, lenient_part, parse_or_none, to_time
from quotaline_providers.parsing.payload import to_integer

UNKNOWN_MODEL = "codebuff-unknown"
_ASSISTANTS = frozenset({"ai", "agent", "assistant"})
_MODEL_PREFIX = re.compile(r"^(?:(?:anthropic|openai|openrouter|google)/)+")
_UPSTREAMS = (
    ("claude-", "anthropic"),
    ("gpt-", "openai"),
    ("o1-", "openai"),
    ("gemini-", "google"),
    ("codebuff-", "codebuff"),
    ("manicode-", "codebuff"),
)

# --- what the CLI writes ---------------------------------------------------------------------------


def _to_count(value: object) -> int:
    return max(0, to_integer(value) or 0)


Count = Annotated[int, BeforeValidator(_to_count)]


class PromptDetails(Payload):
    """Tokens of the prompt that came from the vendor's cache."""

    cached: Count = Field(default=0, validation_alias=AliasChoices("cached_tokens", "cachedTokens"))


class TokenUsage(Payload):
    """A usage block, in any of the spellings CLI builds have used."""

    input: Count = Field(
        default=0, validation_alias=AliasChoices("input_tokens", "inputTokens", "promptTokens", "prompt_tokens")
    )
    output: Count = Field(
        default=0,
        validation_alias=AliasChoices("output_tokens", "outputTokens", "completionTokens", "completion_tokens"),
    )
    cache_read: Count = Field(
        default=0, validation_alias=AliasChoices("cache_read_input_tokens", "cacheReadInputTokens")
    )
    cache_write: Count = Field(
        default=0, validation_alias=AliasChoices("cache_creation_input_tokens", "cacheCreationInputTokens")
    )
    prompt_details: Annotated[PromptDetails, lenient_part(PromptDetails)] = Field(
        default=PromptDetails(), validation_alias=AliasChoices("prompt_tokens_details", "promptTokensDetails")
    )
    credits: Number = None
    model: Text = None

    @property
    def counts(self) -> tuple[int, int, int, int]:
        """Input, output, cache read, cache write."""
        return self.input, self.output, self.cache_read or self.prompt_details.cached, self.cache_write


class CodebuffBlock(Payload):
    """What one answer took, and of which model."""

    usage: Annotated[TokenUsage | None, lenient(TokenUsage)] = None
    model: Text = None


class ProviderOptions(CodebuffBlock):
    """The same, where the CLI's library keeps it."""

    codebuff: Annotated[CodebuffBlock | None, lenient(CodebuffBlock)] = None


class HistoryEntry(Payload):
    """One message of an agent's run."""

    options: Annotated[ProviderOptions | None, lenient(ProviderOptions)] = Field(default=None, alias="providerOptions")


class MainAgentState(Payload):
    """The messages of a run."""

    history: Annotated[tuple[HistoryEntry, ...], lenient_items(HistoryEntry)] = Field(
        default=(), alias="messageHistory"
    )


class SessionState(Payload):
    """What a run keeps of its session."""

    main: Annotated[MainAgentState | None, lenient(MainAgentState)] = Field(default=None, alias="mainAgentState")


class RunState(Payload):
    """What a message keeps of its run."""

    session: Annotated[SessionState | None, lenient(SessionState)] = Field(default=None, alias="sessionState")


class Metadata(CodebuffBlock):
    """What the CLI notes beside a message; the usage may stand in several places."""

    timestamp: object = None
    codebuff: Annotated[CodebuffBlock | None, lenient(CodebuffBlock)] = None
    run: Annotated[RunState | None, lenient(RunState)] = Field(default=None, alias="runState")


class Message(Payload):
    """One entry of a chat file."""

    id: Text = None
    role: Text = None
    variant: Text = None
    timestamp: object = None
    created_at: object = Field(default=None, alias="createdAt")
    credits: Number = None
    metadata: Annotated[Metadata, lenient_part(Metadata)] = Metadata()


# --- which of it counts ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Turn:
    """One counted assistant message. `counts` are input, output, cache read and cache write tokens."""

    id: str | None
    ordinal: int
    at: datetime | None
    model: str
    counts: tuple[int, int, int, int]
    credits: float

    @property
    def tokens(self) -> int:
        return self.counts[0] + self.counts[1]


def parse_chat(raw: bytes | str, chat_id: str | None) -> tuple[Turn, ...]:
    """The counted messages of one file; none when it is not a JSON array."""
    try:
        messages = json.loads(raw)
    except (ValueError, RecursionError):
        return ()
    if not isinstance(messages, list):
        return ()
    turns: list[Turn] = []
    for element in messages:
        message = parse_or_none(Message, element)
        turn = _turn(message, chat_id, len(turns)) if message else None
        if turn:
            turns.append(turn)
    return tuple(turns)


def _turn(message: Message, chat_id: str | None, ordinal: int) -> Turn | None:
    role = message.role
    if not (role.lower() == "assistant" if role else (message.variant or "").lower() in _ASSISTANTS):
        return None
    metadata = message.metadata
    blocks = tuple(_blocks(metadata))
    paid = next((block for block in blocks if (block[0].credits or 0.0) > 0), None)
    found = next((block for block in blocks if any(block[0].counts)), paid)
    usage, fallback = found or (TokenUsage(), None)
    credits = max((paid[0].credits if paid else message.credits) or 0.0, 0.0)
    if found is None and not credits:
        return None
    model = usage.model or fallback or metadata.model or (metadata.codebuff.model if metadata.codebuff else None)
    stamps = map(_moment, (metadata.timestamp, message.timestamp, message.created_at))
    at = next((stamp for stamp in stamps if stamp), None) or chat_time(chat_id or "")
    return Turn(message.id, ordinal, at, model or UNKNOWN_MODEL, usage.counts, credits)


def _blocks(metadata: Metadata) -> Iterator[tuple[TokenUsage, str | None]]:
    """The usage blocks of a message in their order of rank, each with the model named beside it."""
    if metadata.usage:
        yield metadata.usage, None
    if metadata.codebuff and metadata.codebuff.usage:
        yield metadata.codebuff.usage, metadata.codebuff.model
    main = metadata.run.session.main if metadata.run and metadata.run.session else None
    for entry in main.history if main else ():
        for options in (entry.options, entry.options.codebuff if entry.options else None):
            if options and options.usage:
                yield options.usage, options.model


def _moment(value: object) -> datetime | None:
    """A message's own time. A bare clock text or counter is none."""
    time = to_time(value)
    return time if time and time.year >= 2000 else None


_CHAT_TIME = re.compile(
    r"(?P<date>\d{4}-\d{2}-\d{2})"
    r"(?:T(?P<h>\d{2})-(?P<m>\d{2})-(?P<s>\d{2}(?:\.\d+)?)(?P<zone>Z|[+-]\d{2}(?:[:-]?\d{2})?)?)?"
)


def chat_time(chat_id: str) -> datetime | None:
    """The time a chat's folder is named after: ISO 8601 with `-` for `:`; UTC where it has no zone."""
    match = _CHAT_TIME.fullmatch(chat_id)
    if match is None:
        return None
    if match["h"] is None:
        return to_time(match["date"])
    zone = match["zone"] or "Z"
    zone = zone if zone == "Z" else zone[0] + zone[1:].replace("-", ":", 1)
    return to_time(f"{match['date']}T{match['h']}:{match['m']}:{match['s']}{zone}")


def upstream(model: str) -> str:
    """Whose model it is, by its name."""
    lowered = "" if model == UNKNOWN_MODEL else _MODEL_PREFIX.sub("", model.lower())
    return next((vendor for prefix, vendor in _UPSTREAMS if lowered.startswith(prefix)), "unknown")
