"""Which providers and accounts this machine has. Never prompts, starts a program or uses the network."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from quotaline.config import Config
from quotaline_providers import registry
from quotaline_providers.contract import Account, Choice, Context, Profiles, Provider, Strategy
from quotaline_providers.diagnostics import note_defect
from quotaline_providers.errors import ReadError, RestartDue
from quotaline_providers.hosts.machine import Machine
from quotaline_providers.run import plan

log = logging.getLogger(__name__)

COOKIE_LABEL = "cookie"
"""The label under which the keyring keeps a cookie header: no account's."""


@dataclass(frozen=True, slots=True)
class Target:
    """One account to read: `account` is None for the only or usual one, which has no label.

    `digest` is that of its config entry. `active` accounts are shown where not all are asked for.
    """

    provider: Provider
    account: Account | None
    digest: str
    active: bool = True

    @classmethod
    def of(cls, provider: Provider, account: Account | None, config: Config, active: bool = True) -> Target:
        """The account as it is configured now."""
        return cls(provider, account, config.digest(provider.id, account.label if account else ""), active)

    @property
    def account_label(self) -> str:
        return self.account.label if self.account else ""

    @property
    def key(self) -> str:
        """`claude`, or `claude/Work` for a labelled account."""
        return f"{self.provider.id}/{self.account_label}" if self.account_label else self.provider.id


@dataclass(frozen=True, slots=True)
class Inspection:
    """What was searched and found of one provider. `enabled` is the user's own setting, None when there is none.
    `ended` is the sentence that its service has ended, empty where it is read all the same. `choices` are the values
    that its own settings may have here, where they were looked for."""

    provider: Provider
    enabled: bool | None
    found: tuple[str, ...]
    looked_at: tuple[str, ...]
    accounts: tuple[str, ...] = ()
    ended: str = ""
    choices: Mapping[str, tuple[Choice, ...]] = field(default_factory=dict)

    @property
    def shown(self) -> bool:
        if self.ended:
            return False
        return self.enabled if self.enabled is not None else bool(self.found or self.accounts)


# --- providers ---


def loaded(id: str) -> Provider | None:
    """The provider with this id; None when there is none or its module fails."""
    try:
        return registry.get(id)
    except (KeyError, RestartDue):
        return None
    except Exception as error:
        note_defect(f"loading provider {id}", error)
        return None


def ordered_ids(config: Config) -> tuple[str, ...]:
    """The ids of all providers: those the config lists first, in its order, then the rest by id."""
    known = registry.ids()
    return tuple(dict.fromkeys((*(id for id in config.order if id in known), *known)))


def ordered(config: Config) -> tuple[Provider, ...]:
    """All providers that load, in the order of `ordered_ids`."""
    return tuple(provider for id in ordered_ids(config) if (provider := loaded(id)) is not None)


def not_loaded(config: Config, machine: Machine) -> tuple[str, ...]:
    """A sentence for each provider known to be broken that the user installed or approved, and did not switch off."""
    return tuple(
        item.sentence.replace(f"{machine.home}{os.sep}", "~/")
        for item in registry.known_broken()
        if item.urgent and config.provider(item.id).enabled is not False
    )


# --- their accounts ---


def profiles(provider: Provider, config: Config, machine: Machine) -> Profiles:
    """The accounts whose logins are in folders of their own; none for a provider that knows no such thing."""
    if provider.profiles is None:
        return Profiles()
    try:
        return provider.profiles(machine.context(provider.id, config.provider(provider.id)))
    except ReadError as error:
        log.info("%s: reading the profiles failed: %s", provider.id, error.kind)
    except Exception as error:  # one provider's defect must not hide all others
        note_defect(f"reading the profiles of {provider.id}", error)
    return Profiles()


def accounts(provider: Provider, config: Config, machine: Machine) -> tuple[Account, ...]:
    """The provider's labelled accounts: those of the config file, those only the keyring has, and its profiles.

    A credential in the keyring was given later than the one in the file under the same label and takes its place.
    """
    return (*_labelled(provider, config, machine), *profiles(provider, config, machine).accounts)


def _labelled(provider: Provider, config: Config, machine: Machine) -> tuple[Account, ...]:
    in_keyring = machine.keyring.labels(provider.id)
    configured = tuple(
        replace(account, token=None) if account.label in in_keyring else account
        for account in config.accounts(provider.id)
    )
    known = {account.label.casefold() for account in configured} | {"", COOKIE_LABEL}
    return (*configured, *(Account(label) for label in in_keyring if label.casefold() not in known))


def targets_of(provider: Provider, config: Config, machine: Machine) -> tuple[Target, ...]:
    """The accounts to read of one provider; the one without a label when it has no labelled ones."""
    found = profiles(provider, config, machine)
    if found.accounts:
        return _targets_of_profiles(provider, config, found)
    labelled = _labelled(provider, config, machine)
    if labelled:
        return _targets_of_labelled(provider, config, labelled, _has_unlabelled(provider, config, machine))
    return (Target.of(provider, None, config),)


def _has_unlabelled(provider: Provider, config: Config, machine: Machine) -> bool:
    """Whether the user has given a key (or cookie) without a label, too."""
    entry = config.provider(provider.id)
    in_config = ("apiKey" in provider.settings and entry.api_key) or (
        "cookieHeader" in provider.settings and entry.cookie_header
    )
    return not provider.account_replaces_key and bool(in_config or "" in machine.keyring.labels(provider.id))


def _targets_of_profiles(provider: Provider, config: Config, found: Profiles) -> tuple[Target, ...]:
    """The usual account, then those in folders of their own. All are active unless the user chose one."""
    every: tuple[Account | None, ...] = (None, *found.accounts) if found.usual else found.accounts
    return tuple(
        Target.of(provider, account, config, _is_active_profile(account.label if account else "", found))
        for account in every
    )


def _is_active_profile(label: str, found: Profiles) -> bool:
    return found.active in (None, label)


def is_active(provider: Provider, label: str, config: Config, machine: Machine) -> bool:
    """Whether the account with this label (empty for the usual one) is shown where not all are asked for."""
    found = profiles(provider, config, machine)
    if found.accounts:
        return _is_active_profile(label, found)
    chosen = config.active_account(provider.id)
    return chosen is None or label == chosen.label


def _targets_of_labelled(
    provider: Provider, config: Config, labelled: tuple[Account, ...], unlabelled: bool
) -> tuple[Target, ...]:
    """Of the config file's accounts one is active. Of those that only the keyring has nobody chose one: all are. A key
    that was given without a label (`unlabelled`) stays an account of its own."""
    chosen = config.active_account(provider.id)
    targets = [
        Target.of(provider, account, config, chosen is None or account.label == chosen.label) for account in labelled
    ]
    if unlabelled:
        targets.append(Target.of(provider, None, config, chosen is None))
    return tuple(targets)


# --- what this machine has ---


def inspect(provider: Provider, config: Config, machine: Machine) -> Inspection:
    """Search this machine for one provider's credentials."""
    ctx = machine.context(provider.id, config.provider(provider.id))
    found: dict[str, None] = {}
    looked_at: dict[str, None] = {}
    for strategy in _strategies(provider, ctx):
        try:
            looked_at.update(dict.fromkeys(strategy.lookup.places(ctx)))
            if place := strategy.lookup.probe(ctx):
                found[place] = None
        except ReadError as error:
            log.info("%s: the search for a credential failed: %s", provider.id, error.kind)
        except Exception as error:  # one provider's defect must not hide all others
            note_defect(f"the search for a credential of {provider.id}", error)
    labels = tuple(account.label for account in accounts(provider, config, machine))
    settings = config.provider(provider.id)
    ended = "" if settings.names_source else provider.ended
    return Inspection(provider, settings.enabled, tuple(found), tuple(looked_at), labels, ended)


def choices(provider: Provider, config: Config, machine: Machine) -> dict[str, tuple[Choice, ...]]:
    """The values that this machine offers for a provider's own settings, by the setting's name."""
    ctx = machine.context(provider.id, config.provider(provider.id))
    found: dict[str, tuple[Choice, ...]] = {}
    for option in provider.options:
        if option.choices is None:
            continue
        try:
            found[option.name] = option.choices(ctx)
        except Exception as error:  # nothing is offered then
            note_defect(f"the choices for {option.name} of {provider.id}", error)
    return found


def _strategies(provider: Provider, ctx: Context) -> tuple[Strategy[Any], ...]:
    try:
        return plan(provider, ctx)
    except ReadError:  # the config names a source it does not have
        return provider.strategies


def detect(config: Config, machine: Machine) -> tuple[Target, ...]:
    """All accounts to show, in the config's order and then by id. Imports all providers that are not switched off."""
    targets: list[Target] = []
    for id in ordered_ids(config):
        if config.provider(id).enabled is False or (provider := loaded(id)) is None:
            continue
        if inspect(provider, config, machine).shown:
            targets += targets_of(provider, config, machine)
    return tuple(targets)


async def detected(config: Config, machine: Machine) -> tuple[Target, ...]:
    """As `detect`, in a thread."""
    return await asyncio.to_thread(detect, config, machine)
