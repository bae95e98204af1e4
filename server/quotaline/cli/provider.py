"""`quotaline provider approve|list|revoke`: which third-party providers may be used, and for what."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from quotaline import approvals
from quotaline.approvals import Approvals, FileApproval, PackageConsent
from quotaline.cli import console
from quotaline.cli.exit_codes import FAILED, OK, USAGE_ERROR
from quotaline.cli.running import UsageError
from quotaline.paths import provider_folder, seen_by_others
from quotaline.render import text
from quotaline_providers import registry
from quotaline_providers.registry import Broken, BrokenProvider
from quotaline_providers.third_party import claims, files
from quotaline_providers.third_party.broken import Claim, Why
from quotaline_providers.third_party.files import ProviderFile, Source
from quotaline_providers.third_party.outline import Outline, outline
from quotaline_providers.third_party.packages import PackagedProvider

_NAME_LENGTH = 60
WARNING = "It will run as a part of Quotaline, with all that you may do on this computer."


class _Refused(Exception):
    """It is not approved; the text says why."""


def provider_command(options: argparse.Namespace) -> int:
    """Approve, list or revoke third-party providers."""
    registry.use(approvals.agreed())
    try:
        return _ACTIONS[options.action](options)
    except UsageError as error:
        console.say(str(error), error=True)
        return USAGE_ERROR
    except _Refused as error:
        console.say(str(error), error=True)
        return FAILED


# --- approve ---------------------------------------------------------------------------------------


def _approve(options: argparse.Namespace) -> int:
    declared = _declared(options.what)
    if isinstance(declared, PackagedProvider):
        return _approve_package(declared, options)
    return _approve_file(declared, options)


def _approve_file(declared: ProviderFile, options: argparse.Namespace) -> int:
    source, seen = _read(declared)
    known = claims.conflicts(declared.id, seen, (), registry.claimed_before(declared))
    if declared.digest == source.digest and {claim.what for claim in known} <= declared.confirmed:
        return _checked(
            declared.id, "is approved already", lambda missing: _allow_file(declared, source.digest, missing, options)
        )
    console.say(_described(declared, source, seen))
    if not _answered("Approve it?", options.yes, "--yes"):
        raise _Refused(f"{declared.path.name} is not approved.")
    _confirm(known, seen.hosts, options.allow)
    _keep_file(declared.path, source.digest, {claim.what for claim in known})
    return _checked(declared.id, "is approved", lambda missing: _allow_file(declared, source.digest, missing, options))


def _read(declared: ProviderFile) -> tuple[Source, Outline]:
    """The bytes that are to be approved and what they say of themselves. Raises _Refused."""
    if not files.ID.fullmatch(declared.id):
        raise _Refused(f"{declared.path} must not be run: {files.MISNAMED}.")
    for item in registry.known_broken():
        if item.why is Why.REFUSED and item.file == declared.home:
            raise _Refused(item.sentence)
    try:
        source = files.read(declared.path)
        seen = outline(source.data, declared.home)
    except files.UnsafeFile as error:
        raise _Refused(f"{declared.path} must not be run: {error}.") from None
    except OSError as error:
        raise _Refused(f"{declared.path} cannot be read: {error.strerror or type(error).__name__}.") from None
    except SyntaxError as error:
        raise _Refused(f"{declared.path}:{error.lineno or 1}: this is not valid Python (SyntaxError).") from None
    if seen.id is not None and seen.id != declared.id:
        raise _Refused(f"The id of its PROVIDER is {seen.id!r}: the file must be named {seen.id}.py.")
    return source, seen


def _described(declared: ProviderFile, source: Source, seen: Outline) -> str:
    """What the file is, as far as it can be told without running it."""
    name = text.label(seen.name, _NAME_LENGTH) if seen.name else "not written out"
    used = claims.name_list(seen.variables) or "none named"
    return "\n".join(
        (
            f"{declared.path}",
            f"  provider:     {name} ({declared.id})",
            f"  sends to:     {claims.host_list(seen.hosts)}",
            f"  variables:    {used}",
            f"  SHA-256:      {source.digest}",
            WARNING,
        )
    )


def _keep_file(path: Path, digest: str, confirmed: set[str]) -> None:
    def update(known: Approvals) -> Approvals:
        approval = FileApproval(digest=digest, confirmed=frozenset(confirmed))
        return known.model_copy(update={"files": {**known.files, str(path): approval}})

    _change(update)


def _allow_file(declared: ProviderFile, digest: str, missing: Broken, options: argparse.Namespace) -> None:
    """Confirm what only running it has shown."""
    try:
        _confirm(missing.claims, missing.hosts, options.allow)
    except (UsageError, _Refused):
        _change(lambda known: _without(known, declared.id)[0])
        raise
    names, path = {claim.what for claim in missing.claims}, str(declared.path)

    def update(known: Approvals) -> Approvals:
        now = known.files.get(path)
        if now is None or now.digest != digest:  # the answer was about other bytes, or came after a `revoke`
            raise _Refused(f"What was approved of {declared.path.name} has changed meanwhile. Try again.")
        approval = FileApproval(digest=digest, confirmed=now.confirmed | names)
        return known.model_copy(update={"files": {**known.files, path: approval}})

    _change(update)


def _approve_package(declared: PackagedProvider, options: argparse.Namespace) -> int:
    def allow(missing: Broken) -> None:
        console.say(f"{declared.id} ({declared.origin})\n  sends to:     {claims.host_list(missing.hosts)}")
        _confirm(missing.claims, missing.hosts, options.allow)

        def update(known: Approvals) -> Approvals:
            before = known.packages.get(declared.id)
            kept = before.claims if before is not None and before.hosts >= missing.hosts else frozenset()
            names = kept | {claim.what for claim in missing.claims}
            consent = PackageConsent(package=declared.package, claims=names, hosts=missing.hosts)
            return known.model_copy(update={"packages": {**known.packages, declared.id: consent}})

        _change(update)

    return _checked(declared.id, "needs no approval", allow, confirmed="may be used")


def _checked(id: str, words: str, allow: Callable[[Broken], None], confirmed: str = "is approved") -> int:
    """Load it, and ask once more where it uses another one's credential after all. Says what came of it."""
    try:
        provider = registry.get(id)
    except BrokenProvider as error:
        if error.broken.why is not Why.UNCONFIRMED:
            raise _Refused(error.broken.sentence) from None
        allow(error.broken)
        try:
            provider, words = registry.get(id), confirmed
        except BrokenProvider as again:
            raise _Refused(again.broken.sentence) from None
    console.say(f"{provider.name} {words}. `quotaline providers {id}` tells whether it is connected.")
    return OK


def _confirm(found: Sequence[Claim], hosts: frozenset[str], allowed: Sequence[str]) -> None:
    """Ask for each credential of another provider. Raises _Refused, UsageError."""
    for claim in found:
        owner = registry.get(claim.owner).name
        sentence = (
            f"It uses {claim.what}, a credential of {owner}. Its code names these hosts: {claims.host_list(hosts)}."
        )
        if claim.what in allowed:
            continue
        console.say(sentence)
        if not _answered(f"May it use {claim.what}?", False, f"--allow '{claim.what}'"):
            raise _Refused(f"Without {claim.what} it is not used.")


def _answered(question: str, given: bool, option: str) -> bool:
    """Whether the user says yes. Raises UsageError where nobody can be asked."""
    if given:
        return True
    if sys.stdin is None or not sys.stdin.isatty():
        raise UsageError(f"{question} There is no terminal to ask on; use {option} to say yes.")
    try:
        return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        return False


# --- list and revoke -------------------------------------------------------------------------------


def _list(options: argparse.Namespace) -> int:
    broken = registry.broken()
    known, trouble = approvals.read()
    rows = [_row(one, known, broken) for one in registry.third_party()]
    rows += [Row.of_broken(item) for item in broken if item.why is Why.REFUSED]
    if options.format == "json":
        print(json.dumps([asdict(row) for row in rows], indent=2))
        return OK
    for row in rows:
        console.say(f"{row.id} ({row.origin}): {row.state}")
        for line in (row.file, row.reason, f"may use {', '.join(row.confirmed)}" if row.confirmed else ""):
            if line:
                console.say(f"  {line}")
    if not rows:
        folder = seen_by_others(provider_folder())
        console.say(f"There are none. A Python file in {folder} is a provider once you have approved it.")
    if trouble:
        console.say(trouble, error=True)
    return OK


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the list. `state` is `used`, or why it is not."""

    id: str
    origin: str
    file: str
    state: str = "used"
    reason: str = ""
    confirmed: tuple[str, ...] = ()

    @classmethod
    def of_broken(cls, item: Broken, confirmed: Iterable[str] = ()) -> Row:
        return cls(item.id, item.origin, item.place, str(item.why), item.reason, tuple(sorted(confirmed)))


def _row(declared: PackagedProvider | ProviderFile, known: Approvals, broken: Sequence[Broken]) -> Row:
    if isinstance(declared, ProviderFile):
        confirmed = declared.confirmed
    else:
        consent = known.packages.get(declared.id)
        confirmed = consent.claims if consent is not None else frozenset()
    for item in broken:
        if item.id == declared.id and item.why is not Why.REFUSED:
            return Row.of_broken(item, confirmed)
    return Row(declared.id, declared.origin, declared.home, confirmed=tuple(sorted(confirmed)))


def _revoke(options: argparse.Namespace) -> int:
    id = Path(options.what).stem if options.what.endswith(".py") else options.what
    known, trouble = approvals.read()
    if trouble:
        raise _Refused(trouble)
    if not _without(known, id)[1]:
        raise UsageError(f"Nothing was approved under the name {options.what!r}.")
    _change(lambda known: _without(known, id)[0])
    console.say(f"{id} is no longer approved.")
    return OK


def _without(known: Approvals, id: str) -> tuple[Approvals, bool]:
    """What is left without the approvals for this id, and whether there were any."""
    left = {path: approval for path, approval in known.files.items() if Path(path).stem != id}
    packages = {name: consent for name, consent in known.packages.items() if name != id}
    changed = (left, packages) != (known.files, known.packages)
    return known.model_copy(update={"files": left, "packages": packages}), changed


# --- what they share -------------------------------------------------------------------------------


def _declared(what: str) -> PackagedProvider | ProviderFile:
    """The file or the package's provider that is meant. Raises UsageError."""
    folder = provider_folder()
    if not what.endswith(".py") and os.sep not in what:
        for declared in registry.third_party():
            if declared.id == what:
                return declared
        raise UsageError(f"There is no third-party provider called {what!r}. `quotaline provider list` names them.")
    path = Path(what) if os.sep in what else folder / what
    if not (os.path.isdir(folder) and os.path.isdir(path.parent) and os.path.samefile(path.parent, folder)):
        raise UsageError(f"{path.name} is not in {seen_by_others(folder)}. Put it there first.")
    known = {one.path.name: one for one in registry.agreed().files}
    if path.name not in known:
        raise UsageError(f"There is no {path.name} in {seen_by_others(folder)}.")
    return known[path.name]


def _change(update: Callable[[Approvals], Approvals]) -> None:
    """Keep a change of what is agreed to, and let it hold here. Raises _Refused."""
    try:
        approvals.change(update)
    except approvals.NotKept as error:
        raise _Refused(str(error)) from None
    except OSError as error:
        raise _Refused(f"This cannot be kept: {error.strerror or type(error).__name__}.") from None
    if trouble := approvals.read()[1]:
        raise _Refused(trouble)
    registry.use(approvals.agreed())
    asyncio.run(_tell_editors())


async def _tell_editors() -> None:
    """Have open editors find out again which providers there are."""
    from quotaline.application import build

    application = build()
    try:
        await application.service.rescan_everywhere()
    finally:
        await application.close()


_ACTIONS: dict[str, Callable[[argparse.Namespace], int]] = {"approve": _approve, "list": _list, "revoke": _revoke}
