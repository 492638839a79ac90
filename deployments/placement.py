"""The placement policy that asks the orchestrator for one provider (contract 1.9)."""

from typing import Any

from catalog.tosca.guard import Refused
from catalog.tosca.loader import load_template
from deepdash.errors import Problem
from deployments.forms.yaml_text import yaml_text

SLA_PLACEMENT = "tosca.policies.indigo.SlaPlacement"
PLACEMENT = "tosca.policies.Placement"
SINCE = (2, 2, 0)  # the orchestrator's version that knows SlaPlacement


def placement_type(version: str) -> str:
    """The policy type for an orchestrator's version text ("2.9.0-SNAPSHOT"); the newer one if it can't be read."""
    numbers = version.partition("-")[0].split(".")
    if all(part.isdecimal() for part in numbers) and tuple(map(int, numbers)) < SINCE:
        return PLACEMENT
    return SLA_PLACEMENT


def with_placement(raw: str, *, sla_id: str, type: str) -> str:
    """The template with one policy that places everything under an SLA.

    Other policies stay; earlier placement policies go, since the orchestrator accepts only one. Raises Problem
    submit:template when the text is no template.
    """
    data, policies = _loaded(raw)
    asked = {"deploy_on_specific_site": {"type": type, "properties": {"sla_id": sla_id}}}
    data["topology_template"]["policies"] = [*(item for item in policies if not _places(item)), asked]
    return yaml_text(data)


def without_placement(raw: str) -> str:
    """The template as it was before a provider was chosen for it; text without such a policy stays untouched.

    Raises Problem submit:template as above.
    """
    data, policies = _loaded(raw)
    kept = [item for item in policies if not _places(item)]
    if len(kept) == len(policies):
        return raw
    data["topology_template"]["policies"] = kept
    if not kept:
        del data["topology_template"]["policies"]
    return yaml_text(data)


def _loaded(raw: str) -> tuple[dict[str, Any], list[Any]]:
    """The template and its policies."""
    try:
        data = load_template(raw)
    except Refused as error:
        raise Problem("submit:template", detail=str(error)) from None
    policies = data["topology_template"].get("policies")
    return data, policies if isinstance(policies, list) else []


def _places(policy: object) -> bool:
    bodies = policy.values() if isinstance(policy, dict) else []
    return any(isinstance(body, dict) and body.get("type") in {SLA_PLACEMENT, PLACEMENT} for body in bodies)
