"""Vertex AI: the fullest quota of a Google Cloud project, read from Cloud Monitoring with gcloud's default login."""

from __future__ import annotations

from quotaline_providers import Provider, StatusPage, Strategy
from quotaline_providers.vendors.vertexai.credentials import SIGN_IN, DefaultCredentials
from quotaline_providers.vendors.vertexai.oauth import from_oauth

PROVIDER = Provider(
    id="vertexai",
    name="Vertex AI",
    connect=SIGN_IN,
    summary="The fullest Vertex AI quota of a Google Cloud project, and the quotas closest to their limits.",
    homes=("CLOUDSDK_CONFIG",),
    dashboard="https://console.cloud.google.com/vertex-ai",
    status=StatusPage("https://status.cloud.google.com"),
    fields=("workspaceID",),
    min_interval=600,
    deadline=150,
    strategies=(Strategy.oauth(from_oauth, DefaultCredentials()),),
)
