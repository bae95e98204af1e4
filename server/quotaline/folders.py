"""Where Quotaline keeps its files."""

from __future__ import annotations

from pathlib import Path

import platformdirs


def cache_folder() -> Path:
    """Where the shared store is."""
    return platformdirs.user_cache_path("quotaline", appauthor=False)


def data_folder() -> Path:
    """Where the list of keyring entries is (labels, never values)."""
    return platformdirs.user_data_path("quotaline", appauthor=False)


def log_folder() -> Path:
    """Where the sidecar's log is."""
    return platformdirs.user_log_path("quotaline", appauthor=False)
