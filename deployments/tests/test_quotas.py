"""Limits of agreements: read from SLAM, held against what the user's deployments hold, shown where one chooses."""

from typing import Any

import pytest
import responses
from django.test import Client

from accounts.models import User
from accounts.testing import make_user
from catalog.testing import make_module, make_template
from deployments.clients.slam import Target
from deployments.models import Deployment
from deployments.quotas import Held, Quota, excess, held_by, quotas_of
from deployments.states import Status
from deployments.testing import make_deployment
from deployments.tests.conftest import CMDB, ORCHESTRATOR, SLAM
from deployments.tests.test_configure import RAW, shown, words


def target(type: str, restrictions: Any, unit: str | None = None) -> Target:
    return Target.model_validate({"type": type, "unit": unit, "restrictions": restrictions})


@pytest.mark.parametrize(
    ("restrictions", "said"),
    [
        ({"user_limit": 3}, ["3 for each user"]),
        ({"user-limit": 3, "instance-limit": "2"}, ["3 for each user", "2 for each deployment"]),
        ({"total_limit": 10, "total_guaranteed": 4, "user_guaranteed": 1}, ["10 in all", "4 of them guaranteed"]),
        ({"user_limit": None}, []),
        ({"user_limit": "many"}, []),
        (None, []),
        ([], []),
    ],
)
def test_limits_are_read_as_slam_writes_them(restrictions: Any, said: list[str]) -> None:
    assert [quota.said for quota in quotas_of([target("num_gpus", restrictions)])] == ([said] if said else [])


def test_units_and_unknown_metrics_are_told_as_they_are() -> None:
    (hours,) = quotas_of([target("computing_time", {"total_limit": 100}, "h")])
    assert (hours.name, hours.said) == ("Computing time", ["100 h in all"])
    (other,) = quotas_of([target("floating_things", {"total_limit": 1})])
    assert other.name == "Floating things"


def at(service: str, **fields: Any) -> dict[str, Any]:
    return {"provider_endpoint": {"service_id": service}, **fields}


def test_what_is_held_is_counted_by_service_and_only_while_it_holds_something(owner: User) -> None:
    make_deployment(owner, **at("s1", num_cpus=4, num_gpus=1))
    make_deployment(owner, **at("s1", num_gpus=1, status=Status.DELETE_FAILED))
    make_deployment(owner, **at("s1", num_gpus=8, status=Status.CREATE_FAILED))
    make_deployment(owner, **at("s1", num_gpus=8, status=Status.GONE))
    make_deployment(owner, **at("s2", num_cpus=2, status=Status.CREATE_IN_PROGRESS))
    make_deployment(owner, num_cpus=99, status=Status.SUBMITTING)
    make_deployment(make_user("ben"), **at("s1", num_gpus=8))
    assert held_by(owner) == {"s1": Held(cpus=4, gpus=2), "s2": Held(cpus=2)}


@pytest.fixture
def agreement(wire: responses.RequestsMock) -> None:
    targets = [{"type": "num_gpus", "unit": None, "restrictions": {"user_limit": 3, "total_limit": 6}}]
    services = [{"type": "computing", "service_id": "s1", "targets": targets}]
    sla = {"id": "sla-1", "provider": "provider-ALPINE", "services": services}
    wire.get(f"{SLAM}/rest/slam/preferences/indigo-dc", json={"preferences": [], "sla": [sla]})
    facts = {"sitename": "ALPINE", "service_type": "eu.indigo-datacloud.marathon", "properties": {"gpu_support": True}}
    wire.get(f"{CMDB}/service/id/s1", json={"data": facts})


@pytest.mark.usefixtures("agreement")
def test_the_providers_page_tells_limits_and_what_is_held_of_them(browser: Client, owner: User) -> None:
    make_deployment(owner, **at("s1", num_gpus=2))
    page = words(browser.get("/slas?fresh=1"))
    assert "GPUs: 3 for each user, 6 in all" in page
    assert "You hold 2 of 3 GPUs" in page


@pytest.mark.usefixtures("agreement")
def test_the_form_tells_them_beside_each_provider_and_before_sending(
    browser: Client, owner: User, wire: responses.RequestsMock
) -> None:
    module = make_module(templates=(make_template(RAW, path="own.yml", display_name="Own"),))
    make_deployment(owner, **at("s1", num_gpus=3))
    page = words(browser.get(f"/module/{module.slug}/providers?hardware=gpu"))
    assert "ALPINE: Marathon (containers), GPUs; you hold 3 of 3 GPUs" in page
    page = words(browser.get("/preflight/providers?kind=MARATHON&cpus=1&gpus=1&provider=sla-1"))
    assert "The agreement with ALPINE allows you 3 GPUs; you hold 3 and want 1" in page
    assert "The agreement with ALPINE allows you 3 GPUs" in words(browser.get(f"/module/{module.slug}?hardware=gpu"))


@pytest.mark.usefixtures("agreement")
def test_the_name_of_the_provider_that_was_chosen_is_kept(browser: Client, wire: responses.RequestsMock) -> None:
    module = make_module(templates=(make_template(RAW, path="own.yml", display_name="Own"),))
    browser.get(f"/module/{module.slug}/providers")
    wire.get(f"{ORCHESTRATOR}/info", json={"build": {"version": "2.8.0-FINAL"}})
    wire.post(f"{ORCHESTRATOR}/deployments", status=201, json={"uuid": "11ed8ab3", "status": "CREATE_IN_PROGRESS"})
    form = shown(browser.get(f"/module/{module.slug}?run=deepaas"))
    browser.post(f"/module/{module.slug}", {**form, "provider": "sla-1", "action": "deploy"})
    made = Deployment.objects.get()
    assert made.provider_choice == {"mode": "manual", "sla_id": "sla-1", "label": "ALPINE"}
    assert "ALPINE, chosen by you" in words(browser.get(made.get_absolute_url()))


def test_limits_of_everybody_count_too() -> None:
    limited = [Quota("num_cpus", total=4)]
    assert excess("ALPINE", limited, Held(cpus=3), wanted=Held(cpus=1)) == ""
    said = "The agreement with ALPINE allows all of you 4 CPUs; you hold 3 and want 2"
    assert excess("ALPINE", limited, Held(cpus=3), wanted=Held(cpus=2)) == said
