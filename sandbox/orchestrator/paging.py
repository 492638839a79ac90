"""Paging as Spring Data does it, and the envelope of lists (contract 1.6)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote

from multidict import MultiMapping

from sandbox.orchestrator.errors import ApiError
from sandbox.sent import number

DEFAULT_SIZE = 10
MAX_SIZE = 2000
_PROPERTIES: Mapping[str, Callable[[Any], Any]] = {
    "createdAt": lambda row: (row.created, row.uuid),
    "updatedAt": lambda row: (row.updated, row.uuid),
    "id": lambda row: row.uuid,
    "status": lambda row: getattr(row, "status", ""),
    "task": lambda row: getattr(row, "task", ""),
    "statusReason": lambda row: getattr(row, "status_reason", None) or "",
    "state": lambda row: getattr(row, "state", ""),
    "toscaNodeName": lambda row: getattr(row, "node_name", ""),
    "toscaNodeType": lambda row: getattr(row, "node_type", ""),
}
Row = TypeVar("Row")


@dataclass(frozen=True)
class PageRequest:
    """What a client asked for; nonsense was replaced by the defaults, never refused."""

    number: int
    size: int
    sort: tuple[tuple[str, bool], ...]

    @classmethod
    def read(cls, query: MultiMapping[str]) -> PageRequest:
        size = number(query.get("size"), DEFAULT_SIZE)
        return cls(
            number=number(query.get("page"), 0, least=0),
            size=min(size, MAX_SIZE),
            sort=tuple(_sort(query.getall("sort", []))) or (("createdAt", False),),
        )

    def query(self, number: int) -> str:
        order = "".join(f"&sort={quote(name)},{'asc' if up else 'desc'}" for name, up in self.sort)
        return f"page={number}&size={self.size}{order}"

    def sorted(self, rows: Iterable[Row], entity: str) -> list[Row]:
        """Return the rows in the order asked for; an unknown property is a server error there."""
        found = list(rows)
        for name, ascending in reversed(self.sort):
            if name not in _PROPERTIES:
                raise ApiError(500, f"No property {name} found for type {entity}!")
            found.sort(key=_PROPERTIES[name], reverse=not ascending)
        return found


def envelope(
    rows: Sequence[Row],
    page: PageRequest,
    show: Callable[[Row], dict[str, Any]],
    base: str,
    filters: Mapping[str, str],
    template: str = "",
    self_has_page: bool = False,
) -> dict[str, Any]:
    """Return one page of sorted ``rows`` with its links, in the order the real service writes them.

    ``base`` is the list's URL without query, ``filters`` the filters that were given, ``template`` the
    unexpanded rest that ends the ``self`` link.
    """
    total = len(rows)
    pages = -(-total // page.size)
    given = "&".join(f"{name}={quote(value, safe='@:/,')}" for name, value in filters.items())

    def href(number: int) -> str:
        return f"{base}?{given}{'&' if given else ''}{page.query(number)}"

    own = href(page.number) if self_has_page else f"{base}{'?' if given else ''}{given}{template}"
    links = []
    if pages > 1:
        links.append({"rel": "first", "href": href(0)})
    if page.number > 0 and total:
        links.append({"rel": "prev", "href": href(page.number - 1)})
    links.append({"rel": "self", "href": own})
    if page.number + 1 < pages:
        links.append({"rel": "next", "href": href(page.number + 1)})
    if pages > 1:
        links.append({"rel": "last", "href": href(pages - 1)})
    start = page.number * page.size
    return {
        "links": links,
        "content": [show(row) for row in rows[start : start + page.size]],
        "page": {"size": page.size, "totalElements": total, "totalPages": pages, "number": page.number},
    }


def _sort(values: Sequence[str]) -> Iterable[tuple[str, bool]]:
    for value in values:
        *names, last = value.split(",")
        direction = last.lower()
        if direction not in ("asc", "desc"):
            names, direction = [*names, last], "asc"
        yield from ((name, direction == "asc") for name in names if name)
