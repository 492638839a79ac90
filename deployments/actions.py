"""What may be done with a deployment now, by the orchestrator's rules and version, and why not (contract 1)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from deployments.clients.orchestrator import Info
from deployments.logs import CONTAINER_KINDS
from deployments.models import Deployment
from deployments.states import COMPLETE, Status

# A deletion takes minutes; resetting one that is at work would only hide what becomes of it.
STUCK_AFTER = timedelta(minutes=10)
RESET_SINCE, ACTIONS_SINCE, FORCE_SINCE = "2.7.0", "2.8.0", "3.0.0"
NODE_STATES = (*COMPLETE, Status.UPDATE_FAILED)  # in which nodes may be started and stopped (contract 1.15)


@dataclass(frozen=True)
class Permission:
    """Whether something may be done; if not, ``why_not`` is a sentence for its user."""

    why_not: str = ""

    @property
    def allowed(self) -> bool:
        return not self.why_not


@dataclass(frozen=True)
class Permissions:
    """One permission per action. Updating has its own rules (deployments.updates)."""

    delete: Permission
    force: Permission
    reset: Permission
    lock: Permission
    nodes: Permission
    node_actions: Permission


def permissions(deployment: Deployment, info: Info | None, *, now: datetime | None = None) -> Permissions:
    """What may be done with a deployment at an orchestrator (``info`` None: its version is not known now)."""
    delete = Permission(_why_not_delete(deployment))
    nodes = Permission(_why_no_nodes(deployment))
    return Permissions(
        delete=delete,
        force=Permission(delete.why_not or _too_old(info, FORCE_SINCE)),
        reset=Permission(_why_not_reset(deployment, info, now or timezone.now())),
        lock=Permission(_("It is gone.") if deployment.is_gone else ""),
        nodes=nodes,
        node_actions=Permission(nodes.why_not or _why_no_node_actions(deployment, info)),
    )


def secrets_permission(deployment: Deployment) -> Permission:
    """Whether there are secret outputs to ask for. Apart from the others: it reads a column that lists leave out."""
    if deployment.is_gone:
        return Permission(_("It is gone; its secrets were never kept here."))
    return Permission("" if deployment.secret_outputs and deployment.uuid else _("It has no secret outputs."))


def _why_not_delete(deployment: Deployment) -> str:
    if deployment.is_gone:
        return _("It is gone already.")
    if not deployment.uuid:
        return _("The orchestrator has not named it yet; it is not known whether it exists.")
    if deployment.locked:
        return _("It is locked against deletion.")
    if deployment.status == Status.DELETE_IN_PROGRESS:
        return _("It is being deleted already.")
    return ""


def _why_not_reset(deployment: Deployment, info: Info | None, now: datetime) -> str:
    if deployment.is_gone or deployment.status != Status.DELETE_IN_PROGRESS:
        return _("Only a deletion that is going on can be given up.")
    if now - deployment.status_since < STUCK_AFTER:
        minutes = STUCK_AFTER // timedelta(minutes=1)
        return _("Its deletion has only begun; it can be given up when it has not ended after %(minutes)s minutes.") % {
            "minutes": minutes
        }
    return _too_old(info, RESET_SINCE)


def _why_no_nodes(deployment: Deployment) -> str:
    if deployment.is_gone:
        return _("It is gone, and its nodes with it.")
    if deployment.deployment_kind in CONTAINER_KINDS:
        return _("It runs in a container: there are no machines of its own.")
    if not deployment.uuid or not deployment.deployment_kind:
        return _("No provider was chosen yet.")
    return ""


def _why_no_node_actions(deployment: Deployment, info: Info | None) -> str:
    if deployment.status not in NODE_STATES:
        return _("Nodes can be started and stopped when the deployment is complete.")
    return _too_old(info, ACTIONS_SINCE)


def _too_old(info: Info | None, since: str) -> str:
    if info is None or not info.version:
        return _("The orchestrator’s version is not known right now.")
    if info.at_least(since):
        return ""
    return _("This needs orchestrator %(wanted)s or later; here it is %(found)s.") % {
        "wanted": since.removesuffix(".0"),
        "found": info.version.partition("-")[0],
    }
