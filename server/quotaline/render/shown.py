"""A provider as it is about to be shown: what binds it, how serious that is, and its texts without what is private."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from quotaline.forecast.binding import Binding, binding
from quotaline.forecast.pace import Pace, paces, window_pace
from quotaline.forecast.severity import Severity, Thresholds, in_force, severity
from quotaline.forecast.traits import Traits
from quotaline.render import text, times
from quotaline.render.view import View
from quotaline.state import ProviderState, Snapshot
from quotaline_providers import formatting
from quotaline_providers.errors import Kind, RateLimited
from quotaline_providers.model import Window

NAME_LENGTH, ACCOUNT_LENGTH = 32, 24
PASSING = frozenset({Kind.RATE_LIMITED, Kind.UNAVAILABLE, Kind.TIMEOUT})
"""Errors that pass by themselves."""
_SHORTEST_PRIVATE = 3


@dataclass(frozen=True)
class Shown:
    """One state seen through a view. `ordinal` tells accounts of one provider apart when labels are hidden."""

    state: ProviderState
    view: View
    bound: Binding | None
    severity: Severity
    ordinal: int | None = None

    @property
    def alone(self) -> bool:
        """Whether it needs no label, being the provider's only account."""
        return self.state.alone and self.ordinal is None

    @property
    def name(self) -> str:
        return text.label(self.state.name or self.state.provider, NAME_LENGTH)

    @property
    def title(self) -> str:
        """The name, with what tells this account from the provider's others."""
        if self.state.account and not self.hides and not self.alone:
            return f"{self.name} {text.label(self.state.account, ACCOUNT_LENGTH)}".rstrip()
        return f"{self.name} #{self.ordinal}" if self.ordinal is not None else self.name

    @property
    def hides(self) -> bool:
        return self.view.settings.hide_identity

    @property
    def account(self) -> str | None:
        """The account's label, else its e-mail or organisation; None when unknown or hidden."""
        if self.hides:
            return None
        known = [self.state.account]
        if self.state.usage is not None:
            known += [self.state.usage.identity.email or "", self.state.usage.identity.organization or ""]
        return next((shown for value in known if (shown := text.isolated(text.cleaned(value)))), None)

    @property
    def owner(self) -> str | None:
        """Who this is, beside the title: the label if that is not in it, else the e-mail or organisation; None when
        unknown or hidden."""
        if self.hides or self.alone or not self.state.account or self.state.usage is None:
            return self.account
        identity = self.state.usage.identity
        known = (identity.email or "", identity.organization or "")
        return next((shown for value in known if (shown := text.isolated(text.cleaned(value)))), None)

    @property
    def plan(self) -> str | None:
        plan = self.state.usage.identity.plan if self.state.usage is not None else None
        return text.isolated(self.said(formatting.plan_name(plan))) or None if plan else None

    @property
    def source(self) -> str | None:
        return self.said(self.state.usage.source) or None if self.state.usage is not None else None

    @property
    def outdated(self) -> bool:
        """Whether the headline is an old number: it was not read when it should have been, or its reset has passed."""
        return self.state.usage is not None and (self.state.stale or (self.bound is not None and self.bound.over))

    @property
    def needs_user(self) -> bool:
        """Whether the user has to do something. A wait or an outage passes by itself, as long as there are numbers."""
        failure = self.state.failure
        if failure is None or self.state.quiet:
            return False
        return self.state.usage is None or failure.kind not in PASSING

    @property
    def blocked(self) -> str | None:
        """Why the vendor says that the account cannot be used now, and until when."""
        usage, view = self.state.usage, self.view
        if usage is None or (blocked := in_force(usage, view.now)) is None:
            return None
        until = blocked.until and times.resets(blocked.until, view.now, view.settings.reset_times, view.zone, "ends")
        return " · ".join(part for part in (self.said(blocked.reason), until) if part)

    @property
    def windows(self) -> tuple[Window, ...]:
        """The windows that say something: no placeholders."""
        usage = self.state.usage
        return tuple(window for window in usage.windows if not window.placeholder) if usage is not None else ()

    @property
    def windows_worst_first(self) -> tuple[Window, ...]:
        """The same, with the one first that raises the colour without being the headline."""
        raising = self.bound.raised_by if self.bound is not None else None
        return tuple(sorted(self.windows, key=lambda window: window != raising))

    def figure(self, used: float, *, left: bool = False) -> str:
        """A percentage, of what is used or `left`. Where the answer holds limits that are not read, one that says that
        hardly anything is used gets a question mark: `0%?`."""
        words = formatting.percent(100 - used if left else used)
        doubtful = self.state.usage is not None and self.state.usage.unread_limits
        return f"{words}?" if doubtful and used < 1 else words

    @property
    def paces(self) -> dict[str, Pace]:
        """The paces worth a line, by window. What the vendor has stopped has none: nothing lasts until its reset."""
        if self.state.usage is None or self._stopped:
            return {}
        return dict(paces(self.traits.pace, self.state.usage, self.view.now, self.view.work))

    @property
    def _stopped(self) -> bool:
        return self.state.usage is not None and in_force(self.state.usage, self.view.now) is not None

    def pace(self, window: Window) -> Pace | None:
        """The pace of a window, also one that is not worth a line."""
        if self._stopped:
            return None
        return window_pace(self.traits.pace, window, self.view.now, self.view.work)

    def reset_line(self, window: Window) -> str | None:
        """When the window resets, or gets a part back, as the user wants times."""
        style, zone, detail = self.view.settings.reset_times, self.view.zone, self.traits.description_is_detail
        return times.reset_line(window, self.view.now, style, zone, description_is_detail=detail)

    def detail_line(self, window: Window) -> str | None:
        """The description of a window where it is a detail of its own."""
        return (window.description or "").strip() or None if self.traits.description_is_detail else None

    @property
    def traits(self) -> Traits:
        return self.view.traits(self.state.provider)

    @property
    def error(self) -> tuple[str, str] | None:
        """What went wrong and what to do next; while a vendor wants to be left alone, until when that is."""
        failure = self.state.failure
        if failure is None:
            return None
        hint = failure.hint
        if failure.until is not None and failure.until > self.view.now:
            again = f"It is asked again after {times.clock_time(failure.until, self.view.now, self.view.zone)}."
            hint = again if hint == RateLimited.default_hint else f"{hint} {again}".strip()
        return self.said(failure.message), self.said(hint)

    def said(self, words: str) -> str:
        """A vendor's or user's text on one line, without what the user wants hidden."""
        if self.hides:
            words = text.without_emails(words)
            for value in self._private():
                words = words.replace(value, text.HIDDEN)
        return text.cleaned(words)

    def _private(self) -> Sequence[str]:
        values = [self.state.account]
        if self.state.usage is not None:
            identity = self.state.usage.identity
            values += [value or "" for value in (identity.email, identity.organization, identity.account_id)]
        return sorted((value for value in values if len(value) >= _SHORTEST_PRIVATE), key=len, reverse=True)


def shown(state: ProviderState, view: View, ordinal: int | None = None) -> Shown:
    """One state, whatever the settings say about which providers to show."""
    bound: Binding | None = None
    if state.usage is not None:
        limits = Thresholds.of(view.settings.status_line, state.low_balance)
        bound = binding(state.usage, view.traits(state.provider), view.now, limits, state.metric, state.held)
    found = severity(state, bound.level if bound else "ok", over=bound is not None and bound.over, now=view.now)
    return Shown(state, view, bound, found, ordinal)


def all_shown(snapshot: Snapshot, view: View) -> tuple[Shown, ...]:
    """Every state, in display order: each account of a provider is one."""
    several = {id for id, count in Counter(state.provider for state in snapshot.states).items() if count > 1}
    seen: Counter[str] = Counter()
    result: list[Shown] = []
    for state in snapshot.states:
        seen[state.provider] += 1
        result.append(shown(state, view, seen[state.provider] if state.provider in several else None))
    return tuple(result)
