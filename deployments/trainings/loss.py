"""What becomes of trainings when their deployment is gone."""

from collections.abc import Sequence

from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from deployments.journal.notices import languages_of
from deployments.models import Deployment, Training, TrainingBatch
from deployments.trainings.news import batch_stop, trainings_tell
from deployments.trainings.states import TrainingStatus

_DEPLOYMENT = ("deployment__uuid", "deployment__submission_key", "deployment__title", "deployment__description")


def trainings_lose(deployments: Sequence[int]) -> None:
    """The deployments with these primary keys are gone: what ran in them is lost, what they told is kept.

    One statement when nothing ever trained in them.
    """
    now = timezone.now()
    runs = Training.objects.filter(deployment__in=deployments, lost_at=None, removed_at=None)
    left = list(runs.select_related("deployment").only("status", "owner", "batch", "uuid", *_DEPLOYMENT))
    if not left:
        return
    ending = [run for run in left if run.is_under_way]
    for run in ending:
        run.status, run.message = TrainingStatus.LOST, gettext_noop("Its deployment ended before it was done.")
    Training.objects.bulk_update(ending, ["status", "message"], batch_size=200)
    runs.update(lost_at=now)
    Deployment.objects.filter(pk__in=deployments, running_trainings__gt=0).update(running_trainings=0)
    trainings_tell(ending)
    batches = list(TrainingBatch.objects.filter(deployment__in=deployments).running().select_related("deployment"))
    languages = languages_of(batch.owner_id for batch in batches)
    for batch in batches:
        with translation.override(languages[batch.owner_id]):
            batch_stop(batch, _("Its deployment is gone."))
