"""What the page of the catalogue searches, filters, counts and sorts by, kept in the memory of each process.

The database stays the truth: every use asks it for one sum over the modules' revisions, which any change of any
module changes, whoever made it and in whichever order it was committed. Sums over blocks of modules then say where
to look, and only the modules that differ are read again. Sets of modules are numbers with one bit for each, so that
filtering and counting 10,000 of them takes a millisecond or two.
"""

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import reduce
from itertools import compress
from operator import and_, or_
from typing import Any, NamedTuple

from django.db.models import Count, F, Sum

from catalog.models import Module, ModuleFacet
from catalog.revisions import Revisions, Signature, revisions_now

REST = 1.0  # seconds
ONE_BY_ONE = 500  # changed modules; of more, all are read
BLOCK = 7  # bits of a primary key that modules of one block differ in
KEPT_ANSWERS = 32  # of one state of the catalogue
KEPT_WORDS = 64
_COLUMNS = (
    "revision", "kind", "state", "hidden", "slug", "featured", "position", "sort_title", "created_on", "pushed_at",
    "fetched_at", "times_used", "search_text",
)  # fmt: skip
_DIGITS, _BITS = bytes.maketrans(b"\0\1", b"01"), bytes.maketrans(b"01", b"\0\1")


class Entry(NamedTuple):
    """One module; ``facets`` are numbers of the index's values. Only ``listed`` ones have a card.

    ``unread``: nothing of it was ever read, so its card says little. ``bit`` is its place in the index's sets, which
    it keeps while it is there.
    """

    pk: int
    bit: int
    revision: int
    listed: bool
    unread: bool
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


@dataclass(frozen=True)
class _Order:
    """The bits and the primary keys of all that have a card, in one order."""

    bits: list[int]
    pks: list[int]


class Index:
    """One state of the catalogue, which never changes; ``_renewed`` makes the next one.

    ``texts`` by bit; ``sets`` holds for each value, by its number, the modules that have it.
    """

    def __init__(self) -> None:
        self.entries: dict[int, Entry] = {}
        self.values: list[Value] = []
        self.numbers: dict[tuple[str, str], int] = {}
        self.texts: list[str] = []
        self.sets: list[int] = []
        self.listed = 0
        self.free: list[int] = []
        self.blocks: dict[int, Signature] = {}
        self._orders: dict[str, _Order] = {}
        self._words: dict[str, int] = {}
        self._answers: dict[object, Answer] = {}

    @property
    def signature(self) -> Signature:
        blocks = self.blocks.values()
        return Signature(sum(block.rows for block in blocks), sum(block.revisions for block in blocks))

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
        holding = reduce(and_, map(self._holding, words), self.listed)
        having = {kind: self._having(kind, values) for kind, values in chosen.items()}
        fitting = reduce(and_, having.values(), holding)
        almost = {
            kind: reduce(and_, (own for other, own in having.items() if other != kind), holding) for kind in having
        }
        counts = (
            (value, (self.sets[number] & almost.get(value.kind, fitting)).bit_count())
            for number, value in enumerate(self.values)
        )
        order = self._in_order(sort)
        bits = f"{fitting:0{len(self.texts)}b}"[::-1].encode().translate(_BITS)
        return Answer(
            tuple(compress(order.pks, [bits[bit] for bit in order.bits])),
            tuple((value, count) for value, count in counts if count),
        )

    def _holding(self, word: str) -> int:
        """The modules whose text holds a word."""
        found = self._words.get(word)
        if found is None:
            found = _as_set([word in text for text in self.texts])
            if len(self._words) >= KEPT_WORDS:
                self._words.clear()
            self._words[word] = found
        return found

    def _having(self, kind: str, values: Iterable[str]) -> int:
        """The modules that have one of the values."""
        numbers = [self.numbers[kind, value] for value in values if (kind, value) in self.numbers]
        return reduce(or_, (self.sets[number] for number in numbers), 0)

    def _in_order(self, sort: str) -> _Order:
        """All that have a card: by "title", "newest", "updated" (last image pushed), "used" (most often), or as
        curators arranged them."""
        order = self._orders.get(sort)
        if order is None:
            listed = [entry for entry in self.entries.values() if entry.listed]
            listed.sort(key=_KEYS.get(sort, _arranged))
            order = _Order([entry.bit for entry in listed], [entry.pk for entry in listed])
            self._orders[sort] = order
        return order


def _arranged(entry: Entry) -> tuple[Any, ...]:
    return not entry.featured, entry.position, entry.unread, entry.sort_title, entry.slug


_KEYS: dict[str, Callable[[Entry], tuple[Any, ...]]] = {
    "": _arranged,
    "title": lambda entry: (entry.sort_title, entry.slug),
    "newest": lambda entry: (-(entry.created_on or date.min).toordinal(), entry.sort_title, entry.slug),
    "used": lambda entry: (-entry.times_used, entry.sort_title, entry.slug),
    "updated": lambda entry: (-entry.pushed_at.timestamp() if entry.pushed_at else 0.0, entry.sort_title, entry.slug),
}


_current = Index()
_renewing = threading.Lock()
_last: tuple[object, float] = None, 0.0  # the refresh that was under way then, and when


def current_index(now: Revisions | None = None) -> Index:
    """The index of the catalogue as it is ``now`` (one statement when nothing changed, else up to five).

    A refresh may change modules all the time: while one runs, what is shown may be REST seconds old, so that it is
    not made anew for every page.
    """
    global _current, _last
    now = now or revisions_now()
    index = _current
    if index.signature == now.modules:
        return index
    run, then = _last
    if now.refresh and run == now.refresh and time.monotonic() - then < REST:
        return index
    with _renewing:
        if _current.signature != now.modules:
            _current = _renewed(_current)
            _last = now.refresh, time.monotonic()
        return _current


def _renewed(old: Index) -> Index:
    """The index with what differs from the database read again.

    Entries take the revision that came with their own row, and facets are read after it: what is committed in
    between differs the next time.
    """
    stale, revisions = _differing(old)
    known = {pk: old.entries[pk].revision for block in stale for pk in _keys_of(block) if pk in old.entries}
    changed = [pk for pk, _ in revisions.items() - known.items()]
    rows, links = Module.objects.order_by(), ModuleFacet.objects.order_by()
    if len(changed) <= ONE_BY_ONE:
        rows, links = rows.filter(pk__in=changed), links.filter(module__in=changed)
    fresh = list(rows.only(*_COLUMNS))
    index = _copied(old)
    found: dict[int, set[int]] = {}
    for module, kind, value, label in links.values_list("module_id", "kind", "value", "label"):
        found.setdefault(module, set()).add(_number(index, kind, value, label))
    before = [_without(index, pk) for pk in (known.keys() - revisions.keys()) | {row.pk for row in fresh}]
    after = [_with(index, row, tuple(found.get(row.pk, ()))) for row in fresh]
    for block in stale.union(row.pk >> BLOCK for row in fresh):
        here = [index.entries[pk].revision for pk in _keys_of(block) if pk in index.entries]
        index.blocks.pop(block, None)
        if here:
            index.blocks[block] = Signature(len(here), sum(here))
    places = {entry.pk: entry for entry in before if entry and entry.listed}
    now = {entry.pk: entry for entry in after if entry.listed}
    for sort, order in old._orders.items():
        key = _KEYS.get(sort, _arranged)
        if places.keys() == now.keys() and all(key(places[pk]) == key(now[pk]) for pk in now):
            index._orders[sort] = order
    return index


def _differing(old: Index) -> tuple[set[int], dict[int, int]]:
    """The blocks that are not as the index has them, and the revisions of the modules there."""
    modules = Module.objects.order_by().annotate(block=F("pk").bitrightshift(BLOCK))
    sums = modules.values("block").annotate(modules=Count("pk"), revisions=Sum("revision"))
    blocks = {row["block"]: Signature(row["modules"], row["revisions"]) for row in sums}
    stale = {block for block in blocks.keys() | old.blocks.keys() if blocks.get(block) != old.blocks.get(block)}
    if len(stale) <= ONE_BY_ONE:
        modules = modules.filter(block__in=stale)
    return stale, dict(modules.values_list("pk", "revision"))


def _keys_of(block: int) -> range:
    return range(block << BLOCK, (block + 1) << BLOCK)


def _copied(old: Index) -> Index:
    """An index of the same, to be changed before anybody sees it."""
    index = Index()
    index.entries, index.numbers, index.blocks = dict(old.entries), dict(old.numbers), dict(old.blocks)
    index.values, index.texts, index.sets = list(old.values), list(old.texts), list(old.sets)
    index.listed, index.free, index._words = old.listed, list(old.free), dict(old._words)
    return index


def _number(index: Index, kind: str, value: str, label: str) -> int:
    """The number of a value; of several labels it was found under, the last in the alphabet is shown."""
    number = index.numbers.setdefault((kind, value), len(index.values))
    if number == len(index.values):
        index.values.append(Value(kind, value, label))
        index.sets.append(0)
    elif index.values[number].label != label:
        index.values[number] = Value(kind, value, max(label, index.values[number].label))
    return number


def _without(index: Index, pk: int) -> Entry | None:
    """Take a module out of an index that is being made; returns its entry, if it had one."""
    entry = index.entries.pop(pk, None)
    if entry is not None:
        others = ~(1 << entry.bit)
        index.texts[entry.bit] = ""
        index.listed &= others
        for number in entry.facets:
            index.sets[number] &= others
        for word in index._words:
            index._words[word] &= others
        index.free.append(entry.bit)
    return entry


def _with(index: Index, row: Module, facets: tuple[int, ...]) -> Entry:
    """Put a module into an index that is being made."""
    if index.free:
        bit = index.free.pop()
    else:
        bit = len(index.texts)
        index.texts.append("")
    own = 1 << bit
    listed = row.kind == Module.Kind.MODULE and row.state != Module.State.GONE and not row.hidden
    entry = Entry(
        row.pk, bit, row.revision, listed, row.fetched_at is None, row.slug, row.featured, row.position,
        row.sort_title, row.created_on, row.pushed_at, row.times_used, row.search_text, facets,
    )  # fmt: skip
    index.entries[row.pk] = entry
    index.texts[bit] = entry.text
    if listed:
        index.listed |= own
    for number in facets:
        index.sets[number] |= own
    for word in index._words:
        if word in entry.text:
            index._words[word] |= own
    return entry


def _as_set(flags: list[bool]) -> int:
    return int(bytes(flags)[::-1].translate(_DIGITS) or b"0", 2)
