"""Where the Codex program is, and when it may be started."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from quotaline_providers import Context, Lookup, MissingCredential, MissingProgram, Origin, Program, in_login_shell
from quotaline_providers.vendors.codex.credentials import SubscriptionLogin, native_login, present
from quotaline_providers.vendors.codex.homes import codex_home, is_named

INSTALL_HINT = "Install it with `npm i -g @openai/codex`."


def _usual_places(ctx: Context) -> tuple[Path, ...]:
    if ctx.platform == "win32":
        npm = Path(ctx.environ.get("APPDATA") or ctx.home / "AppData/Roaming") / "npm"
        return npm / "codex.exe", npm / "codex.cmd"
    bundles = (
        tuple(
            root / "Applications" / f"{app}.app/Contents/Resources/codex"
            for root in (ctx.home, Path("/"))
            for app in ("ChatGPT", "Codex")
        )
        if ctx.platform == "darwin"
        else ()
    )
    # A program started by an editor does not have the login shell's PATH.
    usual = (ctx.home / ".local/bin", ctx.home / ".npm-global/bin", Path("/opt/homebrew/bin"), Path("/usr/local/bin"))
    return (*bundles, *(folder / "codex" for folder in usual))


@dataclass(frozen=True)
class CodexProgram(Lookup[Path]):
    """The program: named by `CODEX_CLI_PATH`, on PATH, in a usual place, or where a login shell finds it."""

    def places(self, ctx: Context) -> tuple[str, ...]:
        return _PROGRAM.places(ctx)

    def probe(self, ctx: Context) -> Origin | None:
        return _PROGRAM.probe(ctx)

    async def find(self, ctx: Context) -> Path:
        try:
            return await _PROGRAM.find(ctx)
        except MissingProgram:
            found = await in_login_shell(ctx, "codex")
            if found is None:
                raise
            return found


_PROGRAM = Program("codex", env="CODEX_CLI_PATH", candidates=_usual_places, hint=INSTALL_HINT)
CODEX = CodexProgram()


def program_env(ctx: Context) -> dict[str, str | None]:
    """What the program needs to read the same account."""
    own = ctx.variables("CODEX_SQLITE_HOME", "CODEX_CA_CERTIFICATE")
    return {**own, "CODEX_HOME": str(codex_home(ctx))} if is_named(ctx) else own


@dataclass(frozen=True)
class ProgramForStaleLogin(Lookup[Path]):
    """The program, but only when the login file exists and is spent: the program then renews it by itself."""

    def places(self, ctx: Context) -> tuple[str, ...]:
        return CODEX.places(ctx)

    def probe(self, ctx: Context) -> Origin | None:
        return CODEX.probe(ctx) if present(codex_home(ctx) / "auth.json") else None

    async def find(self, ctx: Context) -> Path:
        login = await native_login(ctx)
        if login is None or not login.stale:
            raise MissingProgram("The login needs no renewal by the `codex` program.")
        return await CODEX.find(ctx)


@dataclass(frozen=True)
class SignedInProgram(Lookup[Path]):
    """The program, but only beside a login of its own: without one its screen would open a browser to sign in."""

    def places(self, ctx: Context) -> tuple[str, ...]:
        return CODEX.places(ctx)

    def probe(self, ctx: Context) -> Origin | None:
        return ProgramForStaleLogin().probe(ctx)

    async def find(self, ctx: Context) -> Path:
        login = await SubscriptionLogin().find(ctx)
        if login.external:
            raise MissingCredential("Codex is not signed in.")
        return await CODEX.find(ctx)
