"""JetBrains AI: monthly AI credits, read from the quota file an IDE keeps in its configuration folder. No network."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from xml.parsers import expat

from pydantic import Field, ValidationError

import quotaline_providers as ql

QUOTA_FILE = Path("options") / "AIAssistantQuotaManager2.xml"
COMPONENT = "AIAssistantQuotaManager2"
CREDIT = 100_000  # current IDEs write amounts in 1/100,000 credit

# --- what the IDE writes ---------------------------------------------------------------------------


class Amounts(ql.Payload):
    """One pot of credits; numbers come as text."""

    current: ql.Number = None
    maximum: ql.Number = None
    available: ql.Number = None

    @property
    def known(self) -> bool:
        return any(amount is not None for amount in (self.current, self.maximum, self.available))


class QuotaInfo(Amounts):
    """Option `quotaInfo`. `until` ends the licence, not the month."""

    type: ql.Text = None
    until: ql.When = None
    tariff: Annotated[Amounts, ql.lenient_part(Amounts)] = Field(default=Amounts(), alias="tariffQuota")
    top_up: Annotated[Amounts, ql.lenient_part(Amounts)] = Field(default=Amounts(), alias="topUpQuota")


class Refill(ql.Payload):
    """How much comes back and for how long (`PT720H`, `P30D`, `P4W`)."""

    amount: ql.Number = None
    duration: ql.Text = None


class NextRefill(Refill):
    """Option `nextRefill`; amount and duration may stand under `tariff`."""

    next: ql.When = None
    tariff: Annotated[Refill | None, ql.lenient(Refill)] = None


@dataclass(frozen=True, slots=True)
class Quota:
    """What one quota file says."""

    info: QuotaInfo
    refill: NextRefill


# --- how it is read --------------------------------------------------------------------------------


def parse_quota(text: str) -> Quota:
    """The quota of one file's text. Raises BadResponse; a broken `nextRefill` is left out."""
    options = _options(text)
    raw = options.get("quotaInfo", "").strip()
    if not raw:
        raise _no_quota()
    try:
        info = QuotaInfo.model_validate_json(raw)
    except ValidationError:
        raise ql.BadResponse("The quota in the IDE's quota file cannot be understood.") from None
    if not (info.known or info.tariff.known or info.top_up.known):
        raise _no_quota()
    try:
        refill = NextRefill.model_validate_json(options.get("nextRefill", "{}"))
    except ValidationError:
        refill = NextRefill()
    return Quota(info, refill)


def _no_quota() -> ql.BadResponse:
    return ql.BadResponse(
        "The IDE's quota file has no quota information.", "Use AI Assistant once in the IDE, then try again."
    )


def _options(text: str) -> dict[str, str]:
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise ql.BadResponse("The IDE's quota file declares a document type, which is not read.")
    options: dict[str, str] = {}
    above: list[tuple[str, str | None]] = []

    def begin(tag: str, attributes: dict[str, str]) -> None:
        if tag == "option" and above == [("application", None), ("component", COMPONENT)]:
            options[attributes.get("name", "")] = attributes.get("value", "")
        above.append((tag, attributes.get("name") if above else None))

    # The parser under ElementTree: a sidecar holds it for days, and needs no tree. Without a DTD no entity can expand.
    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = begin, lambda tag: above.pop()
    try:
        parser.Parse(text.lstrip("\ufeff").strip(), True)
    except expat.ExpatError:
        raise ql.BadResponse("The IDE's quota file is not valid XML.") from None
    return options


def minutes_of(duration: str | None) -> int | None:
    """The length of an ISO 8601 duration with one part, in minutes; None for any other text."""
    match = re.fullmatch(r"P(?:T(\d+)H|(\d+)D|(\d+)W)", duration or "", re.IGNORECASE)
    if match is None:
        return None
    hours, days, weeks = (int(part or 0) for part in match.groups())
    return hours * 60 + days * 1440 + weeks * 10080 or None


def _sum(*amounts: float | None) -> float | None:
    known = [amount for amount in amounts if amount is not None]
    return sum(known) if known else None


def _first(*amounts: float | None) -> float | None:
    return next((amount for amount in amounts if amount is not None), None)


def to_usage(quota: Quota, now: datetime, ide: str | None = None, written: datetime | None = None) -> ql.Usage:
    """The quota as usage. `ide` names the IDE it was found in, `written` is the file's age."""
    info, refill = quota.info, quota.refill
    maximum = _first(info.maximum, _sum(info.tariff.maximum, info.top_up.maximum))
    used = _first(info.current, _sum(info.tariff.current, info.top_up.current))
    remaining = _first(info.available, _sum(info.tariff.available, info.top_up.available))
    if remaining is None and maximum is not None:
        remaining = max(0.0, maximum - (used or 0))
    amount = _first(refill.amount, refill.tariff.amount if refill.tariff else None)
    duration = refill.duration or (refill.tariff.duration if refill.tariff else None)
    largest = max((value for value in (maximum, used, remaining, amount) if value is not None), default=0)
    scale = CREDIT if largest >= CREDIT else 1

    expired = refill.next is not None and refill.next <= now
    window = ql.Window(
        id="current",
        label="Current",
        used_percent=ql.share(used or 0, maximum or 0),
        used=None if used is None else used / scale,
        limit=None if maximum is None else maximum / scale,
        unit="credits",
        minutes=minutes_of(duration),
        resets_at=None if expired else refill.next,
        description="Expired" if expired else None,
        lane="primary",
        blocks=True,
    )
    rows: list[ql.Row] = []
    if used is not None and maximum is not None:
        rows.append(ql.Row(label="Used", value=f"{ql.grouped(used / scale)} / {ql.grouped(maximum / scale)} credits"))
    if remaining is not None:
        rows.append(ql.Row(label="Remaining", value=f"{ql.grouped(remaining / scale)} credits"))
    if expired and refill.next:
        rows.append(ql.Row(label="Refill was due", value=f"{refill.next:%Y-%m-%d}"))
    if info.until:
        rows.append(ql.Row(label="Subscription end", value=f"{info.until:%Y-%m-%d}"))
    if written:
        rows.append(ql.Row(label="Written by the IDE", value=f"{written:%Y-%m-%d %H:%M} UTC"))
    return ql.Usage(
        updated_at=now,
        windows=(window,),
        identity=ql.Identity(login=info.type, organization=ide),
        details=(ql.Section(title="AI credits", rows=tuple(rows)),) if rows else (),
        subscription_expires_at=info.until,
    )


# --- where the file is -----------------------------------------------------------------------------

_COMMUNITY = (  # longer than a prefix of the vendor's main list, so matched before it
    ("IntelliJIdeaCE", "IntelliJ IDEA Community"),
    ("PyCharmCE", "PyCharm Community"),
    ("IdeaIC", "IntelliJ IDEA Community"),
)
_SAME_NAME = ["WebStorm", "GoLand", "CLion", "DataGrip", "RubyMine", "Rider", "PhpStorm", "AppCode", "Fleet"]
PRODUCTS: tuple[tuple[str, str], ...] = (
    *_COMMUNITY,
    ("IntelliJIdea", "IntelliJ IDEA"),
    ("PyCharm", "PyCharm"),
    *((name, name) for name in _SAME_NAME),
    ("AndroidStudio", "Android Studio"),
    *((name, name) for name in ("RustRover", "Aqua", "DataSpell", "Writerside")),
)


@dataclass(frozen=True, slots=True)
class Ide:
    """An IDE's configuration folder. `version` is `Unknown` when the folder names none."""

    folder: Path
    name: str
    version: str

    @property
    def label(self) -> str:
        return f"{self.name} {self.version}"

    @property
    def quota_file(self) -> Path:
        return self.folder / QUOTA_FILE

    @property
    def order(self) -> tuple[str, tuple[int, ...]]:
        """By name ascending, version descending; missing version parts count as 0."""
        numbers = [-int(number) for number in re.findall(r"\d+", self.version)]
        return self.name, (*numbers, *[0] * (8 - len(numbers)))


def ide_of(folder: Path) -> Ide | None:
    """The IDE of this folder, by its name; None for any other folder."""
    for prefix, name in PRODUCTS:
        if folder.name.lower().startswith(prefix.lower()):
            return Ide(folder, name, folder.name[len(prefix) :] or "Unknown")
    return None


def base_folders(ctx: ql.Context) -> tuple[Path, ...]:
    """Where IDEs keep their configuration folders on this system."""
    if ctx.platform == "darwin":
        support = ctx.home / "Library" / "Application Support"
        return support / "JetBrains", support / "Google"
    if ctx.platform == "win32":
        return ctx.config_home() / "JetBrains", ctx.config_home() / "Google"
    config, data = ctx.home / ".config", ctx.home / ".local" / "share"
    folders = (
        *(base / "JetBrains" for base in (ctx.config_home(), ctx.data_home(), config, data)),
        *(base / "Google" for base in (ctx.config_home(), config)),
    )
    return tuple(dict.fromkeys(folders))


def installed(ctx: ql.Context) -> tuple[Ide, ...]:
    """All IDE folders, also those without a quota file: what a setting may offer to choose from."""
    return tuple(sorted(_folders(ctx), key=lambda ide: ide.order))


def _folders(ctx: ql.Context) -> Iterator[Ide]:
    for base in base_folders(ctx):
        try:
            children = [child for child in base.iterdir() if child.is_dir()]
        except OSError:
            continue
        yield from (ide for ide in map(ide_of, children) if ide)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A quota file and, when it was detected, the IDE it belongs to."""

    path: Path
    ide: Ide | None = None
    written: datetime | None = None


def candidates(ctx: ql.Context) -> tuple[Candidate, ...]:
    """Quota files of detected IDEs, the most recently written first."""
    found = [
        Candidate(ide.quota_file, ide, _written(ide.quota_file)) for ide in installed(ctx) if _is_file(ide.quota_file)
    ]
    oldest = datetime.min.replace(tzinfo=UTC)
    return tuple(sorted(found, key=lambda candidate: candidate.written or oldest, reverse=True))


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False


def _written(path: Path) -> datetime | None:
    try:
        return ql.at_epoch(path.stat().st_mtime)
    except OSError:
        return None


@dataclass(frozen=True)
class QuotaFiles(ql.Lookup[tuple[Candidate, ...]]):
    """The quota file of the chosen IDE folder, else those of all detected IDEs."""

    def places(self, ctx: ql.Context) -> tuple[str, ...]:
        own = self._chosen(ctx)
        return (ctx.show(own),) if own else tuple(ctx.show(base) for base in base_folders(ctx))

    def probe(self, ctx: ql.Context) -> ql.Origin | None:
        own = self._chosen(ctx)
        paths = [own] if own else [candidate.path for candidate in candidates(ctx)]
        return next((ctx.origin(path) for path in paths if _is_file(path)), None)

    async def find(self, ctx: ql.Context) -> tuple[Candidate, ...]:
        own = self._chosen(ctx)
        if own:
            if not await ctx.files.in_thread(own.exists):
                raise ql.Misconfigured(
                    f"The quota file {ctx.show(own)} was not found.",
                    "Set ideBasePath to the IDE's configuration folder, or remove it to detect the IDE.",
                )
            return (Candidate(own, written=await ctx.files.in_thread(lambda: _written(own))),)
        found = await ctx.files.in_thread(lambda: candidates(ctx))
        if not found:
            raise ql.MissingCredential("No JetBrains IDE with AI Assistant was found.")
        return found

    def _chosen(self, ctx: ql.Context) -> Path | None:
        folder = ctx.settings.own_text("ideBasePath")
        return ctx.expand(folder) / QUOTA_FILE if folder else None


async def from_file(ctx: ql.Context, found: tuple[Candidate, ...]) -> ql.Usage:
    """The first file with a usable quota. Raises BadResponse of the newest when there is none."""
    failure: ql.ReadError | None = None
    for candidate in found:
        try:
            quota = parse_quota(await ctx.files.read(candidate.path))
        except (OSError, ValueError):
            failure = failure or ql.BadResponse(
                f"The quota file {ctx.show(candidate.path)} cannot be read.", "Check the file's permissions."
            )
        except ql.ReadError as error:
            failure = failure or error
        else:
            return to_usage(quota, ctx.now, candidate.ide.label if candidate.ide else None, candidate.written)
    raise failure or ql.BadResponse("No quota file could be read.")


PROVIDER = ql.Provider(
    id="jetbrains",
    name="JetBrains AI",
    kind=ql.ProviderKind.CODING,
    aliases=("jetbrains-ai", "jetbrains-ai-assistant"),
    connect="Enable AI Assistant in a JetBrains IDE and use it once.",
    summary="Monthly AI credits used and left, as the IDE last wrote them.",
    options=(ql.Option("ideBasePath", "The IDE's configuration folder; detected when empty."),),
    strategies=(ql.Strategy.cli(from_file, QuotaFiles(), label="local"),),
)
