"""Asking for a secret in a terminal: nothing that is typed or pasted is shown, and nothing of it is lost.

A terminal that edits lines for its programs gives them at most 4,095 characters of one (Linux) or stops at 1,024
(macOS), and cookie headers are longer. So its editing is switched off, and what little of it a secret needs is done by
`line`. `posix` and `windows` are the two kinds of terminal.
"""

from quotaline.cli.hidden.line import ClosedError, TooLongError

__all__ = ["ClosedError", "TooLongError", "ask"]


def ask(prompt: str, largest: int) -> str:
    """What the user types after the prompt, up to Enter; empty for nothing.

    Only in the main thread, where Ctrl-C raises KeyboardInterrupt. Raises ClosedError when the terminal is closed
    meanwhile, TooLongError for more than `largest` characters, and UnicodeDecodeError for what is no text. The terminal
    is as it was in any case.
    """
    try:
        import termios  # noqa: F401 (whether the terminal is one of POSIX)
    except ImportError:
        from quotaline.cli.hidden.windows import ask as ask_here
    else:
        from quotaline.cli.hidden.posix import ask as ask_here
    return ask_here(prompt, largest)
