"""Which providers and accounts this machine has. Never prompts, starts a program or uses the network."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, replace
from typing import Any

from quotaline.config import Config
from quotaline_providers import registry
from quotaline_providers.contract import Account, Context, Profiles, Provider, Strategy
from quotaline_providers.diagnostics import note_defect
from quotaline_providers.errors import ReadError, RestartDue
from quotaline_providers.hosts.machine import Machine
from quotaline_providers.run import plan

log = logging.getLogger(__name__)

COOKIE_LABEL = "cookie"


@dataclass(frozen=True, slots=True)
class Target:
    """One account to read. `origin` says where its credential was found, empty when it is not known (yet)."""

    provider: str
    account_label: str
    account: Account | None
    origin: str
    digest: str
    active: bool

    @property
    def key(self) -> str:
        return f"{self.provider}/{self.account_label}" if self.account_label else self.provider


@dataclass(frozen=True, slots=True)
class Inspection:
    """What was looked for and found of one provider. `enabled` is the user's own word, None when there is none."""

    provider: Provider
    enabled: bool | None
    found: tuple[str, ...]
    looked_at: tuple[str, ...]
    accounts: tuple[str, ...] = ()

    @property
    def shown(self) -> bool:
        return self.enabled if self.enabled is not None else bool(self.found or self.accounts)


def inspect(provider: Provider, config: Config, machine: Machine) -> Inspection:
    """Look one provider over."""
    ctx = machine.context(provider.id, config.provider(provider.id))
    found: dict[str, None] = {}
    looked: dict[str, None] = {}
    for strategy in _strategies(provider, ctx):
        try:
            looked.update(dict.fromkeys(strategy.lookup.places(ctx)))
            if place := strategy.lookup.probe(ctx):
                found[place] = None
        except ReadError as error:
            log.info("%s: looking for a credential failed: %s", provider.id, error.kind)
        except Exception as error:  # one provider's surprise must not hide all others
            note_defect(f"looking for a credential of {provider.id}", error)
    labels = tuple(account.label for account in accounts(provider, config, machine))
    return Inspection(provider, config.provider(provider.id).enabled, tuple(found), tuple(looked), labels)


def accounts(provider: Provider, config: Config, machine: Machine) -> tuple[Account, ...]:
    """The provider's labelled accounts: those of the config file, those only the keyring has, and its profiles.

    A credential in the keyring was given later than the one in the file under the same label and takes its place.
    """
    in_keyring = machine.keyring.labels(provider.id)
    configured = tuple(
        replace(account, token=None) if account.label in in_keyring else account
        for account in config.accounts(provider.id)
    )
    known = {account.label.casefold() for account in configured} | {"", COOKIE_LABEL}
    kept = (Account(label) for label in in_keyring if label.casefold() not in known)
    return (*configured, *kept, *profiles(provider, config, machine).accounts)


def profiles(provider: Provider, config: Config, machine: Machine) -> Profiles:
    """The accounts whose logins are in folders of their own; none for a provider that knows no such thing."""
    if provider.profiles is None:
        return Profiles()
    try:
        return provider.profiles(machine.context(provider.id, config.provider(provider.id)))
    except ReadError as error:
        log.info("%s: looking for profiles failed: %s", provider.id, error.kind)
    except Exception as error:  # one provider's surprise must not hide all others
        note_defect(f"looking for profiles of {provider.id}", error)
    return Profiles()


def targets_of(provider: Provider, config: Config, machine: Machine, origin: str = "") -> tuple[Target, ...]:
    """The accounts to read of one provider; one without a label when it has no labelled ones.

    Of the config file's accounts one is active. Of those that only the keyring has nobody chose one: all are. A key
    that was kept there without a label stays an account of its own.
    """
    if (found := profiles(provider, config, machine)).accounts:
        return _profile_targets(provider, config, found, origin)
    labelled = accounts(provider, config, machine)
    active = config.active_account(provider.id)
    made = [
        Target(
            provider.id,
            account.label,
            account,
            f"account {account.label}",
            config.digest(provider.id, account.label),
            active is None or account.label == active.label,
        )
        for account in labelled
    ]
    if not labelled:
        made.append(Target(provider.id, "", None, origin, config.digest(provider.id), True))
    elif "" in machine.keyring.labels(provider.id):
        made.append(Target(provider.id, "", None, "keyring", config.digest(provider.id), active is None))
    return tuple(made)


def _profile_targets(provider: Provider, config: Config, found: Profiles, origin: str) -> tuple[Target, ...]:
    """The usual account, then those in folders of their own. All are active unless the user chose one."""
    kept: tuple[Account | None, ...] = (None, *found.accounts) if found.usual else found.accounts
    return tuple(
        Target(
            provider.id,
            account.label if account else "",
            account,
            f"account {account.label}" if account else origin,
            config.digest(provider.id, account.label if account else ""),
            found.active in (None, account.label if account else ""),
        )
        for account in kept
    )


def detect(config: Config, machine: Machine) -> tuple[Target, ...]:
    """All accounts to show, in the config's order and then by id."""
    targets: list[Target] = []
    for provider in ordered(config):
        settings = config.provider(provider.id)
        if settings.enabled is False:
            continue
        inspection = inspect(provider, config, machine)
        if not inspection.shown:
            continue
        targets += targets_of(provider, config, machine, inspection.found[0] if inspection.found else "")
    return tuple(targets)


async def detected(config: Config, machine: Machine) -> tuple[Target, ...]:
    """As `detect`, in a thread."""
    return await asyncio.to_thread(detect, config, machine)


def ordered(config: Config) -> tuple[Provider, ...]:
    """All providers: those the config lists first, in its order, then the rest by id."""
    listed = [id for id in config.order if id in registry.ids()]
    rest = [id for id in registry.ids() if id not in listed]
    found = []
    for id in (*listed, *rest):
        if (provider := loaded(id)) is not None:
            found.append(provider)
    return tuple(found)


def loaded(id: str) -> Provider | None:
    """The provider with this id; None when there is none or its module fails."""
    try:
        return registry.get(id)
    except (KeyError, RestartDue):
        return None
    except Exception as error:
        note_defect(f"loading provider {id}", error)
        return None


def _strategies(provider: Provider, ctx: Context) -> tuple[Strategy[Any], ...]:
    try:
        return plan(provider, ctx)
    except ReadError:
        return provider.strategies
