"""The words for a training's state: DEEPaaS's own (contract 6.3) and ours beside them, with what they look like."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import models
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


class TrainingStatus(models.TextChoices):
    """What ``Training.status`` holds. STARTING and LOST are ours."""

    STARTING = "starting", _("Starting")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    ERROR = "error", _("Error")
    CANCELLED = "cancelled", _("Cancelled")
    LOST = "lost", _("Lost")
    UNKNOWN = "unknown", _("Unknown")


UNDER_WAY = (TrainingStatus.STARTING, TrainingStatus.RUNNING)


@dataclass(frozen=True)
class TrainingView:
    """What a state looks like and means."""

    label: "StrOrPromise"
    tone: str
    icon: str
    meaning: "StrOrPromise"

    @property
    def spinning(self) -> bool:
        return self.icon == "spin"


VIEWS: dict[str, TrainingView] = {
    "starting": TrainingView(_("Starting"), "busy", "spin", _("It was sent; no answer has come yet.")),
    "running": TrainingView(
        _("Running"), "busy", "spin", _("It runs, or waits for its turn: DEEPaaS does not say which.")
    ),
    "done": TrainingView(_("Done"), "ok", "ok", _("It ran to its end.")),
    "error": TrainingView(_("Error"), "bad", "fail", _("The module gave up; its message says why.")),
    "cancelled": TrainingView(_("Cancelled"), "idle", "ban", _("It was stopped before its end.")),
    "lost": TrainingView(_("Lost"), "idle", "help", _("The container ended, or forgot it, before it was done.")),
    "unknown": TrainingView(_("Unknown"), "idle", "help", _("DEEPaaS gave it a state that is not known here.")),
}


def status_of(word: str) -> TrainingStatus:
    """Our status for a word of DEEPaaS; its schema says "completed" for what it calls "done" (contract 6.3)."""
    word = {"completed": "done"}.get(word.lower(), word.lower())
    told = {TrainingStatus.RUNNING, TrainingStatus.DONE, TrainingStatus.ERROR, TrainingStatus.CANCELLED}
    return TrainingStatus(word) if word in told else TrainingStatus.UNKNOWN
