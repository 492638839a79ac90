"""Notices about trainings: that one has ended, or that a batch has."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext_lazy

from deepdash.config import config
from deployments.journal.models import DETAIL_CHARS, Notice
from deployments.journal.notices import languages_of, notices_keep
from deployments.trainings.charts import number
from deployments.trainings.models import Training, TrainingBatch
from deployments.trainings.states import TrainingStatus

_HEADLINES: dict[str, tuple[str, str]] = {
    TrainingStatus.DONE: (Notice.Kind.TRAINED, gettext_noop("The training on “{title}” is done")),
    TrainingStatus.ERROR: (Notice.Kind.FAILED, gettext_noop("The training on “{title}” failed")),
    TrainingStatus.LOST: (Notice.Kind.FAILED, gettext_noop("The training on “{title}” is lost")),
}
# How many of a batch ended how, in the plural of the reader's language.
_COUNTS: dict[str, Any] = {
    "starting": ngettext_lazy("%(number)s starting", "%(number)s starting", "number"),
    "running": ngettext_lazy("%(number)s running", "%(number)s running", "number"),
    "done": ngettext_lazy("%(number)s done", "%(number)s done", "number"),
    "error": ngettext_lazy("%(number)s error", "%(number)s error", "number"),
    "cancelled": ngettext_lazy("%(number)s cancelled", "%(number)s cancelled", "number"),
    "lost": ngettext_lazy("%(number)s lost", "%(number)s lost", "number"),
    "unknown": ngettext_lazy("%(number)s unknown", "%(number)s unknown", "number"),
}
_NOT_STARTED = (Notice.Kind.FAILED, gettext_noop("The training on “{title}” was not started"))
FIGURES = 3


def trainings_tell(runs: Sequence[Training]) -> None:
    """Tell the owners of runs that have just ended. Cancelling is no news, and a batch tells of itself at its end."""
    _tell([(run, *_HEADLINES[run.status]) for run in _alone(runs) if run.status in _HEADLINES])


def starts_missed_tell(runs: Sequence[Training]) -> None:
    """Tell the owners of starts without an answer that DEEPaaS, as it turned out, knows nothing of them."""
    _tell([(run, *_NOT_STARTED) for run in _alone(runs)])


def batch_stop(batch: TrainingBatch, reason: str) -> None:
    """Nothing more of a batch is started, and its owner is told why."""
    batch_end(batch, TrainingBatch.State.STOPPED, reason)


def batch_end(batch: TrainingBatch, state: TrainingBatch.State, reason: str = "") -> None:
    """A batch comes to its end; whoever ends it first tells its owner. ``reason`` is in the owner's language."""
    if TrainingBatch.objects.filter(pk=batch.pk).end(state, reason):
        batch.state, batch.reason = state, reason
        with translation.override(languages_of([batch.owner_id])[batch.owner_id]):
            _batch_tell(batch)


def _tell(news: list[tuple[Training, str, str]]) -> None:
    """Keep a notice for each (run, kind, headline), in its owner's language."""
    languages = languages_of(run.owner_id for run, _kind, _headline in news)
    notices = []
    for run, kind, headline in news:
        with translation.override(languages[run.owner_id]):
            notices.append(_notice(run, kind, headline))
    notices_keep(notices)


def _batch_tell(batch: TrainingBatch) -> None:
    done = batch.state == TrainingBatch.State.DONE
    ended = Counter(batch.runs.values_list("status", flat=True))
    if batch.is_single and (done or ended):
        return  # its one training tells of itself
    title = batch.deployment.shown_title
    if batch.is_single:
        headline = _(_NOT_STARTED[1]).format(title=title)
    elif done:
        headline = _("The %(number)s trainings on “%(title)s” have ended") % {"number": len(batch.plan), "title": title}
    else:
        headline = _("The %(number)s trainings on “%(title)s” were stopped") % {
            "number": len(batch.plan),
            "title": title,
        }
    counts = ", ".join(_COUNTS[status] % {"number": count} for status, count in ended.most_common())
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
        headline=_(headline).format(title=run.deployment.shown_title)[:200],
        detail=_detail(run)[:DETAIL_CHARS],
        mail_due=bool(config.EMAIL_URL),
    )


def _detail(run: Training) -> str:
    if run.status != TrainingStatus.DONE:
        return (run.shown_message.strip().splitlines() or [_("It gave no message.")])[-1]
    figures = [f"{name} {number(value)}" for name, value in list(run.metrics.items())[:FIGURES]]
    if not figures:
        return _("It took %(time)s.") % {"time": run.took_text}
    return _("It took %(time)s; %(figures)s.") % {"time": run.took_text, "figures": ", ".join(figures)}
