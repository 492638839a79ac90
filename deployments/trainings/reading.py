"""Reading a deployment's DEEPaaS (network only), and bringing our records up to what it told (database only)."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext_noop

from deepdash.clock import is_later, within
from deepdash.http import ServiceError
from deployments.clients.deepaas import Deepaas, Model
from deployments.clients.deepaas import Training as Told
from deployments.journal.actions import action_record
from deployments.journal.models import Action
from deployments.journal.notices import languages_of
from deployments.outputs import services_of, without_secrets
from deployments.readiness import deepaas_answered
from deployments.trainings.description import arguments_of, stored
from deployments.trainings.models import EARLIEST, ModuleApi, Training
from deployments.trainings.news import starts_missed_tell, trainings_tell
from deployments.trainings.results import is_small, metrics_of, storable
from deployments.trainings.states import UNDER_WAY, TrainingStatus, status_of

if TYPE_CHECKING:
    from deployments.models import Deployment

DESCRIPTION_AGE = timedelta(hours=1)
MAX_MODELS = 20
MAX_RUNS = 5000
MESSAGE_CHARS = 20_000
ANSWER_TIME = timedelta(seconds=30)  # by then a start has its answer, or its process is gone
LONGEST = timedelta(days=36_500)  # what claims to have taken longer has not told how long
GIVE_UP = timedelta(minutes=2)  # a start whose answer was lost and that is not listed by then never happened
_LIGHT = (
    "uuid",
    "owner",
    "deployment",
    "batch",
    "model",
    "status",
    "seen_at",
    "first_seen_at",
    "lost_at",
    "removed_at",
)
RECORDED = ("arguments", "secret_arguments", "status", "message", "result", "result_cut", "metrics", "finished_at",
            "duration", "date_text", "seen_at", "lost_at")  # fmt: skip


@dataclass
class Reading:
    """What a DEEPaaS told. ``at`` is when it was asked; ``runs`` has an entry per model whose list could be read."""

    at: datetime
    models: list[Model] = field(default_factory=list)
    runs: dict[str, tuple[Told, ...]] = field(default_factory=dict)
    description: object = None
    problem: ServiceError | None = None


def endpoint_of(deployment: "Deployment") -> str:
    """The address of its DEEPaaS as the orchestrator told it, "" when there is none."""
    if not deployment.is_complete or deployment.is_gone:
        return ""
    return next((service.url for service in services_of(deployment.outputs) if service.is_deepaas), "")


def api_ask(endpoint: str, *, describe: bool) -> Reading:
    """Ask for models and trainings, and with ``describe`` for the arguments. Never raises a ServiceError.

    Uses no database, so it may run beside others in threads.
    """
    reading = Reading(timezone.now())
    api = Deepaas(endpoint)
    try:
        reading.models = list(api.models()[:MAX_MODELS])
        if describe:
            reading.description = api.description().json()
    except ServiceError as error:
        reading.problem = error
        return reading
    for model in reading.models:
        try:
            reading.runs[model.key] = api.trainings(model.key)[:MAX_RUNS]
        except ServiceError as error:  # one model's trouble is not the others'
            reading.problem = error
    return reading


def is_description_due(api: ModuleApi, now: datetime) -> bool:
    return not within(api.described_at, DESCRIPTION_AGE, now) or not api.offered


def api_record(api: ModuleApi, reading: Reading) -> list[Training]:
    """Bring our records up to a reading, unless a later one was quicker. Returns those that have just ended.

    However many runs have ended long ago, it takes the same few statements: they are only marked as seen.
    """
    with transaction.atomic():
        # The lock lets one reading at a time through; on SQLite every write transaction is alone anyway.
        api = ModuleApi.objects.select_for_update(of=("self",)).select_related("deployment").get(pk=api.pk)
        if is_later(api.read_at, reading.at):
            return []
        _api_note(api, reading)
        if reading.models:
            deepaas_answered(api.deployment, reading.at)
        if not reading.runs:
            return []
        records = _Records(api, reading)
        for model, runs in reading.runs.items():
            for told in runs:
                records.note(model, told)
            records.lose(model, {told.uuid for told in runs})
        records.give_up()
        records.store()
    return records.ended


class _Records:
    """The records of one deployment's trainings, and what a reading makes of each."""

    def __init__(self, api: ModuleApi, reading: Reading) -> None:
        self.api, self.reading, self.at = api, reading, reading.at
        of_this = Training.objects.filter(deployment=api.deployment_id)
        self.known = {(run.model, run.uuid): run for run in of_this.exclude(uuid=None).only(*_LIGHT)}
        self.open = {run.pk: run for run in of_this.under_way()}
        self.pending = [run for run in self.open.values() if not run.uuid]
        self.new: list[Training] = []
        self.changed: list[Training] = []
        self.still: list[int] = []  # primary keys of those that are as they were
        self.ended: list[Training] = []
        self.found: list[Training] = []  # starts whose answer was lost
        self.missed: list[Training] = []  # the same, which never happened

    def note(self, model: str, told: Told) -> None:
        """One that DEEPaaS lists."""
        run = self.known.get((model, told.uuid))
        if run is None and (run := _lost_start(self.pending, model, told)):
            self.found.append(run)
        if run is None:
            run = new_run(self.api.deployment, model)
            run.started_at = by_its_clock(told.date, self.at, self.api.clock_ahead)
            run_note(run, told, self.at)
            self.new.append(run)
        elif run.removed_at or is_later(run.seen_at, self.at):
            return
        elif run.lost_at is None and run.status == status_of(told.status) and run.pk not in self.open:
            self.still.append(run.pk)
        else:
            run = self.open.get(run.pk, run)
            was = run.status
            run_note(run, told, self.at)
            self.changed.append(run)
            self.ended += [run] if was in UNDER_WAY and run.status not in UNDER_WAY else []

    def lose(self, model: str, listed: set[str]) -> None:
        """Those that DEEPaaS no longer lists."""
        for run in [run for run in self.known.values() if run.model == model and run.uuid not in listed]:
            if run.lost_at or run.removed_at or is_later(run.seen_at or run.first_seen_at, self.at):
                continue
            run = self.open.get(run.pk, run)
            self.ended += [run] if run.status in UNDER_WAY else []
            run_lost(run, self.at)
            self.changed.append(run)

    def give_up(self) -> None:
        """Starts without an answer that had their time."""
        for run in self.pending:
            if not within(run.first_seen_at, GIVE_UP, self.at) and run.model in self.reading.runs:
                run_lost(run, self.at)
                run.message = gettext_noop("No answer came when it was started, and DEEPaaS does not have it.")
                self.changed.append(run)
                self.missed.append(run)

    def store(self) -> None:
        """Write all of it, and tell the people."""
        Training.objects.bulk_create(self.new, ignore_conflicts=True)
        Training.objects.bulk_update(self.changed, [*RECORDED, "uuid"], batch_size=200)
        Training.objects.filter(pk__in=self.still).update(seen_at=self.at)
        running_count(self.api.deployment)
        trainings_tell(self.ended)
        starts_missed_tell(self.missed)
        here = "It was found in the list of its DEEPaaS afterwards."  # not shown
        nowhere = "It was not in the list of its DEEPaaS afterwards."  # not shown
        starts_settle(self.found, Action.Result.DONE, here, self.at)
        starts_settle(self.missed, Action.Result.FAILED, nowhere, self.at)


def starts_settle(runs: Iterable[Training], result: str, words: str, at: datetime) -> None:
    """What became of starts that had no answer, as lines of the audit trail beside those that left it open.

    A start whose answer may still be on its way writes its own line.
    """
    for run in runs:
        deployment = run.deployment
        assert deployment is not None  # it was read from one
        left_open = Action.objects.filter(
            deployment=deployment, what="train", result=Action.Result.UNKNOWN, at__gte=run.first_seen_at
        )
        if at - run.first_seen_at > ANSWER_TIME or left_open.exists():
            action_record(deployment.owner, "train", deployment, result=result, detail=f"{run.model}. {words}")


def new_run(deployment: "Deployment", model: str) -> Training:
    """A run (not saved) of a deployment; whose it is and what it is of follow from there."""
    return Training(
        owner_id=deployment.owner_id, deployment=deployment, module_slug=deployment.module_slug, model=model
    )


def run_note(run: Training, told: Told, at: datetime) -> None:
    """Write into a run (not saved) what DEEPaaS told of it at a moment."""
    arguments, secret = without_secrets(storable(told.args))
    run.uuid, run.arguments, run.secret_arguments = told.uuid[:64], arguments, secret
    run.date_text, run.seen_at, run.lost_at = told.date[:40], at, None
    was_under_way = run.status in UNDER_WAY
    run.status = status_of(told.status)
    run.message = told.message[:MESSAGE_CHARS]
    if run.status == TrainingStatus.DONE and told.result:
        output = storable(told.result.get("output"))
        run.result_cut = not is_small(output)
        run.result, run.metrics = (None if run.result_cut else output), metrics_of(output)
        run.duration = duration_of(told.result.get("duration"))
    if run.status not in UNDER_WAY and run.finished_at is None:
        finished = run.started_at + run.duration if run.duration is not None else None
        run.finished_at = finished or (at if was_under_way and run.pk else None)


def run_lost(run: Training, at: datetime) -> None:
    """DEEPaaS no longer has it: one that was under way is lost, one that had ended is kept as it was."""
    run.lost_at = at
    if run.status in UNDER_WAY:
        run.status, run.finished_at = TrainingStatus.LOST, None
        run.message = gettext_noop(
            "Its container restarted, or it was cancelled elsewhere: DEEPaaS no longer knows it."
        )


def running_count(deployment: "Deployment") -> None:
    """Keep the number of running trainings on the deployment's own row, where lists find it."""
    count = Training.objects.filter(deployment=deployment.pk, removed_at=None).under_way().count()
    if count != deployment.running_trainings:
        deployment.running_trainings = count
        deployment.save(update_fields=["running_trainings"])


def duration_of(text: object) -> timedelta | None:
    """Python's ``str(timedelta)``, as DEEPaaS sends it: ``0:31:05.219878`` or ``2 days, 1:00:00``."""
    days, comma, rest = str(text).rpartition(", ")
    try:
        hours, minutes, seconds = rest.split(":")
        whole = int(days.split()[0]) if comma else 0
        found = timedelta(days=whole, hours=int(hours), minutes=int(minutes), seconds=float(seconds))
    except (ValueError, IndexError, OverflowError):
        return None
    return found if timedelta(0) <= found <= LONGEST else None


def _api_note(api: ModuleApi, reading: Reading) -> None:
    before = {model["key"]: model for model in api.offered}
    if reading.models:
        api.offered = [
            {
                "key": model.key,
                "name": model.name[:200],
                "description": model.description[:2000],
                "version": model.version[:60],
                **{
                    operation: stored(arguments_of(reading.description, model.key, operation))
                    if reading.description is not None
                    else before.get(model.key, {}).get(operation)
                    for operation in ("train", "predict")
                },
            }
            for model in reading.models
        ]
    if reading.description is not None:
        api.described_at = reading.at
    if reading.problem is None:
        api.read_at = reading.at
    api.problem = _headline(reading.problem, api.deployment.owner_id) if reading.problem else ""
    api.save(update_fields=["offered", "described_at", "read_at", "problem"])


def _headline(problem: ServiceError, owner: int) -> str:
    """As the owner reads it, whoever asked: the background has no language."""
    with translation.override(languages_of([owner])[owner]):
        return problem.headline[:200]


def _lost_start(pending: list[Training], model: str, told: Told) -> Training | None:
    """The run we sent and heard nothing of, if this can be it: same model, and every value we sent is in it."""
    for run in pending:
        if run.model == model and all(_as_sent(told.args.get(name), value) for name, value in _singles(run.sent)):
            pending.remove(run)
            return run
    return None


def _singles(sent: Iterable[list[str]]) -> list[tuple[str, str]]:
    """The pairs whose name was sent once: lists and files are told otherwise than they were sent."""
    names = [name for name, _ in sent]
    return [(name, value) for name, value in sent if names.count(name) == 1]


def _as_sent(told: object, sent: str) -> bool:
    if isinstance(told, bool):
        return sent == str(told).lower()
    if isinstance(told, (int, float)):
        try:
            return float(sent) == told
        except ValueError:
            return False
    return not isinstance(told, str) or told == sent


def by_its_clock(date: str, read_at: datetime, ahead: timedelta | None) -> datetime:
    """When a run we did not start began: its DEEPaaS tells the time by a clock without a zone (contract 6.3).

    ``ahead`` is how far that clock is ahead of UTC; not known, it is taken as UTC, which containers nearly all have.
    When we saw it, where that is no time at which a training can have begun.
    """
    try:
        told = datetime.fromisoformat(date)
        told = told if told.tzinfo else told.replace(tzinfo=UTC) - (ahead or timedelta(0))
    except (ValueError, OverflowError):
        return read_at
    return told if EARLIEST <= told <= read_at else read_at


def clock_note(api: ModuleApi, date: str, sent_at: datetime) -> None:
    """Learn from the time it gave a training that we sent at ``sent_at`` how far its clock is ahead of UTC.

    Zones differ by quarters of an hour, so the rest is delay. Runs of others, taken as UTC so far, are put right.
    """
    try:
        told = datetime.fromisoformat(date)
    except ValueError:
        return
    if told.tzinfo:
        return
    quarters = round((told.replace(tzinfo=UTC) - sent_at) / timedelta(minutes=15))
    ahead = timedelta(minutes=15 * quarters)
    if abs(ahead) > timedelta(hours=14) or ahead == api.clock_ahead:
        return
    api.clock_ahead = ahead
    api.save(update_fields=["clock_ahead"])
    others = Training.objects.filter(deployment=api.deployment_id, started_here=False).exclude(date_text="")
    wrong = list(others.only("date_text", "first_seen_at", "started_at")[:MAX_RUNS])
    for run in wrong:
        run.started_at = by_its_clock(run.date_text, run.first_seen_at, ahead)
    Training.objects.bulk_update(wrong, ["started_at"], batch_size=500)
