"""What is known of an account after a read: what the outcome tells, and what stays of what was known before."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from quotaline.detection.detect import Target
from quotaline.forecast.binding import hold
from quotaline.forecast.traits import Traits
from quotaline.refresh.known import Question
from quotaline.refresh.scheduler import in_force
from quotaline.refresh.waits import waits_until
from quotaline.state import NOBODY, Failure, Held
from quotaline.store.reading import Reading
from quotaline_providers.errors import Kind, RateLimited, ReadError
from quotaline_providers.lengths import usual_length
from quotaline_providers.model import Identity, Usage, Window
from quotaline_providers.run import Outcome


def apply(target: Target, previous: Reading | None, outcome: Outcome, question: Question | None = None) -> Reading:
    """The new reading of an account (the answer to this `question`): what came of a read, and what stays of the
    `previous` reading unless that was made with another config entry."""
    question = question or Question(target.key)
    error, now = outcome.error, outcome.finished_at
    assert error is not None or outcome.usage is not None, "an outcome without usage has an error"
    before = previous if previous is not None and previous.digest == target.digest else None
    usage, usage_at = _carried(outcome, before), now
    if error is not None and usage is not None and before is not None and _still_true(before, outcome, error):
        usage, usage_at = _with_the_rest(usage, before, now)
    reading = Reading(
        key=question.key,
        provider=target.provider.id,
        account=target.account_label,
        usage=usage,
        usage_at=usage_at if usage else None,
        fingerprint=outcome.fingerprint,
        digest=target.digest,
        source=question.source,
        attempted_at=now,
        held=_held(target, before, usage, now),
        tried=outcome.tried,
    )
    if error is None:
        return reading
    if usage is None and before is not None and _still_true(before, outcome, error):
        usage_at = before.usage_at or now
        reading = replace(
            reading, usage=before.usage, usage_at=usage_at, fingerprint=before.fingerprint, held=before.held
        )
    failures = (before.failures if before else 0) + 1
    cool_until = _cool_until(error, before, now)
    return replace(reading, failure=_failure(error, cool_until), failures=failures, cool_until=cool_until)


def _with_the_rest(partial: Usage, before: Reading, now: datetime) -> tuple[Usage, datetime]:
    """What could still be read beside a failure, and of the usage before it what that does not tell; and since when the
    oldest of it is known."""
    old = before.usage
    if old is None:
        return partial, now
    windows = {window.id: window for window in (*old.windows, *partial.windows)}
    balances = {balance.id: balance for balance in (*old.balances, *partial.balances)}
    spends = {spend.id: spend for spend in (*old.spends, *partial.spends)}
    told = len(partial.windows) + len(partial.balances) + len(partial.spends)
    if len(windows) + len(balances) + len(spends) == told:
        return partial, now
    changes = {
        "windows": tuple(windows.values()),
        "balances": tuple(balances.values()),
        "spends": tuple(spends.values()),
        "limits_unavailable": not windows and partial.limits_unavailable,
    }
    return partial.model_copy(update=changes), before.usage_at or now


def apply_held(target: Target, previous: Reading | None, outcome: Outcome, question: Question) -> Reading | None:
    """What is known of an account when nobody was asked because a wait lasts; None when nothing is."""
    before = previous if previous is not None and previous.digest == target.digest else None
    error = outcome.error
    if not isinstance(error, RateLimited):
        return before
    until = waits_until(error, outcome.finished_at)
    if before is not None and before.failure is not None and before.cool_until == until:
        return before
    blank = Reading(
        question.key, target.provider.id, target.account_label, digest=target.digest, source=question.source
    )
    told = tuple(attempt.fingerprint for attempt in outcome.attempts if attempt.held)
    known = before or blank
    return replace(known, failure=_failure(error, until), cool_until=until, tried=known.tried or told)


def _failure(error: ReadError, cool_until: datetime | None) -> Failure:
    """The error as it is stored; a rate limit with the end of its wait."""
    failure = Failure.of(error)
    return failure.model_copy(update={"until": cool_until}) if isinstance(error, RateLimited) else failure


def _held(target: Target, before: Reading | None, usage: Usage | None, now: datetime) -> Held:
    """Who holds the headline after this reading: decided here, once for all who show it."""
    if usage is None:
        return NOBODY
    earlier, held = (before.usage, before.held) if before is not None else (None, NOBODY)
    return hold(usage, earlier, Traits.of(target.provider), now, held)


def _carried(outcome: Outcome, before: Reading | None) -> Usage | None:
    """The usage of the outcome, completed from the one before unless that was another credential's."""
    usage, old = outcome.usage, before.usage if before else None
    if usage is None or old is None or before is None:
        return usage
    changed = before.fingerprint != outcome.fingerprint and old.source == usage.source
    if changed and not (usage.identity.account_id or usage.identity.email):
        return usage
    return filled_in(usage, old)


def _still_true(before: Reading, outcome: Outcome, error: ReadError) -> bool:
    """Whether the last good usage may stand beside this error: same credential, and no final answer against it."""
    if before.usage is None or error.definite:
        return False
    if error.kind in (Kind.MISSING_CREDENTIAL, Kind.MISSING_PROGRAM, Kind.MISCONFIGURED):
        return False
    used = {attempt.fingerprint for attempt in outcome.attempts if attempt.fingerprint}
    return not used or not before.fingerprint or before.fingerprint in used


def _cool_until(error: ReadError, before: Reading | None, now: datetime) -> datetime | None:
    earlier = before.cool_until if before and in_force(before.cool_until, now) else None
    if not isinstance(error, RateLimited):
        return earlier
    promised = waits_until(error, now)
    return max(promised, earlier) if earlier else promised


def same_account(one: Identity, other: Identity) -> bool:
    """Compare account ids, else e-mails, else assume the same; one known and one unknown is not the same."""
    if one.account_id or other.account_id:
        return one.account_id == other.account_id
    if one.email or other.email:
        return (one.email or "").lower() == (other.email or "").lower()
    return True


def filled_in(usage: Usage, old: Usage | None) -> Usage:
    """The usage with reset times taken over from the last one of the same account, where the vendor left them out."""
    if old is None or not same_account(usage.identity, old.identity):
        return usage
    earlier = {window.id: window for window in old.windows}
    windows = tuple(_filled_in(window, earlier.get(window.id), usage) for window in usage.windows)
    return usage.model_copy(update={"windows": windows})


def _filled_in(window: Window, old: Window | None, usage: Usage) -> Window:
    if old is None or window.resets_at is not None or old.resets_at is None or old.resets_at <= usage.updated_at:
        return window
    if window.reset_refused or "resets daily" in (window.description or "").lower() or _of_another_length(window, old):
        return window
    return window.model_copy(
        update={
            "resets_at": old.resets_at,
            "minutes": window.minutes if window.minutes is not None else old.minutes,
            "description": window.description or old.description,
        }
    )


def _of_another_length(window: Window, old: Window) -> bool:
    """Whether these windows share no more than an id: a vendor may fill a slot with another limit."""
    lengths = {usual_length(minutes) or minutes for minutes in (window.minutes, old.minutes) if minutes is not None}
    return len(lengths) > 1
