"""Samples of gateways to many vendors' models: credits, budgets and quotas per key."""

from __future__ import annotations

from tests.providers.samples.sample import KEY, REFUSED_KEY, Sample, get, keyed

SAMPLES: tuple[Sample, ...] = (
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
        refusals=REFUSED_KEY,
    ),
    keyed(
        "litellm",
        "LITELLM_API_KEY",
        get(
            "gateway.test/key/info",
            {"info": {"user_id": "u 7", "team_id": "t-7", "expires": "2030-05-01T00:00:00Z"}},
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
        refusals=REFUSED_KEY,
    ),
)
