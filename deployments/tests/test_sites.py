"""Measurements of providers, and the health of the services."""

from typing import Any

import pytest
import requests
import responses
from django.test import Client

from accounts.models import User
from accounts.testing import configure, make_user
from deployments.providers import Provider
from deployments.tests.conftest import CMDB, IM, MONITORING, ORCHESTRATOR, SLAM
from deployments.tests.test_providers import agreements, cmdb_answer, slam_answer

HTMX = {"HX-Request": "true"}
IAM = "https://iam.example.org"
METRICS = f"{MONITORING}/monitoring/adapters/zabbix/zones/indigo/types/infrastructure/groups/ALPINE/hosts/s1"
MEASURED = "/slas/measured?service=s1"


def text(response: Any) -> str:
    return str(response.content.decode())


def measurements(*metrics: dict[str, Any]) -> dict[str, Any]:
    service = {"serviceName": "Marathon", "paasMetrics": list(metrics)}
    return {"result": {"groups": [{"paasMachines": [{"services": [service]}]}]}}


class TestProviders:
    def test_they_follow_the_page(self, browser: Client, owner: User, wire: responses.RequestsMock) -> None:
        page = text(browser.get("/slas"))
        assert 'hx-get="/slas?group=" hx-trigger="load"' in page
        assert len(wire.calls) == 0
        wire.get(f"{SLAM}/rest/slam/preferences/indigo-dc", json=slam_answer("s1", "s2"))
        wire.get(f"{CMDB}/service/id/s1", json=cmdb_answer("ALPINE", gpu_support=True))
        wire.get(f"{CMDB}/service/id/s2", status=500)
        fragment = text(browser.get("/slas", headers=HTMX))
        assert "ALPINE" in fragment
        assert "CMDB reports a fault of its own" in fragment

    def test_trouble_is_said(self, browser: Client, wire: responses.RequestsMock) -> None:
        wire.get(f"{SLAM}/rest/slam/preferences/indigo-dc", status=500, json={"message": "x"})
        answer = browser.get("/slas?fresh=1")
        assert answer.status_code == 200
        assert "SLAM reports a fault of its own" in text(answer)

    def test_anothers_group_is_refused(self, browser: Client, wire: responses.RequestsMock) -> None:
        assert "You are not in the group physics" in text(browser.get("/slas?group=physics&fresh=1"))
        assert len(wire.calls) == 0


class TestMeasured:
    @pytest.fixture(autouse=True)
    def _provider(self, wire: responses.RequestsMock) -> None:
        agreements(wire, "indigo-dc", "s1")
        wire.get(f"{CMDB}/service/id/s1", json=cmdb_answer("ALPINE"))

    def test_minus_one_is_no_value(self, browser: Client, wire: responses.RequestsMock) -> None:
        wire.get(METRICS, json=measurements(
            {"metricName": "create.responseTime", "metricValue": 412.0, "metricUnit": "ms",
             "metricTime": "21-10-2022 09:20:11"},
            {"metricName": "clear.result", "metricValue": -1.0, "metricTime": "Instant null because"},
        ))  # fmt: skip
        page = text(browser.get(MEASURED, headers=HTMX))
        assert "412 ms" in page
        assert "no value" in page
        assert ">-1" not in page
        assert "Instant null" not in page

    def test_only_ones_own_providers_can_be_asked_about(self, browser: Client, wire: responses.RequestsMock) -> None:
        assert browser.get("/slas/measured?service=other&fresh=1").status_code == 404
        assert browser.get("/slas/measured?service=other").status_code == 404, "the providers are known by now"
        assert not [call for call in wire.calls if str(call.request.url).startswith(MONITORING)]

    @pytest.mark.parametrize("answer", [{"status": 500, "json": {"error": {"message": "java"}}}, {"body": "<html>"},
                                        {"body": requests.exceptions.ReadTimeout()}])  # fmt: skip
    def test_monitoring_in_trouble_is_said(
        self, browser: Client, wire: responses.RequestsMock, answer: dict[str, Any]
    ) -> None:
        wire.get(METRICS, **answer)
        page = browser.get(MEASURED, headers=HTMX)
        assert page.status_code == 200
        assert "Monitoring" in text(page)

    def test_nothing_measured_and_nothing_configured_are_said_too(
        self, browser: Client, wire: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        wire.get(METRICS, json={"result": {"groups": []}})
        assert "Nothing was measured" in text(browser.get(f"{MEASURED}&fresh=1"))
        configure(monkeypatch, MONITORING_URL="")
        assert "not configured" in text(browser.get(f"{MEASURED}&fresh=1"))

    def test_the_page_waits_for_nobody(self, browser: Client, wire: responses.RequestsMock) -> None:
        wire.get(METRICS, json={"result": {"groups": []}})
        page = text(browser.get(MEASURED))
        assert f'hx-get="{MEASURED}&amp;group="' in page
        assert "fresh=1" in page, "without scripts a link asks"
        assert len(wire.calls) == 0
        browser.get(f"{MEASURED}&fresh=1")
        assert "Measured at ALPINE" in text(browser.get(MEASURED))

    def test_the_list_says_what_a_provider_can_run(self, browser: Client) -> None:
        assert "for containers" in text(browser.get("/slas", headers=HTMX))
        assert Provider("sla", "s", service_type="org.openstack.nova").runs == ["virtual machines"]
        assert Provider("sla", "s").runs == []


class TestHealth:
    @pytest.fixture
    def curator(self, db: None) -> Client:
        client = Client()
        client.force_login(make_user("grace", staff=True))
        return client

    def test_each_service_has_its_own_state(
        self, curator: Client, wire: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        configure(monkeypatch, IAM_BASE_URL=IAM)
        wire.get(f"{IAM}/.well-known/openid-configuration", json={})
        wire.get(f"{ORCHESTRATOR}/info", json={"build": {"version": "2.9.0"}})
        wire.get(SLAM, status=401)  # it is there, and wants a token
        wire.get(f"{CMDB}/service/id/none", status=404)
        wire.get(f"{IM}/version", json={"version": "1.7.7"})
        wire.get(MONITORING, status=503, body="<html>")
        page = text(curator.get("/settings/health", headers=HTMX))
        assert page.count("Answers") == 5
        assert page.count("Not answering") == 1
        assert "2.9.0" in page
        assert "1.7.7" in page

    def test_users_are_not_shown_it(self, browser: Client, wire: responses.RequestsMock) -> None:
        assert browser.get("/settings/health").status_code == 403
        assert "Health" not in text(browser.get("/settings"))
        assert len(wire.calls) == 0

    @pytest.mark.parametrize("address", ["/settings", "/settings/health"])
    def test_the_pages_of_a_curator_wait_for_nobody(
        self, curator: Client, wire: responses.RequestsMock, address: str
    ) -> None:
        assert 'hx-get="/settings/health"' in text(curator.get(address))
        assert len(wire.calls) == 0


def test_a_stranger_of_the_customer_can_not_measure(stranger: User, wire: responses.RequestsMock) -> None:
    agreements(wire, "other-lab", "s9")
    wire.get(f"{CMDB}/service/id/s9", json=cmdb_answer("ELSEWHERE"))
    client = Client()
    client.force_login(stranger)
    assert client.get(f"{MEASURED}&fresh=1").status_code == 404
    assert "does not exist" in text(client.get(MEASURED, headers=HTMX))
