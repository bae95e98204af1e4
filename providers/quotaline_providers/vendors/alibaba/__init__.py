"""Alibaba Coding Plan: 5-hour, weekly and monthly requests, from the cloud console by cookie or by API key."""

from __future__ import annotations

from quotaline_providers import Provider, ProviderKind, StatusPage, Strategy, unlabelled
from quotaline_providers.vendors.alibaba.api import from_api
from quotaline_providers.vendors.alibaba.credentials import COOKIE, KEY
from quotaline_providers.vendors.alibaba.regions import CHINA, INTERNATIONAL, REGIONS
from quotaline_providers.vendors.alibaba.web import api_may_help, from_web

PROVIDER = Provider(
    id="alibaba",
    name="Alibaba",
    kind=ProviderKind.CODING,
    connect="Paste the Cookie header of the signed-in Model Studio console, or set ALIBABA_CODING_PLAN_API_KEY.",
    summary="5-hour, weekly and monthly requests of the Model Studio / Bailian Coding Plan.",
    aliases=("alibaba-coding-plan", "bailian"),
    dashboard=REGIONS[INTERNATIONAL].dashboard,
    status=StatusPage("https://status.aliyun.com"),
    keys="https://modelstudio.console.alibabacloud.com/",
    regions=(INTERNATIONAL, CHINA),
    min_interval=180,
    deadline=150,
    strategies=(
        Strategy.web(from_web, COOKIE, label="alibaba-coding-plan.web", falls_through=api_may_help, applies=unlabelled),
        Strategy.api(from_api, KEY, label="alibaba-coding-plan.api"),
    ),
)
