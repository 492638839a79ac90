"""Providers: SLAM once, CMDB side by side, nothing shared across customers."""

import threading
from typing import Any

import pytest
import responses

from accounts.models import User
from accounts.testing import configure, give_token, make_user
from deepdash.errors import Problem
from deepdash.http import ServiceError
from deployments.endpoints import orchestrator_info, service_addresses
from deployments.providers import Provider, providers_for
from deployments.tests.conftest import CMDB, ORCHESTRATOR, SLAM


def slam_answer(*services: str, weights: dict[str, float] | None = None) -> dict[str, Any]:
    priority = [{"sla_id": f"sla-{s}", "service_id": s, "weight": w} for s, w in (weights or {}).items()]
    return {
        "preferences": [{"customer": "c", "preferences": [{"service_type": "compute", "priority": priority}]}],
        "sla": [
            {"id": f"sla-{s}", "provider": f"provider-{s}", "services": [{"type": "computing", "service_id": s}]}
            for s in services
        ],
    }


def cmdb_answer(sitename: str, kind: str = "eu.indigo-datacloud.marathon", **properties: Any) -> dict[str, Any]:
    return {"data": {"sitename": sitename, "service_type": kind, "properties": properties}}


def agreements(wire: responses.RequestsMock, customer: str, *services: str, **options: Any) -> Any:
    return wire.get(f"{SLAM}/rest/slam/preferences/{customer}", json=slam_answer(*services, **options))


def test_facts_come_from_cmdb_and_the_preferred_are_first(owner: User, wire: responses.RequestsMock) -> None:
    agreements(wire, "indigo-dc", "s1", "s2", weights={"s1": 0.2, "s2": 1.0})
    wire.get(f"{CMDB}/service/id/s1", json=cmdb_answer("ALPINE"))
    wire.get(f"{CMDB}/service/id/s2", json=cmdb_answer("NORDIC", gpu_support=True, num_gpus=4))
    first, second = providers_for(owner)
    assert (first.sla_id, first.name, first.label) == ("sla-s2", "NORDIC", "NORDIC: Marathon (containers), GPUs")
    assert (second.sitename, second.gpu_support, second.num_gpus) == ("ALPINE", None, None)


def test_one_service_in_trouble_costs_only_its_own_facts(owner: User, wire: responses.RequestsMock) -> None:
    agreements(wire, "indigo-dc", "s1", "s2", "s3")
    wire.get(f"{CMDB}/service/id/s1", json=cmdb_answer("ALPINE"))
    wire.get(f"{CMDB}/service/id/s2", status=404, json={"error": "not_found"})
    wire.get(f"{CMDB}/service/id/s3", body="<html>", status=200)
    found = {provider.service_id: provider for provider in providers_for(owner)}
    assert found["s1"].problem is None
    assert found["s2"].problem is not None
    assert found["s2"].problem.id == "service:missing"
    assert found["s2"].name == "s2"
    assert found["s3"].problem is not None
    assert found["s3"].problem.id == "service:garbled"


def test_it_is_kept_for_the_customer(owner: User, wire: responses.RequestsMock) -> None:
    slam = agreements(wire, "indigo-dc", "s1")
    cmdb = wire.get(f"{CMDB}/service/id/s1", json=cmdb_answer("ALPINE"))
    first = providers_for(owner)
    colleague = make_user("ben")
    give_token(colleague)
    assert providers_for(colleague) == first
    assert (slam.call_count, cmdb.call_count) == (1, 1)
    providers_for(owner, fresh=True)
    assert slam.call_count == 2


def test_it_is_never_shared_across_customers(owner: User, stranger: User, wire: responses.RequestsMock) -> None:
    agreements(wire, "indigo-dc", "s1")
    agreements(wire, "other-lab", "s2")
    agreements(wire, "ml-users", "s3")
    for service in ("s1", "s2", "s3"):
        wire.get(f"{CMDB}/service/id/{service}", json=cmdb_answer(service))
    assert [provider.service_id for provider in providers_for(owner)] == ["s1"]
    assert [provider.service_id for provider in providers_for(stranger)] == ["s2"]
    assert [provider.service_id for provider in providers_for(owner, "ml-users")] == ["s3"]


def test_the_same_organisation_at_another_issuer_is_another_customer(owner: User, wire: responses.RequestsMock) -> None:
    agreements(wire, "indigo-dc", "s1")
    wire.get(f"{CMDB}/service/id/s1", json=cmdb_answer("ALPINE"))
    providers_for(owner)
    other = User.objects.create_user(issuer="https://other-iam.example.org", subject="x", organisation="indigo-dc")
    give_token(other)
    wire.replace(responses.GET, f"{SLAM}/rest/slam/preferences/indigo-dc", json=slam_answer())
    assert providers_for(other) == []


def test_a_group_has_to_be_ones_own(owner: User, wire: responses.RequestsMock) -> None:
    with pytest.raises(Problem) as caught:
        providers_for(owner, "physics")
    assert caught.value.id == "deployment:not-your-group"
    assert len(wire.calls) == 0


def test_without_organisation_there_is_nothing_to_look_up(owner: User, wire: responses.RequestsMock) -> None:
    owner.organisation = ""
    with pytest.raises(Problem) as caught:
        providers_for(owner)
    assert caught.value.id == "deployment:no-customer"


def test_slam_in_trouble_is_a_problem_and_is_not_kept(owner: User, wire: responses.RequestsMock) -> None:
    wire.get(f"{SLAM}/rest/slam/preferences/indigo-dc", status=500)
    with pytest.raises(ServiceError):
        providers_for(owner)
    wire.replace(responses.GET, f"{SLAM}/rest/slam/preferences/indigo-dc", json=slam_answer())
    assert providers_for(owner) == []


def test_cmdb_is_asked_side_by_side(owner: User, wire: responses.RequestsMock) -> None:
    services = [f"s{number}" for number in range(6)]
    agreements(wire, "indigo-dc", *services)
    together = threading.Barrier(len(services), timeout=5)

    def answer(request: Any) -> tuple[int, dict[str, str], str]:
        together.wait()  # breaks unless all of them are on their way at the same time
        return 200, {}, '{"data": {"sitename": "X"}}'

    for service in services:
        wire.add_callback(responses.GET, f"{CMDB}/service/id/{service}", callback=answer)
    assert {provider.sitename for provider in providers_for(owner)} == {"X"}


@pytest.mark.parametrize(
    ("service_type", "kinds"),
    [
        ("org.openstack.nova", {"CLOUD"}),
        ("com.amazonaws.ec2", {"CLOUD"}),
        ("eu.indigo-datacloud.marathon", {"MARATHON"}),
        ("eu.indigo-datacloud.chronos", {"CHRONOS"}),
        ("eu.deep.qcg", {"QCG"}),
        ("eu.deep.kubernetes", {"KUBERNETES"}),
        ("compute.k8s.io/v1", {"KUBERNETES"}),
        ("", {"CLOUD", "MARATHON", "CHRONOS", "QCG", "KUBERNETES"}),
    ],
)
def test_which_kinds_fit(service_type: str, kinds: set[str]) -> None:
    provider = Provider("a", "s", service_type=service_type)
    assert {k for k in ("CLOUD", "MARATHON", "CHRONOS", "QCG", "KUBERNETES") if provider.kind_fits(k)} == kinds
    assert provider.kind_fits("")


class TestAddresses:
    def test_without_im_all_four_come_from_the_orchestrator_once_an_hour(
        self, owner: User, wire: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        configure(monkeypatch, IM_URL="")
        answer = wire.get(
            f"{ORCHESTRATOR}/configuration",
            json={"slam_url": "https://slam.told.org/rest/slam/", "cmdb_url": "https://told.org/cmdb",
                  "im_url": "https://told.org/im", "monitoring_url": None},
        )  # fmt: skip
        for _ in range(2):
            found = service_addresses(owner)
        assert (found.slam, found.im) == ("https://slam.told.org/rest/slam", "https://told.org/im")
        assert found.monitoring == "https://monitoring.example.org"
        assert found.found
        assert answer.call_count == 1

    def test_configured_ones_need_no_call(self, owner: User, wire: responses.RequestsMock) -> None:
        assert service_addresses(owner).slam == SLAM
        assert len(wire.calls) == 0

    def test_the_version_is_asked_once_an_hour(self, owner: User, wire: responses.RequestsMock) -> None:
        answer = wire.get(f"{ORCHESTRATOR}/info", json={"build": {"version": "2.9.0"}})
        assert {orchestrator_info().version for _ in range(3)} == {"2.9.0"}
        assert answer.call_count == 1
