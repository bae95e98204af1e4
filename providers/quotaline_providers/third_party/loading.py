"""Loading a third-party provider: its code is run, and what goes wrong becomes a `Broken` that names it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from quotaline_providers.contract import Provider
from quotaline_providers.third_party import claims, files
from quotaline_providers.third_party.agreed import Consent, Declared
from quotaline_providers.third_party.broken import Broken, BrokenProvider, Claim, Why, failure
from quotaline_providers.third_party.files import ProviderFile
from quotaline_providers.third_party.outline import Outline, outline
from quotaline_providers.third_party.packages import PackagedProvider


def load(declared: Declared, consent: Consent | None, claimed: Mapping[str, str]) -> Provider:
    """The provider. `claimed` are the credentials of those that come before it. Raises BrokenProvider."""
    value = _run_file(declared) if isinstance(declared, ProviderFile) else _run_package(declared)
    if not isinstance(value, Provider):
        raise _unusable(declared, Why.FAILED, "its PROVIDER is not a Provider")
    if value.id != declared.id:
        raise _unusable(declared, Why.FAILED, f"its PROVIDER has another id than {declared.id}")
    if not files.ID.fullmatch(value.id):
        raise _unusable(declared, Why.FAILED, "its id is not of small letters, digits, `-` and `_` alone")
    if not value.name.isprintable():
        raise _unusable(declared, Why.FAILED, "its name holds characters that cannot be shown")
    _check_claims(declared, value, consent, claimed)
    return value


def _run_package(declared: PackagedProvider) -> object:
    try:
        return declared.load()
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # SystemExit, CancelledError: they would end all that runs
        # Without the cause here and below: what a stranger's code says may hold anything.
        raise BrokenProvider(failure(declared.id, declared.origin, error, declared.owns, declared.home)) from None


def _run_file(declared: ProviderFile) -> object:
    if not files.ID.fullmatch(declared.id):  # no command to be copied into a shell may hold such a name
        raise _unusable(declared, Why.UNAPPROVED, files.MISNAMED)
    approve = f"`quotaline provider approve {declared.path.name}`"
    if declared.digest is None:
        raise _unusable(declared, Why.UNAPPROVED, f"it waits for your approval: {approve}")
    try:
        return getattr(files.load(declared), "PROVIDER", None)
    except files.UnsafeFile as error:
        raise _unusable(declared, Why.UNSAFE, str(error)) from None
    except files.ChangedFile:
        reason = f"it has changed since you approved it; look at it, then {approve}"
        raise _unusable(declared, Why.CHANGED, reason) from None
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        found = failure(declared.id, declared.origin, error, declared.home.__eq__, declared.home)
        raise BrokenProvider(found) from None


def _check_claims(declared: Declared, provider: Provider, consent: Consent | None, claimed: Mapping[str, str]) -> None:
    """Raises BrokenProvider when it uses another one's credential without the user's word."""
    seen = _outline(declared)
    found = claims.conflicts(declared.id, seen, claims.of(provider), claimed)
    holds = consent is not None and (
        isinstance(declared, ProviderFile) or (consent.package == declared.package and seen.hosts <= consent.hosts)
    )
    allowed = consent.claims if consent is not None and holds else frozenset[str]()
    missing = tuple(claim for claim in found if claim.what not in allowed)
    if missing:
        raise BrokenProvider(_unconfirmed(declared, missing, seen.hosts))


def _unconfirmed(declared: Declared, missing: tuple[Claim, ...], hosts: frozenset[str]) -> Broken:
    what = " and ".join(f"{claim.what} of {claim.owner}" for claim in missing)
    name = declared.path.name if isinstance(declared, ProviderFile) else declared.id
    reason = (
        f"it uses {what} and names these hosts: {claims.host_list(hosts)}; `quotaline provider approve {name}` "
        "asks whether it may"
    )
    return Broken(declared.id, declared.origin, Why.UNCONFIRMED, reason, declared.home, claims=missing, hosts=hosts)


def _outline(declared: Declared) -> Outline:
    if isinstance(declared, PackagedProvider):
        return declared.outline()
    with suppress(OSError, files.UnsafeFile, SyntaxError):
        source = files.read(declared.path)
        if source.digest == declared.digest:
            return outline(source.data, declared.home)
    return Outline()


def _unusable(declared: Declared, why: Why, reason: str) -> BrokenProvider:
    return BrokenProvider(Broken(declared.id, declared.origin, why, reason, declared.home))
