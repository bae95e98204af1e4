"""Several accounts of one provider: each with its own key and usage, in the commands and in an editor."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from quotaline_providers.testing import Route, Vendor
from tests.server.command import Command
from tests.server.lsp_client import Client, Desk, Params
from tests.server.test_cli_credentials import KEYRING

Lay = Callable[[str, float], Route]


@pytest.fixture
def openrouter(vendor: Callable[[str], Vendor]) -> Lay:
    """`openrouter("key", 30)`: the vendor answers this key that so many of 100 dollars are used."""
    site = vendor("openrouter.ai")

    def lay(key: str, used: float) -> Route:
        site.get("/api/v1/key", bearer=key).answers(data={"usage": used})
        return site.get("/api/v1/credits", bearer=key).answers(data={"total_credits": 100, "total_usage": used})

    return lay


def refuse(vendor: Callable[[str], Vendor], key: str) -> None:
    site = vendor("openrouter.ai")
    site.get("/api/v1/key", bearer=key).fails(401)
    site.get("/api/v1/credits", bearer=key).fails(401)


def entry(*labels_and_tokens: tuple[str | None, str], id: str = "openrouter", **fields: Any) -> Params:
    accounts = [{"label": label, "token": token} for label, token in labels_and_tokens]
    return {"id": id, "tokenAccounts": {"version": 1, "accounts": accounts, **fields}}


@pytest.fixture
def user(quotaline: Command) -> Callable[..., Command]:
    """`user(entry, ...)`: the program of a user with this config file, who also has a key in the environment."""

    def configured(*providers: Params) -> Command:
        file = quotaline.home / ".config/quotaline/config.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps({"version": 1, "providers": list(providers)}))
        file.chmod(0o600)
        return quotaline.with_variables(OPENROUTER_API_KEY="ambient-key")

    return configured


TWO = entry(("Home", "key-home"), ("Work", "key-work"), activeIndex=1)


def used(shown: Any) -> dict[str, float]:
    """Percent used by account, of a JSON answer."""
    return {one.get("account", ""): one["usage"]["primary"]["usedPercent"] for one in shown.json if "usage" in one}


# --- the commands ----------------------------------------------------------------------------------


def test_the_active_account_is_shown_and_all_are_with_a_flag(user: Callable[..., Command], openrouter: Lay) -> None:
    home, work = openrouter("key-home", 30), openrouter("key-work", 40)
    quotaline = user(TWO)
    assert used(quotaline("usage", "--json")) == {"Work": 40}
    assert home.count == 0
    assert used(quotaline("usage", "--json", "--all-accounts")) == {"Home": 30, "Work": 40}
    assert used(quotaline("usage", "--json", "--all-accounts", "--provider", "or")) == {"Home": 30, "Work": 40}
    assert work.count == 1
    shown = quotaline("usage", "--all-accounts").out
    assert "== OpenRouter Home (api) ==" in shown
    assert "== OpenRouter Work (api) ==" in shown


@pytest.mark.parametrize(
    "choice",
    [("--account", "home"), ("--account", "HOME"), ("--account", " Home "), ("--account-index", "1")],
)
def test_one_account_is_chosen_by_label_or_place(
    user: Callable[..., Command], openrouter: Lay, choice: tuple[str, ...]
) -> None:
    openrouter("key-home", 30)
    quotaline = user(TWO)
    assert used(quotaline("usage", "--provider", "openrouter", "--json", *choice)) == {"Home": 30}
    assert quotaline("usage", "--provider", "openrouter", "--format", "statusline", *choice).out == (
        "OpenRouter Home 30%\n"
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ("--provider", "openrouter", "--account", "Lab"),
            "No token account labeled 'Lab' for OpenRouter. Its accounts: Home, Work.",
        ),
        (
            ("--provider", "openrouter", "--account-index", "3"),
            "Token account index 3 out of range for OpenRouter (1-2). Its accounts: Home, Work.",
        ),
        (
            ("--provider", "openrouter", "--account-index", "0"),
            "Token account index 0 out of range for OpenRouter (1-2). Its accounts: Home, Work.",
        ),
        (("--provider", "kiro", "--account", "Work"), "Kiro does not support token accounts."),
        (("--provider", "kiro", "--all-accounts"), "Kiro does not support token accounts."),
        (
            ("--provider", "venice", "--all-accounts"),
            "No token accounts configured for Venice. `quotaline set-credential venice --account LABEL` makes one.",
        ),
        (("--account", "Work"), "An account belongs to one provider: name it with --provider."),
        (
            ("--provider", "openrouter", "--provider", "venice", "--account-index", "1"),
            "An account belongs to one provider: name it with --provider.",
        ),
    ],
)
def test_an_account_that_is_not_there_is_a_usage_error(
    user: Callable[..., Command], arguments: tuple[str, ...], sentence: str
) -> None:
    quotaline = user(TWO)
    refused = quotaline("usage", *arguments)
    assert (refused.code, refused.out, refused.err.strip()) == (2, "", sentence)
    in_json = quotaline("usage", "--json", *arguments)
    assert (in_json.code, in_json.json[0]["error"]["message"], in_json.json[0]["error"]["kind"]) == (
        2,
        sentence,
        "args",
    )


@pytest.mark.parametrize(
    "arguments",
    [("--account", "a", "--all-accounts"), ("--account", "a", "--account-index", "1"), ("--account-index", "x")],
)
def test_contradicting_choices_are_usage_errors(quotaline: Command, arguments: tuple[str, ...]) -> None:
    assert quotaline("usage", "--provider", "openrouter", *arguments).code == 2


def test_one_account_fails_while_the_other_is_fine(
    user: Callable[..., Command], openrouter: Lay, vendor: Callable[[str], Vendor]
) -> None:
    openrouter("key-home", 30)
    refuse(vendor, "key-work")
    shown = user(TWO)("usage", "--json", "--all-accounts")
    assert shown.code == 1
    home, work = shown.json
    assert (home["account"], home["usage"]["primary"]["usedPercent"], "error" in home) == ("Home", 30, False)
    assert (work["account"], work["error"]["reason"], "usage" in work) == ("Work", "expired_credential", False)


def test_a_renamed_account_is_read_anew_and_a_removed_one_is_gone(
    user: Callable[..., Command], openrouter: Lay
) -> None:
    openrouter("key-home", 30)
    work = openrouter("key-work", 40)
    user(TWO)("refresh")
    renamed = user(entry(("Home", "key-home"), ("Office", "key-work"), activeIndex=1))
    assert used(renamed("usage", "--json", "--all-accounts")) == {"Home": 30, "Office": 40}
    assert work.count == 2
    assert used(user(entry(("Home", "key-home")))("usage", "--json", "--all-accounts")) == {"Home": 30}


def test_swapped_keys_never_show_the_other_accounts_numbers(user: Callable[..., Command], openrouter: Lay) -> None:
    openrouter("key-home", 30)
    openrouter("key-work", 40)
    user(TWO)("refresh")
    swapped = user(entry(("Home", "key-work"), ("Work", "key-home")))
    assert used(swapped("usage", "--json", "--all-accounts")) == {"Home": 40, "Work": 30}


def test_equal_and_missing_labels_are_told_apart(user: Callable[..., Command], openrouter: Lay) -> None:
    for key, amount in (("k1", 10), ("k2", 20), ("k3", 30)):
        openrouter(key, amount)
    quotaline = user(entry(("Work", "k1"), ("work", "k2"), (None, "k3")))
    assert used(quotaline("usage", "--json", "--all-accounts")) == {"Work": 10, "work (2)": 20, "Account 3": 30}
    assert used(quotaline("usage", "--provider", "or", "--json", "--account", "WORK (2)")) == {"work (2)": 20}


@pytest.mark.parametrize(("index", "shown"), [(99, "Work"), (-5, "Home"), (1, "Work")])
def test_an_active_index_out_of_range_is_clamped(
    user: Callable[..., Command], openrouter: Lay, index: int, shown: str
) -> None:
    openrouter("key-home", 30)
    openrouter("key-work", 40)
    quotaline = user(entry(("Home", "key-home"), ("Work", "key-work"), activeIndex=index))
    assert list(used(quotaline("usage", "--json"))) == [shown]


def test_strange_labels_do_no_harm(user: Callable[..., Command], openrouter: Lay) -> None:
    hebrew, long, hostile = "עבודה", "x" * 500, "a\x1b[31m\n`b`/{used}"
    for key, amount in (("k1", 10), ("k2", 20), ("k3", 30)):
        openrouter(key, amount)
    quotaline = user(entry((hebrew, "k1"), (long, "k2"), (hostile, "k3")))
    shown = quotaline("usage", "--all-accounts")
    assert shown.code == 0
    assert "\x1b" not in shown.out
    headings = [line for line in shown.out.splitlines() if line.startswith("==")]
    assert len(headings) == 3
    assert f"\u2068{hebrew}\u2069" in headings[0]
    assert max(map(len, headings)) < 80
    assert used(quotaline("usage", "--provider", "or", "--json", "--account", long)) == {long: 20}
    refused = quotaline("usage", "--provider", "or", "--account", "y" * 500)
    assert (refused.code, len(refused.err) < 400, "\x1b" in refused.err) == (2, True, False)


def test_a_provider_that_takes_no_accounts_says_so(quotaline: Command) -> None:
    refused = quotaline("set-credential", "azureopenai", "--account", "Work", given="demo-key")
    assert refused.code != 0
    assert "does not support token accounts" in refused.err


# --- keys in the keyring ---------------------------------------------------------------------------


@pytest.fixture
def keyring(tmp_path: Path) -> dict[str, str]:
    """The variables of a user whose keyring works."""
    (tmp_path / "demo_keyring.py").write_text(KEYRING)
    return {
        "PYTHONPATH": str(tmp_path),
        "PYTHON_KEYRING_BACKEND": "demo_keyring.Keyring",
        "DEMO_KEYRING": str(tmp_path / "entries.json"),
    }


def test_labelled_keys_in_the_keyring_are_accounts(
    quotaline: Command, openrouter: Lay, keyring: dict[str, str]
) -> None:
    openrouter("key-plain", 10)
    openrouter("key-work", 40)
    quotaline = quotaline.with_variables(**keyring, OPENROUTER_API_KEY="ambient-key")
    for arguments, key in (((), "key-plain"), (("--account", "Work"), "key-work")):
        assert quotaline("set-credential", "openrouter", *arguments, given=key).code == 0
    assert used(quotaline("usage", "--json")) == {"Work": 40, "": 10}
    assert used(quotaline("usage", "--provider", "or", "--account", "work", "--json")) == {"Work": 40}
    assert quotaline("usage", "--format", "statusline").out == "OpenRouter Work 40%\n"


def test_a_labelled_key_that_the_keyring_lost_is_not_replaced_by_another(
    quotaline: Command, keyring: dict[str, str], tmp_path: Path
) -> None:
    quotaline = quotaline.with_variables(**keyring, OPENROUTER_API_KEY="ambient-key")
    quotaline("set-credential", "openrouter", "--account", "Work", given="key-work")
    (tmp_path / "entries.json").write_text("{}")
    (lost,) = quotaline("usage", "--provider", "or", "--account", "work", "--json").json
    assert lost["error"]["reason"] == "missing_credential"
    assert "Work" in lost["error"]["message"]
    assert "usage" not in lost


# --- an editor -------------------------------------------------------------------------------------


@pytest.fixture
def desk(environ: dict[str, str], home: Path, keyring: dict[str, str]) -> Iterator[Desk]:
    with Desk({**environ, **keyring}, home) as desk:
        yield desk


def by_account(params: Params) -> dict[str, str]:
    return {one["account"]: one["text"] for one in params["providers"] if one["windows"]}


def settled(client: Client, *accounts: str) -> Params:
    return client.usage(lambda params: set(by_account(params)) == set(accounts))


def test_one_sidecar_reads_two_accounts(desk: Desk, openrouter: Lay) -> None:
    home, work = openrouter("key-home", 30), openrouter("key-work", 40)
    desk.write_config(TWO)
    client = desk.open()
    params = settled(client, "Home", "Work")
    assert by_account(params) == {"Home": "OpenRouter Home 30%", "Work": "OpenRouter Work 40%"}
    assert params["statusLine"]["text"] == "OpenRouter Work 40%"
    assert "### OpenRouter Home" in params["statusLine"]["hover"]["value"]
    assert "### OpenRouter Work" in params["statusLine"]["hover"]["value"]
    report = client.request("quotaline/report", {"format": "text"})["content"]
    assert "== OpenRouter Home (api) ==" in report
    assert (home.count, work.count) == (1, 1)

    desk.write_config({**TWO, "tokenAccounts": {**TWO["tokenAccounts"], "activeIndex": 0}})
    client.usage(lambda params: params["statusLine"]["text"] == "OpenRouter Home 30%")
    assert (home.count, work.count) == (1, 1)


def test_a_key_given_in_a_terminal_becomes_an_account_of_an_open_editor(desk: Desk, openrouter: Lay) -> None:
    openrouter("key-home", 30)
    openrouter("key-work", 40)
    assert desk.run("set-credential", "openrouter", "--account", "Home", stdin="key-home").returncode == 0
    client = desk.open()
    settled(client, "Home")
    assert desk.run("set-credential", "openrouter", "--account", "Work", stdin="key-work").returncode == 0
    assert settled(client, "Home", "Work")["statusLine"]["text"] == "OpenRouter Work 40%"
    assert desk.run("remove-credential", "openrouter", "--account", "Work").returncode == 0
    client.usage(lambda params: params["statusLine"]["text"] == "OpenRouter 30%")
