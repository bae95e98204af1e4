"""z.ai and BigModel CN: the quota of the GLM Coding Plan, its token history and, in China, the account's balance."""

from __future__ import annotations

from quotaline_providers import AccountKind, Provider, ProviderKind, Strategy
from quotaline_providers.vendors.zai.api import from_api
from quotaline_providers.vendors.zai.credentials import CHINA, GLOBAL, RegionalKey, check_entry

PROVIDER = Provider(
    id="zai",
    name="z.ai / GLM",
    kind=ProviderKind.CODING,
    connect="Create an API key at z.ai (or bigmodel.cn with region bigmodel-cn) and set Z_AI_API_KEY.",
    summary="The 5-hour, weekly and tool-call limits of the GLM Coding Plan, with its token history.",
    aliases=("z.ai",),
    dashboard="https://z.ai/manage-apikey/coding-plan/personal/my-plan",
    keys="https://z.ai/manage-apikey/apikey",
    regions=(GLOBAL, CHINA),
    accounts=AccountKind.TOKEN,
    deadline=30,
    check_entry=check_entry,
    strategies=(Strategy.api(from_api, RegionalKey()),),
)
