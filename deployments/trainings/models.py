"""What we keep of trainings: DEEPaaS forgets them with its container (contract 6), we do not."""

import uuid as uuid_module
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Self

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Q
from django.db.models.fields.json import KT
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from deepdash.fields import EncryptedTextField
from deployments.trainings.durations import in_words
from deployments.trainings.states import UNDER_WAY, VIEWS, TrainingStatus, TrainingView

if TYPE_CHECKING:
    from collections.abc import Iterable

    from accounts.models import User
    from deployments.models import Deployment

NAME_CHARS = 60
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)  # no training is older; a wrong clock's zero is


class ModuleApi(models.Model):
    """What the DEEPaaS inside a deployment last told of itself, so that pages need not wait for it.

    ``offered`` holds one mapping per model: key, name, description, version, ``train`` and ``predict`` (its arguments,
    as ``trainings.description`` writes them; None: it can't).
    """

    deployment = models.OneToOneField("deployments.Deployment", on_delete=models.CASCADE, related_name="api")
    offered = models.JSONField(default=list)
    asked_at = models.DateTimeField(null=True, help_text="When it was last asked: claims it for whoever asks")
    read_at = models.DateTimeField(null=True, help_text="When it last answered")
    described_at = models.DateTimeField(null=True, help_text="When it last told its arguments")
    problem = models.CharField(max_length=200, blank=True, help_text="Why it did not answer the last time")
    clock_ahead = models.DurationField(
        null=True, blank=True, help_text="Its clock less UTC, as a training that was started here has shown"
    )

    class Meta:
        verbose_name = "module API"  # not shown

    def __str__(self) -> str:
        return f"API of deployment {self.deployment_id}"  # not shown

    def model(self, key: str) -> "dict[str, Any] | None":
        return next((model for model in self.offered if model["key"] == key), None)


class TrainingQuerySet(models.QuerySet["Training"]):
    """Named reads of trainings."""

    def visible_to(self, user: "User | AnonymousUser") -> Self:
        """The trainings ``user`` may see at all: the one owner check, which every read starts from."""
        return self.filter(owner=user.pk, removed_at=None) if user.is_authenticated else self.none()

    def under_way(self) -> Self:
        return self.filter(status__in=UNDER_WAY)

    def last_of_each(self, deployments: "Iterable[Deployment]") -> Self:
        """The training that began last in each of some deployments, where there was any."""
        newer = self.filter(deployment=models.OuterRef("deployment")).order_by("-started_at", "-pk").values("pk")[:1]
        return self.filter(deployment__in=[it.pk for it in deployments], pk=models.Subquery(newer))

    def for_cell(self) -> Self:
        """As one cell of a table tells of them."""
        return self.only("key", "deployment_id", "status", "started_at", "finished_at")

    def for_list(self) -> Self:
        """Rows as lists show them: without the long columns, but with what lists tell of an imported record."""
        told = {"source_title": KT("source__deployment__title"), "source_image": KT("source__environment__image")}
        return self.annotate(**told).select_related("deployment").defer(
            "result", "source",
            *(f"deployment__{name}" for name in ("template_text", "inputs", "outputs", "note", "options", "services")),
        )  # fmt: skip

    def search(self, text: str) -> Self:
        """Those that have every word in module, model, identifier, message, or the title of their deployment."""
        found = self
        for word in text.split()[:8]:
            found = found.filter(
                Q(module_slug__icontains=word)
                | Q(deployment__module__sort_title__contains=word.casefold())
                | Q(model__icontains=word)
                | Q(uuid__startswith=word.lower())
                | Q(message__icontains=word)
                | Q(deployment__title__icontains=word)
                | Q(arguments__icontains=word)
            )
        return found


class TrainingBatchQuerySet(models.QuerySet["TrainingBatch"]):
    """Named reads and writes of batches."""

    def running(self) -> Self:
        return self.filter(state=TrainingBatch.State.RUNNING)

    def end(self, state: "TrainingBatch.State", reason: str = "") -> int:
        """Those that run come to their end, and their secrets with them. Returns how many there were."""
        return self.running().update(state=state, reason=reason, beside="")


class TrainingBatch(models.Model):
    """Several trainings of one model that are started one after another.

    ``plan`` holds one list of (name, value) pairs per training, as sent to DEEPaaS; ``axes`` names the arguments that
    differ. Which of them have been started shows in the trainings that point here, so a restart loses nothing.
    ``beside`` is what is sent with each besides: JSON of ``secrets`` (pairs) and ``headers``, gone when it ends;
    ``beside_names`` tells that there was any, also when no key opens it any more.
    """

    class State(models.TextChoices):
        RUNNING = "running", gettext_lazy("Running")
        DONE = "done", gettext_lazy("Done")
        CANCELLED = "cancelled", gettext_lazy("Cancelled")
        STOPPED = "stopped", gettext_lazy("Stopped")

    key = models.UUIDField(unique=True, default=uuid_module.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="training_batches")
    deployment = models.ForeignKey("deployments.Deployment", on_delete=models.CASCADE, related_name="training_batches")
    model = models.CharField(max_length=200)
    axes = models.JSONField(default=list)
    plan = models.JSONField(default=list)
    beside = EncryptedTextField(blank=True, default="", db_default="", editable=False)
    beside_names = models.JSONField(default=list, db_default=models.Value([], models.JSONField()), blank=True)
    state = models.CharField(max_length=16, choices=State.choices, default=State.RUNNING)
    reason = models.TextField(blank=True, help_text="Why it stopped before its end")
    created_at = models.DateTimeField(default=timezone.now)
    claimed_until = models.DateTimeField(null=True, help_text="One process at a time goes on with it")

    objects = TrainingBatchQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-created_at", "-pk"]
        verbose_name_plural = "training batches"  # not shown

    def __str__(self) -> str:
        return f"batch of {len(self.plan)}"  # not shown

    def get_absolute_url(self) -> str:
        return reverse("deployments:batch", args=[self.key])

    @property
    def is_single(self) -> bool:
        """One training, as that which follows a new deployment, rather than a grid."""
        return len(self.plan) == 1


class Training(models.Model):
    """One training: as asked for, and as its DEEPaaS last told it."""

    key = models.UUIDField(unique=True, default=uuid_module.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="trainings")
    deployment = models.ForeignKey(
        "deployments.Deployment", on_delete=models.SET_NULL, null=True, blank=True, related_name="trainings"
    )
    module_slug = models.CharField(max_length=200, blank=True)
    model = models.CharField(max_length=200, help_text="As its routes are called")
    uuid = models.CharField(max_length=64, null=True, blank=True, help_text="DEEPaaS's; empty until it answered")
    arguments = models.JSONField(default=dict, blank=True, help_text="As DEEPaaS understood them, without secrets")
    secret_arguments = models.JSONField(default=list, blank=True, help_text="Names of those left out")
    sent = models.JSONField(default=list, blank=True, help_text="(name, value) pairs as sent from here, no secrets")
    status = models.CharField(max_length=16, choices=TrainingStatus.choices, default=TrainingStatus.STARTING)
    message = models.TextField(blank=True)
    result = models.JSONField(null=True, blank=True, help_text="What the module returned")
    result_cut = models.BooleanField(default=False, help_text="The result was too large to be kept")
    metrics = models.JSONField(default=dict, blank=True, help_text="The numbers in the result, by path")
    date_text = models.CharField(max_length=40, blank=True, help_text="The start by the container's own clock")
    started_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)
    duration = models.DurationField(null=True, blank=True, help_text="As DEEPaaS tells, waiting included")
    started_here = models.BooleanField(default=False)
    first_seen_at = models.DateTimeField(default=timezone.now)
    seen_at = models.DateTimeField(null=True, blank=True, help_text="When DEEPaaS last told of it")
    lost_at = models.DateTimeField(null=True, blank=True, help_text="When DEEPaaS no longer had it")
    removed_at = models.DateTimeField(null=True, blank=True, help_text="Deleted by its owner; emptied then")
    batch = models.ForeignKey(TrainingBatch, on_delete=models.SET_NULL, null=True, blank=True, related_name="runs")
    batch_place = models.PositiveIntegerField(null=True, blank=True)
    source = models.JSONField(default=dict, blank=True, help_text="Of an imported record: its deployment")
    imported_at = models.DateTimeField(null=True, blank=True)

    objects = TrainingQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-started_at", "-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["deployment", "model", "uuid"], name="training_of_deployment"),
            models.UniqueConstraint(fields=["batch", "batch_place"], name="training_of_batch"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["owner", "-started_at"], name="trainings_of_owner"),
            models.Index(fields=["deployment", "model", "-started_at"], name="trainings_of_model"),
            models.Index(fields=["status"], name="trainings_by_status"),
        ]

    def __str__(self) -> str:
        return f"{self.model} {self.started_at:%Y-%m-%d %H:%M}"

    def get_absolute_url(self) -> str:
        return reverse("deployments:run", args=[self.key])

    @property
    def view(self) -> TrainingView:
        return VIEWS[self.status]

    @property
    def module_title(self) -> str:
        """What the module of its deployment is called; the module's name alone, once the deployment is gone."""
        return self.deployment.module_title if self.deployment else self.module_slug

    @property
    def is_under_way(self) -> bool:
        return self.status in UNDER_WAY

    @property
    def is_listed(self) -> bool:
        """True while its DEEPaaS still knows it, as far as we know."""
        return bool(self.uuid) and self.lost_at is None and self.deployment is not None and not self.deployment.is_gone

    def took(self, now: datetime | None = None) -> timedelta | None:
        """How long it took, or has been under way; None when that can't be told."""
        if self.duration is not None:
            return self.duration
        if self.is_under_way:
            return max(timedelta(0), (now or timezone.now()) - self.started_at)
        return max(timedelta(0), self.finished_at - self.started_at) if self.finished_at else None

    @property
    def took_text(self) -> str:
        """``took`` in words: "about" where DEEPaaS did not tell, "so far" while it is under way."""
        took = self.took()
        if took is None:
            return "–"
        text = in_words(took.total_seconds())
        if self.is_under_way:
            return _("%(time)s so far") % {"time": text}
        return text if self.duration is not None else _("about %(time)s") % {"time": text}

    @property
    def shown_message(self) -> str:
        """The module's own words as they are; why it is lost, which are ours, in the reader's language."""
        return _(self.message) if self.message and self.status == TrainingStatus.LOST else self.message


class TrainingArguments(models.Model):
    """A set of arguments a user keeps for a model: named, or (without a name) those used last."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="training_arguments")
    module_slug = models.CharField(max_length=200, blank=True)
    model = models.CharField(max_length=200)
    name = models.CharField(max_length=NAME_CHARS, blank=True)
    arguments = models.JSONField(default=dict, help_text="Without secrets and files")
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering: ClassVar = ["name", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "module_slug", "model", "name"], name="arguments_of_user")
        ]

    def __str__(self) -> str:
        return self.name or "last used"  # not shown
