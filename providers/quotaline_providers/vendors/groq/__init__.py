"""GroqCloud: spend, tokens and requests of an organisation from the console, or its present rates with an API key.

Neither has a quota. Not related to Grok of xAI.
"""

from __future__ import annotations

from quotaline_providers import (
    HISTORY,
    AccountKind,
    ApiKey,
    ExpiredCredential,
    Provider,
    StatusPage,
    Strategy,
    after,
    unlabelled,
)
from quotaline_providers.vendors.groq.api import from_metrics
from quotaline_providers.vendors.groq.credentials import ConsoleSession
from quotaline_providers.vendors.groq.web import from_console

PROVIDER = Provider(
    id="groq",
    name="GroqCloud",
    connect="Set GROQ_SESSION_TOKEN to the stytch_session cookie of console.groq.com, or GROQ_API_KEY (Enterprise).",
    summary="Spend, tokens and requests from the console's session; present rates with an Enterprise API key.",
    aliases=("groqcloud", "groq-api"),
    dashboard="https://console.groq.com/dashboard/usage",
    status=StatusPage("https://status.groq.com"),
    keys="https://console.groq.com/keys",
    options=(HISTORY,),
    accounts=AccountKind.TOKEN,
    min_interval=300,
    deadline=90,
    strategies=(
        Strategy.web(
            from_console,
            ConsoleSession(),
            falls_through=after(ExpiredCredential),
            applies=unlabelled,
        ),
        Strategy.api(from_metrics, ApiKey(env=("GROQ_API_KEY",))),
    ),
)
