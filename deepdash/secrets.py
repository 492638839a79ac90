"""Secrets the dashboard makes for itself on first start, so that a laptop needs no configuration."""

import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path


def kept_secret(folder: Path, name: str, make: Callable[[], str]) -> str:
    """The text in ``folder/name``; made once with ``make`` and kept, readable by this user alone.

    Raises OSError when the folder can't be written or the file not read, ValueError when nothing usable is in it.

    Several processes may start at once: a complete file is linked into place, and whoever comes second finds
    the name taken and reads the winner's.
    """
    path = folder / name
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=folder, prefix=f".{name}-", encoding="ascii") as file:
            file.write(make())  # such files are created with mode 0600
            file.flush()
            with suppress(FileExistsError):  # another process was first; its secret counts
                os.link(file.name, path)
    if not (kept := path.read_text(encoding="utf-8").strip()):
        raise ValueError("is empty")  # a disk that was full, a file that somebody touched
    return kept
