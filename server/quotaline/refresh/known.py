"""What the service knows now: the accounts, what was read of each, and what the user has set. Changed only here."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from quotaline.config import Config
from quotaline.detection.detect import Target
from quotaline.settings import Settings
from quotaline.store.reading import Reading
from quotaline_providers.contract import Provider
from quotaline_providers.settings import SourceChoice


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of an account: the key under which its answer is kept, and the `source` that the user named, `auto`
    for the configured one. Another source is another question: what it gives says nothing of the usual one."""

    key: str
    source: str = "auto"


class Known:
    """The state of one service, in memory: it reads nothing and asks nobody.

    Its attributes are for reading; they are set by its methods alone. `changed` is called after every change that can
    be seen.
    """

    def __init__(self, config: Config, settings: Settings, changed: Callable[[], None]) -> None:
        self.changed = changed
        self.config = config
        self.config_problem: str | None = None
        self.settings = settings
        self.last_interaction: datetime | None = None
        self.targets: tuple[Target, ...] = ()
        self.readings: dict[str, Reading] = {}
        self.leased: frozenset[str] = frozenset()
        """Keys of accounts that some program is reading, as the store told last."""
        self.paused: dict[str, datetime] = {}
        """Until when the loop leaves accounts alone whose read failed inside Quotaline."""
        self._own: dict[str, Reading] = {}

    # --- accounts ---

    @property
    def providers(self) -> tuple[Provider, ...]:
        """The providers of the accounts, each once."""
        return tuple({target.provider.id: target.provider for target in self.targets}.values())

    def target(self, key: str) -> Target:
        """Raises KeyError."""
        for target in self.targets:
            if target.key == key:
                return target
        raise KeyError(key)

    def chosen(self, keys: Iterable[str]) -> tuple[Target, ...]:
        """The accounts with these keys, and all of the providers with these ids."""
        wanted = set(keys)
        return tuple(target for target in self.targets if target.key in wanted or target.provider.id in wanted)

    def show(self, targets: tuple[Target, ...]) -> None:
        """These are the accounts, in display order."""
        self.targets = targets
        self.changed()

    # --- what the user has set and does ---

    def use_config(self, config: Config, problem: str | None) -> None:
        """`problem` says that the file cannot be used; then the config is an earlier one."""
        self.config, self.config_problem = config, problem
        self.changed()

    def use_settings(self, settings: Settings) -> None:
        self.settings = settings
        self.changed()

    def interacted(self, at: datetime) -> None:
        """The user was there at this moment."""
        self.last_interaction = at

    # --- readings ---

    def question(self, target: Target, source: SourceChoice | None = None) -> Question:
        """What is asked when the user names this source, or none. No provider's id has the colon of the key."""
        if source in (None, self.config.provider(target.provider.id).source or "auto"):
            return Question(target.key)
        return Question(f"{source}:{target.key}", str(source))

    def reading(self, target: Target, source: SourceChoice | None = None) -> Reading | None:
        """The reading that belongs to this account as it is configured now."""
        question = self.question(target, source)
        return self.belonging(target, question, self.readings.get(question.key))

    def belonging(self, target: Target, question: Question, stored: Reading | None) -> Reading | None:
        """The stored answer, if it was made with the account's config entry, else the last one made here.

        Another program that has another config keeps its own in the store; without this the two would ask in turns for
        ever. May be called in the store's thread.
        """
        if stored is None or (stored.digest in ("", target.digest) and stored.source == question.source):
            return stored
        own = self._own.get(question.key)
        return own if own is not None and own.digest == target.digest else None

    def own(self, key: str) -> Reading | None:
        """The last answer to this question that was read here."""
        return self._own.get(key)

    def load(self, readings: dict[str, Reading], leased: frozenset[str]) -> None:
        """Take over all that the store knows."""
        if readings != self.readings or leased != self.leased:
            self.readings, self.leased = readings, leased
            self.changed()

    def load_one(self, target: Target, question: Question, reading: Reading | None, *, held: bool) -> None:
        """Take over what the store knows of one account, and whether another program is reading it."""
        before = self.readings.get(question.key), self.leased
        self.leased = self.leased | {target.key} if held else self.leased - {target.key}
        if reading is None:
            self.readings.pop(question.key, None)
        else:
            self.readings[question.key] = reading
        if before != (reading, self.leased):
            self.changed()

    def keep(self, target: Target, reading: Reading) -> None:
        """Take a reading that was made here, with which the account's lease has ended."""
        self.readings[reading.key] = self._own[reading.key] = reading
        self.leased -= {target.key}
        self.changed()

    def release(self, key: str) -> None:
        """The account is no longer being read; nothing came of it."""
        self.leased -= {key}
        self.changed()

    def forget(self, key: str) -> None:
        """Drop an answer: the credential has changed."""
        self.readings.pop(key, None)
        self._own.pop(key, None)
        self.changed()

    def pause(self, key: str, until: datetime) -> None:
        """The loop is to leave the account alone until then."""
        self.paused[key] = until
