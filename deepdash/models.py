"""Tables that belong to no single part of the dashboard."""

from django.db import models


class CacheEntry(models.Model):
    """The table of Django's database cache, which several processes without Redis share (``settings.CACHES``).

    Only that cache reads and writes it; as a model it comes and goes with the migrations.
    """

    cache_key = models.CharField(max_length=255, primary_key=True)
    value = models.TextField()
    expires = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "deepdash_cache"

    def __str__(self) -> str:
        return self.cache_key


class Count(models.Model):
    """A number that only grows, summed over all processes and hosts. ``deepdash.metrics`` reads and writes it."""

    name = models.CharField(max_length=100)
    labels = models.CharField(max_length=400, help_text="As Prometheus writes them, sorted")
    value = models.FloatField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["name", "labels"], name="one_count_each")]

    def __str__(self) -> str:
        return f"{self.name}{{{self.labels}}}"
