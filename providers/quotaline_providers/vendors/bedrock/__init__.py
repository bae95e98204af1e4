"""AWS Bedrock: what it cost this month, beside a budget the user sets, and what Claude did there in two weeks."""

from __future__ import annotations

from quotaline_providers import Option, OptionType, Provider, StatusPage, Strategy
from quotaline_providers.vendors.bedrock.api import from_api
from quotaline_providers.vendors.bedrock.credentials import CONNECT, AwsLogin

PROVIDER = Provider(
    id="bedrock",
    name="AWS Bedrock",
    aliases=("aws-bedrock",),
    connect=CONNECT,
    summary="This month's cost beside a budget, and Claude's tokens of 14 days; AWS bills $0.01 for each request.",
    dashboard="https://console.aws.amazon.com/bedrock",
    keys="",
    status=StatusPage("https://health.aws.amazon.com/health/status"),
    fields=("region",),
    options=(
        Option("awsAuthMode", "`keys` or `profile`; without it keys are used where both halves are known."),
        Option("awsProfile", "The profile of the AWS configuration files whose login is used."),
        Option("monthlyBudget", "A budget in US dollars to compare the month's cost with.", OptionType.NUMBER),
    ),
    strategies=(Strategy.api(from_api, AwsLogin()),),
    min_interval=3600,
    deadline=120,
)
