"""What becomes of trainings when their deployment is gone."""

from collections.abc import Sequence

from django.utils import timezone

from deployments.models import Deployment, Training, TrainingBatch
from deployments.trainings.news import trainings_tell
from deployments.trainings.states import TrainingStatus


def trainings_lose(deployments: Sequence[int]) -> None:
    """The deployments with these primary keys are gone: what ran in them is lost, what they told is kept."""
    now = timezone.now()
    runs = Training.objects.filter(deployment__in=deployments, lost_at=None, removed_at=None)
    ending = list(runs.under_way().filter(deployment__isnull=False).select_related("deployment"))
    runs.under_way().update(
        status=TrainingStatus.LOST, lost_at=now, message="Its deployment ended before it was done."
    )  # fmt: skip
    runs.exclude(uuid=None).update(lost_at=now)
    for run in ending:
        run.status, run.message = TrainingStatus.LOST, "Its deployment ended before it was done."
    trainings_tell(ending)
    Deployment.objects.filter(pk__in=deployments, running_trainings__gt=0).update(running_trainings=0)
    running = TrainingBatch.objects.filter(deployment__in=deployments, state=TrainingBatch.State.RUNNING)
    running.update(state=TrainingBatch.State.STOPPED, reason="Its deployment is gone.")
