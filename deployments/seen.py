"""From the orchestrator's words to our columns: what a look at a deployment changes in its record."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from deepdash.redact import redact
from deployments.clients.orchestrator import UpstreamDeployment
from deployments.counts import count_of
from deployments.models import Deployment, StatusEvent
from deployments.outputs import first_of, without_secrets
from deployments.states import Status

if TYPE_CHECKING:
    from accounts.models import User

REASON_CHARS = 20_000

# Columns that follow the orchestrator; the others are ours and no look ever touches them.
SEEN_COLUMNS = (
    "issuer", "subject", "user_group", "docker_image", "num_cpus", "num_gpus", "status", "known_status", "status_since",
    "task", "status_reason", "provider_name", "provider_endpoint", "deployment_kind", "description", "outputs",
    "secret_outputs", "physical_id", "created_at", "updated_at", "seen_at", "gone_at",
)  # fmt: skip
# A change in one of these is a line in the timeline.
_TOLD = ("status", "task", "provider_name", "status_reason")


def is_of(upstream: UpstreamDeployment, user: "User") -> bool:
    """Whether the user made it. Servers without accounts name no creator: then the token's list has to do."""
    creator = upstream.created_by
    if creator is None or not creator.subject:
        return True
    same_issuer = not creator.issuer or creator.issuer.rstrip("/") == user.issuer.rstrip("/")
    return same_issuer and creator.subject == user.subject


def see(deployment: Deployment, upstream: UpstreamDeployment, at: datetime) -> StatusEvent | None:
    """Bring a record (not saved here) up to what the orchestrator told at a moment.

    Returns the line for its timeline if something worth telling changed.
    """
    before = {name: getattr(deployment, name) for name in _TOLD}
    for name, value in differences(deployment, upstream).items():
        setattr(deployment, name, value)
    deployment.seen_at = at
    if deployment.status != before["status"]:
        deployment.status_since = at
    if deployment.status != Status.UNKNOWN:
        deployment.known_status = deployment.status
    if all(getattr(deployment, name) == value for name, value in before.items()):
        return None
    return event_of(deployment, at)


def record_of(user: "User", upstream: UpstreamDeployment, at: datetime) -> Deployment:
    """A record (not saved) of a deployment made elsewhere. Its timeline begins with what changes from now on."""
    record = Deployment(owner=user, uuid=upstream.uuid, callback_secret="", status=upstream.status)
    see(record, upstream, at)
    record.status_since = upstream.updated_at or upstream.created_at or at
    return record


def differences(deployment: Deployment, upstream: UpstreamDeployment) -> dict[str, Any]:
    """The columns, with their new values, in which a record is not what the orchestrator says."""
    columns = {"gone_at": None, **_columns(deployment, upstream)}
    return {name: value for name, value in columns.items() if getattr(deployment, name) != value}


def see_gone(deployment: Deployment, at: datetime) -> StatusEvent:
    """Mark a record (not saved here) as gone: the orchestrator no longer knows it."""
    deployment.status = Status.GONE
    deployment.gone_at = deployment.status_since = deployment.seen_at = at
    return event_of(deployment, at)


def event_of(deployment: Deployment, at: datetime) -> StatusEvent:
    return StatusEvent(
        deployment=deployment, at=at, status=deployment.status, task=deployment.task,
        provider_name=deployment.provider_name, reason=deployment.status_reason,
    )  # fmt: skip


def _columns(deployment: Deployment, upstream: UpstreamDeployment) -> dict[str, Any]:
    outputs, secret_outputs = without_secrets(upstream.outputs)
    endpoint = upstream.provider_endpoint
    found: dict[str, Any] = {
        "user_group": upstream.user_group[:255] or deployment.user_group,
        "status": upstream.status,
        "task": upstream.task[:32],
        "status_reason": redact(upstream.status_reason)[:REASON_CHARS],
        "provider_name": upstream.provider_name[:255],
        "provider_endpoint": endpoint.model_dump(mode="json") if endpoint else {},
        "deployment_kind": (endpoint.kind if endpoint else deployment.deployment_kind)[:32],
        "description": str(first_of(outputs, ["deployment_description"]) or "")[:255],
        "outputs": outputs,
        "secret_outputs": secret_outputs,
        "physical_id": upstream.physical_id[:255],
        "updated_at": upstream.updated_at,
    }
    if upstream.created_by:
        found |= {"issuer": upstream.created_by.issuer[:255], "subject": upstream.created_by.subject[:255]}
    if upstream.created_at:
        found["created_at"] = upstream.created_at
    # What it runs with is told in the outputs; for what was submitted here we know it already.
    found["docker_image"] = deployment.docker_image or str(first_of(outputs, ["docker_image"]) or "")[:500]
    for column, output in (("num_cpus", "docker_num_cpus"), ("num_gpus", "docker_num_gpus")):
        known = getattr(deployment, column)
        found[column] = count_of(first_of(outputs, [output])) if known is None else known
    return found
