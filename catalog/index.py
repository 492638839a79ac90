"""What the portfolio searches, filters, counts and sorts by, kept in the memory of each process.

The database stays the truth: every use asks it for one sum over the modules' revisions, which any change of any
module changes, whoever made it and in whichever order it was committed. Only the modules that differ are then read
again. So 10,000 modules cost one short statement and a few milliseconds per page.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from itertools import chain
from typing import Any, NamedTuple

from django.db.models import Count, Sum

from catalog.models import Module, ModuleFacet

ONE_BY_ONE = 500  # changed modules; of more, all are read
KEPT_ANSWERS = 32  # of one state of the catalogue
_COLUMNS = (
    "revision", "kind", "state", "hidden", "slug", "featured", "position", "sort_title", "created_on", "pushed_at",
    "times_used", "search_text",
)  # fmt: skip


class Signature(NamedTuple):
    """How many modules there are, and the sum of their revisions."""

    modules: int
    revisions: int


class Entry(NamedTuple):
    """One module; ``facets`` are numbers of the index's values. Only ``listed`` ones have a card."""

    pk: int
    revision: int
    listed: bool
    slug: str
    featured: bool
    position: int
    sort_title: str
    created_on: date | None
    pushed_at: datetime | None
    times_used: int
    text: str
    facets: tuple[int, ...] = ()


class Value(NamedTuple):
    """One value of a facet, and how people read it."""

    kind: str
    value: str
    label: str


@dataclass(frozen=True)
class Answer:
    """``pks`` of the modules that fit, in order; for each value how many would fit if it were chosen too."""

    pks: tuple[int, ...]
    counts: tuple[tuple[Value, int], ...]


class Index:
    """One state of the catalogue, which never changes. Its entries are in the order that curators arranged."""

    def __init__(self, entries: Mapping[int, Entry], values: tuple[Value, ...]) -> None:
        self.entries, self.values = entries, values
        self.signature = Signature(len(entries), sum(entry.revision for entry in entries.values()))
        self._answers: dict[object, Answer] = {}
        self._orders: dict[str, list[Entry]] = {}

    @cached_property
    def numbers(self) -> dict[tuple[str, str], int]:
        return {(value.kind, value.value): number for number, value in enumerate(self.values)}

    def find(self, words: str, chosen: Mapping[str, Iterable[str]], sort: str) -> Answer:
        """The modules that hold every word and, for each kind of facet, at least one of the chosen values.

        A kind's own values are counted as if nothing of that kind were chosen: they show what they would add.
        """
        sought = tuple(dict.fromkeys(words.casefold().split()[:10]))
        picked = {kind: frozenset(values) for kind, values in chosen.items() if values}
        question = sought, frozenset(picked.items()), sort
        answer = self._answers.get(question)
        if answer is None:
            answer = self._look(sought, picked, sort)
            if len(self._answers) >= KEPT_ANSWERS:
                self._answers.clear()
            self._answers[question] = answer
        return answer

    def _look(self, words: tuple[str, ...], chosen: Mapping[str, frozenset[str]], sort: str) -> Answer:
        found = self._in_order(sort)
        for word in words:
            found = [entry for entry in found if word in entry.text]
        if not chosen:
            return self._answer(found, self._counted(found))
        having = {kind: self._having(kind, values) for kind, values in chosen.items()}
        pks = frozenset.intersection(*having.values())
        fitting = [entry for entry in found if entry.pk in pks]
        counts = Counter(chain.from_iterable(entry.facets for entry in fitting))
        for kind, own in having.items():
            others = [pks for name, pks in having.items() if name != kind]
            almost = (frozenset.intersection(*others) if others else frozenset(self.entries)) - own
            missing = Counter(chain.from_iterable(entry.facets for entry in found if entry.pk in almost))
            counts.update({number: n for number, n in missing.items() if self.values[number].kind == kind})
        return self._answer(fitting, counts)

    def _answer(self, fitting: list[Entry], counts: Mapping[int, int]) -> Answer:
        return Answer(
            tuple([entry.pk for entry in fitting]),
            tuple((self.values[number], count) for number, count in counts.items() if count),
        )

    def _counted(self, found: list[Entry]) -> Counter[int]:
        """How many of these have each value; of most of the catalogue, what is missing is counted instead."""
        if 2 * len(found) <= len(self._in_order("")):
            return Counter(chain.from_iterable([entry.facets for entry in found]))
        pks = {entry.pk for entry in found}
        counts = self._all_counted.copy()
        counts.subtract(chain.from_iterable([e.facets for e in self._in_order("") if e.pk not in pks]))
        return counts

    @cached_property
    def _all_counted(self) -> Counter[int]:
        return Counter(chain.from_iterable([entry.facets for entry in self._in_order("")]))

    def _having(self, kind: str, values: Iterable[str]) -> frozenset[int]:
        """The modules that have one of the values."""
        numbers = [self.numbers[kind, value] for value in values if (kind, value) in self.numbers]
        return frozenset(chain.from_iterable(self._modules_by_value.get(number, ()) for number in numbers))

    @cached_property
    def _modules_by_value(self) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        for entry in self.entries.values():
            for number in entry.facets:
                found.setdefault(number, []).append(entry.pk)
        return found

    def _in_order(self, sort: str) -> list[Entry]:
        """All that have a card: by "title", "newest", "updated" (last image pushed), "used" (most often), or as
        curators arranged them."""
        if sort not in self._orders:
            listed = [entry for entry in self.entries.values() if entry.listed]
            self._orders[sort] = sorted(listed, key=_KEYS[sort]) if sort in _KEYS else listed
        return self._orders[sort]


def _arranged(entry: Entry) -> tuple[Any, ...]:
    return not entry.featured, entry.position, entry.sort_title, entry.slug


_KEYS: dict[str, Callable[[Entry], tuple[Any, ...]]] = {
    "title": lambda entry: (entry.sort_title, entry.slug),
    "newest": lambda entry: (-(entry.created_on or date.min).toordinal(), entry.sort_title, entry.slug),
    "used": lambda entry: (-entry.times_used, entry.sort_title, entry.slug),
    "updated": lambda entry: (-entry.pushed_at.timestamp() if entry.pushed_at else 0.0, entry.sort_title, entry.slug),
}


_current = Index({}, ())
_renewing = threading.Lock()


def current_index() -> Index:
    """The index of the catalogue as it is now (one statement when nothing changed, else up to four)."""
    global _current
    seen = Module.objects.aggregate(modules=Count("pk"), revisions=Sum("revision"))
    signature = Signature(seen["modules"], seen["revisions"] or 0)
    index = _current
    if index.signature == signature:
        return index
    with _renewing:
        if _current.signature != signature:
            _current = _renewed(_current)
        return _current


def _renewed(old: Index) -> Index:
    """The index with what differs from the database read again.

    Entries take the revision that came with their own row, and facets are read after it: what is committed in
    between differs the next time.
    """
    revisions = dict(Module.objects.order_by().values_list("pk", "revision"))
    known = {pk: entry.revision for pk, entry in old.entries.items()}
    changed = [pk for pk, _ in revisions.items() - known.items()]
    rows = Module.objects.order_by()
    links = ModuleFacet.objects.order_by()
    if len(changed) <= ONE_BY_ONE:
        rows, links = rows.filter(pk__in=changed), links.filter(module__in=changed)
    fresh = list(rows.only(*_COLUMNS))
    values, numbers = list(old.values), dict(old.numbers)
    found: dict[int, list[int]] = {}
    for module, kind, value, label in links.values_list("module_id", "kind", "value", "label"):
        number = numbers.setdefault((kind, value), len(values))
        if number == len(values):
            values.append(Value(kind, value, label))
        elif values[number].label != label:
            values[number] = Value(kind, value, max(label, values[number].label))
        found.setdefault(module, []).append(number)
    entries = {pk: entry for pk, entry in old.entries.items() if pk in revisions}
    for row in fresh:
        listed = row.kind == Module.Kind.MODULE and row.state != Module.State.GONE and not row.hidden
        entries[row.pk] = Entry(
            row.pk, row.revision, listed, row.slug, row.featured, row.position, row.sort_title, row.created_on,
            row.pushed_at, row.times_used, row.search_text, tuple(found.get(row.pk, ())),
        )  # fmt: skip
    places = ((old.entries.get(row.pk), entries[row.pk]) for row in fresh)
    if any(before is None or _arranged(before) != _arranged(entry) for before, entry in places):
        entries = {entry.pk: entry for entry in sorted(entries.values(), key=_arranged)}
    return Index(entries, tuple(values))
