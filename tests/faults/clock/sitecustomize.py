"""Moves the wall clock of a process under test: the file CLOCK_FILE holds the seconds to add, and may change.

Python imports this at its start when the folder is in PYTHONPATH. Only ``time.time`` and ``datetime.now`` and their
like move; the monotonic clock goes on, as when an operator or NTP sets a machine's clock.
"""

import os
import threading
import time
from contextlib import suppress
from pathlib import Path

import time_machine

FILE = Path(os.environ.get("CLOCK_FILE", "/nowhere"))
LOOK = 0.05  # seconds between two looks at the file
_start = time.time() - time.monotonic()  # the true time is told by the clock that nothing moves


def _follow() -> None:
    offset, moved = 0.0, None
    while True:
        with suppress(OSError, ValueError):
            wanted = float(FILE.read_text(encoding="ascii"))
            if wanted != offset:
                if moved is not None:
                    moved.stop()
                moved = time_machine.travel(_start + time.monotonic() + wanted, tick=True) if wanted else None
                if moved is not None:
                    moved.start()
                offset = wanted
        time.sleep(LOOK)


def _begin() -> None:
    threading.Thread(target=_follow, name="clock", daemon=True).start()


if FILE.parent.is_dir():
    _begin()
    os.register_at_fork(after_in_child=_begin)
