"""What owners do with deployments that exist, and what the orchestrator's rules forbid."""

import json
import uuid
from typing import Any

import pytest
import requests
import responses
from django.test import Client
from django.utils import timezone
from lxml import html

from accounts.models import User
from accounts.tokens import LoginExpired
from deepdash.errors import Problem
from deployments.actions import STUCK_AFTER, permissions
from deployments.clients.orchestrator import Info
from deployments.endpoints import orchestrator_info
from deployments.models import Action, Deployment, StatusEvent
from deployments.nodes import machine_facts, nodes_of
from deployments.operations import MOST, deployment_lock, deployment_reset, deployments_delete, node_act
from deployments.states import Status
from deployments.testing import make_deployment
from deployments.tests.conftest import ORCHESTRATOR
from deployments.tests.test_services import LIST, NOT_THERE
from deployments.trainings.testing import make_training

HTMX = {"HX-Request": "true"}
NEW, OLD = Info(version="3.0.1-FINAL"), Info(version="2.6.0-FINAL")
KEY = "-----BEGIN RSA PRIVATE KEY----- hush"
SYSTEM = {
    "class": "system", "id": "node", "state": "configured", "provider.host": "stack.example.org",
    "instance_id": "i-1", "net_interface.0.ip": "203.0.113.9", "disk.0.os.name": "linux",
    "disk.0.os.credentials.username": "cloudadm", "disk.0.os.credentials.private_key": KEY,
    "disk.0.os.credentials.password": "hunter22", "state.secret": "hush-hush", "x net_interface.0.ip": "hush",
}  # fmt: skip
MACHINE = {"vmProperties": [{"class": "network", "id": "pub", "state": "hush"}, SYSTEM]}


def text(response: Any) -> str:
    return str(response.content.decode())


def version(wire: responses.RequestsMock, number: str) -> None:
    wire.get(f"{ORCHESTRATOR}/info", json={"build": {"version": number}})


def stuck(owner: User) -> Deployment:
    return make_deployment(owner, status=Status.DELETE_IN_PROGRESS, status_since=timezone.now() - STUCK_AFTER * 2)


class TestPermissions:
    @pytest.mark.parametrize(
        ("fields", "word"),
        [
            ({"status": Status.GONE}, "gone"),
            ({"status": Status.UNCERTAIN}, "not named it"),
            ({"locked": True}, "locked"),
            ({"status": Status.DELETE_IN_PROGRESS}, "already"),
        ],
    )
    def test_why_something_can_not_be_deleted(self, owner: User, fields: dict[str, Any], word: str) -> None:
        assert word in permissions(make_deployment(owner, **fields), NEW).delete.why_not

    def test_old_orchestrators_lack_actions_and_an_unknown_one_is_not_guessed_at(self, owner: User) -> None:
        mine, hanging = make_deployment(owner, deployment_kind="OPENSTACK"), stuck(owner)
        assert permissions(mine, NEW).force.allowed
        assert permissions(mine, NEW).node_actions.allowed
        assert permissions(hanging, NEW).reset.allowed
        assert "needs orchestrator 3.0 or later; here it is 2.6.0" in permissions(mine, OLD).force.why_not
        assert "needs orchestrator 2.8 or later" in permissions(mine, OLD).node_actions.why_not
        assert "needs orchestrator 2.7 or later" in permissions(hanging, OLD).reset.why_not
        assert "not known right now" in permissions(mine, None).force.why_not
        assert permissions(mine, None).delete.allowed

    def test_only_a_deletion_that_hangs_can_be_given_up(self, owner: User) -> None:
        young = make_deployment(owner, status=Status.DELETE_IN_PROGRESS)
        assert "only begun" in permissions(young, NEW).reset.why_not
        assert "Only a deletion" in permissions(make_deployment(owner), NEW).reset.why_not

    @pytest.mark.parametrize("kind", ["MARATHON", "CHRONOS", "QCG", "KUBERNETES"])
    def test_containers_have_no_nodes(self, owner: User, kind: str) -> None:
        assert "container" in permissions(make_deployment(owner, deployment_kind=kind), NEW).nodes.why_not

    def test_nodes_rest_while_the_deployment_moves(self, owner: User) -> None:
        mine = make_deployment(owner, deployment_kind="OPENSTACK", status=Status.UPDATE_IN_PROGRESS)
        assert permissions(mine, NEW).nodes.allowed
        assert not permissions(mine, NEW).node_actions.allowed


class TestLock:
    def test_what_is_locked_is_not_deleted_until_it_is_unlocked(
        self, owner: User, browser: Client, wire: responses.RequestsMock
    ) -> None:
        mine = make_deployment(owner)
        wire.delete(f"{LIST}/{mine.uuid}", status=204)
        browser.post(f"/deployments/{mine.uuid}/lock", {"locked": "on"})
        assert browser.post(f"/deployments/{mine.uuid}/delete").status_code == 409
        assert len(wire.calls) == 0
        assert "Locked against deletion" in text(browser.get(f"/deployments/{mine.uuid}"))
        browser.post(f"/deployments/{mine.uuid}/lock")
        assert browser.post(f"/deployments/{mine.uuid}/delete").status_code == 302
        assert [action.what for action in Action.objects.order_by("pk")] == ["lock", "delete", "unlock", "delete"]

    def test_a_lock_pressed_twice_is_one_act(self, owner: User) -> None:
        mine = make_deployment(owner)
        for _ in range(2):
            deployment_lock(user=owner, deployment=mine, locked=True)
        assert Action.objects.count() == 1

    def test_asked_to_delete_what_is_locked_both_question_and_dialog_offer_to_unlock_it(
        self, owner: User, browser: Client
    ) -> None:
        mine = make_deployment(owner, locked=True)
        for address in (mine.get_absolute_url(), f"{mine.get_absolute_url()}/delete"):
            page = html.fromstring(browser.get(address).content.decode())
            assert "It is locked against deletion." in " ".join(page.text_content().split())
            assert not page.xpath("//form[contains(@action, '/delete')]//button[@type='submit']")
            assert page.xpath("//form[contains(@action, '/lock')]//button[normalize-space()='Unlock']")
        browser.post(f"{mine.get_absolute_url()}/lock")
        page = html.fromstring(browser.get(f"{mine.get_absolute_url()}/delete").content.decode())
        assert page.xpath("//form[contains(@action, '/delete')]//button[normalize-space()='Delete deployment']")

    def test_what_is_being_deleted_is_not_asked_about_again(self, owner: User, browser: Client) -> None:
        mine = make_deployment(owner, status=Status.DELETE_IN_PROGRESS)
        page = text(browser.get(f"{mine.get_absolute_url()}/delete"))
        assert "can’t be deleted now" in page
        assert "It is being deleted already." in page

    def test_what_is_gone_is_not_locked(self, owner: User) -> None:
        with pytest.raises(Problem, match="gone"):
            deployment_lock(user=owner, deployment=make_deployment(owner, status=Status.GONE), locked=True)

    def test_others_deployments_are_not_theirs_to_lock_reset_or_delete(self, owner: User, stranger: User) -> None:
        mine = make_deployment(owner, deployment_kind="OPENSTACK")
        for call in (
            lambda: deployment_lock(user=stranger, deployment=mine, locked=True),
            lambda: deployment_reset(user=stranger, deployment=mine),
            lambda: deployments_delete(user=stranger, deployments=[mine]),
            lambda: node_act(user=stranger, deployment=mine, node="n1", act="stop"),
        ):
            with pytest.raises(Deployment.DoesNotExist):
                call()


class TestReset:
    def test_a_stuck_deletion_is_given_up_and_can_be_asked_for_again(
        self, owner: User, browser: Client, wire: responses.RequestsMock
    ) -> None:
        mine = stuck(owner)
        version(wire, "2.8.0")
        sent = wire.patch(f"{LIST}/{mine.uuid}", status=204)
        assert browser.post(f"/deployments/{mine.uuid}/reset").status_code == 302
        assert json.loads(sent.calls[0].request.body) == {"status": "DELETE_FAILED"}
        mine.refresh_from_db()
        assert mine.status == Status.DELETE_FAILED
        assert permissions(mine, NEW).delete.allowed
        assert mine.events.get().status == "DELETE_FAILED"

    def test_an_old_orchestrator_is_not_even_asked(self, owner: User, wire: responses.RequestsMock) -> None:
        version(wire, "2.6.0")
        with pytest.raises(Problem, match=r"2\.7 or later"):
            deployment_reset(user=owner, deployment=stuck(owner))

    @pytest.mark.parametrize(
        ("answer", "problem", "result"),
        [
            ({"status": 409, "json": {"message": "Cannot reset a deployment in X state"}}, "action:refused", "failed"),
            ({"status": 403, "json": {"message": "Only the owner"}}, "action:refused", "failed"),
            ({"status": 503, "body": "<html>"}, "action:unsent", "failed"),
            ({"body": requests.exceptions.ReadTimeout()}, "action:unknown", "unknown"),
        ],
    )
    def test_failures_say_what_is_known_and_change_nothing(
        self, owner: User, wire: responses.RequestsMock, answer: dict[str, Any], problem: str, result: str
    ) -> None:
        mine = stuck(owner)
        version(wire, "3.0.0")
        wire.patch(f"{LIST}/{mine.uuid}", **answer)
        with pytest.raises(Problem) as caught:
            deployment_reset(user=owner, deployment=mine)
        assert caught.value.id == problem
        mine.refresh_from_db()
        assert mine.status == Status.DELETE_IN_PROGRESS
        assert Action.objects.get().result == result


class TestForce:
    def test_force_is_offered_and_sent_only_where_the_server_knows_it(
        self, owner: User, browser: Client, wire: responses.RequestsMock
    ) -> None:
        mine = make_deployment(owner, status=Status.DELETE_FAILED)
        wire.get(f"{LIST}/{mine.uuid}", status=503)
        version(wire, "2.8.0")
        sent = wire.delete(f"{LIST}/{mine.uuid}", status=409, json={"message": "no"})
        browser.post(f"/deployments/{mine.uuid}/delete", {"force": "true"})  # nobody knows the server's version yet
        assert "force" not in sent.calls[0].request.url
        assert "By force: The orchestrator’s version is not known" in text(
            browser.get(f"/deployments/{mine.uuid}/delete")
        )
        wire.replace(responses.GET, f"{ORCHESTRATOR}/info", json={"build": {"version": "3.0.1"}})
        orchestrator_info()
        assert 'name="force"' in text(browser.get(f"/deployments/{mine.uuid}/delete"))
        browser.post(f"/deployments/{mine.uuid}/delete", {"force": "true"})
        assert sent.calls[1].request.url.endswith("?force=true")


class TestMany:
    def picked(self, *deployments: Deployment) -> dict[str, list[str]]:
        return {"pick": [deployment.reference for deployment in deployments]}

    def test_the_question_names_what_goes_and_what_stays_and_deletes_nothing(
        self, owner: User, browser: Client, wire: responses.RequestsMock
    ) -> None:
        one, two = make_deployment(owner, title="First"), make_deployment(owner, title="Second", locked=True)
        page = text(browser.get("/deployments/delete", self.picked(one, two)))
        assert "Delete 1 deployment?" in page
        assert "First" in page
        assert "It is locked against deletion." in page
        assert len(wire.calls) == 0

    def test_each_has_its_own_result(self, owner: User, browser: Client, wire: responses.RequestsMock) -> None:
        good, gone, deleting, bad, locked = (make_deployment(owner, title=f"D{n}") for n in range(5))
        Deployment.objects.filter(pk=locked.pk).update(locked=True)
        wire.delete(f"{LIST}/{good.uuid}", status=204)
        wire.delete(f"{LIST}/{gone.uuid}", status=404, json=NOT_THERE)
        wire.delete(f"{LIST}/{deleting.uuid}", status=409,
                    json={"message": "Deployment already in DELETE_IN_PROGRESS state."})  # fmt: skip
        wire.delete(f"{LIST}/{bad.uuid}", status=403, json={"message": "Only the owner <b>"})
        page = text(browser.post("/deployments/delete", self.picked(good, gone, deleting, bad, locked)))
        assert "3 of 5 are being deleted" in page
        assert "Only the owner &lt;b&gt;" in page
        assert "Try the other 2 again" in page
        states = {d.title: d.status for d in Deployment.objects.all()}
        assert states == {
            "D0": "DELETE_IN_PROGRESS", "D1": "GONE", "D2": "DELETE_IN_PROGRESS", "D3": "CREATE_COMPLETE",
            "D4": "CREATE_COMPLETE",
        }  # fmt: skip
        assert sorted(action.result for action in Action.objects.all()) == ["done"] * 3 + ["failed"] * 2
        assert good.events.get().status == "DELETE_IN_PROGRESS"

    def test_with_one_that_is_gone_its_trainings_are_lost(self, owner: User, wire: responses.RequestsMock) -> None:
        mine = make_deployment(owner)
        run = make_training(mine, status="running")
        wire.delete(f"{LIST}/{mine.uuid}", status=404, json=NOT_THERE)
        deployments_delete(user=owner, deployments=[mine])
        run.refresh_from_db()
        assert run.status == "lost"

    def test_what_a_look_has_told_meanwhile_is_not_told_again(self, owner: User, wire: responses.RequestsMock) -> None:
        mine, other = make_deployment(owner), make_deployment(owner)
        Deployment.objects.filter(pk=mine.pk).update(status=Status.GONE, gone_at=timezone.now())
        Deployment.objects.filter(pk=other.pk).update(status=Status.DELETE_IN_PROGRESS)
        for deployment in (mine, other):
            wire.delete(f"{LIST}/{deployment.uuid}", status=204)
        outcomes = deployments_delete(user=owner, deployments=[mine, other])
        assert [outcome.problem for outcome in outcomes] == [None, None]
        assert Deployment.objects.get(pk=mine.pk).is_gone
        assert not StatusEvent.objects.exists()

    def test_fifty_take_few_statements(
        self, owner: User, browser: Client, wire: responses.RequestsMock, django_assert_max_num_queries: Any
    ) -> None:
        many = [make_deployment(owner) for _ in range(MOST)]
        for deployment in many:
            wire.delete(f"{LIST}/{deployment.uuid}", status=204)
        with django_assert_max_num_queries(14):  # of which three are the session's, and two a savepoint
            assert browser.post("/deployments/delete", self.picked(*many)).status_code == 302
        assert Deployment.objects.filter(status=Status.DELETE_IN_PROGRESS).count() == MOST

    def test_more_than_that_are_refused_before_anything_happens(
        self, owner: User, browser: Client, wire: responses.RequestsMock
    ) -> None:
        picked = {"pick": [str(uuid.uuid4()) for _ in range(MOST + 1)]}
        assert browser.get("/deployments/delete", picked).status_code == 422
        assert browser.post("/deployments/delete", picked).status_code == 422

    def test_others_are_neither_named_nor_deleted(
        self, owner: User, stranger: User, browser: Client, wire: responses.RequestsMock
    ) -> None:
        theirs = make_deployment(stranger, title="Hidden")
        key = {"pick": [str(theirs.submission_key), str(theirs.uuid), "\0", "x' OR 1=1"]}
        assert "Hidden" not in text(browser.get("/deployments/delete", key))
        page = text(browser.post("/deployments/delete", key))
        assert "Nothing was selected" in page
        assert len(wire.calls) == 0

    def test_a_refused_token_is_renewed_once_for_all(
        self, owner: User, wire: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        many = [make_deployment(owner) for _ in range(3)]
        renewals: list[str] = []

        def renew(user: User, **rejected: str) -> str:
            renewals.append("renewed")
            monkeypatch.setattr("deployments.clients.base.access_token_for", lambda user: "a-new-token")
            return "a-new-token"

        def answer(request: Any) -> tuple[int, dict[str, str], str]:
            new = request.headers["Authorization"] == "Bearer a-new-token"
            return (204, {}, "") if new else (401, {}, "{}")

        monkeypatch.setattr("deployments.clients.base.token_refresh_now", renew)
        for deployment in many:
            wire.add_callback(responses.DELETE, f"{LIST}/{deployment.uuid}", answer)
        outcomes = deployments_delete(user=owner, deployments=many)
        assert [outcome.problem for outcome in outcomes] == [None] * 3
        assert renewals == ["renewed"]

    def test_an_ended_login_is_said_and_nothing_recorded_as_deleted(
        self, owner: User, wire: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        mine = make_deployment(owner)
        monkeypatch.setattr("deployments.clients.base.token_refresh_now", lambda user, **rejected: "another")
        wire.delete(f"{LIST}/{mine.uuid}", status=401)
        with pytest.raises(LoginExpired):
            deployments_delete(user=owner, deployments=[mine])
        mine.refresh_from_db()
        assert mine.status == Status.CREATE_COMPLETE

    def test_the_list_lets_one_pick_what_is_there(self, owner: User, browser: Client, services: None) -> None:
        mine = make_deployment(owner)
        gone = make_deployment(owner, status=Status.GONE)
        page = text(browser.get("/deployments")) + text(browser.get("/deployments?status=gone"))
        assert f'name="pick" value="{mine.uuid}"' in page
        assert f'value="{gone.uuid}"' not in page


class TestNodes:
    @pytest.fixture
    def machine(self, owner: User) -> Deployment:
        return make_deployment(owner, deployment_kind="OPENSTACK", provider_name="provider-A")

    def prepare(self, wire: responses.RequestsMock, machine: Deployment, number: str = "2.8.0") -> None:
        version(wire, number)
        resource = {
            "uuid": "n1", "state": "STARTED", "toscaNodeType": "tosca.nodes.indigo.Compute",
            "toscaNodeName": "simple_node", "metadata": {"VirtualMachineInfo": json.dumps(MACHINE)},
        }  # fmt: skip
        volume = {"uuid": "v1", "state": "STARTED", "toscaNodeType": "tosca.nodes.BlockStorage"}
        odd = [{"state": "STARTED"}, {"uuid": "a b", "state": "STARTED"}, "n2"]  # each costs only itself
        wire.get(f"{LIST}/{machine.uuid}/resources", json={"content": [resource, *odd, volume], "links": []})
        wire.get(f"{LIST}/{machine.uuid}/extrainfo", body=json.dumps([MACHINE]), content_type="text/plain")

    def test_the_page_is_there_before_anybody_is_asked(
        self, browser: Client, machine: Deployment, wire: responses.RequestsMock
    ) -> None:
        assert f'hx-get="/deployments/{machine.uuid}/nodes"' in text(browser.get(f"/deployments/{machine.uuid}/nodes"))
        assert len(wire.calls) == 0

    def test_state_and_facts_are_shown_and_credentials_never(
        self, browser: Client, machine: Deployment, wire: responses.RequestsMock
    ) -> None:
        self.prepare(wire, machine)
        page = text(browser.get(f"/deployments/{machine.uuid}/nodes", headers=HTMX))
        assert "simple_node" in page
        assert "203.0.113.9" in page
        assert "stack.example.org" in page
        assert page.count('value="stop"') == 1  # a volume can't be stopped
        assert "Extra info" not in page  # it says the same again
        for secret in ("PRIVATE KEY", "hush", "hunter22", "cloudadm"):
            assert secret not in page

    @pytest.mark.parametrize(
        "odd", [None, "", "not json", "[" * 100_000, [], {"vmProperties": None}, {"vmProperties": ["x", 5]}, 7]
    )
    def test_odd_information_is_no_information(self, odd: Any) -> None:
        assert machine_facts(odd) == []

    def test_missing_extra_info_leaves_the_nodes(
        self, owner: User, machine: Deployment, wire: responses.RequestsMock
    ) -> None:
        self.prepare(wire, machine)
        wire.replace(responses.GET, f"{LIST}/{machine.uuid}/extrainfo", status=500)
        found = nodes_of(owner, machine)
        assert found.nodes[0].name == "simple_node"
        assert found.problem is not None

    def test_an_orchestrator_in_trouble_is_said(
        self, browser: Client, machine: Deployment, wire: responses.RequestsMock
    ) -> None:
        wire.get(f"{LIST}/{machine.uuid}/resources", status=503)
        assert "reports a fault" in text(browser.get(f"/deployments/{machine.uuid}/nodes?fresh=1"))

    def test_a_node_is_stopped_once_and_on_record(
        self, browser: Client, machine: Deployment, wire: responses.RequestsMock
    ) -> None:
        self.prepare(wire, machine)
        sent = wire.post(f"{LIST}/{machine.uuid}/resources/n1/actions", status=202)
        answer = browser.post(f"/deployments/{machine.uuid}/nodes/n1", {"act": "stop"})
        assert answer.headers["Location"] == f"/deployments/{machine.uuid}/nodes"
        assert json.loads(sent.calls[0].request.body) == {"type": "stop"}
        assert (Action.objects.get().what, Action.objects.get().detail) == ("node-stop", "n1")

    def test_a_node_in_the_wrong_state_is_a_refusal(
        self, owner: User, machine: Deployment, wire: responses.RequestsMock
    ) -> None:
        self.prepare(wire, machine)
        wire.post(f"{LIST}/{machine.uuid}/resources/n1/actions", status=500,
                  json={"message": "Error validating action request: wrong state"})  # fmt: skip
        with pytest.raises(Problem) as caught:
            node_act(user=owner, deployment=machine, node="n1", act="start")
        assert caught.value.id == "action:refused"

    def test_nothing_but_start_and_stop_is_sent(
        self, browser: Client, machine: Deployment, wire: responses.RequestsMock
    ) -> None:
        assert browser.post(f"/deployments/{machine.uuid}/nodes/n1", {"act": "destroy"}).status_code == 400
        assert len(wire.calls) == 0
