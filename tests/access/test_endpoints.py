"""Which overridden addresses are taken and which are refused before a credential goes anywhere."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from quotaline_providers.access.endpoints import check_address, configured_server, endpoint, same_origin, without_query
from quotaline_providers.errors import Misconfigured


@pytest.mark.parametrize(
    ("value", "address"),
    [
        ("https://own.example", "https://own.example"),
        (" 'https://own.example/v1/' ", "https://own.example/v1"),
        ("own.example", "https://own.example"),
        ("own.example/api", "https://own.example/api"),
        ("own.example:8443", "https://own.example:8443"),
        ("own.example:8443/path", "https://own.example:8443/path"),
        ("own.example:8443?q=1", "https://own.example:8443?q=1"),
        ("HTTPS://Own.Example", "HTTPS://Own.Example"),
        ("localhost:4000", "https://localhost:4000"),
        ("[2001:db8::1]:8443", "https://[2001:db8::1]:8443"),
        ("https://[::ffff:10.0.0.1]", "https://[::ffff:10.0.0.1]"),
        ("https://own.example/a%2Fb", "https://own.example/a%2Fb"),
        ("https://bücher.example", "https://bücher.example"),
    ],
)
def test_these_are_taken(value: str, address: str) -> None:
    assert endpoint(value, "OWN_URL") == address


@pytest.mark.parametrize(
    "value",
    [
        "",
        "   ",
        "javascript:alert(1)",
        "ftp://own.example",
        "file:///etc/hosts",
        "mailto:a@b.example",
        "https:own.example",
        "https:/own.example",
        "http:own.example",
        "http://own.example",
        "own.example:84x",
        "https://",
        "https:///path",
        "https://:443",
        "https://?q",
        "https://user@own.example",
        "https://user:pw@own.example",
        "https://@own.example",
        "user@own.example",
        "https://own example",
        "https://own\texample",
        "https://own.example\n.evil.example",
        "https://own.example/a b",
        "https://own.example\\@evil.example",
        "https://own.example\x00",
        "https://own%2fexample",
        "https://own%5cexample",
        "https://own%3Fexample",
        "https://own%23example",
        "https://own%40example",
        "https://own%3a443",
        "https://own%252fexample",
        "https://%65vil.example",
        "https://own.example#fragment",
        "https://own.example:port",
        "https://own.example:",
        "https://own.example:0",
        "https://own.example:99999",
        "https://own.example:80:80",
        "https://[::1",
        "https://[fe80::1%25eth0]",
        "https://[own.example]",
        "https://[::1]x",
        "https://::1",
        "https://own..example",
        "https://own.example／evil.example",
    ],
)
def test_these_are_refused(value: str) -> None:
    for http in ("never", "loopback"):
        with pytest.raises(Misconfigured) as raised:
            endpoint(value, "OWN_URL", http=http)
        assert "OWN_URL" in raised.value.message


def test_a_refusal_does_not_repeat_the_value() -> None:
    with pytest.raises(Misconfigured) as raised:
        endpoint("https://user:demo-token@own.example", "OWN_URL")
    assert "demo-token" not in f"{raised.value!r} {raised.value.hint}"


LOOPBACK = ["http://localhost:1", "http://LOCALHOST", "http://127.0.0.1:8080", "http://127.3.2.1", "http://[::1]:80"]
PRIVATE = [
    "http://box.local",
    "http://box.local.",
    "http://10.1.2.3",
    "http://172.16.0.1",
    "http://172.31.255.1",
    "http://192.168.1.5:4000",
    "http://169.254.1.1",
    "http://[fd00::5]",
    "http://[fe80::5]",
]
PUBLIC = [
    "http://own.example",
    "http://8.8.8.8",
    "http://172.32.0.1",
    "http://192.169.0.1",
    "http://127.0.0.01",
    "http://010.0.0.1",
    "http://127.1",
    "http://2130706433",
    "http://localhost.evil.example",
    "http://local",
    "http://10.0.0.1.evil.example",
    "http://[2001:db8::1]",
]


@pytest.mark.parametrize("value", LOOPBACK)
def test_plain_http_to_this_machine_is_taken_where_allowed(value: str) -> None:
    assert endpoint(value, "U", http="loopback") == value
    assert endpoint(value, "U", http="private") == value
    with pytest.raises(Misconfigured, match="must use HTTPS"):
        endpoint(value, "U")


@pytest.mark.parametrize("value", PRIVATE)
def test_plain_http_to_private_networks_is_taken_where_allowed(value: str) -> None:
    assert endpoint(value, "U", http="private") == value
    with pytest.raises(Misconfigured, match="must use HTTPS"):
        endpoint(value, "U", http="loopback")


@pytest.mark.parametrize("value", PUBLIC)
def test_plain_http_anywhere_else_is_refused(value: str) -> None:
    for http in ("never", "loopback", "private"):
        with pytest.raises(Misconfigured, match="must use HTTPS"):
            endpoint(value, "U", http=http)


def test_plain_http_needs_its_scheme_written() -> None:
    assert endpoint("127.0.0.1:4000", "U", http="private") == "https://127.0.0.1:4000"


@given(st.text(max_size=60))
def test_any_text_is_either_an_https_address_or_refused(text: str) -> None:
    try:
        address = endpoint(text, "U")
    except Misconfigured:
        return
    assert address.lower().startswith("https://")
    check_address(address)


@given(st.text(alphabet="ab.:/@\\%2f?#[]1 ", max_size=20))
def test_nothing_gets_in_between_the_scheme_and_the_host(middle: str) -> None:
    try:
        address = endpoint(f"https://{middle}own.example", "U")
    except Misconfigured:
        return
    netloc = address[8:].split("/")[0].split("?")[0]
    assert "@" not in netloc
    assert "\\" not in netloc
    assert "%" not in netloc


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("https://a.example/x", "https://a.example/y", True),
        ("https://a.example", "https://A.example:443/", True),
        ("https://a.example", "https://b.example", False),
        ("https://a.example", "http://a.example", False),
        ("http://a.example", "http://a.example", False),
        ("https://a.example", "https://a.example:8443", False),
        ("https://a.example", "https://a.example:nonsense", False),
        ("https://a.example", "/relative", False),
        ("https:///x", "https:///y", False),
    ],
)
def test_same_origin(first: str, second: str, same: bool) -> None:
    assert same_origin(first, second) is same


@pytest.mark.parametrize(
    ("host", "told", "address"),
    [
        ("https://gw.test/", "https://other.test", "https://gw.test"),
        (None, "http://10.0.0.5:4000/v1/", "http://10.0.0.5:4000/v1"),
        ("", "https://gw.test", "https://gw.test"),
    ],
)
def test_an_own_server_is_the_configured_one_else_that_of_the_environment(
    host: str | None, told: str | None, address: str
) -> None:
    assert configured_server(host, told, "OWN_URL") == address


@pytest.mark.parametrize(
    ("host", "told", "named"),
    [
        (None, None, "enterpriseHost or OWN_URL"),
        ("gw.test", "https://gw.test", "enterpriseHost .OWN_URL."),
        ("https://gw.test?x=1", None, "enterpriseHost .OWN_URL. must not have a query"),
        (None, "http://gw.test", "OWN_URL"),
        (None, "https://gw.test/v1?x", "OWN_URL must not have a query"),
    ],
)
def test_an_own_server_that_cannot_be_used_is_named_by_its_setting(
    host: str | None, told: str | None, named: str
) -> None:
    with pytest.raises(Misconfigured, match=named):
        configured_server(host, told, "OWN_URL")


def test_an_address_for_paths_has_no_query() -> None:
    assert without_query("https://gw.test/v1", "OWN_URL") == "https://gw.test/v1"
    with pytest.raises(Misconfigured, match="OWN_URL"):
        without_query("https://gw.test?", "OWN_URL")
