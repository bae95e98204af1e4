"""Keeping what a user gives us to get in: the OS keyring first, the config file (0600) where no keyring works."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from quotaline.config import edit
from quotaline_providers.contract import Provider
from quotaline_providers.errors import Misconfigured, MissingCredential, Unavailable
from quotaline_providers.payload import clean
from quotaline_providers.secret import Secret

if TYPE_CHECKING:
    from quotaline.application import Application


@dataclass(frozen=True, slots=True)
class Kept:
    """Where a credential went, and the sentence that tells the user so."""

    where: Literal["keyring", "config"]
    message: str


async def keep(application: Application, provider: Provider, secret: Secret, label: str = "") -> Kept:
    """Keep a credential. Raises Misconfigured when it is empty or the config file cannot be changed."""
    value = clean(secret.reveal())
    if value is None:
        raise Misconfigured("The credential is empty.", "Give the key or cookie itself.")
    if await application.keyring.store(provider.id, Secret(value), label):
        return Kept("keyring", "It is kept in the system keyring.")
    path = application.keeper.path
    await asyncio.to_thread(edit.store_credential, path, provider.id, Secret(value), label)
    return Kept("config", f"No keyring works here, so it is kept in {path} (readable by you alone).")


async def forget(application: Application, provider: Provider, label: str = "") -> Kept:
    """Remove a credential the user gave us, wherever it is kept. Raises MissingCredential when there is none, and
    Unavailable when the keyring has it and does not let it go."""
    in_keyring = await application.keyring.remove(provider.id, label)
    if not in_keyring and label in application.keyring.labels(provider.id):
        raise Unavailable("The system keyring did not remove the credential.", "Unlock it, then try again.")
    path = application.keeper.path
    in_config = await asyncio.to_thread(edit.remove_credential, path, provider.id, label)
    if in_keyring:
        return Kept("keyring", f"It is removed from the system keyring{f' and from {path}' if in_config else ''}.")
    if in_config:
        return Kept("config", f"It is removed from {path}.")
    named = f" labelled {label}" if label else ""
    raise MissingCredential(
        f"Quotaline keeps no credential{named} of {provider.name}.",
        "Keys in the environment and other programs' logins are not Quotaline's to remove.",
    )
