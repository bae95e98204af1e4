"""The floor: a language server with nothing registered; with `--hover`, one hover that always says the same."""

from __future__ import annotations

import sys

from lsprotocol import types
from pygls.lsp.server import LanguageServer


def main() -> None:
    server = LanguageServer("bare", "0")
    if "--hover" in sys.argv:

        @server.feature(types.TEXT_DOCUMENT_HOVER)
        def hover(params: types.HoverParams) -> types.Hover:
            return types.Hover(contents=types.MarkupContent(types.MarkupKind.Markdown, "nothing"))

    server.start_io()


if __name__ == "__main__":
    main()
