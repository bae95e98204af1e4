"""What a sign-in puts before the user: a page on the host that was asked, and a code of capitals and digits."""

from __future__ import annotations

import pytest

from quotaline_providers import BadResponse, SignInPrompt
from quotaline_providers.contract import is_page_of

HOSTS = ("github.com", "ghe.example:8443")


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/login/device",
        "https://www.github.com/login/device?user_code=AB-12#top",
        "https://GitHub.com./login",
        "https://github.com:443/login",
        "https://ghe.example:8443/login",
    ],
)
def test_a_page_of_the_host_that_was_asked_is_opened(url: str) -> None:
    assert SignInPrompt("Open it.", url, "AB-12", HOSTS).url == url


@pytest.mark.parametrize(
    "url",
    [
        "http://github.com/login",
        "https://evilgithub.com/login",
        "https://github.com.evil.test/login",
        "https://github.com@evil.test/login",
        "https://evil.test\\@github.com/login",
        "https://github.com:99999/login",
        "https://github.com:8443/login",
        "https://ghe.example/login",
        "https:///login",
        "https://github.com/a b",
        "https://github.com/\u202e",
        "https://gith\u00fcb.com/",
        "command:workbench.action.quit",
        "file:///etc/passwd",
    ],
)
def test_any_other_address_is_refused(url: str) -> None:
    with pytest.raises(BadResponse):
        SignInPrompt("Open it.", url, hosts=HOSTS)


def test_without_a_host_that_was_asked_no_page_is_opened() -> None:
    assert not is_page_of("https://github.com/", ())


@pytest.mark.parametrize("code", ["ab-12", "AB 12", "AB\u200b12", "[AB](command:x)", "$(zap)", "A" * 41, "\uff21B"])
def test_a_code_with_other_characters_is_refused(code: str) -> None:
    with pytest.raises(BadResponse):
        SignInPrompt("Type it.", "https://github.com/", code, HOSTS)
