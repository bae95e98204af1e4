"""Where Quotaline keeps its files."""

from __future__ import annotations

from pathlib import Path

import platformdirs

STORE_NAME = "store.sqlite3"
STARTUP_NOTES = "startup:"
"""What the keys of those notes in the store begin with that are the startup cache."""


def cache_folder() -> Path:
    """Where the shared store is."""
    return platformdirs.user_cache_path("quotaline", appauthor=False)


def store_path() -> Path:
    """The shared store."""
    return cache_folder() / STORE_NAME


def report_path() -> Path:
    """Where the report document is written for clients to open."""
    return cache_folder() / "report.md"


def state_folder() -> Path:
    """Where the history of usage and what the user has agreed to are: what cannot be read again, nor edited by hand."""
    return platformdirs.user_state_path("quotaline", appauthor=False)


def data_folder() -> Path:
    """Where the list of keyring entries is (labels, never values)."""
    return platformdirs.user_data_path("quotaline", appauthor=False)


def config_folder() -> Path:
    """Where the config file usually is, wherever `QUOTALINE_CONFIG` points."""
    return platformdirs.user_config_path("quotaline", appauthor=False)


def own_folders() -> tuple[Path, ...]:
    """The folders that hold nothing but our files, whether they exist or not."""
    return tuple(dict.fromkeys((cache_folder(), state_folder(), data_folder(), config_folder())))


def approvals_path() -> Path:
    """What the user has agreed to of third-party providers."""
    return state_folder() / "approvals.json"


def provider_folder() -> Path:
    """Where the user's own provider files are: in the user's config folder, wherever `QUOTALINE_CONFIG` points."""
    return config_folder() / "providers"
