"""What a module returned: made fit to be kept, its numbers found, and laid out by its shape."""

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeGuard

from django.utils.translation import gettext as _

from deepdash.inert import inert
from deployments.outputs import web_address

MAX_BYTES = 512 * 1024
MAX_METRICS = 40
MAX_ROWS = 200
MAX_COLUMNS = 30
MAX_DEPTH = 12
MAX_SECTIONS = 40
LARGEST = 1e100
LONG = 160  # characters; a longer text gets a box of its own
_IMAGE = re.compile(r"data:image/(?:png|jpeg|gif|webp);base64,[A-Za-z0-9+/=\s]+\Z")


def storable(value: Any, depth: int = 0) -> Any:
    """The value as a JSON column takes it: texts inert, no NaN or infinity (they become text), not nested for ever."""
    if isinstance(value, str):
        return inert(value)
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if depth >= MAX_DEPTH and isinstance(value, (dict, list)):
        return json.dumps(value, default=str)[:1000]
    if isinstance(value, dict):
        return {inert(str(name)): storable(inner, depth + 1) for name, inner in value.items()}
    if isinstance(value, list):
        return [storable(inner, depth + 1) for inner in value]
    return value


def is_small(value: Any) -> bool:
    """Whether it may be kept whole."""
    return len(json.dumps(value)) <= MAX_BYTES


def metrics_of(result: Any) -> dict[str, float]:
    """The numbers in a result by their path: ``{"val": {"loss": 0.2}}`` → ``{"val.loss": 0.2}``.

    Of a list of numbers or of mappings (a learning curve) the last entry counts: "history.loss, last".
    """
    found: dict[str, float] = {}
    for path, number in _numbers(result, "", ""):
        found.setdefault(path or "result", number)
        if len(found) >= MAX_METRICS:
            break
    return found


def _numbers(value: Any, path: str, note: str, depth: int = 0) -> Iterator[tuple[str, float]]:
    if is_number(value):
        yield path + note, float(value)
    elif isinstance(value, dict) and depth < 4:
        for name, inner in value.items():
            yield from _numbers(inner, f"{path}.{name}" if path else str(name), note, depth + 1)
    elif isinstance(value, list) and value and not note and (is_number(value[-1]) or isinstance(value[-1], dict)):
        yield from _numbers(value[-1], path or "entries", ", last", depth + 1)


def is_number(value: Any) -> TypeGuard[int | float]:
    """A number that can be reckoned with: neither NaN nor so large that floats overflow (JSON's integers may be)."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and -LARGEST <= value <= LARGEST


@dataclass(frozen=True)
class Fact:
    """A name with a simple value. ``link`` is the value if it is a web address."""

    name: str
    value: str
    link: str = ""


@dataclass
class Section:
    """A part of a result, of one shape: ``facts``, ``table``, ``entries``, ``text`` or ``image``."""

    title: str
    shape: str
    facts: list[Fact] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    entries: list[Fact] = field(default_factory=list)
    text: str = ""
    left_out: int = 0


def sections_of(result: Any) -> list[Section]:
    """The result as parts of a page, the simple values of each level first."""
    return list(_sections(result, ""))[:MAX_SECTIONS]


def shown(value: Any) -> str:
    """A simple value as people write it: numbers with up to six figures behind the point, yes and no."""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if value is None:
        return _("none")
    if isinstance(value, float):
        return f"{value:.6g}" if abs(value) < 1e-4 or abs(value) >= 1e15 else f"{round(value, 6):g}" if value % 1 else (
            f"{value:.1f}"
        )  # fmt: skip
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _sections(value: Any, title: str, depth: int = 0) -> Iterator[Section]:
    if isinstance(value, dict) and depth < 4:
        yield from _of_mapping(value, title, depth)
    elif isinstance(value, dict):
        yield Section(title, "text", text=json.dumps(value, indent=2, ensure_ascii=False))
    elif isinstance(value, list):
        yield from _of_list(value, title)
    elif isinstance(value, str) and _IMAGE.match(value):
        yield Section(title, "image", text=value)
    elif isinstance(value, str) and (len(value) > LONG or "\n" in value):
        yield Section(title, "text", text=value)
    elif value is not None:
        yield Section(title, "facts", facts=[_fact(_("Result"), value)])


def _of_mapping(value: dict[str, Any], title: str, depth: int) -> Iterator[Section]:
    simple = {name: inner for name, inner in value.items() if _is_simple(inner)}
    if simple:
        yield Section(title, "facts", facts=[_fact(name, inner) for name, inner in simple.items()])
    rest = {name: inner for name, inner in value.items() if name not in simple}
    lengths = {len(inner) for inner in rest.values() if isinstance(inner, list)}
    parallel = len(rest) > 1 and len(lengths) == 1 and all(
        isinstance(inner, list) and all(map(_is_simple, inner)) for inner in rest.values()
    )  # fmt: skip
    if parallel and lengths != {0}:
        names = list(rest)[:MAX_COLUMNS]
        whole = [[shown(rest[name][place]) for name in names] for place in range(lengths.pop())]
        yield Section(title, "table", columns=names, rows=whole[:MAX_ROWS], left_out=max(0, len(whole) - MAX_ROWS))
        return
    for name, inner in rest.items():
        yield from _sections(inner, f"{title} › {name}" if title else str(name), depth + 1)


def _of_list(value: list[Any], title: str) -> Iterator[Section]:
    left_out = max(0, len(value) - MAX_ROWS)
    first = value[:MAX_ROWS]
    if value and all(isinstance(row, dict) for row in first):
        names = list(dict.fromkeys(str(name) for row in first for name in row))[:MAX_COLUMNS]
        rows = [[shown(row[name]) if name in row else "" for name in names] for row in first]
        yield Section(title, "table", columns=names, rows=rows, left_out=left_out)
    elif value and all(isinstance(row, list) for row in first):
        width = min(MAX_COLUMNS, max(len(row) for row in first))
        rows = [[shown(cell) for cell in row[:width]] + [""] * (width - len(row)) for row in first]
        yield Section(title, "table", columns=[str(n + 1) for n in range(width)], rows=rows, left_out=left_out)
    elif len(value) == 1 and isinstance(value[0], str):
        yield from _sections(value[0], title)
    else:
        yield Section(title, "entries", entries=[_fact(str(i + 1), one) for i, one in enumerate(first)],
                      left_out=left_out)  # fmt: skip


def _is_simple(value: Any) -> bool:
    if isinstance(value, str):
        return len(value) <= LONG and "\n" not in value and not _IMAGE.match(value)
    return not isinstance(value, (dict, list))


def _fact(name: str, value: Any) -> Fact:
    return Fact(name, shown(value), web_address(value))
