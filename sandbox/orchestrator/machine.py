"""The workflows behind a deployment's states, in real time (contract 1.8)."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid as uuids
from collections.abc import Callable, Coroutine
from typing import Any

import aiohttp

from sandbox import tokens
from sandbox.orchestrator.containers import Containers
from sandbox.orchestrator.deployment import Deployment, Resource, deployment_json
from sandbox.orchestrator.outputs import Plan, outputs_of
from sandbox.orchestrator.templates import CLOUD, evaluate
from sandbox.orchestrator.version import version
from sandbox.providers import CUSTOMERS, Service
from sandbox.world import World

log = logging.getLogger(__name__)

NO_PROVIDER = "No cloud provider meets the deployment requirements"
TIMED_OUT = "Timeout: Maximum execution time exceeded."
CALLBACK_TIMEOUT = 10.0
_DEPLOYMENT_TYPE = {CLOUD: "OPENSTACK"}
_SUBMISSION_SHARE = 0.1


class BrokeringError(Exception):
    """No provider can be chosen; the message becomes the status reason."""


def choose(deployment: Deployment, plan: Plan) -> list[Service]:
    """Return the services that could take a deployment, best first. Raises BrokeringError (contract 1.9)."""
    customer = deployment.user_group or deployment.organisation
    if customer not in CUSTOMERS:
        raise BrokeringError(f"Error fetching SLA for customer <{customer}> from SLAM.")
    placements = plan.topology.placements()
    if len(placements) > 1:
        raise BrokeringError("Only a single placement policy is supported")
    services = CUSTOMERS[customer]
    if placements:
        wanted = evaluate(placements[0]["sla_id"], plan.inputs, lambda node, path: None)
        services = tuple(service for service in services if service.sla_id == wanted)
        if not services:
            raise BrokeringError(f"No SLA with id {wanted} available")
    kind = _DEPLOYMENT_TYPE.get(deployment.kind, deployment.kind)
    fitting = [service for service in services if service.deployment_type == kind and service.gpus >= plan.gpus]
    if not fitting or plan.wants("noprovider"):
        raise BrokeringError(NO_PROVIDER)
    return sorted(fitting, key=lambda service: -service.weight)


class Workflows:
    """Runs what changes a deployment by itself: creating, updating, deleting, machine actions; one each."""

    def __init__(self, world: World, containers: Containers, remove: Callable[[Deployment], None]) -> None:
        self._world = world
        self._containers = containers
        self._remove = remove
        self._running: dict[str, asyncio.Task[Any]] = {}

    def start(self, deployment: Deployment, work: Coroutine[Any, Any, None]) -> None:
        """Run ``work`` for a deployment; whatever ran for it before is killed."""
        self.kill(deployment.uuid)
        task = self._world.spawn(work)
        self._running[deployment.uuid] = task
        task.add_done_callback(lambda done: self._forget(deployment.uuid, done))

    def kill(self, uuid: str) -> None:
        if task := self._running.pop(uuid, None):
            task.cancel()

    def kill_all(self) -> None:
        for uuid in list(self._running):
            self.kill(uuid)

    def _forget(self, uuid: str, done: asyncio.Task[Any]) -> None:
        if self._running.get(uuid) is done:
            del self._running[uuid]

    def touch(self, deployment: Deployment) -> None:
        """Note that a row changed."""
        deployment.updated = self._world.now()
        self._world.persist()

    # -- workflows -------------------------------------------------------------------------------------------

    async def create(self, deployment: Deployment) -> None:
        plan = Plan.of(deployment.template, deployment.parameters)
        settings = self._world.settings
        await self._world.sleep(settings.choose_provider)
        try:
            services = choose(deployment, plan)
        except BrokeringError as error:
            self._fail(deployment, "CREATE_FAILED", str(error))
            return
        failing = plan.wants("fail")
        causes: list[str] = []
        for service in services[: deployment.max_providers_retry or 2]:
            deployment.service_id = service.service_id
            deployment.physical_id = None
            self.touch(deployment)
            await self._world.sleep(settings.provider_work * _SUBMISSION_SHARE)
            self._submit(deployment)
            if plan.wants("stuck"):
                await self._never(deployment)
                return
            await self._world.sleep(settings.provider_work * (1 - _SUBMISSION_SHARE))
            if not failing:
                self.complete(deployment, plan, "CREATE_COMPLETE")
                self._notify(deployment)
                return
            causes.append(_cause(deployment, service))
        reason = "Retries on cloud providers exhausted. Error list is:\n\n" + "\n".join(causes)
        if deployment.kind == CLOUD and not deployment.keep_last_attempt:
            deployment.physical_id = None
        self._fail(deployment, "CREATE_FAILED", reason)

    async def update(self, deployment: Deployment) -> None:
        self._notify(deployment)
        await self._world.sleep(self._world.settings.update)
        plan = Plan.of(deployment.template, deployment.parameters)
        if plan.wants("fail"):
            for resource in deployment.resources:
                if resource.state != "STARTED":
                    resource.state = "ERROR"
            self._fail(
                deployment,
                "UPDATE_FAILED",
                "Error while updating the infrastructure: No valid host was found",
            )
            return
        self.complete(deployment, plan, "UPDATE_COMPLETE")
        self._notify(deployment)

    async def delete(self, deployment: Deployment, force: bool = False) -> None:
        plan = Plan.of(deployment.template, deployment.parameters)
        await self._world.sleep(self._world.settings.delete)
        if plan.wants("lostdelete"):
            await asyncio.Event().wait()
        if plan.wants("nodelete") and not force:
            name = {CLOUD: "IM infrastructure"}.get(deployment.kind, "Marathon group")
            self._fail(
                deployment,
                "DELETE_FAILED",
                f"Error deleting {name} <{deployment.physical_id}>: connection refused",
            )
            return
        await self._containers.close(deployment.uuid)
        self._remove(deployment)

    async def act(self, deployment: Deployment, resource: Resource, action: str) -> None:
        """Start or stop a machine (contract 1.15)."""
        during, after = ("STOPPING", "STOPPED") if action == "stop" else ("STARTING", "STARTED")
        resource.state = during
        resource.updated = self._world.now()
        self.touch(deployment)
        await self._world.sleep(self._world.settings.update)
        resource.state = after
        resource.updated = self._world.now()
        self.touch(deployment)

    # -- steps -----------------------------------------------------------------------------------------------

    def complete(self, deployment: Deployment, plan: Plan, status: str) -> None:
        """Make a deployment complete: outputs in one step, machines started, containers booting."""
        deployment.resources = [row for row in deployment.resources if row.state != "DELETING"]
        self._set_resources(deployment, "STARTED")
        deployment.finished = self._world.now()
        self.open(deployment, plan)
        deployment.status = status
        deployment.status_reason = None
        deployment.task = "NONE"
        self.touch(deployment)

    def complete_now(self, deployment: Deployment, status: str) -> None:
        """Complete a deployment without waiting, choosing a provider first where there is none and one fits."""
        plan = Plan.of(deployment.template, deployment.parameters)
        if deployment.service_id is None:
            with contextlib.suppress(BrokeringError):
                deployment.service_id = choose(deployment, plan)[0].service_id
                self._submit(deployment)
        self.complete(deployment, plan, status)

    def open(self, deployment: Deployment, plan: Plan, seconds: float | None = None) -> None:
        """Reserve the ports, write the outputs that name them, and boot the containers after ``seconds``."""
        self._containers.reserve(deployment, plan.roles())
        deployment.outputs = outputs_of(deployment, plan, self._containers.host)
        if not plan.wants("noservice"):
            delay = self._world.settings.deepaas_boot if seconds is None else seconds
            self._world.spawn(self._boot(deployment, plan.listening(), delay))

    async def _boot(self, deployment: Deployment, listening: list[str], seconds: float) -> None:
        await self._world.sleep(seconds)
        if deployment.status != "DELETE_IN_PROGRESS":
            await self._containers.boot(deployment, listening)

    def _submit(self, deployment: Deployment) -> None:
        deployment.submitted = self._world.now()
        deployment.finished = None
        if deployment.kind == CLOUD:
            deployment.physical_id = str(uuids.uuid1())
            deployment.task = "DEPLOYER"
        elif deployment.kind == "CHRONOS":
            deployment.physical_id = "<NO_ENDPOINT>"
        else:
            deployment.physical_id = deployment.uuid
        machines = (row for row in deployment.resources if row.node_type.endswith("Compute"))
        for number, machine in enumerate(machines):
            machine.vm = str(number) if deployment.kind == CLOUD else None
        self._set_resources(deployment, "CREATING")
        self.touch(deployment)
        self._notify(deployment)

    async def _never(self, deployment: Deployment) -> None:
        """Stay in progress: until the time its owner allowed is over, or for ever."""
        if deployment.timeout_mins is None:
            await asyncio.Event().wait()
            return
        await self._world.sleep(deployment.timeout_mins * 60)
        self._fail(deployment, "CREATE_FAILED", TIMED_OUT)

    def _fail(self, deployment: Deployment, status: str, reason: str) -> None:
        deployment.status = status
        deployment.status_reason = reason
        if status == "CREATE_FAILED":
            deployment.finished = self._world.now()
            self._set_resources(deployment, "ERROR")
        self.touch(deployment)
        self._notify(deployment)

    def _set_resources(self, deployment: Deployment, state: str) -> None:
        for resource in deployment.resources:
            resource.state = state
            resource.updated = self._world.now()

    def _notify(self, deployment: Deployment) -> None:
        if deployment.callback:
            body = deployment_json(deployment, tokens.issuer(self._world), None, version(self._world))
            self._world.spawn(_post(deployment.callback, body))


async def _post(url: str, body: dict[str, Any]) -> None:
    """Send a callback once; the answer does not matter and nothing is tried again (contract 1.8)."""
    timeout = aiohttp.ClientTimeout(total=CALLBACK_TIMEOUT)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.post(url, json=body) as response,
        ):
            await response.read()
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        log.info("The callback to %s failed: %s", url, error)


def _cause(deployment: Deployment, service: Service) -> str:
    """Return one block of the list of attempts, in the real one's layout."""
    if deployment.kind == CLOUD:
        cause = (
            "An error occurred while creating the infrastructure: Some deploys did not proceed successfully\n"
            "VM 0: Error launching the VM: Quota exceeded for instances: "
            "Requested 1, but already used 10 of 10 instances"
        )
    else:
        cause = (
            f"Some deployments of group <{deployment.uuid}> failed:\n"
            f"Docker image {deployment.image or 'unknown'} failed to start on agent-3.{service.hostname}: "
            "Failed to launch container: pull access denied or manifest unknown; last task state TASK_FAILED"
        )
    return (
        f"{'-' * 64}\nCloud Provider <{service.provider_id}>\n"
        f"Cloud Provider Service <{service.service_id}>\n\n{cause}\n"
    )
