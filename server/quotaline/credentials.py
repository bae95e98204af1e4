"""Keeping what a user gives us to get in: the OS keyring first, the config file (0600) where it does not keep it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from quotaline.config import edit
from quotaline.config.fields import uses
from quotaline.detection.detect import COOKIE_LABEL, inspect, targets_of
from quotaline.paths import seen_by_others
from quotaline_providers.contract import Provider
from quotaline_providers.errors import Misconfigured, MissingCredential, Unavailable
from quotaline_providers.hosts.keyrings import Outcome
from quotaline_providers.parsing.payload import clean
from quotaline_providers.secret import Secret

if TYPE_CHECKING:
    from quotaline.application import Application


_WHY: Mapping[Outcome, str] = {
    Outcome.NO_KEYRING: "No keyring is available",
    Outcome.LOCKED: "The system keyring is locked",
    Outcome.SILENT: "The system keyring did not answer",
    Outcome.TOO_LONG: "It is too long for the system keyring",
    Outcome.REFUSED: "The system keyring did not keep it",
    Outcome.UNLISTED: "The list of keyring entries, {list}, cannot be written",
}
"""Why a credential is not in the keyring."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Where a credential went, and what the user is told: that, and what became of an older one or comes before it."""

    where: Literal["keyring", "config"]
    message: str


async def keep(application: Application, provider: Provider, secret: Secret, label: str = "") -> Kept:
    """Keep a credential. Raises Misconfigured when it is empty or the config file cannot be changed."""
    value = clean(secret.reveal())
    if value is None:
        raise Misconfigured("The credential is empty.", "Give the key or cookie itself.")
    label = _place(application, provider, label)
    path = application.keeper.path
    first = await asyncio.to_thread(_read_without_label, application, provider, label)
    stored = await application.keyring.store(provider.id, Secret(value), label)
    if stored:
        said = ["It was saved in the system keyring.", await asyncio.to_thread(_older, application, provider, label)]
        where: Literal["keyring", "config"] = "keyring"
    else:
        await asyncio.to_thread(edit.store_credential, path, provider.id, Secret(value), label)
        why = _WHY[stored.outcome].format(list=application.keyring.index_path)
        said = [f"{why}, so it was saved in {seen_by_others(path)} (readable only by you)."]
        if stored.older_left:
            said.append("An older one is still in the keyring; it is not used any more.")
        said.append(await asyncio.to_thread(_others, application, provider, label))
        where = "config"
    said.append(await asyncio.to_thread(_before, application, provider, label, where))
    if first is not None:
        said.append(await asyncio.to_thread(_beside, application, provider, first))
    return Kept(where, " ".join(filter(None, said)))


def _place(application: Application, provider: Provider, label: str) -> str:
    """The label under which the provider looks for it: a cookie has its own, an account the one it is known by."""
    if not label and uses(provider, "cookie_header") and not uses(provider, "api_key"):
        return COOKIE_LABEL
    configured = (account.label for account in application.keeper.loaded.config.accounts(provider.id))
    known = (*configured, *application.keyring.labels(provider.id))
    same = (one for one in known if one.casefold() == label.casefold())
    return label if label in known else next(same, label)


def _read_without_label(application: Application, provider: Provider, label: str) -> str | None:
    """Where the only credential is (`env X`), which the first one with a label comes beside; None when there is none,
    or when there are labelled ones already."""
    config, machine = application.keeper.loaded.config, application.machine
    if label in ("", COOKIE_LABEL) or any(target.account_label for target in targets_of(provider, config, machine)):
        return None
    return next(iter(inspect(provider, config, machine).found), None)


def _beside(application: Application, provider: Provider, first: str) -> str:
    """What becomes of the credential without a label, now that there is one with a label."""
    targets = targets_of(provider, application.keeper.reload().config, application.machine)
    if any(not target.account_label for target in targets):
        return "The one without a label stays an account of its own: `quotaline usage --all-accounts` shows both."
    place = first.replace("env ", "the environment variable ", 1) if first.startswith("env ") else f"the one in {first}"
    return f"It is read instead of {place} from now on. To have both shown, give that one a label, too."


def _others(application: Application, provider: Provider, label: str) -> str:
    """Say that an account kept in the config file is the active one from now on, where there are others."""
    if label in ("", COOKIE_LABEL) or len(application.keeper.reload().config.accounts(provider.id)) < 2:
        return ""
    return (
        f"{label} is the active account now, which the status line shows. `quotaline usage --all-accounts` shows all; "
        "`activeIndex` in the config file chooses."
    )


def _older(application: Application, provider: Provider, label: str) -> str:
    """Take an older credential out of our config file, where it would come first, and say so.

    An account's stays, with whatever else is told of the account: the keyring's takes its place.
    """
    path = application.keeper.path
    if label not in ("", COOKIE_LABEL):
        known = [account.label for account in application.keeper.loaded.config.accounts(provider.id)]
        return f"It is used instead of the one in the config file for {label}." if label in known else ""
    shown = seen_by_others(path)
    try:
        removed = edit.remove_credential(path, provider.id, label)
    except Misconfigured:
        return f"An older one in {shown} would come first: it could not be removed, as the file cannot be changed."
    return f"The older one was removed from {shown}." if removed else ""


def _before(application: Application, provider: Provider, label: str, where: str) -> str:
    """Name another credential that takes precedence over the one that was kept; empty when there is none."""
    if label not in ("", COOKIE_LABEL):
        return ""
    config = application.keeper.reload().config
    found = inspect(provider, config, application.machine).found
    if not found or found[0] == where:
        return ""
    first = found[0].replace("env ", "The environment variable ", 1) if found[0].startswith("env ") else found[0]
    return f"{first[0].upper()}{first[1:]} takes precedence, though, for as long as it is set."


async def forget(application: Application, provider: Provider, label: str = "") -> Kept:
    """Remove a credential the user gave us, wherever it is kept. Raises MissingCredential when there is none, and
    Unavailable when the keyring has it and does not let it go."""
    label = _place(application, provider, label)
    in_keyring = await application.keyring.remove(provider.id, label)
    if not in_keyring and label in application.keyring.labels(provider.id):
        raise Unavailable("The system keyring did not remove the credential.", "Unlock it, then try again.")
    path = application.keeper.path
    in_config = await asyncio.to_thread(edit.remove_credential, path, provider.id, label)
    if in_keyring:
        return Kept(
            "keyring",
            f"It was removed from the system keyring{f' and from {seen_by_others(path)}' if in_config else ''}.",
        )
    if in_config:
        return Kept("config", f"It was removed from {seen_by_others(path)}.")
    named = f" labelled {label}" if label not in ("", COOKIE_LABEL) else ""
    raise MissingCredential(
        f"Quotaline has no saved credential{named} for {provider.name}.",
        "Keys in the environment and other programs' logins are not Quotaline's to remove.",
    )
