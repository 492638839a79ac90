"""What a user has used, and nobody else."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from deployments.states import Status
from deployments.testing import make_deployment
from deployments.usage import bars, usage_of

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def test_hours_run_from_completion_to_the_end_and_fall_into_their_months(owner: User) -> None:
    created = datetime(2026, 10, 31, 11, tzinfo=UTC)
    mine = make_deployment(owner, created_at=created, status=Status.GONE, gone_at=datetime(2026, 11, 1, 2, tzinfo=UTC),
                           num_gpus=1, known_status="CREATE_COMPLETE")  # fmt: skip
    mine.events.create(status="CREATE_COMPLETE", at=datetime(2026, 10, 31, 12, tzinfo=UTC))
    mine.events.create(status="UPDATE_COMPLETE", at=datetime(2026, 10, 31, 20, tzinfo=UTC))
    usage = usage_of(owner, now=NOW)
    assert (usage.gpu_hours, usage.cpu_hours) == (14, 0)
    assert {month.label: month.gpu_hours for month in usage.months if month.gpu_hours} == {
        "Oct 2026": 12,
        "Nov 2026": 2,
    }
    assert usage.minutes_to_ready == 60


def test_how_soon_one_made_elsewhere_was_ready_is_not_known(owner: User) -> None:
    make_deployment(owner, created_at=NOW - timedelta(days=3), ready_at=NOW, submission_key=None)
    assert usage_of(owner, now=NOW).minutes_to_ready is None


def test_the_day_on_which_clocks_are_set_back_has_an_hour_more(owner: User) -> None:
    make_deployment(owner, created_at=datetime(2026, 10, 24, 22, tzinfo=UTC), known_status="CREATE_COMPLETE",
                    status=Status.GONE, gone_at=datetime(2026, 10, 25, 23, tzinfo=UTC))  # fmt: skip
    with timezone.override("Europe/Rome"):
        assert usage_of(owner, now=NOW).cpu_hours == 25


def test_what_still_runs_counts_until_now(owner: User) -> None:
    make_deployment(owner, created_at=NOW - timedelta(hours=5), choices={"hardware": "cpu"})
    usage = usage_of(owner, now=NOW)
    assert (round(usage.cpu_hours), usage.running) == (5, 1)


def test_success_is_a_share_of_what_came_to_an_end(owner: User) -> None:
    make_deployment(owner, created_at=NOW)
    make_deployment(owner, created_at=NOW, status=Status.CREATE_FAILED)
    make_deployment(owner, created_at=NOW, status=Status.CREATE_IN_PROGRESS)
    late = make_deployment(owner, created_at=NOW, status=Status.GONE, known_status="CREATE_FAILED")
    late.events.create(status="CREATE_FAILED")
    usage = usage_of(owner, now=NOW)
    assert (usage.percent, usage.ended, usage.total) == (33, 3, 4)
    assert usage.months[-1].failed == 2


def test_without_anything_nothing_is_made_up(owner: User, browser: Client) -> None:
    usage = usage_of(owner, now=NOW)
    assert (usage.percent, usage.minutes_to_ready, usage.total) == (None, None, 0)
    assert "Nothing to count yet" in browser.get("/usage").content.decode()


def test_others_deployments_do_not_count(owner: User, stranger: User, browser: Client) -> None:
    theirs = make_deployment(stranger, module_slug="hidden-module")
    theirs.events.create(status="CREATE_COMPLETE")
    assert usage_of(owner, now=NOW).total == 0
    assert "hidden-module" not in browser.get("/usage").content.decode()


def test_the_page_takes_few_statements_for_many(
    owner: User, browser: Client, django_assert_max_num_queries: Any
) -> None:
    for _ in range(50):
        make_deployment(owner).events.create(status="CREATE_COMPLETE")
    with django_assert_max_num_queries(7):
        page = browser.get("/usage").content.decode()
    assert page.count("<rect") >= 2
    assert "50, 50 running now" in page


@pytest.mark.parametrize("values", [[], [0, 0], [1, 5, 2.5]])
def test_bars_stay_within_their_box(values: list[float]) -> None:
    for bar in bars([(str(number), value, value / 2) for number, value in enumerate(values)]):
        assert 0 <= bar.x <= bar.x + bar.width <= 740
        assert 0 <= bar.y <= bar.y + bar.height <= 200
        assert bar.share_height <= bar.height
