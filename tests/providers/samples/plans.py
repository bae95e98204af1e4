"""Samples of plans that are read with a key or with a browser's session."""

from __future__ import annotations

import json

from tests.providers.samples.sample import KEY, REFUSED_KEY, SIGN_IN_FIRST, Sample, get, keyed, post

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

SAMPLES: tuple[Sample, ...] = (
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
        refusals=REFUSED_KEY,
    ),
    keyed(
        "ollama",
        "OLLAMA_API_KEY",
        get(
            "ollama.com/api/balance",
            {
                "included": {
                    "balance_usd": "18.5",
                    "allowance_usd": 24,
                    "period": {"from": "2029-12-20T00:00:00Z", "until": "2030-01-20T00:00:00Z"},
                },
                "purchased": {"balance_usd": 2},
            },
        ),
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
        refusals=REFUSED_KEY,
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
        refusals=REFUSED_KEY,
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
        refusals=REFUSED_KEY,
    ),
    keyed(
        "alibaba",
        "DASHSCOPE_API_KEY",
        post("modelstudio.console.alibabacloud.com/data/api.json", _ALIBABA_ANSWER),
        post("bailian.console.aliyun.com/data/api.json", _ALIBABA_ANSWER),
        strategy="alibaba-coding-plan.api",
        refusals=REFUSED_KEY,
    ),
    keyed(
        "alibaba",
        "ALIBABA_CODING_PLAN_COOKIE",
        get("modelstudio.console.alibabacloud.com/ap-southeast-1/", "<html>"),
        get("modelstudio.console.alibabacloud.com/tool/user/info.json", {"data": {"secToken": "demo"}}),
        post("bailian-singapore-cs.alibabacloud.com/data/api.json", _ALIBABA_ANSWER),
        strategy="alibaba-coding-plan.web",
        ALIBABA_CODING_PLAN_COOKIE=f"login_aliyunid_ticket={KEY}; cna=x",
        refusals=SIGN_IN_FIRST,
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
        refusals=REFUSED_KEY,
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
        refusals=REFUSED_KEY,
    ),
)
