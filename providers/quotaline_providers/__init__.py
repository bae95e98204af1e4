"""Where a number comes from: every provider Quotaline can read, and the facilities they read with.

What an author of a provider needs is exported here: `from quotaline_providers import ApiKey, Provider, Strategy, ...`.
It is imported when it is first used, so that asking for the version alone costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from quotaline_providers.access.endpoints import base_address as base_address
    from quotaline_providers.access.endpoints import check_address as check_address
    from quotaline_providers.access.endpoints import endpoint as endpoint
    from quotaline_providers.access.lookups import Always as Always
    from quotaline_providers.access.lookups import ApiKey as ApiKey
    from quotaline_providers.access.lookups import Chosen as Chosen
    from quotaline_providers.access.lookups import CookieHeader as CookieHeader
    from quotaline_providers.access.lookups import LoginFile as LoginFile
    from quotaline_providers.access.lookups import Program as Program
    from quotaline_providers.access.lookups import ServerKey as ServerKey
    from quotaline_providers.access.lookups import bare_key as bare_key
    from quotaline_providers.access.lookups import cookie_values as cookie_values
    from quotaline_providers.access.lookups import normalize_cookie as normalize_cookie
    from quotaline_providers.contract import HTML as HTML
    from quotaline_providers.contract import AccountKind as AccountKind
    from quotaline_providers.contract import Context as Context
    from quotaline_providers.contract import Credential as Credential
    from quotaline_providers.contract import EntryProblem as EntryProblem
    from quotaline_providers.contract import Feed as Feed
    from quotaline_providers.contract import Lookup as Lookup
    from quotaline_providers.contract import Option as Option
    from quotaline_providers.contract import OptionType as OptionType
    from quotaline_providers.contract import Origin as Origin
    from quotaline_providers.contract import OriginKind as OriginKind
    from quotaline_providers.contract import Paced as Paced
    from quotaline_providers.contract import Provider as Provider
    from quotaline_providers.contract import ProviderKind as ProviderKind
    from quotaline_providers.contract import Refusal as Refusal
    from quotaline_providers.contract import Refusals as Refusals
    from quotaline_providers.contract import Response as Response
    from quotaline_providers.contract import SignedIn as SignedIn
    from quotaline_providers.contract import SignInPrompt as SignInPrompt
    from quotaline_providers.contract import StatusKind as StatusKind
    from quotaline_providers.contract import StatusPage as StatusPage
    from quotaline_providers.contract import Strategy as Strategy
    from quotaline_providers.contract import after as after
    from quotaline_providers.contract import after_any_error as after_any_error
    from quotaline_providers.contract import paced as paced
    from quotaline_providers.contract import unlabelled as unlabelled
    from quotaline_providers.errors import BadResponse as BadResponse
    from quotaline_providers.errors import ExpiredCredential as ExpiredCredential
    from quotaline_providers.errors import Forbidden as Forbidden
    from quotaline_providers.errors import Misconfigured as Misconfigured
    from quotaline_providers.errors import MissingCredential as MissingCredential
    from quotaline_providers.errors import MissingProgram as MissingProgram
    from quotaline_providers.errors import RateLimited as RateLimited
    from quotaline_providers.errors import ReadError as ReadError
    from quotaline_providers.errors import TimedOut as TimedOut
    from quotaline_providers.errors import Unavailable as Unavailable
    from quotaline_providers.fetching.optional import beside as beside
    from quotaline_providers.fetching.optional import in_time as in_time
    from quotaline_providers.fetching.optional import optional as optional
    from quotaline_providers.fetching.optional import together as together
    from quotaline_providers.fetching.refusals import refused_key as refused_key
    from quotaline_providers.formatting import amount as amount
    from quotaline_providers.formatting import grouped as grouped
    from quotaline_providers.formatting import money as money
    from quotaline_providers.formatting import percent as percent
    from quotaline_providers.formatting import plan_name as plan_name
    from quotaline_providers.formatting import tokens as tokens
    from quotaline_providers.model import DAY_MINUTES as DAY_MINUTES
    from quotaline_providers.model import MONTH_MINUTES as MONTH_MINUTES
    from quotaline_providers.model import SESSION_MINUTES as SESSION_MINUTES
    from quotaline_providers.model import WEEK_MINUTES as WEEK_MINUTES
    from quotaline_providers.model import Balance as Balance
    from quotaline_providers.model import Chart as Chart
    from quotaline_providers.model import Confidence as Confidence
    from quotaline_providers.model import Identity as Identity
    from quotaline_providers.model import Lane as Lane
    from quotaline_providers.model import Point as Point
    from quotaline_providers.model import Row as Row
    from quotaline_providers.model import Section as Section
    from quotaline_providers.model import Spend as Spend
    from quotaline_providers.model import Usage as Usage
    from quotaline_providers.model import Window as Window
    from quotaline_providers.parsing.payload import Flag as Flag
    from quotaline_providers.parsing.payload import Integer as Integer
    from quotaline_providers.parsing.payload import JsonDocument as JsonDocument
    from quotaline_providers.parsing.payload import JsonObject as JsonObject
    from quotaline_providers.parsing.payload import NeededNumber as NeededNumber
    from quotaline_providers.parsing.payload import Number as Number
    from quotaline_providers.parsing.payload import Payload as Payload
    from quotaline_providers.parsing.payload import StrictNumber as StrictNumber
    from quotaline_providers.parsing.payload import Text as Text
    from quotaline_providers.parsing.payload import When as When
    from quotaline_providers.parsing.payload import at_epoch as at_epoch
    from quotaline_providers.parsing.payload import child as child
    from quotaline_providers.parsing.payload import clamped as clamped
    from quotaline_providers.parsing.payload import clean as clean
    from quotaline_providers.parsing.payload import exact as exact
    from quotaline_providers.parsing.payload import lenient as lenient
    from quotaline_providers.parsing.payload import lenient_items as lenient_items
    from quotaline_providers.parsing.payload import lenient_part as lenient_part
    from quotaline_providers.parsing.payload import parse_or_none as parse_or_none
    from quotaline_providers.parsing.payload import share as share
    from quotaline_providers.parsing.payload import to_number as to_number
    from quotaline_providers.parsing.payload import to_text as to_text
    from quotaline_providers.parsing.payload import to_time as to_time
    from quotaline_providers.secret import Secret as Secret
    from quotaline_providers.settings import ProviderSettings as ProviderSettings
    from quotaline_providers.settings import Source as Source

__version__ = "0.1.0"

_EXPORTS = {
    "access.endpoints": "base_address check_address endpoint",
    "access.lookups": (
        "Always ApiKey Chosen CookieHeader LoginFile Program ServerKey bare_key cookie_values normalize_cookie"
    ),
    "contract": (
        "HTML AccountKind Context Credential EntryProblem Feed Lookup Option OptionType Origin OriginKind "
        "Paced Provider ProviderKind Refusal Refusals Response SignedIn SignInPrompt StatusKind StatusPage "
        "Strategy after after_any_error paced unlabelled"
    ),
    "errors": (
        "BadResponse ExpiredCredential Forbidden Misconfigured MissingCredential MissingProgram RateLimited "
        "ReadError TimedOut Unavailable"
    ),
    "fetching.optional": "beside in_time optional together",
    "fetching.refusals": "refused_key",
    "formatting": "amount grouped money percent plan_name tokens",
    "model": (
        "DAY_MINUTES MONTH_MINUTES SESSION_MINUTES WEEK_MINUTES Balance Chart Confidence Identity Lane Point "
        "Row Section Spend Usage Window"
    ),
    "parsing.payload": (
        "Flag Integer JsonDocument JsonObject NeededNumber Number Payload StrictNumber Text When at_epoch "
        "child clamped clean exact lenient lenient_items lenient_part parse_or_none share to_number to_text "
        "to_time"
    ),
    "secret": "Secret",
    "settings": "ProviderSettings Source",
}
_MODULES = {name: module for module, names in _EXPORTS.items() for name in names.split()}
__all__ = ["__version__", *_MODULES]


def __getattr__(name: str) -> object:
    """An exported name, imported now. Raises AttributeError."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = value
    return value
