"""SLAM, CMDB, monitoring and the Infrastructure Manager (contract 2 to 5)."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
import requests

from sandbox.providers import ALL, ALPINE, COAST, CUSTOMERS, NORDIC
from sandbox.testing import SandboxThread
from sandbox.tests.orchestrating import CLOUD, User, wait_for


class TestSlam:
    @pytest.fixture
    def preferences(self, fresh: SandboxThread) -> Any:
        def ask(customer: str, headers: dict[str, str] | None = None) -> requests.Response:
            shown = fresh.control.bearer("ada") if headers is None else headers
            return requests.get(f"{fresh.url}/slam/rest/slam/preferences/{customer}", headers=shown, timeout=30)

        return ask

    @pytest.mark.parametrize("customer", ["indigo-dc", "ml-users"])
    def test_agreements_and_preferences_of_a_customer(self, preferences: Any, customer: str) -> None:
        body = preferences(customer).json()
        (own,) = body["preferences"]
        assert own["id"] == hashlib.sha1(customer.encode(), usedforsecurity=False).hexdigest()
        assert [kind["service_type"] for kind in own["preferences"]] == ["compute", "storage"]
        priority = own["preferences"][0]["priority"]
        assert max(entry["weight"] for entry in priority) == 1.0
        assert {entry["sla_id"] for entry in priority} == {sla["id"] for sla in body["sla"]}
        assert len({sla["provider"] for sla in body["sla"]}) == 3
        assert all(len(sla["services"]) == 1 for sla in body["sla"])
        assert body["sla"][0]["start_date"] == "Tue Nov 10 23:00:00 UTC 2020"

    def test_weights_of_nothing_are_not_a_number(self, preferences: Any) -> None:
        body = preferences("other-lab").json()
        assert body["preferences"][0]["preferences"][0]["priority"][0]["weight"] == "NaN"
        assert body["sla"][0]["provider"] is None

    def test_a_customer_without_agreement_still_has_both_lists(self, preferences: Any) -> None:
        body = preferences("deepdash-curators").json()
        assert body["sla"] == []
        assert [kind["priority"] for kind in body["preferences"][0]["preferences"]] == [[], []]

    def test_refusals(self, preferences: Any) -> None:
        unknown = preferences("nobody")
        assert (unknown.status_code, unknown.json()["error"]) == (500, "Internal Server Error")
        assert preferences("indigo-dc", {}).status_code == 403
        answer = preferences("indigo-dc", {"Authorization": "Bearer nonsense"})
        assert (answer.status_code, answer.json()["message"]) == (403, "Access Denied")
        assert set(answer.json()) == {"timestamp", "status", "error", "message", "path"}
        # One path segment: a nested group cannot be asked for.
        assert preferences("ml-users/vision").status_code == 404


class TestCmdb:
    def test_services_are_public_and_labelled_text(self, sandbox: SandboxThread) -> None:
        for service in ALL:
            answer = requests.get(f"{sandbox.url}/cmdb/service/id/{service.service_id}", timeout=30)
            assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
            document = json.loads(answer.text)
            assert document["data"]["sitename"] == service.site
            assert document["data"]["service_type"] == service.service_type

    def test_json_is_said_only_to_who_asks(self, sandbox: SandboxThread) -> None:
        url = f"{sandbox.url}/cmdb/service/id/{NORDIC.service_id}"
        answer = requests.get(url, headers={"Accept": "application/json"}, timeout=30)
        assert answer.headers["Content-Type"].startswith("application/json")
        assert answer.json()["data"]["properties"]["gpu_support"] is True

    def test_documents_are_as_uneven_as_in_the_wild(self, sandbox: SandboxThread) -> None:
        def data(service_id: str) -> dict[str, Any]:
            url = f"{sandbox.url}/cmdb/service/id/{service_id}"
            found: dict[str, Any] = json.loads(requests.get(url, timeout=30).text)["data"]
            return found

        assert "iam_enabled" not in data(COAST.service_id)
        assert isinstance(data(COAST.service_id)["supported_idps"][0], str)
        assert data(ALPINE.service_id)["properties"]["gpu_support"] is False
        assert "region" not in data(ALPINE.service_id)

    def test_lists_and_what_is_not_there(self, sandbox: SandboxThread) -> None:
        base = f"{sandbox.url}/cmdb"
        rows = json.loads(requests.get(f"{base}/service/list?include_docs=true", timeout=30).text)
        assert rows["total_rows"] == len(ALL)
        assert {row["doc"]["_id"] for row in rows["rows"]} == {service.service_id for service in ALL}
        owned = json.loads(requests.get(f"{base}/provider/id/{ALPINE.provider_id}/has_many/services", timeout=30).text)
        assert owned["total_rows"] == 2
        tenants = json.loads(requests.get(f"{base}/service/id/{COAST.service_id}/has_many/tenants", timeout=30).text)
        assert tenants["total_rows"] == 1
        missing = requests.get(f"{base}/service/id/none", timeout=30)
        assert missing.status_code == 404
        assert json.loads(missing.text) == {"error": "not_found", "reason": "missing"}
        refused = requests.delete(f"{base}/service/id/{NORDIC.service_id}", timeout=30)
        assert (refused.status_code, refused.text) == (403, "Access Denied")


class TestMonitoring:
    PATH = "/monitoring-wrapper/monitoring/adapters/zabbix/zones/indigo/types/infrastructure/groups/{}/hosts/{}"

    def ask(self, sandbox: SandboxThread, group: str, host: str) -> requests.Response:
        return requests.get(sandbox.url + self.PATH.format(group, host), timeout=30)

    def test_metrics_of_a_service(self, sandbox: SandboxThread) -> None:
        body = self.ask(sandbox, NORDIC.site, NORDIC.service_id).json()
        assert body["meta"] == {"status": 200}
        metrics = body["result"]["groups"][0]["paasMachines"][0]["services"][0]["paasMetrics"]
        assert {"create.responseTime", "delete.status", "master.tasks_failed"} <= {row["metricName"] for row in metrics}
        assert all(isinstance(row["metricValue"], float) for row in metrics)

    def test_a_value_that_is_not_known_is_minus_one_with_a_sentence(self, sandbox: SandboxThread) -> None:
        body = self.ask(sandbox, ALPINE.site, ALPINE.service_id).json()
        rows = body["result"]["groups"][0]["paasMachines"][0]["services"][0]["paasMetrics"]
        silent = [row for row in rows if row["metricValue"] == -1]
        assert silent
        assert all(row["metricTime"].startswith("Instant null because") for row in silent)

    def test_a_machine_may_have_no_services(self, sandbox: SandboxThread) -> None:
        (harbour,) = CUSTOMERS["other-lab"]
        body = self.ask(sandbox, harbour.site, harbour.service_id).json()
        assert body["result"]["groups"][0]["paasMachines"][0]["services"] == []

    @pytest.mark.parametrize(
        ("group", "host", "status"),
        [("NOWHERE", NORDIC.service_id, 404), (NORDIC.site, "none", 404), (NORDIC.site, ALPINE.service_id, 400)],
    )
    def test_refusals_carry_their_status_twice(
        self, sandbox: SandboxThread, group: str, host: str, status: int
    ) -> None:
        answer = self.ask(sandbox, group, host)
        assert answer.status_code == answer.json()["meta"]["status"] == status


class TestIm:
    def ask(self, user: User, path: str, header: str | None = None, accept: str = "*/*") -> requests.Response:
        """Call with the header of an orchestrator user, or another one; an empty one is left out."""
        if header is None:
            header = f"id = im; type = InfrastructureManager; token = {user.token};"
        headers = {"Accept": accept, **({"Authorization": header} if header else {})}
        return requests.get(user.url.replace("/orchestrator", "/im") + path, headers=headers, timeout=30)

    def test_the_log_is_there_as_text_or_json(self, ada: User) -> None:
        infrastructure = ada.finished(CLOUD)["physicalId"]
        path = f"/infrastructures/{infrastructure}/contmsg"
        text = self.ask(ada, path)
        assert text.headers["Content-Type"].startswith("text/plain")
        assert "VM 0:" in text.text
        assert self.ask(ada, path, accept="application/json").json() == {"contmsg": text.text}
        assert "VM 0:" not in self.ask(ada, f"{path}?headeronly=true").text
        assert self.ask(ada, path, accept="image/png").status_code == 415

    @pytest.mark.parametrize(
        "header",
        [
            r"id=im;type=InfrastructureManager;token={}",
            r"id = one; type = OpenNebula; host = h\nid = im; type = InfrastructureManager; token = '{}';",
            "Bearer {}",
        ],
    )
    def test_the_header_speaks_several_dialects(self, ada: User, header: str) -> None:
        infrastructure = ada.finished(CLOUD)["physicalId"]
        answer = self.ask(ada, f"/infrastructures/{infrastructure}/state", header.format(ada.token))
        assert answer.json() == {"state": {"state": "configured", "vm_states": {"0": "configured"}}}

    def test_refusals(self, ada: User, fresh: SandboxThread) -> None:
        body = ada.finished(CLOUD)
        path = f"/infrastructures/{body['physicalId']}/contmsg"
        assert self.ask(ada, path, "").text == "No authentication data provided"
        assert self.ask(ada, path, "").status_code == 401
        assert self.ask(ada, path, "type = InfrastructureManager; token = x").status_code == 400
        # A second equals sign drops the rest of the line, token included.
        assert self.ask(ada, path, f"type = InfrastructureManager; a = b = c; token = {ada.token}").status_code == 400
        assert self.ask(User(fresh, "ben"), path).status_code == 403
        container = ada.finished()["physicalId"]
        missing = self.ask(ada, f"/infrastructures/{container}/contmsg", accept="application/json")
        assert missing.json() == {
            "message": "Error Getting Inf. prop: Invalid infrastructure ID or access not granted.",
            "code": 404,
        }
        ada.call("DELETE", f"/deployments/{body['uuid']}")
        ada.wait_gone(body["uuid"])
        assert self.ask(ada, path).text == "Error Getting Inf. prop: Deleted infrastructure."

    def test_infrastructures_are_listed_for_their_owner(self, ada: User, fresh: SandboxThread) -> None:
        infrastructure = ada.finished(CLOUD)["physicalId"]
        listed = self.ask(ada, "/infrastructures", accept="application/json").json()["uri-list"]
        assert [entry["uri"].rsplit("/", 1)[1] for entry in listed] == [infrastructure]
        assert self.ask(User(fresh, "ben"), "/infrastructures").text == ""
        assert self.ask(ada, "/version").text

    def test_the_log_grows_while_the_machine_is_configured(self, ada: User, fresh: SandboxThread) -> None:
        fresh.control.settings(provider_work=50)
        infrastructure = ada.wait_provider(ada.deploy(CLOUD))["physicalId"]
        path = f"/infrastructures/{infrastructure}/contmsg"
        first = self.ask(ada, path).text
        wait_for(lambda: len(self.ask(ada, path).text) > len(first), "more of the log")
