"""A deployment's state in words, tone and next step: the one place that knows the Status table of the interface."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import urlencode

from django.urls import reverse
from django.utils import timezone

from deployments.models import Deployment
from deployments.reasons import reason_of, site_name
from deployments.states import MOVING, Status


@dataclass(frozen=True)
class NextStep:
    """The one button beside a state. ``kind``: open, why, again, delete, clone, look."""

    kind: str
    label: str
    url: str


@dataclass(frozen=True)
class StatusView:
    """What a state looks like and means. ``short`` is the label where space is scarce, ``sub`` a line below it."""

    label: str
    tone: str
    icon: str
    meaning: str
    spinning: bool = False
    sub: str = ""
    next_step: NextStep | None = None

    @property
    def short(self) -> str:
        return self.label.partition(":")[0]


# The Status table of the interface: label, tone, icon, meaning.
_TABLE: dict[str, StatusView] = {
    "SUBMITTING": StatusView("Sending", "busy", "spin", "It is on its way to the orchestrator."),
    "UNCERTAIN": StatusView(
        "Unknown", "idle", "help", "No answer came when it was sent: it may exist. We look for it."
    ),
    "choosing": StatusView("Creating: choosing a provider", "busy", "spin", "The orchestrator accepted it."),
    "starting": StatusView("Creating: starting at {site}", "busy", "spin", "{site} is at work on it."),
    "ready": StatusView("Ready", "ok", "ok", "Its service answers."),
    "training": StatusView("Training", "busy", "spin", "A training runs in it."),
    "booting": StatusView("Starting", "busy", "clock", "It runs; the service inside is still booting."),
    "silent": StatusView("Not answering", "warn", "alert", "It runs, but its service does not answer."),
    "unprobed": StatusView("Deployed", "idle", "ok", "It runs; whether its service answers was not checked."),
    "CREATE_FAILED": StatusView("Creation failed", "bad", "fail", "It could not be created."),
    "UPDATE_IN_PROGRESS": StatusView("Updating", "busy", "spin", "The new values are being applied."),
    "UPDATE_FAILED": StatusView("Update failed", "warn", "alert", "It may still run as before."),
    "DELETE_IN_PROGRESS": StatusView("Deleting", "busy", "spin", "It is being removed."),
    "DELETE_FAILED": StatusView("Delete failed", "bad", "fail", "It still holds resources."),
    "GONE": StatusView("Deleted", "idle", "idle", "It is gone; what we knew of it is kept."),
    "never": StatusView("Not deployed", "idle", "idle", "It never reached the orchestrator."),
    "UNKNOWN": StatusView("Unknown", "idle", "help", "There is no answer about its state right now."),
}


def describe(deployment: Deployment, *, unreachable: bool = False, now: datetime | None = None) -> StatusView:
    """The view of a deployment's last known state.

    ``unreachable``: the orchestrator does not answer. What was moving is then not known any more; what had come to
    rest most likely is as it was.
    """
    row = _row(deployment, unreachable)
    site = site_name(deployment.provider_name)
    view = _TABLE.get(row) or StatusView(
        row.replace("_", " ").capitalize(), "idle", "help", "We have no words for this state."
    )
    return replace(
        view,
        label=view.label.replace("{site}", site),
        meaning=view.meaning.replace("{site}", site),
        spinning=view.icon == "spin",
        sub=_sub(deployment, row, (now or timezone.now()) - deployment.status_since),
        next_step=_next_step(deployment, row),
    )


def _row(deployment: Deployment, unreachable: bool) -> str:
    """Which row of the table fits."""
    status = deployment.status
    if deployment.is_gone:
        return "never" if deployment.known_status == Status.UNCERTAIN else "GONE"
    if status == Status.UNKNOWN or (unreachable and status in MOVING):
        return "UNKNOWN"
    if status == Status.CREATE_IN_PROGRESS:
        # Marathon deployments never say DEPLOYER (contract 1.8): a chosen provider tells as much.
        return "starting" if deployment.provider_name else "choosing"
    if deployment.is_complete:
        if deployment.running_trainings and deployment.answers is not False:
            return "training"
        if deployment.answers is None:
            return "unprobed"
        if deployment.answers:
            return "ready"
        return "booting" if deployment.is_starting else "silent"
    return status


def _sub(deployment: Deployment, row: str, passed: timedelta) -> str:
    """The line below the label in a list."""
    match row:
        case "choosing":
            return f"Choosing a provider, {_so_far(passed)}"
        case "starting":
            return f"Starting at {site_name(deployment.provider_name)}, {_so_far(passed)}"
        case "UPDATE_IN_PROGRESS" | "DELETE_IN_PROGRESS":
            return _so_far(passed)
        case "UNCERTAIN":
            return "Not known whether accepted"
        case "CREATE_FAILED" | "UPDATE_FAILED" | "DELETE_FAILED":
            reason = reason_of(deployment.status_reason, deployment.status)
            return reason.gist if reason else ""
        case "UNKNOWN":
            was = _WAS.get(deployment.known_status or deployment.status)
            return f"Was {was}" if was else ""
    return ""


def _next_step(deployment: Deployment, row: str) -> NextStep | None:
    page, form = deployment.get_absolute_url(), configure_url(deployment) if deployment.module_slug else ""
    why = NextStep("why", "See why", f"{page}#why")
    match row:
        case "ready" | "unprobed" | "training":
            return NextStep("open", "Open", page)
        case "silent" | "UPDATE_FAILED":
            return why
        case "CREATE_FAILED" | "never":
            return NextStep("again", "Change and try again", form) if form else why
        case "DELETE_FAILED":
            return NextStep("delete", "Delete again", reverse("deployments:delete", args=[deployment.reference]))
        case "GONE":
            return NextStep("clone", "Clone", form) if form else None
        case "UNCERTAIN" | "UNKNOWN":
            return NextStep("look", "Try now", f"{page}?fresh=1")
    return None


def configure_url(deployment: Deployment) -> str:
    """The form as it was when this was submitted; without a module of ours, the one of its own template."""
    if not deployment.module_slug:
        return reverse("deployments:again", args=[deployment.reference])
    choices = {name: value for name, value in deployment.choices.items() if value}
    query = urlencode({**choices, "from": deployment.reference})
    return f"{reverse('deployments:configure', args=[deployment.module_slug])}?{query}"


def _so_far(passed: timedelta) -> str:
    minutes = int(passed.total_seconds() // 60)
    if minutes < 1:
        return "just begun"
    return f"{minutes} min so far" if minutes < 120 else f"{minutes // 60} h so far"


_WAS: dict[str, str] = {
    Status.CREATE_IN_PROGRESS: "being created",
    Status.CREATE_COMPLETE: "deployed",
    Status.CREATE_FAILED: "failed",
    Status.UPDATE_IN_PROGRESS: "being updated",
    Status.UPDATE_COMPLETE: "deployed",
    Status.UPDATE_FAILED: "not updated",
    Status.DELETE_IN_PROGRESS: "being deleted",
    Status.DELETE_FAILED: "not deleted",
}
