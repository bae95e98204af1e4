"""Kimi's two regions. A credential belongs to one of them and is never sent to the other."""

from __future__ import annotations

import re
from dataclasses import dataclass

from quotaline_providers import Context, Misconfigured


@dataclass(frozen=True, slots=True)
class Region:
    """A region by its name in the CLI's `region` file, and the domain of its hosts and cookies."""

    name: str
    domain: str

    @property
    def api(self) -> str:
        return f"https://api.{self.domain}"

    @property
    def site(self) -> str:
        return f"https://www.{self.domain}"

    @property
    def cookie_hosts(self) -> tuple[str, ...]:
        return (f"www.{self.domain}", f".www.{self.domain}", f".{self.domain}", self.domain)


CHINA = Region("mainland-cn", "kimi.com")
INTERNATIONAL = Region("global", "kimi.ai")
REGIONS = (CHINA, INTERNATIONAL)
_DOMAIN = re.compile(r"(?<![\w.-])(?:www\.|api\.)?(kimi\.com|kimi\.ai)(?![\w.-])", re.IGNORECASE)


def named(name: str | None) -> Region | None:
    """The region of this name; None for any other text."""
    return next((region for region in REGIONS if region.name == name), None)


def configured(ctx: Context) -> Region | None:
    """The region that config `region` names; None when it is not set. Raises Misconfigured for one there is not."""
    if ctx.settings.region is None:
        return None
    region = named(ctx.settings.region)
    if region is None:
        names = " or ".join(f"`{region.name}`" for region in REGIONS)
        raise Misconfigured("The setting region names no region of Kimi.", f"Set region to {names}, or remove it.")
    return region


def region_of_text(text: str) -> Region | None:
    """The one region whose hosts a pasted command names; None for none or both."""
    found = {match.group(1).lower() for match in _DOMAIN.finditer(text)}
    return next((region for region in REGIONS if found == {region.domain}), None)
