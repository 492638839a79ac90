"""The machines of a deployment, without the credentials that the orchestrator tells with them (contract 1.15)."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.tokens import token_refresh_now
from deepdash.http import ServiceError, Unauthorized, side_by_side
from deepdash.inert import one_line
from deepdash.templatetags.ui import filesize
from deployments.clients.orchestrator import Orchestrator, UpstreamResource
from deployments.models import Deployment

if TYPE_CHECKING:
    from accounts.models import User

# What may be shown of a machine. A list of what may, as what must not (private keys) can have any name.
_SHOWN = (
    (re.compile(r"state"), gettext_noop("State at its provider")),
    (re.compile(r"provider\.type"), gettext_noop("Kind of provider")),
    (re.compile(r"provider\.host"), gettext_noop("Provider’s host")),
    (re.compile(r"instance_name"), gettext_noop("Name at its provider")),
    (re.compile(r"instance_id"), gettext_noop("Identifier at its provider")),
    (re.compile(r"net_interface\.\d+\.ip"), gettext_noop("Address")),
    (re.compile(r"net_interface\.\d+\.dns_name"), gettext_noop("Host name")),
    (re.compile(r"cpu\.count"), gettext_noop("CPUs")),
    (re.compile(r"gpu\.count"), gettext_noop("GPUs")),
    (re.compile(r"memory\.size"), gettext_noop("Memory")),
    (re.compile(r"disk\.\d+\.(?:os\.name|os\.distribution|os\.version)"), gettext_noop("System")),
)
_PILLS = {
    "STARTED": ("ok", "ok"), "STOPPED": ("idle", "stop"), "ERROR": ("bad", "fail"), "INITIAL": ("idle", "clock"),
}  # fmt: skip
MAX_CHARS = 200
MAX_FACTS = 20


@dataclass(frozen=True)
class Node:
    """A machine: ``facts`` are (label, value) pairs that may be shown, ``act`` what it can be told now, or ""."""

    uuid: str
    name: str
    type: str
    state: str
    since: datetime | None
    facts: list[tuple[str, str]]

    @property
    def tone(self) -> str:
        return _PILLS.get(self.state, ("busy", "spin"))[0]

    @property
    def icon(self) -> str:
        return _PILLS.get(self.state, ("busy", "spin"))[1]

    @property
    def state_name(self) -> str:
        return self.state.capitalize() or _("Not stated")

    @property
    def act(self) -> str:
        if self.type != "Compute":
            return ""  # volumes and networks are nodes too, and have a state, but can't be stopped
        return {"STARTED": "stop", "STOPPED": "start"}.get(self.state, "")


@dataclass(frozen=True)
class Nodes:
    """``machines``: what the provider tells of each beyond that; ``problem``: why that is not known, if it is not."""

    nodes: list[Node]
    machines: list[list[tuple[str, str]]]
    problem: ServiceError | None = None


def nodes_of(user: "User", deployment: Deployment) -> Nodes:
    """The nodes, and the extra info about their machines, read side by side.

    Raises ServiceError when the nodes can't be read, LoginExpired.
    """
    orchestrator = Orchestrator(user, renews=False)
    answers = _read(orchestrator, str(deployment.uuid))
    if any(isinstance(answer, Unauthorized) for answer in answers):
        token_refresh_now(user)
        answers = _read(Orchestrator(user, renews=False), str(deployment.uuid))
    resources, extra = answers
    if isinstance(resources, ServiceError):
        raise resources
    problem = extra if isinstance(extra, ServiceError) else None
    nodes = [_node(resource) for resource in resources]
    machines = [] if isinstance(extra, ServiceError) else [machine_facts(item) for item in extra]
    known = [[], *(node.facts for node in nodes)]
    return Nodes(nodes, [facts for facts in machines if facts not in known], problem)


def machine_facts(info: Any) -> list[tuple[str, str]]:
    """What may be shown of a ``VirtualMachineInfo`` (text of JSON, or the object), a job, or anything else."""
    if isinstance(info, str):
        try:
            info = json.loads(info)
        except (ValueError, RecursionError):
            return []
    properties = info.get("vmProperties") if isinstance(info, dict) else None
    objects = [item for item in properties if isinstance(item, dict)] if isinstance(properties, list) else []
    facts: list[tuple[str, str]] = []
    for item in objects:
        if item.get("class") != "system":
            continue
        for pattern, label in _SHOWN:
            found = [_shown(label, value) for key, value in item.items() if pattern.fullmatch(str(key)) and value]
            if found:
                facts.append((_(label), " ".join(dict.fromkeys(found))))
    return facts[:MAX_FACTS]


def _shown(label: str, value: Any) -> str:
    """A value as text; memory is told in bytes."""
    text = one_line(str(value)[:MAX_CHARS])
    return filesize(int(text)) if label == "Memory" and text.isascii() and text.isdigit() else text


def _read(orchestrator: Orchestrator, uuid: str) -> list[Any]:
    calls: list[Callable[[], Any]] = [partial(orchestrator.resources, uuid), partial(orchestrator.extra_info, uuid)]
    return side_by_side(calls)


def _node(resource: UpstreamResource) -> Node:
    return Node(
        uuid=resource.uuid,
        name=resource.node_name or resource.uuid[:13],
        type=resource.node_type.rpartition(".")[2],
        state=resource.state,
        since=resource.updated_at or resource.created_at,
        facts=machine_facts(resource.metadata.get("VirtualMachineInfo")),
    )
