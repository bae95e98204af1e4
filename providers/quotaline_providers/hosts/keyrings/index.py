"""Which credentials of the user's own a keyring keeps: a list beside the settings, so that nobody asks the keyring."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from quotaline_providers.access.reading_files import read_bytes
from quotaline_providers.hosts.files import locked, replace_file

LARGEST = 1 << 20
"""Bytes of the list."""

Stamp = tuple[int, int, int]
"""What tells one state of a file from another: when it was changed, its size and its inode."""


@dataclass
class Index:
    """The labels of the user's own credentials by provider, in a JSON file that holds no secret. A broken or missing
    file is an empty index."""

    path: Path
    _seen: Stamp | None = None
    _labels: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def labels(self, provider: str) -> tuple[str, ...]:
        return self._read().get(provider, ())

    def stamp(self) -> Stamp | None:
        """The state of the list now, which is another one after every change. None when there is no list."""
        self._read()
        return self._seen

    def add(self, provider: str, label: str) -> bool:
        """Whether it is new. The list is written in any case: its stamp tells that the credential is another one.

        Raises OSError when the file cannot be written.
        """
        with locked(self.path):
            known = self._read()
            self._write({**known, provider: tuple(sorted({*known.get(provider, ()), label}))})
            return label not in known.get(provider, ())

    def discard(self, provider: str, label: str) -> bool:
        """Whether it was there. Raises OSError when the file cannot be written."""
        if label not in self._read().get(provider, ()):
            return False
        with locked(self.path):
            known = dict(self._read())
            if label not in known.get(provider, ()):
                return False
            known[provider] = tuple(other for other in known[provider] if other != label)
            self._write({name: labels for name, labels in known.items() if labels})
            return True

    def _read(self) -> dict[str, tuple[str, ...]]:
        try:
            status = self.path.stat()
            seen = (status.st_mtime_ns, status.st_size, status.st_ino)
            if seen != self._seen:
                self._labels = parse_index(read_bytes(self.path, LARGEST).decode("utf-8", "replace"))
                self._seen = seen
        except (OSError, ValueError):
            self._seen, self._labels = None, {}
        return self._labels

    def _write(self, labels: Mapping[str, tuple[str, ...]]) -> None:
        replace_file(self.path, json.dumps({"version": 1, "providers": labels}, indent=2, sort_keys=True))


def parse_index(text: str) -> dict[str, tuple[str, ...]]:
    """What an index file says, leaving out whatever is not as it should be."""
    try:
        document: object = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    providers = document.get("providers") if isinstance(document, dict) else None
    if not isinstance(providers, dict):
        return {}
    return {
        str(provider): tuple(label for label in labels if isinstance(label, str))
        for provider, labels in providers.items()
        if isinstance(labels, list)
    }


def account_name(provider: str, label: str = "") -> str:
    """The keyring account of one of our own credentials."""
    return f"{provider}/{label}" if label else provider
