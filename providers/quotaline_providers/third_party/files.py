"""Provider files: read once, checked on the open file, and run from exactly the bytes that were approved.

An approved file is the module `quotaline_provider_files.ID`. An import hook finds it, so that a worker process, too,
can import what a provider sends there. This module needs nothing but the standard library.
"""

from __future__ import annotations

import errno
import importlib
import importlib.abc
import importlib.machinery
import os
import pickle
import re
import stat
import sys
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

PACKAGE = "quotaline_provider_files"
"""The package whose modules the files are. It is nowhere on the disk."""
LARGEST = 1 << 20
"""A file above this many bytes is not read."""
ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
"""What a provider's id must be, which is its file's name without the ending."""
MISNAMED = "it must be named by the provider's id: small letters, digits, `-` and `_`"


class UnsafeFile(Exception):
    """The file must not be run; the text says why, in words that follow a colon."""


class ChangedFile(Exception):
    """The file's bytes are not those that were approved."""


@dataclass(frozen=True, slots=True)
class ProviderFile:
    """A file in the folder of the user's providers. `digest` is that of the approved bytes, None without approval.

    `confirmed` are the credentials of other providers that it may use: names of variables, and paths.
    """

    path: Path
    digest: str | None = None
    confirmed: frozenset[str] = frozenset()

    @property
    def id(self) -> str:
        return self.path.stem

    @property
    def origin(self) -> str:
        """Where it comes from, for people."""
        return "a file of yours"

    @property
    def home(self) -> str:
        """The file, as a text."""
        return str(self.path)

    @property
    def module(self) -> str:
        """The name under which Python imports it."""
        return f"{PACKAGE}.{self.id}"


@dataclass(frozen=True, slots=True)
class Source:
    """A file's bytes and their SHA-256, in hexadecimal."""

    data: bytes
    digest: str


def read(path: Path) -> Source:
    """A provider file's bytes. Raises UnsafeFile, and OSError when it is not there or may not be read.

    The checks are made on the opened folder and the opened file, so that neither can be exchanged in between.
    """
    if os.name != "posix":
        return _source(os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0)))
    folder = _opened(path.parent, os.O_DIRECTORY, None, "its folder")
    try:
        _check(os.fstat(folder), "its folder")
        # Without waiting, so that a named pipe in the file's place cannot hold us for ever.
        file = _opened(Path(path.name), os.O_NONBLOCK, folder, "it")
    finally:
        os.close(folder)
    return _source(file)


def _opened(path: Path, flags: int, folder: int | None, what: str) -> int:
    try:
        return os.open(path, os.O_RDONLY | os.O_NOFOLLOW | flags, dir_fd=folder)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EMLINK) or (folder is None and path.is_symlink()):
            raise UnsafeFile(f"{what} is a link") from None
        raise


def _source(descriptor: int) -> Source:
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise UnsafeFile("it is not a file")
        if os.name == "posix":
            _check(status, "it")
        with open(descriptor, "rb", closefd=False) as stream:
            data = stream.read(LARGEST + 1)
    finally:
        os.close(descriptor)
    if len(data) > LARGEST:
        raise UnsafeFile("it is larger than 1 MiB")
    import hashlib

    return Source(data, hashlib.sha256(data).hexdigest())


def _check(status: os.stat_result, what: str) -> None:
    if status.st_uid != os.getuid():
        raise UnsafeFile(f"{what} belongs to another user")
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise UnsafeFile(f"other users can write to {what} (`chmod go-w` takes that right away)")


# --- running them ----------------------------------------------------------------------------------


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the files in use as modules."""

    def __init__(self) -> None:
        self.files: dict[str, ProviderFile] = {}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname == PACKAGE:
            return importlib.machinery.ModuleSpec(PACKAGE, self, is_package=True)
        file = self.files.get(fullname)
        return None if file is None else importlib.machinery.ModuleSpec(fullname, self, origin=str(file.path))

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        if module.__name__ == PACKAGE:
            return
        file = self.files[module.__name__]
        source = read(file.path)
        if source.digest != file.digest:
            raise ChangedFile
        module.__file__ = str(file.path)
        with warnings.catch_warnings(action="ignore"):  # Python prints the warned line as it stands
            code = compile(source.data, str(file.path), "exec", dont_inherit=True)
        exec(code, module.__dict__)  # noqa: S102 (the user has approved these very bytes)


_FINDER = _Finder()


def use(files: Iterable[ProviderFile]) -> None:
    """Let these files be imported, and no others. One that is another than before is run again when it is used."""
    wanted = {file.module: file for file in files if file.digest is not None}
    for name, file in _FINDER.files.items():
        if name not in wanted or wanted[name].digest != file.digest:
            sys.modules.pop(name, None)
    _FINDER.files = wanted
    if wanted and _FINDER not in sys.meta_path:
        sys.meta_path.insert(0, _FINDER)


def in_use() -> tuple[ProviderFile, ...]:
    """The files that may be imported: what a worker process must be told."""
    return tuple(_FINDER.files.values())


def load(file: ProviderFile) -> ModuleType:
    """The file as a module. Raises UnsafeFile, ChangedFile, OSError, and whatever its code raises."""
    return importlib.import_module(file.module)


# --- in a worker process ---------------------------------------------------------------------------


def portable(
    function: Callable[..., object], arguments: tuple[Any, ...]
) -> tuple[Callable[..., object], tuple[Any, ...]]:
    """A call that can be pickled here and made in another process, also when it is one of a provider file."""
    if not _FINDER.files:
        return function, arguments
    return _call, (in_use(), pickle.dumps((function, arguments)))


def _call(approved: tuple[ProviderFile, ...], call: bytes) -> object:
    use(approved)
    function, arguments = pickle.loads(call)  # noqa: S301 (from the program that started this one)
    return function(*arguments)
