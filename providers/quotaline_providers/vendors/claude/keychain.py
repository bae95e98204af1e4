"""Items of the macOS Keychain, read with `security`: asked for only when the user is there, as it may ask them."""

from __future__ import annotations

from quotaline_providers import Context, ReadError, Secret


class Granted:
    """The items that the user allowed to be read: kept in this process for the background, which may not ask. Never
    stored."""

    def __init__(self) -> None:
        self._items: dict[tuple[str, str], Secret] = {}

    def get(self, service: str, account: str) -> Secret | None:
        return self._items.get((service, account))

    def keep(self, service: str, account: str, item: Secret | None) -> None:
        if item is None:
            self._items.pop((service, account), None)
        else:
            self._items[service, account] = item

    def clear(self) -> None:
        self._items.clear()


GRANTED = Granted()


async def keychain_item(ctx: Context, service: str, account: str = "", *, timeout: float) -> Secret | None:
    """The item of a service, of any account when none is given. None elsewhere than on macOS, and when refused."""
    if ctx.platform != "darwin":
        return None
    if not ctx.interactive:
        return GRANTED.get(service, account)
    program = ctx.processes.find("security")
    if program is None:
        return None
    named = ("-a", account) if account else ()
    try:
        done = await ctx.processes.run((program, "find-generic-password", "-s", service, *named, "-w"), timeout=timeout)
    except ReadError:
        return None
    text = keychain_text(done.stdout) if done.exit_code == 0 else ""
    item = Secret(text) if text else None
    GRANTED.keep(service, account, item)
    return item


def keychain_text(printed: str) -> str:
    """What `security -w` printed, which may be a JSON text in hexadecimal."""
    text = printed.strip()
    try:
        decoded = bytes.fromhex(text).decode() if text and not text.startswith("{") else text
    except ValueError:
        return text
    return decoded if decoded.startswith("{") else text
