"""Our records of deployments: what was asked for, and the last state seen at the orchestrator."""

import secrets
from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.core.validators import MaxLengthValidator
from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from deployments.journal.models import Action, Notice
from deployments.presets.models import Preset
from deployments.querysets import DeploymentQuerySet
from deployments.states import BOOT_TIME, COMPLETE, ENDED, HOLDING_NOTHING, MOVING, Status
from deployments.storage.models import StorageAccount
from deployments.trainings.models import ModuleApi, Training, TrainingArguments, TrainingBatch

if TYPE_CHECKING:
    from accounts.models import User

__all__ = [
    "Action",
    "Deployment",
    "ModuleApi",
    "Notice",
    "Preset",
    "StatusEvent",
    "StorageAccount",
    "Training",
    "TrainingArguments",
    "TrainingBatch",
]

TITLE_CHARS = 45
NOTE_CHARS = 4000
UUID_CHARS = 13  # of a uuid tell it from others: those made in the same hour begin alike (contract 1.7)


def new_callback_secret() -> str:
    """256 bits for the address at which the orchestrator may tell us that something changed."""
    return secrets.token_urlsafe(32)


class Deployment(models.Model):
    """One deployment of one user, as far as we know it.

    The first half is what was submitted here; it is empty for deployments made elsewhere. The second half is the last
    state seen at the orchestrator, and ``seen_at`` says when that was: a record never pretends to be fresher.
    """

    uuid = models.CharField(
        "identifier", max_length=64, unique=True, null=True, blank=True,
        help_text="The orchestrator's; empty until it answered",
    )  # fmt: skip
    submission_key = models.UUIDField(
        unique=True,
        null=True,
        blank=True,
        editable=False,
        help_text="Set when submitted here; sending it twice makes one",
    )
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="deployments")
    issuer = models.CharField(max_length=255, blank=True, help_text="Of the creator, as the orchestrator says")
    subject = models.CharField(max_length=255, blank=True, help_text="Of the creator, as the orchestrator says")
    user_group = models.CharField(max_length=255, blank=True)

    # -- What was asked for -------------------------------------------------------------------------------
    module = models.ForeignKey(
        "catalog.Module", on_delete=models.SET_NULL, null=True, blank=True, related_name="deployments"
    )
    module_slug = models.CharField(max_length=200, blank=True, db_index=True)
    template = models.ForeignKey(
        "catalog.Template", on_delete=models.SET_NULL, null=True, blank=True, related_name="deployments"
    )
    template_file = models.CharField(max_length=255, blank=True)
    template_digest = models.CharField(max_length=64, blank=True)
    template_title = models.CharField(max_length=200, blank=True)
    template_text = models.TextField(blank=True, help_text="As sent")
    title = models.CharField(max_length=TITLE_CHARS, blank=True)
    note = models.TextField(blank=True, validators=[MaxLengthValidator(NOTE_CHARS)])
    choices = models.JSONField(default=dict, blank=True, help_text="hardware, run, docker_tag, toscaname")
    inputs = models.JSONField(default=dict, blank=True, help_text="As sent, without secrets")
    secret_inputs = models.JSONField(default=list, blank=True, help_text="Names of the secrets that were sent too")
    provider_choice = models.JSONField(default=dict, blank=True)
    options = models.JSONField(default=dict, blank=True, help_text="Flags and time limits")
    storage = models.CharField(max_length=40, blank=True, help_text="account-<number>, hand or none")
    docker_image = models.CharField(max_length=500, blank=True)
    num_cpus = models.PositiveIntegerField(null=True, blank=True)
    num_gpus = models.PositiveIntegerField(null=True, blank=True)
    locked = models.BooleanField(default=False, help_text="Deleting is refused here until it is unlocked")
    callback_secret = models.CharField(max_length=64, default=new_callback_secret, editable=False)
    recorded_at = models.DateTimeField(auto_now_add=True)

    # -- The last state seen ------------------------------------------------------------------------------
    status = models.CharField(max_length=32, default=Status.SUBMITTING, help_text="The orchestrator's word, or ours")
    known_status = models.CharField(max_length=32, blank=True, help_text="The last status that was not UNKNOWN")
    status_since = models.DateTimeField(default=timezone.now, help_text="When we first saw this status")
    task = models.CharField(max_length=32, blank=True)
    status_reason = models.TextField(blank=True)
    provider_name = models.CharField(max_length=255, blank=True)
    provider_endpoint = models.JSONField(default=dict, blank=True)
    deployment_kind = models.CharField(max_length=32, blank=True)
    description = models.CharField(max_length=255, blank=True, help_text="The output deployment_description")
    outputs = models.JSONField(default=dict, blank=True, help_text="Without secrets")
    secret_outputs = models.JSONField(default=list, blank=True, help_text="Names of the outputs left out")
    physical_id = models.CharField(max_length=255, blank=True)
    created_at = models.DateTimeField(default=timezone.now, help_text="The orchestrator's, ours until it answered")
    updated_at = models.DateTimeField(null=True, blank=True, help_text="The orchestrator's")
    seen_at = models.DateTimeField(null=True, blank=True, help_text="When the orchestrator last told us of it")
    gone_at = models.DateTimeField(null=True, blank=True, help_text="When it was no longer there")

    # -- The services inside (our own probe) --------------------------------------------------------------
    answers = models.BooleanField(null=True, blank=True, help_text="At the last probe; unknown: not probed")
    answered_at = models.DateTimeField(null=True, blank=True, help_text="When a service last answered")
    ready_at = models.DateTimeField(null=True, blank=True, help_text="When a service first answered")
    checked_at = models.DateTimeField(null=True, blank=True, help_text="When the services were last probed")
    services = models.JSONField(default=dict, blank=True, help_text="Output name → what its probe said")

    running_trainings = models.PositiveIntegerField(default=0, help_text="As its DEEPaaS last told")

    objects = DeploymentQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-created_at", "-pk"]
        indexes: ClassVar = [
            models.Index(fields=["owner", "gone_at", "-created_at"], name="deployments_of_owner"),
            models.Index(fields=["owner", "gone_at", "status"], name="deployments_by_status"),
        ]

    def __str__(self) -> str:
        return self.shown_title

    def get_absolute_url(self) -> str:
        return reverse("deployments:detail", args=[self.reference])

    @property
    def reference(self) -> str:
        """What stands for it in addresses: the orchestrator's uuid, until it is known our own key."""
        return self.uuid or str(self.submission_key or self.pk)

    @property
    def shown_title(self) -> str:
        return self.title or self.description or _("Deployment %(id)s") % {"id": self.reference[:UUID_CHARS]}

    @property
    def module_title(self) -> str:
        """What its module is called now; the name it had when it was made, if the catalogue no longer has it."""
        return self.module.shown_title if self.module else self.module_slug

    @property
    def run(self) -> str:
        """What was started in it: ``jupyterlab``, ``deepaas``, or "" when neither choice nor command tells."""
        chosen = str(self.choices.get("run", "")).lower()
        command = str(self.outputs.get("command", "")).lower()
        if chosen in {"jupyterlab", "deepaas"}:
            return chosen
        return "jupyterlab" if "jupyter" in command else "deepaas" if "deepaas" in command else ""

    @property
    def is_moving(self) -> bool:
        """True when its state will change by itself soon."""
        return self.gone_at is None and (self.status in MOVING or self.is_starting)

    @property
    def is_complete(self) -> bool:
        return self.status in COMPLETE

    @property
    def is_starting(self) -> bool:
        """Complete, no service of it has ever answered, and it still may."""
        never = self.is_complete and self.answers is False and self.answered_at is None
        return never and timezone.now() - self.status_since < BOOT_TIME

    @property
    def is_gone(self) -> bool:
        return self.gone_at is not None or self.status in ENDED

    @property
    def holds(self) -> bool:
        """Whether, as far as we know, it holds processors and GPUs at a provider; see ``holding`` of the queryset."""
        return self.gone_at is None and self.status not in HOLDING_NOTHING

    @property
    def made_here(self) -> bool:
        return self.submission_key is not None

    def refuse_others(self, user: "User") -> None:
        """Raise DoesNotExist for anybody but its owner: what changes it asks again, reads start from ``visible_to``."""
        if self.owner_id != user.pk:
            raise Deployment.DoesNotExist


class StatusEvent(models.Model):
    """One line of a deployment's timeline: appended whenever a look at it showed something new."""

    deployment = models.ForeignKey(Deployment, on_delete=models.CASCADE, related_name="events")
    at = models.DateTimeField(default=timezone.now, help_text="When we saw it")
    status = models.CharField(max_length=32)
    task = models.CharField(max_length=32, blank=True)
    provider_name = models.CharField(max_length=255, blank=True)
    reason = models.TextField(blank=True)

    class Meta:
        ordering: ClassVar = ["at", "pk"]
        indexes: ClassVar = [models.Index(fields=["deployment", "at"], name="events_of_deployment")]

    def __str__(self) -> str:
        return f"{self.status} at {self.at:%Y-%m-%d %H:%M}"
