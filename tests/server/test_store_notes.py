"""Notes that several programs change at once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from quotaline.store import defects
from quotaline.store.store import Store
from quotaline_providers.testing import Clock

NOTE = """
import sys
from datetime import datetime, UTC
from pathlib import Path
from quotaline.store import defects
from quotaline.store.store import Store
from quotaline_providers.diagnostics import Defect
store = Store(Path(sys.argv[1]))
for _ in range(20):
    defects.keep(store, Defect(what="reading", trace=("KeyError", "at x.py:1 (f)"), count=1, at=datetime.now(UTC)))
store.close()
"""


def test_defects_that_several_processes_note_at_once_are_all_counted(tmp_path: Path) -> None:
    noting = [subprocess.Popen([sys.executable, "-c", NOTE, str(tmp_path)]) for _ in range(3)]
    assert [process.wait() for process in noting] == [0] * 3
    assert [defect.count for defect in defects.kept(Store(tmp_path))] == [60]


def test_notes_are_changed_by_what_they_hold_now(tmp_path: Path, clock: Clock) -> None:
    one, two = Store(tmp_path, clock), Store(tmp_path, clock)
    one.keep_note("a", "1")
    two.change_notes(("a", "b"), lambda before: {"a": None, "b": (f"{before['a']}, {before['b']}", None)})
    assert (one.note("a"), one.note("b")) == (None, "1, None")
