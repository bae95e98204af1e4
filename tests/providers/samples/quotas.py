"""Samples of vendors that allow so much per day, week or month, read with a key."""

from __future__ import annotations

from tests.providers.samples.sample import KEY, REFUSED_KEY, UNREADABLE, Sample, get, keyed, post

SAMPLES: tuple[Sample, ...] = (
    keyed(
        "crof",
        "CROF_API_KEY",
        get("crof.ai/usage_api/", {"credits": 6.4321, "requests_plan": 300, "usable_requests": 210.5}),
        refusals=REFUSED_KEY,
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
        refusals=REFUSED_KEY,
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
        refusals=REFUSED_KEY,
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
        refusals=REFUSED_KEY,
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
        refusals=REFUSED_KEY,
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
        refusals=REFUSED_KEY,
    ),
    keyed(
        "doubao",
        "ARK_API_KEY",
        post(
            "open.volcengineapi.com/?Action=GetCodingPlanUsage&",
            {
                "Result": {
                    "Status": "Running",
                    "UpdateTimestamp": 1893580000,
                    "QuotaUsage": [{"Level": "session", "Percent": 31.5, "ResetTimestamp": 1893590000}],
                }
            },
        ),
        post(
            "open.volcengineapi.com/?Action=GetAFPUsage&",
            {
                "Result": {
                    "AFPDaily": {"Quota": 9, "Used": 9, "ResetTime": -1},
                    "AFPWeekly": {"Quota": 300, "Used": 75, "ResetTime": 1893900000000},
                }
            },
        ),
        post("ark.cn-beijing.volces.com/api/coding/v3/chat/completions", {"usage": {"total_tokens": 5}}),
        VOLC_ACCESSKEY=f"AKLT{KEY}",
        VOLC_SECRETKEY=KEY,
        refusals={429: None, UNREADABLE: None},
    ),
)
