"""What each client sends, and what it makes of good, odd and incomplete answers."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
import responses
from responses import matchers

from accounts.models import User
from deepdash.http import ServiceError
from deployments.clients.cmdb import Cmdb
from deployments.clients.deepaas import Deepaas, Model
from deployments.clients.im import Im
from deployments.clients.monitoring import Monitoring
from deployments.clients.orchestrator import Info, Orchestrator, UpstreamDeployment
from deployments.clients.shapes import java_date, moment
from deployments.clients.slam import Slam
from deployments.testing import listing, upstream
from deployments.tests.conftest import CMDB, IM, MONITORING, ORCHESTRATOR, SLAM


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2022-10-21T09:22+0000", datetime(2022, 10, 21, 9, 22, tzinfo=UTC)),
        ("2022-10-21T11:22+0200", datetime(2022, 10, 21, 9, 22, tzinfo=UTC)),
        ("2022-10-21T09:22:05Z", datetime(2022, 10, 21, 9, 22, 5, tzinfo=UTC)),
        ("2022-10-21T09:22", datetime(2022, 10, 21, 9, 22, tzinfo=UTC)),
        ("yesterday", None),
        ("0001-01-01T00:00+1400", None),
        ("9999-12-31T23:59-1400", None),
        (None, None),
        (1666343000, None),
    ],
)
def test_times_of_the_orchestrator(text: Any, expected: datetime | None) -> None:
    assert moment(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Tue Nov 10 23:00:00 UTC 2020", datetime(2020, 11, 10, 23, tzinfo=UTC)),
        ("Wed Jun 10 01:00:00 CEST 2020", datetime(2020, 6, 9, 23, tzinfo=UTC)),
        ("11.01.2016+15:50:00", datetime(2016, 1, 11, 15, 50, tzinfo=UTC)),
        ("Tue Nov 10 23:00:00 XYZ 2020", None),
        ("Tue Feb 31 23:00:00 UTC 2020", None),
        ("Tue Foo 10 23:00:00 UTC 2020", None),
        ("2020-11-10", None),
        (None, None),
    ],
)
def test_times_of_slam(text: Any, expected: datetime | None) -> None:
    assert java_date(text) == expected


class TestOrchestrator:
    def test_the_list_asks_for_the_largest_page_of_ones_own(self, owner: User, wire: responses.RequestsMock) -> None:
        wire.get(f"{ORCHESTRATOR}/deployments", json=listing(upstream("u1"), upstream("u2")))
        found = Orchestrator(owner).deployments()
        assert [item.uuid for item in found.items] == ["u1", "u2"]
        assert found.complete
        request = wire.calls[0].request
        assert request.params == {"page": "0", "size": "2000", "createdBy": "me"}  # type: ignore[attr-defined]
        assert request.headers["Authorization"] == "Bearer the-token-of-ada"

    def test_next_links_are_followed_at_our_own_address(self, owner: User, wire: responses.RequestsMock) -> None:
        inside = "http://10.0.0.5:8080/deployments?createdBy=me&page=1&size=2000&sort=createdAt,desc{&userGroup}"
        wire.get(
            f"{ORCHESTRATOR}/deployments",
            json=listing(upstream("u1"), following=inside),
            match=[matchers.query_param_matcher({"page": "0"}, strict_match=False)],
        )
        wire.get(
            f"{ORCHESTRATOR}/deployments",
            json=listing(upstream("u2")),
            match=[matchers.query_param_matcher({"page": "1"}, strict_match=False)],
        )
        found = Orchestrator(owner).deployments()
        assert [item.uuid for item in found.items] == ["u1", "u2"]
        assert found.complete
        assert all(str(call.request.url).startswith(ORCHESTRATOR) for call in wire.calls)

    def test_a_circle_of_links_ends_and_proves_nothing(self, owner: User, wire: responses.RequestsMock) -> None:
        wire.get(f"{ORCHESTRATOR}/deployments", json=listing(upstream("u1"), following="http://x/?page=0"))
        found = Orchestrator(owner).deployments()
        assert not found.complete
        assert len(wire.calls) == 1

    def test_a_link_that_is_no_address_is_followed_by_its_query(
        self, owner: User, wire: responses.RequestsMock
    ) -> None:
        wire.get(f"{ORCHESTRATOR}/deployments", json=listing(upstream("u1"), following="http://[x?page=1"))
        wire.get(f"{ORCHESTRATOR}/deployments", json=listing(upstream("u2")))
        assert [item.uuid for item in Orchestrator(owner).deployments().items] == ["u1", "u2"]

    def test_what_cant_be_read_in_a_list_costs_only_itself(self, owner: User, wire: responses.RequestsMock) -> None:
        odd = [{"status": "CREATE_COMPLETE"}, "text", None, {"uuid": "../u"}, {"uuid": ""}, {"uuid": "a b"}]
        wire.get(f"{ORCHESTRATOR}/deployments", json=listing(upstream("u1"), *odd))  # type: ignore[arg-type]
        found = Orchestrator(owner).deployments()
        assert [item.uuid for item in found.items] == ["u1"]
        assert not found.complete

    def test_a_minimal_deployment_is_enough(self) -> None:
        item = UpstreamDeployment.model_validate({"uuid": "u1", "outputs": None, "createdBy": "me", "status": None})
        assert (item.outputs, item.created_by, item.status, item.created_at) == ({}, None, "UNKNOWN", None)

    def test_a_whole_deployment_is_read(self) -> None:
        item = UpstreamDeployment.model_validate(
            upstream(
                "u1",
                status="CREATE_COMPLETE",
                physicalId="p1",
                cloudProviderName="provider-SITE",
                cloudProviderEndpoint={
                    "cpEndpoint": "https://m",
                    "cpComputeServiceId": "s1",
                    "deploymentType": "MARATHON",
                },
                createdBy={"issuer": "https://iam.example.org/", "subject": "s"},
                outputs={"deepaas_endpoint": "http://203.0.113.7:10012"},
            )
        )
        assert item.provider_name == "provider-SITE"
        assert item.provider_endpoint is not None
        assert item.provider_endpoint.kind == "MARATHON"
        assert item.created_by is not None
        assert item.created_by.subject == "s"

    def test_create_sends_typed_inputs_and_only_what_was_given(self, owner: User, wire: responses.RequestsMock) -> None:
        wire.post(f"{ORCHESTRATOR}/deployments", json=upstream("u1"), status=201)
        made = Orchestrator(owner).create(
            template="t",
            parameters={"num_gpus": 1, "flag": False},
            options={"timeout_mins": 60, "keep_last_attempt": True},
        )
        assert made.uuid == "u1"
        assert json.loads(wire.calls[0].request.body or "") == {
            "template": "t",
            "parameters": {"num_gpus": 1, "flag": False},
            "timeoutMins": 60,
            "keepLastAttempt": True,
        }

    def test_a_created_answer_without_identifier_may_have_been_done(
        self, owner: User, wire: responses.RequestsMock
    ) -> None:
        wire.post(f"{ORCHESTRATOR}/deployments", json={}, status=201)
        with pytest.raises(ServiceError) as caught:
            Orchestrator(owner).create(template="t", parameters={})
        assert caught.value.maybe_done

    def test_reset_force_and_actions_say_what_the_contract_wants(
        self, owner: User, wire: responses.RequestsMock
    ) -> None:
        wire.patch(f"{ORCHESTRATOR}/deployments/u1", status=204)
        wire.delete(f"{ORCHESTRATOR}/deployments/u1", status=204)
        wire.post(f"{ORCHESTRATOR}/deployments/u1/resources/r1/actions", status=202)
        orchestrator = Orchestrator(owner)
        orchestrator.reset("u1")
        orchestrator.delete("u1", force=True)
        orchestrator.action("u1", "r1", "stop")
        assert json.loads(wire.calls[0].request.body or "") == {"status": "DELETE_FAILED"}
        assert str(wire.calls[1].request.url).endswith("/deployments/u1?force=true")
        assert json.loads(wire.calls[2].request.body or "") == {"type": "stop"}

    @pytest.mark.parametrize("odd", ["u1/../../info", "u1?x=1", "u1#x", "ü"])
    def test_an_identifier_can_not_lead_to_another_call(
        self, odd: str, owner: User, wire: responses.RequestsMock
    ) -> None:
        with pytest.raises(ServiceError):
            Orchestrator(owner).delete(odd)
        sent = str(wire.calls[0].request.url).removeprefix(f"{ORCHESTRATOR}/deployments/")
        assert sent.isascii()
        assert not set("/?#") & set(sent)

    @pytest.mark.parametrize(
        ("body", "version"),
        [
            ({"build": {"version": "2.8.0-FINAL"}, "git": {"commit": {"id": "a1"}}}, "2.8.0-FINAL"),
            ({"build": {"version": "4.0.1"}}, "4.0.1"),
            ({"projectVersion": "1.4.0"}, "1.4.0"),
            ({}, ""),
            ([], ""),
        ],
    )
    def test_versions(self, body: Any, version: str, owner: User, wire: responses.RequestsMock) -> None:
        wire.get(f"{ORCHESTRATOR}/info", json=body)
        assert Orchestrator(None).info().version == version
        assert "Authorization" not in wire.calls[0].request.headers

    def test_versions_compare_by_number(self) -> None:
        assert Info(version="2.10.0-FINAL").at_least("2.7.0")
        assert Info(version="2.7.0-SNAPSHOT").at_least("2.7.0")
        assert not Info(version="2.1.1").at_least("2.2.0")
        assert not Info(version="").at_least("0")

    def test_extra_info_is_a_list_whatever_is_sent(self, owner: User, wire: responses.RequestsMock) -> None:
        url = f"{ORCHESTRATOR}/deployments/u1/extrainfo"
        for body, expected in [('[{"a": 1}]', [{"a": 1}]), ('{"a": 1}', [{"a": 1}]), ("", []), ("[]", [])]:
            wire.reset()
            wire.get(url, body=body, content_type="text/plain")
            assert Orchestrator(owner).extra_info("u1") == expected


class TestSlam:
    ANSWER = {
        "preferences": [
            {
                "customer": "indigo-dc",
                "preferences": [
                    {
                        "service_type": "compute",
                        "priority": [
                            {"sla_id": "a", "service_id": "s1", "weight": 0.5},
                            {"sla_id": "b", "service_id": "s2", "weight": "NaN"},
                        ],
                    },
                    {"service_type": "storage", "priority": []},
                ],
            }
        ],
        "sla": [
            {
                "id": "a",
                "customer": "indigo-dc",
                "provider": None,
                "start_date": "Tue Nov 10 23:00:00 UTC 2020",
                "end_date": "some day",
                "services": [
                    {"type": "computing", "service_id": "s1", "targets": [{"type": "public_ip", "unit": None}]}
                ],
            },
            {"id": "b", "services": None, "start_date": None},
        ],
    }

    @pytest.mark.parametrize("base", [SLAM, f"{SLAM}/", f"{SLAM}/rest/slam", f"{SLAM}/rest/slam/"])
    def test_its_path_is_completed(self, base: str, owner: User, wire: responses.RequestsMock) -> None:
        wire.get(f"{SLAM}/rest/slam/preferences/ml-users%2Fvision", json={"preferences": [], "sla": []})
        assert Slam(owner, base).preferences("ml-users/vision").sla == []

    def test_odd_dates_weights_and_gaps_are_read(self, owner: User, wire: responses.RequestsMock) -> None:
        wire.get(f"{SLAM}/rest/slam/preferences/indigo-dc", json=self.ANSWER)
        found = Slam(owner, SLAM).preferences("indigo-dc")
        first, second = found.sla
        assert first.start == datetime(2020, 11, 10, 23, tzinfo=UTC)
        assert first.end is None
        assert first.end_text == "some day"
        assert first.provider == ""
        assert second.services == []
        assert (found.weight("a"), found.weight("b"), found.weight("c")) == (0.5, 0.0, 0.0)


class TestCmdb:
    def test_json_labelled_as_text_is_read(self, owner: User, wire: responses.RequestsMock) -> None:
        data = {"service_type": "eu.indigo-datacloud.marathon", "sitename": "SITE", "iam_enabled": "True",
                "properties": {"gpu_support": True, "num_gpus": "4", "gpu_model": "T4"}}  # fmt: skip
        wire.get(f"{CMDB}/service/id/s1", body=json.dumps({"data": data}), content_type="text/plain;charset=utf-8")
        found = Cmdb(owner, CMDB).service("s1")
        assert (found.sitename, found.iam_enabled, found.properties.num_gpus) == ("SITE", True, 4)

    @pytest.mark.parametrize("body", [{}, {"data": None}, {"data": {"properties": None}}, {"data": {"properties": []}},
                                      {"data": {"properties": {"num_gpus": 10**400}}}])  # fmt: skip
    def test_every_field_may_be_missing(self, body: Any, owner: User, wire: responses.RequestsMock) -> None:
        wire.get(f"{CMDB}/service/id/s1", json=body)
        found = Cmdb(owner, CMDB).service("s1")
        assert found.service_type == ""
        assert (found.properties.gpu_support, found.properties.num_gpus) == (None, None)


def test_im_gets_its_own_kind_of_authorization(owner: User, wire: responses.RequestsMock) -> None:
    wire.get(f"{IM}/infrastructures/i1/contmsg", body="all good", content_type="text/plain")
    assert Im(owner, IM).contextualization_log("i1") == "all good"
    sent = wire.calls[0].request.headers["Authorization"]
    assert sent == "id = im; type = InfrastructureManager; token = the-token-of-ada;"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"result": {"groups": [{"paasMachines": [{"services": [{"paasMetrics": [
            {"metricName": "a", "metricValue": 412.0, "metricUnit": "ms"},
            {"metricName": "b", "metricValue": -1},
            {"metricName": "c", "metricValue": "7"}]}]}]}]}}, [("a", 412.0), ("b", None), ("c", 7.0)]),
        ({"result": {"groups": []}}, []),
        ({"result": {"groups": [{"paasMachines": [{}]}, {}]}}, []),
        ({"result": None}, []),
        ([], []),
    ],
)  # fmt: skip
def test_monitoring(body: Any, expected: list[Any], owner: User, wire: responses.RequestsMock) -> None:
    wire.get(
        f"{MONITORING}/monitoring/adapters/zabbix/zones/indigo/types/infrastructure/groups/SITE/hosts/s1", json=body
    )
    found = Monitoring(owner, MONITORING).metrics("SITE", "s1")
    assert [(metric.name, metric.value) for metric in found] == expected


class TestDeepaas:
    BASE = "https://module.example.org"

    @pytest.mark.parametrize(
        ("model", "key"),
        [
            (
                {"id": "0", "name": "deepaas-test", "links": [{"rel": "self", "href": "/v2/models/deepaas-test"}]},
                "deepaas-test",
            ),
            ({"id": "mine", "name": "My model"}, "mine"),
            ({"id": "0", "name": "plain"}, "plain"),
            ({"id": "x", "links": [{}, {"href": "http://a/v2/models/b%20c/"}]}, "b c"),
            ({"id": "x", "links": [{"href": "http://[a/v2/models/b?c=/d#/e"}]}, "b"),
        ],
    )
    def test_routes_are_named_by_the_link_not_by_the_id(self, model: Any, key: str) -> None:
        assert Model.model_validate(model).key == key

    @pytest.mark.parametrize("body", [{"trainings": []}, "x", {}, 7, [1, None, {"status": "done"}]])
    def test_what_is_no_list_of_trainings_is_none(self, body: Any, wire: responses.RequestsMock) -> None:
        wire.get(f"{self.BASE}/v2/models/m/train/", json=body)
        assert Deepaas(self.BASE).trainings("m") == ()

    def test_trainings(self, wire: responses.RequestsMock) -> None:
        wire.get(
            f"{self.BASE}/v2/models/m/train/",
            json=[
                {"uuid": "a" * 32, "status": "running", "args": {"epochs": 10}, "date": "2022-10-21 10:02:33.104512"}
            ],
        )
        (training,) = Deepaas(self.BASE).trainings("m")
        assert (training.status, training.args) == ("running", {"epochs": 10})

    def test_deleting_a_running_training_answers_500_and_is_no_error(self, wire: responses.RequestsMock) -> None:
        wire.delete(f"{self.BASE}/v2/models/m/train/t1", status=500, body="500 Internal Server Error")
        Deepaas(self.BASE).training_delete("m", "t1")

    def test_its_versions(self, wire: responses.RequestsMock) -> None:
        wire.get(f"{self.BASE}/", json={"versions": [{"id": "v2", "version": "stable"}]})
        assert Deepaas(self.BASE).versions() == ("v2",)


def test_texts_of_a_service_neither_steer_a_terminal_nor_turn_around() -> None:
    found = UpstreamDeployment.model_validate(
        {"uuid": "1", "statusReason": "\x1b[31mred\x1b[0m \u202eevil\u202c\x00 line\r\nnext"}
    )

    assert found.status_reason == "red evil line\nnext"
