"""The life of a deployment through our services, against the sandbox in a process of its own."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from django.core.cache import cache

from accounts.models import User
from accounts.testing import configure, give_token
from deepdash.config import BASE_DIR
from deployments.actions import STUCK_AFTER
from deployments.clients.orchestrator import Orchestrator
from deployments.colleagues import group_list
from deployments.endpoints import orchestrator_info, service_addresses
from deployments.logs import log_of
from deployments.models import Action, Deployment, Notice
from deployments.nodes import nodes_of
from deployments.operations import deployment_reset, deployments_delete, node_act
from deployments.providers import providers_for
from deployments.readiness import deployments_probe
from deployments.services import deployment_delete, deployment_refresh, deployments_follow, deployments_sync
from deployments.status import describe
from deployments.testing import make_deployment

SAMPLE = BASE_DIR / "sandbox/sample/tosca-templates/indigo-dc/deep-oc"
TEMPLATE = SAMPLE / "deep-oc-marathon-webdav.yml"
MACHINE = SAMPLE / "deep-oc-virtual-machine.yaml"
PATIENCE = 120  # seconds


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a sandbox fifty times as fast as life."""
    state: Path = tmp_path_factory.mktemp("sandbox")
    command = [sys.executable, "-m", "sandbox", "--port", "0", "--speed", "50", "--state", str(state)]
    process = subprocess.Popen(command, cwd=BASE_DIR, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + PATIENCE
        while not (state / "url").exists():
            assert process.poll() is None, "the sandbox ended"
            assert time.monotonic() < end, "the sandbox did not start"
            time.sleep(0.05)
        yield (state / "url").read_text(encoding="utf-8").strip().rstrip("/")
    finally:
        process.terminate()
        process.wait(PATIENCE)


@pytest.fixture
def person(sandbox: str, monkeypatch: pytest.MonkeyPatch, db: None) -> Callable[[str], User]:
    """Signs a person of the sandbox in."""
    requests.post(f"{sandbox}/control/reset", timeout=10)
    cache.clear()
    configure(
        monkeypatch,
        IAM_BASE_URL=f"{sandbox}/iam",
        ORCHESTRATOR_URL=f"{sandbox}/orchestrator",
        SLAM_URL=f"{sandbox}/slam",
        CMDB_URL=f"{sandbox}/cmdb",
        IM_URL=f"{sandbox}/im",
        OUTBOUND_ALLOWED_NETWORKS=["127.0.0.0/8"],
    )

    def signed_in(name: str) -> User:
        token = requests.post(f"{sandbox}/control/tokens", json={"person": name}, timeout=10).json()["access_token"]
        bearer = {"Authorization": f"Bearer {token}"}
        told = requests.get(f"{sandbox}/iam/userinfo", headers=bearer, timeout=10).json()
        user = User.objects.create_user(
            issuer=f"{sandbox}/iam",
            subject=told["sub"],
            organisation=told["organisation_name"],
            groups=told.get("groups", []),
        )
        give_token(user, token)
        return user

    return signed_in


def ask(user: User, description: str, template: Path = TEMPLATE) -> str:
    parameters = {"docker_image": "deephdc/x:cpu", "deployment_description": description}
    text = template.read_text(encoding="utf-8")
    return Orchestrator(user).create(template=text, parameters=parameters).uuid


def until(user: User, uuid: str, wanted: Callable[[Deployment], bool]) -> Deployment:
    """The deployment as soon as it is as wanted."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found = deployment_refresh(user=user, uuid=uuid)
        if wanted(found):
            return found
        time.sleep(0.05)
    raise AssertionError(f"{uuid} stays {found.status}")


def test_it_comes_up_answers_and_goes(person: Callable[[str], User]) -> None:
    ada = person("ada")
    uuid = ask(ada, "Field trip")
    assert deployments_sync(user=ada).new == 1
    made = until(ada, uuid, lambda it: it.is_complete)
    assert made.shown_title == "Field trip"
    assert "deepaas_endpoint" in made.outputs
    end = time.monotonic() + PATIENCE
    while not made.answers and time.monotonic() < end:
        cache.clear()
        Deployment.objects.filter(pk=made.pk).update(checked_at=None)
        made.refresh_from_db()
        deployments_probe([made])
        time.sleep(0.1)
    assert describe(made).label == "Ready"
    deployment_delete(user=ada, deployment=made)
    deployment_delete(user=ada, deployment=made)  # a second time is no error
    until(ada, uuid, lambda it: it.is_gone)
    assert deployments_sync(user=ada).listed == 0


@pytest.mark.parametrize(
    ("description", "gist"),
    [
        ("x sandbox-noprovider", "No provider meets its requirements"),
        ("x sandbox-fail", ""),
    ],
)
def test_failures_come_with_their_reason(description: str, gist: str, person: Callable[[str], User]) -> None:
    ada = person("ada")
    uuid = ask(ada, description)
    deployments_sync(user=ada)
    end = time.monotonic() + PATIENCE
    mine = Deployment.objects.visible_to(ada).filter(uuid=uuid)
    while not mine.filter(status="CREATE_FAILED").exists() and time.monotonic() < end:
        deployments_follow(user=ada)
        time.sleep(0.05)
    failed = mine.get()
    view = describe(failed)
    assert view.label == "Creation failed"
    assert view.sub == (gist or view.sub) != ""
    assert not log_of(failed, user=ada).text


def test_virtual_machines_have_a_log(person: Callable[[str], User]) -> None:
    ada = person("ada")
    uuid = ask(ada, "machine", MACHINE)
    deployments_sync(user=ada)
    made = until(ada, uuid, lambda it: it.is_complete)
    found = log_of(made, user=ada)
    assert found.available
    assert "VM 0" in found.text
    assert Orchestrator(ada).template(uuid) == MACHINE.read_text(encoding="utf-8")
    assert {node.node_type for node in Orchestrator(ada).resources(uuid)}


@pytest.mark.parametrize("name", ["ben", "mallory"])
def test_neither_colleague_nor_stranger_meets_it(name: str, person: Callable[[str], User]) -> None:
    ada, other = person("ada"), person(name)
    uuid = ask(ada, "private")
    deployments_sync(user=ada)
    assert deployments_sync(user=other).listed == 0
    with pytest.raises(Deployment.DoesNotExist):
        deployment_refresh(user=other, uuid=uuid)


def test_a_lost_answer_is_found_again(person: Callable[[str], User]) -> None:
    ada = person("ada")
    uuid = ask(ada, "lost")
    text = TEMPLATE.read_text(encoding="utf-8")
    lost = make_deployment(ada, status="UNCERTAIN", template_text=text, issuer=ada.issuer, subject=ada.subject)
    deployments_sync(user=ada)
    lost.refresh_from_db()
    assert lost.uuid == uuid
    assert Deployment.objects.visible_to(ada).count() == 1


def test_providers_addresses_and_version(person: Callable[[str], User], monkeypatch: pytest.MonkeyPatch) -> None:
    ada = person("ada")
    configured: dict[str, Any] = {provider.sla_id: provider for provider in providers_for(ada)}
    assert any(provider.gpu_support for provider in configured.values())
    assert all(provider.problem is None for provider in configured.values())
    assert providers_for(ada, "ml-users")
    cache.clear()
    configure(monkeypatch, IM_URL="", SLAM_URL="", CMDB_URL="")
    assert service_addresses(ada).found
    assert {provider.sla_id for provider in providers_for(ada)} == set(configured)
    assert orchestrator_info().at_least("2.2.0")


def test_the_nodes_of_a_machine_are_stopped_and_started_and_tell_no_secret(person: Callable[[str], User]) -> None:
    ada = person("ada")
    made = until(ada, ask(ada, "Machine", MACHINE), lambda it: it.is_complete)
    (node, *_) = nodes_of(ada, made).nodes
    assert node.state_name == "Started"
    told = Orchestrator(ada).resources(str(made.uuid))
    assert "PRIVATE KEY" in str([resource.metadata for resource in told])
    assert "PRIVATE KEY" not in str(nodes_of(ada, made))
    for act, state in (("stop", "STOPPED"), ("start", "STARTED")):
        node_act(user=ada, deployment=made, node=node.uuid, act=act)
        end = time.monotonic() + PATIENCE
        while nodes_of(ada, made).nodes[0].state != state and time.monotonic() < end:
            time.sleep(0.05)
        assert nodes_of(ada, made).nodes[0].state == state


def test_a_deletion_that_hangs_is_given_up_and_forced(person: Callable[[str], User], sandbox: str) -> None:
    ada = person("ada")
    made = until(ada, ask(ada, "Hangs"), lambda it: it.is_complete)
    requests.put(f"{sandbox}/control/deployments/{made.uuid}", json={"status": "DELETE_IN_PROGRESS"}, timeout=10)
    hanging = until(ada, str(made.uuid), lambda it: it.status == "DELETE_IN_PROGRESS")
    hanging.status_since -= STUCK_AFTER * 2
    hanging.save()
    deployment_reset(user=ada, deployment=hanging)
    assert until(ada, str(made.uuid), lambda it: True).status == "DELETE_FAILED"
    (outcome,) = deployments_delete(user=ada, deployments=[hanging])
    assert outcome.problem is None
    until(ada, str(made.uuid), lambda it: it.is_gone)
    assert [action.what for action in Action.objects.order_by("pk")] == ["reset", "delete"]
    assert [notice.kind for notice in Notice.objects.of(ada)] == ["ready"]  # what one did oneself is no news


def test_of_a_group_is_shown_what_the_orchestrator_lists_and_nothing_else(person: Callable[[str], User]) -> None:
    """By contract 1.1 some list only one's own, and everybody's to their administrators alone."""
    ada, ben = person("ada"), person("ben")
    group = next(name for name in ada.groups if name in ben.groups)
    text, inputs = TEMPLATE.read_text(encoding="utf-8"), {"docker_image": "deephdc/x:cpu"}
    mine, _ = (Orchestrator(it).create(template=text, parameters=inputs, user_group=group).uuid for it in (ada, ben))
    ask(ada, "For no group")
    (shared,) = group_list(ada, group).shared
    assert (shared.row.deployment.uuid, shared.mine) == (mine, True)
    assert not Deployment.objects.visible_to(ada).exists()
