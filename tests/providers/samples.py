"""An invented good answer of every vendor's network strategies: where the conformance tests start from.

One entry per strategy: what lets it in (always made of `KEY`), and what the vendor answers on each path.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

KEY = "planted-credential-4f1c9b"
"""The secret that every sample's credential is made of."""
GROQ_SESSION = f"e30.eyJodHRwczovL2dyb3EuY29tL29yZ2FuaXphdGlvbiI6eyJpZCI6Im9yZy1sYWIifX0.{KEY}"
ID_TOKEN = "e30.eyJlbWFpbCI6ICJhZGFAbGFiLnRlc3QifQ.x"


@dataclass(frozen=True)
class Exchange:
    """What a vendor answers. `path` is without the query; one that ends in `*` stands for all that begin like it."""

    method: str
    host: str
    path: str
    body: object

    def fits(self, method: str, host: str, path: str) -> bool:
        if (method, host) != (self.method, self.host):
            return False
        return path.startswith(self.path[:-1]) if self.path.endswith("*") else path == self.path

    @property
    def bytes(self) -> bytes:
        return self.body.encode() if isinstance(self.body, str) else json.dumps(self.body).encode()


@dataclass(frozen=True)
class Sample:
    """One strategy, by provider and label. `files` are below the home folder; a text as it is, else JSON."""

    provider: str
    strategy: str
    exchanges: tuple[Exchange, ...]
    environ: Mapping[str, str] = field(default_factory=dict)
    config: Mapping[str, object] = field(default_factory=dict)
    files: Mapping[str, object] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return f"{self.provider}-{self.strategy}".replace(" ", "-")


def get(address: str, body: object) -> Exchange:
    host, _, path = address.partition("/")
    return Exchange("GET", host, f"/{path}", body)


def post(address: str, body: object) -> Exchange:
    host, _, path = address.partition("/")
    return Exchange("POST", host, f"/{path}", body)


def keyed(provider: str, variable: str, *exchanges: Exchange, strategy: str = "api", **environ: str) -> Sample:
    """A strategy with its key in an environment variable."""
    return Sample(provider, strategy, exchanges, environ={variable: KEY, **environ})


WITHOUT: Mapping[tuple[str, str], str] = {
    ("claude", "claude"): "a program is started and talked to: test_claude_cli",
    ("codex", "codex-cli"): "a program is started and talked to: test_codex_program",
}
"""Strategies without a sample, each with the reason and the place where it is tested instead."""

# --- a key and little else -------------------------------------------------------------------------

_KEYS = (
    keyed(
        "crof",
        "CROF_API_KEY",
        get("crof.ai/usage_api/", {"credits": 6.4321, "requests_plan": 300, "usable_requests": 210.5}),
    ),
    keyed(
        "deepgram",
        "DEEPGRAM_API_KEY",
        get("api.deepgram.com/v1/projects", {"projects": [{"project_id": "p1", "name": "Lab"}, {"project_id": "p2"}]}),
        get(
            "api.deepgram.com/v1/projects/p1/usage/breakdown",
            {
                "start": "2029-12-05",
                "end": "2030-01-02",
                "results": [
                    {"hours": 2.5, "total_hours": 3.1, "agent_hours": 0.5, "tokens_in": 900, "tokens_out": 80},
                    {"requests": 11, "tts_characters": 420},
                ],
            },
        ),
        get("api.deepgram.com/v1/projects/p2/usage/breakdown", {"results": [{"requests": 2}]}),
    ),
    keyed(
        "elevenlabs",
        "ELEVENLABS_API_KEY",
        get(
            "api.elevenlabs.io/v1/user/subscription",
            {
                "tier": "team_plus",
                "status": "trialing",
                "character_count": 3100,
                "character_limit": 12000,
                "next_character_count_reset_unix": 1894100000,
                "character_refresh_period": "monthly_period",
                "voice_slots_used": 4,
                "voice_limit": 9,
                "professional_voice_slots_used": 1,
                "professional_voice_limit": 2,
                "currency": "eur",
                "current_overage": {"amount": "1.25", "currency": "eur"},
                "next_invoice": {"amount_due_cents": 2200, "next_payment_attempt_unix": 1894200000},
            },
        ),
    ),
    keyed(
        "poe",
        "POE_API_KEY",
        get("api.poe.com/usage/current_balance", {"current_point_balance": 8100}),
        get(
            "api.poe.com/usage/points_history",
            {
                "has_more": False,
                "data": [
                    {
                        "query_id": "q-9",
                        "creation_time": 1893585000000000,
                        "bot_name": "Muse",
                        "usage_type": "API",
                        "cost_points": 55,
                        "cost_usd": "0.04",
                    },
                    {"query_id": "q-8", "creation_time": "2030-01-01T08:00:00Z", "bot_name": "Muse", "points": "7"},
                ],
            },
        ),
    ),
    keyed(
        "venice",
        "VENICE_API_KEY",
        get(
            "api.venice.ai/api/v1/billing/balance",
            {
                "canConsume": True,
                "consumptionCurrency": "DIEM",
                "balances": {"diem": "12.5", "usd": "3.75"},
                "diemEpochAllocation": "50",
            },
        ),
    ),
    keyed(
        "synthetic",
        "SYNTHETIC_API_KEY",
        get(
            "api.synthetic.new/v2/quotas",
            {
                "subscription": {"limit": 400, "requests": 44, "renewsAt": "2030-01-20T00:00:00Z"},
                "rollingFiveHourLimit": {
                    "max": 250,
                    "remaining": 190,
                    "tickPercent": 0.04,
                    "nextTickAt": "2030-01-02T12:20:00Z",
                },
                "weeklyTokenLimit": {
                    "percentRemaining": 62.5,
                    "maxCredits": "$80.00",
                    "remainingCredits": "$50.00",
                    "nextRegenCredits": "$8.00",
                    "nextRegenAt": "2030-01-02T16:00:00Z",
                },
                "search": {"hourly": {"limit": 60, "requests": 12, "renewsAt": 1893590000}},
            },
        ),
    ),
    keyed(
        "kimik2",
        "KIMI_K2_API_KEY",
        get(
            "kimi-k2.ai/api/user/credits",
            {
                "data": {
                    "usage": {
                        "total": 1300,
                        "credits_remaining": 4200,
                        "average_tokens": "750",
                        "updated_at": "2030-01-01T23:00:00Z",
                    }
                }
            },
        ),
    ),
    keyed(
        "litellm",
        "LITELLM_API_KEY",
        get(
            "gateway.test/key/info",
            {"info": {"user_id": "u 7", "team_id": "t-7", "expires": "2030-05-01T00:00:00Z", "max_budget": 3}},
        ),
        get(
            "gateway.test/user/info",
            {
                "user_info": {
                    "user_email": "ada@lab.test",
                    "max_budget": 30,
                    "spend": 12.5,
                    "budget_reset_at": "2030-02-01T00:00:00Z",
                },
                "teams": [{"team_id": "t-7", "team_alias": "lab", "max_budget": "60", "spend": 6}],
            },
        ),
        get("gateway.test/team/info", {"team_id": "t-7", "team_info": {"max_budget": 60, "spend": 6}}),
        LITELLM_BASE_URL="https://gateway.test",
    ),
    keyed(
        "llmproxy",
        "LLM_PROXY_API_KEY",
        get(
            "gateway.test/v1/quota-stats",
            {
                "providers": {
                    "north": {
                        "credential_count": 4,
                        "active_count": 3,
                        "exhausted_count": 1,
                        "total_requests": 210,
                        "tokens": {"input_cached": 10, "input_uncached": 400, "output": 90},
                        "approx_cost": 1.2,
                        "quota_groups": {"fast": {"remaining_percent": 35, "reset_time": "2030-01-02T18:00:00Z"}},
                    },
                    "south": {"quota_groups": [{"remaining_percent": 80, "reset_time": 1893600000}]},
                },
                "summary": {"total_requests": 230, "total_tokens": 520, "approx_cost": 1.4},
            },
        ),
        LLM_PROXY_BASE_URL="https://gateway.test",
    ),
    keyed(
        "moonshot",
        "MOONSHOT_API_KEY",
        get(
            "api.moonshot.ai/v1/users/me/balance",
            {
                "code": 0,
                "status": True,
                "scode": "0x0",
                "data": {"available_balance": "8.25", "voucher_balance": 9, "cash_balance": -0.75},
            },
        ),
        get(
            "api.moonshot.ai/v1/users/me",
            {
                "code": 0,
                "status": True,
                "data": {
                    "organization": {"id": "lab", "max_concurrency": 3, "max_request_per_minute": 70},
                    "user": {"user_group_id": "tier-3"},
                },
            },
        ),
    ),
    keyed(
        "warp",
        "WARP_API_KEY",
        post(
            "app.warp.dev/graphql/v2",
            {
                "data": {
                    "user": {
                        "__typename": "UserOutput",
                        "user": {
                            "requestLimitInfo": {
                                "isUnlimited": False,
                                "nextRefreshTime": "2030-01-20T00:00:00Z",
                                "requestLimit": 500,
                                "requestsUsedSinceLastRefresh": 130,
                            },
                            "bonusGrants": [
                                {
                                    "requestCreditsGranted": 100,
                                    "requestCreditsRemaining": 40,
                                    "expiration": "2030-01-30T00:00:00Z",
                                }
                            ],
                            "workspaces": [
                                {
                                    "bonusGrantsInfo": {
                                        "grants": [{"requestCreditsGranted": 10, "requestCreditsRemaining": 10}]
                                    }
                                }
                            ],
                        },
                    }
                }
            },
        ),
    ),
    keyed(
        "azureopenai",
        "AZURE_OPENAI_API_KEY",
        post("lab.azure.test/openai/deployments/chat/chat/completions", {"model": "model-8", "id": "c-1"}),
        strategy="deployment",
        AZURE_OPENAI_ENDPOINT="https://lab.azure.test",
        AZURE_OPENAI_DEPLOYMENT_NAME="chat",
    ),
    keyed(
        "openrouter",
        "OPENROUTER_API_KEY",
        get("openrouter.ai/api/v1/credits", {"data": {"total_credits": 50, "total_usage": 12.5}}),
        get(
            "openrouter.ai/api/v1/key",
            {
                "data": {
                    "limit": 25,
                    "limit_remaining": 10,
                    "limit_reset": "weekly",
                    "usage": 40,
                    "usage_daily": 0.5,
                    "usage_weekly": 2,
                    "usage_monthly": 9,
                    "is_free_tier": False,
                    "rate_limit": {"requests": 30, "interval": "10s"},
                }
            },
        ),
        get(
            "openrouter.ai/api/v1/activity",
            {
                "data": [
                    {
                        "date": "2030-01-01",
                        "model": "lab/muse",
                        "requests": 4,
                        "usage": 0.25,
                        "byok_usage_inference": 0.5,
                        "prompt_tokens": 300,
                        "completion_tokens": 40,
                        "reasoning_tokens": 9,
                    }
                ]
            },
        ),
        OPENROUTER_MANAGEMENT_API_KEY=KEY,
    ),
    keyed(
        "openai",
        "OPENAI_ADMIN_KEY",
        get(
            "api.openai.com/v1/organization/costs",
            {
                "has_more": False,
                "next_page": None,
                "data": [
                    {
                        "start_time": 1893456000,
                        "end_time": 1893542400,
                        "results": [{"amount": {"value": "1.5", "currency": "usd"}, "line_item": "muse, input"}],
                    },
                    {"start_time": 1893542400, "end_time": 1893628800, "results": [{"amount": {"value": 2}}]},
                ],
            },
        ),
        get(
            "api.openai.com/v1/organization/usage/completions",
            {
                "has_more": False,
                "data": [
                    {
                        "start_time": 1893456000,
                        "end_time": 1893542400,
                        "results": [
                            {
                                "model": "muse",
                                "input_tokens": 900,
                                "input_cached_tokens": 100,
                                "output_tokens": 70,
                                "num_model_requests": 6,
                            }
                        ],
                    }
                ],
            },
        ),
        get(
            "api.openai.com/v1/dashboard/billing/credit_grants",
            {"total_granted": 30, "total_used": 12, "total_available": 18, "grants": {"data": []}},
        ),
    ),
    keyed(
        "zai",
        "Z_AI_API_KEY",
        get(
            "api.z.ai/api/monitor/usage/quota/limit",
            {
                "code": 200,
                "success": True,
                "data": {
                    "level": "pro",
                    "limits": [
                        {
                            "type": "TOKENS_LIMIT",
                            "unit": 3,
                            "number": 5,
                            "percentage": 34,
                            "nextResetTime": 1893600000000,
                        },
                        {
                            "type": "TIME_LIMIT",
                            "unit": 5,
                            "number": 1,
                            "usage": 900,
                            "currentValue": 90,
                            "remaining": 810,
                            "usageDetails": [{"modelCode": "search", "usage": 60}],
                        },
                    ],
                },
            },
        ),
        get(
            "api.z.ai/api/monitor/usage/model-usage",
            {
                "code": 200,
                "success": True,
                "data": {
                    "x_time": ["2029-12-31", "2030-01-01"],
                    "modelDataList": [{"modelName": "glm-x", "tokensUsage": [40, "70"]}],
                },
            },
        ),
        get(
            "api.z.ai/api/biz/subscription/list",
            {"code": 200, "success": True, "data": [{"productName": "GLM Max", "status": "VALID"}]},
        ),
    ),
    keyed(
        "deepseek",
        "DEEPSEEK_API_KEY",
        get(
            "api.deepseek.com/user/balance",
            {
                "is_available": True,
                "balance_infos": [
                    {
                        "currency": "USD",
                        "total_balance": "7.50",
                        "granted_balance": "2.50",
                        "topped_up_balance": "5.00",
                    }
                ],
            },
        ),
    ),
    keyed(
        "deepseek",
        "DEEPSEEK_PLATFORM_TOKEN",
        get(
            "platform.deepseek.com/api/v0/users/get_user_summary",
            {
                "code": 0,
                "data": {
                    "biz_code": 0,
                    "biz_data": {
                        "normal_wallets": [{"currency": "USD", "balance": "3.5"}],
                        "bonus_wallets": [{"currency": "USD", "balance": 1}],
                    },
                },
            },
        ),
        get(
            "platform.deepseek.com/api/v0/usage/amount",
            {
                "code": 0,
                "data": {
                    "biz_code": 0,
                    "biz_data": {
                        "total": [],
                        "days": [
                            {
                                "date": "2030-01-02",
                                "data": [
                                    {
                                        "model": "muse",
                                        "usage": [
                                            {"type": "RESPONSE_TOKEN", "amount": "60"},
                                            {"type": "REQUEST", "amount": "2"},
                                        ],
                                    }
                                ],
                            }
                        ],
                    },
                },
            },
        ),
        get(
            "platform.deepseek.com/api/v0/usage/cost",
            {
                "code": 0,
                "data": {
                    "biz_code": 0,
                    "biz_data": [
                        {
                            "currency": "USD",
                            "total": [],
                            "days": [
                                {
                                    "date": "2030-01-02",
                                    "data": [
                                        {"model": "muse", "usage": [{"type": "RESPONSE_TOKEN", "amount": "0.02"}]}
                                    ],
                                }
                            ],
                        }
                    ],
                },
            },
        ),
        strategy="web",
    ),
    keyed(
        "chutes",
        "CHUTES_API_KEY",
        get(
            "api.chutes.ai/users/me/subscription_usage",
            {
                "subscription": {"plan": "plus"},
                "windows": [
                    {"name": "rolling 4 hours", "used": 20, "limit": 80, "reset_at": "2030-01-02T15:00:00Z"},
                    {"name": "monthly", "used": 300, "limit": 900, "reset_at": 1895000000},
                ],
                "rolling": {"used": 20, "limit": 80},
                "monthly": {"used": 300, "limit": 900},
            },
        ),
        get("api.chutes.ai/users/me/quotas", [{"chute_id": "c-1", "quota": 200}]),
        get("api.chutes.ai/users/me/quota_usage/*", {"quota": 200, "used": 21}),
    ),
    keyed(
        "codebuff",
        "CODEBUFF_API_KEY",
        post(
            "www.codebuff.com/api/v1/usage",
            {"usage": 120, "quota": 480, "remainingBalance": 360, "next_quota_reset": "2030-01-09T00:00:00Z"},
        ),
        get(
            "www.codebuff.com/api/user/subscription",
            {
                "displayName": "Plus",
                "subscription": {"status": "active", "tier": 2},
                "rateLimit": {"weeklyUsed": 30, "weeklyLimit": 90, "weeklyResetsAt": "2030-01-08T00:00:00Z"},
            },
        ),
    ),
)

# --- a login, a cookie, several ways ---------------------------------------------------------------

_CLAUDE_USAGE = {
    "five_hour": {"utilization": 31, "resets_at": "2030-01-02T15:00:00Z"},
    "seven_day": {"utilization": 12.5, "resets_at": "2030-01-06T09:00:00Z"},
    "seven_day_sonnet": {"utilization": 4, "resets_at": None},
    "seven_day_routines": {"utilization": 2},
    "limits": [
        {
            "kind": "weekly_scoped",
            "group": "weekly",
            "percent": 8,
            "resets_at": "2030-01-06T09:00:00Z",
            "scope": {"model": {"id": "saga-3", "display_name": "Saga 3"}},
        }
    ],
    "extra_usage": {
        "is_enabled": True,
        "monthly_limit": 2500,
        "used_credits": 400,
        "utilization": 16,
        "currency": "EUR",
    },
}
_CLAUDE_SITE = (
    get("claude.ai/api/organizations", [{"uuid": "o7", "name": "Lab", "capabilities": ["chat"]}]),
    get("claude.ai/api/organizations/o7/usage", _CLAUDE_USAGE),
    get(
        "claude.ai/api/account",
        {
            "email_address": "ada@lab.test",
            "memberships": [{"organization": {"uuid": "o7", "rate_limit_tier": "default_claude_max_5x"}}],
        },
    ),
    get(
        "claude.ai/api/organizations/o7/overage_spend_limit",
        {"is_enabled": True, "used_credits": 600, "monthly_credit_limit": 2400, "currency": "USD"},
    ),
    get("claude.ai/api/organizations/o7/prepaid/credits", {"amount": 350, "currency": "USD"}),
)
_CODEX_USAGE = {
    "plan_type": "pro",
    "email": "ada@lab.test",
    "rate_limit": {
        "primary_window": {"used_percent": 27, "limit_window_seconds": 18000, "reset_at": 1893600000},
        "secondary_window": {"used_percent": 55, "limit_window_seconds": 604800, "reset_at": 1894000000},
    },
    "additional_rate_limits": [
        {
            "limit_name": "Spark",
            "metered_feature": "spark",
            "rate_limit": {
                "primary_window": {"used_percent": 3, "limit_window_seconds": 18000, "reset_at": 1893600000}
            },
        }
    ],
    "credits": {"has_credits": True, "unlimited": False, "balance": "12.5"},
}
_CODEX_LOGIN = {
    "tokens": {"access_token": KEY, "refresh_token": f"r-{KEY}", "id_token": ID_TOKEN, "account_id": "acc-7"}
}
_CODEX_SITE = (
    get("chatgpt.com/backend-api/wham/usage", _CODEX_USAGE),
    get(
        "chatgpt.com/backend-api/wham/rate-limit-reset-credits",
        {"available_count": 2, "credits": [{"id": "v-7", "status": "available", "expires_at": "2030-02-02T00:00:00Z"}]},
    ),
    get(
        "chatgpt.com/backend-api/accounts/acc-7/spend-controls/current-user/monthly-usage",
        {"current_month_usage": 7, "effective_monthly_limit": {"limit": "70", "enforcement_mode": "HARD_CAP"}},
    ),
)

_LOGINS = (
    keyed(
        "claude",
        "ANTHROPIC_ADMIN_KEY",
        get(
            "api.anthropic.com/v1/organizations/cost_report",
            {
                "has_more": False,
                "data": [
                    {
                        "starting_at": "2030-01-01T00:00:00Z",
                        "ending_at": "2030-01-02T00:00:00Z",
                        "results": [{"amount": "830.5", "currency": "USD", "description": "Saga output"}],
                    }
                ],
            },
        ),
        get(
            "api.anthropic.com/v1/organizations/usage_report/messages",
            {
                "has_more": False,
                "data": [
                    {
                        "starting_at": "2030-01-01T00:00:00Z",
                        "ending_at": "2030-01-02T00:00:00Z",
                        "results": [
                            {
                                "model": "saga",
                                "uncached_input_tokens": 700,
                                "cache_creation": {"ephemeral_5m_input_tokens": 20},
                                "cache_read_input_tokens": 300,
                                "output_tokens": 90,
                            }
                        ],
                    }
                ],
            },
        ),
        strategy="admin-api",
    ),
    Sample(
        "claude",
        "oauth",
        (
            get("api.anthropic.com/api/oauth/usage", _CLAUDE_USAGE),
            get(
                "api.anthropic.com/api/oauth/profile",
                {"account": {"email": "ada@lab.test"}, "organization": {"rate_limit_tier": "max_20x"}},
            ),
            *_CLAUDE_SITE,
        ),
        environ={"QUOTALINE_CLAUDE_OAUTH_TOKEN": f"sk-ant-oat01-{KEY}"},
    ),
    Sample("claude", "web", _CLAUDE_SITE, config={"cookieHeader": f"sk-ant-sid01-{KEY}"}),
    Sample("codex", "oauth", _CODEX_SITE, files={".codex/auth.json": _CODEX_LOGIN}),
    Sample(
        "codex",
        "pat",
        (
            get(
                "auth.openai.com/api/accounts/v1/user-auth-credential/whoami",
                {"chatgpt_account_id": "acc-7", "chatgpt_plan_type": "plus", "email": "ada@lab.test"},
            ),
            *_CODEX_SITE,
        ),
        files={".codex/auth.json": {"personalAccessToken": KEY}},
    ),
    Sample(
        "codex",
        "openai-web",
        (
            get("chatgpt.com/backend-api/me", {"email": "ada@lab.test"}),
            get("chatgpt.com/api/auth/session", {"user": {"email": "ada@lab.test"}}),
            get("chatgpt.com/backend-api/subscriptions", {"active_until": "2030-03-01T00:00:00Z", "will_renew": True}),
            *_CODEX_SITE,
        ),
        config={"cookieHeader": f"__Secure-next-auth.session-token.0={KEY}; oai-did=7"},
    ),
    Sample(
        "copilot",
        "api",
        (
            get(
                "api.github.com/copilot_internal/user",
                {
                    "login": "ada",
                    "copilot_plan": "individual_pro",
                    "quota_reset_date_utc": "2030-02-01T00:00:00Z",
                    "quota_snapshots": {
                        "premium_interactions": {
                            "entitlement": 300,
                            "remaining": 120,
                            "percent_remaining": 40,
                            "overage_count": 0,
                            "overage_permitted": True,
                        },
                        "chat": {"unlimited": True},
                        "completions": {"entitlement": 2000, "remaining": 500},
                    },
                },
            ),
            get("api.github.com/user", {"id": 41, "login": "ada"}),
            get("api.github.com/user/orgs", [{"login": "lab"}]),
            get(
                "api.github.com/orgs/lab/settings/billing/usage/summary",
                {
                    "usageItems": [
                        {"product": "Copilot", "unitType": "AI-Credits", "grossQuantity": 20, "netAmount": 0.75}
                    ]
                },
            ),
            get(
                "github.com/settings/billing/budgets",
                {
                    "payload": {
                        "budgets": [
                            {"id": 5, "name": "Lab", "sku": "copilot", "limit": 20, "usage": 4},
                            {"id": "b", "skus": ["spark"], "targetAmount": "9", "currentAmount": 1},
                        ],
                        "hasNextPage": False,
                    }
                },
            ),
        ),
        environ={"COPILOT_API_TOKEN": KEY},
        config={"budgetExtrasEnabled": True, "cookieHeader": f"user_session={KEY}"},
    ),
    Sample(
        "gemini",
        "api",
        (
            post(
                "cloudcode-pa.googleapis.com/v1internal:loadCodeAssist",
                {
                    "cloudaicompanionProject": "lab-7",
                    "currentTier": {"id": "standard-tier", "name": "Standard"},
                    "paidTier": {"id": "pro", "name": "Pro"},
                },
            ),
            post(
                "cloudcode-pa.googleapis.com/v1internal:retrieveUserQuota",
                {
                    "buckets": [
                        {
                            "modelId": "gemini-9-pro",
                            "tokenType": "REQUESTS",
                            "remainingFraction": 0.4,
                            "resetTime": "2030-01-03T08:00:00Z",
                        },
                        {"modelId": "gemini-9-flash", "remainingFraction": 0.9, "resetTime": "2030-01-03T08:00:00Z"},
                    ]
                },
            ),
            get(
                "cloudresourcemanager.googleapis.com/v1/projects",
                {"projects": [{"projectId": "gen-lang-client-7", "labels": {"generative-language": "enabled"}}]},
            ),
        ),
        files={
            ".gemini/oauth_creds.json": {
                "access_token": KEY,
                "refresh_token": f"r-{KEY}",
                "id_token": ID_TOKEN,
                "expiry_date": 1893672000000,
            }
        },
    ),
)

_SEVERAL_WAYS = (
    keyed(
        "doubao",
        "ARK_API_KEY",
        post(
            "open.volcengineapi.com/",
            {
                "Result": {
                    "Status": "Running",
                    "UpdateTimestamp": 1893580000,
                    "QuotaUsage": [{"Level": "session", "Percent": 31.5, "ResetTimestamp": 1893590000}],
                    "AFPWeekly": {"Quota": 300, "Used": 75, "ResetTime": 1893900000000},
                }
            },
        ),
        post("ark.cn-beijing.volces.com/api/coding/v3/chat/completions", {"usage": {"total_tokens": 5}}),
        VOLC_ACCESSKEY=f"AKLT{KEY}",
        VOLC_SECRETKEY=KEY,
    ),
    keyed(
        "groq",
        "GROQ_SESSION_TOKEN",
        post("api.stytchb2b.groq.com/sdk/v1/b2b/sessions/authenticate", {"data": {"session_jwt": GROQ_SESSION}}),
        get(
            "api.groq.com/platform/v1/organizations/org-lab/activity",
            {
                "data": [
                    {
                        "organization_name": "Lab",
                        "model": "swift-9",
                        "timestamp": 1893580000,
                        "num_requests": 12,
                        "n_context_tokens_total": 4000,
                        "n_non_cached_context_tokens_total": 3000,
                        "n_generated_tokens_total": 700,
                        "cost": 0.031,
                    }
                ]
            },
        ),
        strategy="web",
    ),
    keyed(
        "groq",
        "GROQ_API_KEY",
        get(
            "api.groq.com/v1/metrics/prometheus/api/v1/query",
            {"status": "success", "data": {"result": [{"value": [1893580000, "0.4"]}]}},
        ),
    ),
    keyed(
        "kilo",
        "KILO_API_KEY",
        get(
            "app.kilo.ai/api/trpc/user.getCreditBlocks,kiloPass.getState,user.getAutoTopUpPaymentMethod",
            [
                {"result": {"data": {"creditBlocks": [{"amount_mUsd": 7000000, "balance_mUsd": 2100000}]}}},
                {
                    "result": {
                        "data": {
                            "subscription": {
                                "tier": "tier_49",
                                "currentPeriodUsageUsd": 11.5,
                                "currentPeriodBaseCreditsUsd": 46,
                                "nextBillingAt": "2030-01-20T00:00:00Z",
                            }
                        }
                    }
                },
                {"result": {"data": {"json": {"enabled": True, "amountCents": 3500}}}},
            ],
        ),
    ),
)

# --- clouds ----------------------------------------------------------------------------------------

_CLOUDS = (
    Sample(
        "bedrock",
        "api",
        (
            post(
                "ce.us-east-1.amazonaws.com/",
                {
                    "ResultsByTime": [
                        {
                            "TimePeriod": {"Start": "2030-01-01", "End": "2030-01-02"},
                            "Groups": [
                                {"Keys": ["Amazon Bedrock"], "Metrics": {"UnblendedCost": {"Amount": "4.2"}}},
                                {"Keys": ["Amazon EC2"], "Metrics": {"UnblendedCost": {"Amount": "77.5"}}},
                            ],
                        }
                    ]
                },
            ),
            post(
                "monitoring.us-east-1.amazonaws.com/",
                {
                    "MetricDataResults": [
                        {"Id": "inputTokens", "StatusCode": "Complete", "Values": [1200.0, 88.0]},
                        {"Id": "requests", "StatusCode": "Complete", "Values": [9.0]},
                    ],
                    "Messages": [],
                },
            ),
        ),
        environ={
            "AWS_ACCESS_KEY_ID": "DEMO",
            "AWS_SECRET_ACCESS_KEY": KEY,
            "AWS_SESSION_TOKEN": KEY,
            "CODEXBAR_BEDROCK_BUDGET": "25",
        },
    ),
    Sample(
        "vertexai",
        "oauth",
        (
            post("oauth2.googleapis.com/token", {"access_token": KEY, "expires_in": 3599, "id_token": ID_TOKEN}),
            get(
                "monitoring.googleapis.com/v3/projects/lab/timeSeries",
                {
                    "timeSeries": [
                        {
                            "metric": {"labels": {"quota_metric": "cloud.test/tries", "limit_name": "L"}},
                            "resource": {"labels": {"location": "europe-west9"}},
                            "points": [{"value": {"int64Value": "12"}}, {"value": {"doubleValue": 8.5}}],
                        }
                    ],
                    "nextPageToken": "",
                },
            ),
        ),
        config={"workspaceID": "lab"},
        files={
            ".config/gcloud/application_default_credentials.json": {
                "type": "authorized_user",
                "client_id": "demo",
                "client_secret": KEY,
                "refresh_token": KEY,
            }
        },
    ),
)

# --- plans by key or by a browser's session --------------------------------------------------------

_KIMI_DETAIL = {"limit": "900", "used": "90", "remaining": "810", "resetTime": "2030-01-06T00:00:00.5Z"}
_KIMI_LIMITS = [
    {
        "window": {"duration": 300, "timeUnit": "TIME_UNIT_MINUTE"},
        "detail": {"limit": 90, "remaining": 60, "reset_at": "2030-01-02T14:00:00Z"},
    }
]
_ALIBABA_ANSWER = {
    "code": "200",
    "successResponse": {
        "body": json.dumps(
            {
                "codingPlanInstanceInfos": [{"planName": "Lab Plan", "status": "VALID", "endTime": 1900000000000}],
                "codingPlanQuotaInfo": {
                    "per5HourUsedQuota": 12,
                    "per5HourTotalQuota": "480",
                    "per5HourQuotaNextRefreshTime": 1893600000000,
                },
            }
        )
    },
    "data": {
        "coding_plan_quota_info": {
            "perWeekUsedQuota": 70,
            "perWeekTotalQuota": 2800,
            "perWeekQuotaNextRefreshTime": "2030-01-06 00:00:00",
            "perBillMonthUsedQuota": "300",
            "perBillMonthTotalQuota": 7000,
            "perBillMonthQuotaNextRefreshTime": 1895000000,
        }
    },
}
_MINIMAX_REMAINS = {
    "base_resp": {"status_code": 0, "status_msg": "ok"},
    "data": {
        "current_subscribe_title": "Lab Max",
        "points_balance": "120",
        "model_remains": [
            {
                "model_name": "general",
                "current_interval_total_count": 0,
                "current_interval_usage_count": 0,
                "current_interval_remaining_percent": 70,
                "current_interval_status": 1,
                "start_time": 1893578400000,
                "end_time": 1893596400000,
                "interval_boost_permill": 1500,
                "current_weekly_remaining_percent": "85",
                "weekly_start_time": 1893456000000,
                "weekly_end_time": 1894060800000,
            },
            {
                "model_name": "speech-lab",
                "current_interval_total_count": 400,
                "current_interval_usage_count": 300,
                "remains_time": 5400,
            },
        ],
    },
}

_PLANS = (
    keyed(
        "kimi",
        "KIMI_CODE_API_KEY",
        get("api.kimi.com/coding/v1/usages", {"usage": _KIMI_DETAIL, "limits": _KIMI_LIMITS}),
        strategy="Kimi Code API key",
    ),
    keyed(
        "kimi",
        "KIMI_AUTH_TOKEN",
        post(
            "www.kimi.com/apiv2/kimi.gateway.billing.v1.BillingService/GetUsages",
            {"usages": [{"scope": "FEATURE_CODING", "detail": _KIMI_DETAIL, "limits": _KIMI_LIMITS}]},
        ),
        post(
            "www.kimi.com/apiv2/kimi.gateway.membership.v2.MembershipService/GetSubscriptionStats",
            {
                "subscriptionBalance": {"feature": "FEATURE_OMNI", "amountUsedRatio": 0.2, "expireTime": "2030-02-03"},
                "ratelimitCode7d": {"ratio": 0.4, "enabled": True, "resetTime": "2030-01-06T00:00:00Z"},
            },
        ),
        strategy="Kimi web cookie",
    ),
    keyed(
        "ollama",
        "OLLAMA_API_KEY",
        post("ollama.com/api/web_search", {"results": []}),
        get("ollama.com/api/tags", {"models": [{"name": "lab:2b"}]}),
        post(
            "ollama.com/api/me",
            {
                "ID": "u3",
                "Email": "ada@lab.test",
                "Plan": "pro",
                "SubscriptionPeriodEnd": {"Time": "2030-02-02T00:00:00Z", "Valid": True},
                "Usage": {
                    "Session_Usage": {"used": 3, "limit": 12, "reset_in": 600},
                    "weekly-usage": {"percent": "9%", "reset_at": 1894000000},
                },
            },
        ),
    ),
    Sample(
        "ollama",
        "web",
        (
            get(
                "ollama.com/settings",
                "<span>Cloud Usage</span><span>pro</span><p id='header-email'>ada@lab.test</p>"
                "<b>Session usage</b> 4.5% used <i data-time='2030-01-02T16:00:00Z'></i>"
                "<b>Weekly usage</b> <i style='width: 30%' data-time='2030-01-06T00:00:00Z'></i>",
            ),
        ),
        config={"cookieHeader": f"session={KEY}"},
    ),
    keyed(
        "amp",
        "AMP_API_KEY",
        post(
            "ampcode.com/api/internal",
            {
                "ok": True,
                "result": {
                    "displayText": "Signed in as ada@lab.test (Lab)\n"
                    "Amp Free: $3/$12 remaining (replenishes +$.5/hour)\n"
                    "Subscription Lab: 8% other usage and 9% orb usage remaining - resets upon renewal in 2 months\n"
                    "Individual credits: $1,000.5 remaining\nWorkspace Red: $2 remaining"
                },
            },
        ),
    ),
    Sample(
        "amp",
        "web",
        (
            get(
                "ampcode.com/settings",
                '<script>{freeTierUsage:{a:"}",quota:60,used:15,hourlyReplenishment:2.5,windowHours:24}}</script>',
            ),
        ),
        config={"cookieHeader": f"session={KEY}"},
    ),
    keyed(
        "alibaba",
        "DASHSCOPE_API_KEY",
        post("modelstudio.console.alibabacloud.com/data/api.json", _ALIBABA_ANSWER),
        post("bailian.console.aliyun.com/data/api.json", _ALIBABA_ANSWER),
        strategy="alibaba-coding-plan.api",
    ),
    keyed(
        "alibaba",
        "ALIBABA_CODING_PLAN_COOKIE",
        get("modelstudio.console.alibabacloud.com/ap-southeast-1/", "<html>"),
        get("modelstudio.console.alibabacloud.com/tool/user/info.json", {"data": {"secToken": "demo"}}),
        post("bailian-singapore-cs.alibabacloud.com/data/api.json", _ALIBABA_ANSWER),
        strategy="alibaba-coding-plan.web",
        ALIBABA_CODING_PLAN_COOKIE=f"login_aliyunid_ticket={KEY}; cna=x",
    ),
    keyed(
        "minimax",
        "MINIMAX_CODING_API_KEY",
        get("api.minimax.io/v1/token_plan/remains", _MINIMAX_REMAINS),
        get(
            "api.minimax.io/v1/api/openplatform/coding_plan/remains",
            {
                "data": {
                    "services": [
                        {
                            "service_type": "Text Generation Pro",
                            "window_type": "5 hours",
                            "time_range": "20:00-01:00(UTC+8)",
                            "usage": 6,
                            "limit": 60,
                            "percent": "10",
                        }
                    ]
                }
            },
        ),
    ),
    keyed(
        "minimax",
        "MINIMAX_COOKIE",
        get(
            "platform.minimax.io/user-center/payment/coding-plan",
            "<html>Coding Plan Max <b>Available usage: 600 prompts / 5 hours</b> 12% used. Resets in 40 min</html>",
        ),
        get("platform.minimax.io/v1/api/openplatform/coding_plan/remains", _MINIMAX_REMAINS),
        get(
            "www.minimax.io/v1/api/openplatform/charge/combo/cycle_audio_resource_package",
            {
                "base_resp": {"status_code": "0"},
                "data": {
                    "current_subscribe": {
                        "current_subscribe_title": "TokenPlanMax",
                        "current_subscribe_end_time": "02/28/2030",
                        "renewal_date": 1896000000,
                    }
                },
            },
        ),
        get(
            "platform.minimax.io/account/amount",
            {
                "total_cnt": 2,
                "charge_records": [
                    {"consume_token": "40", "consume_cash": "0.2", "ymd": "2030-01-01", "method": "chat", "model": "m"},
                    {"consume_input_token": 5, "created_at": 1893500000, "status": "SUCCESS"},
                ],
            },
        ),
        strategy="web",
        MINIMAX_COOKIE=f"minimax_group_id_v2=123456; lab={KEY}",
    ),
)

SAMPLES: tuple[Sample, ...] = (*_KEYS, *_PLANS, *_LOGINS, *_SEVERAL_WAYS, *_CLOUDS)
