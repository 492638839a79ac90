"""A user of the orchestrator, for tests: calls with a token, and waiting for states."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import requests

from sandbox.testing import SandboxThread

MARATHON = """\
tosca_definitions_version: tosca_simple_yaml_1_0
imports: [{types: "https://example.org/types.yaml"}]
topology_template:
  inputs:
    docker_image: {type: string, required: yes}
    deployment_description: {type: string, required: no, default: ""}
    num_gpus: {type: integer, required: no, default: 0}
    unset: {type: string, required: no}
    run_command: {type: string, default: "deepaas-run --listen-ip=0.0.0.0"}
  node_templates:
    Docker:
      type: tosca.nodes.indigo.Container.Runtime.Docker
      capabilities:
        host:
          properties:
            publish_ports: [{protocol: tcp, source: 5000}, {protocol: tcp, source: 6006}, {protocol: tcp, source: 8888}]
            num_gpus: {get_input: num_gpus}
    marathon:
      type: tosca.nodes.indigo.Container.Application.Docker.Marathon
      properties: {command: {get_input: run_command}}
      requirements: [{host: Docker}]
      artifacts: {image: {file: {get_input: docker_image}}}
  outputs:
    deployment_description: {value: {get_input: deployment_description}}
    Docker_num_gpus: {value: {get_input: num_gpus}}
    lost: {value: {get_attribute: [marathon, nowhere]}}
    deepaas_endpoint: {value: {concat: ['http://', {get_attribute: [marathon, load_balancer_ips, 0]}, ':',
                                        {get_attribute: [Docker, host, publish_ports, 0, target]}]}}
    jupyter_endpoint: {value: {concat: ['http://', {get_attribute: [marathon, load_balancer_ips, 0]}, ':',
                                        {get_attribute: [Docker, host, publish_ports, 2, target]}]}}
"""
CLOUD = """\
tosca_definitions_version: tosca_simple_yaml_1_0
topology_template:
  inputs:
    num_cpus: {type: integer, default: 1}
    note: {type: string, default: ""}
  node_templates:
    software: {type: tosca.nodes.SoftwareComponent, requirements: [{host: simple_node}]}
    simple_node:
      type: tosca.nodes.indigo.Compute
      capabilities: {host: {properties: {num_cpus: {get_input: num_cpus}}}}
  outputs:
    node_ip: {value: {get_attribute: [simple_node, public_address, 0]}}
    node_creds: {value: {get_attribute: [simple_node, endpoint, credential, 0]}}
    lost: {value: {get_attribute: [simple_node, nowhere]}}
"""
IMAGE = "deephdc/deep-oc-demo_app:cpu"
PATIENCE = 60.0


def wait_for(condition: Callable[[], Any], what: str) -> Any:
    """Return the first true answer of ``condition``; fails after a while."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.01)
    raise AssertionError(f"Waited in vain for {what}.")


class User:
    """One person at the orchestrator. Methods return the response itself unless they say otherwise."""

    def __init__(self, sandbox: SandboxThread, person: str, scopes: list[str] | None = None) -> None:
        self.url = f"{sandbox.url}/orchestrator"
        self.token = sandbox.control.tokens(person, scopes)["access_token"]
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {self.token}"

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        return self.session.request(method, f"{self.url}{path}", timeout=10, **options)

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.call("GET", path, **options)

    def submit(self, template: str = MARATHON, inputs: dict[str, Any] | None = None, **body: Any) -> requests.Response:
        parameters = {"docker_image": IMAGE, **(inputs or {})}
        return self.call("POST", "/deployments", json={"template": template, "parameters": parameters, **body})

    def deploy(self, template: str = MARATHON, inputs: dict[str, Any] | None = None, **body: Any) -> str:
        """Submit and return the uuid."""
        answer = self.submit(template, inputs, **body)
        assert answer.status_code == 201, answer.text
        uuid: str = answer.json()["uuid"]
        return uuid

    def show(self, uuid: str) -> dict[str, Any]:
        """Return the deployment."""
        answer = self.get(f"/deployments/{uuid}")
        assert answer.status_code == 200, answer.text
        deployment: dict[str, Any] = answer.json()
        return deployment

    def wait(self, uuid: str, status: str) -> dict[str, Any]:
        """Return the deployment once it is in a state."""

        def reached() -> dict[str, Any] | None:
            deployment = self.show(uuid)
            return deployment if deployment["status"] == status else None

        found: dict[str, Any] = wait_for(reached, f"{status} of {uuid}")
        return found

    def wait_provider(self, uuid: str) -> dict[str, Any]:
        """Return the deployment once a provider works on it."""
        found: dict[str, Any] = wait_for(
            lambda: (row := self.show(uuid)).get("physicalId") and row, f"a physicalId of {uuid}"
        )
        return found

    def wait_gone(self, uuid: str) -> None:
        wait_for(lambda: self.get(f"/deployments/{uuid}").status_code == 404, f"the end of {uuid}")

    def finished(self, template: str = MARATHON, inputs: dict[str, Any] | None = None, **body: Any) -> dict[str, Any]:
        """Submit and return the deployment when it is complete."""
        return self.wait(self.deploy(template, inputs, **body), "CREATE_COMPLETE")


def message(response: requests.Response) -> str | None:
    """Return the message of an error, having checked the rest of its body."""
    body = response.json()
    assert response.headers["Content-Type"] == "application/json;charset=UTF-8"
    assert body["code"] == response.status_code
    assert body["title"] == response.reason
    assert set(body) <= {"code", "title", "message"}
    found: str | None = body.get("message")
    return found
