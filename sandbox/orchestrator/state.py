"""The orchestrator's table of deployments and what may be done with a row (contract 1.8 to 1.15)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import yaml

from sandbox import tokens
from sandbox.orchestrator.containers import Containers
from sandbox.orchestrator.deployment import (
    STATUSES,
    UPDATABLE,
    Deployment,
    Resource,
    deployment_json,
    time_ordered_uuid,
)
from sandbox.orchestrator.errors import ApiError, not_found, not_owner
from sandbox.orchestrator.machine import Workflows
from sandbox.orchestrator.outputs import Plan
from sandbox.orchestrator.request import DeploymentRequest
from sandbox.orchestrator.seeding import seeded
from sandbox.orchestrator.templates import CLOUD
from sandbox.orchestrator.version import version
from sandbox.people import Person
from sandbox.tokens import Claims
from sandbox.world import Part, World

FIXED_KINDS = frozenset({"CHRONOS", "MARATHON", "QCG"})


class Orchestrator(Part):
    """All deployments of a world. The functions for callers outside are listed in the package's docstring."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.rows: dict[str, Deployment] = {}
        self.deleted_infrastructures: set[str] = set()
        self.containers = Containers(world)
        self.workflows = Workflows(world, self.containers, self._remove)

    @property
    def url(self) -> str:
        """The address of the collection of deployments."""
        return f"{self.world.base_url}/orchestrator/deployments"

    # -- life ------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Take up every workflow that was interrupted and open the ports of what was running."""
        for row in self.rows.values():
            if row.status == "CREATE_IN_PROGRESS":
                self.workflows.start(row, self.workflows.create(row))
            if row.ports:
                self.workflows.open(row, Plan.of(row.template, row.parameters), seconds=0)
            if row.status == "UPDATE_IN_PROGRESS":
                self.workflows.start(row, self.workflows.update(row))
            if row.status == "DELETE_IN_PROGRESS":
                self.workflows.start(row, self.workflows.delete(row))

    async def stop(self) -> None:
        self.workflows.kill_all()
        await self.containers.close_all()

    async def reset(self) -> None:
        await self.stop()
        self.rows.clear()
        self.deleted_infrastructures.clear()

    def dump(self) -> Any:
        return {
            "deployments": [row.dump() for row in self.rows.values()],
            "deleted_infrastructures": sorted(self.deleted_infrastructures),
        }

    def load(self, data: Any) -> None:
        rows = (Deployment.load(row) for row in data["deployments"])
        self.rows = {row.uuid: row for row in rows}
        self.deleted_infrastructures = set(data["deleted_infrastructures"])

    def summary(self) -> dict[str, Any]:
        counts: dict[str, int] = {}
        for row in self.rows.values():
            counts[row.status] = counts.get(row.status, 0) + 1
        return {"deployments": len(self.rows), "by_status": counts, "with_services": len(self.containers)}

    # -- who sees and may do what ----------------------------------------------------------------------------

    def sees(self, row: Deployment, claims: Claims) -> bool:
        """Apply contract 1.2: same organisation and issuer, since 4.0 same issuer; there is only one here."""
        return version(self.world) >= (4,) or row.organisation == claims.organisation

    def get(self, uuid: str, claims: Claims, *, own: bool = False) -> Deployment:
        """Return a deployment the caller may see, or with ``own`` change. Raises ApiError 404 or 403."""
        row = self.rows.get(uuid)
        if row is None or not self.sees(row, claims):
            raise not_found(uuid)
        if own and row.subject != claims.sub:
            raise not_owner()
        return row

    def is_admin(self, claims: Claims) -> bool:
        return self.world.settings.orchestrator_admin_group in claims.groups

    def check_group(self, group: str | None, claims: Claims) -> None:
        """Refuse a group that is not the caller's; only since 3.0. Raises ApiError 403."""
        if version(self.world) < (3,):
            return
        if not claims.groups:
            raise ApiError(403, "User's token does not contain a group claim or it is empty")
        if group is not None and group not in claims.groups:
            raise ApiError(403, f"The group {group} is not in the user's authorized groups")

    # -- changes ---------------------------------------------------------------------------------------------

    def create(self, wanted: DeploymentRequest, claims: Claims) -> Deployment:
        """Accept a submission and start its workflow. Raises ApiError 400 or 403."""
        self.check_group(wanted.user_group, claims)
        plan = Plan.of(wanted.template, wanted.parameters)
        if plan.wants("refuse"):
            raise ApiError(
                400,
                "Error parsing TOSCA template template:\n"
                f"Image <{plan.image or 'unknown'}> is not allowed by the site policy of this orchestrator",
            )
        now = self.world.now()
        row = Deployment(
            uuid=time_ordered_uuid(now),
            created=now,
            updated=now,
            subject=claims.sub,
            organisation=claims.organisation or "egi.eu",
            template=wanted.template,
            kind=plan.topology.kind,
            parameters=dict(wanted.parameters),
            callback=wanted.callback,
            user_group=wanted.user_group if version(self.world) >= (2, 6) else None,
            timeout_mins=wanted.timeout_mins,
            max_providers_retry=wanted.max_providers_retry,
            keep_last_attempt=wanted.keep_last_attempt,
            image=plan.image,
            command=plan.command,
        )
        row.resources = [
            Resource(time_ordered_uuid(now), now, now, "INITIAL", str(node["type"]), name)
            for name, node in plan.nodes.items()
        ]
        self.rows[row.uuid] = row
        self.workflows.start(row, self.workflows.create(row))
        self.world.persist()
        return row

    def update(self, row: Deployment, wanted: DeploymentRequest) -> None:
        """Accept a change. Raises ApiError 400 or 409, in the order of contract 1.10."""
        if row.kind in FIXED_KINDS:
            raise ApiError(400, f"{row.kind} deployments cannot be updated.")
        if row.status not in UPDATABLE:
            raise ApiError(409, f"Cannot update a deployment in {row.status} state")
        parameters = {**row.parameters, **wanted.parameters}
        plan = Plan.of(wanted.template, parameters)
        row.template = yaml.safe_dump(plan.topology.document, sort_keys=False, allow_unicode=True)
        row.parameters = parameters
        row.image, row.command = plan.image, plan.command
        row.callback = wanted.callback or row.callback
        row.status, row.status_reason, row.task = "UPDATE_IN_PROGRESS", None, "DEPLOYER"
        self.workflows.touch(row)
        self.workflows.start(row, self.workflows.update(row))

    def reset_status(self, row: Deployment) -> None:
        """Turn a deletion that never ends into a failed one; nothing is cleaned up. Raises ApiError 409."""
        if row.status != "DELETE_IN_PROGRESS":
            raise ApiError(409, f"Cannot reset a deployment in {row.status} state")
        self.workflows.kill(row.uuid)
        row.status = "DELETE_FAILED"
        self.workflows.touch(row)

    def delete(self, row: Deployment, *, force: bool = False) -> None:
        """Start a deletion; without a provider the row is gone at once. Raises ApiError 409."""
        if row.status == "DELETE_IN_PROGRESS":
            raise ApiError(409, f"Deployment already in {row.status} state.")
        self.workflows.kill(row.uuid)
        if row.service_id is None:
            self._remove(row)
            return
        row.status, row.status_reason, row.task = "DELETE_IN_PROGRESS", None, "NONE"
        for resource in row.resources:
            resource.state = "DELETING"
        self.workflows.touch(row)
        self.workflows.start(row, self.workflows.delete(row, force and version(self.world) >= (3,)))

    def act(self, row: Deployment, resource: Resource, action: object) -> None:
        """Start or stop a machine. Raises ApiError as contract 1.15 lists."""
        if row.kind in FIXED_KINDS:
            raise ApiError(400, f"{row.kind} deployment: actions not supported yet.")
        if row.status not in UPDATABLE:
            raise ApiError(409, f"Cannot perform actions on deployment in {row.status} state")
        needed = {"start": "STOPPED", "stop": "STARTED"}.get(str(action))
        if needed is None or resource.state != needed:
            raise ApiError(500, f"Error validating action request: <{action}> on a node in {resource.state} state")
        self.workflows.start(row, self.workflows.act(row, resource, str(action)))

    def _remove(self, row: Deployment) -> None:
        self.rows.pop(row.uuid, None)
        if row.physical_id and row.kind == CLOUD:
            self.deleted_infrastructures.add(row.physical_id)
        self.world.persist()

    # -- control API -----------------------------------------------------------------------------------------

    def seed(self, person: Person, count: int, statuses: Sequence[str] | None = None) -> list[str]:
        """Make finished deployments of a person without running anything; return their uuids, oldest first.

        Raises ValueError for a status that does not exist.
        """
        for status in statuses or ():
            _check_status(status)
        rows = seeded(person, count, statuses, self.world.now())
        self.rows.update((row.uuid, row) for row in rows)
        self.world.persist()
        return [row.uuid for row in rows]

    def force(
        self, uuid: str, status: str, reason: str | None = None, outputs: dict[str, Any] | None = None
    ) -> dict[str, Any] | None:
        """Put a deployment into a state and keep it there; return it as the API shows it, None if unknown.

        A complete state brings outputs and services as if the workflow had finished; ``outputs`` then replace those
        of their names, so that a real service can stand in for a container. ``DELETE_COMPLETE`` is shown like any
        other state, although the real service never does. Raises ValueError for no state.
        """
        _check_status(status)
        row = self.rows.get(uuid)
        if row is None:
            return None
        self.workflows.kill(uuid)
        if status in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            self.workflows.complete_now(row, status)
        row.outputs |= outputs or {}
        row.status = status
        row.status_reason = reason
        self.workflows.touch(row)
        return deployment_json(row, tokens.issuer(self.world), self.url, version(self.world))


def part(world: World) -> Orchestrator:
    """Return the orchestrator of a world, the same one at every call."""
    if not isinstance(world.orchestrator, Orchestrator):
        world.orchestrator = Orchestrator(world)
    return world.orchestrator


def _check_status(status: str) -> None:
    if status not in STATUSES:
        raise ValueError(f"{status!r} is none of {', '.join(STATUSES)}.")
