"""A folder of YAML files, read without following it anywhere else."""

import os
from dataclasses import dataclass
from pathlib import Path

from catalog.tosca import overrides, parameters
from catalog.tosca.guard import MAX_BYTES
from deepdash.errors import Problem

MAX_FILES = 5000
BESIDE = (*parameters.SUFFIXES, *overrides.SUFFIXES)  # files about templates, which are none themselves


@dataclass(frozen=True)
class FoundFile:
    """A file and its text; ``error`` says why there is none. ``path`` counts from the folder, with ``/``."""

    path: str
    text: str
    error: str = ""


def read_templates(folder: Path) -> list[FoundFile]:
    """The YAML files below a folder that may be templates, by path. Raises Problem "catalog:source"."""
    return [file for file in _read(folder, "The templates folder") if not file.path.endswith(BESIDE)]


def read_parameters(folder: Path) -> list[FoundFile]:
    """The ``*.parameters.yml`` and ``.yaml`` below a folder, by path. Raises Problem "catalog:source"."""
    return [file for file in _read(folder, "The parameters folder") if file.path.endswith(parameters.SUFFIXES)]


def read_overrides(folder: Path) -> list[FoundFile]:
    """The ``*.metadata.yml`` and ``.yaml`` below a folder, by path. Raises Problem "catalog:source"."""
    return [file for file in _read(folder, "The metadata folder") if file.path.endswith(overrides.SUFFIXES)]


def read_text(path: Path) -> str:
    """A file's text, a byte order mark taken off, cut just past what the guard takes. Raises OSError, ValueError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)  # no link, no waiting for a pipe
    with os.fdopen(descriptor, "rb") as file:
        return file.read(MAX_BYTES + 4096).decode("utf-8-sig")


def _read(folder: Path, what: str) -> list[FoundFile]:
    if not folder.is_dir():
        raise Problem("catalog:source", detail=f"There is no folder {folder}.", what=what)
    found: list[FoundFile] = []
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(place, name)
            if name.startswith(".") or path.suffix not in {".yml", ".yaml"} or path.is_symlink() or not path.is_file():
                continue
            if len(found) >= MAX_FILES:
                raise Problem("catalog:source", detail=f"More than {MAX_FILES} files in {folder}.", what=what)
            shown = path.relative_to(folder).as_posix()
            if not shown.isprintable():  # bytes that are no UTF-8, controls, marks that turn text around
                found.append(FoundFile(repr(shown)[1:-1], "", "Its name holds characters that can't be shown."))
                continue
            found.append(_found(path, shown))
    return found


def _found(path: Path, name: str) -> FoundFile:
    try:
        return FoundFile(name, read_text(path))
    except UnicodeDecodeError as error:
        return FoundFile(name, "", f"It is not UTF-8 text (byte {error.start}).")
    except OSError as error:
        return FoundFile(name, "", f"It can't be read: {error.strerror}.")
