"""One refresh of the catalogue."""

from datetime import timedelta

from django.db import models
from django.db.models import Q
from django.utils import timezone

from deepdash.clock import passed

# A runner says that it is alive every few seconds, however long its calls take; only storing one item's result may
# hold it up, for the time a database makes it wait for a lock.
SILENCE = timedelta(minutes=1)


class RefreshRunQuerySet(models.QuerySet["RefreshRun"]):
    def abandoned(self) -> "RefreshRunQuerySet":
        """Running on paper, but their process has not been heard of for too long."""
        return self.filter(passed("alive_at", SILENCE, timezone.now()), state=RefreshRun.State.RUNNING)

    def last_finished(self) -> "RefreshRun | None":
        """The last run over everything that came to its end, without its items."""
        return self.filter(state=RefreshRun.State.DONE, only="").defer("items").order_by("-finished").first()


class RefreshRun(models.Model):
    """Runs coalesce: at most one waits and one is running, which the database itself enforces."""

    class State(models.TextChoices):
        WAITING = "waiting", "waiting"
        RUNNING = "running", "running"
        DONE = "done", "done"
        FAILED = "failed", "failed"
        ABANDONED = "abandoned", "abandoned by its process"

    class Trigger(models.TextChoices):
        COMMAND = "command", "command line"
        SCHEDULE = "schedule", "schedule"
        START = "start", "first start"
        CURATOR = "curator", "a curator"
        WEBHOOK = "webhook", "GitHub webhook"
        RESTART = "restart", "restart of an abandoned one"

    trigger = models.CharField(max_length=16, choices=Trigger)
    only = models.CharField(max_length=120, blank=True, help_text="The one module to refresh; empty: everything")
    state = models.CharField(max_length=16, choices=State, default=State.WAITING)
    requested = models.DateTimeField(default=timezone.now)
    started = models.DateTimeField(null=True, blank=True)
    alive_at = models.DateTimeField(null=True, blank=True)
    finished = models.DateTimeField(null=True, blank=True)
    counts = models.JSONField(default=dict, blank=True, help_text="Result → how many items")
    items = models.JSONField(default=list, blank=True, help_text="What happened to each item")

    objects = RefreshRunQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = "refresh", "refreshes"
        ordering = ["-requested", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["state"], condition=Q(state="running"), name="one_run_at_a_time"),
            models.UniqueConstraint(fields=["state"], condition=Q(state="waiting"), name="one_run_waits"),
        ]

    def __str__(self) -> str:
        return f"{self.get_trigger_display()}, {self.requested:%d %b %Y %H:%M} UTC"
