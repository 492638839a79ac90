"""TOSCA templates and the type files they import, as they were last read."""

from collections.abc import Collection, Iterable
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone

from catalog.models.revised import RevisedQuerySet, new_revision
from catalog.problems import restored
from catalog.tosca.description import TemplateDescription
from deepdash.errors import Problem


class TemplateQuerySet(RevisedQuerySet["Template"]):
    def usable(self) -> "TemplateQuerySet":
        """Those a form can be made from. A verdict of tosca-parser informs; only what can't be read is withheld."""
        return self.filter(state=Template.State.LIVE).exclude(verdict=Template.Verdict.UNREADABLE)

    def for_list(self) -> "TemplateQuerySet":
        """Without the large columns."""
        return self.defer("raw", "description", "errors")


class Template(models.Model):
    """One TOSCA template, known by where it came from and its path there (file names and titles repeat)."""

    class Source(models.TextChoices):
        FOLDER = "folder", "templates folder"
        METADATA = "metadata", "address in a module's metadata"

    class Verdict(models.TextChoices):
        VALID = "valid", "valid"
        INVALID = "invalid", "invalid to tosca-parser"
        PARSER_FAILED = "parser_failed", "tosca-parser failed"
        UNREADABLE = "unreadable", "can't be read"

    class State(models.TextChoices):
        LIVE = "live", "live"
        GONE = "gone", "gone upstream"

    source = models.CharField(max_length=16, choices=Source, default=Source.FOLDER)
    path = models.CharField(max_length=500, help_text="Below the templates folder, or the address")
    filename = models.CharField(max_length=255, db_index=True)
    former_names = models.TextField(
        blank=True, help_text="File names it had before it was renamed, each between two line ends"
    )
    raw = models.TextField(blank=True, help_text="As it was last read")
    digest = models.CharField(max_length=64, blank=True, help_text="SHA-256 of the text")
    commit = models.CharField(max_length=64, blank=True, help_text="Commit the text was first read at")
    kind = models.CharField(max_length=16, blank=True)
    display_name = models.CharField(max_length=300, blank=True)
    verdict = models.CharField(max_length=16, choices=Verdict, default=Verdict.UNREADABLE)
    imports = models.JSONField(default=list, blank=True, help_text="Addresses of the types it imports")
    errors = models.JSONField(default=list, blank=True, help_text="What is wrong with it, one text each")
    description = models.JSONField(default=dict, blank=True, help_text="A TemplateDescription")
    basis = models.CharField(
        max_length=64, blank=True, help_text="Digest of all that verdict and description rest on (types, parameters)"
    )
    audience = models.JSONField(default=dict, blank=True, help_text="Who may use it; empty: everybody")
    icon_address = models.CharField(max_length=500, blank=True, help_text="Of the picture its metadata names")
    icon = models.CharField(max_length=64, blank=True, help_text="Digest of its stored picture")
    fragment = models.BooleanField(default=False, help_text="A part that is merged into another template")
    state = models.CharField(max_length=8, choices=State, default=State.LIVE)
    etag = models.CharField("ETag", max_length=200, blank=True)
    error = models.JSONField(default=dict, blank=True, help_text="Why it can't be read anew just now")
    first_seen = models.DateTimeField(default=timezone.now)
    last_seen = models.DateTimeField(default=timezone.now, help_text="Last time it was found new or changed")
    revision = models.BigIntegerField(default=new_revision, db_default=0, editable=False)

    objects = TemplateQuerySet.as_manager()

    class Meta:
        ordering = ["source", "path"]
        constraints = [models.UniqueConstraint(fields=["source", "path"], name="template_source_path")]

    def __str__(self) -> str:
        return self.path

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.revision = new_revision()
        if kwargs.get("update_fields") is not None:
            kwargs["update_fields"] = {*kwargs["update_fields"], "revision"}
        super().save(*args, **kwargs)

    def names(self) -> list[str]:
        """Its file name and those it had before."""
        return [self.filename, *filter(None, self.former_names.split("\n"))]

    def described(self) -> TemplateDescription:
        """The typed description; without inputs when the template can't be read."""
        return TemplateDescription.model_validate(self.description)

    @property
    def parents(self) -> list[str]:
        """The templates it is a part of, if it is one."""
        return list(self.description.get("parents", ())) if self.fragment else []

    @property
    def shown_name(self) -> str:
        return self.display_name or self.filename

    @property
    def usable(self) -> bool:
        """Whether a form can be made from it; the same rule as the queryset's."""
        return self.state == self.State.LIVE and self.verdict != self.Verdict.UNREADABLE

    @property
    def problem(self) -> Problem | None:
        return restored(self.error)


def named_in_folder(files: Collection[str]) -> Q:
    """The templates among which ``folder_template`` finds these files."""
    named = Q(filename__in=files) | Q(path__in=files)
    for file in files:
        named |= Q(former_names__contains=f"\n{file}\n")
    return Q(source=Template.Source.FOLDER) & named


def folder_template(file: str, templates: Iterable[Template]) -> Template | None:
    """The template of the folder that a file's name means: at exactly that path, else named so, now or before."""
    in_folder = [item for item in templates if item.source == Template.Source.FOLDER]
    named = [item for item in in_folder if file in (item.path, *item.names())]
    return min(named, key=lambda item: (item.path != file, item.filename != file, item.path), default=None)


class TemplateVersion(models.Model):
    """A text that a template had before its present one."""

    KEPT = 20  # per template

    template = models.ForeignKey(Template, on_delete=models.CASCADE, related_name="versions")
    raw = models.TextField()
    digest = models.CharField(max_length=64)
    commit = models.CharField(max_length=64, blank=True)
    replaced_at = models.DateTimeField(default=timezone.now, help_text="When the next text was read")

    class Meta:
        ordering = ["-replaced_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.template.path} until {self.replaced_at:%d %b %Y %H:%M} UTC"

    @classmethod
    def keep(cls, template: Template) -> None:
        """Keep the text that the database holds of a template, before another one is stored; forget the oldest."""
        before = Template.objects.only("raw", "digest", "commit").get(pk=template.pk)
        cls.objects.create(template=template, raw=before.raw, digest=before.digest, commit=before.commit)
        oldest = cls.objects.filter(template=template).order_by("-pk").values_list("pk", flat=True)[cls.KEPT :][:1]
        if oldest:
            cls.objects.filter(template=template, pk__lte=oldest[0]).delete()


class RemoteFile(models.Model):
    """A file that is read again only when it changed, known by its address; the last good version is kept."""

    url = models.CharField("address", max_length=500, unique=True)
    raw = models.TextField(blank=True)
    digest = models.CharField(max_length=64, blank=True)
    etag = models.CharField("ETag", max_length=200, blank=True)
    fetched_at = models.DateTimeField("read", null=True, blank=True, help_text="When this text was first read")
    error = models.JSONField(default=dict, blank=True)

    class Meta:
        abstract = True
        ordering = ["url"]

    def __str__(self) -> str:
        return self.url

    @property
    def problem(self) -> Problem | None:
        return restored(self.error)


class TypeFile(RemoteFile):
    """A file of TOSCA types, under the address that templates import it from."""


class ModuleIndex(RemoteFile):
    """MODULES.yml."""

    class Meta(RemoteFile.Meta):
        verbose_name, verbose_name_plural = "list of modules", "lists of modules"
