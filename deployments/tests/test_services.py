"""What looks at the orchestrator change here, and what is asked of it."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import requests
import responses
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from accounts.tokens import LoginExpired
from catalog.models import Module
from deepdash.errors import Problem
from deepdash.http import ServiceError, side_by_side
from deployments import services
from deployments.clients.orchestrator import UpstreamDeployment
from deployments.models import Deployment, StatusEvent
from deployments.services import (
    deployment_accepted,
    deployment_delete,
    deployment_refresh,
    deployment_rename,
    deployment_uncertain,
    deployments_follow,
    deployments_sync,
)
from deployments.states import Status
from deployments.testing import listing, make_deployment, upstream
from deployments.tests.conftest import ORCHESTRATOR

LIST = f"{ORCHESTRATOR}/deployments"
NOT_THERE = {"code": 404, "title": "Not Found", "message": "The deployment <u1> doesn't exist"}


def of(deployment: Deployment, **fields: Any) -> dict[str, Any]:
    """What the orchestrator would say of a record that has not changed."""
    values = {
        "status": deployment.status,
        "task": deployment.task or None,
        "outputs": deployment.outputs,
        "creationTime": deployment.created_at.isoformat(),
        "updateTime": None,
        "createdBy": {"issuer": deployment.issuer, "subject": deployment.subject},
    }
    return upstream(str(deployment.uuid), **(values | fields))


class TestSync:
    def test_changes_are_recorded_with_a_line_in_the_timeline(self, owner: User, wire: responses.RequestsMock) -> None:
        mine = make_deployment(owner, status=Status.CREATE_IN_PROGRESS, outputs={})
        outputs = {"deepaas_endpoint": "http://203.0.113.7:1", "jupyter_password": "hunter2",
                   "deployment_description": "Field trip"}  # fmt: skip
        wire.get(
            LIST, json=listing(of(mine, status="CREATE_COMPLETE", outputs=outputs, cloudProviderName="provider-SITE"))
        )
        result = deployments_sync(user=owner)
        assert (result.listed, result.new, result.changed, result.gone) == (1, 0, 1, 0)
        mine.refresh_from_db()
        assert mine.status == mine.known_status == "CREATE_COMPLETE"
        assert (mine.provider_name, mine.description) == ("provider-SITE", "Field trip")
        assert "jupyter_password" not in mine.outputs
        assert mine.secret_outputs == ["jupyter_password"]
        assert mine.seen_at == result.at
        (event,) = mine.events.all()
        assert (event.status, event.provider_name) == ("CREATE_COMPLETE", "provider-SITE")
        assert mine.title == "Alpine plants", "what is ours stays"

    def test_nothing_new_leaves_no_line_but_is_seen(self, owner: User, wire: responses.RequestsMock) -> None:
        mine = make_deployment(owner)
        wire.get(LIST, json=listing(of(mine)))
        for _ in range(2):
            result = deployments_sync(user=owner)
            assert result.changed == 0
        mine.refresh_from_db()
        assert mine.seen_at == result.at
        assert not mine.events.exists()

    def test_ones_made_elsewhere_get_a_record_with_what_can_be_known(
        self, owner: User, wire: responses.RequestsMock
    ) -> None:
        Module.objects.create(slug="deep-oc-demo-app", title="Demo", docker_image="deephdc/deep-oc-demo_app")
        outputs = {"Docker_image": "deephdc/deep-oc-demo_app:gpu", "Docker_num_gpus": "2", "Docker_num_cpus": 4}
        wire.get(LIST, json=listing(upstream("u1", owner=owner, status="CREATE_COMPLETE", outputs=outputs)))
        assert deployments_sync(user=owner).new == 1
        found = Deployment.objects.visible_to(owner).get(uuid="u1")
        assert (found.module_slug, found.docker_image) == ("deep-oc-demo-app", "deephdc/deep-oc-demo_app:gpu")
        assert (found.num_cpus, found.num_gpus) == (4, 2)
        assert not found.made_here
        assert deployments_sync(user=owner).new == 0

    def test_others_in_the_list_are_left_alone(self, owner: User, stranger: User, wire: responses.RequestsMock) -> None:
        theirs = make_deployment(stranger, status=Status.CREATE_IN_PROGRESS)
        anonymous = upstream(str(theirs.uuid), status="CREATE_FAILED")
        wire.get(LIST, json=listing(upstream("u1", owner=stranger), of(theirs, status="CREATE_FAILED"), anonymous))
        result = deployments_sync(user=owner)
        assert result.new == 0
        assert not Deployment.objects.visible_to(owner).exists()
        theirs.refresh_from_db()
        assert theirs.status == "CREATE_IN_PROGRESS"
        assert theirs.owner == stranger

    def test_those_no_longer_listed_are_gone_but_kept(self, owner: User, wire: responses.RequestsMock) -> None:
        mine = make_deployment(owner, status=Status.DELETE_IN_PROGRESS)
        wire.get(LIST, json=listing())
        assert deployments_sync(user=owner).gone == 1
        mine.refresh_from_db()
        assert mine.status == "GONE"
        assert mine.known_status == "DELETE_IN_PROGRESS"
        assert mine.gone_at
        assert [event.status for event in mine.events.all()] == ["GONE"]
        assert deployments_sync(user=owner).gone == 0

    def test_one_that_is_listed_again_is_not_gone_any_more(self, owner: User, wire: responses.RequestsMock) -> None:
        mine = make_deployment(owner, status=Status.GONE)
        wire.get(LIST, json=listing(of(mine, status="CREATE_COMPLETE")))
        deployments_sync(user=owner)
        mine.refresh_from_db()
        assert mine.gone_at is None
        assert mine.status == "CREATE_COMPLETE"

    def test_an_incomplete_list_proves_no_absence(self, owner: User, wire: responses.RequestsMock) -> None:
        mine = make_deployment(owner)
        wire.get(LIST, json=listing({"no": "uuid"}))
        assert deployments_sync(user=owner).gone == 0
        mine.refresh_from_db()
        assert mine.gone_at is None

    def test_a_failing_orchestrator_changes_nothing(self, owner: User, wire: responses.RequestsMock) -> None:
        mine = make_deployment(owner)
        wire.get(LIST, status=503, body="<html>")
        with pytest.raises(ServiceError):
            deployments_sync(user=owner)
        seen = mine.seen_at
        mine.refresh_from_db()
        assert (mine.status, mine.seen_at, mine.gone_at) == ("CREATE_COMPLETE", seen, None)

    def test_a_later_look_is_not_undone_by_an_earlier_answer(self, owner: User, wire: responses.RequestsMock) -> None:
        mine = make_deployment(owner, seen_at=timezone.now() + timedelta(seconds=5))
        newer = make_deployment(owner, seen_at=timezone.now() + timedelta(seconds=5))
        wire.get(LIST, json=listing(of(mine, status="CREATE_IN_PROGRESS")))
        deployments_sync(user=owner)
        mine.refresh_from_db()
        newer.refresh_from_db()
        assert mine.status == "CREATE_COMPLETE"
        assert newer.gone_at is None

    def test_unknown_keeps_what_was_known(self, owner: User, wire: responses.RequestsMock) -> None:
        mine = make_deployment(owner)
        wire.get(LIST, json=listing(of(mine, status="UNKNOWN")))
        deployments_sync(user=owner)
        mine.refresh_from_db()
        assert (mine.status, mine.known_status) == ("UNKNOWN", "CREATE_COMPLETE")

    def test_tokens_in_reasons_are_not_stored(self, owner: User, wire: responses.RequestsMock) -> None:
        mine = make_deployment(owner, status=Status.CREATE_IN_PROGRESS)
        reason = "Invalid token: eyJhbGciOi.eyJzdWIi.c2ln and\0more"
        wire.get(LIST, json=listing(of(mine, status="CREATE_FAILED", statusReason=reason)))
        deployments_sync(user=owner)
        mine.refresh_from_db()
        assert "eyJ" not in mine.status_reason
        assert "\0" not in mine.status_reason

    def test_two_thousand_take_the_same_few_statements_as_two(self, owner: User, wire: responses.RequestsMock) -> None:
        many = [upstream(owner=owner, outputs={"deployment_description": str(n)}) for n in range(2000)]
        wire.get(LIST, json=listing(*many))
        with CaptureQueriesContext(connection) as first:
            assert deployments_sync(user=owner).new == 2000
        changed = [item | {"status": "CREATE_COMPLETE", "cloudProviderName": "provider-SITE"} for item in many]
        wire.replace(responses.GET, LIST, json=listing(*changed))
        with CaptureQueriesContext(connection) as second:
            assert deployments_sync(user=owner).changed == 2000
        wire.replace(responses.GET, LIST, json=listing())
        with CaptureQueriesContext(connection) as third:
            assert deployments_sync(user=owner).gone == 2000
        assert max(len(first), len(second), len(third)) <= 10
        assert len(wire.calls) == 3, "one page of the list each time"
        assert StatusEvent.objects.count() == 4000

    def test_an_ended_login_is_not_swallowed(self, owner: User, wire: responses.RequestsMock) -> None:
        owner.token.delete()
        with pytest.raises(LoginExpired):
            deployments_sync(user=owner)


class TestFollow:
    def test_only_what_moves_is_asked_for(self, owner: User, wire: responses.RequestsMock) -> None:
        make_deployment(owner)
        moving = make_deployment(owner, status=Status.CREATE_IN_PROGRESS)
        ending = make_deployment(owner, status=Status.DELETE_IN_PROGRESS)
        wire.get(f"{LIST}/{moving.uuid}", json=of(moving, status="CREATE_COMPLETE"))
        wire.get(f"{LIST}/{ending.uuid}", status=404, json=NOT_THERE)
        told = deployments_follow(user=owner)
        assert {deployment.pk for deployment in told} == {moving.pk, ending.pk}
        moving.refresh_from_db()
        ending.refresh_from_db()
        assert (moving.status, ending.status) == ("CREATE_COMPLETE", "GONE")
        assert len(wire.calls) == 2

    def test_nothing_moving_asks_nothing(self, owner: User, wire: responses.RequestsMock) -> None:
        make_deployment(owner)
        assert deployments_follow(user=owner) == []
        assert len(wire.calls) == 0

    def test_many_are_cheaper_as_a_list(self, owner: User, wire: responses.RequestsMock) -> None:
        moving = [make_deployment(owner, status=Status.CREATE_IN_PROGRESS) for _ in range(services.FEW + 1)]
        wire.get(LIST, json=listing(*[of(item) for item in moving]))
        deployments_follow(user=owner)
        assert len(wire.calls) == 1

    def test_what_could_be_read_is_kept_when_another_fails(self, owner: User, wire: responses.RequestsMock) -> None:
        first = make_deployment(owner, status=Status.CREATE_IN_PROGRESS)
        second = make_deployment(owner, status=Status.CREATE_IN_PROGRESS)
        wire.get(f"{LIST}/{first.uuid}", json=of(first, status="CREATE_COMPLETE"))
        wire.get(f"{LIST}/{second.uuid}", status=503)
        with pytest.raises(ServiceError):
            deployments_follow(user=owner)
        first.refresh_from_db()
        assert first.status == "CREATE_COMPLETE"

    def test_a_record_that_went_meanwhile_is_left_alone(
        self, owner: User, wire: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        first, second = (make_deployment(owner, status=Status.CREATE_IN_PROGRESS) for _ in range(2))
        wire.get(f"{LIST}/{first.uuid}", json=of(first, status="CREATE_COMPLETE"))
        wire.get(f"{LIST}/{second.uuid}", status=404, json=NOT_THERE)

        def asked(calls: list[Callable[[], Any]]) -> list[Any]:
            answers = side_by_side(calls)
            Deployment.objects.all().delete()
            return answers

        monkeypatch.setattr(services, "side_by_side", asked)
        assert deployments_follow(user=owner) == []

    def test_a_refused_token_is_renewed_through_the_list(
        self, owner: User, wire: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("deployments.clients.base.token_refresh_now", lambda user, rejected="": "renewed")
        moving = make_deployment(owner, status=Status.CREATE_IN_PROGRESS)
        wire.get(f"{LIST}/{moving.uuid}", status=401)
        wire.get(LIST, status=401)
        wire.get(LIST, json=listing(of(moving, status="CREATE_COMPLETE")))
        deployments_follow(user=owner)
        moving.refresh_from_db()
        assert moving.status == "CREATE_COMPLETE"


class TestRefresh:
    def test_it_reads_the_one(self, owner: User, wire: responses.RequestsMock) -> None:
        mine = make_deployment(owner, status=Status.CREATE_IN_PROGRESS)
        wire.get(f"{LIST}/{mine.uuid}", json=of(mine, status="CREATE_FAILED", statusReason="Quota exceeded"))
        found = deployment_refresh(user=owner, uuid=str(mine.uuid))
        assert (found.pk, found.status, found.status_reason) == (mine.pk, "CREATE_FAILED", "Quota exceeded")

    @pytest.mark.parametrize("gone", [True, False])
    def test_what_happened_while_the_orchestrator_was_asked_counts_more(
        self, *, gone: bool, owner: User, wire: responses.RequestsMock
    ) -> None:
        mine = make_deployment(owner)
        before = of(mine)

        def answer(_request: object) -> tuple[int, dict[str, str], str]:
            deployment_delete(user=owner, deployment=Deployment.objects.get(pk=mine.pk))
            return (404, {}, json.dumps(NOT_THERE)) if gone else (200, {}, json.dumps(before))

        wire.add_callback("GET", f"{LIST}/{mine.uuid}", answer)
        wire.delete(f"{LIST}/{mine.uuid}", status=204)
        assert deployment_refresh(user=owner, uuid=str(mine.uuid)).status == "DELETE_IN_PROGRESS"
        mine.refresh_from_db()
        assert mine.status == "DELETE_IN_PROGRESS"

    def test_one_that_is_no_longer_known_is_gone_but_kept(self, owner: User, wire: responses.RequestsMock) -> None:
        mine = make_deployment(owner)
        answer = wire.get(f"{LIST}/{mine.uuid}", status=404, json=NOT_THERE)
        for _ in range(2):
            assert deployment_refresh(user=owner, uuid=str(mine.uuid)).is_gone
        assert answer.call_count == 1

    @pytest.mark.parametrize(
        "body", ["<html>404 nginx</html>", '{"code": 404, "message": "No handler found for GET /x"}']
    )
    def test_a_proxy_that_lost_its_way_buries_nobody(
        self, body: str, owner: User, wire: responses.RequestsMock
    ) -> None:
        mine = make_deployment(owner, status=Status.CREATE_IN_PROGRESS)
        wire.get(f"{LIST}/{mine.uuid}", status=404, body=body)
        wire.delete(f"{LIST}/{mine.uuid}", status=404, body=body)
        with pytest.raises(ServiceError):
            deployment_refresh(user=owner, uuid=str(mine.uuid))
        with pytest.raises(ServiceError):
            deployments_follow(user=owner)
        with pytest.raises(Problem):
            deployment_delete(user=owner, deployment=mine)
        mine.refresh_from_db()
        assert mine.gone_at is None

    def test_one_made_elsewhere_is_adopted(self, owner: User, wire: responses.RequestsMock) -> None:
        wire.get(f"{LIST}/u1", json=upstream("u1", owner=owner))
        assert deployment_refresh(user=owner, uuid="u1").owner == owner

    @pytest.mark.parametrize("known", [True, False])
    def test_anothers_does_not_exist(
        self, *, known: bool, owner: User, stranger: User, wire: responses.RequestsMock
    ) -> None:
        if known:
            make_deployment(stranger, uuid="u1")
        wire.get(f"{LIST}/u1", json=upstream("u1", owner=stranger))  # same organisation: the orchestrator tells
        with pytest.raises(Deployment.DoesNotExist):
            deployment_refresh(user=owner, uuid="u1")
        assert not Deployment.objects.visible_to(owner).exists()

    def test_an_unknown_one_does_not_exist(self, owner: User, wire: responses.RequestsMock) -> None:
        wire.get(f"{LIST}/u1", status=404, json=NOT_THERE)
        with pytest.raises(Deployment.DoesNotExist):
            deployment_refresh(user=owner, uuid="u1")


class TestDelete:
    def test_it_is_asked_for_once_and_shown_as_going_on(self, owner: User, wire: responses.RequestsMock) -> None:
        mine = make_deployment(owner)
        answer = wire.delete(f"{LIST}/{mine.uuid}", status=204)
        deployment_delete(user=owner, deployment=mine)
        mine.refresh_from_db()
        assert mine.status == "DELETE_IN_PROGRESS"
        assert mine.gone_at is None
        assert answer.call_count == 1

    def test_one_already_gone_is_gone(self, owner: User, wire: responses.RequestsMock) -> None:
        mine = make_deployment(owner)
        wire.delete(f"{LIST}/{mine.uuid}", status=404, json=NOT_THERE)
        assert deployment_delete(user=owner, deployment=mine).is_gone

    def test_asked_for_again_it_goes_on_since_the_first_time(self, owner: User, wire: responses.RequestsMock) -> None:
        mine = make_deployment(owner)
        message = "Deployment already in DELETE_IN_PROGRESS state."
        wire.delete(f"{LIST}/{mine.uuid}", status=409, json={"code": 409, "message": message})
        first, second = (deployment_delete(user=owner, deployment=mine).status_since for _ in range(2))
        assert (mine.status, first) == ("DELETE_IN_PROGRESS", second)
        assert mine.events.count() == 1

    def test_an_answer_after_it_went_does_not_bring_it_back(self, owner: User, wire: responses.RequestsMock) -> None:
        mine = make_deployment(owner)
        Deployment.objects.filter(pk=mine.pk).update(status=Status.GONE, gone_at=timezone.now())
        wire.delete(f"{LIST}/{mine.uuid}", status=204)
        assert deployment_delete(user=owner, deployment=mine).status == "GONE"

    @pytest.mark.parametrize(
        ("failure", "id"),
        [
            ({"status": 403, "json": {"message": "Only the owner"}}, "deployment:delete-refused"),
            ({"status": 409, "json": {"message": "concurrent update"}}, "deployment:delete-refused"),
            ({"status": 500}, "deployment:not-deleted"),
            ({"status": 504}, "deployment:delete-unknown"),
            ({"body": requests.exceptions.ConnectTimeout("x")}, "deployment:not-deleted"),
            ({"body": requests.exceptions.ReadTimeout("x")}, "deployment:delete-unknown"),
        ],
    )
    def test_a_failure_says_what_is_known_and_loses_nothing(
        self, failure: dict[str, Any], id: str, owner: User, wire: responses.RequestsMock
    ) -> None:
        mine = make_deployment(owner)
        wire.delete(f"{LIST}/{mine.uuid}", **failure)
        with pytest.raises(Problem) as caught:
            deployment_delete(user=owner, deployment=mine)
        assert caught.value.id == id
        assert "Alpine plants" in caught.value.headline
        mine.refresh_from_db()
        assert mine.status == "CREATE_COMPLETE"
        assert not mine.events.exists()

    def test_a_locked_one_is_not_even_asked_for(self, owner: User, wire: responses.RequestsMock) -> None:
        with pytest.raises(Problem) as caught:
            deployment_delete(user=owner, deployment=make_deployment(owner, locked=True))
        assert caught.value.id == "deployment:locked"
        assert len(wire.calls) == 0

    def test_one_without_identifier_can_not_be_deleted_yet(self, owner: User, wire: responses.RequestsMock) -> None:
        with pytest.raises(Problem) as caught:
            deployment_delete(user=owner, deployment=make_deployment(owner, status=Status.UNCERTAIN))
        assert caught.value.id == "deployment:unnamed"

    @pytest.mark.parametrize(
        "act",
        [
            lambda user, it: deployment_delete(user=user, deployment=it),
            lambda user, it: deployment_rename(user=user, deployment=it, title="x", note=""),
        ],
        ids=["delete", "rename"],
    )
    def test_a_stranger_can_not(
        self, act: Callable[[User, Deployment], Any], owner: User, stranger: User, wire: responses.RequestsMock
    ) -> None:
        mine = make_deployment(owner)
        with pytest.raises(Deployment.DoesNotExist):
            act(stranger, mine)
        assert len(wire.calls) == 0


def test_a_title_has_its_length(owner: User) -> None:
    mine = make_deployment(owner)
    deployment_rename(user=owner, deployment=mine, title=" Field\0 trip ", note="mind the dog")
    mine.refresh_from_db()
    assert (mine.title, mine.note) == ("Field trip", "mind the dog")
    with pytest.raises(ValidationError):
        deployment_rename(user=owner, deployment=mine, title="x" * 46, note="")
    deployment_rename(user=owner, deployment=mine, title="", note="")
    assert mine.shown_title == f"Deployment {str(mine.uuid)[:13]}"


class TestLostAnswers:
    """A submission that was sent, but whose answer never came."""

    def pending(self, owner: User, *, minutes: float = 5, status: str = Status.UNCERTAIN) -> Deployment:
        made = make_deployment(owner, status=status, template_text="a: b\nc: d\n", callback_secret="s3cr3t" * 5)
        Deployment.objects.filter(pk=made.pk).update(recorded_at=timezone.now() - timedelta(minutes=minutes))
        return made

    def made(self, owner: User, uuid: str, *, minutes: float = 5, **fields: Any) -> dict[str, Any]:
        when = timezone.now() - timedelta(minutes=minutes)
        return upstream(uuid, owner=owner, creationTime=when.strftime("%Y-%m-%dT%H:%M+0000"), **fields)

    def test_it_is_found_by_its_callback(self, owner: User, wire: responses.RequestsMock) -> None:
        lost = self.pending(owner)
        callback = f"https://dash.example.org/callback/{lost.callback_secret}"
        wire.get(LIST, json=listing(self.made(owner, "u2"), self.made(owner, "u1", callback=callback)))
        wire.get(f"{LIST}/u2/template", body="other")
        deployments_sync(user=owner)
        lost.refresh_from_db()
        assert (lost.uuid, lost.status) == ("u1", "CREATE_IN_PROGRESS")
        assert Deployment.objects.visible_to(owner).count() == 2

    def test_it_is_found_by_time_and_template(self, owner: User, wire: responses.RequestsMock) -> None:
        lost = self.pending(owner)
        wire.get(LIST, json=listing(self.made(owner, "u3", minutes=60), self.made(owner, "u2"), self.made(owner, "u1")))
        wire.get(f"{LIST}/u1/template", body="a: b\r\nc: d\r\n")
        other = wire.get(f"{LIST}/u2/template", body="something: else")
        too_old = wire.get(f"{LIST}/u3/template", body="a: b\nc: d\n")
        deployments_sync(user=owner)
        lost.refresh_from_db()
        assert lost.uuid == "u1"
        assert other.call_count == 1
        assert too_old.call_count == 0
        assert Deployment.objects.visible_to(owner).count() == 3

    def test_one_that_is_nowhere_was_never_accepted(self, owner: User, wire: responses.RequestsMock) -> None:
        lost = self.pending(owner)
        wire.get(LIST, json=listing(self.made(owner, "u1", minutes=60)))
        deployments_sync(user=owner)
        lost.refresh_from_db()
        assert (lost.status, lost.known_status) == ("GONE", "UNCERTAIN")

    def test_nothing_is_concluded_too_early_or_from_half_a_list(
        self, owner: User, wire: responses.RequestsMock
    ) -> None:
        fresh, old = self.pending(owner, minutes=1), self.pending(owner, minutes=20)
        wire.get(LIST, json=listing({"no": "uuid"}))
        deployments_sync(user=owner)
        fresh.refresh_from_db()
        old.refresh_from_db()
        assert (fresh.status, old.status) == ("UNCERTAIN", "UNCERTAIN")

    def test_a_submission_whose_process_died_becomes_uncertain(self, owner: User, wire: responses.RequestsMock) -> None:
        dead = self.pending(owner, status=Status.SUBMITTING)
        wire.get(LIST, json=listing({"no": "uuid"}))
        deployments_sync(user=owner)
        dead.refresh_from_db()
        assert dead.status == "UNCERTAIN"

    def test_one_on_its_way_is_not_mistaken_for_one_made_elsewhere(
        self, owner: User, wire: responses.RequestsMock
    ) -> None:
        self.pending(owner, minutes=0, status=Status.SUBMITTING)
        wire.get(LIST, json=listing(self.made(owner, "u1", minutes=0), self.made(owner, "u2", minutes=60)))
        deployments_sync(user=owner)
        assert set(Deployment.objects.visible_to(owner).values_list("uuid", flat=True)) == {None, "u2"}

    def test_one_whose_process_died_is_known_by_its_callback_at_the_next_look(
        self, owner: User, wire: responses.RequestsMock
    ) -> None:
        dead = self.pending(owner, minutes=0, status=Status.SUBMITTING)
        callback = f"https://dash.example.org/callback/{dead.callback_secret}"
        wire.get(LIST, json=listing(self.made(owner, "u1", minutes=0, callback=callback)))
        deployments_sync(user=owner)
        assert [found.uuid for found in Deployment.objects.visible_to(owner)] == ["u1"]

    def test_an_answer_that_comes_after_a_look_has_told_it_all_changes_nothing(self, owner: User) -> None:
        mine = make_deployment(owner, status=Status.SUBMITTING)
        answer = UpstreamDeployment.model_validate(upstream("u1", owner=owner))
        seen_by_a_look = Deployment.objects.get(pk=mine.pk)
        deployment_accepted(deployment=seen_by_a_look, upstream=answer)
        deployment_accepted(deployment=mine, upstream=answer)
        assert (mine.uuid, mine.events.count()) == ("u1", 1)

    def test_one_whose_time_was_noted_by_a_clock_that_ran_ahead_is_settled_too(
        self, owner: User, wire: responses.RequestsMock
    ) -> None:
        dead = self.pending(owner, minutes=-600, status=Status.SUBMITTING)
        wire.get(LIST, json=listing({"no": "uuid"}))
        deployments_sync(user=owner)
        dead.refresh_from_db()
        assert dead.status == "UNCERTAIN"

    def test_a_look_by_a_clock_that_ran_ahead_does_not_outlast_it(
        self, owner: User, wire: responses.RequestsMock
    ) -> None:
        make_deployment(owner, uuid="u1", seen_at=timezone.now() + timedelta(hours=10))
        wire.get(f"{LIST}/u1", json=upstream("u1", owner=owner, status="CREATE_FAILED"))
        assert deployment_refresh(user=owner, uuid="u1").status == "CREATE_FAILED"

    def test_an_answer_that_comes_after_a_look_merges_the_two_records(self, owner: User) -> None:
        mine = make_deployment(owner, status=Status.SUBMITTING)
        twin = make_deployment(owner, uuid="u1", submission_key=None)
        twin.events.create(status="CREATE_COMPLETE")
        deployment_accepted(deployment=mine, upstream=UpstreamDeployment.model_validate(upstream("u1", owner=owner)))
        mine.refresh_from_db()
        assert mine.uuid == "u1"
        assert [event.status for event in mine.events.all()] == ["CREATE_COMPLETE", "CREATE_IN_PROGRESS"]
        assert not Deployment.objects.filter(pk=twin.pk).exists()

    def test_an_answer_that_came_meanwhile_counts_more_than_the_doubt(self, owner: User) -> None:
        mine = make_deployment(owner, status=Status.SUBMITTING)
        Deployment.objects.filter(pk=mine.pk).update(uuid="u1", status="CREATE_IN_PROGRESS")
        deployment_uncertain(deployment=mine)
        assert (mine.uuid, mine.status) == ("u1", "CREATE_IN_PROGRESS")


def test_what_is_asked_carries_no_token_in_its_address_or_body(owner: User, wire: responses.RequestsMock) -> None:
    mine = make_deployment(owner)
    wire.get(LIST, json=listing(of(mine)))
    wire.delete(f"{LIST}/{mine.uuid}", status=204)
    deployments_sync(user=owner)
    deployment_delete(user=owner, deployment=mine)
    for call in wire.calls:
        assert "the-token-of-ada" not in str(call.request.url)
        assert "the-token-of-ada" not in json.dumps(str(call.request.body))
