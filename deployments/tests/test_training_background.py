"""What happens while nobody looks: readings within bounds, and batches that go on after any restart."""

import io
import json
import time
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
import responses
from cryptography.fernet import Fernet
from django.core.exceptions import ValidationError
from django.db import connection
from django.utils import timezone

from accounts.models import User
from accounts.testing import give_token, make_user
from deployments.clients.upload import Part, Upload
from deployments.models import Deployment, ModuleApi, Notice, Training, TrainingBatch
from deployments.testing import make_deployment
from deployments.trainings import watch
from deployments.trainings.arguments import field_for
from deployments.trainings.batches import MOST_RUNS, axis_values, batch_cancel, batch_start, batches_go_on, grid
from deployments.trainings.description import Argument
from deployments.trainings.loss import trainings_lose
from deployments.trainings.services import Call
from deployments.trainings.testing import API, MODELS, TRAIN, make_api, make_training, models, swagger, told

RATE = Argument(name="rate", kind="number", minimum=0, maximum=1)
EPOCHS = Argument(name="epochs", kind="integer", minimum=1)


class TestGrid:
    @pytest.mark.parametrize(
        ("argument", "text", "values"),
        [
            (EPOCHS, "10, 20,50", [10, 20, 50]),
            (EPOCHS, "10..50 step 10", [10, 20, 30, 40, 50]),
            (EPOCHS, "1..3, 3, 9", [1, 2, 3, 9]),
            (EPOCHS, "5", [5]),
            (RATE, "0.1..0.3 step 0.1", [0.1, 0.2, 0.3]),
            (RATE, "1e-3, 1e-2", [0.001, 0.01]),
            (Argument(name="opt", choices=("adam", "sgd")), "adam, sgd", ["adam", "sgd"]),
            (Argument(name="aug", kind="boolean", default=True, has_default=True), "true, false", [True, False]),
            (Argument(name="path"), "/a..b, /c", ["/a..b", "/c"]),
        ],
    )  # fmt: skip
    def test_values_and_ranges(self, argument: Argument, text: str, values: list[Any]) -> None:
        assert axis_values(text, field_for(argument)) == values

    @pytest.mark.parametrize("text", ["", " , ", "0", "x", "5..1", "1..1000", "1..3 step 0", "1..nan"])
    def test_what_makes_no_grid_is_refused(self, text: str) -> None:
        with pytest.raises(ValidationError):
            axis_values(text, field_for(EPOCHS))

    def test_every_combination_with_the_other_arguments_beside(self) -> None:
        plan = grid({"epochs": [1, 2], "aug": [True, False]}, [("data", "/srv"), ("epochs", "9")])
        assert plan[0] == [["data", "/srv"], ["epochs", "1"], ["aug", "true"]]
        assert len(plan) == 4


class Api:
    """A DEEPaaS on the wire that runs one training at a time."""

    def __init__(self, wire: responses.RequestsMock) -> None:
        self.runs: list[dict[str, Any]] = []
        wire.get(MODELS, json=models())
        wire.get(f"{API}/swagger.json", json=swagger())
        wire.add_callback("GET", TRAIN, lambda request: (200, {}, json.dumps(self.runs)))
        wire.add_callback("POST", TRAIN, self._start)

    def _start(self, request: Any) -> tuple[int, dict[str, str], str]:
        arguments = dict(request.params)
        self.runs.append(told(f"{len(self.runs):032x}", args=arguments))
        return 200, {}, json.dumps(self.runs[-1])

    def end(self) -> None:
        self.runs[-1] = told(self.runs[-1]["uuid"], "done", args=self.runs[-1]["args"])


@pytest.fixture
def api(wire: responses.RequestsMock) -> Api:
    return Api(wire)


@pytest.fixture
def deployment(owner: User) -> Deployment:
    return make_api(owner)


def go_on() -> None:
    Deployment.objects.update(seen_at=timezone.now())
    batches_go_on(until=time.monotonic() + 60)


class TestBatch:
    @pytest.fixture
    def batch(self, owner: User, deployment: Deployment) -> TrainingBatch:
        call = Call([("data", "/srv")], shown=[("data", "/srv")])
        return batch_start(user=owner, deployment=deployment, model="plants", axes={"epochs": [1, 2]}, call=call)

    def test_one_after_another_until_all_are_done(self, batch: TrainingBatch, api: Api) -> None:
        go_on()
        go_on()
        assert [run["args"]["epochs"] for run in api.runs] == ["1"]  # the second waits for the first
        api.end()
        go_on()
        assert [run["args"]["epochs"] for run in api.runs] == ["1", "2"]
        api.end()
        go_on()
        batch.refresh_from_db()
        assert batch.state == "done"
        assert sorted(batch.runs.values_list("batch_place", "status")) == [(0, "done"), (1, "done")]

    def test_a_restart_in_the_middle_of_a_start_starts_nothing_twice(self, batch: TrainingBatch, api: Api) -> None:
        # Sent, and the process died before the answer was written down.
        sent = [["data", "/srv"], ["epochs", "1"]]
        make_training(batch.deployment, batch=batch, batch_place=0, uuid=None, status="starting", sent=sent,
                      first_seen_at=timezone.now(), seen_at=None)  # fmt: skip
        api.runs.append(told("f" * 32, args={"data": "/srv", "epochs": 1}))
        TrainingBatch.objects.update(claimed_until=timezone.now() - timedelta(seconds=1))
        go_on()
        assert len(api.runs) == 1
        assert batch.runs.get().uuid == "f" * 32

    def test_another_process_that_is_at_it_is_left_alone(self, batch: TrainingBatch, api: Api) -> None:
        TrainingBatch.objects.update(claimed_until=timezone.now() + timedelta(seconds=30))
        go_on()
        assert api.runs == []

    def test_a_cancelled_one_starts_nothing_more(self, owner: User, batch: TrainingBatch, api: Api) -> None:
        go_on()
        batch_cancel(user=owner, batch=batch)
        api.end()
        go_on()
        assert len(api.runs) == 1

    def test_arguments_the_module_refuses_stop_it_with_the_reason(
        self, batch: TrainingBatch, wire: responses.RequestsMock
    ) -> None:
        wire.get(MODELS, json=models())
        wire.get(f"{API}/swagger.json", json=swagger())
        wire.get(TRAIN, json=[])
        wire.post(TRAIN, status=422, json={"epochs": ["Too few."]})
        go_on()
        batch.refresh_from_db()
        assert (batch.state, "epochs: Too few." in batch.reason) == ("stopped", True)

    def test_an_api_that_does_not_answer_is_waited_for(
        self, batch: TrainingBatch, wire: responses.RequestsMock
    ) -> None:
        go_on()
        batch.refresh_from_db()
        assert batch.state == "running"

    def test_nobody_else_can_start_or_stop_one(self, stranger: User, batch: TrainingBatch) -> None:
        with pytest.raises(TrainingBatch.DoesNotExist):
            batch_cancel(user=stranger, batch=batch)
        with pytest.raises(Deployment.DoesNotExist):
            batch_start(user=stranger, deployment=batch.deployment, model="plants", axes={"epochs": [1]}, call=Call([]))

    def test_it_is_bounded(self, owner: User, deployment: Deployment) -> None:
        axes = {"epochs": list(range(MOST_RUNS + 1))}
        with pytest.raises(ValueError, match=str(MOST_RUNS)):
            batch_start(user=owner, deployment=deployment, model="plants", axes=axes, call=Call([]))


class TestWatch:
    def test_what_runs_elsewhere_is_seen_without_anybody_looking(self, deployment: Deployment, api: Api) -> None:
        ModuleApi.objects.update(asked_at=None)
        api.runs.append(told("a" * 32))
        assert watch.trainings_watch() == 1
        assert Training.objects.get().uuid == "a" * 32

    def test_it_is_asked_again_soon_only_while_something_trains(self, deployment: Deployment, api: Api) -> None:
        ModuleApi.objects.update(asked_at=timezone.now() - timedelta(minutes=2))
        assert watch.trainings_watch() == 0
        Deployment.objects.update(running_trainings=1)
        assert watch.trainings_watch() == 1
        assert watch.trainings_watch() == 0

    @pytest.mark.parametrize(
        "fields",
        [{"outputs": {}}, {"status": "CREATE_FAILED"}, {"status": "GONE"}, {"answers": False}],
        ids=["no API", "failed", "gone", "silent"],
    )
    def test_what_can_not_answer_is_not_asked(self, owner: User, fields: dict[str, Any]) -> None:
        make_deployment(owner, **{"outputs": {"deepaas_endpoint": API}, **fields})
        assert watch.trainings_watch() == 0

    def test_without_a_token_the_address_can_not_be_confirmed_so_it_is_not_asked(
        self, deployment: Deployment, wire: responses.RequestsMock
    ) -> None:
        ModuleApi.objects.update(asked_at=None)
        Deployment.objects.update(seen_at=timezone.now() - timedelta(hours=1))
        deployment.owner.token.delete()
        assert watch.trainings_watch() == 0
        assert len(wire.calls) == 0

    def test_bounded_per_user_and_in_all(self, db: None) -> None:
        found = []
        for name in ("ada", "ben", "cyd", "dan", "eve"):
            user = make_user(name)
            give_token(user)
            found += [make_deployment(user) for _ in range(5)]
        for wave in (waves := watch._waves(found)):
            assert len(wave) <= watch.AT_ONCE
            assert max(Counter(deployment.owner_id for deployment in wave).values()) <= watch.PER_USER
        assert sorted(deployment.pk for wave in waves for deployment in wave) == [one.pk for one in found]

    def test_no_more_is_begun_when_the_time_is_up(self, deployment: Deployment, api: Api) -> None:
        ModuleApi.objects.update(asked_at=None)
        assert watch.trainings_watch(seconds=-1) == 0

    @pytest.mark.parametrize("ended", [{"status": "GONE"}, {"status": "DELETE_COMPLETE", "gone_at": None}])
    def test_runs_of_a_deployment_known_to_be_gone_are_lost(self, owner: User, ended: dict[str, Any]) -> None:
        run = make_training(make_deployment(owner, **ended), status="running")
        watch.trainings_watch()
        run.refresh_from_db()
        assert run.status == "lost"


class TestSecretsOfBatches:
    """What the plan does not show: sent with each training, kept sealed, and gone with the batch."""

    CALL = Call(
        [("data", "/srv"), ("api_token", "s3cret")], headers={"x-level": "high"},
        shown=[("data", "/srv")], kept={"data": "/srv"},
    )  # fmt: skip

    @pytest.fixture
    def batch(self, owner: User, deployment: Deployment) -> TrainingBatch:
        return batch_start(user=owner, deployment=deployment, model="plants", axes={"epochs": [1, 2]}, call=self.CALL)

    def stored(self) -> str:
        with connection.cursor() as cursor:
            cursor.execute("select beside from deployments_trainingbatch")
            return str(cursor.fetchone()[0])

    def test_they_are_sent_with_each_and_stand_nowhere_in_clear(
        self, batch: TrainingBatch, api: Api, wire: responses.RequestsMock
    ) -> None:
        assert "s3cret" not in json.dumps(batch.plan)
        assert self.stored().startswith("gAAAA")
        for _ in range(2):
            go_on()
            assert api.runs[-1]["args"]["api_token"] == "s3cret"
            started = [call.request for call in wire.calls if call.request.method == "POST"][-1]
            assert started.headers["X-level"] == "high"
            api.end()
        go_on()
        batch.refresh_from_db()
        assert (batch.state, batch.beside, batch.beside_names) == ("done", "", ["api_token", "x-level"])
        assert self.stored() == ""
        kept = list(batch.runs.values_list("arguments", "secret_arguments", "sent"))
        assert "s3cret" not in json.dumps(kept)

    def test_stopping_it_deletes_them(self, owner: User, batch: TrainingBatch) -> None:
        batch_cancel(user=owner, batch=batch)
        assert self.stored() == ""

    def test_when_no_key_opens_them_any_more_nothing_is_started_without_them(
        self, batch: TrainingBatch, api: Api, settings: Any
    ) -> None:
        settings.TOKEN_KEYS = [Fernet.generate_key().decode()]
        give_token(batch.owner)
        go_on()
        batch.refresh_from_db()
        assert api.runs == []
        assert (batch.state, batch.reason) == ("stopped", "The secrets of these trainings can’t be read any more.")

    def test_a_file_can_not_be_kept_so_it_is_refused(self, owner: User, deployment: Deployment) -> None:
        upload = Upload([Part("labels", "a.txt", "text/plain", io.BytesIO(b"x"), 1)])
        with pytest.raises(ValueError, match="file"):
            batch_start(user=owner, deployment=deployment, model="plants", axes={"epochs": [1]},
                        call=Call([], upload=upload))  # fmt: skip


def test_a_batch_whose_deployment_vanishes_tells_its_owner(owner: User, deployment: Deployment) -> None:
    call = Call([("data", "/srv")], shown=[("data", "/srv")])
    batch = batch_start(user=owner, deployment=deployment, model="plants", axes={"epochs": [1, 2]}, call=call)
    make_training(deployment, batch=batch, batch_place=0, status="running")
    trainings_lose([deployment.pk])
    batch.refresh_from_db()
    assert batch.state == "stopped"
    assert Notice.objects.get(cause=f"batch {batch.pk}").detail == "Its deployment is gone."
