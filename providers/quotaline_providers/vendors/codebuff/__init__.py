"""Codebuff: credit balance and weekly limit over the network, tokens per model from the CLI's chat files.

The halves are independent: each is shown when the other has nothing or fails.
"""

from __future__ import annotations

from quotaline_providers import Option, Provider, ProviderKind, Strategy
from quotaline_providers.vendors.codebuff.api import from_account
from quotaline_providers.vendors.codebuff.credentials import TOKEN, DataFolders
from quotaline_providers.vendors.codebuff.local import from_chats

PROVIDER = Provider(
    id="codebuff",
    name="Codebuff",
    kind=ProviderKind.CODING,
    aliases=("manicode",),
    connect="Run `codebuff login`, or set CODEBUFF_API_KEY.",
    summary="Credits used and left, the weekly limit, and tokens per model from local chats.",
    dashboard="https://www.codebuff.com/usage",
    keys="",
    options=(
        Option("dataDir", "One more folder with Codebuff data, beside the CLI's own.", also=("data_dir", "extra")),
    ),
    strategies=(
        Strategy.api(from_account, TOKEN),
        Strategy.local(from_chats, DataFolders()),
    ),
)
