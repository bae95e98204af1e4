"""A real Secret Service: gnome-keyring in a D-Bus session and a home of its own, asked from a process of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests import systems

PROGRAMS = ("gnome-keyring-daemon", "dbus-run-session")
MISSING = [program for program in PROGRAMS if shutil.which(program) is None]

pytestmark = [
    pytest.mark.keyring,
    systems.secret_service,
    pytest.mark.skipif(
        bool(MISSING) and not systems.COMPLETE, reason=f"not installed: {', '.join(MISSING)} (needed in CI)"
    ),
]

OPEN = "printf 'pw\\n' | gnome-keyring-daemon --unlock --components=secrets > /dev/null"
CLOSED = "gnome-keyring-daemon --start --components=secrets > /dev/null"

PREAMBLE = """
import asyncio, contextlib, json, os, sys, time
from pathlib import Path
from quotaline_providers.hosts.keyrings import calls
from quotaline_providers.hosts.keyrings import OsKeyring
from quotaline_providers.secret import Secret

own = OsKeyring(Path.home() / "state" / "keyring.json", os.environ)
said = {}

def lock():
    import secretstorage
    with contextlib.closing(secretstorage.dbus_init()) as bus:
        collection = secretstorage.get_default_collection(bus)
        collection.lock()
        assert collection.is_locked()

def shown(secret):
    return secret.reveal() if secret else None

async def main():
"""
EPILOGUE = """
asyncio.run(main())
print(json.dumps(said))
"""


class Desktop:
    """A home folder, and scripts run in it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        runtime = home / "runtime"
        runtime.mkdir(mode=0o700)
        self.environ = {
            "HOME": str(home),
            "XDG_RUNTIME_DIR": str(runtime),
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        }

    def run(self, body: str, *, daemon: str | None, **environ: str) -> dict[str, object]:
        """What the script said. `daemon` is the command that starts the keyring; None is a system without D-Bus."""
        script = self.home / "script.py"
        lines = "".join(f"    {line}\n" for line in body.strip().splitlines())
        script.write_text(PREAMBLE + lines + EPILOGUE)
        command = [sys.executable, str(script)]
        if daemon is not None:
            shell = f'{daemon} && exec "$@"'
            command = ["dbus-run-session", "--", "bash", "-c", shell, "bash", *command]
        done = subprocess.run(
            command, env={**self.environ, **environ}, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        said: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
        return said


@pytest.fixture
def desktop(tmp_path: Path) -> Desktop:
    return Desktop(tmp_path)


def test_credentials_are_kept_listed_and_removed(desktop: Desktop) -> None:
    said = desktop.run(
        """
said["name"] = await own.backend_name()
said["before"] = shown(await own.own("crof"))
said["stored"] = [await own.store("crof", Secret("demo-token")), await own.store("crof", Secret("k"), "work")]
said["stored"] = [bool(stored) for stored in said["stored"]]
said["labels"] = own.labels("crof")
said["read"] = [shown(await own.own("crof")), shown(await own.own("crof", "work"))]
said["replaced"] = [bool(await own.store("crof", Secret("k2"))), shown(await own.own("crof"))]
said["removed"] = [await own.remove("crof", "work"), await own.remove("crof", "work")]
said["after"] = [own.labels("crof"), shown(await own.own("crof", "work"))]
""",
        daemon=OPEN,
    )
    assert said == {
        "name": "SecretService Keyring",
        "before": None,
        "stored": [True, True],
        "labels": ["", "work"],
        "read": ["demo-token", "k"],
        "replaced": [True, "k2"],
        "removed": [True, False],
        "after": [[""], None],
    }


def test_other_programs_entries_are_read(desktop: Desktop) -> None:
    said = desktop.run(
        """
import keyring
keyring.set_password("Some CLI", "ada", "k")
said["read"] = shown(await own.get("Some CLI", "ada"))
said["absent"] = shown(await own.get("Some CLI", "eve"))
""",
        daemon=OPEN,
    )
    assert said == {"read": "k", "absent": None}


def test_credentials_outlive_the_session(desktop: Desktop) -> None:
    desktop.run('said["stored"] = bool(await own.store("crof", Secret("demo-token")))', daemon=OPEN)
    said = desktop.run('said["read"] = shown(await own.own("crof"))', daemon=OPEN)
    assert said == {"read": "demo-token"}


def test_a_locked_keyring_is_left_alone(desktop: Desktop) -> None:
    said = desktop.run(
        """
await own.store("crof", Secret("demo-token"))
lock()
begun = time.monotonic()
said["read"] = shown(await own.own("crof"))
said["at once"] = time.monotonic() - begun < calls.TIMEOUT / 2
said["listed"] = own.labels("crof")
""",
        daemon=OPEN,
    )
    assert said == {"read": None, "at once": True, "listed": [""]}


def test_a_locked_keyring_that_nobody_opens_is_given_up(desktop: Desktop) -> None:
    said = desktop.run(
        """
await own.store("crof", Secret("demo-token"))
lock()
calls.TIMEOUT = 1
said["read"] = shown(await own.prompting().own("crof"))
said["stored"] = bool(await own.store("poe", Secret("k")))
said["listed"] = [own.labels("crof"), own.labels("poe")]
""",
        daemon=OPEN,
    )
    assert said == {"read": None, "stored": False, "listed": [[""], []]}


def test_a_keyring_never_set_up_is_not_set_up_by_reading(desktop: Desktop) -> None:
    said = desktop.run(
        """
calls.TIMEOUT = 3
said["read"] = shown(await own.own("crof"))
said["name"] = await own.backend_name()
""",
        daemon=CLOSED,
    )
    assert said == {"read": None, "name": "SecretService Keyring"}


def test_without_a_bus_there_is_no_keyring(desktop: Desktop) -> None:
    said = desktop.run(
        """
said["name"] = await own.backend_name()
said["stored"] = bool(await own.store("crof", Secret("demo-token")))
said["read"] = shown(await own.own("crof"))
said["removed"] = await own.remove("crof")
""",
        daemon=None,
    )
    assert said == {"name": "none", "stored": False, "read": None, "removed": False}


def test_a_dead_bus_is_no_keyring(desktop: Desktop) -> None:
    said = desktop.run(
        """
said["name"] = await own.backend_name()
said["stored"] = bool(await own.store("crof", Secret("demo-token")))
""",
        daemon=None,
        DBUS_SESSION_BUS_ADDRESS=f"unix:path={desktop.home}/nobody-listens",
    )
    assert said == {"name": "none", "stored": False}


def test_the_user_may_switch_the_keyring_off(desktop: Desktop) -> None:
    said = desktop.run(
        """
said["name"] = await own.backend_name()
said["stored"] = bool(await own.store("crof", Secret("demo-token")))
""",
        daemon=OPEN,
        PYTHON_KEYRING_BACKEND="keyring.backends.fail.Keyring",
    )
    assert said == {"name": "none", "stored": False}
