"""Reading, checking and evaluating TOSCA templates as the orchestrator does (contract 1.3, 1.9, 10.3)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from sandbox.orchestrator.errors import ApiError

try:
    from yaml import CSafeLoader as SafeLoader
except ImportError:  # PyYAML without libyaml
    from yaml import SafeLoader  # type: ignore[assignment]

COMPUTE = "tosca.nodes.indigo.Compute"
KINDS: tuple[tuple[str, str], ...] = (
    ("tosca.nodes.indigo.Container.Application.Docker.Chronos", "CHRONOS"),
    ("tosca.nodes.indigo.Container.Application.Docker.Marathon", "MARATHON"),
    ("tosca.nodes.indigo.Qcg.Job", "QCG"),
)
CLOUD = "CLOUD"
CONTAINERS = frozenset({"MARATHON", "CHRONOS"})
PLACEMENTS = frozenset({"tosca.policies.indigo.SlaPlacement", "tosca.policies.Placement"})

_MAX_CHARACTERS = 1_000_000
_MAX_DEPTH = 100
_MAX_ALIASES = 30  # even nested, three at a level, these expand to no more than some 60,000 nodes
_FUNCTIONS = frozenset({"get_input", "get_property", "get_attribute", "get_artifact", "concat", "token"})
_MISSING = object()

Attributes = Callable[[str, Sequence[Any]], Any]


class Unresolvable(Exception):
    """An expression cannot be evaluated now; the message is what the orchestrator would print."""


@dataclass(frozen=True)
class Topology:
    """The parts of a valid template that matter after it was accepted."""

    text: str
    document: dict[str, Any]
    inputs: dict[str, dict[str, Any]]
    nodes: dict[str, dict[str, Any]]
    outputs: dict[str, Any]
    kind: str

    def placements(self) -> list[dict[str, Any]]:
        """Return the properties of every policy that names an agreement; others are skipped (contract 1.9)."""
        policies = self.document["topology_template"].get("policies") or []
        entries = policies.items() if isinstance(policies, dict) else _pairs(policies)
        return [
            _mapping(policy.get("properties"))
            for _, policy in entries
            if isinstance(policy, dict)
            and policy.get("type") in PLACEMENTS
            and "sla_id" in _mapping(policy.get("properties"))
        ]


def parse(text: str) -> Topology:
    """Return the topology of a template. Raises ApiError 400, or 500 for a loop of nodes (contract 1.3)."""
    document = _load(text)
    problems = list(_problems(document))
    if problems or not isinstance(document, dict):
        raise _broken(problems)
    topology = document["topology_template"]
    nodes = topology["node_templates"]
    _check_loops(nodes)
    return Topology(
        text=text,
        document=document,
        inputs={str(name): definition or {} for name, definition in (topology.get("inputs") or {}).items()},
        nodes=nodes,
        outputs=topology.get("outputs") or {},
        kind=_kind(nodes),
    )


def resolve_inputs(topology: Topology, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the value of every input that has one: what was sent, else the default.

    Types are not compared and unknown names are dropped, as there. Raises ApiError 400 for a required input
    that has neither.
    """
    values: dict[str, Any] = {}
    for name, definition in topology.inputs.items():
        value = parameters.get(name)
        if value is None:
            value = definition.get("default")
        if value is not None:
            values[name] = value
        elif _required(definition):
            raise ApiError(
                400,
                f"Input <{name}> is required and is not present in the user's input list, nor has a default value",
            )
    return values


def resolve_nodes(topology: Topology, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the node templates with every ``get_input`` replaced; raises ApiError 400 (contract 1.3).

    Interfaces are left alone: the infrastructure manager evaluates those, later.
    """
    resolved = {}
    for name, node in topology.nodes.items():
        body = {key: value for key, value in node.items() if key != "interfaces"}
        resolved[str(name)] = _substitute(body, inputs, f"node_templates[{name}]")
    return resolved


def evaluate(value: Any, inputs: Mapping[str, Any], attributes: Attributes) -> Any:
    """Return the value of an output expression; raises Unresolvable."""
    if isinstance(value, list):
        return [evaluate(item, inputs, attributes) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) != 1 or next(iter(value)) not in _FUNCTIONS:
        return {str(key): evaluate(item, inputs, attributes) for key, item in value.items()}
    ((function, argument),) = value.items()
    if function == "get_input":
        found = _input(argument, inputs)
        if found is _MISSING:
            raise Unresolvable(f"No input provided for <{_input_name(argument)}>")
        return found
    if function == "concat":
        return "".join(_text(evaluate(part, inputs, attributes)) for part in argument)
    if function == "token":
        text, separators, index = (evaluate(part, inputs, attributes) for part in argument)
        return re.split(f"[{re.escape(_text(separators))}]", _text(text))[int(index)]
    if isinstance(argument, list) and argument:
        return attributes(str(argument[0]), argument[1:])
    raise Unresolvable(f"Failed to evaluate {function}: illegal argument {json.dumps(argument, default=str)}")


def host_properties(nodes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the host properties (num_cpus, num_gpus, publish_ports …) and the command of all nodes, merged."""
    merged: dict[str, Any] = {}
    for node in nodes.values():
        merged |= _mapping(_mapping(_mapping(node.get("capabilities")).get("host")).get("properties"))
        properties = _mapping(node.get("properties"))
        if "command" in properties:
            merged["command"] = properties["command"]
    return merged


def image(nodes: Mapping[str, Any], inputs: Mapping[str, Any]) -> str:
    """Return the container image a deployment runs, or an empty string."""
    for node in nodes.values():
        for artifact in _mapping(node.get("artifacts")).values():
            file = artifact.get("file") if isinstance(artifact, dict) else artifact
            if isinstance(file, str) and file:
                return file
    for name, value in inputs.items():
        if "docker" in name and ("image" in name or "img" in name) and isinstance(value, str):
            return value
    return ""


def _load(text: str) -> Any:
    """Load one YAML document, refusing what could hang or kill the process before it is built."""
    if len(text) > _MAX_CHARACTERS:
        raise _broken(["The incoming YAML document exceeds the limit of code points"])
    depth = aliases = 0
    try:
        for event in yaml.parse(text, Loader=SafeLoader):
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
            elif isinstance(event, yaml.AliasEvent):
                aliases += 1
            if depth > _MAX_DEPTH:
                raise _broken([f"Nesting depth exceeded max {_MAX_DEPTH}"])
            if aliases > _MAX_ALIASES:
                raise _broken([f"Number of aliases for non-scalar nodes exceeds the specified max={_MAX_ALIASES}"])
        return yaml.load(text, Loader=SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"[line {mark.line + 1}, column {mark.column + 1}] " if mark else ""
        raise _broken([f"{place}{error.problem or error.context or 'Invalid YAML'}"]) from error
    except (yaml.YAMLError, ValueError) as error:
        raise _broken([str(error).splitlines()[0]]) from error


def _problems(document: Any) -> Sequence[str]:
    if not isinstance(document, dict):
        return ["The template is not a YAML mapping"]
    problems = []
    if not isinstance(document.get("tosca_definitions_version"), str):
        problems.append("Mandatory field <tosca_definitions_version> is missing")
    topology = document.get("topology_template")
    if not isinstance(topology, dict):
        return [*problems, "Mandatory field <topology_template> is missing or is not a mapping"]
    nodes = topology.get("node_templates")
    if not isinstance(nodes, dict) or not nodes:
        problems.append("Field <topology_template.node_templates> is missing or is not a mapping")
        nodes = {}
    for name, node in nodes.items():
        if not isinstance(node, dict) or not isinstance(node.get("type"), str):
            problems.append(f"Node template <{name}> has no type")
    for section in ("inputs", "outputs"):
        entries = topology.get(section)
        if entries is None:
            continue
        if not isinstance(entries, dict):
            problems.append(f"Field <topology_template.{section}> is not a mapping")
            continue
        problems.extend(
            f"Definition of {section[:-1]} <{name}> is not a mapping"
            for name, definition in entries.items()
            if not isinstance(definition, dict) and not (section == "inputs" and definition is None)
        )
    return problems


def _broken(problems: Sequence[str]) -> ApiError:
    return ApiError(400, "\n".join(["Error parsing TOSCA template template:", *problems]))


def _kind(nodes: Mapping[str, Any]) -> str:
    types = [node["type"] for node in nodes.values()]
    return next((kind for name, kind in KINDS if name in types), CLOUD)


def _check_loops(nodes: Mapping[str, Any]) -> None:
    edges = {name: _hosts(node) & set(nodes) for name, node in nodes.items()}
    while free := [name for name, needs in edges.items() if not needs & set(edges)]:
        for name in free:
            del edges[name]
    if edges:
        involved = ", ".join(map(str, edges))
        raise ApiError(500, f"Found node depencency loop in TOSCA topology; involved nodes: [{involved}]")


def _hosts(node: Mapping[str, Any]) -> set[Any]:
    requirements = node.get("requirements") or []
    entries = requirements.items() if isinstance(requirements, dict) else _pairs(requirements)
    targets = (value.get("node") if isinstance(value, dict) else value for _, value in entries)
    return {target for target in targets if isinstance(target, str)}


def _mapping(value: Any) -> dict[str, Any]:
    """Return the value if it is a mapping, else an empty one: what is oddly shaped counts for nothing."""
    return value if isinstance(value, dict) else {}


def _pairs(entries: Any) -> list[tuple[Any, Any]]:
    """Flatten TOSCA's lists of one-key mappings."""
    if not isinstance(entries, list):
        return []
    return [pair for entry in entries if isinstance(entry, dict) for pair in entry.items()]


def _required(definition: Mapping[str, Any]) -> bool:
    return str(definition.get("required", True)).lower() not in ("false", "no")


def _substitute(value: Any, inputs: Mapping[str, Any], path: str) -> Any:
    if isinstance(value, list):
        return [_substitute(item, inputs, f"{path}[{index}]") for index, item in enumerate(value)]
    if not isinstance(value, dict):
        return value
    if len(value) == 1 and "get_input" in value:
        argument = value["get_input"]
        found = _input(argument, inputs)
        if found is _MISSING:
            name = _input_name(argument)
            raise ApiError(
                400,
                f"Failed to evaluate {path}[get_input][{name}]: No input provided for <{name}> "
                "and no default value provided in the definition",
            )
        return found
    replaced = {str(key): _substitute(item, inputs, f"{path}[{key}]") for key, item in value.items()}
    parts = replaced.get("concat")
    if len(replaced) == 1 and isinstance(parts, list) and not any(isinstance(part, dict) for part in parts):
        return "".join(_text(part) for part in parts)
    return replaced


def _input(argument: Any, inputs: Mapping[str, Any]) -> Any:
    """Return the input named by ``name`` or by ``[name, key or index, …]``."""
    path = argument if isinstance(argument, list) else [argument]
    found: Any = inputs
    for step in path:
        try:
            found = found[step]
        except (KeyError, IndexError, TypeError):
            return _MISSING
    return found


def _input_name(argument: Any) -> str:
    return str(argument[0] if isinstance(argument, list) and argument else argument)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
