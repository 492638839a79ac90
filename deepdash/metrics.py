"""Figures for Prometheus, right with any number of processes and hosts.

Each process counts in memory and adds what it counted to the database every few seconds; whoever is asked for
``/metrics`` answers for the whole site. So all web hosts give the same answer: scrape the site once, not each host.
What a killed process had not yet added (FLUSH_EVERY at most) is lost, which for figures is no harm.
"""

import logging
import os
import threading
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from django.db import connection

from deepdash.models import Count

log = logging.getLogger(__name__)
FLUSH_EVERY = 10.0  # seconds
BOUNDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)  # seconds, of all histograms
PREFIX = "deepdash_"

_pending: Counter[tuple[str, str]] = Counter()
_lock = threading.Lock()
_flusher_of: int | None = None  # the process whose flusher runs: a forked child has to start its own
_families: dict[str, "Counted | Timed"] = {}
_gauges: dict[str, "Gauge"] = {}


@dataclass(frozen=True)
class Counted:
    """Something that is counted. ``name`` ends in ``_total``."""

    name: str
    help: str

    def __post_init__(self) -> None:
        _families[self.name] = self

    def add(self, **labels: str) -> None:
        _add(self.name, _text(labels), 1)

    def lines(self, rows: dict[str, dict[str, float]]) -> Iterator[str]:
        yield from _head(self.name, self.help, "counter")
        for labels, value in sorted(rows.get(self.name, {}).items()):
            yield f"{PREFIX}{self.name}{_braced(labels)} {value:g}"


@dataclass(frozen=True)
class Timed:
    """Something whose duration is observed, as a histogram. ``name`` ends in ``_seconds``."""

    name: str
    help: str

    def __post_init__(self) -> None:
        _families[self.name] = self

    def observe(self, seconds: float, **labels: str) -> None:
        place = bisect_left(BOUNDS, seconds)
        bound = f"{BOUNDS[place]:g}" if place < len(BOUNDS) else "+Inf"
        _add(f"{self.name}:{bound}", _text(labels), 1)
        _add(f"{self.name}:sum", _text(labels), seconds)

    def lines(self, rows: dict[str, dict[str, float]]) -> Iterator[str]:
        yield from _head(self.name, self.help, "histogram")
        for labels, total in sorted(rows.get(f"{self.name}:sum", {}).items()):
            reached = 0.0
            for bound in (*(f"{bound:g}" for bound in BOUNDS), "+Inf"):
                reached += rows.get(f"{self.name}:{bound}", {}).get(labels, 0)
                le = f'{labels}{"," if labels else ""}le="{bound}"'
                yield f"{PREFIX}{self.name}_bucket{_braced(le)} {reached:g}"
            yield f"{PREFIX}{self.name}_sum{_braced(labels)} {total:g}"
            yield f"{PREFIX}{self.name}_count{_braced(labels)} {reached:g}"


@dataclass(frozen=True)
class Gauge:
    """A figure that is looked up when asked for: ``read`` gives pairs of labels and value."""

    name: str
    help: str
    read: Callable[[], Iterable[tuple[dict[str, str], float]]]

    def __post_init__(self) -> None:
        _gauges[self.name] = self

    def lines(self) -> Iterator[str]:
        yield from _head(self.name, self.help, "gauge")
        for labels, value in self.read():
            yield f"{PREFIX}{self.name}{_braced(_text(labels))} {value:g}"


def exposition() -> str:
    """All figures in Prometheus' text format."""
    flush()
    rows: dict[str, dict[str, float]] = defaultdict(dict)
    for name, labels, value in Count.objects.values_list("name", "labels", "value"):
        rows[name][labels] = value
    lines = [line for family in _families.values() for line in family.lines(rows)]
    for gauge in _gauges.values():
        try:
            lines += list(gauge.lines())
        except Exception:  # one figure that can't be had (a queue that is away) must not hide the others
            log.exception("the figure %s can't be read", gauge.name)
    return "\n".join(lines) + "\n"


def flush() -> None:
    """Add what this process has counted to the database; what can't be added now stays for the next time."""
    with _lock:
        batch = dict(_pending)
        _pending.clear()
    if not batch:
        return
    table = connection.ops.quote_name(Count._meta.db_table)
    # One statement per row that adds whatever others have added meanwhile; sorted, so that two never wait for
    # each other's rows.
    statement = (
        f"INSERT INTO {table} (name, labels, value) VALUES (%s, %s, %s) "  # noqa: S608 - a table name of ours
        f"ON CONFLICT (name, labels) DO UPDATE SET value = {table}.value + excluded.value"
    )
    try:
        with connection.cursor() as cursor:
            cursor.executemany(statement, [(*key, value) for key, value in sorted(batch.items())])
    except Exception as error:  # whatever the driver raises: figures must never break what they count
        log.info("figures could not be stored: %s", type(error).__name__)
        with _lock:
            _pending.update(batch)


def start_flushing() -> None:
    """Flush from now on, in a thread of this process. For processes that serve; called again it does nothing."""
    global _flusher_of
    with _lock:
        if _flusher_of == os.getpid():
            return
        _flusher_of = os.getpid()
    threading.Thread(target=_flush_for_ever, name="metrics", daemon=True).start()


def _flush_for_ever() -> None:
    pause = threading.Event()
    while True:
        pause.wait(FLUSH_EVERY)
        flush()
        connection.close()  # this thread's own; it would idle otherwise


def _add(name: str, labels: str, amount: float) -> None:
    with _lock:
        _pending[name, labels] += amount  # type: ignore[assignment]  # Counter is typed for whole numbers


def _text(labels: dict[str, str]) -> str:
    return ",".join(f'{name}="{_escaped(value)}"' for name, value in sorted(labels.items()))


def _escaped(value: str) -> str:
    return str(value)[:80].replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _braced(labels: str) -> str:
    return f"{{{labels}}}" if labels else ""


def _head(name: str, help: str, kind: str) -> list[str]:
    return [f"# HELP {PREFIX}{name} {help}", f"# TYPE {PREFIX}{name} {kind}"]
