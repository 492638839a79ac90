"""What looks at the orchestrator change here, and what is asked of it."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
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
from deployments.models import Deployment, StatusEvent
from deployments.services import (
    deployment_delete,
    deployment_refresh,
    deployment_rename,
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

    def test_what_was_noted_while_the_list_was_read_stays_the_later_look(
        self, owner: User, wire: responses.RequestsMock
    ) -> None:
        mine = make_deployment(owner)
        before = listing(of(mine))

        def answer(_request: object) -> tuple[int, dict[str, str], str]:
            deployment_delete(user=owner, deployment=Deployment.objects.get(pk=mine.pk))
            return 200, {}, json.dumps(before)

        wire.add_callback(responses.GET, LIST, answer)
        wire.delete(f"{LIST}/{mine.uuid}", status=204)
        result = deployments_sync(user=owner)
        mine.refresh_from_db()
        assert mine.status == Status.DELETE_IN_PROGRESS
        assert mine.seen_at
        assert mine.seen_at > result.at

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
        deployments_follow(user=owner)
        moving.refresh_from_db()
        ending.refresh_from_db()
        assert (moving.status, ending.status) == ("CREATE_COMPLETE", "GONE")
        assert len(wire.calls) == 2

    def test_nothing_moving_asks_nothing(self, owner: User, wire: responses.RequestsMock) -> None:
        make_deployment(owner)
        deployments_follow(user=owner)
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
        deployments_follow(user=owner)
        assert not Deployment.objects.exists()
        assert not StatusEvent.objects.exists()

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


def test_a_title_has_its_length(owner: User) -> None:
    mine = make_deployment(owner)
    deployment_rename(user=owner, deployment=mine, title=" Field\0 trip ", note="mind the dog")
    mine.refresh_from_db()
    assert (mine.title, mine.note) == ("Field trip", "mind the dog")
    with pytest.raises(ValidationError):
        deployment_rename(user=owner, deployment=mine, title="x" * 46, note="")
    deployment_rename(user=owner, deployment=mine, title="", note="")
    assert mine.shown_title == f"Deployment {str(mine.uuid)[:13]}"


def test_what_is_asked_carries_no_token_in_its_address_or_body(owner: User, wire: responses.RequestsMock) -> None:
    mine = make_deployment(owner)
    wire.get(LIST, json=listing(of(mine)))
    wire.delete(f"{LIST}/{mine.uuid}", status=204)
    deployments_sync(user=owner)
    deployment_delete(user=owner, deployment=mine)
    for call in wire.calls:
        assert "the-token-of-ada" not in str(call.request.url)
        assert "the-token-of-ada" not in json.dumps(str(call.request.body))
