"""A deployment, its resources, and how the API shows them (contract 1.7, 1.15)."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from sandbox.providers import BY_ID

STATUSES = (
    "CREATE_IN_PROGRESS",
    "CREATE_COMPLETE",
    "CREATE_FAILED",
    "UPDATE_IN_PROGRESS",
    "UPDATE_COMPLETE",
    "UPDATE_FAILED",
    "DELETE_IN_PROGRESS",
    "DELETE_COMPLETE",
    "DELETE_FAILED",
    "UNKNOWN",
)
UPDATABLE = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_FAILED"})
_GREGORIAN_OFFSET = 0x01B21DD213814000
_NODE = secrets.randbits(48) | 0x010000000000


def time_ordered_uuid(seconds: float) -> str:
    """Return a UUIDv1 for this instant with its time fields rearranged to sort by time (contract 1.7)."""
    # Two within one tick differ in the clock sequence and in the bits below a microsecond.
    ticks = int(seconds * 1_000_000) * 10 + secrets.randbelow(10) + _GREGORIAN_OFFSET
    high = (ticks >> 48) & 0x0FFF | 0x1000
    low = f"{ticks & 0xFFFFFFFF:08x}"
    sequence = secrets.randbits(14) | 0x8000
    return f"{high:04x}{(ticks >> 32) & 0xFFFF:04x}-{low[:4]}-{low[4:]}-{sequence:04x}-{_NODE:012x}"


def timestamp(seconds: float) -> str:
    """Return a time as the API writes it: UTC, minutes, offset without colon."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M+0000")


@dataclass
class Resource:
    """One node of the topology; ``vm`` is the provider's machine number, for machines that exist."""

    uuid: str
    created: float
    updated: float
    state: str
    node_type: str
    node_name: str
    vm: str | None = None


@dataclass
class Deployment:
    """A row of the orchestrator's table; times in seconds since the epoch, ``ports`` maps role to local port.

    ``ports`` of a deployment that was only seeded stay empty: nothing listens for it.
    """

    uuid: str
    created: float
    updated: float
    subject: str
    organisation: str
    template: str
    kind: str
    parameters: dict[str, Any]
    status: str = "CREATE_IN_PROGRESS"
    task: str = "NONE"
    status_reason: str | None = None
    physical_id: str | None = None
    service_id: str | None = None
    outputs: dict[str, Any] = field(default_factory=dict)
    callback: str | None = None
    user_group: str | None = None
    timeout_mins: int | None = None
    max_providers_retry: int | None = None
    keep_last_attempt: bool = False
    image: str = ""
    command: str = ""
    ports: dict[str, int] = field(default_factory=dict)
    submitted: float | None = None
    finished: float | None = None
    resources: list[Resource] = field(default_factory=list)

    @classmethod
    def load(cls, data: Mapping[str, Any]) -> Deployment:
        return cls(**{**data, "resources": [Resource(**row) for row in data["resources"]]})

    def dump(self) -> dict[str, Any]:
        return asdict(self)


def deployment_json(deployment: Deployment, issuer: str, url: str | None, version: tuple[int, ...]) -> dict[str, Any]:
    """Return the deployment object; ``url`` is that of the collection, None leaves the links out."""
    body: dict[str, Any] = {
        "uuid": deployment.uuid,
        "creationTime": timestamp(deployment.created),
        "updateTime": timestamp(deployment.updated),
    }
    if deployment.physical_id is not None:
        body["physicalId"] = deployment.physical_id
    body["status"] = deployment.status
    if deployment.status_reason is not None:
        body["statusReason"] = deployment.status_reason
    body["outputs"] = deployment.outputs
    body["task"] = deployment.task
    if deployment.callback is not None:
        body["callback"] = deployment.callback
    if deployment.user_group is not None and version >= (2, 6):
        body["userGroup"] = deployment.user_group
    if deployment.service_id is not None:
        body |= _provider_json(deployment.service_id, version)
    body["createdBy"] = {"issuer": issuer, "subject": deployment.subject}
    if url is not None:
        own = f"{url}/{deployment.uuid}"
        resources = "?type={type}" if version >= (2, 8) else ""
        body["links"] = [
            {"rel": "self", "href": own},
            {"rel": "resources", "href": f"{own}/resources{resources}"},
            {"rel": "template", "href": f"{own}/template"},
        ]
    return body


def _provider_json(service_id: str, version: tuple[int, ...]) -> dict[str, Any]:
    service = BY_ID[service_id]
    body: dict[str, Any] = {"cloudProviderName": service.provider_id}
    if version >= (2, 2):
        endpoint = {"cpEndpoint": service.endpoint, "cpComputeServiceId": service.service_id}
        if version >= (4,) and "region" in service.data:
            endpoint["region"] = service.data["region"]
        if service.deployment_type == "MARATHON":
            endpoint["vaultUri"] = "https://vault.example.org"
        endpoint["deploymentType"] = service.deployment_type
        body["cloudProviderEndpoint"] = endpoint
    return body


def resource_json(deployment: Deployment, resource: Resource, url: str, version: tuple[int, ...]) -> dict[str, Any]:
    """Return one resource (contract 1.15); ``url`` is the URL of the deployments."""
    own = f"{url}/{deployment.uuid}"
    body: dict[str, Any] = {
        "uuid": resource.uuid,
        "creationTime": timestamp(resource.created),
        "updateTime": timestamp(resource.updated),
    }
    if resource.vm is not None:
        body["physicalId"] = resource.vm
    body |= {
        "state": resource.state,
        "toscaNodeType": resource.node_type,
        "toscaNodeName": resource.node_name,
        "requiredBy": [],
    }
    if version >= (2, 8) and resource.vm is not None:
        properties = {"vmProperties": vm_properties(deployment, resource)}
        body["metadata"] = {"VirtualMachineInfo": json.dumps(properties, separators=(",", ":"))}
    body["links"] = [
        {"rel": "deployment", "href": own},
        {"rel": "self", "href": f"{own}/resources/{resource.uuid}"},
    ]
    return body


def public_address(resource: Resource) -> str:
    """Return the address of a machine, from the block reserved for documentation (RFC 5737)."""
    return f"203.0.113.{10 + int(resource.uuid[9:13], 16) % 200}"


def private_address(resource: Resource) -> str:
    return f"192.0.2.{10 + int(resource.uuid[9:13], 16) % 200}"


def credential(resource: Resource) -> dict[str, Any]:
    """Return a machine's login. The key is no key, but sits where the real one does: never to be shown."""
    label = "RSA PRIVATE KEY"
    key = f"-----BEGIN {label}-----\nsandbox-private-key-of-{resource.uuid}\n-----END {label}-----\n"
    return {"protocol": "ssh", "token_type": "private_key", "user": "cloudadm", "token": key}


def vm_properties(deployment: Deployment, resource: Resource) -> list[dict[str, Any]]:
    """Return the infrastructure manager's view of a machine: objects told apart by ``class``."""
    service = BY_ID[deployment.service_id or ""]
    login = credential(resource)
    states = {"STARTED": "configured", "STOPPED": "stopped", "ERROR": "failed", "DELETING": "deleting"}
    return [
        {"class": "network", "id": "pub", "outbound": "yes"},
        {"class": "network", "id": "priv"},
        {
            "class": "system",
            "id": resource.node_name,
            "state": states.get(resource.state, "running"),
            "provider.host": service.hostname,
            "provider.type": "OpenStack",
            "instance_name": f"{resource.node_name}-{resource.uuid[:8]}",
            "instance_id": resource.uuid,
            "cpu.count": 2,
            "memory.size": 4294967296,
            "disk.0.image.url": f"ost://{service.hostname}/ubuntu-22.04",
            "disk.0.os.credentials.username": login["user"],
            "disk.0.os.credentials.private_key": login["token"],
            "net_interface.0.connection": "pub",
            "net_interface.0.ip": public_address(resource),
            "net_interface.1.connection": "priv",
            "net_interface.1.ip": private_address(resource),
        },
    ]
