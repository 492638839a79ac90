"""A deployment's state in words, tone and next step: the one place that knows the Status table of the interface."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from django.urls import reverse
from django.utils import timezone

from deployments.models import Deployment
from deployments.reasons import reason_of, site_name
from deployments.states import ENDED, MOVING, Status


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


def describe(deployment: Deployment, *, unreachable: bool = False, now: datetime | None = None) -> StatusView:
    """The view of a deployment's last known state.

    ``unreachable``: the orchestrator does not answer. What was moving is then not known any more; what had come to
    rest most likely is as it was.
    """
    now = now or timezone.now()
    status = deployment.status
    if deployment.is_gone or status in ENDED:
        return _gone(deployment)
    if status == Status.UNKNOWN or (unreachable and status in MOVING):
        return _unknown(deployment)
    so_far = _so_far(now - deployment.status_since)
    match status:
        case Status.SUBMITTING:
            return StatusView("Sending", "busy", "spin", "It is on its way to the orchestrator.", spinning=True)
        case Status.UNCERTAIN:
            return StatusView(
                "Unknown", "idle", "help",
                "The orchestrator did not answer when it was sent, so it may or may not exist. We look for it.",
                sub="Not known whether accepted", next_step=_look(deployment),
            )  # fmt: skip
        case Status.CREATE_IN_PROGRESS:
            return _creating(deployment, so_far)
        case Status.CREATE_COMPLETE | Status.UPDATE_COMPLETE:
            return _complete(deployment)
        case Status.CREATE_FAILED:
            return StatusView("Creation failed", "bad", "fail", "All tries failed.", sub=_why(deployment),
                              next_step=_again(deployment))  # fmt: skip
        case Status.UPDATE_IN_PROGRESS:
            return StatusView("Updating", "busy", "spin", "The new values are being applied.", spinning=True, sub=so_far)
        case Status.UPDATE_FAILED:
            return StatusView("Update failed", "warn", "alert", "The new values were not applied; it may still run as before.",
                              sub=_why(deployment), next_step=_see_why(deployment))  # fmt: skip
        case Status.DELETE_IN_PROGRESS:
            return StatusView("Deleting", "busy", "spin", "It is being removed.", spinning=True, sub=so_far)
        case Status.DELETE_FAILED:
            return StatusView("Delete failed", "bad", "fail", "It still holds resources.", sub=_why(deployment),
                              next_step=NextStep("delete", "Delete again", _url("delete", deployment)))  # fmt: skip
        case _:
            return StatusView(status.replace("_", " ").capitalize(), "idle", "help", "A state we have no words for.",
                              next_step=_look(deployment))  # fmt: skip


def _creating(deployment: Deployment, so_far: str) -> StatusView:
    # Marathon deployments never say DEPLOYER (contract 1.8): a chosen provider tells as much.
    site = site_name(deployment.provider_name)
    if not site:
        return StatusView("Creating: choosing a provider", "busy", "spin", "The orchestrator accepted it and looks for a provider.",
                          spinning=True, sub=f"Choosing a provider{_comma(so_far)}")  # fmt: skip
    return StatusView(f"Creating: starting at {site}", "busy", "spin", f"{site} is at work on it.", spinning=True,
                      sub=f"Starting at {site}{_comma(so_far)}")  # fmt: skip


def _complete(deployment: Deployment) -> StatusView:
    to_open = NextStep("open", "Open", deployment.get_absolute_url())
    if deployment.answers:
        return StatusView("Ready", "ok", "ok", "Its services answer.", next_step=to_open)
    if deployment.answers is None:
        return StatusView("Deployed", "idle", "ok", "It runs; whether its services answer was not checked.", next_step=to_open)
    if deployment.answered_at is None:
        return StatusView("Starting", "busy", "clock", "It runs; the service inside is still booting.")
    return StatusView("Not answering", "warn", "alert", "It runs, but its service no longer answers.",
                      next_step=_see_why(deployment))  # fmt: skip


def _gone(deployment: Deployment) -> StatusView:
    again = configure_url(deployment)
    if deployment.known_status == Status.UNCERTAIN:
        return StatusView("Not deployed", "idle", "idle", "It never reached the orchestrator.",
                          next_step=_again(deployment))  # fmt: skip
    return StatusView("Deleted", "idle", "idle", "It is gone; what we knew of it is kept.",
                      next_step=NextStep("clone", "Clone", again) if again else None)  # fmt: skip


def _unknown(deployment: Deployment) -> StatusView:
    was = _WAS.get(deployment.known_status or deployment.status, "")
    return StatusView("Unknown", "idle", "help", "There is no answer about its state right now.",
                      sub=f"Was {was}" if was else "", next_step=_look(deployment))  # fmt: skip


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


def _why(deployment: Deployment) -> str:
    reason = reason_of(deployment.status_reason)
    return reason.explanation.short if reason else ""


def _see_why(deployment: Deployment) -> NextStep:
    return NextStep("why", "See why", f"{deployment.get_absolute_url()}#why")


def _look(deployment: Deployment) -> NextStep:
    return NextStep("look", "Try now", f"{deployment.get_absolute_url()}?fresh=1")


def _again(deployment: Deployment) -> NextStep:
    url = configure_url(deployment)
    return NextStep("again", "Change and try again", url) if url else _see_why(deployment)


def configure_url(deployment: Deployment) -> str:
    """The form as it was when this was submitted; nothing for what was not made from a module of ours."""
    if not deployment.module_slug:
        return ""
    choices = {name: value for name, value in deployment.choices.items() if value}
    query = urlencode({**choices, "from": deployment.reference})
    return f"{reverse('deployments:configure', args=[deployment.module_slug])}?{query}"


def _url(name: str, deployment: Deployment) -> str:
    return reverse(f"deployments:{name}", args=[deployment.reference])


def _so_far(passed: timedelta) -> str:
    minutes = int(passed.total_seconds() // 60)
    if minutes < 1:
        return "just begun"
    return f"{minutes} min so far" if minutes < 120 else f"{minutes // 60} h so far"


def _comma(text: str) -> str:
    return f", {text}" if text else ""
