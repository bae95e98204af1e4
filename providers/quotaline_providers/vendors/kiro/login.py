"""Signing in to Kiro: `kiro-cli login` does it in a browser and keeps the login to itself."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator

from quotaline_providers import Context, Conversation, SignedIn, SignInPrompt, TimedOut
from quotaline_providers.contract import is_page_of
from quotaline_providers.vendors.kiro.cli import environment, read_login
from quotaline_providers.vendors.kiro.credentials import PROGRAM, SIGN_IN, logged_out
from quotaline_providers.vendors.kiro.payloads import plain

LOGIN_SECONDS = 120.0

_ADDRESS = re.compile(r"https://[^\s\"'<>|│]+")
_HOSTS = ("kiro.dev", "awsapps.com", "app.aws")
_REGION = re.compile(r"(?<=\.)[a-z]{2}(?:-[a-z]+)+-\d(?=\.)")
_CODE = re.compile(r"\b[A-Z0-9]{4}-[A-Z0-9]{4}\b")


async def sign_in(ctx: Context) -> AsyncIterator[SignInPrompt | SignedIn]:
    """Yields what the program says is to be opened, then the account. Raises ReadError."""
    program = await PROGRAM.find(ctx)
    async with ctx.processes.talk([program, "login"], env=environment(ctx)) as running:
        async for prompt in _prompts(running):
            yield prompt
    login = await read_login(ctx, program)
    if login is None:
        raise logged_out()
    yield SignedIn(login.email or login.method or "")


async def _prompts(running: Conversation) -> AsyncIterator[SignInPrompt]:
    """The address and the code to confirm in it, each time there is more to say, until the program ends."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + LOGIN_SECONDS
    shown: SignInPrompt | None = None
    text = ""
    while True:
        try:
            line = await running.read_line(max(0.0, deadline - loop.time()))
        except TimedOut:
            raise TimedOut(
                f"The sign-in to Kiro was not confirmed within {LOGIN_SECONDS:.0f} seconds.", SIGN_IN
            ) from None
        if line is None:
            return
        text += f"{line}\n"
        prompt = to_prompt(text)
        if prompt is not None and prompt != shown:
            shown = prompt
            yield prompt


def to_prompt(text: str) -> SignInPrompt | None:
    """What the program's words ask for; None as long as they name no address at which people sign in."""
    text = plain(text)
    code = _CODE.search(text)
    named = (address.group().rstrip(".,;)") for address in _ADDRESS.finditer(text))
    url = next((url for url in named if is_page_of(url, _hosts(url))), None)
    if url is None:
        return None
    if code is None or code.group() in url:
        return SignInPrompt("Confirm the sign-in to Kiro in your browser.", url, hosts=_hosts(url))
    return SignInPrompt("Type the code in your browser to sign in to Kiro.", url, code.group(), _hosts(url))


def _hosts(url: str) -> tuple[str, ...]:
    """Where Kiro and AWS have people sign in: names of a region are those of the region in the address."""
    regions = _REGION.findall(url)
    return (*_HOSTS, *(f"{service}.{region}.amazonaws.com" for service in ("device.sso", "oidc") for region in regions))
