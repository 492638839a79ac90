"""What every page shows of the catalogue."""

from typing import Any

from django.core.cache import cache
from django.db import DatabaseError, transaction
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from catalog.models import ExternalLink

KEY, KEPT = "catalog:external-links", 300  # seconds


def external_links(request: HttpRequest) -> dict[str, Any]:
    """``curated_links``: the curators' links for the footer, asked for only by pages that have one."""
    return {"curated_links": SimpleLazyObject(_links)}


def forget_links(**signal: Any) -> None:
    """After a curator changed them, once others can read the change: one who read before would keep the old ones."""
    transaction.on_commit(lambda: cache.delete(KEY))


def _links() -> list[dict[str, str]]:
    kept: list[dict[str, str]] | None = cache.get(KEY)
    if kept is None:
        try:
            shown = ExternalLink.objects.filter(hidden=False).values_list("title", "address")
            kept = [{"title": title, "address": address} for title, address in shown]
        except DatabaseError:
            return []  # the page that says so has a footer too
        cache.set(KEY, kept, KEPT)
    return kept
