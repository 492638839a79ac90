"""The page of the catalogue: what was asked for in the address, and the page that answers it."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import cast
from urllib.parse import urlencode

from django.core.paginator import Page, Paginator
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from catalog import facets
from catalog.index import Answer
from catalog.models import Module, ModuleIndex, RefreshRun

PER_PAGE = 24
MAX_VALUES = 12  # per kind of facet, the most frequent and the chosen ones
SORTS = {
    "": _("Recommended"),
    "updated": _("Recently updated"),
    "newest": _("Newest"),
    "used": _("Most used"),
    "title": _("Title"),
}


@dataclass(frozen=True)
class Wish:
    """What the address asks for. Unknown and overlong parts of it are dropped."""

    words: str = ""
    sort: str = ""
    page: str = "1"
    chosen: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, query: QueryDict) -> "Wish":
        """Read the address's parameters; texts that no database takes (NUL) count as blanks."""
        chosen = {
            kind: list(dict.fromkeys(_clean(value) for value in query.getlist(kind)[:20] if _clean(value)))
            for kind in facets.KINDS
        }
        sort = query.get("sort", "")
        return cls(
            words=_clean(query.get("q", "")),
            sort=sort if sort in SORTS else "",
            page=query.get("page", "1"),
            chosen={kind: values for kind, values in chosen.items() if values},
        )

    @property
    def filtered(self) -> bool:
        return bool(self.words or self.chosen)

    def address(self, page: int | None = None) -> str:
        """The address that asks for this, on a given page (the first by default)."""
        pairs = [("q", self.words)] if self.words else []
        pairs += [(kind, value) for kind, values in self.chosen.items() for value in values]
        pairs += [("sort", self.sort)] if self.sort else []
        pairs += [("page", str(page))] if page and page > 1 else []
        return f"?{urlencode(pairs)}" if pairs else "?"

    def without(self, kind: str, value: str) -> "Wish":
        """The same wish without one of the chosen values."""
        rest = {
            name: [item for item in values if (name, item) != (kind, value)] for name, values in self.chosen.items()
        }
        return replace(self, chosen={name: values for name, values in rest.items() if values})


@dataclass(frozen=True)
class FacetValue:
    """One check box: ``count`` is how many modules would be shown."""

    value: str
    label: str
    count: int
    chosen: bool


@dataclass(frozen=True)
class FacetGroup:
    """One kind of facet with its values, the most frequent first."""

    kind: str
    title: str
    values: tuple[FacetValue, ...]


@dataclass(frozen=True)
class Chip:
    """A filter in force, and the address without it."""

    label: str
    address: str


@dataclass(frozen=True)
class Catalogue:
    """All that the catalogue's page shows of modules."""

    wish: Wish
    page: "Page[Module]"
    groups: tuple[FacetGroup, ...]
    chips: tuple[Chip, ...]
    development: Module | None
    external: Module | None

    @property
    def pages(self) -> list[tuple[str, str, bool]]:
        """Links to other pages: number or "…", address, whether it is this one."""
        paginator = self.page.paginator
        return [
            (str(number), self.wish.address(number), number == self.page.number)
            if isinstance(number, int)
            else ("…", "", False)
            for number in paginator.get_elided_page_range(self.page.number, on_each_side=2, on_ends=1)
        ]

    @property
    def previous(self) -> str:
        return self.wish.address(self.page.previous_page_number()) if self.page.has_previous() else ""

    @property
    def next(self) -> str:
        return self.wish.address(self.page.next_page_number()) if self.page.has_next() else ""

    @property
    def refreshing(self) -> bool:
        """Whether modules are being read just now; only an empty page asks."""
        return RefreshRun.objects.filter(state=RefreshRun.State.RUNNING).exists()

    @property
    def configured(self) -> bool:
        """Whether there is a list of modules; only an empty page asks."""
        return ModuleIndex.objects.exists()


def catalogue(wish: Wish, answer: Answer) -> Catalogue:
    """The page of the catalogue that was wished for, from the index's answer (two statements)."""
    page = cast("Page[Module]", Paginator(answer.pks, PER_PAGE).get_page(wish.page))
    found = Module.objects.for_list().in_bulk(page.object_list)
    page.object_list = [found[pk] for pk in page.object_list if pk in found]  # one may have gone in between
    groups = _groups(wish, answer)
    buttons = {
        module.kind: module
        for module in Module.objects.visible()
        .filter(kind__in=[Module.Kind.DEVELOPMENT, Module.Kind.EXTERNAL])
        .only("slug", "kind", "title", "title_override", "docker_image", "state")
    }
    return Catalogue(
        wish=wish,
        page=page,
        groups=groups,
        chips=tuple(_chips(wish, groups)),
        development=buttons.get(Module.Kind.DEVELOPMENT),
        external=buttons.get(Module.Kind.EXTERNAL),
    )


def _groups(wish: Wish, answer: Answer) -> tuple[FacetGroup, ...]:
    found: dict[str, list[FacetValue]] = {kind: [] for kind in facets.KINDS}
    for (kind, value, label), count in answer.counts:
        found[kind].append(FacetValue(value, label, count, value in wish.chosen.get(kind, [])))
    return tuple(FacetGroup(kind, str(facets.KINDS[kind]), _shown(values)) for kind, values in found.items() if values)


def _shown(values: list[FacetValue]) -> tuple[FacetValue, ...]:
    in_order = sorted(values, key=lambda value: (-value.count, value.label.casefold()))
    return tuple(value for place, value in enumerate(in_order) if place < MAX_VALUES or value.chosen)


def _chips(wish: Wish, groups: tuple[FacetGroup, ...]) -> Iterable[Chip]:
    labels = {(group.kind, value.value): value.label for group in groups for value in group.values}
    for kind, values in wish.chosen.items():
        for value in values:
            yield Chip(labels.get((kind, value), value), wish.without(kind, value).address())


def _clean(text: str) -> str:
    return " ".join(text.replace("\0", " ").split())[:200]
