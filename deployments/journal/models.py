"""Actions of users, and notices to them."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

DETAIL_CHARS = 1000


class Action(models.Model):
    """One thing somebody did here: the audit trail. Outlives what it was done to, and is never changed."""

    class Result(models.TextChoices):
        DONE = "done", _("Done")
        FAILED = "failed", _("Not done")
        UNKNOWN = "unknown", _("Not known whether done")

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="actions")
    who = models.CharField(max_length=200, help_text="The user's name then")
    what = models.CharField(max_length=32, help_text="A key of journal.actions.DONE")
    deployment = models.ForeignKey("deployments.Deployment", on_delete=models.SET_NULL, null=True, related_name="+")
    subject = models.CharField(max_length=255, blank=True, help_text="Title and identifier of what it was done to")
    at = models.DateTimeField(default=timezone.now)
    result = models.CharField(max_length=8, choices=Result.choices, default=Result.DONE)
    detail = models.CharField(max_length=DETAIL_CHARS, blank=True, help_text="Without secrets")

    class Meta:
        ordering: ClassVar = ["-at", "-pk"]
        indexes: ClassVar = [
            models.Index(fields=["deployment", "at"], name="actions_of_deployment"),
            models.Index(fields=["user", "-at"], name="actions_of_user"),
        ]

    def __str__(self) -> str:
        return f"{self.what} by {self.who} at {self.at:%Y-%m-%d %H:%M}"


class NoticeQuerySet(models.QuerySet["Notice"]):
    """Named reads of notices."""

    def of(self, user: object) -> "NoticeQuerySet":
        """A user's own: nobody reads another's."""
        pk = getattr(user, "pk", None)
        return self.filter(user=pk) if pk else self.none()

    def unread(self) -> "NoticeQuerySet":
        return self.filter(read_at=None)


class Notice(models.Model):
    """Something a deployment's owner is told, once.

    ``cause`` names the change (state and the orchestrator's time of it): of two looks that see the same change at
    the same moment only one makes a notice.
    """

    class Kind(models.TextChoices):
        READY = "ready", _("Deployed")
        FAILED = "failed", _("Failed")
        TRAINED = "trained", _("Trained")

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notices")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    deployment = models.ForeignKey("deployments.Deployment", on_delete=models.CASCADE, related_name="notices")
    training = models.ForeignKey(
        "deployments.Training", on_delete=models.CASCADE, null=True, blank=True, related_name="notices"
    )
    cause = models.CharField(max_length=80)
    headline = models.CharField(max_length=200)
    detail = models.CharField(max_length=DETAIL_CHARS, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    read_at = models.DateTimeField(null=True, blank=True)
    mail_due = models.BooleanField(default=False, help_text="To be sent by e-mail, and not yet taken up")

    objects = NoticeQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-created_at", "-pk"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["deployment", "cause"], name="notice_once")]
        indexes: ClassVar = [
            models.Index(fields=["user", "-created_at"], name="notices_of_user"),
            models.Index(fields=["user"], condition=models.Q(read_at=None), name="notices_unread"),
            models.Index(fields=["created_at"], condition=models.Q(mail_due=True), name="notices_to_mail"),
        ]

    def __str__(self) -> str:
        return self.headline

    def get_absolute_url(self) -> str:
        """Where what it tells can be seen."""
        return (self.training or self.deployment).get_absolute_url()
