"""How Quotaline is installed, as documents and clients tell it: made from `quotaline_providers.distribution`."""

from __future__ import annotations

from quotaline_providers.distribution import PUBLISHED, WHERE, install_commands, requirement

_SOURCE = "Generated from `quotaline_providers/distribution.py` by `docs/generate.py` (`make docs`)."
_UV, _PIPX = install_commands()


def install_block() -> str:
    """The commands to type, with the words before them."""
    return "\n".join((f"With either of these{WHERE}:", "", *_shell(_UV, _PIPX)))


def install_sentence() -> str:
    """The same in one line."""
    return f"Install the server with `{_UV}` or `{_PIPX}`{WHERE}."


def install_provider() -> str:
    """How a package with a provider gets into the environment of Quotaline."""
    package = "quotaline-examplemeter" if PUBLISHED else "../quotaline-examplemeter"
    return "\n".join(_shell(f"{_UV} --with {package}", f"pipx inject quotaline {package}"))


def install_for_tests() -> str:
    """How the tests of a package with a provider are set up."""
    own = 'uv pip install --editable ".[test]"'
    first = () if PUBLISHED else (f"uv pip install '{requirement('testing').replace('.', '../quotaline', 1)}'",)
    return "\n".join(_shell(*first, own, "pytest"))


def lua() -> str:
    """The Neovim plug-in's module."""
    return f"-- {_SOURCE}\n\nreturn {{ published = {str(PUBLISHED).lower()} }}\n"


def rust() -> str:
    """The Zed extension's module."""
    return (
        f'//! {_SOURCE}\n\n/// Completes "Install it with".\npub const INSTALL: &str = "`{_UV}` or `{_PIPX}`{WHERE}";\n'
    )


def _shell(*commands: str) -> tuple[str, ...]:
    return ("```sh", *commands, "```")
