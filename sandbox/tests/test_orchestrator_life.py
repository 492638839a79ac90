"""The life of a deployment: states, failures on demand, resources, callbacks, restarts (contract 1.8 to 1.15)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import requests

from sandbox.providers import ALPINE, COAST, NORDIC
from sandbox.testing import SandboxThread
from sandbox.tests.conftest import Listener
from sandbox.tests.orchestrating import CLOUD, IMAGE, MARATHON, User, message, wait_for


def slowly(sandbox: SandboxThread) -> None:
    """Leave a tenth of a second and more between steps, so that each can be seen."""
    sandbox.control.settings(choose_provider=10, provider_work=50, update=10, delete=15)


def placement(template: str, *sla_ids: str) -> str:
    policies = "".join(
        f"    - site{index}: {{type: tosca.policies.indigo.SlaPlacement, properties: {{sla_id: {sla}}}}}\n"
        for index, sla in enumerate(sla_ids)
    )
    return template.replace("topology_template:\n", f"topology_template:\n  policies:\n{policies}", 1)


def refused(url: str) -> bool:
    try:
        requests.get(url, timeout=30)
    except requests.ConnectionError:
        return True
    return False


class TestCreation:
    def test_a_container_goes_through_its_states_in_order(self, ada: User, fresh: SandboxThread) -> None:
        slowly(fresh)
        uuid = ada.deploy()
        states: list[tuple[str, str, bool, bool]] = []
        while not states or states[-1][0] == "CREATE_IN_PROGRESS":
            body = ada.show(uuid)
            state = (body["status"], body["task"], "cloudProviderName" in body, body.get("physicalId") == uuid)
            assert bool(body["outputs"]) == (body["status"] == "CREATE_COMPLETE")
            if state not in states:
                states.append(state)
        assert states == [
            ("CREATE_IN_PROGRESS", "NONE", False, False),
            ("CREATE_IN_PROGRESS", "NONE", True, False),
            ("CREATE_IN_PROGRESS", "NONE", True, True),
            ("CREATE_COMPLETE", "NONE", True, True),
        ]

    def test_a_machine_is_deployed_by_the_deployer(self, ada: User, fresh: SandboxThread) -> None:
        slowly(fresh)
        uuid = ada.deploy(CLOUD)
        body = ada.wait_provider(uuid)
        assert body["task"] == "DEPLOYER"
        assert body["physicalId"] != uuid
        assert body["cloudProviderEndpoint"]["deploymentType"] == "OPENSTACK"
        assert ada.wait(uuid, "CREATE_COMPLETE")["task"] == "NONE"

    def test_outputs_are_evaluated_and_errors_become_values_of_containers(self, ada: User) -> None:
        body = ada.finished(inputs={"deployment_description": "mine", "num_gpus": "1"})
        outputs = body["outputs"]
        assert outputs["deployment_description"] == "mine"
        assert outputs["Docker_num_gpus"] == "1"
        assert "nowhere" in outputs["lost"]
        assert outputs["deepaas_endpoint"] != outputs["jupyter_endpoint"]
        assert body["cloudProviderName"] == NORDIC.provider_id

    def test_outputs_of_a_machine_tell_address_and_login(self, ada: User) -> None:
        outputs = ada.finished(CLOUD)["outputs"]
        assert outputs["node_ip"].startswith("203.0.113.")
        assert outputs["node_creds"]["user"] == "cloudadm"
        assert "PRIVATE KEY" in outputs["node_creds"]["token"]
        assert "lost" not in outputs

    def test_the_run_command_decides_what_listens(self, ada: User) -> None:
        deepaas = ada.finished()["outputs"]
        wait_for(lambda: not refused(deepaas["deepaas_endpoint"]), "DEEPaaS")
        assert refused(deepaas["jupyter_endpoint"])
        jupyter = ada.finished(inputs={"run_command": "/srv/.jupyter/run_jupyter.sh --allow-root"})["outputs"]
        wait_for(lambda: not refused(jupyter["jupyter_endpoint"]), "JupyterLab")
        assert "<form" in requests.get(jupyter["jupyter_endpoint"], timeout=30).text
        assert refused(jupyter["deepaas_endpoint"])


NO_PROVIDER = "No cloud provider meets the deployment requirements"
TWO_POLICIES = "Only a single placement policy is supported"
NO_SLA = "No SLA with id 5f0000000000000000000000 available"


class TestBrokering:
    @pytest.mark.parametrize("service", [NORDIC, ALPINE])
    def test_a_placement_policy_decides(self, ada: User, service: Any) -> None:
        body = ada.finished(placement(MARATHON, service.sla_id))
        assert body["cloudProviderName"] == service.provider_id
        assert body["cloudProviderEndpoint"]["cpComputeServiceId"] == service.service_id

    @pytest.mark.parametrize(
        ("template", "inputs", "group", "reason"),
        [
            (placement(MARATHON, "5f0000000000000000000000"), {}, None, NO_SLA),
            (placement(MARATHON, NORDIC.sla_id, ALPINE.sla_id), {}, None, TWO_POLICIES),
            (placement(MARATHON, COAST.sla_id), {}, None, NO_PROVIDER),
            (placement(MARATHON, ALPINE.sla_id), {"num_gpus": 1}, None, NO_PROVIDER),
            (MARATHON, {"num_gpus": "9"}, None, NO_PROVIDER),
            (MARATHON, {"docker_image": "x/sandbox-noprovider"}, None, NO_PROVIDER),
            (MARATHON, {}, "strangers", "Error fetching SLA for customer <strangers> from SLAM."),
        ],
    )  # fmt: skip
    def test_without_a_fitting_provider_creation_fails_afterwards(
        self, ada: User, template: str, inputs: dict[str, Any], group: str | None, reason: str
    ) -> None:
        uuid = ada.deploy(template, inputs, userGroup=group)
        body = ada.wait(uuid, "CREATE_FAILED")
        assert body["statusReason"] == reason
        assert "cloudProviderName" not in body
        for path in ("log", "extrainfo"):
            answer = ada.get(f"/deployments/{uuid}/{path}")
            assert answer.status_code == 500
            assert message(answer) is None
        # No provider, nothing to clean up: gone at once.
        assert ada.call("DELETE", f"/deployments/{uuid}").status_code == 204
        assert ada.get(f"/deployments/{uuid}").status_code == 404

    @pytest.mark.parametrize(
        ("written", "instead"),
        [("tosca.policies.indigo.SlaPlacement", "tosca.policies.Unheard"), ("sla_id:", "region:")],
    )
    def test_policies_that_name_no_agreement_are_skipped(self, ada: User, written: str, instead: str) -> None:
        template = placement(MARATHON, ALPINE.sla_id).replace(written, instead)
        assert ada.finished(template)["cloudProviderName"] == NORDIC.provider_id


class TestOnDemand:
    def test_a_failing_one_tells_of_every_attempt(self, ada: User) -> None:
        body = ada.wait(ada.deploy(inputs={"docker_image": "x/sandbox-fail:cpu"}), "CREATE_FAILED")
        reason = body["statusReason"]
        rule = "-" * 64
        assert reason.startswith(
            "Retries on cloud providers exhausted. Error list is:\n\n" + rule + "\nCloud Provider <"
        )
        for service in (NORDIC, ALPINE):
            block = f"Cloud Provider <{service.provider_id}>\nCloud Provider Service <{service.service_id}>\n\n"
            assert block in reason
        assert reason.count(rule + "\n") == 2
        assert body["cloudProviderName"] == ALPINE.provider_id
        assert {row["state"] for row in ada.get(f"/deployments/{body['uuid']}/resources").json()["content"]} == {
            "ERROR"
        }

    def test_max_providers_retry_limits_the_attempts(self, ada: User) -> None:
        body = ada.wait(ada.deploy(inputs={"docker_image": "sandbox-fail"}, maxProvidersRetry=1), "CREATE_FAILED")
        assert body["statusReason"].count("Cloud Provider Service") == 1

    @pytest.mark.parametrize("keep", [True, False])
    def test_only_a_kept_attempt_leaves_its_infrastructure(self, ada: User, keep: bool) -> None:
        uuid = ada.deploy(CLOUD, {"note": "sandbox-fail"}, keepLastAttempt=keep)
        assert ("physicalId" in ada.wait(uuid, "CREATE_FAILED")) == keep

    def test_a_stuck_one_can_be_deleted(self, ada: User) -> None:
        uuid = ada.deploy(inputs={"deployment_description": "sandbox-stuck"})
        assert ada.wait_provider(uuid)["status"] == "CREATE_IN_PROGRESS"
        ada.call("DELETE", f"/deployments/{uuid}")
        ada.wait_gone(uuid)

    def test_a_stuck_one_ends_at_its_timeout(self, ada: User) -> None:
        uuid = ada.deploy(inputs={"deployment_description": "sandbox-stuck"}, timeoutMins=1)
        assert ada.wait(uuid, "CREATE_FAILED")["statusReason"] == "Timeout: Maximum execution time exceeded."

    def test_a_refused_one_is_never_made(self, ada: User) -> None:
        answer = ada.submit(inputs={"docker_image": "sandbox-refuse"})
        assert answer.status_code == 400
        assert "not allowed" in (message(answer) or "")
        assert ada.get("/deployments").json()["content"] == []

    def test_one_without_service_completes_and_never_answers(self, ada: User, fresh: SandboxThread) -> None:
        fresh.control.settings(deepaas_boot=0)
        outputs = ada.finished(inputs={"docker_image": f"{IMAGE}-sandbox-noservice"})["outputs"]
        other = ada.finished()["outputs"]
        wait_for(lambda: not refused(other["deepaas_endpoint"]), "the other one's DEEPaaS")
        assert refused(outputs["deepaas_endpoint"])


class TestDeletion:
    def test_it_takes_a_while_and_ends_in_404_with_its_port_closed(self, ada: User, fresh: SandboxThread) -> None:
        body = ada.finished()
        endpoint = body["outputs"]["deepaas_endpoint"]
        wait_for(lambda: not refused(endpoint), "DEEPaaS")
        slowly(fresh)
        answer = ada.call("DELETE", f"/deployments/{body['uuid']}")
        assert (answer.status_code, answer.text) == (204, "")
        second = ada.call("DELETE", f"/deployments/{body['uuid']}")
        assert second.status_code == 409
        assert message(second) == "Deployment already in DELETE_IN_PROGRESS state."
        assert ada.show(body["uuid"])["status"] == "DELETE_IN_PROGRESS"
        ada.wait_gone(body["uuid"])
        assert refused(endpoint)

    def test_a_failed_one_says_why_and_can_be_tried_again(self, ada: User) -> None:
        uuid = ada.finished(inputs={"deployment_description": "sandbox-nodelete"})["uuid"]
        ada.call("DELETE", f"/deployments/{uuid}")
        assert "Error deleting" in ada.wait(uuid, "DELETE_FAILED")["statusReason"]
        assert ada.call("DELETE", f"/deployments/{uuid}").status_code == 204
        assert "statusReason" not in ada.show(uuid)

    def test_a_lost_one_is_reset_by_patch(self, ada: User) -> None:
        uuid = ada.finished(inputs={"deployment_description": "sandbox-lostdelete"})["uuid"]
        path = f"/deployments/{uuid}"
        early = ada.call("PATCH", path, json={"status": "DELETE_FAILED"})
        assert early.status_code == 409
        assert message(early) == "Cannot reset a deployment in CREATE_COMPLETE state"
        ada.call("DELETE", path)
        assert ada.call("PATCH", path, json={"status": "NONSENSE"}).status_code == 500
        assert ada.call("PATCH", path, json={}).status_code == 500
        other = ada.call("PATCH", path, json={"status": "CREATE_COMPLETE"})
        assert other.status_code == 400
        assert message(other) == "Cannot reset deployment: illegal status CREATE_COMPLETE."
        assert ada.call("PATCH", path, json={"status": "DELETE_FAILED"}).status_code == 204
        assert ada.show(uuid)["status"] == "DELETE_FAILED"


class TestUpdate:
    def test_a_machine_is_updated_with_merged_inputs(self, ada: User, fresh: SandboxThread) -> None:
        template = CLOUD + "    note: {value: {get_input: note}}\n    cpus: {value: {get_input: num_cpus}}\n"
        uuid = ada.finished(template, {"note": "first", "num_cpus": 2})["uuid"]
        slowly(fresh)
        body = {"template": template, "parameters": {"note": "second"}}
        answer = ada.call("PUT", f"/deployments/{uuid}", json=body)
        assert (answer.status_code, answer.text) == (202, "")
        during = ada.show(uuid)
        assert (during["status"], during["task"]) == ("UPDATE_IN_PROGRESS", "DEPLOYER")
        busy = ada.call("PUT", f"/deployments/{uuid}", json=body)
        assert busy.status_code == 409
        assert message(busy) == "Cannot update a deployment in UPDATE_IN_PROGRESS state"
        after = ada.wait(uuid, "UPDATE_COMPLETE")
        assert (after["outputs"]["note"], after["outputs"]["cpus"]) == ("second", 2)
        assert after["task"] == "NONE"

    def test_an_update_can_fail(self, ada: User) -> None:
        uuid = ada.finished(CLOUD)["uuid"]
        ada.call("PUT", f"/deployments/{uuid}", json={"template": CLOUD, "parameters": {"note": "sandbox-fail"}})
        assert ada.wait(uuid, "UPDATE_FAILED")["statusReason"]

    def test_containers_cannot_be_updated_whatever_their_state(self, ada: User) -> None:
        uuid = ada.deploy()
        answer = ada.call("PUT", f"/deployments/{uuid}", json={"template": "a: ["})
        assert answer.status_code == 400
        assert message(answer) == "MARATHON deployments cannot be updated."

    def test_a_broken_template_comes_last_of_the_tests(self, ada: User) -> None:
        uuid = ada.deploy(CLOUD, {"note": "sandbox-stuck"})
        assert ada.call("PUT", f"/deployments/{uuid}", json={"template": "a: ["}).status_code == 409
        uuid = ada.finished(CLOUD)["uuid"]
        assert ada.call("PUT", f"/deployments/{uuid}", json={"template": "a: ["}).status_code == 400
        assert ada.show(uuid)["status"] == "CREATE_COMPLETE"


class TestResources:
    def test_every_node_is_a_resource_and_a_machine_carries_its_secrets(self, ada: User) -> None:
        uuid = ada.finished(CLOUD)["uuid"]
        body = ada.get(f"/deployments/{uuid}/resources").json()
        assert [link["href"].endswith("?page=0&size=10&sort=createdAt,desc") for link in body["links"]] == [True]
        rows = {row["toscaNodeName"]: row for row in body["content"]}
        assert set(rows) == {"simple_node", "software"}
        machine = rows["simple_node"]
        assert (machine["state"], machine["physicalId"], machine["requiredBy"]) == ("STARTED", "0", [])
        properties = json.loads(machine["metadata"]["VirtualMachineInfo"])["vmProperties"]
        system = next(entry for entry in properties if entry["class"] == "system")
        assert "PRIVATE KEY" in system["disk.0.os.credentials.private_key"]
        assert "physicalId" not in rows["software"]
        assert "metadata" not in rows["software"]
        extra = json.loads(ada.get(f"/deployments/{uuid}/extrainfo").text)
        assert extra[0]["vmProperties"] == properties

    def test_the_type_filter_knows_subtypes(self, ada: User) -> None:
        path = f"/deployments/{ada.finished(CLOUD)['uuid']}/resources"
        for kind in ("tosca.nodes.indigo.Compute", "tosca.nodes.Compute"):
            body = ada.get(f"{path}?type={kind}&size=1").json()
            assert [row["toscaNodeName"] for row in body["content"]] == ["simple_node"]
            assert len(ada.get(f"{path}/filter?type={kind}").json()) == 1
        assert ada.get(f"{path}/filter").status_code == 400

    def test_one_resource_is_shown_or_missed_by_name(self, ada: User) -> None:
        uuid = ada.deploy(CLOUD)
        row = ada.get(f"/deployments/{uuid}/resources").json()["content"][0]
        assert ada.get(f"/deployments/{uuid}/resources/{row['uuid']}").json()["uuid"] == row["uuid"]
        answer = ada.get(f"/deployments/{uuid}/resources/none")
        assert answer.status_code == 404
        assert message(answer) == f"The resource <none> in deployment <{uuid}> doesn't exist"

    def test_a_machine_is_stopped_and_started(self, ada: User, fresh: SandboxThread) -> None:
        uuid = ada.finished(CLOUD)["uuid"]
        rows = ada.get(f"/deployments/{uuid}/resources?type=tosca.nodes.indigo.Compute").json()["content"]
        path = f"/deployments/{uuid}/resources/{rows[0]['uuid']}"

        def act(action: str) -> requests.Response:
            return ada.call("POST", f"{path}/actions", json={"type": action})

        def wait_state(state: str) -> None:
            wait_for(lambda: ada.get(path).json()["state"] == state, state)

        slowly(fresh)
        assert act("start").status_code == 500
        for action, during, after in (("stop", "STOPPING", "STOPPED"), ("start", "STARTING", "STARTED")):
            answer = act(action)
            assert (answer.status_code, answer.text) == (202, "")
            wait_state(during)
            wait_state(after)
        assert (message(act("explode")) or "").startswith("Error validating action request")

    def test_actions_are_refused_for_containers_and_strangers(self, ada: User, fresh: SandboxThread) -> None:
        uuid = ada.finished()["uuid"]
        rid = ada.get(f"/deployments/{uuid}/resources").json()["content"][0]["uuid"]
        path = f"/deployments/{uuid}/resources/{rid}/actions"
        answer = ada.call("POST", path, json={"type": "stop"})
        assert answer.status_code == 400
        assert message(answer) == "MARATHON deployment: actions not supported yet."
        assert User(fresh, "ben").call("POST", path, json={"type": "stop"}).status_code == 403
        unknown = ada.call("POST", f"/deployments/{uuid}/resources/none/actions", json={"type": "stop"})
        assert unknown.status_code == 400
        assert message(unknown) == f"Resource <none> not found in deployment <{uuid}>"


class TestLog:
    def test_a_container_has_an_empty_log(self, ada: User) -> None:
        uuid = ada.finished()["uuid"]
        answer = ada.get(f"/deployments/{uuid}/log")
        assert (answer.status_code, answer.text) == (200, "")
        assert ada.get(f"/deployments/{uuid}/extrainfo").text == "[]"

    def test_the_log_of_a_machine_grows(self, ada: User, fresh: SandboxThread) -> None:
        slowly(fresh)
        uuid = ada.deploy(CLOUD)
        ada.wait_provider(uuid)
        first = ada.get(f"/deployments/{uuid}/log").text
        ada.wait(uuid, "CREATE_COMPLETE")
        last = ada.get(f"/deployments/{uuid}/log").text
        assert 0 < len(first) < len(last)
        assert "PLAY RECAP" in last


class TestCallback:
    def test_submission_and_end_are_told_without_links(self, ada: User, listener: Listener) -> None:
        listener.status = 500  # which is no matter
        uuid = ada.finished(callback=listener.url)["uuid"]
        wait_for(lambda: len(listener.received) == 2, "two callbacks")
        assert [body["status"] for body in listener.told()] == ["CREATE_IN_PROGRESS", "CREATE_COMPLETE"]
        assert all(body["uuid"] == uuid and "links" not in body for body in listener.told())
        assert listener.told()[0]["physicalId"] == uuid

    def test_failure_is_told_and_a_successful_deletion_is_not(self, ada: User, listener: Listener) -> None:
        failed = ada.deploy(inputs={"num_gpus": 99}, callback=listener.url)
        wait_for(lambda: listener.received, "a callback")
        assert [(body["uuid"], body["status"]) for body in listener.told()] == [(failed, "CREATE_FAILED")]
        uuid = ada.finished(callback=listener.url)["uuid"]
        ada.call("DELETE", f"/deployments/{uuid}")
        ada.wait_gone(uuid)
        assert {body["status"] for body in listener.told()} <= {
            "CREATE_FAILED",
            "CREATE_IN_PROGRESS",
            "CREATE_COMPLETE",
        }

    def test_a_callback_nobody_hears_changes_nothing(self, ada: User) -> None:
        assert ada.finished(callback="http://127.0.0.1:9/nobody")["callback"] == "http://127.0.0.1:9/nobody"


def test_a_restart_keeps_deployments_and_takes_up_what_was_in_motion(tmp_path: Path) -> None:
    with SandboxThread(state=tmp_path, speed=50) as first:
        port = int(first.url.rsplit(":", 1)[1])
        ada = User(first, "ada")
        done = ada.finished()
        first.control.settings(provider_work=100)
        moving = ada.deploy()
        ada.wait_provider(moving)
    with SandboxThread(state=tmp_path, speed=50, port=port) as second:
        again = User(second, "ada")
        kept = again.show(done["uuid"])
        assert kept == done
        wait_for(lambda: not refused(kept["outputs"]["deepaas_endpoint"]), "DEEPaaS")
        again.wait(moving, "CREATE_COMPLETE")
