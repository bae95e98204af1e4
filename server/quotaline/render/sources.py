"""From where a number came, for people: vendors have several ways of the same kind, and names for them."""

from __future__ import annotations

import re

from quotaline_providers import registry

_WORDS = {
    "api": "over its API",
    "oauth": "with your sign-in",
    "web": "from its website",
    "cli": "from its own program",
    "local": "from files on this computer",
}


def kind(provider: str, label: str) -> str:
    """The source of a way with this label: that which it names (`web` of `openai-web`), else its strategy's; the label
    itself when nothing is known of it."""
    parts = re.split(r"[^a-z]+", label.lower())
    named = next((source for source in _WORDS if source in parts), None)
    if named is not None:
        return named
    try:
        strategies = registry.get(provider).strategies
    except KeyError:
        return label
    return next((str(strategy.source) for strategy in strategies if strategy.name == label), label)


def words(provider: str, label: str) -> str:
    """`over its API`, to be put behind `read`."""
    source = kind(provider, label)
    return _WORDS.get(source, source)
