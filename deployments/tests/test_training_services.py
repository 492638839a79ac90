"""Starting, cancelling and deleting trainings, with all the ways in which a DEEPaaS may not answer."""

import json
import threading
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import requests
import responses
from django.db import connection
from django.utils import timezone

from accounts.models import User
from accounts.tokens import LoginExpired
from deepdash.errors import Problem
from deployments.clients.deepaas import ArgumentsRefused
from deployments.models import Action, Deployment, Training, TrainingArguments, TrainingBatch
from deployments.services import deployments_sync
from deployments.testing import listing, make_deployment, upstream
from deployments.tests.conftest import ORCHESTRATOR
from deployments.tests.test_services import LIST, NOT_THERE
from deployments.trainings.once import start_key
from deployments.trainings.services import (
    Call,
    StartedBefore,
    training_cancel,
    training_remove,
    training_start,
    trainings_read,
)
from deployments.trainings.testing import API, MODELS, TRAIN, make_api, make_training, models, swagger, told

CALL = Call(
    [("data", "/srv"), ("epochs", "2")], shown=[("data", "/srv"), ("epochs", "2")], kept={"data": "/srv", "epochs": 2}
)


@pytest.fixture
def deployment(owner: User) -> Deployment:
    return make_api(owner)


def audit() -> list[tuple[str, str]]:
    return list(Action.objects.order_by("pk").values_list("what", "result"))


def start(owner: User, deployment: Deployment) -> Training:
    return training_start(user=owner, deployment=deployment, model="plants", call=CALL)


class TestStart:
    def test_it_is_on_record_as_the_module_understood_it(
        self, owner: User, deployment: Deployment, wire: responses.RequestsMock
    ) -> None:
        wire.post(TRAIN, json=told("a" * 32, args={"data": "/srv", "epochs": 2, "rate": 0.1}))
        run = start(owner, deployment)
        assert wire.calls[0].request.url == f"{TRAIN}?data=%2Fsrv&epochs=2"
        assert "Authorization" not in wire.calls[0].request.headers
        run.refresh_from_db()
        assert (run.uuid, run.status, run.started_here) == ("a" * 32, "running", True)
        assert run.arguments == {"data": "/srv", "epochs": 2, "rate": 0.1}
        deployment.refresh_from_db()
        assert deployment.running_trainings == 1

    def test_it_is_on_record_before_it_is_sent(
        self, owner: User, deployment: Deployment, wire: responses.RequestsMock
    ) -> None:
        seen: list[str] = []

        def answer(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
            seen.extend(Training.objects.values_list("status", flat=True))
            return 500, {}, "boom"

        wire.add_callback("POST", TRAIN, answer)
        with pytest.raises(Problem):
            start(owner, deployment)
        assert seen == ["starting"]

    def test_the_arguments_are_there_again_the_next_time(
        self, owner: User, deployment: Deployment, wire: responses.RequestsMock
    ) -> None:
        wire.post(TRAIN, json=told())
        start(owner, deployment)
        kept = TrainingArguments.objects.get(user=owner, module_slug="deep-oc-plants", model="plants", name="")
        assert kept.arguments == {"data": "/srv", "epochs": 2}

    @pytest.mark.parametrize(
        ("answer", "problem"),
        [
            ({"status": 422, "json": {"epochs": ["Too many."]}}, "service:refused"),
            ({"status": 501, "body": "Not implemented by underlying model"}, "training:unable"),
            ({"status": 402}, "training:unable"),
            ({"status": 500, "body": "Server got itself in trouble"}, "training:failed"),
            ({"status": 400, "body": "Odd"}, "training:refused"),
        ],
    )
    def test_a_refusal_leaves_no_record(
        self, owner: User, deployment: Deployment, wire: responses.RequestsMock, answer: dict[str, Any], problem: str
    ) -> None:
        wire.post(TRAIN, **answer)
        with pytest.raises(Problem) as raised:
            start(owner, deployment)
        assert raised.value.id == problem
        assert not Training.objects.exists()
        deployment.refresh_from_db()
        assert deployment.running_trainings == 0

    def test_the_words_of_a_422_come_by_argument(
        self, owner: User, deployment: Deployment, wire: responses.RequestsMock
    ) -> None:
        wire.post(TRAIN, status=422, json={"epochs": ["Too many."]})
        with pytest.raises(ArgumentsRefused) as raised:
            start(owner, deployment)
        assert raised.value.problems == {"epochs": "Too many."}

    def test_without_an_answer_it_stays_as_perhaps_started_and_is_found_later(
        self, owner: User, deployment: Deployment, wire: responses.RequestsMock
    ) -> None:
        wire.post(TRAIN, body=requests.exceptions.ReadTimeout("too slow"))
        run = start(owner, deployment)
        assert run.status == "starting"
        wire.get(MODELS, json=models())
        wire.get(TRAIN, json=[told("b" * 32)])
        wire.get(f"{API}/swagger.json", json=swagger())
        assert trainings_read(user=owner, deployment=deployment)
        run.refresh_from_db()
        assert (run.uuid, run.status) == ("b" * 32, "running")
        # The audit trail says what was known when: open first, then settled by a line of its own.
        assert audit() == [("train", "unknown"), ("train", "done")]

    def test_one_that_never_was_is_settled_as_such(
        self, owner: User, deployment: Deployment, wire: responses.RequestsMock
    ) -> None:
        wire.post(TRAIN, body=requests.exceptions.ReadTimeout("too slow"))
        run = start(owner, deployment)
        Training.objects.update(first_seen_at=timezone.now() - timedelta(minutes=3))
        wire.get(MODELS, json=models())
        wire.get(TRAIN, json=[])
        wire.get(f"{API}/swagger.json", json=swagger())
        assert trainings_read(user=owner, deployment=deployment)
        run.refresh_from_db()
        assert run.status == "lost"
        assert audit() == [("train", "unknown"), ("train", "failed")]

    def test_a_start_with_an_answer_is_one_line(
        self, owner: User, deployment: Deployment, wire: responses.RequestsMock
    ) -> None:
        wire.post(TRAIN, json=told("a" * 32))
        start(owner, deployment)
        assert audit() == [("train", "done")]

    def test_refused_arguments_leave_the_form_free_to_be_sent_again(
        self, owner: User, deployment: Deployment, wire: responses.RequestsMock
    ) -> None:
        key = uuid4()
        wire.post(TRAIN, status=422, json={"epochs": ["Too many."]})
        with pytest.raises(ArgumentsRefused):
            training_start(user=owner, deployment=deployment, model="plants", call=CALL, key=key)
        wire.replace("POST", TRAIN, json=told("a" * 32))
        run = training_start(user=owner, deployment=deployment, model="plants", call=CALL, key=key)
        assert run.key == key

    def test_the_answer_tells_the_zone_of_its_clock(
        self, owner: User, deployment: Deployment, wire: responses.RequestsMock
    ) -> None:
        in_kathmandu = (timezone.now() + timedelta(hours=5, minutes=45)).replace(tzinfo=None)
        elsewhere = in_kathmandu - timedelta(hours=8)
        other = make_training(deployment, started_here=False, date_text=str(elsewhere), first_seen_at=timezone.now())
        wire.post(TRAIN, json=told("a" * 32, date=str(in_kathmandu)))
        start(owner, deployment)
        other.refresh_from_db()
        assert deployment.api.clock_ahead == timedelta(hours=5, minutes=45)
        assert abs(other.started_at - (timezone.now() - timedelta(hours=8))) < timedelta(minutes=1)

    def test_a_connection_that_was_refused_means_not_started(
        self, owner: User, deployment: Deployment, wire: responses.RequestsMock
    ) -> None:
        wire.post(TRAIN, body=requests.exceptions.ConnectTimeout("no way"))
        with pytest.raises(Problem) as raised:
            start(owner, deployment)
        assert raised.value.id == "training:unsent"
        assert not Training.objects.exists()

    def test_a_reading_that_was_quicker_makes_no_second_record(
        self, owner: User, deployment: Deployment, wire: responses.RequestsMock
    ) -> None:
        def answer(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
            make_training(deployment, uuid="a" * 32, status="running")
            return 200, {}, '{"uuid": "%s", "status": "running", "args": {}, "date": ""}' % ("a" * 32)

        wire.add_callback("POST", TRAIN, answer)
        run = start(owner, deployment)
        assert Training.objects.get().pk == run.pk


class TestAddress:
    """An address may be another's as soon as the container ends, so it is confirmed shortly before."""

    def stale(self, owner: User) -> Deployment:
        return make_api(owner, seen_at=timezone.now() - timedelta(minutes=10))

    def test_an_old_one_is_asked_for_again(self, owner: User, wire: responses.RequestsMock) -> None:
        deployment = self.stale(owner)
        fresh = upstream(str(deployment.uuid), owner=owner, status="CREATE_COMPLETE",
                         outputs={"deepaas_endpoint": "https://moved.example.org"})  # fmt: skip
        wire.get(f"{ORCHESTRATOR}/deployments/{deployment.uuid}", json=fresh)
        wire.post("https://moved.example.org/v2/models/plants/train/", json=told())
        assert start(owner, deployment).status == "running"

    def test_nothing_is_sent_when_the_orchestrator_does_not_answer(
        self, owner: User, wire: responses.RequestsMock
    ) -> None:
        deployment = self.stale(owner)
        with pytest.raises(Problem) as raised:
            start(owner, deployment)
        assert raised.value.id == "training:not-checked"
        assert not [call for call in wire.calls if str(call.request.url).startswith(API)]

    def test_nothing_is_sent_to_a_deployment_that_is_gone(self, owner: User, wire: responses.RequestsMock) -> None:
        deployment = self.stale(owner)
        wire.get(f"{ORCHESTRATOR}/deployments/{deployment.uuid}", status=404, json=NOT_THERE)
        with pytest.raises(Problem) as raised:
            start(owner, deployment)
        assert raised.value.id == "training:no-api"

    def test_nobody_elses_deployment_is_called(
        self, stranger: User, deployment: Deployment, wire: responses.RequestsMock
    ) -> None:
        with pytest.raises(Deployment.DoesNotExist):
            start(stranger, deployment)
        with pytest.raises(Training.DoesNotExist):
            training_cancel(user=stranger, run=make_training(deployment, status="running"))
        with pytest.raises(Training.DoesNotExist):
            training_remove(user=stranger, run=make_training(deployment))
        assert len(wire.calls) == 0

    def test_an_ended_login_says_so(self, owner: User, wire: responses.RequestsMock) -> None:
        deployment = self.stale(owner)
        owner.token.delete()
        with pytest.raises(LoginExpired):
            start(owner, deployment)


class TestCancel:
    def test_a_running_one_is_gone_although_the_answer_is_500(
        self, owner: User, deployment: Deployment, wire: responses.RequestsMock
    ) -> None:
        run = make_training(deployment, status="running", result=None)
        wire.delete(f"{TRAIN}{run.uuid}", status=500, body="Server got itself in trouble")
        wire.get(TRAIN, json=[])
        assert training_cancel(user=owner, run=run).status == "cancelled"
        run.refresh_from_db()
        assert run.finished_at is not None

    def test_it_is_not_believed_while_the_list_still_has_it(
        self, owner: User, deployment: Deployment, wire: responses.RequestsMock
    ) -> None:
        run = make_training(deployment, status="running")
        wire.delete(f"{TRAIN}{run.uuid}", status=500)
        wire.get(TRAIN, json=[told(str(run.uuid))])
        with pytest.raises(Problem) as raised:
            training_cancel(user=owner, run=run)
        assert raised.value.id == "training:not-removed"
        run.refresh_from_db()
        assert run.status == "running"

    def test_one_that_was_quicker_keeps_its_result(
        self, owner: User, deployment: Deployment, wire: responses.RequestsMock
    ) -> None:
        run = make_training(deployment, status="running", result=None, metrics={})
        wire.delete(f"{TRAIN}{run.uuid}", json=told(str(run.uuid), "done"))
        training_cancel(user=owner, run=run)
        run.refresh_from_db()
        assert (run.status, run.metrics["loss"]) == ("done", 0.25)

    def test_one_that_deepaas_does_not_know_any_more_is_cancelled_too(
        self, owner: User, deployment: Deployment, wire: responses.RequestsMock
    ) -> None:
        run = make_training(deployment, status="running")
        wire.delete(f"{TRAIN}{run.uuid}", status=404, body="404: Not Found")
        assert training_cancel(user=owner, run=run).status == "cancelled"


class TestRemove:
    def test_content_goes_here_and_there(
        self, owner: User, deployment: Deployment, wire: responses.RequestsMock
    ) -> None:
        run = make_training(deployment)
        wire.delete(f"{TRAIN}{run.uuid}", json=told(str(run.uuid), "done"))
        training_remove(user=owner, run=run)
        assert not Training.objects.visible_to(owner).exists()
        run.refresh_from_db()
        assert (run.arguments, run.result, run.metrics) == ({}, None, {})

    def test_of_a_deployment_that_is_gone_only_our_record_goes(self, owner: User, wire: responses.RequestsMock) -> None:
        deployment = make_deployment(owner, status="GONE")
        training_remove(user=owner, run=make_training(deployment))
        assert not Training.objects.visible_to(owner).exists()
        assert len(wire.calls) == 0


def test_when_a_deployment_is_gone_its_runs_are_lost_and_its_history_stays(
    owner: User, deployment: Deployment, wire: responses.RequestsMock
) -> None:
    running, done = make_training(deployment, status="running"), make_training(deployment)
    Deployment.objects.update(running_trainings=1)
    batch = TrainingBatch.objects.create(owner=owner, deployment=deployment, model="plants", plan=[[]])
    wire.get(LIST, json=listing())
    deployments_sync(user=owner)
    for row in (running, done, batch, deployment):
        row.refresh_from_db()
    assert (running.status, done.status, batch.state) == ("lost", "done", "stopped")
    assert deployment.running_trainings == 0
    assert Training.objects.visible_to(owner).count() == 2


@pytest.mark.django_db(transaction=True)
def test_two_presses_at_the_same_moment_start_one_training(owner: User, wire: responses.RequestsMock) -> None:
    key, together, results = uuid4(), threading.Barrier(2), []
    make_api(owner)
    both_sent = threading.Event()

    def answer(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        both_sent.wait(timeout=20)  # the second press comes while the first still waits for its answer
        return 200, {}, json.dumps(told("a" * 32))

    wire.add_callback("POST", TRAIN, callback=answer)

    def press() -> None:
        try:
            deployment = Deployment.objects.get()
            together.wait(timeout=20)
            results.append(training_start(user=owner, deployment=deployment, model="plants", call=CALL, key=key).pk)
        except StartedBefore as before:
            results.append(before.run.pk)
            both_sent.set()
        finally:
            connection.close()

    threads = [threading.Thread(target=press) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    run = Training.objects.get()
    assert results == [run.pk, run.pk]
    assert (run.key, run.status, len(wire.calls)) == (key, "running", 1)
    assert audit() == [("train", "done")]


class TestStartKey:
    def test_the_same_form_with_the_same_content_is_one_start(self, deployment: Deployment) -> None:
        form = str(uuid4())
        keys = {start_key(form, deployment, "plants", CALL), start_key(form, deployment, "plants", CALL)}
        assert len(keys) == 1
        others = {
            start_key(str(uuid4()), deployment, "plants", CALL),
            start_key(form, deployment, "trees", CALL),
            start_key(form, deployment, "plants", Call([("data", "/other")])),
            start_key(form, deployment, "plants", Call(CALL.params, headers={"x-token": "s3cret"})),
            start_key(form, deployment, "plants", CALL, {"epochs": [1, 2]}),
        }
        assert len(others) == 5
        assert not keys & others

    def test_nobody_meets_the_record_of_another_by_a_made_up_key(self, deployment: Deployment, stranger: User) -> None:
        form = str(uuid4())
        mine = start_key(form, deployment, "plants", CALL)
        assert start_key(str(mine), deployment, "plants", CALL) != mine
        deployment.owner = stranger
        assert start_key(form, deployment, "plants", CALL) != mine

    @pytest.mark.parametrize("form", ["", "no key", "\0"])
    def test_a_form_without_a_key_starts_each_time(self, deployment: Deployment, form: str) -> None:
        assert start_key(form, deployment, "plants", CALL) != start_key(form, deployment, "plants", CALL)
