"""The command line. Parsing is here; each command's work is in its own module, imported only when it runs.

Exit codes: 0 all asked-for providers answered, 1 some failed, 2 usage error, 3 nothing configured.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

from quotaline import __version__
from quotaline.cli import console

if TYPE_CHECKING:
    import argparse

OK, FAILED, USAGE_ERROR, NOTHING_CONFIGURED, INTERRUPTED = 0, 1, 2, 3, 130

SOURCES = ("auto", "oauth", "api", "web", "cli", "local")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; without one, `usage`. Whatever happens is told in a sentence and never as a traceback."""
    console.prepare()
    try:
        code = _ended(list(sys.argv[1:] if arguments is None else arguments))
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # the reader (head, less) has left: nothing more to say
        console.discard_output()
        return OK
    except OSError as error:
        console.discard_output()
        print(f"quotaline had to stop: {error.strerror or type(error).__name__}.", file=sys.stderr)
        return FAILED
    return code


def _ended(words: list[str]) -> int:
    try:
        options = _options(words)
    except SystemExit as done:
        return done.code if isinstance(done.code, int) else OK
    if options.command != "serve":
        console.end_on_signals()
        console.log_to_stderr("CRITICAL")
    try:
        return _run(options)
    except (KeyboardInterrupt, OSError):
        raise
    except Exception as error:
        if os.environ.get("QUOTALINE_LOG", "").upper() == "DEBUG":
            raise
        name = type(error).__name__
        print(f"quotaline failed unexpectedly ({name}). QUOTALINE_LOG=DEBUG shows where.", file=sys.stderr)
        return FAILED


def _options(words: list[str]) -> argparse.Namespace:
    """What the words mean. Raises SystemExit. What editors start needs no parser, and shall not hold one for days."""
    if words in (["serve"], ["serve", "--stdio"]):
        return cast("argparse.Namespace", SimpleNamespace(command="serve", tcp=None))
    return _parser().parse_args(_with_command(words))


def _with_command(words: list[str]) -> list[str]:
    """`usage` is understood where no command is named."""
    own = not words or (words[0].startswith("-") and words[0] not in ("-h", "--help", "--version"))
    return ["usage", *words] if own else words


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

    parser = argparse.ArgumentParser(
        prog="quotaline",
        description="How much of your AI quota is left. Without a command: shows the usage of every provider found.",
    )
    parser.add_argument("--version", action="version", version=f"quotaline {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")

    serve = commands.add_parser("serve", help="run the language server for an editor (on standard input and output)")
    serve.add_argument("--stdio", action="store_true", help="use standard input and output (the default)")
    serve.add_argument("--tcp", metavar="PORT", type=_port, help="listen on this loopback port instead, for debugging")

    usage = commands.add_parser("usage", help="show usage")
    _choice(usage)
    _account_choice(usage)
    usage.add_argument("--format", choices=("text", "json", "statusline"), default="text", help="how to print it")
    usage.add_argument("--json", dest="format", action="store_const", const="json", help="the same as --format json")
    usage.add_argument("--pretty", action="store_true", help="indent JSON")
    usage.add_argument("--status", action="store_true", help="also tell what the vendors' status pages say")
    usage.add_argument("--refresh", action="store_true", help="ask the vendors even when the stored usage is fresh")
    usage.add_argument("--no-color", action="store_true", help="no colours")

    refresh = commands.add_parser("refresh", help="ask the vendors now; every open editor shows the result")
    _choice(refresh)
    _account_choice(refresh)

    providers = commands.add_parser("providers", help="list what is known, found and missing, and how to connect it")
    _format(providers)
    providers.add_argument("ids", nargs="*", metavar="ID", help="only these providers, at length")

    sign_in = commands.add_parser("sign-in", help="sign in to a provider interactively")
    sign_in.add_argument("provider", metavar="ID")

    put = commands.add_parser(
        "set-credential", help="keep an API key or cookie header (from standard input, or asked for without echo)"
    )
    put.add_argument("provider", metavar="ID")
    put.add_argument("--account", metavar="LABEL", default="", help="keep it as one of several labelled accounts")
    put.add_argument("--cookie", action="store_true", help="it is a Cookie header of a signed-in browser")

    remove = commands.add_parser("remove-credential", help="remove a credential that set-credential or sign-in kept")
    remove.add_argument("provider", metavar="ID")
    remove.add_argument("--account", metavar="LABEL", default="", help="the account's label")
    remove.add_argument("--cookie", action="store_true", help="remove the Cookie header")

    config = commands.add_parser("config", help="the config file")
    config.add_argument("action", choices=("path", "validate", "edit"), nargs="?", default="path")
    _format(config)

    doctor = commands.add_parser("doctor", help="check this installation and every provider (secrets redacted)")
    _format(doctor)
    return parser


def _choice(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--provider", metavar="ID", action="append", help="this provider (repeatable); `all` is every one found"
    )
    parser.add_argument("--source", choices=SOURCES, help="the only way to read it")


def _account_choice(parser: argparse.ArgumentParser) -> None:
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--account", metavar="LABEL", help="this account of the provider (with one --provider)")
    which.add_argument(
        "--account-index", metavar="N", type=int, help="the account at this place, from 1 (with one --provider)"
    )
    which.add_argument("--all-accounts", action="store_true", help="every account, not only the active one")


def _format(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--format", choices=("text", "json"), default="text", help="how to print it")


def _port(value: str) -> int:
    import argparse

    port = int(value) if value.isdecimal() else 0
    if not 0 < port < 65536:
        raise argparse.ArgumentTypeError("a port is a number from 1 to 65535")
    return port
