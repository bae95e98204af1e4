"""The command line. Parsing is here; each command's work is in its own module, imported only when it runs.

Exit codes: 0 all asked-for providers answered, 1 some failed, 2 usage error, 3 nothing configured.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from types import SimpleNamespace
from typing import TYPE_CHECKING, NoReturn, cast

from quotaline import __version__
from quotaline.cli import console
from quotaline.cli.exit_codes import FAILED, INTERRUPTED, OK, USAGE_ERROR

if TYPE_CHECKING:
    import argparse

SOURCES = ("auto", "oauth", "api", "web", "cli", "local")
COMMANDS = {
    "usage": "Show how much is left: from the last read while that is fresh, else by asking the vendors.",
    "refresh": "Ask the vendors now. Every open editor shows the result.",
    "providers": "List what is known, found and missing, and how to connect it. Asks nobody.",
    "provider": "Approve, list or revoke third-party providers: those of installed packages, and Python files in "
    "the folder `providers` of the user's config folder.",
    "sign-in": "Sign in to a provider, where Quotaline can do that itself.",
    "set-credential": "Keep an API key or a Cookie header, in the system keyring where there is one. "
    "It is read from standard input, or typed at a prompt that does not show it.",
    "remove-credential": "Remove a credential that set-credential or sign-in kept.",
    "config": "Print where the config file is, check it, open it in your editor, or show or hide providers in it.",
    "doctor": "Check this installation and ask every provider, or the named ones, once. Secrets are not shown.",
    "serve": "Run the language server. Editors start it; it is not for people.",
}
CODES = "Exit codes: 0 all answered, 1 some failed, 2 usage error, 3 nothing is connected."


class WrongWords(Exception):
    """The command line cannot be understood; the text is for the user."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; without one, `usage`. Whatever happens is told in a sentence and never as a traceback."""
    console.prepare()
    try:
        code = _ended(list(sys.argv[1:] if arguments is None else arguments))
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except OSError as error:
        console.discard_output()
        if console.reader_has_left(error):  # head, less, more: nothing more to say
            return OK
        print(f"quotaline had to stop: {error.strerror or type(error).__name__}.", file=sys.stderr)
        return FAILED
    return code


def _ended(words: list[str]) -> int:
    try:
        options = _options(words)
    except SystemExit as done:
        return done.code if isinstance(done.code, int) else OK
    except WrongWords as wrong:
        return _report_error(str(wrong), "args", USAGE_ERROR, json=_wants_json(words))
    if options.command != "serve":
        console.end_on_signals()
        console.log_to_stderr("CRITICAL")
    try:
        return _run(options)
    except (KeyboardInterrupt, OSError):
        raise
    except Exception as error:
        from quotaline_providers.diagnostics import note_defect

        defect = note_defect(f"quotaline {options.command}", error)
        message = (
            f"quotaline failed unexpectedly: {defect.where}. Set QUOTALINE_LOG=ERROR to see the calls that led there."
        )
        return _report_error(message, "runtime", FAILED, json=_wants_json(words))


def _report_error(message: str, kind: str, code: int, *, json: bool) -> int:
    """The exit code, after telling people what went wrong, and programs too where they read `usage` as JSON."""
    console.say(message, error=True)
    if json:
        from quotaline.render.codexbar_json import argument_error, written

        console.print_json(written(argument_error(message, kind=kind, code=code)))
    return code


def _wants_json(words: list[str]) -> bool:
    wanted = " --json " in (line := f" {' '.join(words)} ") or " --format json " in line or " --format=json " in line
    return wanted and (words[0] == "usage" or words[0].startswith("-"))


def _options(words: list[str]) -> argparse.Namespace:
    """What the words mean. What editors start needs no parser, and shall not hold one for days.

    Raises SystemExit after help and version, WrongWords.
    """
    if words in (["serve"], ["serve", "--stdio"]):
        return cast("argparse.Namespace", SimpleNamespace(command="serve", tcp=None))
    return _parser().parse_args(_with_command(words))


def _with_command(words: list[str]) -> list[str]:
    """`usage` is understood where no command is named. Raises WrongWords for a command there is not."""
    if not words or (words[0].startswith("-") and words[0] not in ("-h", "--help", "-V", "--version")):
        return ["usage", *words]
    if words[0] == "help":
        return [*words[1:2], "--help"]
    if not words[0].startswith("-") and words[0] not in COMMANDS:
        from difflib import get_close_matches

        near = get_close_matches(words[0], COMMANDS, n=1)
        hint = f"Did you mean `quotaline {near[0]}`?" if near else "`quotaline --help` lists them all."
        raise WrongWords(f"There is no command {words[0]!r}. {hint}")
    return words


def _run(options: argparse.Namespace) -> int:
    command = options.command
    if command == "serve":
        from quotaline.cli.serve import serve_command

        return serve_command(options.tcp)
    if command in ("usage", "refresh"):
        from quotaline.cli.usage import refresh_command, usage_command

        return usage_command(options) if command == "usage" else refresh_command(options)
    if command == "providers":
        from quotaline.cli.providers import providers_command

        return providers_command(options)
    if command == "provider":
        from quotaline.cli.provider import provider_command

        return provider_command(options)
    if command in ("sign-in", "set-credential", "remove-credential"):
        from quotaline.cli import credentials

        return credentials.COMMANDS[command](options)
    if command == "config":
        from quotaline.cli.config import config_command

        return config_command(options)
    from quotaline.cli.doctor import doctor_command

    return doctor_command(options)


def _parser() -> argparse.ArgumentParser:
    import argparse

    class Parser(argparse.ArgumentParser):
        def error(self, message: str) -> NoReturn:
            raise WrongWords(f"{message[:1].upper()}{message[1:]}. `{self.prog} --help` tells more.")

    parser = Parser(
        prog="quotaline",
        description="How much of your AI quota is left. Without a command: shows the usage of every provider found.",
        formatter_class=lambda prog: argparse.HelpFormatter(prog, max_help_position=26),
        epilog=f"`quotaline COMMAND --help` shows more about a command. {CODES}",
    )
    parser.add_argument(
        "-V", "--version", action="version", version=f"quotaline {__version__}", help="show the version"
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")

    def command(name: str, short: str) -> argparse.ArgumentParser:
        return cast("argparse.ArgumentParser", commands.add_parser(name, help=short, description=COMMANDS[name]))

    usage = command("usage", "show how much is left")
    _choice(usage)
    _account_choice(usage)
    usage.add_argument(
        "--format",
        choices=("text", "json", "statusline", "tmux"),
        default="text",
        help="for people, for programs, or in one line as an editor (or tmux) shows it",
    )
    usage.add_argument("--json", dest="format", action="store_const", const="json", help="the same as --format json")
    usage.add_argument("--pretty", action="store_true", help="indent the JSON")
    usage.add_argument("--status", action="store_true", help="also show what the vendors' status pages say")
    usage.add_argument("--refresh", action="store_true", help="ask the vendors even when the last read is fresh")
    usage.add_argument("--no-color", action="store_true", help="no colours")
    usage.epilog = CODES

    refresh = command("refresh", "ask the vendors now")
    _choice(refresh)
    _account_choice(refresh)
    refresh.add_argument(
        "--force", action="store_true", help="also during a wait that a vendor asked for, where its provider allows it"
    )

    providers = command("providers", "list what is found and missing, and how to connect it")
    _format(providers)
    providers.add_argument("ids", nargs="*", metavar="ID", help="only these providers, at length")

    _provider_actions(command("provider", "approve third-party providers, or list them"))

    sign_in = command("sign-in", "sign in to a provider")
    _provider(sign_in)

    put = command("set-credential", "keep an API key or a cookie")
    _provider(put)
    put.add_argument("--account", metavar="LABEL", default="", help="keep it as one of several accounts, by this name")
    put.add_argument("--cookie", action="store_true", help="it is the Cookie header of a signed-in browser")

    remove = command("remove-credential", "remove what set-credential or sign-in kept")
    _provider(remove)
    remove.add_argument("--account", metavar="LABEL", default="", help="the account of this name")
    remove.add_argument("--cookie", action="store_true", help="the Cookie header")

    config = command("config", "find, check or edit the config file")
    config.add_argument(
        "action",
        choices=("path", "validate", "edit", "enable", "disable"),
        nargs="?",
        default="path",
        metavar="ACTION",
        help="path (the default), validate, edit, enable or disable",
    )
    config.add_argument("ids", nargs="*", metavar="ID", help="the providers to enable (always show) or disable (hide)")
    _format(config)

    doctor = command("doctor", "find out why something is not shown")
    _format(doctor)
    doctor.add_argument("ids", nargs="*", metavar="ID", help="only these providers")
    doctor.add_argument(
        "--shape",
        action="store_true",
        help="print the shape of the last answer that was not understood, for a bug report; asks nobody",
    )

    serve = command("serve", "run the language server (editors do)")
    serve.add_argument("--stdio", action="store_true", help="on standard input and output (the default)")
    serve.add_argument("--tcp", metavar="PORT", type=_port, help="on this port of this machine instead, for debugging")
    return parser


def _provider_actions(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    what = "a file in the folder `providers`, or the id of an installed package's provider"
    approve = actions.add_parser("approve", help="let it run, after showing what it is", description=what)
    approve.add_argument("what", metavar="FILE|ID", help=what)
    approve.add_argument("--yes", action="store_true", help="do not ask whether it may run")
    approve.add_argument(
        "--allow", metavar="NAME", action="append", default=[], help="it may use this credential of another provider"
    )
    _format(actions.add_parser("list", help="what there is, and whether it is used"))
    revoke = actions.add_parser("revoke", help="take an approval back")
    revoke.add_argument("what", metavar="FILE|ID", help=what)


def _provider(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("provider", metavar="ID", help="the provider, as `quotaline providers` names it")


def _choice(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--provider", metavar="ID", action="append", help="only this provider (may be repeated); `all` is every one"
    )
    what = f"use only this source: {', '.join(SOURCES)}, or the label that a provider's usage is shown with"
    parser.add_argument("--source", metavar="SOURCE", type=_source, help=what)


def _source(name: str) -> str:
    return name.lower() if name.lower() in SOURCES else name


def _account_choice(parser: argparse.ArgumentParser) -> None:
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--account", metavar="LABEL", help="this account of the one --provider")
    which.add_argument("--account-index", metavar="N", type=int, help="the same, by its position (from 1)")
    which.add_argument("--all-accounts", action="store_true", help="every account, not only the active one")


def _format(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--format", choices=("text", "json"), default="text", help="for people or for programs")


def _port(value: str) -> int:
    import argparse

    port = int(value) if value.isdecimal() else 0
    if not 0 < port < 65536:
        raise argparse.ArgumentTypeError("a port is a number from 1 to 65535")
    return port
