"""Modules: upstream's words in one set of columns, the curators' in another, which a refresh never touches."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.core.validators import URLValidator
from django.db import models
from django.db.models import F, FilteredRelation, Q
from django.urls import reverse
from django.utils import timezone

from catalog.audience import Audience, groups_of, switch_to
from catalog.facets import glyph_for
from catalog.models.revised import RevisedQuerySet, new_revision
from catalog.models.template import Template, folder_template, named_in_folder
from catalog.problems import restored
from deepdash.config import config
from deepdash.errors import Problem

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from accounts.models import User

DEVELOPMENT_SLUG = "deep-oc-generic-dev"
EXTERNAL_SLUG = "external"
# What curators say. No refresh writes these.
CURATED = (
    "hidden", "featured", "position", "title_override", "summary_override", "glyph_override", "icon_address", "note",
    "default_template", "default_tag", "default_hardware",
)  # fmt: skip


MAX_SEARCHED = 10_000  # characters; all modules' are held in memory


@dataclass(frozen=True)
class TemplateChoice:
    """A way to deploy a module. ``key`` is what links carry as ``toscaname`` (the title in lower case)."""

    key: str
    title: str
    template: Template


@dataclass(frozen=True)
class LockedChoice:
    """A way to deploy a module that is for others; ``wanted`` says for whom: "in the group a". ``switch`` is a group of
    the user's own that would do, if they worked for it."""

    title: str
    wanted: str
    switch: str = ""


@dataclass(frozen=True)
class TemplateOffer:
    """What a module offers somebody. A private template that is not for them is in neither list."""

    choices: list[TemplateChoice]
    locked: list[LockedChoice]


class ModuleQuerySet(RevisedQuerySet["Module"]):
    def known(self) -> "ModuleQuerySet":
        """All a visitor may look at, also those that upstream has withdrawn."""
        return self.filter(hidden=False)

    def visible(self) -> "ModuleQuerySet":
        """All that can be chosen."""
        return self.known().exclude(state=Module.State.GONE)

    def reached_by(self, slug: str) -> "Module | None":
        """The module that can be chosen under an address: the one of that name, or what it was renamed to."""
        found = self.known().filter(slug=slug).first()
        seen = set()
        while found and found.state == Module.State.GONE:
            seen.add(found.pk)
            found = self.known().filter(predecessors=found.pk).exclude(pk__in=seen).first()
        return found

    def for_list(self) -> "ModuleQuerySet":
        """The cards of the catalogue; the development environment and ``external`` have buttons of their own."""
        return (
            self.visible()
            .filter(kind=Module.Kind.MODULE)
            .defer("metadata", "description_md", "description_html", "tags", "search_text")
        )

    def titled(self) -> "ModuleQuerySet":
        """As other tables name them: with what their titles are made of, and no more."""
        return self.only("slug", "title", "title_override")

    def titles_of(self, slugs: Iterable[str]) -> dict[str, str]:
        """What modules are called, by slug, in the order of the titles.

        One that was never in the catalogue is called by its slug, and comes last.
        """
        wanted = set(slugs)
        known = {it.slug: it.shown_title for it in self.titled().filter(slug__in=wanted).order_by("sort_title")}
        return known | {slug: slug for slug in sorted(wanted - known.keys())}

    def search(self, words: str) -> "ModuleQuerySet":
        """Those whose title, summary, keywords or description hold every one of the words, in any case."""
        found = self
        for word in words.casefold().split()[:10]:
            found = found.filter(search_text__contains=word)
        return found


class Module(models.Model):
    """A module of the catalogue."""

    class State(models.TextChoices):
        LIVE = "live", "live"
        BROKEN = "broken", "broken upstream"
        GONE = "gone", "withdrawn"

    class Kind(models.TextChoices):
        MODULE = "module", "module"
        DEVELOPMENT = "development", "development environment"
        EXTERNAL = "external", "run your own"

    slug = models.SlugField(max_length=120, unique=True)
    kind = models.CharField(max_length=16, choices=Kind, default=Kind.MODULE)
    state = models.CharField(max_length=8, choices=State, default=State.LIVE)

    # What upstream says.
    url = models.CharField("address", max_length=500, blank=True)
    title = models.CharField(max_length=300)
    summary = models.TextField(blank=True)
    description_md = models.TextField("description in Markdown", blank=True)
    description_html = models.TextField(
        "description as shown", blank=True, help_text="Made from the Markdown, sanitised"
    )
    keywords = models.JSONField(default=list, blank=True)
    capabilities = models.JSONField(default=list, blank=True)
    frameworks = models.JSONField(default=list, blank=True)
    licence = models.CharField(max_length=100, blank=True)
    created_on = models.DateField("created", null=True, blank=True)
    docker_image = models.CharField("Docker image", max_length=255, blank=True, help_text="Without a tag")
    docker_tags = models.JSONField(
        "Docker tags", default=list, blank=True, help_text="Tags the metadata restricts it to, if any of them exist"
    )
    dockerfile_url = models.CharField("address of the Dockerfile", max_length=500, blank=True)
    code_url = models.CharField("address of the code", max_length=500, blank=True)
    dataset_url = models.CharField("address of the dataset", max_length=500, blank=True)
    weights_url = models.CharField("address of the weights", max_length=500, blank=True)
    cite_url = models.CharField("address to cite", max_length=500, blank=True)
    training_files_url = models.CharField("address of the training files", max_length=500, blank=True)
    ci_url = models.CharField("address of the builds", max_length=500, blank=True)
    metadata = models.JSONField(default=dict, blank=True, help_text="As upstream wrote it")
    remarks = models.JSONField(default=list, blank=True, help_text="Where the metadata leaves its schema")
    metadata_etag = models.CharField("metadata’s ETag", max_length=200, blank=True)
    metadata_digest = models.CharField(max_length=64, blank=True)
    branch = models.CharField(max_length=100, blank=True, help_text="Branch the metadata was read from")
    fetched_at = models.DateTimeField(
        "metadata read", null=True, blank=True, help_text="When this metadata was first read"
    )
    error = models.JSONField(default=dict, blank=True, help_text="What is wrong with the metadata now")

    # What the registry says.
    tags = models.JSONField(
        default=list, blank=True, help_text="Those offered: name, size in bytes, pushed_at; newest first"
    )
    tags_etag = models.CharField("tags’ ETag", max_length=200, blank=True)
    tags_read_at = models.DateTimeField("tags read", null=True, blank=True, help_text="When these tags were first read")
    tags_error = models.JSONField(default=dict, blank=True)
    flavours = models.JSONField(default=list, blank=True, help_text="Hardware its tags are made for")
    pushed_at = models.DateTimeField(null=True, blank=True, help_text="When its newest image was pushed")
    icon = models.CharField(max_length=64, blank=True, help_text="Digest of its stored picture")

    # What its users do.
    times_used = models.PositiveIntegerField(default=0, help_text="Deployments made of it here")

    # What curators say (CURATED).
    hidden = models.BooleanField(default=False)
    featured = models.BooleanField(default=False)
    position = models.PositiveIntegerField(default=1000, help_text="Smaller comes first")
    title_override = models.CharField("title", max_length=300, blank=True)
    summary_override = models.TextField("summary", blank=True)
    glyph_override = models.CharField("glyph", max_length=24, blank=True, help_text="Drawn by us")
    icon_address = models.CharField(
        "picture",
        max_length=500,
        blank=True,
        validators=[URLValidator(["https", "http"])],
        help_text="A picture (PNG, JPEG, GIF, WebP); the next refresh fetches and keeps it",
    )
    note = models.TextField(blank=True, help_text="Shown on the module's page")
    default_template = models.ForeignKey(
        Template,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="default_for",
        help_text="Chosen first, if it is one of those the module offers",
    )
    default_tag = models.CharField(max_length=128, blank=True)
    default_hardware = models.CharField(max_length=8, blank=True, choices=[("cpu", "CPU"), ("gpu", "GPU")])

    # Derived when saved.
    sort_title = models.CharField(max_length=300, blank=True, editable=False, db_index=True)
    search_text = models.TextField(blank=True, editable=False)

    # Set for cards by ``catalog.locks``: whom all its templates are for, if not for who looks at it.
    locked_for = ""

    first_seen = models.DateTimeField(default=timezone.now)
    gone_at = models.DateTimeField(null=True, blank=True)
    successor = models.ForeignKey(
        "self", null=True, blank=True, editable=False, on_delete=models.SET_NULL, related_name="predecessors",
        help_text="The module that this one was renamed to",
    )  # fmt: skip
    revision = models.BigIntegerField(default=new_revision, editable=False, db_index=True)

    objects = ModuleQuerySet.as_manager()

    class Meta:
        ordering = ["sort_title", "slug"]
        indexes = [
            models.Index(fields=["-featured", "position", "sort_title"], name="module_arranged"),
            models.Index(fields=["kind"], name="module_kind"),
        ]

    def __str__(self) -> str:
        return self.shown_title

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save; what is searched and sorted follows from the rest, so it can't be forgotten."""
        self.sort_title = self.shown_title.casefold()[:300]
        words = [
            self.shown_title,
            self.title,
            self.shown_summary,
            self.slug,
            *map(str, self.keywords),
            self.description_md,
        ]
        self.search_text = "\n".join(words).casefold()[:MAX_SEARCHED]
        self.revision = new_revision()
        if kwargs.get("update_fields") is not None:
            kwargs["update_fields"] = {*kwargs["update_fields"], "sort_title", "search_text", "revision"}
        super().save(*args, **kwargs)

    def get_absolute_url(self) -> str:
        return reverse("catalog:module", args=[self.slug])

    @property
    def shown_title(self) -> str:
        return self.title_override or self.title or self.slug

    @property
    def shown_summary(self) -> str:
        return self.summary_override or self.summary

    @property
    def glyph(self) -> str:
        """Name of the icon that stands for what the module works on."""
        return self.glyph_override or glyph_for(self.keywords, f"{self.title} {self.summary}")

    @property
    def deployable(self) -> bool:
        """Whether it can be configured: there, and with an image (``external`` gets its image in the form)."""
        return self.state != self.State.GONE and (bool(self.docker_image) or self.kind == self.Kind.EXTERNAL)

    @property
    def problem(self) -> Problem | None:
        """What is wrong with its metadata upstream, if anything."""
        return restored(self.error)

    @property
    def tags_problem(self) -> Problem | None:
        return restored(self.tags_error)

    def offer(self, user: "User | AnonymousUser | None" = None) -> TemplateOffer:
        """How it can be deployed: its own templates in their order, then the common ones (one query).

        A template of its own that is also a common one is offered once, as the common one. What is missing or
        can't be read is left out; the refresh has recorded it on the ModuleTemplate. Templates that are not for
        ``user`` (None: anybody) can't be chosen. A curator's default comes first.
        """
        groups = groups_of(user)
        choices, locked = [], []
        for choice in self.all_choices():
            audience = Audience.stored(choice.template.audience)
            if audience.admits(groups):
                choices.append(choice)
            elif not audience.private:
                locked.append(LockedChoice(choice.title, audience.wanted(), switch_to(audience, user)))
        choices.sort(key=lambda choice: choice.template.pk != self.default_template_id)
        return TemplateOffer(choices, locked)

    def all_choices(self) -> list[TemplateChoice]:
        """As ``offer``, whomever they are for."""
        common = config.COMMON_TOSCAS
        found = list(
            Template.objects.usable()
            .annotate(own=FilteredRelation("module_links", condition=Q(module_links__module=self)))
            .filter(Q(own__isnull=False) | named_in_folder(common.values()))
            .annotate(own_title=F("own__title"), own_position=F("own__position"))
            .order_by("own_position", "source", "path")
        )
        shared = {title: folder_template(file, found) for title, file in common.items()}
        taken = {title.casefold() for title, template in shared.items() if template}
        names = {template.filename for template in shared.values() if template}
        choices: dict[int, TemplateChoice] = {}
        for template in found:
            own = getattr(template, "own_position", None) is not None
            if not own or template.filename in names or template.pk in choices:
                continue
            title = (getattr(template, "own_title", "") or template.shown_name).strip()
            key, number = title.casefold(), 2
            while key in taken:  # titles are free text and repeat
                key, number = f"{title.casefold()} {number}", number + 1
            taken.add(key)
            choices[template.pk] = TemplateChoice(key, title, template)
        return [*choices.values(), *(TemplateChoice(t.casefold(), t, item) for t, item in shared.items() if item)]


class ModuleTemplate(models.Model):
    """A template that a module's metadata names; ``template`` is empty while it is not to be found."""

    module = models.ForeignKey(Module, on_delete=models.CASCADE, related_name="template_links")
    template = models.ForeignKey(
        Template, on_delete=models.SET_NULL, null=True, blank=True, related_name="module_links"
    )
    file = models.CharField(max_length=500, help_text="As the metadata names it: an address or a file name")
    title = models.CharField(max_length=200, blank=True)
    position = models.PositiveIntegerField(default=0)
    error = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["module", "position"]
        constraints = [models.UniqueConstraint(fields=["module", "position"], name="module_template_position")]

    def __str__(self) -> str:
        return f"{self.module.slug}: {self.title or self.file}"

    @property
    def problem(self) -> Problem | None:
        return restored(self.error)


class ModuleFacet(models.Model):
    """One property that modules can be filtered by (``catalog.facets``), in a form that any database can count."""

    module = models.ForeignKey(Module, on_delete=models.CASCADE, related_name="facets")
    kind = models.CharField(max_length=16)
    value = models.CharField(max_length=120, help_text="Folded: lower case, synonyms joined")
    label = models.CharField(max_length=120, help_text="For people")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["module", "kind", "value"], name="module_facet")]
        indexes = [models.Index(fields=["kind", "value", "module"], name="facet_kind_value")]

    def __str__(self) -> str:
        return f"{self.kind}: {self.label}"
