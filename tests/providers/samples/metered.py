"""Samples of vendors that charge for what is used: balances, spends and counts, read with a key."""

from __future__ import annotations

from tests.providers.samples.sample import KEY, REFUSED_KEY, Sample, get, keyed, post
from tests.providers.web_tokens import jwt

GROQ_SESSION = f"e30.eyJodHRwczovL2dyb3EuY29tL29yZ2FuaXphdGlvbiI6eyJpZCI6Im9yZy1sYWIifX0.{KEY}"

SAMPLES: tuple[Sample, ...] = (
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
        refusals=REFUSED_KEY,
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
        refusals=REFUSED_KEY,
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
        refusals=REFUSED_KEY,
    ),
    Sample(
        "venice",
        "web",
        (
            get(
                "outerface.venice.ai/api/user/session",
                {
                    "token": jwt(
                        exp=1893600000,
                        userType="PRO",
                        bundledCreditsUsage={
                            "usedThisCycle": 30,
                            "monthlyRefillCredits": 120,
                            "availableCredits": 90,
                            "nextRefillAt": 1894000000000,
                        },
                        veniceCredits=15,
                    )
                },
            ),
        ),
        config={"cookieHeader": f"__venice-auth.session-token={KEY}"},
        refusals=REFUSED_KEY,
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
        refusals=REFUSED_KEY,
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
        refusals=REFUSED_KEY,
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
        refusals=REFUSED_KEY,
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
        refusals=REFUSED_KEY,
    ),
    keyed(
        "groq",
        "GROQ_API_KEY",
        get(
            "api.groq.com/v1/metrics/prometheus/api/v1/query",
            {"status": "success", "data": {"result": [{"value": [1893580000, "0.4"]}]}},
        ),
    ),
)
