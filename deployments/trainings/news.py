"""Notices about trainings: that one has ended, or that a batch has."""

from collections import Counter
from collections.abc import Sequence

from deepdash.config import config
from deployments.journal.models import DETAIL_CHARS, Notice
from deployments.journal.notices import notices_keep
from deployments.trainings.charts import number
from deployments.trainings.models import Training, TrainingBatch
from deployments.trainings.states import VIEWS, TrainingStatus

_HEADLINES: dict[str, tuple[str, str]] = {
    TrainingStatus.DONE: (Notice.Kind.TRAINED, "The training on “{title}” is done"),
    TrainingStatus.ERROR: (Notice.Kind.FAILED, "The training on “{title}” failed"),
    TrainingStatus.LOST: (Notice.Kind.FAILED, "The training on “{title}” is lost"),
}
_NOT_STARTED = (Notice.Kind.FAILED, "The training on “{title}” was not started")
FIGURES = 3


def trainings_tell(runs: Sequence[Training]) -> None:
    """Tell the owners of runs that have just ended. Cancelling is no news, and a batch tells of itself at its end."""
    notices_keep([_notice(run, *_HEADLINES[run.status]) for run in _alone(runs) if run.status in _HEADLINES])


def starts_missed_tell(runs: Sequence[Training]) -> None:
    """Tell the owners of starts without an answer that DEEPaaS, as it turned out, knows nothing of them."""
    notices_keep([_notice(run, *_NOT_STARTED) for run in _alone(runs)])


def batch_stop(batch: TrainingBatch, reason: str) -> None:
    """Nothing more of a batch is started, and its owner is told why."""
    batch_end(batch, TrainingBatch.State.STOPPED, reason)


def batch_end(batch: TrainingBatch, state: TrainingBatch.State, reason: str = "") -> None:
    """A batch comes to its end; whoever ends it first tells its owner."""
    if TrainingBatch.objects.filter(pk=batch.pk).end(state, reason):
        batch.state, batch.reason = state, reason
        _batch_tell(batch)


def _batch_tell(batch: TrainingBatch) -> None:
    done = batch.state == TrainingBatch.State.DONE
    ended = Counter(VIEWS[status].label.lower() for status in batch.runs.values_list("status", flat=True))
    if batch.is_single and (done or ended):
        return  # its one training tells of itself
    title = batch.deployment.shown_title
    if batch.is_single:
        headline = f"The training on “{title}” was not started"
    else:
        headline = f"The {len(batch.plan)} trainings on “{title}” {'have ended' if done else 'were stopped'}"
    counts = ", ".join(f"{count} {label}" for label, count in ended.most_common())
    notices_keep([
        Notice(
            user_id=batch.owner_id,
            kind=Notice.Kind.TRAINED if done else Notice.Kind.FAILED,
            deployment=batch.deployment,
            cause=f"batch {batch.pk}",
            headline=headline[:200],
            detail=(batch.reason or counts)[:DETAIL_CHARS],
            mail_due=bool(config.EMAIL_URL),
        )
    ])  # fmt: skip


def _alone(runs: Sequence[Training]) -> list[Training]:
    return [run for run in runs if run.deployment and (run.batch is None or run.batch.is_single)]


def _notice(run: Training, kind: str, headline: str) -> Notice:
    assert run.deployment is not None
    return Notice(
        user_id=run.owner_id,
        kind=kind,
        deployment=run.deployment,
        training=run,
        cause=f"training {run.pk}",
        headline=headline.format(title=run.deployment.shown_title)[:200],
        detail=_detail(run)[:DETAIL_CHARS],
        mail_due=bool(config.EMAIL_URL),
    )


def _detail(run: Training) -> str:
    if run.status != TrainingStatus.DONE:
        return (run.message.strip().splitlines() or ["It gave no message."])[-1]
    figures = [f"{name} {number(value)}" for name, value in list(run.metrics.items())[:FIGURES]]
    return f"It took {run.took_text}" + (f"; {', '.join(figures)}." if figures else ".")
