"""`quotaline serve`: the sidecar, with its log on standard error."""

from __future__ import annotations

import sys

from quotaline.cli.console import log_to_stderr
from quotaline.cli.exit_codes import FAILED


def serve_command(tcp_port: int | None) -> int:
    """Run the language server until the editor ends it."""
    log_to_stderr("WARNING")
    from quotaline.lsp.process import serve
    from quotaline.lsp.server import create_server

    if tcp_port is None and sys.stdin.isatty():
        print("quotaline serve is started by an editor; in a terminal, try `quotaline usage`.", file=sys.stderr)
    try:
        serve(create_server(), tcp_port)
    except OSError as error:
        print(f"Port {tcp_port} cannot be used: {error.strerror or error}.", file=sys.stderr)
        return FAILED
    return 0
