from typing import TYPE_CHECKING, ClassVar, Self

from django.conf import settings
from django.db import models
from django.utils import timezone

if TYPE_CHECKING:
    from accounts.models import User

NAME_CHARS = 60


class PresetQuerySet(models.QuerySet["Preset"]):
    def of(self, user: "User", module_slug: str) -> Self:
        """The presets of a user for one module; everything starts from here."""
        return self.filter(owner=user, module_slug=module_slug)


class Preset(models.Model):
    """What a user typed into a module's form, as far as it differs from what the form gives by itself."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="presets")
    module_slug = models.CharField(max_length=200)
    name = models.CharField(max_length=NAME_CHARS)
    choices = models.JSONField(default=dict, help_text="hardware, run, docker_tag, toscaname")
    inputs = models.JSONField(default=dict, blank=True, help_text="In their YAML types, without secrets")
    title = models.CharField(max_length=45, blank=True)
    options = models.JSONField(default=dict, blank=True, help_text="Flags and time limits")
    sla_id = models.CharField(max_length=128, blank=True, help_text="The provider, if one was chosen")
    storage = models.CharField(max_length=40, blank=True, help_text="account-<number>, hand or none")
    saved_at = models.DateTimeField(default=timezone.now)

    objects = PresetQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["owner", "module_slug", "name"], name="preset_once_per_name")
        ]

    def __str__(self) -> str:
        return self.name
