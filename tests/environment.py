"""The virtual environment `.venv`, made with nothing but a Python, on Linux, macOS and Windows alike.

python -m tests.environment usage    shows your AI usage
python -m tests.environment usable   installs what the product needs
python -m tests.environment ready    installs on top of it what its developers need
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OLDEST = (3, 11)
VERSION = f"{sys.version_info[0]}.{sys.version_info[1]}"


class Environment:
    """`.venv` of one checkout. Its files `usable` and `ready` tell by their age what is installed, as make would."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / ".venv"

    def program(self, name: str) -> Path:
        """A program of the environment."""
        return self.folder / ("Scripts" if os.name == "nt" else "bin") / (f"{name}.exe" if os.name == "nt" else name)

    def usable(self) -> None:
        """Install the product and what it needs, once. Ends the process with a sentence where that cannot be done."""
        self._make()
        if self._older("usable", "pyproject.toml", "requirements.txt"):
            print(f"Setting up {self.folder.name}; this happens once.", flush=True)
            self._give_pip()
            self._install("-r", "requirements.txt")
            self._install("--no-deps", "--editable", ".")
            (self.folder / "usable").touch()

    def ready(self) -> None:
        """As `usable`, with what the developers need."""
        self.usable()
        if self._older("ready", "requirements-dev.txt", ".venv/usable"):
            self._install("-r", "requirements-dev.txt")
            (self.folder / "ready").touch()

    def _make(self) -> None:
        """Make the folder, and make it again when it belongs to another Python or to one that was removed."""
        made = self._made_with()
        if made is not None and made[:2] == sys.version_info[:2] and self.program("python").exists():
            return
        if made is not None:
            print(
                f"Making {self.folder.name} again, for Python {sys.version_info[0]}.{sys.version_info[1]}.", flush=True
            )
        try:
            venv.EnvBuilder(clear=True, symlinks=os.name != "nt").create(self.folder)
        except (OSError, subprocess.CalledProcessError) as error:
            sys.exit(f"{self.folder} could not be made ({error}). End what runs from it, remove it, and try again.")

    def _made_with(self) -> tuple[int, ...] | None:
        """The version of the Python that made the folder, None where there is none or it does not tell."""
        try:
            lines = (self.folder / "pyvenv.cfg").read_text(encoding="utf-8").splitlines()
        except OSError:
            return None
        told = dict(line.replace(" ", "").split("=", 1) for line in lines if "=" in line)
        numbers = told.get("version_info", told.get("version", "")).split(".")  # uv's and virtualenv's name, and venv's
        return tuple(int(number) for number in numbers[:2] if number.isdecimal()) or None

    def _older(self, stamp: str, *than: str) -> bool:
        """Whether a stamp is absent, or older than one of these files of the checkout."""
        path = self.folder / stamp
        return not path.exists() or any((self.root / name).stat().st_mtime > path.stat().st_mtime for name in than)

    def _give_pip(self) -> None:
        """An environment made by uv, or by a Python that Debian has split, has no pip."""
        if self._run("-m", "pip", "--version", quiet=True) == 0:
            return
        if importlib.util.find_spec("ensurepip") is None or self._run("-m", "ensurepip", "--default-pip", quiet=True):
            sys.exit(
                f"{sys.executable} brings no pip that works. Install it (on Debian and Ubuntu the package "
                f"python{VERSION}-venv), or use another Python (with make: PYTHON=...)."
            )

    def _install(self, *arguments: str) -> None:
        if self._run("-m", "pip", "install", "--quiet", "--disable-pip-version-check", *arguments) != 0:
            sys.exit("pip could not install what is needed; its own message stands above. It needs the package index.")

    def _run(self, *arguments: str, quiet: bool = False) -> int:
        """The exit code of the environment's Python with these arguments, started in the checkout."""
        output = subprocess.DEVNULL if quiet else None
        command = [str(self.program("python")), *arguments]
        return subprocess.run(command, cwd=self.root, stdout=output, stderr=output, check=False).returncode


def check_python(version: tuple[int, ...] = sys.version_info[:2]) -> None:
    """End with a sentence under a Python that is too old."""
    if version < OLDEST:
        sys.exit("Quotaline needs Python 3.11 or newer: start this with another one (with make: PYTHON=...).")


def main(arguments: list[str]) -> int:
    check_python()
    environment = Environment(ROOT)
    if arguments == ["ready"]:
        environment.ready()
    elif arguments in (["usable"], ["usage"]):
        environment.usable()
    else:
        sys.exit((__doc__ or "").strip())
    if arguments == ["usage"]:  # that a provider has failed, or none was found, is told by what it prints
        subprocess.run([str(environment.program("quotaline")), "usage"], check=False)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
