"""Refreshes coalesce: one runs, one waits, across threads and processes, and a dead one is replaced."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from catalog import services
from catalog.models import RefreshRun
from catalog.refresh import runs
from catalog.refresh.jobs import Jobs
from catalog.refresh.runs import Report, Superseded, claim_next, replace_abandoned, request_run
from catalog.services import catalog_refresh
from catalog.tasks import refresh_catalog, take_up_refresh
from deepdash.config import Config

State = RefreshRun.State


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Refreshes that do nothing but are counted."""
    runs: list[int] = []
    monkeypatch.setattr(services, "_refresh", lambda report, progress: runs.append(report.run.pk))
    return runs


@pytest.mark.django_db
def test_any_number_of_wishes_during_a_run_make_one_more_run(counted: list[int]) -> None:
    running = request_run("webhook")
    assert claim_next() == running
    wishes = {catalog_refresh(trigger="webhook").pk for _ in range(100)}
    assert len(wishes) == 1
    assert counted == []
    Report(running).end(State.DONE)
    assert catalog_refresh(trigger="schedule").state == State.DONE
    assert counted == list(wishes), "the one that waited served the last wish too"


@pytest.mark.django_db
def test_a_wish_that_arises_while_this_process_works_is_served_by_it(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[int] = []

    def refresh(report: Report, progress: Any) -> None:
        done.append(report.run.pk)
        if len(done) == 1:
            request_run("webhook")

    monkeypatch.setattr(services, "_refresh", refresh)
    catalog_refresh(trigger="command")
    assert len(done) == 2
    assert set(RefreshRun.objects.values_list("state", flat=True)) == {State.DONE}


@pytest.mark.django_db
def test_the_database_itself_lets_no_two_run_or_wait() -> None:
    for state in (State.RUNNING, State.WAITING):
        RefreshRun.objects.create(trigger="command", state=state)
        with pytest.raises(IntegrityError), transaction.atomic():
            RefreshRun.objects.create(trigger="command", state=state)


@pytest.mark.django_db
def test_a_run_whose_process_died_is_replaced(counted: list[int]) -> None:
    dead = RefreshRun.objects.create(
        trigger="command", state=State.RUNNING, started=timezone.now(), alive_at=timezone.now() - timedelta(minutes=10)
    )
    run = catalog_refresh(trigger="schedule")
    dead.refresh_from_db()
    assert (dead.state, run.state, counted) == (State.ABANDONED, State.DONE, [run.pk])


@pytest.mark.django_db
def test_a_run_that_lives_is_left_alone(counted: list[int]) -> None:
    RefreshRun.objects.create(trigger="command", state=State.RUNNING, alive_at=timezone.now() - timedelta(seconds=50))
    assert catalog_refresh(trigger="schedule").state == State.WAITING
    assert counted == []


@pytest.mark.django_db
def test_who_was_declared_dead_stops_and_does_not_overwrite(monkeypatch: pytest.MonkeyPatch) -> None:
    def refresh(report: Report, progress: Any) -> None:
        RefreshRun.objects.filter(pk=report.run.pk).update(state=State.ABANDONED)
        report._beat_at -= 60
        report.alive()

    monkeypatch.setattr(services, "_refresh", refresh)
    run = catalog_refresh(trigger="command")
    assert (run.state, run.finished) == (State.ABANDONED, None)
    report = Report(run)
    report._beat_at -= 60
    with pytest.raises(Superseded):
        report.alive()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("error", "state"),
    [(ValueError, State.FAILED), (KeyboardInterrupt, State.ABANDONED), (SystemExit, State.ABANDONED)],
)
def test_whatever_ends_a_run_it_never_stays_running(
    monkeypatch: pytest.MonkeyPatch, error: type[BaseException], state: str
) -> None:
    def refresh(report: Report, progress: Any) -> None:
        raise error

    monkeypatch.setattr(services, "_refresh", refresh)
    with pytest.raises(error):
        catalog_refresh(trigger="command")
    run = RefreshRun.objects.get()
    assert run.state == state
    assert run.finished


@pytest.mark.django_db
def test_the_task_may_be_run_twice(counted: list[int]) -> None:
    refresh_catalog("webhook")
    refresh_catalog()
    assert len(counted) == 2
    assert list(RefreshRun.objects.values_list("trigger", flat=True)) == ["schedule", "webhook"]


@pytest.mark.django_db
def test_a_new_site_with_workers_is_filled_once_without_waiting_for_the_hour(
    counted: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    take_up_refresh()
    assert counted == [], "embedded, the scheduler does so itself"

    monkeypatch.setattr("catalog.tasks.config", Config(REDIS_URL="redis://127.0.0.1:9"))
    take_up_refresh()
    take_up_refresh()
    assert len(counted) == 1
    assert list(RefreshRun.objects.values_list("trigger", "state")) == [("start", "done")]


@pytest.mark.django_db
def test_a_wish_left_with_a_process_that_dies_is_taken_up_later(counted: list[int]) -> None:
    running = request_run("webhook")
    assert claim_next() == running
    refresh_catalog("webhook")
    take_up_refresh()
    assert counted == []
    RefreshRun.objects.filter(pk=running.pk).update(alive_at=timezone.now() - timedelta(seconds=70))
    take_up_refresh()
    take_up_refresh()
    assert len(counted) == 1
    assert set(RefreshRun.objects.values_list("state", flat=True)) == {State.ABANDONED, State.DONE}


@pytest.mark.django_db
def test_a_run_whose_process_died_is_done_again_though_nobody_asks(counted: list[int]) -> None:
    running = request_run("webhook")
    assert claim_next() == running
    RefreshRun.objects.filter(pk=running.pk).update(alive_at=timezone.now() - timedelta(seconds=70))
    take_up_refresh()
    assert list(RefreshRun.objects.values_list("trigger", "state")) == [("restart", "done"), ("webhook", "abandoned")]
    assert len(counted) == 1


@pytest.mark.django_db
def test_a_run_that_kills_its_process_each_time_is_not_repeated_for_ever(counted: list[int]) -> None:
    for trigger in ("schedule", "restart"):
        RefreshRun.objects.filter(state=State.WAITING).delete()
        running = request_run(trigger)
        assert claim_next() == running
        RefreshRun.objects.filter(pk=running.pk).update(alive_at=timezone.now() - timedelta(seconds=70))
        replace_abandoned()
        assert RefreshRun.objects.filter(state=State.WAITING).exists() == (trigger == "schedule")


@pytest.mark.django_db
def test_the_time_limit_ends_the_run_and_not_the_item_in_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    def refresh(report: Report, progress: Any) -> None:
        def out_of_time(result: object) -> None:
            raise SoftTimeLimitExceeded

        with Jobs(at_once=1, tick=lambda: None, broken=lambda name, problem: None) as jobs:
            jobs.add("item", lambda: None, out_of_time)
            jobs.drain()

    monkeypatch.setattr(services, "_refresh", refresh)
    with pytest.raises(SoftTimeLimitExceeded):
        catalog_refresh(trigger="command")
    assert RefreshRun.objects.get().state == State.FAILED


@pytest.mark.django_db
def test_only_the_newest_runs_are_kept(counted: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("catalog.refresh.runs.KEPT_RUNS", 3)
    for _ in range(5):
        catalog_refresh(trigger="schedule")
    assert list(RefreshRun.objects.values_list("pk", flat=True)) == counted[:1:-1]


@pytest.mark.django_db
def test_a_report_counts_everything_and_lists_what_is_not_unchanged() -> None:
    run = request_run("command")
    assert claim_next()
    report = Report(run)
    report.item("module", "a", "unchanged")
    report.item("module", "b", "changed")
    report.item("source", "c", "unchanged", note="odd")
    report.end(State.DONE)
    run.refresh_from_db()
    assert run.counts == {"unchanged": 2, "changed": 1}
    assert [item["name"] for item in run.items] == ["b", "c"]
    assert RefreshRun.objects.last_finished() == run


@pytest.mark.django_db(transaction=True)
def test_many_threads_at_once_make_at_most_two_runs_and_forget_no_wish(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[int] = []
    first_runs, all_have_asked = threading.Event(), threading.Event()

    def refresh(report: Report, progress: Any) -> None:
        done.append(report.run.pk)
        first_runs.set()
        all_have_asked.wait(20)

    monkeypatch.setattr(services, "_refresh", refresh)
    errors: list[BaseException] = []

    def ask() -> None:
        try:
            catalog_refresh(trigger="webhook")
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    first = threading.Thread(target=ask)
    first.start()
    assert first_runs.wait(20)
    others = [threading.Thread(target=ask) for _ in range(10)]
    for thread in others:
        thread.start()
    for thread in others:
        thread.join(30)
    all_have_asked.set()
    first.join(30)
    assert errors == []
    assert len(done) == 2
    assert set(RefreshRun.objects.values_list("state", flat=True)) == {State.DONE}


@pytest.mark.django_db(transaction=True)
def test_two_processes_that_find_an_abandoned_run_make_one_of_it_and_the_one_that_waits(
    counted: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    silent = timezone.now() - timedelta(minutes=10)
    dead = RefreshRun.objects.create(trigger="webhook", state=State.RUNNING, started=silent, alive_at=silent)
    waiting = request_run("webhook")

    def other() -> None:
        take_up_refresh()
        connection.close()

    second = threading.Thread(target=other)

    def request_in_between(trigger: str) -> RefreshRun:
        second.start()
        second.join(0.5)  # as far as it gets: it has to wait for this one
        return request_run(trigger)

    monkeypatch.setattr(runs, "request_run", request_in_between)
    take_up_refresh()
    second.join(30)
    assert counted == [waiting.pk]
    assert list(RefreshRun.objects.values_list("pk", "state")) == [(waiting.pk, "done"), (dead.pk, "abandoned")]
