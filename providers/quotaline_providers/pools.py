"""Several limits of which one pays on when another is used up: which of them stops the account."""

from __future__ import annotations

from collections.abc import Sequence

from quotaline_providers.model import Window


def last_to_stop(windows: Sequence[Window]) -> tuple[Window, ...]:
    """Windows of which any one keeps the account going: only the one with the most left blocks it.

    Of equals it is the first one; a window without a percentage never is.
    """
    known = [window for window in windows if window.used_percent is not None and not window.placeholder]
    last = min(known, key=lambda window: window.used_percent or 0, default=None)
    return tuple(_blocking(window, window is last) for window in windows)


def paid_on(window: Window, *, by_others: bool) -> Window:
    """A window that, once used up, does not stop the account while credits or an overage pay on (`by_others`)."""
    return _blocking(window, False) if by_others and window.exhausted else window


def _blocking(window: Window, blocks: bool) -> Window:
    return window if window.blocks is blocks else window.model_copy(update={"blocks": blocks})
