"""Samples of the clouds' own meters."""

from __future__ import annotations

from tests.providers.samples.sample import ID_TOKEN, KEY, Sample, get, keyed, post

SAMPLES: tuple[Sample, ...] = (
    keyed(
        "azureopenai",
        "AZURE_OPENAI_API_KEY",
        post("lab.azure.test/openai/deployments/chat/chat/completions", {"model": "model-8", "id": "c-1"}),
        strategy="deployment",
        AZURE_OPENAI_ENDPOINT="https://lab.azure.test",
        AZURE_OPENAI_DEPLOYMENT_NAME="chat",
    ),
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
