"""What a finished deployment tells its user: addresses and echoed inputs (contract 1.7)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.orchestrator.deployment import (
    Deployment,
    Resource,
    credential,
    private_address,
    public_address,
)
from sandbox.orchestrator.templates import (
    CLOUD,
    CONTAINERS,
    Topology,
    Unresolvable,
    evaluate,
    host_properties,
    image,
    parse,
    resolve_inputs,
    resolve_nodes,
)

MARKER = "sandbox-"
ROLE_OF_PORT = {5000: "deepaas", 6006: "monitor", 8888: "jupyter"}
ROLES = ("deepaas", "monitor", "jupyter")


@dataclass(frozen=True)
class Plan:
    """A deployment's template together with its inputs, evaluated."""

    topology: Topology
    inputs: dict[str, Any]
    nodes: dict[str, Any]
    host: dict[str, Any]
    image: str

    @classmethod
    def of(cls, template: str, parameters: Mapping[str, Any]) -> Plan:
        """Raises ApiError when the real service would refuse the template or the inputs."""
        topology = parse(template)
        inputs = resolve_inputs(topology, parameters)
        nodes = resolve_nodes(topology, inputs)
        return cls(topology, inputs, nodes, host_properties(nodes), image(nodes, inputs))

    def wants(self, marker: str) -> bool:
        """Say whether an input, the image or a property carries ``sandbox-{marker}``: behaviour on demand."""
        texts = json.dumps([self.inputs, self.nodes], default=str)
        return f"{MARKER}{marker}" in texts

    @property
    def command(self) -> str:
        return str(self.host.get("command") or "")

    @property
    def gpus(self) -> int:
        try:
            return int(float(str(self.host.get("num_gpus") or 0)))
        except ValueError:
            return 0

    def published(self) -> list[str]:
        """Return the role of every published port in order; one of no known role is named by its number."""
        ports = self.host.get("publish_ports")
        if self.topology.kind not in CONTAINERS or not isinstance(ports, list):
            return []
        return [_role(port) for port in ports]

    def roles(self) -> list[str]:
        """Return the services this deployment opens: published ports, or what its outputs speak of."""
        named = {_role_of_output(str(name)) for name in self.topology.outputs}
        return [role for role in ROLES if role in {*self.published(), *named}]

    def listening(self) -> list[str]:
        """Return which of its services really run: the run command starts DEEPaaS or JupyterLab, not both."""
        words = self.command.replace("/", " ").split()
        jupyter = "jupyter" in self.command or bool({"-j", "--jupyter"} & set(words))
        deepaas = any(word.startswith(("deepaas", "deep-start")) for word in words) and not jupyter
        silent = {"deepaas"} if jupyter else {"jupyter"} if deepaas else set()
        return [role for role in self.roles() if role not in silent]


def outputs_of(deployment: Deployment, plan: Plan, host: str) -> dict[str, Any]:
    """Return the evaluated outputs; endpoints lead to ``host`` and the ports that belong to this deployment.

    For container kinds an output that cannot be evaluated holds the error text, for others it is left out.
    """

    def attributes(node: str, path: Sequence[Any]) -> Any:
        return _attribute(deployment, plan, host, node, path)

    outputs: dict[str, Any] = {}
    for name, definition in plan.topology.outputs.items():
        try:
            value = evaluate(definition.get("value"), plan.inputs, attributes)
        except (Unresolvable, LookupError, TypeError, ValueError) as error:
            failed = f"Failed to evaluate outputs[{name}]: {error}"
            value = failed if deployment.kind in CONTAINERS else None
        endpoint = _endpoint(deployment, str(name), value, host)
        if endpoint is not None or value is not None:
            outputs[str(name)] = json.loads(json.dumps(endpoint or value, default=str))
    return outputs


def _endpoint(deployment: Deployment, name: str, value: Any, host: str) -> str | None:
    """Return the local address for an output named after a service, unless its value already leads there."""
    role = _role_of_output(name)
    if role not in deployment.ports or not (value is None or isinstance(value, str)):
        return None
    if isinstance(value, str) and any(value == f"http://{host}:{port}" for port in deployment.ports.values()):
        return None
    return f"http://{host}:{deployment.ports[role]}"


def _role_of_output(name: str) -> str:
    lowered = name.lower()
    for role in ("jupyter", "monitor", "deepaas"):
        if role in lowered:
            return role
    return "deepaas" if "endpoint" in lowered else ""


def _role(port: Any) -> str:
    source = port.get("source") if isinstance(port, dict) else port
    try:
        return ROLE_OF_PORT.get(int(str(source)), str(source))
    except ValueError:
        return str(source)


def _attribute(deployment: Deployment, plan: Plan, host: str, node: str, path: Sequence[Any]) -> Any:
    if node not in plan.nodes:
        raise Unresolvable(f"Node <{node}> not found")
    if deployment.kind == CLOUD:
        machine = _machine(deployment, node)
        found: Any = {
            "public_address": [public_address(machine)],
            "private_address": [private_address(machine)],
            "ip_address": [public_address(machine)],
            "endpoint": {"ip_address": public_address(machine), "credential": [credential(machine)]},
        }
    else:
        published = [{"target": deployment.ports.get(role)} for role in plan.published()]
        found = {"load_balancer_ips": [host], "host": {"publish_ports": published}}
    known = {**_properties(plan.nodes[node]), **found}
    value: Any = known
    for step in path:
        try:
            value = value[step]
        except (LookupError, TypeError) as error:
            raise Unresolvable(f"Attribute <{step}> of node <{node}> not found") from error
    if value is None:
        raise Unresolvable(f"Attribute <{path[-1]}> of node <{node}> has no value")
    if isinstance(value, list) and path[-1] in ("public_address", "private_address") and len(value) == 1:
        return value[0]
    return value


def _properties(node: Mapping[str, Any]) -> dict[str, Any]:
    properties = node.get("properties")
    return dict(properties) if isinstance(properties, dict) else {}


def _machine(deployment: Deployment, node: str) -> Resource:
    """Return the machine behind a node: its own, or, for software, the first one of the deployment."""
    machines = [resource for resource in deployment.resources if resource.vm is not None]
    for machine in machines:
        if machine.node_name == node:
            return machine
    if not machines:
        raise Unresolvable(f"Node <{node}> has no instance")
    return machines[0]
