"""The words for a training's state: DEEPaaS's own (contract 6.3) and ours beside them, with what they look like."""

from dataclasses import dataclass

from django.db import models


class TrainingStatus(models.TextChoices):
    """What ``Training.status`` holds. STARTING and LOST are ours."""

    STARTING = "starting", "Starting"
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    ERROR = "error", "Error"
    CANCELLED = "cancelled", "Cancelled"
    LOST = "lost", "Lost"
    UNKNOWN = "unknown", "Unknown"


UNDER_WAY = (TrainingStatus.STARTING, TrainingStatus.RUNNING)


@dataclass(frozen=True)
class TrainingView:
    """What a state looks like and means."""

    label: str
    tone: str
    icon: str
    meaning: str

    @property
    def spinning(self) -> bool:
        return self.icon == "spin"


VIEWS: dict[str, TrainingView] = {
    "starting": TrainingView("Starting", "busy", "spin", "It was sent; no answer has come yet."),
    "running": TrainingView("Running", "busy", "spin", "It runs, or waits its turn: DEEPaaS does not tell which."),
    "done": TrainingView("Done", "ok", "ok", "It came to its end."),
    "error": TrainingView("Error", "bad", "fail", "The module gave up; its message says why."),
    "cancelled": TrainingView("Cancelled", "idle", "ban", "It was stopped before its end."),
    "lost": TrainingView("Lost", "idle", "help", "The container ended, or forgot it, before it was done."),
    "unknown": TrainingView("Unknown", "idle", "help", "DEEPaaS gave it a state that we have no words for."),
}


def status_of(word: str) -> TrainingStatus:
    """Our status for a word of DEEPaaS; its schema says "completed" for what it calls "done" (contract 6.3)."""
    word = {"completed": "done"}.get(word.lower(), word.lower())
    told = {TrainingStatus.RUNNING, TrainingStatus.DONE, TrainingStatus.ERROR, TrainingStatus.CANCELLED}
    return TrainingStatus(word) if word in told else TrainingStatus.UNKNOWN
