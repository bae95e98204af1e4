"""Azure OpenAI: which address is asked, what it says, and what is refused before anything is sent."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from quotaline_providers.errors import (
    BadResponse,
    Misconfigured,
    MissingCredential,
)
from quotaline_providers.testing import Read, Route, Vendor
from quotaline_providers.vendors.azureopenai import joined

ENV = {
    "AZURE_OPENAI_API_KEY": "'k'",
    "AZURE_OPENAI_ENDPOINT": '"https://demo.azure.test/"',
    "AZURE_OPENAI_DEPLOYMENT_NAME": " chat ",
}
PATH = "/openai/deployments/chat/chat/completions"


@pytest.fixture
def deployment(vendor: Callable[[str], Vendor]) -> Route:
    return vendor("demo.azure.test").post(PATH, headers={"api-key": "k", "authorization": None})


@pytest.mark.parametrize(
    ("base", "version", "url"),
    [
        ("https://a.test", "2024-10-21", "https://a.test/openai/deployments/my%20d%2Fx/chat/completions"),
        ("https://a.test/base/OpenAI", "x", "https://a.test/base/OpenAI/deployments/my%20d%2Fx/chat/completions"),
        ("https://a.test/base", "v1", "https://a.test/base/openai/v1/chat/completions"),
        ("https://a.test/openai", "v1", "https://a.test/openai/v1/chat/completions"),
        ("https://a.test/openai/v1", "v1", "https://a.test/openai/v1/chat/completions"),
        ("https://a.test/v1", "v1", "https://a.test/v1/openai/v1/chat/completions"),
        ("https://[2001:db8::1]:8443", "v1", "https://[2001:db8::1]:8443/openai/v1/chat/completions"),
        ("https://a.test:443/x/", "x", "https://a.test:443/x/openai/deployments/my%20d%2Fx/chat/completions"),
    ],
)
def test_paths_are_joined_without_repeats(base: str, version: str, url: str) -> None:
    assert joined(base, version, "my d/x") == url


def test_a_dated_version(deployment: Route, read: Read) -> None:
    deployment.answers(model="demo-model")
    usage = read("azureopenai", **ENV)
    assert deployment.requests[0].query == {"api-version": "2024-10-21"}
    assert deployment.requests[0].json == {"messages": [{"role": "user", "content": "ping"}], "max_tokens": 1}
    status = usage.window("status")
    assert (status.used_percent, status.minutes, status.resets_at) == (0, None, None)
    assert status.description == "Deployment: chat · Model: demo-model"
    assert status.placeholder, "it is not a meter"
    assert status.blocks is False
    assert (usage.row("Deployment").value, usage.row("Model").value) == ("chat", "demo-model")
    assert (usage.identity.login_method, usage.identity.organization) == ("Deployment: chat", "demo.azure.test")
    assert usage.source == "deployment"


def test_the_compatible_version(vendor: Callable[[str], Vendor], read: Read) -> None:
    body = {"model": "chat", "messages": [{"role": "user", "content": "ping"}], "max_completion_tokens": 64}
    vendor("demo.azure.test").post("/openai/v1/chat/completions", query={}, json=body).answers(model=None)
    usage = read("azureopenai", **ENV, AZURE_OPENAI_API_VERSION="V1 ")
    assert usage.window("status").description == "Deployment: chat"


@pytest.mark.parametrize("body", [{}, {"model": None}, {"model": " "}])
def test_the_model_may_be_missing(deployment: Route, read: Read, body: dict[str, object]) -> None:
    deployment.answers_json(body)
    usage = read("azureopenai", **ENV, AZURE_OPENAI_API_VERSION=" ")
    assert usage.window("status").description == "Deployment: chat"


def test_config_wins(vendor: Callable[[str], Vendor], read: Read) -> None:
    route = vendor("own.test").post("/openai/deployments/mine/chat/completions", headers={"api-key": "c"})
    route.answers(model="m")
    read("azureopenai", config={"apiKey": "c", "enterpriseHost": "own.test", "workspaceID": "mine"}, **ENV)
    assert route.count == 1


def test_other_names_for_key_and_resource(vendor: Callable[[str], Vendor], read: Read) -> None:
    vendor("demo-one.openai.azure.com").post(PATH, headers={"api-key": "k"}).answers(model="m")
    read("azureopenai", AZURE_API_KEY="k", AZURE_RESOURCE_NAME="demo-one", AZURE_OPENAI_DEPLOYMENT_NAME="chat")


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:1234",
        "http://demo.azure.test",
        "https://user:p@demo.azure.test",
        "https://good.test%2f.evil.test",
        "https://bad host",
        "foo:bar",
        "https://demo.azure.test?x=1",
    ],
)
def test_unsafe_endpoints_are_refused(read: Read, address: str) -> None:
    with pytest.raises(Misconfigured, match="AZURE_OPENAI_ENDPOINT"):
        read("azureopenai", **ENV | {"AZURE_OPENAI_ENDPOINT": address})
    with pytest.raises(Misconfigured, match="enterpriseHost"):
        read("azureopenai", config={"enterpriseHost": address}, **ENV)


@pytest.mark.parametrize("name", ["evil.test/x", "-", "demo-", "dé", "a b", "x" * 70])
def test_an_unusable_resource_name_is_refused(read: Read, name: str) -> None:
    with pytest.raises(Misconfigured, match="AZURE_RESOURCE_NAME"):
        read("azureopenai", AZURE_API_KEY="k", AZURE_RESOURCE_NAME=name, AZURE_OPENAI_DEPLOYMENT_NAME="chat")


def test_the_first_name_of_a_key_and_an_endpoint_win(deployment: Route, read: Read) -> None:
    deployment.answers(model="m")
    read("azureopenai", **ENV, AZURE_API_KEY="other", AZURE_RESOURCE_NAME="other")
    assert deployment.count == 1


def test_gaps_are_told_in_order(read: Read) -> None:
    with pytest.raises(MissingCredential):
        read("azureopenai", AZURE_OPENAI_ENDPOINT="http://x.test")
    with pytest.raises(Misconfigured, match="AZURE_OPENAI_ENDPOINT must"):
        read("azureopenai", AZURE_OPENAI_API_KEY="k", AZURE_OPENAI_ENDPOINT="http://x.test")
    with pytest.raises(Misconfigured, match="endpoint is missing"):
        read("azureopenai", AZURE_OPENAI_API_KEY="k")
    with pytest.raises(Misconfigured, match="AZURE_OPENAI_DEPLOYMENT_NAME"):
        read("azureopenai", AZURE_OPENAI_API_KEY="k", AZURE_OPENAI_ENDPOINT="x.test:443/y")


def test_a_bad_request_advises_the_compatible_version(deployment: Route, read: Read) -> None:
    deployment.fails(400)
    with pytest.raises(BadResponse) as raised:
        read("azureopenai", **ENV)
    assert "v1" in raised.value.hint
    assert deployment.count == 1


@pytest.mark.parametrize("body", ["pong", "<html>", "[]"])
def test_answers_that_cannot_be_understood(deployment: Route, read: Read, body: str) -> None:
    deployment.answers_text(body)
    with pytest.raises(BadResponse):
        read("azureopenai", **ENV)
