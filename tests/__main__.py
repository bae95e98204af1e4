"""Sets up `.venv` where that is needed and runs the tests: `python -m tests [arguments of pytest]`."""

from __future__ import annotations

import signal
import subprocess
import sys

from tests.environment import ROOT, Environment, check_python


def main(arguments: list[str]) -> int:
    """The exit code of pytest."""
    check_python()
    environment = Environment(ROOT)
    environment.ready()
    tests = subprocess.Popen([str(environment.program("python")), "-m", "pytest", *arguments], cwd=ROOT)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches pytest, too, which then tells what it knows
    return tests.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
