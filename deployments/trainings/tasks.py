"""Background work of trainings."""

import time

from celery import shared_task

from deployments.models import TrainingBatch
from deployments.trainings.batches import batches_go_on
from deployments.trainings.watch import SECONDS, trainings_watch


@shared_task(soft_time_limit=170, time_limit=180)  # type: ignore[untyped-decorator]  # celery is untyped
def watch_trainings() -> None:
    """Every minute (CELERY_BEAT_SCHEDULE)."""
    trainings_watch()


@shared_task  # type: ignore[untyped-decorator]  # celery is untyped
def go_on_with_batch(pk: int) -> None:
    """Right after a batch was made, so that its first training need not wait for the next minute."""
    batch = TrainingBatch.objects.filter(pk=pk).first()
    if batch:
        batches_go_on(until=time.monotonic() + SECONDS, only=batch)
