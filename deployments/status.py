"""A deployment's state in words, tone and next step: the one place that knows the Status table of the interface."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

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
_TABLE: dict[str, tuple[Promise, str, str, Promise]] = {
    "SUBMITTING": (_("Sending"), "busy", "spin", _("It is on its way to the orchestrator.")),
    "UNCERTAIN": (_("Unknown"), "idle", "help", _("No answer came when it was sent: it may exist. We look for it.")),
    "choosing": (_("Creating: choosing a provider"), "busy", "spin", _("The orchestrator accepted it.")),
    "starting": (_("Creating: starting at {site}"), "busy", "spin", _("{site} is at work on it.")),
    "ready": (_("Ready"), "ok", "ok", _("Its service answers.")),
    "training": (_("Training"), "busy", "spin", _("A training runs in it.")),
    "booting": (_("Starting"), "busy", "clock", _("It runs; the service inside is still booting.")),
    "silent": (_("Not answering"), "warn", "alert", _("It runs, but its service does not answer.")),
    "unprobed": (_("Deployed"), "idle", "ok", _("It runs; whether its service answers was not checked.")),
    "CREATE_FAILED": (_("Creation failed"), "bad", "fail", _("It could not be created.")),
    "UPDATE_IN_PROGRESS": (_("Updating"), "busy", "spin", _("The new values are being applied.")),
    "UPDATE_FAILED": (_("Update failed"), "warn", "alert", _("It may still run as before.")),
    "DELETE_IN_PROGRESS": (_("Deleting"), "busy", "spin", _("It is being deleted.")),
    "DELETE_FAILED": (_("Deletion failed"), "bad", "fail", _("It still holds resources.")),
    "GONE": (_("Deleted"), "idle", "idle", _("It is gone; what we knew of it is kept.")),
    "never": (_("Not deployed"), "idle", "idle", _("It never reached the orchestrator.")),
    "UNKNOWN": (_("Unknown"), "idle", "help", _("There is no answer about its status right now.")),
}
_WAS: dict[str, Promise] = {
    Status.CREATE_IN_PROGRESS: _("Was being created"),
    Status.CREATE_COMPLETE: _("Was deployed"),
    Status.CREATE_FAILED: _("Had failed"),
    Status.UPDATE_IN_PROGRESS: _("Was being updated"),
    Status.UPDATE_COMPLETE: _("Was deployed"),
    Status.UPDATE_FAILED: _("Was not updated"),
    Status.DELETE_IN_PROGRESS: _("Was being deleted"),
    Status.DELETE_FAILED: _("Was not deleted"),
}


def describe(deployment: Deployment, *, unreachable: bool = False, now: datetime | None = None) -> StatusView:
    """The view of a deployment's last known state.

    ``unreachable``: the orchestrator does not answer. What was moving is then not known any more; what had come to
    rest most likely is as it was.
    """
    row = _row(deployment, unreachable)
    site = site_name(deployment.provider_name)
    other = (row.replace("_", " ").capitalize(), "idle", "help", gettext("This dashboard does not know this status."))
    label, tone, icon, meaning = _TABLE.get(row, other)
    return StatusView(
        str(label).replace("{site}", site),
        tone,
        icon,
        str(meaning).replace("{site}", site),
        spinning=icon == "spin",
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
            return gettext("Choosing a provider, %(so_far)s") % {"so_far": _so_far(passed)}
        case "starting":
            site = site_name(deployment.provider_name)
            return gettext("Starting at %(site)s, %(so_far)s") % {"site": site, "so_far": _so_far(passed)}
        case "UPDATE_IN_PROGRESS" | "DELETE_IN_PROGRESS":
            return _so_far(passed)
        case "UNCERTAIN":
            return gettext("Not known whether accepted")
        case "CREATE_FAILED" | "UPDATE_FAILED" | "DELETE_FAILED":
            reason = reason_of(deployment.status_reason, deployment.status)
            return reason.gist if reason else ""
        case "UNKNOWN":
            return str(_WAS.get(deployment.known_status or deployment.status, ""))
    return ""


def _next_step(deployment: Deployment, row: str) -> NextStep | None:
    page, form = deployment.get_absolute_url(), configure_url(deployment) if deployment.module_slug else ""
    why = NextStep("why", gettext("See why"), f"{page}#why")
    match row:
        case "ready" | "unprobed" | "training":
            return NextStep("open", gettext("Open"), page)
        case "silent" | "UPDATE_FAILED":
            return why
        case "CREATE_FAILED" | "never":
            return NextStep("again", gettext("Change and try again"), form) if form else why
        case "DELETE_FAILED":
            return NextStep(
                "delete", gettext("Delete again"), reverse("deployments:delete", args=[deployment.reference])
            )
        case "GONE":
            return NextStep("clone", gettext("Clone"), form) if form else None
        case "UNCERTAIN" | "UNKNOWN":
            return NextStep("look", gettext("Try now"), f"{page}?fresh=1")
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
        return gettext("just begun")
    if minutes < 120:
        return gettext("%(number)s min so far") % {"number": minutes}
    return gettext("%(number)s h so far") % {"number": minutes // 60}
