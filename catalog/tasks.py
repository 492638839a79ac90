"""The catalogue's background work."""

from typing import Any

from celery import shared_task, signals

from catalog.models import RefreshRun
from catalog.refresh.runs import is_work_left, request_run
from catalog.services import catalog_refresh, catalog_take_up
from deepdash.config import config

# A cold refresh of 10,000 modules at 0.3 s per call takes about a quarter of an hour. The hard limit leaves the calls
# under way the time that the longest of them, git, is given.
SOFT_LIMIT = 30 * 60
HARD_LIMIT = SOFT_LIMIT + 3 * 60


# Reading and judging templates is work for a processor: where web processes run the tasks, it has one of its own.
@shared_task(soft_time_limit=SOFT_LIMIT, time_limit=HARD_LIMIT, apart=staticmethod(lambda: True))  # type: ignore[untyped-decorator]
def refresh_catalog(trigger: str = RefreshRun.Trigger.SCHEDULE.value) -> None:
    """Refresh the catalogue, or leave the wish with the process that is doing so already."""
    catalog_refresh(trigger=trigger)


@shared_task(soft_time_limit=SOFT_LIMIT, time_limit=HARD_LIMIT, apart=staticmethod(is_work_left))  # type: ignore[untyped-decorator]
def take_up_refresh() -> None:
    """Do a refresh that waits, or one whose process is gone; else nothing.

    Asked for by whoever leaves a wish, and every minute (CELERY_BEAT_SCHEDULE) for wishes whose message was lost.
    A new site is filled at once: beat sends nothing before its interval has passed for the first time.
    """
    if config.REDIS_URL and not RefreshRun.objects.exists():
        request_run(RefreshRun.Trigger.START)
    catalog_take_up()


@signals.worker_ready.connect  # type: ignore[untyped-decorator]  # celery is untyped
def look_for_left_refreshes(**kwargs: Any) -> None:
    """A worker that starts may be the successor of one that died."""
    take_up_refresh.delay()
