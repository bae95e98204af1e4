"""From `initialized` to the end: the session is made once its modules are imported, and ends with the editor."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import linecache
import time
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.exceptions import JsonRpcRequestCancelled

from quotaline.lsp.client import Client
from quotaline.lsp.methods import DID_CHANGE_USAGE
from quotaline.lsp.process import leave_with

if TYPE_CHECKING:
    from quotaline.lsp.session import Session

THREADS = 8


class Lifecycle:
    """One sidecar of one editor. `options` are its initialization options."""

    def __init__(self, client: Client) -> None:
        self.options: Any = None
        self._client = client
        self._session: Session | None = None
        self._ready = asyncio.Event()
        self._watch: asyncio.Task[None] | None = None
        self._closing = False

    async def begin(self, editor: int | None) -> None:
        """Open the session, and end with the process of this id."""
        if editor is not None and editor > 0:
            self._watch = asyncio.create_task(leave_with(editor, self.end), name="editor watch")
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS, thread_name_prefix="quotaline"))
        try:
            await self._show_last()
            await asyncio.to_thread(_load)
            if self._closing:
                return
            from quotaline.lsp.session import Session

            self._session = Session(self._client, self.options)
            await self._session.open()
        finally:
            self._ready.set()

    async def current(self) -> Session:
        """The session, waiting for it when a request came early. Raises JsonRpcRequestCancelled when the server is
        shutting down or did not start.

        Nothing of ours is imported in the event loop before: two threads that import the same modules in another order
        can each see the other's half done.
        """
        if not self._closing:
            await self._ready.wait()
        if self._closing or self._session is None:
            raise JsonRpcRequestCancelled(
                "Quotaline is shutting down." if self._closing else "Quotaline did not start."
            )
        return self._session

    async def end(self) -> None:
        """Stop everything that runs, once."""
        if self._closing:
            return
        self._closing = True
        if self._watch is not None and self._watch is not asyncio.current_task():
            self._watch.cancel()
        if self._session is not None:
            await self._session.close()

    async def _show_last(self) -> None:
        """Show what was shown last while the modules that draw are imported."""
        from quotaline.store.startup_cache import cached_params

        if self._client.shows_usage:
            params = await asyncio.to_thread(cached_params, self.options, time.time())
            if params is not None and not self._closing:
                self._client.notify(DID_CHANGE_USAGE, params)


def _load() -> None:
    """Import what a session needs, away from the event loop."""
    _forget_luxuries()
    for module in ("pydantic.main", "quotaline_providers.contract", "quotaline.config", "quotaline.lsp.session"):
        import_module(module)
        _settle()


def _forget_luxuries() -> None:
    """Megabytes for what nobody does in a sidecar: print any of the protocol's hundreds of types, pickle them in attrs'
    own way (Python has one, too), read the source lines that attrs keeps of each, or check types that are described
    for type checkers alone."""
    linecache.clearcache()
    for kind in vars(types).values():
        if isinstance(kind, type) and "__attrs_attrs__" in vars(kind):
            for name in ("__repr__", "__getstate__", "__setstate__"):
                if name in vars(kind):
                    delattr(kind, name)
    for kind in vars(import_module("pydantic_core.core_schema")).values():
        if hasattr(kind, "__required_keys__"):
            kind.__annotations__.clear()
    _settle()


def _settle() -> None:
    """Let go of what imports leave behind: the first drafts of slotted classes, and the documentation of the libraries.
    What is there now stays for ever: to look through it again and again would hold all up for 30 ms each time."""
    gc.collect()
    for thing in gc.get_objects():
        kind = type(thing)
        if issubclass(kind, type | ModuleType):
            name = thing.__name__ if kind is ModuleType else thing.__module__
            if not str(name).startswith("quotaline"):  # ours tell what they are for in the config's schema
                with contextlib.suppress(AttributeError, TypeError):
                    thing.__doc__ = None
    gc.freeze()
