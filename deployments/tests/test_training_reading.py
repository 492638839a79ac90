"""What a DEEPaaS tells is brought into our records, whoever started the trainings, and outlives it."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from accounts.testing import configure
from deepdash.http import ServiceError
from deployments.clients.deepaas import Model
from deployments.clients.deepaas import Training as Told
from deployments.journal.notices import notices_mail
from deployments.models import Deployment, Notice, Training, TrainingBatch
from deployments.trainings.reading import Reading, api_record
from deployments.trainings.testing import make_api, make_training, swagger, told


@pytest.fixture
def deployment(owner: User) -> Deployment:
    return make_api(owner)


def reading(*items: dict[str, Any], at: datetime | None = None, **fields: Any) -> Reading:
    """A reading of one model with these trainings."""
    runs = {"plants": tuple(Told.model_validate(item) for item in items)}
    return Reading(at or timezone.now(), models=[Model(id="plants", name="plants")], runs=runs, **fields)


def record(deployment: Deployment, found: Reading) -> list[Training]:
    return api_record(deployment.api, found)


def test_a_run_started_elsewhere_is_picked_up_with_all_that_is_told(deployment: Deployment) -> None:
    done = told("a" * 32, "done", date="2020-01-01 10:00:00.5", args={"epochs": 5, "password": "s3cret"})
    assert record(deployment, reading(done)) == []
    run = Training.objects.get()
    assert (run.owner, run.module_slug, run.uuid, run.status) == (deployment.owner, "deep-oc-plants", "a" * 32, "done")
    assert run.arguments == {"epochs": 5}
    assert run.secret_arguments == ["password"]
    assert run.metrics == {"loss": 0.25, "val.acc": 0.9}
    assert run.duration == timedelta(minutes=31, seconds=5.219878)
    assert run.started_at.isoformat() == "2020-01-01T10:00:00.500000+00:00"
    assert run.finished_at == run.started_at + run.duration
    assert not run.started_here


def test_what_answers_is_no_longer_called_booting(deployment: Deployment) -> None:
    Deployment.objects.filter(pk=deployment.pk).update(answers=False, answered_at=None, ready_at=None)
    deployment.refresh_from_db()
    failed = Reading(timezone.now(), problem=ServiceError("service:timeout", service="DEEPaaS"))
    record(deployment, failed)
    deployment.refresh_from_db()
    assert deployment.is_starting
    api_record(deployment.api, reading())
    deployment.refresh_from_db()
    assert deployment.answers
    assert not deployment.is_starting


def test_a_clock_that_is_ahead_does_not_put_a_start_into_the_future(deployment: Deployment) -> None:
    now = timezone.now()
    record(deployment, reading(told(date="2999-01-01 00:00:00.1"), at=now))
    assert Training.objects.get().started_at == now


def test_what_has_just_ended_is_returned_once(deployment: Deployment) -> None:
    run = make_training(deployment, status="running", result=None, metrics={})
    ended = told(str(run.uuid), "error")
    assert [item.pk for item in record(deployment, reading(ended))] == [run.pk]
    assert record(deployment, reading(ended)) == []
    run.refresh_from_db()
    assert (run.status, run.message) == ("error", "ValueError: bad dataset")
    assert run.finished_at is not None


def test_a_running_one_that_is_no_longer_listed_is_lost_and_a_done_one_stays_done(deployment: Deployment) -> None:
    running, done = make_training(deployment, status="running"), make_training(deployment)
    record(deployment, reading())
    running.refresh_from_db()
    done.refresh_from_db()
    assert (running.status, done.status, done.metrics) == ("lost", "done", {"loss": 0.25})
    assert running.lost_at
    assert done.lost_at
    assert not done.is_listed


def test_one_that_comes_back_is_no_longer_lost(deployment: Deployment) -> None:
    run = make_training(deployment, status="lost", lost_at=timezone.now())
    record(deployment, reading(told(str(run.uuid))))
    run.refresh_from_db()
    assert (run.status, run.lost_at) == ("running", None)


def test_a_reading_that_began_before_the_start_does_not_lose_it(deployment: Deployment) -> None:
    run = make_training(deployment, status="running", seen_at=timezone.now())
    record(deployment, reading(at=timezone.now() - timedelta(seconds=5)))
    run.refresh_from_db()
    assert run.status == "running"


def test_an_older_reading_changes_nothing(deployment: Deployment) -> None:
    now = timezone.now()
    record(deployment, reading(told("b" * 32, "done"), at=now))
    record(deployment, reading(told("b" * 32, "running"), at=now - timedelta(seconds=9)))
    assert Training.objects.get().status == "done"


def test_a_start_whose_answer_was_lost_is_found_by_what_was_sent(deployment: Deployment) -> None:
    sent = [["data", "/srv"], ["epochs", "2"], ["aug", "true"], ["rate", "0.1"]]
    run = make_training(deployment, status="starting", uuid=None, sent=sent, seen_at=None)
    arguments = {"data": "/srv", "epochs": 2, "aug": True, "rate": 0.1, "note": None}
    other = told("c" * 32, args={**arguments, "epochs": 3})
    record(deployment, reading(other, told("d" * 32, args=arguments)))
    run.refresh_from_db()
    assert (run.uuid, run.status) == ("d" * 32, "running")
    assert Training.objects.count() == 2


def test_a_start_that_never_shows_up_is_given_up_after_a_while(deployment: Deployment) -> None:
    run = make_training(deployment, status="starting", uuid=None, first_seen_at=timezone.now())
    record(deployment, reading())
    run.refresh_from_db()
    assert run.status == "starting"
    Training.objects.update(first_seen_at=timezone.now() - timedelta(minutes=3))
    record(deployment, reading())
    run.refresh_from_db()
    assert (run.status, run.message) == (
        "lost",
        "No answer came when it was started, and DEEPaaS does not have it.",
    )


def test_its_owner_is_told_once_of_a_start_that_never_happened(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(monkeypatch, EMAIL_URL="smtp://localhost")
    late = {"status": "starting", "uuid": None, "first_seen_at": timezone.now() - timedelta(minutes=3)}
    run = make_training(deployment, **late)
    of_grid = TrainingBatch.objects.create(owner=deployment.owner, deployment=deployment, model="plants", plan=[[], []])
    make_training(deployment, batch=of_grid, batch_place=0, **late)  # a grid tells of itself at its end
    record(deployment, reading())
    record(deployment, reading())
    notice = Notice.objects.of(deployment.owner).get()
    assert notice.headline == f"The training on “{deployment.shown_title}” was not started"
    assert notice.detail == "No answer came when it was started, and DEEPaaS does not have it."
    assert (notice.kind, notice.get_absolute_url()) == ("failed", run.get_absolute_url())
    assert (notices_mail(), notices_mail()) == (1, 0)
    assert mail.outbox[0].subject == notice.headline


def test_what_its_owner_deleted_does_not_come_back(deployment: Deployment) -> None:
    run = make_training(deployment, removed_at=timezone.now(), arguments={})
    record(deployment, reading(told(str(run.uuid), "done")))
    run.refresh_from_db()
    assert run.arguments == {}
    assert Training.objects.count() == 1


def test_the_deployment_knows_how_many_run(deployment: Deployment) -> None:
    record(deployment, reading(told(), told(), told(status="done")))
    deployment.refresh_from_db()
    assert deployment.running_trainings == 2
    record(deployment, reading())
    deployment.refresh_from_db()
    assert deployment.running_trainings == 0


def test_no_answer_leaves_everything_as_it_was_and_says_so(deployment: Deployment) -> None:
    run, read_at = make_training(deployment, status="running"), deployment.api.read_at
    problem = ServiceError("service:timeout", service="DEEPaaS")
    record(deployment, Reading(timezone.now(), problem=problem))
    run.refresh_from_db()
    deployment.api.refresh_from_db()
    assert run.status == "running"
    assert (deployment.api.read_at, deployment.api.problem) == (read_at, "DEEPaaS did not answer in time.")
    assert deployment.api.offered


def test_a_model_that_could_not_be_read_loses_nothing(deployment: Deployment) -> None:
    run = make_training(deployment, status="running")
    record(deployment, Reading(timezone.now(), models=[Model(id="plants", name="plants")]))
    run.refresh_from_db()
    assert run.status == "running"


def test_the_description_is_kept_for_later_readings_without_it(deployment: Deployment) -> None:
    record(deployment, reading(description=swagger()))
    record(deployment, reading())
    deployment.api.refresh_from_db()
    assert deployment.api.offered[0]["train"][0]["name"] == "data"


def test_a_result_too_large_to_keep_leaves_its_numbers(deployment: Deployment) -> None:
    output = {"loss": 0.5, "blob": "x" * 600_000}
    result = {"output": output, "finish_date": "", "duration": "0:00:01.0"}
    record(deployment, reading(told(status="done", result=result)))
    run = Training.objects.get()
    assert (run.result, run.result_cut, run.metrics) == (None, True, {"loss": 0.5})


def test_not_a_number_in_a_result_is_kept_as_text(deployment: Deployment) -> None:
    result = {"output": {"loss": float("nan"), "acc": 0.5}, "finish_date": "", "duration": "0:00:01.0"}
    record(deployment, reading(told(status="done", result=result)))
    run = Training.objects.get()
    assert (run.result, run.metrics) == ({"loss": "nan", "acc": 0.5}, {"acc": 0.5})


@pytest.mark.parametrize(
    "fields",
    [
        {"date": "0001-01-01T00:00:00+14:00"},
        {"date": "9999-12-31 23:59:59"},
        {"result": {"output": {"loss": 10**400}, "duration": "999999999 days, 1:00:00"}},
        {"result": {"output": {"half \ud83d": "half \ud83d"}, "duration": "1:00:nan"}},
        {"args": {"seed": 10**400, "note": "\ud83d\0"}},
    ],
)
def test_whatever_a_module_tells_of_a_run_is_kept_and_shown(
    deployment: Deployment, client: Client, fields: dict[str, Any]
) -> None:
    record(deployment, reading(told("b" * 32, "done", **fields)))
    run = Training.objects.get()
    assert run.started_at.year == timezone.now().year
    client.force_login(run.owner)
    for address in (run.get_absolute_url(), reverse("deployments:training", args=[deployment.reference])):
        assert client.get(address).status_code == 200


def test_a_thousand_ended_runs_take_the_same_few_statements(deployment: Deployment) -> None:
    items = [told(f"{place:032x}", "done") for place in range(1000)]
    record(deployment, reading(*items))
    with CaptureQueriesContext(
        connection,
    ) as queries:
        record(deployment, reading(*items, told("e" * 32)))
    assert Training.objects.count() == 1001
    assert len(queries) <= 12


def test_its_owner_is_told_once_of_what_has_ended(deployment: Deployment) -> None:
    done, failed = (make_training(deployment, status="running", result=None, metrics={}) for _ in range(2))
    ended = reading(told(str(done.uuid), "done"), told(str(failed.uuid), "error"))
    record(deployment, ended)
    record(deployment, reading(told(str(done.uuid), "done")))
    notices = Notice.objects.of(deployment.owner).order_by("pk")
    assert [(notice.kind, notice.get_absolute_url()) for notice in notices] == [
        ("trained", done.get_absolute_url()),
        ("failed", failed.get_absolute_url()),
    ]
    assert "loss 0.25" in notices[0].detail
    assert "bad dataset" in notices[1].detail
