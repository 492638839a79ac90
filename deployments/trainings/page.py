"""Everything the training page of a deployment shows, from the database alone."""

from dataclasses import dataclass, field
from datetime import UTC, timedelta
from hashlib import blake2s
from statistics import median
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from django.http import QueryDict
from django.utils.dateformat import format as formatted
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from deployments.listing import Row
from deployments.models import Deployment, ModuleApi, Training, TrainingArguments, TrainingBatch
from deployments.portrait import Portrait
from deployments.status import describe
from deployments.trainings.arguments import ArgumentsForm
from deployments.trainings.charts import MAX_POINTS, Chart, metrics_in, over_time
from deployments.trainings.description import Argument, restored
from deployments.trainings.durations import in_words
from deployments.trainings.listing import TrainingList, TrainingQuery, in_short, training_list
from deployments.trainings.reading import endpoint_of
from deployments.trainings.replay import run_by_key
from deployments.trainings.states import TrainingStatus

if TYPE_CHECKING:
    from accounts.models import User

# DEEPaaS 2.6 gives a training the open upload itself, which it can't hand to its worker process.
TRAIN_FILE_HINT = gettext_lazy(
    "Many versions of DEEPaaS can’t train on an uploaded file; a path in the storage always works."
)


@dataclass(frozen=True)
class Current:
    """A training under way. ``share`` is how far it would be, in percent, if it took as long as earlier ones."""

    run: Training
    share: int | None = None

    @property
    def so_far(self) -> str:
        took = self.run.took()
        return "–" if took is None else in_words(took.total_seconds())

    @property
    def arguments(self) -> str:
        return in_short(self.run)


@dataclass
class TrainingPage:
    """The page's parts. ``form`` is None while the module's description is not known, or when it can't train.

    ``key`` goes with the form, so that it starts one training however often it is sent.
    """

    deployment: Deployment
    api: ModuleApi | None
    model: dict[str, Any] | None
    current: list[Current]
    history: TrainingList
    metrics: list[str]
    metric: str
    chart: Chart | None
    usual: str
    sets: list[TrainingArguments]
    batches: list[TrainingBatch] = field(default_factory=list)
    form: ArgumentsForm | None = None
    filled_from: str = ""
    sent: str = ""
    answer: dict[str, Any] = field(default_factory=dict)
    key: UUID = field(default_factory=uuid4)

    @property
    def can_be_called(self) -> bool:
        return bool(endpoint_of(self.deployment))

    @property
    def waiting(self) -> list[TrainingBatch]:
        """Batches that have still something to start here."""
        begun = {row.run.batch_id for row in self.history.rows}
        return [batch for batch in self.batches if not (batch.is_single and batch.pk in begun)]

    @property
    def models(self) -> list[dict[str, Any]]:
        return self.api.offered if self.api else []

    @property
    def state(self) -> str:
        """Differs when a part of the page besides the current trainings would."""
        seen = [(str(row.run.key), row.run.status) for row in self.history.rows]
        seen += [(self.metric, str(self.form is None)), ("total", str(self.history.page.paginator.count))]
        seen += [("answers", str(self.deployment.answers))]
        return blake2s(repr(seen).encode(), digest_size=8).hexdigest()


def head_of(deployment: Deployment) -> Portrait:
    """What the head and the tabs of a deployment's pages show, without the rest of its portrait."""
    return Portrait(deployment, Row(deployment, describe(deployment)), [], None, [], [], [])


def training_page(user: "User", deployment: Deployment, data: QueryDict, *, form: bool = True) -> TrainingPage:
    """The page as an address asks for it: model, metric, page, and what the form starts with."""
    api = getattr(deployment, "api", None)
    model = model_of(api, data.get("model", ""))
    mine = Training.objects.visible_to(user).filter(deployment=deployment)
    recent = list(mine.for_list().order_by("-started_at", "-pk")[:MAX_POINTS])
    metrics = metrics_in(recent, least=1)
    asked = data.get("metric", "")
    metric = asked if asked in metrics else next(iter(metrics), "")
    usual = usual_duration(recent)
    under_way = [run for run in recent if run.is_under_way]
    if len(under_way) < deployment.running_trainings:  # something runs that began before all of the recent ones
        under_way = list(mine.for_list().under_way().order_by("-started_at")[:MAX_POINTS])
    current = [_current(run, usual) for run in under_way]
    page = TrainingPage(
        deployment, api, model, current,
        history=training_list(
            mine, TrainingQuery.of(data), metric=metric, picked=frozenset(data.getlist("run")[:MAX_POINTS])
        ),
        metrics=metrics,
        metric=metric,
        chart=over_time(recent, metric) if metric else None,
        usual=in_words(usual.total_seconds()) if usual else "",
        sets=[],
        batches=list(TrainingBatch.objects.filter(deployment=deployment).running()),
    )  # fmt: skip
    if form and model and model.get("train") is not None and page.can_be_called:
        kept = list(TrainingArguments.objects.filter(
            user=user, module_slug=deployment.module_slug, model=model["key"]
        ))  # fmt: skip
        page.sets = [one for one in kept if one.name]
        values, page.filled_from = start_values(user, kept, data)
        page.form = train_form(restored(model["train"]), values=values)
    return page


def model_of(api: ModuleApi | None, key: str, operation: str = "train") -> dict[str, Any] | None:
    """The model with that key, else the first with the operation, else the first."""
    if api is None or not api.offered:
        return None
    able = [model for model in api.offered if model.get(operation)]
    return api.model(key) or (able or api.offered)[0]


def train_form(arguments: list[Argument], data: Any = None, files: Any = None, **options: Any) -> ArgumentsForm:
    return ArgumentsForm(data, files, arguments=arguments, file_hint=str(TRAIN_FILE_HINT), **options)


def start_values(user: "User", kept: list[TrainingArguments], data: QueryDict) -> tuple[dict[str, Any], str]:
    """What the form starts with, and a sentence on where that is from.

    ``from`` names one of the user's own runs, ``set`` a named set; without them those used last, if any.
    """
    if run := run_by_key(user, data.get("from", "")):
        when = _("%(time)s UTC") % {"time": formatted(run.started_at.astimezone(UTC), _("j M, H:i"))}
        return run.arguments, _("Filled in with the arguments of the training of %(when)s.") % {"when": when}
    if name := data.get("set", ""):
        found = next((one for one in kept if one.name == name), None)
        if found:
            return found.arguments, _("Filled in with your set “%(name)s”.") % {"name": found.name}
    if data.get("from") == "defaults":
        return {}, ""
    last = next((one for one in kept if not one.name), None)
    return (last.arguments, _("Filled in as you last used it.")) if last and last.arguments else ({}, "")


def usual_duration(runs: list[Training]) -> timedelta | None:
    """The median of what finished runs took; None when none has been timed."""
    done = [run for run in runs if run.status == TrainingStatus.DONE]
    took = [run.duration.total_seconds() for run in done if run.duration is not None]
    return timedelta(seconds=median(took)) if took else None


def _current(run: Training, usual: timedelta | None) -> Current:
    took = run.took()
    if usual is None or not usual or took is None:
        return Current(run)
    return Current(run, min(99, round(100 * (took / usual))))
