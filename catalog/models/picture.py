"""Pictures that catalogue entries name, kept here: the browser loads nothing from other hosts."""

from django.db import models

from catalog.problems import restored
from deepdash.errors import Problem


class Picture(models.Model):
    """A raster image as it was last fetched from its address; without content when it never could be."""

    address = models.CharField(max_length=500, unique=True)
    content = models.BinaryField(default=bytes)
    media_type = models.CharField(max_length=32, blank=True)
    digest = models.CharField(max_length=64, blank=True, db_index=True, help_text="SHA-256 of the content")
    etag = models.CharField(max_length=200, blank=True)
    asked_at = models.DateTimeField(null=True, blank=True, help_text="When its host was last asked for it")
    error = models.JSONField(default=dict, blank=True, help_text="Why it can't be used just now")

    class Meta:
        ordering = ["address"]

    def __str__(self) -> str:
        return self.address

    @property
    def problem(self) -> Problem | None:
        return restored(self.error)
