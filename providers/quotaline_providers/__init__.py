"""Where a number comes from: every provider Quotaline can read, and the facilities they read with.

What an author of a provider needs is exported here: `from quotaline_providers import ApiKey, Provider, Strategy, ...`.
It is imported when it is first used, so that asking for the version alone costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from quotaline_providers.access.clock import wrong_clock as wrong_clock
    from quotaline_providers.access.cookies import (
        cookie_values as cookie_values,
        is_capture as is_capture,
        normalize_cookie as normalize_cookie,
    )
    from quotaline_providers.access.endpoints import (
        base_address as base_address,
        check_address as check_address,
        configured_server as configured_server,
        endpoint as endpoint,
    )
    from quotaline_providers.access.login_shell import in_login_shell as in_login_shell
    from quotaline_providers.access.lookups import (
        Always as Always,
        ApiKey as ApiKey,
        Chosen as Chosen,
        CookieHeader as CookieHeader,
        LoginFile as LoginFile,
        Program as Program,
        ServerKey as ServerKey,
        bare_key as bare_key,
    )
    from quotaline_providers.contract import (
        HTML as HTML,
        AccountKind as AccountKind,
        Choice as Choice,
        Context as Context,
        Conversation as Conversation,
        Credential as Credential,
        EntryProblem as EntryProblem,
        Feed as Feed,
        Lookup as Lookup,
        Option as Option,
        OptionType as OptionType,
        Origin as Origin,
        OriginKind as OriginKind,
        Paced as Paced,
        Provider as Provider,
        ProviderKind as ProviderKind,
        Refusal as Refusal,
        Refusals as Refusals,
        Response as Response,
        SignedIn as SignedIn,
        SignInPrompt as SignInPrompt,
        StatusKind as StatusKind,
        StatusPage as StatusPage,
        Strategy as Strategy,
        after as after,
        after_any_error as after_any_error,
        paced as paced,
        unlabelled as unlabelled,
    )
    from quotaline_providers.errors import (
        BadResponse as BadResponse,
        ExpiredCredential as ExpiredCredential,
        Forbidden as Forbidden,
        Misconfigured as Misconfigured,
        MissingCredential as MissingCredential,
        MissingProgram as MissingProgram,
        RateLimited as RateLimited,
        ReadError as ReadError,
        TimedOut as TimedOut,
        Unavailable as Unavailable,
    )
    from quotaline_providers.fetching.history_option import HISTORY as HISTORY, history_days as history_days
    from quotaline_providers.fetching.optional import (
        beside as beside,
        in_time as in_time,
        optional as optional,
        together as together,
    )
    from quotaline_providers.fetching.refusals import refused_key as refused_key
    from quotaline_providers.formatting import (
        amount as amount,
        grouped as grouped,
        money as money,
        percent as percent,
        plan_name as plan_name,
        tokens as tokens,
        yuan as yuan,
    )
    from quotaline_providers.installation import to_add as to_add
    from quotaline_providers.lengths import (
        believable_length as believable_length,
        believable_reset as believable_reset,
        length_name as length_name,
        usual_length as usual_length,
    )
    from quotaline_providers.model import (
        DAY_MINUTES as DAY_MINUTES,
        MONTH_MINUTES as MONTH_MINUTES,
        SESSION_MINUTES as SESSION_MINUTES,
        WEEK_MINUTES as WEEK_MINUTES,
        Balance as Balance,
        Blocked as Blocked,
        Chart as Chart,
        Confidence as Confidence,
        Identity as Identity,
        Lane as Lane,
        Point as Point,
        Row as Row,
        Section as Section,
        Spend as Spend,
        Usage as Usage,
        Window as Window,
    )
    from quotaline_providers.parsing.currencies import decimals_of as decimals_of, from_minor as from_minor
    from quotaline_providers.parsing.json_search import Object as Object, objects as objects, value_of as value_of
    from quotaline_providers.parsing.payload import (
        Flag as Flag,
        Integer as Integer,
        JsonDocument as JsonDocument,
        JsonObject as JsonObject,
        NeededNumber as NeededNumber,
        Number as Number,
        P as P,
        Payload as Payload,
        StrictNumber as StrictNumber,
        Text as Text,
        When as When,
        at_epoch as at_epoch,
        child as child,
        clamped as clamped,
        clean as clean,
        exact as exact,
        jwt_claims as jwt_claims,
        lenient as lenient,
        lenient_items as lenient_items,
        lenient_part as lenient_part,
        needed_number as needed_number,
        parse_or_none as parse_or_none,
        share as share,
        to_integer as to_integer,
        to_number as to_number,
        to_text as to_text,
        to_time as to_time,
        to_words as to_words,
    )
    from quotaline_providers.parsing.sentences import sentence as sentence
    from quotaline_providers.pools import last_to_stop as last_to_stop, paid_on as paid_on
    from quotaline_providers.secret import Secret as Secret
    from quotaline_providers.settings import ProviderSettings as ProviderSettings, Source as Source

__version__ = "0.1.0"

_EXPORTS = {
    "access.clock": "wrong_clock",
    "access.cookies": "cookie_values is_capture normalize_cookie",
    "access.endpoints": "base_address check_address configured_server endpoint",
    "access.login_shell": "in_login_shell",
    "access.lookups": ("Always ApiKey Chosen CookieHeader LoginFile Program ServerKey bare_key"),
    "contract": (
        "HTML AccountKind Choice Context Conversation Credential EntryProblem Feed Lookup Option OptionType Origin "
        "OriginKind Paced Provider ProviderKind Refusal Refusals Response SignedIn SignInPrompt StatusKind StatusPage "
        "Strategy after after_any_error paced unlabelled"
    ),
    "errors": (
        "BadResponse ExpiredCredential Forbidden Misconfigured MissingCredential MissingProgram RateLimited "
        "ReadError TimedOut Unavailable"
    ),
    "fetching.history_option": "HISTORY history_days",
    "fetching.optional": "beside in_time optional together",
    "fetching.refusals": "refused_key",
    "formatting": "amount grouped money percent plan_name tokens yuan",
    "lengths": "believable_length believable_reset length_name usual_length",
    "installation": "to_add",
    "model": (
        "DAY_MINUTES MONTH_MINUTES SESSION_MINUTES WEEK_MINUTES Balance Blocked Chart Confidence Identity Lane "
        "Point Row Section Spend Usage Window"
    ),
    "parsing.currencies": "decimals_of from_minor",
    "parsing.json_search": "Object objects value_of",
    "parsing.payload": (
        "Flag Integer JsonDocument JsonObject NeededNumber Number P Payload StrictNumber Text When at_epoch "
        "child clamped clean exact jwt_claims lenient lenient_items lenient_part needed_number parse_or_none share "
        "to_integer to_number to_text to_time to_words"
    ),
    "parsing.sentences": "sentence",
    "pools": "last_to_stop paid_on",
    "secret": "Secret",
    "settings": "ProviderSettings Source",
}
_MODULES = {name: module for module, names in _EXPORTS.items() for name in names.split()}
__all__ = ["__version__", *_MODULES]


if not TYPE_CHECKING:  # type checkers know each name by the imports above

    def __getattr__(name: str) -> object:
        """An exported name, imported now. Raises AttributeError."""
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
        globals()[name] = value
        return value
