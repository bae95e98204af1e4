"""How a credential is found, in which order, and what is said about its origin."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from quotaline_providers.access.lookups import (
    Always,
    ApiKey,
    CookieHeader,
    LoginFile,
    Program,
    ServerKey,
)
from quotaline_providers.contract import Account, Context, KeyringState
from quotaline_providers.errors import MissingCredential, MissingProgram
from quotaline_providers.secret import Secret
from quotaline_providers.testing import FakeKeyring, Reader

ContextOf = Callable[..., Context]


@pytest.fixture
def context(reader: Reader) -> ContextOf:
    """`context(config={...}, account=..., X_KEY="k")`: what a strategy of provider `demo` would be handed."""

    return partial(reader.context, "demo")


async def found(lookup: ApiKey | CookieHeader, ctx: Context) -> tuple[str, str]:
    credential = await lookup.find(ctx)
    assert lookup.probe(ctx) == credential.origin
    return credential.secret.reveal(), credential.origin


KEY = ApiKey(env=("FIRST_KEY", "SECOND_KEY"))


class TestAnApiKey:
    async def test_of_the_labelled_account_comes_before_all(self, context: ContextOf) -> None:
        ctx = context({"apiKey": "config"}, Account("Work", Secret("account")), FIRST_KEY="env")
        assert await found(KEY, ctx) == ("account", "account Work")

    async def test_in_the_config_comes_before_keyring_and_environment(
        self, context: ContextOf, keyring_entries: dict[tuple[str, str], str]
    ) -> None:
        keyring_entries["quotaline", "demo"] = "keyring"
        assert await found(KEY, context({"apiKey": "config"}, FIRST_KEY="env")) == ("config", "config")

    async def test_in_the_keyring_comes_before_the_environment(
        self, context: ContextOf, keyring_entries: dict[tuple[str, str], str]
    ) -> None:
        keyring_entries["quotaline", "demo"] = " 'keyring' "
        assert (await found(KEY, context(FIRST_KEY="env")))[0] == "keyring"

    async def test_of_another_label_is_not_taken(
        self, context: ContextOf, keyring_entries: dict[tuple[str, str], str]
    ) -> None:
        keyring_entries["quotaline", "demo/Work"] = "work"
        keyring_entries["quotaline", "demonstration"] = "other"
        with pytest.raises(MissingCredential):
            await KEY.find(context())

    async def test_in_the_environment_comes_first_where_the_vendor_wants_it(self, context: ContextOf) -> None:
        lookup = ApiKey(env=("FIRST_KEY",), env_first=True)
        assert await found(lookup, context({"apiKey": "config"}, FIRST_KEY="env")) == ("env", "env FIRST_KEY")

    @pytest.mark.parametrize("typed", ["Bearer k", "bearer  k", ' "Bearer k" ', "Bearer 'k'"])
    async def test_is_taken_without_a_typed_bearer(
        self, context: ContextOf, keyring_entries: dict[tuple[str, str], str], typed: str
    ) -> None:
        assert await found(KEY, context({"apiKey": typed})) == ("k", "config")
        assert await found(KEY, context({"apiKey": "Bearer "}, FIRST_KEY="Bearer", SECOND_KEY=typed)) == (
            "k",
            "env SECOND_KEY",
        )
        assert await found(KEY, context(account=Account("Work", Secret(typed)))) == ("k", "account Work")
        keyring_entries["quotaline", "demo"] = typed
        assert await found(KEY, context()) == ("k", "keyring")

    async def test_is_trimmed_and_unquoted(self, context: ContextOf) -> None:
        assert await found(KEY, context(FIRST_KEY="  '' ", SECOND_KEY=' "k" ')) == ("k", "env SECOND_KEY")

    async def test_may_be_in_a_variable_the_config_names(self, context: ContextOf) -> None:
        ctx = context({"apiKeyEnv": "MY_KEY"}, MY_KEY="mine", FIRST_KEY="env")
        assert await found(KEY, ctx) == ("mine", "env MY_KEY")

    async def test_in_the_config_is_not_taken_where_it_means_something_else(self, context: ContextOf) -> None:
        with pytest.raises(MissingCredential):
            await ApiKey(from_config=False).find(context({"apiKey": "config"}))

    async def test_may_be_in_a_file_as_a_last_resort(self, context: ContextOf, home: Path) -> None:
        (home / ".demo").write_text("key=file\n")
        lookup = ApiKey(env=("FIRST_KEY",), file=lambda ctx: (ctx.home / ".demo", lambda text: text.strip()[4:]))
        assert await found(lookup, context()) == ("file", "~/.demo")
        assert await found(lookup, context(FIRST_KEY="env")) == ("env", "env FIRST_KEY")

    async def test_that_is_nowhere_is_missing(self, context: ContextOf) -> None:
        with pytest.raises(MissingCredential):
            await KEY.find(context())
        assert KEY.probe(context()) is None

    def test_tells_where_it_looks(self, context: ContextOf) -> None:
        assert KEY.places(context()) == ("config apiKey", "keyring", "env FIRST_KEY", "env SECOND_KEY")
        assert ApiKey(env=("A",), env_first=True).places(context()) == ("env A", "config apiKey", "keyring")


@pytest.mark.parametrize(
    ("state", "message", "hint"),
    [
        (KeyringState.READY, "does not hold the API key any more", "quotaline set-credential demo"),
        (KeyringState.NONE, "no keyring works here", "environment variable"),
        (KeyringState.LOCKED, "is locked", "Unlock it"),
        (KeyringState.SILENT, "did not answer", "Unlock it"),
        (KeyringState.FAILED, "failed", "quotaline doctor"),
    ],
)
async def test_a_key_that_the_keyring_does_not_give_is_told_by_why(
    context: ContextOf, state: KeyringState, message: str, hint: str
) -> None:
    keyring = FakeKeyring({("quotaline", "demo"): "", ("quotaline", "demo/cookie"): ""}, state)
    ctx = replace(context(), keyring=keyring)
    for lookup, what in ((KEY, "API key"), (CookieHeader(), "cookie header")):
        with pytest.raises(MissingCredential, match=message.replace("API key", what)) as raised:
            await lookup.find(ctx)
        assert hint in raised.value.hint


class TestACookieHeader:
    async def test_comes_from_the_config(self, context: ContextOf) -> None:
        assert await found(CookieHeader(), context({"cookieHeader": "Cookie: a=1; b=2"})) == ("a=1; b=2", "config")

    async def test_comes_from_the_keyring(
        self, context: ContextOf, keyring_entries: dict[tuple[str, str], str]
    ) -> None:
        keyring_entries["quotaline", "demo/cookie"] = "a=1"
        assert await found(CookieHeader(), context()) == ("a=1", "keyring")

    async def test_of_the_labelled_account_comes_first(self, context: ContextOf) -> None:
        ctx = context({"cookieHeader": "a=1"}, Account("Work", Secret("bare")))
        assert await found(CookieHeader("session"), ctx) == ("session=bare", "account Work")

    async def test_is_missing_when_cookies_are_off(self, context: ContextOf) -> None:
        with pytest.raises(MissingCredential):
            await CookieHeader().find(context({"cookieHeader": "a=1", "cookieSource": "off"}))

    async def test_without_a_cookie_is_missing(self, context: ContextOf) -> None:
        with pytest.raises(MissingCredential, match="holds no cookie"):
            await CookieHeader().find(context({"cookieHeader": "nothing"}))


class TestAKeyOfAnOwnServer:
    lookup = ServerKey(env=("GW_KEY",), server="GW_URL")

    def test_leaves_no_trace_until_the_address_is_set(self, context: ContextOf) -> None:
        assert self.lookup.probe(context(GW_KEY="k", GW_URL=" ")) is None
        assert self.lookup.probe(context(GW_KEY="k", GW_URL="not an address")) == "env GW_KEY"
        assert self.lookup.probe(context(config={"apiKey": "k", "enterpriseHost": "https://gw.test"})) == "config"
        assert self.lookup.probe(context(GW_URL="https://gw.test")) is None

    async def test_is_found_all_the_same(self, context: ContextOf) -> None:
        assert (await self.lookup.find(context(GW_KEY="k"))).origin == "env GW_KEY"


class TestALoginFile:
    lookup = LoginFile(lambda ctx: (ctx.home / "first.json", ctx.home / "second.json"), "Not signed in.")

    async def test_is_the_first_that_exists(self, context: ContextOf, home: Path) -> None:
        (home / "second.json").write_text("{}")
        assert await self.lookup.find(context()) == home / "second.json"
        assert self.lookup.probe(context()) == "~/second.json"
        assert self.lookup.places(context()) == ("~/first.json", "~/second.json")

    async def test_that_does_not_exist_is_missing(self, context: ContextOf) -> None:
        with pytest.raises(MissingCredential, match="Not signed in"):
            await self.lookup.find(context())


class TestAProgram:
    async def test_is_found_on_the_path(self, context: ContextOf, program: Callable[[str, str], Path]) -> None:
        path = program("meter", "print(1)")
        assert await Program("meter").find(context()) == path
        assert Program("meter").probe(context()) == "program `meter`"

    async def test_that_is_not_there_is_missing(self, context: ContextOf) -> None:
        with pytest.raises(MissingProgram, match="`meter` was not found") as raised:
            await Program("meter", hint="Install meter.").find(context())
        assert raised.value.hint == "Install meter."


async def test_a_strategy_may_need_nothing(context: ContextOf) -> None:
    await Always().find(context())
    assert Always().probe(context()) is None


class TestWhatCannotBeUsed:
    """The message of a missing credential names every variable that is set and was not used, and why."""

    async def message(self, lookup: ApiKey | CookieHeader | Program, ctx: Context) -> str:
        with pytest.raises((MissingCredential, MissingProgram)) as raised:
            await lookup.find(ctx)
        return raised.value.message

    async def test_empty_variables(self, context: ContextOf) -> None:
        assert await self.message(KEY, context()) == "No API key is set."
        one = context(FIRST_KEY=" '' ")
        assert await self.message(KEY, one) == "No API key is set. FIRST_KEY is set but empty."
        both = context(FIRST_KEY="", SECOND_KEY=" ")
        assert await self.message(KEY, both) == "No API key is set. FIRST_KEY and SECOND_KEY are set but empty."

    async def test_a_variable_that_the_config_names(self, context: ContextOf) -> None:
        ctx = context({"apiKeyEnv": "MY_KEY"})
        expected = "No API key is set. The variable MY_KEY, which apiKeyEnv names, is not set."
        assert await self.message(KEY, ctx) == expected

    async def test_variables_that_may_be_anothers(self, context: ContextOf) -> None:
        lookup = ApiKey(env=("FIRST_KEY",), env_if_enabled=("SHARED_KEY", "OTHER_KEY"))
        ctx = context(FIRST_KEY="", SHARED_KEY="k", OTHER_KEY="k")
        assert await self.message(lookup, ctx) == (
            "SHARED_KEY and OTHER_KEY are set, but not used unasked, as another service may own the key. "
            "FIRST_KEY is set but empty."
        )

    @pytest.mark.parametrize(
        ("config", "words"),
        [
            ({}, "A_COOKIE is set but empty."),
            ({"cookieSource": "manual"}, "B_COOKIE is not used, as cookieSource is manual."),
            (
                {"cookieSource": "off", "cookieHeader": "a=b"},
                "cookieHeader and B_COOKIE are not used, as cookieSource is off.",
            ),
        ],
    )
    async def test_cookies(self, context: ContextOf, config: dict[str, object], words: str) -> None:
        other = {"B_COOKIE": "a=b"} if config else {}
        ctx = context(config, A_COOKIE="", **other)
        lookup = CookieHeader(env=("A_COOKIE", "B_COOKIE"))
        assert await self.message(lookup, ctx) == f"No cookie header is set. {words}"

    async def test_a_cookie_header_without_a_cookie_is_named_by_its_place(self, context: ContextOf) -> None:
        told = await self.message(CookieHeader(env=("A_COOKIE",)), context(A_COOKIE="nothing"))
        assert told.startswith("The cookie header (env A_COOKIE) holds no cookie;")

    async def test_a_program_that_is_not_where_a_variable_says(self, context: ContextOf) -> None:
        lookup = Program("demo-cli", env="DEMO_CLI")
        assert (await self.message(lookup, context(DEMO_CLI="/nowhere/demo"))).endswith(
            "DEMO_CLI names no program that can be run."
        )
