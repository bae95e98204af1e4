"""`quotaline serve`: the sidecar, with its log in a file of its own."""

from __future__ import annotations

import logging
import logging.handlers
import os
import sys

LOG_BYTES = 512 * 1024


def serve_command(tcp_port: int | None) -> int:
    """Run the language server until the editor ends it."""
    _log_quietly()
    from quotaline.lsp.server import serve

    if tcp_port is None and sys.stdin.isatty():
        print("quotaline serve is started by an editor; in a terminal, try `quotaline usage`.", file=sys.stderr)
    serve(tcp_port)
    return 0


def _log_quietly() -> None:
    """Standard error is for the editor's log and stays short. The libraries' own logs are off: they print messages
    whole, and a message may hold a credential on its way to the keyring."""
    for name in ("pygls", "httpx", "httpcore", "asyncio", "keyring", "watchfiles"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    level = os.environ.get("QUOTALINE_LOG", "WARNING").upper()
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(RedactingFormatter("%(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level if level in logging.getLevelNamesMapping() else "WARNING")


class RedactingFormatter(logging.Formatter):
    """The last net: whatever looks like a secret is taken out of every line."""

    def format(self, record: logging.LogRecord) -> str:
        from quotaline_providers.secret import redact

        return redact(super().format(record))
