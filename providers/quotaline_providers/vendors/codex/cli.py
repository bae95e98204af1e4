"""Asking the Codex program itself: `codex app-server` talks JSON, one object a line, and renews its own login."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from quotaline_providers import (
    BadResponse,
    Context,
    Conversation,
    ExpiredCredential,
    Forbidden,
    Identity,
    MissingCredential,
    MissingProgram,
    ReadError,
    TimedOut,
    Unavailable,
    Usage,
    Window,
    parse_or_none,
    to_text,
)
from quotaline_providers.parsing.answers import Answer, heard
from quotaline_providers.vendors.codex.credentials import API_KEY_LOGIN
from quotaline_providers.vendors.codex.homes import config_text, custom_provider
from quotaline_providers.vendors.codex.mapping import program_limits, service_limits, to_usage
from quotaline_providers.vendors.codex.payloads import RpcAccount, RpcRateLimits, UsageAnswer
from quotaline_providers.vendors.codex.program import INSTALL_HINT, program_env

P = TypeVar("P", bound=BaseModel)

INITIALIZE_SECONDS = 8.0
REQUEST_SECONDS = 3.0
LAUNCH_PAUSE = timedelta(minutes=30)


class RpcError(Exception):
    """The program answered with an error; `text` may hold the vendor's answer and is never shown."""

    def __init__(self, text: str) -> None:
        super().__init__("The program answered with an error.")
        self.text = text


# --- what it says ----------------------------------------------------------------------------------


def embedded_object(text: str) -> dict[str, Any] | None:
    """The JSON object after `body=` in an error text."""
    start = text.find("body=")
    if start < 0:
        return None
    try:
        found, _ = json.JSONDecoder().raw_decode(text[start + len("body=") :].lstrip())
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def needs_openai_login(text: str) -> bool:
    """Whether an error's text asks for a ChatGPT login."""
    lowered = text.lower()
    return "authentication required" in lowered or "requiresopenaiauth" in lowered


def known(value: str | None) -> str | None:
    """The program says `unknown` for what it does not know."""
    return None if value is None or value.lower() == "unknown" else value


def identity_of(account: RpcAccount | None, plan: str | None, email: str | None = None) -> Identity:
    """Whose usage it is. The program's own words come before the others."""
    part = account.account if account else None
    return Identity(
        email=known(part.email if part else None) or known(email),
        plan=known(part.plan_type if part else None) or known(plan),
    )


def is_api_key(account: RpcAccount | None) -> bool:
    """Whether the program is signed in with an API key, which has no limits."""
    part = account.account if account else None
    return part is not None and (part.type or "").lower() == "apikey"


def asks_for_login(account: RpcAccount | None) -> bool:
    """Whether the program says that it needs an OpenAI login and has none."""
    return account is not None and account.requires_openai_auth is True and account.account is None


# --- how it is asked -------------------------------------------------------------------------------


class AppServer:
    """Requests to a running `codex app-server`, one at a time."""

    def __init__(self, talk: Conversation) -> None:
        self._talk = talk
        self._id = 0

    async def notify(self, method: str) -> None:
        await self._talk.write(json.dumps({"method": method, "params": {}}) + "\n")

    async def request(self, method: str, params: dict[str, Any], timeout: float) -> Any:
        """The result. Raises RpcError, TimedOut, Unavailable when it ended, BadResponse when a line is too long."""
        self._id += 1
        await self._talk.write(json.dumps({"id": self._id, "method": method, "params": params}) + "\n")
        loop = asyncio.get_running_loop()
        end = loop.time() + timeout
        while (left := end - loop.time()) > 0:
            line = await self._talk.read_line(left)
            if line is None:
                raise Unavailable("The `codex` program ended before it answered.")
            answer = _message(line)
            if answer is None or answer.get("id") != self._id:
                continue
            if answer.get("error") is not None:
                error = answer["error"]
                raise RpcError(to_text(error.get("message")) or "" if isinstance(error, dict) else "")
            return answer.get("result")
        raise TimedOut("The `codex` program did not answer in time.")


def _message(line: str) -> dict[str, Any] | None:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


@dataclass(frozen=True, slots=True)
class Answers:
    """What the program says of itself, the limits and the account. An error in place of the limits is not raised."""

    version: str | None
    limits: RpcRateLimits | RpcError
    account: RpcAccount | None


async def ask(ctx: Context, program: Path) -> Answers:
    """Start the program and ask it. Raises MissingProgram, TimedOut, Unavailable, BadResponse."""
    note = "codex-launch-failed:" + hashlib.sha256(str(program).encode()).hexdigest()[:16]
    if not ctx.interactive and await ctx.memory.get(note):
        raise MissingProgram("The `codex` program could not be started a moment ago.", "Refresh by hand to try again.")
    argv = (program, "-s", "read-only", "-a", "never", "app-server")
    try:
        async with ctx.processes.talk(argv, env=program_env(ctx), cwd=ctx.home) as talk:
            return await _questions(ctx, AppServer(talk))
    except MissingProgram as error:
        await ctx.memory.set(note, "1", until=ctx.now + LAUNCH_PAUSE)
        raise MissingProgram("The `codex` program cannot be started.", INSTALL_HINT) from error


async def _questions(ctx: Context, server: AppServer) -> Answers:
    client = {"clientInfo": {"name": "quotaline", "version": ctx.version}}
    try:
        version = version_in(await server.request("initialize", client, INITIALIZE_SECONDS))
        await server.notify("initialized")
    except RpcError:
        raise BadResponse("The `codex` program refused the request.", "Update the `codex` program.") from None
    limits: RpcRateLimits | RpcError
    try:
        result = await server.request("account/rateLimits/read", {}, REQUEST_SECONDS)
        limits = _parsed(RpcRateLimits, result) or RpcError("")
    except RpcError as error:
        limits = error
    account: RpcAccount | None = None
    try:
        account = _parsed(RpcAccount, await server.request("account/read", {}, REQUEST_SECONDS))
    except (RpcError, ReadError):
        account = None
    return Answers(version, limits, account)


def version_in(greeting: object) -> str | None:
    """The program's version in its answer to `initialize`, whose `userAgent` is like `name/1.2.3 (system)`."""
    agent = greeting.get("userAgent") if isinstance(greeting, dict) else None
    found = re.match(r"[^/]+/(\d+(?:\.\d+)+[\w.+-]*)", agent) if isinstance(agent, str) else None
    return found.group(1) if found else None


def _parsed(model: type[P], value: Any) -> P | None:
    if not isinstance(value, dict):
        return None
    heard(Answer("codex app-server", 200, json.dumps(value).encode(), model))
    return parse_or_none(model, value)


# --- how it becomes a usage ------------------------------------------------------------------------


async def from_program(ctx: Context, program: Path) -> Usage:
    """Read through `codex app-server`."""
    answers = await ask(ctx, program)
    if isinstance(answers.limits, RpcError):
        usage = await _from_error(ctx, answers.limits, answers.account)
    else:
        usage = _from_limits(answers.limits, answers.account, ctx.now)
    return usage.model_copy(update={"version": answers.version})


def _from_limits(answer: RpcRateLimits, account: RpcAccount | None, now: datetime) -> Usage:
    limits = program_limits(answer, now)
    if not limits.tells_something and is_api_key(account):
        raise _api_key_login()
    plan = answer.rate_limits.plan_type if answer.rate_limits else None
    return to_usage(limits, identity_of(account, plan), now)


async def _from_error(ctx: Context, error: RpcError, account: RpcAccount | None) -> Usage:
    body = parse_or_none(UsageAnswer, embedded_object(error.text))
    if body is not None:
        limits = service_limits(body, ctx.now)
        identity = identity_of(account, body.plan_type, body.email)
        if not any(window.lane == "primary" for window in limits.windows):
            limits = replace(limits, windows=(), extras=(), doubtful=False)
        if limits.tells_something:
            return to_usage(limits, identity, ctx.now)
    if is_api_key(account):
        raise _api_key_login()
    if needs_openai_login(error.text) or asks_for_login(account):
        custom = custom_provider(await config_text(ctx))
        if custom:
            raise Forbidden(
                f"Limits are unavailable: Codex runs on a custom provider ({custom}).",
                "Quota is kept by that provider; hide Codex if you do not use your ChatGPT plan with it.",
                definite=True,
            )
        raise ExpiredCredential("Codex is not signed in.", "Run `codex login`.")
    raise Unavailable("The `codex` program could not read the limits.", "Run `codex login status` to see why.")


def _api_key_login() -> MissingCredential:
    return MissingCredential(API_KEY_LOGIN, "Run `codex login` and choose your ChatGPT account.")


async def monthly_limit_of(ctx: Context, program: Path, email: str) -> Window | None:
    """The monthly limit the program knows, if it is signed in as this e-mail. Never raises ReadError."""
    try:
        answers = await ask(ctx, program)
    except ReadError:
        return None
    theirs = identity_of(answers.account, None).email
    if isinstance(answers.limits, RpcError) or theirs is None or theirs.lower() != email.lower():
        return None
    return program_limits(answers.limits, ctx.now).monthly
