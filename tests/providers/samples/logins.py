"""Samples of vendors whose own programs hold the login."""

from __future__ import annotations

from quotaline_providers.errors import ExpiredCredential, Forbidden, ReadError, Unavailable
from tests.providers.samples.sample import ID_TOKEN, KEY, REFUSED_KEY, UNREADABLE, Sample, get, keyed, post

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

SAMPLES: tuple[Sample, ...] = (
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
        refusals=REFUSED_KEY,
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
        refusals={403: Unavailable},
    ),
    Sample(
        "claude",
        "web",
        _CLAUDE_SITE,
        config={"cookieHeader": f"sk-ant-sid01-{KEY}"},
        refusals={403: ExpiredCredential, 404: Unavailable},
    ),
    Sample("codex", "oauth", _CODEX_SITE, files={".codex/auth.json": _CODEX_LOGIN}, refusals=REFUSED_KEY),
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
        refusals=REFUSED_KEY,
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
        refusals={403: ExpiredCredential, 404: ExpiredCredential, UNREADABLE: ReadError},
        barred=(Forbidden,),
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
