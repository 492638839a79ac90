"""What changed from one text to another, line by line, for people."""

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

CONTEXT = 3  # unchanged lines shown around a change
MAX_LINES = 5000  # of either text; comparing costs the square of it at worst


@dataclass(frozen=True)
class Line:
    """One line of a difference. ``sign`` is "+", "-", " " or "…" (lines left out); numbers count from 1, 0 for none."""

    sign: str
    old: int
    new: int
    text: str


def difference(before: str, after: str) -> list[Line]:
    """The changes with their surroundings, empty when the texts are the same. Overlong texts are cut."""
    old, new = before.splitlines()[:MAX_LINES], after.splitlines()[:MAX_LINES]
    found: list[Line] = []
    for group in SequenceMatcher(a=old, b=new, autojunk=len(old) > 1000).get_grouped_opcodes(CONTEXT):
        if found or group[0][1] > 0:
            found.append(Line("…", 0, 0, ""))
        for change in group:
            found += _lines(old, new, *change)
    return found


def _lines(old: list[str], new: list[str], kind: str, i1: int, i2: int, j1: int, j2: int) -> Iterator[Line]:
    if kind == "equal":
        yield from (Line(" ", i + 1, j1 + i - i1 + 1, old[i]) for i in range(i1, i2))
        return
    yield from (Line("-", i + 1, 0, old[i]) for i in range(i1, i2))
    yield from (Line("+", 0, j + 1, new[j]) for j in range(j1, j2))
