"""The cache in the database, which the processes of one host share when there is no Redis."""

from typing import Any

from django.core.cache.backends.db import DatabaseCache
from django.db import transaction


class CountingDatabaseCache(DatabaseCache):
    """Django's own, whose counters neither miss a call nor outlive the time they were begun with.

    Its ``incr`` reads, then writes with a fresh default timeout: of two at once one is lost, and the limit of a
    minute would last as long as somebody tries again.
    """

    def incr(self, key: str, delta: int = 1, version: int | None = None) -> Any:
        """The new value. Raises ValueError for a key that is not there (any more)."""
        from deepdash.models import CacheEntry  # caches are made before the models are loaded

        with transaction.atomic():  # on SQLite every transaction is alone, PostgreSQL locks the row
            entries = CacheEntry.objects.filter(cache_key=self.make_and_validate_key(key, version=version))
            expires = entries.select_for_update().values_list("expires", flat=True).first()
            value = super().incr(key, delta, version)
            entries.update(expires=expires)
        return value
