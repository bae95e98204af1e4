"""The user's text editor: the program that VISUAL or EDITOR names, and its arguments.

Each program reads such a value in its own way, and on Windows it is most often a path with blanks, so it is tried as a
path before it is taken apart. The program is found as all others are: never in the current folder.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from quotaline_providers.contract import Processes

_USUAL = ("sensible-editor", "nano", "vi")
_OF_CMD = frozenset("&|<>^()")
"""What has a meaning for cmd, by which Windows runs `.cmd` and `.bat` files."""


def editor_command(environ: Mapping[str, str], processes: Processes) -> list[str] | None:
    """The words that start the editor, without the file; None when there is none. The first is a file that exists."""
    named = environ.get("VISUAL", "").strip() or environ.get("EDITOR", "").strip()
    if named:
        readings = _readings(named)
    else:
        readings = ((name, []) for name in (("notepad",) if sys.platform == "win32" else _USUAL))
    for name, arguments in readings:
        program = os.path.expanduser(name)
        if found := processes.find(program, places=[Path(program)] if os.path.isabs(program) else ()):
            return [str(found), *arguments]
    return None


def started(words: Sequence[str]) -> list[str] | str:
    """The words as `subprocess` is to get them: a line for Windows' cmd, which also splits words that have no blank."""
    line = [f'"{word}"' if _OF_CMD & set(word) else subprocess.list2cmdline([word]) for word in words]
    by_cmd = sys.platform == "win32" and Path(words[0]).suffix.lower() in (".cmd", ".bat")
    return " ".join(line) if by_cmd else list(words)


def _readings(value: str) -> Iterator[tuple[str, list[str]]]:
    """The ways to read a value as a program and its arguments: the whole as a path, then ever fewer of its words, then
    as it is quoted."""
    blanks = [at for at, char in enumerate(value) if char == " "]
    for end in (len(value), *reversed(blanks)):
        yield value[:end].rstrip(), _words(value[end:])
    if words := _words(value):
        yield words[0], words[1:]


def _words(text: str) -> list[str]:
    """The words of a text. A backslash separates folders on Windows, and quotes what follows elsewhere."""
    try:
        words = shlex.split(text, posix=sys.platform != "win32")
    except ValueError:  # a quote that does not end
        return text.split()
    return [word[1:-1] if len(word) > 1 and word[0] == word[-1] and word[0] in "\"'" else word for word in words]
