"""Where Alibaba's credentials are: the console's cookies and an API key."""

from __future__ import annotations

from quotaline_providers import ApiKey, CookieHeader

COOKIE = CookieHeader(env=("ALIBABA_CODING_PLAN_COOKIE",))
KEY = ApiKey(env=("ALIBABA_CODING_PLAN_API_KEY", "ALIBABA_QWEN_API_KEY", "DASHSCOPE_API_KEY"))
