"""Links in the footer of every page, beside those of the configuration."""

from django.core.validators import URLValidator
from django.db import models


class ExternalLink(models.Model):
    """A link that curators offer: documentation, a marketplace, the status of the services."""

    title = models.CharField(max_length=60)
    address = models.CharField(max_length=500, validators=[URLValidator(schemes=["https", "http"])])
    position = models.PositiveIntegerField(default=100, help_text="Smaller comes first")
    hidden = models.BooleanField(default=False)

    class Meta:
        ordering = ["position", "title"]

    def __str__(self) -> str:
        return self.title
