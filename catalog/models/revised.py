"""Rows whose changes are noticed by one sum over all of them, so that what is made of them can be kept."""

import secrets
from typing import Any, TypeVar

from django.db import models
from django.db.models import F

Row = TypeVar("Row", bound=models.Model)


def new_revision() -> int:
    """A number unlike any other: two rows that change at once must not cancel each other out in a sum of many."""
    return secrets.randbits(40)


class RevisedQuerySet(models.QuerySet[Row]):
    """Of rows with a ``revision`` that each change replaces; their ``save`` does so too."""

    def update(self, **columns: Any) -> int:
        """As always; the rows get another revision too, so that nothing that is kept misses it."""
        return super().update(**{"revision": F("revision") + new_revision(), **columns})

    update.alters_data = True  # type: ignore[attr-defined]  # no template may call it
