"""What changes trainings, here and at their DEEPaaS. Each needs the deployment's address confirmed shortly before."""

import logging
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from deepdash.clock import passed, within
from deepdash.errors import Problem
from deepdash.http import ServiceError
from deployments.clients.deepaas import ArgumentsRefused, Deepaas
from deployments.clients.upload import Upload
from deployments.journal.actions import recorded
from deployments.models import Action, Deployment
from deployments.readiness import ANSWERED
from deployments.services import deployment_refresh
from deployments.trainings.models import ModuleApi, Training, TrainingArguments, TrainingBatch
from deployments.trainings.reading import (
    RECORDED,
    api_ask,
    api_record,
    clock_note,
    endpoint_of,
    is_description_due,
    new_run,
    run_note,
    running_count,
)
from deployments.trainings.states import TrainingStatus

if TYPE_CHECKING:
    from accounts.models import User

log = logging.getLogger(__name__)

# An address can become another's when the container ends: reads of it may rely on what the orchestrator told some
# minutes ago, writes only on what it tells now.
READ_TRUST, WRITE_TRUST = timedelta(minutes=5), timedelta(seconds=30)
CLAIM = timedelta(seconds=3)  # how long one reading keeps others off


@dataclass(frozen=True)
class Call:
    """What a train or predict form sends. ``shown`` are the pairs as they may be kept: without secrets."""

    params: list[tuple[str, str]]
    headers: dict[str, str] = field(default_factory=dict)
    upload: Upload | None = None
    shown: list[tuple[str, str]] = field(default_factory=list)
    kept: dict[str, Any] = field(default_factory=dict)


class StartedBefore(Exception):
    """The same form has been sent before; ``run`` is what came of that, perhaps still on its way to DEEPaaS."""

    def __init__(self, run: Training) -> None:
        super().__init__(str(run.key))
        self.run = run


def api_of(deployment: Deployment) -> ModuleApi:
    """What we know of its API; made when there is nothing yet."""
    try:
        return deployment.api
    except ModuleApi.DoesNotExist:
        return ModuleApi.objects.get_or_create(deployment=deployment)[0]


def endpoint_confirm(*, user: "User", deployment: Deployment, trust: timedelta = WRITE_TRUST) -> str:
    """The address of a deployment's DEEPaaS, as the orchestrator told it not longer than ``trust`` ago.

    Raises Problem training:no-api or training:not-checked, LoginExpired, Deployment.DoesNotExist for another's.
    """
    if deployment.owner_id != user.pk:
        raise Deployment.DoesNotExist
    if not deployment.is_gone and not within(deployment.seen_at, trust):
        try:
            deployment_refresh(user=user, uuid=deployment.reference)
        except ServiceError as error:
            raise Problem("training:not-checked", detail=error.detail) from error
        deployment.refresh_from_db()
    endpoint = endpoint_of(deployment)
    if not endpoint:
        raise Problem("training:no-api")
    return endpoint


def trainings_read(*, user: "User", deployment: Deployment, trust: timedelta = READ_TRUST, force: bool = False) -> bool:
    """Ask a deployment's DEEPaaS and record what it tells. False when somebody else is doing so just now.

    Raises what ``endpoint_confirm`` does; that the API gives no answer is recorded, not raised.
    """
    endpoint = endpoint_confirm(user=user, deployment=deployment, trust=trust)
    api = api_of(deployment)
    if not (api_claim(api) or force):
        return False
    reading = api_ask(endpoint, describe=is_description_due(api, timezone.now()))
    api_record(api, reading)
    api.refresh_from_db()
    deployment.refresh_from_db(fields=["running_trainings", *ANSWERED])
    return True


def api_claim(api: ModuleApi) -> bool:
    """True for the one caller that may ask it now."""
    now = timezone.now()
    return bool(ModuleApi.objects.filter(passed("asked_at", CLAIM, now), pk=api.pk).update(asked_at=now))


def training_start(
    *,
    user: "User",
    deployment: Deployment,
    model: str,
    call: Call,
    batch: TrainingBatch | None = None,
    place: int | None = None,
    key: UUID | None = None,
) -> Training:
    """Start a training, and have it on record before it is sent: under ``key``, when its form had one.

    The record stays as STARTING when no answer came although it may have begun: the next reading finds it, or gives
    it up. Raises ArgumentsRefused for values the module does not take, Problem when it surely was not started, and
    StartedBefore for a second call with the same key (a double click), which sends nothing and is no line of the
    audit trail.
    """
    if key and (first := Training.objects.filter(key=key, owner=user.pk).first()):
        raise StartedBefore(first)
    with recorded(user, "train", deployment, detail=model) as outcome:
        run = _start(user, deployment, model, call, batch, place, key)
        if run.uuid is None:
            outcome.result = Action.Result.UNKNOWN  # the reading that settles it writes a line of its own
        return run


def _start(
    user: "User",
    deployment: Deployment,
    model: str,
    call: Call,
    batch: TrainingBatch | None,
    place: int | None,
    key: UUID | None,
) -> Training:
    endpoint = endpoint_confirm(user=user, deployment=deployment)
    api = api_of(deployment)
    run = new_run(deployment, model)
    run.sent, run.started_here, run.batch, run.batch_place = [list(pair) for pair in call.shown], True, batch, place
    run.arguments, run.key = call.kept, key or run.key
    try:
        with transaction.atomic():
            run.save()
    except IntegrityError:
        first = Training.objects.filter(key=run.key, owner=user.pk).first()
        if first is None:
            raise
        raise StartedBefore(first) from None
    running_count(deployment)
    try:
        told = Deepaas(endpoint).training_start(
            model, params=call.params, headers=call.headers, upload=call.upload
        )  # fmt: skip
    except ServiceError as error:
        if not isinstance(error, ArgumentsRefused) and error.maybe_done:
            log.warning("Whether training %s was started is not known: %s", run.key, error.id)
            return run
        run.delete()
        running_count(deployment)
        raise _not_started(error) from error
    clock_note(api, told.date, run.first_seen_at)
    run_note(run, told, timezone.now())
    run.started_at = run.first_seen_at
    try:
        with transaction.atomic():
            run.save()
    except IntegrityError:
        # A reading in the meantime has met it and made a record of its own: ours knows more.
        Training.objects.filter(deployment=deployment, model=model, uuid=run.uuid).exclude(pk=run.pk).delete()
        run.save()
    running_count(deployment)
    if batch is None:
        arguments_keep(user=user, deployment=deployment, model=model, name="", arguments=call.kept)
    return run


def training_cancel(*, user: "User", run: Training) -> Training:
    """Stop a training that is under way; its record is kept as cancelled, or as done when that came first."""
    deployment = _listed(user, run)
    with recorded(user, "train-cancel", deployment, detail=f"{run.model} {run.uuid}"):
        told = _delete_at_deepaas(user, deployment, run)
    now = timezone.now()
    if told is not None:
        run_note(run, told, now)
    if run.status not in {TrainingStatus.DONE, TrainingStatus.ERROR}:
        run.status, run.finished_at, run.message = TrainingStatus.CANCELLED, now, ""
    run.seen_at = run.lost_at = now
    run.save(update_fields=list(RECORDED))
    running_count(deployment)
    return run


def training_remove(*, user: "User", run: Training) -> None:
    """Delete a training: from its DEEPaaS if that still has it, and its content here.

    An empty row stays, so that a reading on its way does not bring it back.
    """
    _own(user, run)
    deployment = run.deployment
    if deployment is not None:
        with recorded(user, "train-delete", deployment, detail=f"{run.model} {run.uuid}"):
            if run.is_listed:
                _delete_at_deepaas(user, deployment, run)
    now = timezone.now()
    Training.objects.filter(pk=run.pk).update(
        removed_at=now, lost_at=now, arguments={}, sent=[], result=None, metrics={}, message="", source={},
        secret_arguments=[], status=TrainingStatus.CANCELLED,
    )  # fmt: skip
    if deployment is not None:
        running_count(deployment)


def arguments_keep(
    *, user: "User", deployment: Deployment, model: str, name: str, arguments: dict[str, Any]
) -> TrainingArguments:
    """Keep a set of arguments for this user and model, in place of one of the same name."""
    kept, _ = TrainingArguments.objects.update_or_create(
        user=user, module_slug=deployment.module_slug, model=model, name=name, defaults={"arguments": arguments}
    )
    return kept


def problem_of(error: ServiceError) -> Problem:
    """What an API's refusal means to people."""
    if isinstance(error, ArgumentsRefused):
        return error
    if error.http_status in {402, 404, 405, 501}:
        return Problem("training:unable", detail=error.detail)
    if error.http_status is not None and error.http_status >= 500:
        return Problem("training:failed", detail=error.detail)
    if error.http_status is not None:
        return Problem("training:refused", detail=error.detail)
    return error


def _not_started(error: ServiceError) -> Problem:
    return Problem("training:unsent", detail=error.detail) if error.http_status is None else problem_of(error)


def _own(user: "User", run: Training) -> None:
    if run.owner_id != user.pk:
        raise Training.DoesNotExist


def _listed(user: "User", run: Training) -> Deployment:
    _own(user, run)
    if not run.is_listed or run.deployment is None:
        raise Problem("training:no-api")
    return run.deployment


def _delete_at_deepaas(user: "User", deployment: Deployment, run: Training) -> Any:
    """Have DEEPaaS forget a training; returns it as told when it had ended, else None.

    A running one is removed, yet answered with 500 (contract 6.3): the list says whether it is gone.
    """
    api = Deepaas(endpoint_confirm(user=user, deployment=deployment))
    try:
        told = api.training_delete(run.model, str(run.uuid))
        if told is None and any(item.uuid == run.uuid for item in api.trainings(run.model)):
            raise Problem("training:not-removed")
    except ServiceError as error:
        if error.id != "service:missing":
            raise
        told = None
    return told
