"""What the user has agreed to: which provider files run, and which providers may use another one's credential.

It is kept in the state folder, readable and writable by the user alone, and changed by one process at a time.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from quotaline.paths import approvals_path, provider_folder
from quotaline_providers.hosts.files import locked, replace_file
from quotaline_providers.hosts.privacy import make_own_folder
from quotaline_providers.registry import Agreed
from quotaline_providers.third_party import files
from quotaline_providers.third_party.agreed import Consent
from quotaline_providers.third_party.files import ProviderFile


class NotKept(Exception):
    """What the user agrees to cannot be kept; the text says why, in a sentence."""


class _Stored(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class FileApproval(_Stored):
    """A file's approval: the SHA-256 of what was approved, and the credentials of others that it may use."""

    digest: str
    confirmed: frozenset[str] = frozenset()


class PackageConsent(_Stored):
    """Which credentials of others a package's provider may use, while its code names no other hosts than these."""

    package: str
    claims: frozenset[str]
    hosts: frozenset[str]


class Approvals(_Stored):
    """All of it: files by path, packages' providers by id. Another version is another program's to change."""

    version: Literal[1] = 1
    files: dict[str, FileApproval] = Field(default_factory=dict)
    packages: dict[str, PackageConsent] = Field(default_factory=dict)


def read(path: Path | None = None) -> tuple[Approvals, str]:
    """What was agreed to, and why that is nothing where the file cannot be trusted or understood (else empty)."""
    path = path or approvals_path()
    try:
        return Approvals.model_validate_json(files.read(path).data), ""
    except FileNotFoundError:
        return Approvals(), ""
    except files.UnsafeFile as error:
        return Approvals(), f"{path} is not used: {error}."
    except ValidationError:
        return Approvals(), f"{path} is not used: it cannot be understood."
    except OSError as error:
        return Approvals(), f"{path} is not used: {error.strerror or type(error).__name__}."


def change(update: Callable[[Approvals], Approvals], path: Path | None = None) -> None:
    """Replace what was agreed to with what `update` makes of it. Raises OSError, and NotKept where what was agreed to
    before cannot be read: it may be another version's, and is not written over."""
    path = path or approvals_path()
    make_own_folder(path.parent)
    with locked(path):
        known, trouble = read(path)
        if trouble:
            raise NotKept(f"{trouble} Mend or remove it first.")
        replace_file(path, update(known).model_dump_json(indent=2) + "\n", keep_link=False)


def agreed(folder: Path | None = None, path: Path | None = None) -> Agreed:
    """What the registry is given: the files in the folder of the user's providers, approved or not, and consents."""
    known, _ = read(path)
    consents = {id: Consent(consent.package, consent.claims, consent.hosts) for id, consent in known.packages.items()}
    return Agreed(tuple(_file(file, known) for file in _present(folder or provider_folder())), consents)


def _file(file: Path, known: Approvals) -> ProviderFile:
    approval = known.files.get(str(file))
    return ProviderFile(file) if approval is None else ProviderFile(file, approval.digest, approval.confirmed)


def _present(folder: Path) -> list[Path]:
    """The Python files in the folder, by name; none whose name begins with `_` or a dot."""
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return []
    return [folder / name for name in names if name.endswith(".py") and name[0] not in "_." and name.isprintable()]
