"""Batches: a small grid of arguments, whose trainings are started one after another as DEEPaaS takes them."""

import itertools
import json
import logging
import re
import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from accounts.tokens import LoginExpired
from deepdash.clock import passed
from deepdash.errors import Problem
from deepdash.http import ServiceError
from deployments.clients.deepaas import ArgumentsRefused
from deployments.journal.actions import action_record
from deployments.models import Deployment, Training, TrainingBatch
from deployments.states import Status
from deployments.trainings.arguments import ArgumentField, as_sent
from deployments.trainings.description import Argument
from deployments.trainings.news import batch_end, batch_stop
from deployments.trainings.services import Call, api_of, training_start, trainings_read
from deployments.trainings.states import UNDER_WAY

if TYPE_CHECKING:
    from accounts.models import User

log = logging.getLogger(__name__)

AXES = 3
MOST_RUNS = 60
CLAIM = timedelta(seconds=60)
PATIENCE = timedelta(hours=24)  # a batch whose API has not answered for so long stops
_RANGE = re.compile(r"(?P<first>[^\s.]\S*?)\s*(?:\.\.|…|to)\s*(?P<last>\S+?)(?:\s+(?:by|step)\s+(?P<step>\S+))?")


def can_vary(argument: Argument) -> bool:
    """Whether an argument can be part of the grid: a single value, neither file nor secret."""
    return not argument.many and argument.kind not in {"file", "object"} and not argument.secret


def axis_values(text: str, field: forms.Field) -> list[Any]:
    """The values of one axis: separated by commas, ranges of numbers as "10..50 step 10".

    Each is checked as the argument's own field would. Raises ValidationError.
    """
    if not isinstance(field, ArgumentField):
        raise ValidationError(_("This argument can’t be varied."))
    values: list[Any] = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        for one in _range(part, field.argument):
            value = field.clean(one)
            if value not in values:
                values.append(value)
            if len(values) > MOST_RUNS:
                raise ValidationError(_("These are more than %(most)s values.") % {"most": MOST_RUNS})
    if not values:
        raise ValidationError(_("Write at least one value, several separated by commas."))
    return values


def grid(axes: Mapping[str, Sequence[Any]], fixed: Sequence[tuple[str, str]]) -> list[list[list[str]]]:
    """The pairs to send for every combination: the fixed ones, with those of the axes in their place."""
    others = [list(pair) for pair in fixed if pair[0] not in axes]
    return [
        [*others, *([name, as_sent(value)] for name, value in zip(axes, values, strict=True))]
        for values in itertools.product(*axes.values())
    ]


def batch_start(
    *,
    user: "User",
    deployment: Deployment,
    model: str,
    axes: Mapping[str, Sequence[Any]],
    call: Call,
    key: UUID | None = None,
) -> TrainingBatch:
    """Put a batch on record; its trainings are started in the background. Raises ValueError when it is too large.

    A second call with the same ``key`` (a double click) returns the first one's batch.
    """
    if deployment.owner_id != user.pk:
        raise Deployment.DoesNotExist
    plan = grid(axes, call.shown)
    if not 0 < len(plan) <= MOST_RUNS:
        raise ValueError(f"A batch has 1 to {MOST_RUNS} trainings.")
    if call.upload is not None:
        raise ValueError("A file is not kept until the turn of its training comes.")
    secrets = [pair for pair in call.params if pair not in call.shown]
    names = [*dict(secrets), *call.headers]
    batch, made = TrainingBatch.objects.get_or_create(key=key or uuid4(), owner=user, defaults={
        "deployment": deployment, "model": model, "axes": list(axes), "plan": plan, "beside_names": names,
        "beside": json.dumps({"secrets": secrets, "headers": call.headers}) if names else "",
    })  # fmt: skip
    if made:
        action_record(user, "batch", deployment, detail=f"{model}: {len(plan)}")
    return batch


def batch_cancel(*, user: "User", batch: TrainingBatch) -> None:
    """Start no more of a batch's trainings; the one that runs goes on."""
    if batch.owner_id != user.pk:
        raise TrainingBatch.DoesNotExist
    if TrainingBatch.objects.filter(pk=batch.pk).end(TrainingBatch.State.CANCELLED):
        action_record(user, "batch-stop", batch.deployment, detail=batch.model)
    batch.refresh_from_db()


def batches_go_on(*, until: float, only: TrainingBatch | None = None) -> None:
    """Start what is next in each batch that runs, as long as ``until`` (monotonic seconds) is not past."""
    now = timezone.now()
    free = passed("claimed_until", CLAIM, now + CLAIM)  # the column is the end of the claim
    running = TrainingBatch.objects.running().filter(free).select_related("deployment__owner")
    for batch in running.filter(pk=only.pk) if only else running.order_by("pk")[:50]:
        if time.monotonic() > until:
            return
        claim = timezone.now() + CLAIM
        if TrainingBatch.objects.filter(free, pk=batch.pk).update(claimed_until=claim):
            try:
                with translation.override(batch.deployment.owner.language or settings.LANGUAGE_CODE):
                    _go_on(batch)  # a reason to stop is kept as its owner reads it
            finally:
                TrainingBatch.objects.filter(pk=batch.pk, claimed_until=claim).update(claimed_until=None)


def _go_on(batch: TrainingBatch) -> None:
    """One step of a batch: nothing while a training runs, else the next one, else its end.

    DEEPaaS runs as many at once as it has workers, and tells neither how many nor what waits: so one at a time.
    """
    user, deployment = batch.deployment.owner, batch.deployment
    if deployment.is_gone:
        return batch_stop(batch, _("Its deployment is gone."))
    if deployment.status == Status.CREATE_FAILED:
        return batch_stop(batch, _("Its deployment could not be created."))
    try:
        trainings_read(user=user, deployment=deployment, force=True)
        if problem := api_of(deployment).problem:
            log.info("Batch %s waits: %s", batch.pk, problem)
            return _wait(batch)
        if Training.objects.filter(deployment=deployment, status__in=UNDER_WAY, removed_at=None).exists():
            return None
        place = _next_place(batch)
        if place is None:
            return batch_end(batch, TrainingBatch.State.DONE)
        call = _call(batch, place)
        training_start(user=user, deployment=deployment, model=batch.model, call=call, batch=batch, place=place)
    except ArgumentsRefused as refused:
        return batch_stop(
            batch, _("The module refused the arguments of one of them. %(why)s") % {"why": refused.detail}
        )
    except LoginExpired:
        return batch_stop(batch, _("Your session ended for good, so the dashboard could no longer act for you."))
    except ServiceError as error:
        log.info("Batch %s waits: %s", batch.pk, error)
    except Problem as problem:
        if problem.id in {"training:unable", "training:failed", "training:refused", "training:sealed"}:
            return batch_stop(batch, problem.headline)
        log.info("Batch %s waits: %s", batch.pk, problem)
    return _wait(batch)


def _wait(batch: TrainingBatch) -> None:
    """Tried again in a minute, but not for ever."""
    if timezone.now() - _last_sign(batch) > PATIENCE:
        batch_stop(batch, _("The API gave no answer for a day."))


def _next_place(batch: TrainingBatch) -> int | None:
    """The first of the plan that has not been started. A start whose answer was lost counts as started."""
    begun = set(batch.runs.values_list("batch_place", flat=True))
    return next((place for place in range(len(batch.plan)) if place not in begun), None)


def _call(batch: TrainingBatch, place: int) -> Call:
    """One of the plan, with what is sent beside it. Raises Problem training:sealed when no key opens that any more."""
    shown = [(name, value) for name, value in batch.plan[place]]
    values: dict[str, list[str]] = {}
    for name, value in shown:
        values.setdefault(name, []).append(value)
    kept = {name: several if len(several) > 1 else several[0] for name, several in values.items()}
    if not batch.beside_names:
        return Call(shown, shown=shown, kept=kept)
    if not batch.beside:
        raise Problem("training:sealed")
    beside = json.loads(batch.beside)
    secrets = [(name, value) for name, value in beside["secrets"]]
    return Call([*shown, *secrets], headers=beside["headers"], shown=shown, kept=kept)


def _last_sign(batch: TrainingBatch) -> Any:
    last = batch.runs.order_by("-started_at").values_list("started_at", flat=True).first()
    return max(filter(None, (last, batch.created_at, api_of(batch.deployment).read_at)))


def _range(text: str, argument: Argument) -> list[str]:
    """The values of "10..50 step 10" for a number; any other text is one value."""
    found = _RANGE.fullmatch(text) if argument.kind in {"integer", "number"} else None
    if found is None:
        return [text]
    try:
        first, last = float(found["first"]), float(found["last"])
        step = float(found["step"] or 1)
    except ValueError:
        return [text]
    if not (step > 0 and first <= last and (last - first) / step <= MOST_RUNS):  # so that NaN is refused too
        message = _("“%(text)s” is not a range of at most %(most)s values; write it like 10..50 step 10.")
        raise ValidationError(message % {"text": text[:40], "most": MOST_RUNS})
    count = int((last - first) / step + 1e-9) + 1
    values = [round(first + place * step, 12) for place in range(count)]
    return [str(int(value)) if value.is_integer() else repr(value) for value in values]
