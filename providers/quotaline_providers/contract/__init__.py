"""What a provider is, and what its strategies are handed: the contract between vendors and everything else.

A provider module ends in one `PROVIDER = Provider(...)` value whose strategies pair a *lookup* (how to find the
credential) with a *fetch* (a coroutine from a context and what was found to a `Usage`).
"""

from __future__ import annotations

from quotaline_providers.contract.context import Account as Account, Context as Context, Profiles as Profiles
from quotaline_providers.contract.credentials import (
    Credential as Credential,
    Origin as Origin,
    OriginKind as OriginKind,
)
from quotaline_providers.contract.facilities import (
    HTML as HTML,
    Browsers as Browsers,
    Conversation as Conversation,
    Databases as Databases,
    Files as Files,
    Finished as Finished,
    Http as Http,
    Keyring as Keyring,
    KeyringState as KeyringState,
    Memory as Memory,
    Processes as Processes,
    Refusal as Refusal,
    Refusals as Refusals,
    RequestOptions as RequestOptions,
    Response as Response,
)
from quotaline_providers.contract.provider import (
    AccountKind as AccountKind,
    Choice as Choice,
    EntryProblem as EntryProblem,
    Feed as Feed,
    Option as Option,
    OptionType as OptionType,
    Paced as Paced,
    Provider as Provider,
    ProviderKind as ProviderKind,
    StatusKind as StatusKind,
    StatusPage as StatusPage,
    paced as paced,
    paced_by_length as paced_by_length,
)
from quotaline_providers.contract.sign_in import (
    SignedIn as SignedIn,
    SignIn as SignIn,
    SignInPrompt as SignInPrompt,
    checked_code as checked_code,
    is_page_of as is_page_of,
)
from quotaline_providers.contract.strategies import (
    Fetch as Fetch,
    Lookup as Lookup,
    Strategy as Strategy,
    StrategyOptions as StrategyOptions,
    after as after,
    after_any_error as after_any_error,
    missing_only as missing_only,
    unlabelled as unlabelled,
)
