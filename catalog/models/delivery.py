"""What came in at the webhook, and what was made of it."""

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone

from catalog.models.run import RefreshRun

KEPT = 200  # of those whose sender is known
KEPT_REFUSED = 50  # apart, so that a stranger can't push the others out


class WebhookDelivery(models.Model):
    """One delivery, without its payload: that names people, and nothing else of it is needed."""

    class Verdict(models.TextChoices):
        QUEUED = "queued", "refresh asked for"
        PING = "ping", "ping"
        UNWATCHED = "unwatched", "not watched"
        OTHER = "other", "event of no concern"
        MALFORMED = "malformed", "can't be read"
        FORGED = "forged", "signature refused"
        CLOSED = "closed", "no secret is set"
        LARGE = "large", "too large"

    delivery = models.CharField(max_length=64, blank=True, help_text="GitHub's id of it; the same when sent again")
    event = models.CharField(max_length=64, blank=True)
    repository = models.CharField(max_length=200, blank=True)
    ref = models.CharField(max_length=255, blank=True)
    verdict = models.CharField(max_length=16, choices=Verdict)
    answer = models.CharField(max_length=200, help_text="What GitHub was told, its status first")
    genuine = models.BooleanField(default=False, help_text="Signed, or unsigned ones are allowed")
    repeats = models.PositiveIntegerField(default=0, help_text="How often it came again")
    run = models.ForeignKey(RefreshRun, null=True, blank=True, on_delete=models.SET_NULL, related_name="deliveries")
    received = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        verbose_name_plural = "webhook deliveries"
        ordering = ["-received", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["delivery"], condition=Q(genuine=True) & ~Q(delivery=""), name="each_delivery_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.event or 'delivery'} {self.delivery}".strip()

    @classmethod
    def forget_oldest(cls, *, genuine: bool) -> None:
        """Keep the newest of those with a known sender, or of the others."""
        rows: models.QuerySet[Any] = cls.objects.filter(genuine=genuine)
        # By the first that goes, not by those that stay: more may come in between the two statements.
        oldest = rows.order_by("-pk").values_list("pk", flat=True)[KEPT if genuine else KEPT_REFUSED :][:1]
        if oldest:
            rows.filter(pk__lte=oldest[0]).delete()
