"""Deployments out of thin air, for lists of thousands."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle, islice

from sandbox.orchestrator.deployment import Deployment, Resource, time_ordered_uuid
from sandbox.orchestrator.machine import NO_PROVIDER, TIMED_OUT
from sandbox.people import Person
from sandbox.providers import ALPINE, NORDIC

TEMPLATE = """\
tosca_definitions_version: tosca_simple_yaml_1_0
description: A container with DEEPaaS, made for a long list.
topology_template:
  inputs:
    docker_image: {type: string}
    deployment_description: {type: string, required: no, default: ""}
    num_cpus: {type: integer, default: 1}
    num_gpus: {type: integer, default: 0}
    run_command: {type: string, default: deepaas-run --listen-ip=0.0.0.0}
  node_templates:
    Docker:
      type: tosca.nodes.indigo.Container.Runtime.Docker
      capabilities:
        host:
          properties:
            publish_ports: [{protocol: tcp, source: 5000}, {protocol: tcp, source: 6006}]
            num_cpus: {get_input: num_cpus}
            num_gpus: {get_input: num_gpus}
    marathon:
      type: tosca.nodes.indigo.Container.Application.Docker.Marathon
      properties: {command: {get_input: run_command}}
      requirements: [{host: Docker}]
      artifacts:
        image: {file: {get_input: docker_image}, type: tosca.artifacts.Deployment.Image.Container.Docker}
  outputs:
    deployment_description: {value: {get_input: deployment_description}}
    Docker_image: {value: {get_input: docker_image}}
    Docker_num_cpus: {value: {get_input: num_cpus}}
    Docker_num_gpus: {value: {get_input: num_gpus}}
    command: {value: {get_input: run_command}}
    deepaas_endpoint: {value: {concat: ['http://', {get_attribute: [marathon, load_balancer_ips, 0]}, ':',
                                        {get_attribute: [Docker, host, publish_ports, 0, target]}]}}
"""
DEFAULT_STATUSES = (*["CREATE_COMPLETE"] * 8, "CREATE_FAILED", "DELETE_FAILED")
MINUTES_APART = 37
_IMAGES = ("plants-classification-tf", "posenet-tf", "audio-classification-tf", "satsr")
# The discard port: on almost every machine nothing listens there, so a connection is refused at once.
_SILENT_ENDPOINT = "http://127.0.0.1:9"


def seeded(person: Person, count: int, statuses: Sequence[str] | None, now: float) -> list[Deployment]:
    """Return ``count`` finished deployments of a person, oldest first, spread over the past."""
    chosen = islice(cycle(statuses or DEFAULT_STATUSES), count)
    return [
        _deployment(person, index, status, now - (count - index) * MINUTES_APART * 60)
        for index, status in enumerate(chosen)
    ]


def _deployment(person: Person, index: int, status: str, created: float) -> Deployment:
    image = f"deephdc/deep-oc-{_IMAGES[index % len(_IMAGES)]}:{'gpu' if index % 3 else 'cpu'}"
    inputs = {
        "docker_image": image,
        "deployment_description": f"Run {index + 1}",
        "num_cpus": 1,
        "num_gpus": min(1, index % 3),
        "run_command": "deepaas-run --listen-ip=0.0.0.0",
    }
    row = Deployment(
        uuid=time_ordered_uuid(created),
        created=created,
        updated=created + 540,
        subject=person.sub,
        organisation=person.organisation,
        template=TEMPLATE,
        kind="MARATHON",
        parameters=inputs,
        status=status,
        image=image,
        command=str(inputs["run_command"]),
    )
    row.service_id = (NORDIC if index % 3 else ALPINE).service_id
    row.physical_id = row.uuid
    row.submitted = created + 60
    row.finished = row.updated
    if status.endswith("_FAILED"):
        row.status_reason = NO_PROVIDER if status == "CREATE_FAILED" else TIMED_OUT
    if status != "CREATE_FAILED" and status != "CREATE_IN_PROGRESS":
        row.outputs = {
            "deployment_description": inputs["deployment_description"],
            "Docker_image": image,
            "Docker_num_cpus": inputs["num_cpus"],
            "Docker_num_gpus": inputs["num_gpus"],
            "command": inputs["run_command"],
            "deepaas_endpoint": _SILENT_ENDPOINT,
        }
    if status == "CREATE_FAILED":
        row.service_id = row.physical_id = row.submitted = None
    state = "STARTED" if status.endswith("_COMPLETE") else "ERROR"
    row.resources = [
        Resource(time_ordered_uuid(created), created, row.updated, state, kind, name)
        for kind, name in (
            ("tosca.nodes.indigo.Container.Runtime.Docker", "Docker"),
            ("tosca.nodes.indigo.Container.Application.Docker.Marathon", "marathon"),
        )
    ]
    return row
