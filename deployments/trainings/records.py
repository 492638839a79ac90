"""A training as a file: everything needed to make it again elsewhere. Written, read back, and put into tables."""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal

from django.utils import timezone, translation
from django.utils.translation import gettext as _
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from deepdash.errors import Problem
from deployments.outputs import without_secrets
from deployments.trainings.comparison import deployment_name, image_of
from deployments.trainings.models import EARLIEST, Training
from deployments.trainings.results import is_small, metrics_of, storable
from deployments.trainings.states import UNDER_WAY, TrainingStatus

if TYPE_CHECKING:
    from accounts.models import User

FORMAT = "deepdash training record"  # not shown
VERSION = 1
MAX_BYTES = 2 * 1024 * 1024
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def _mapping(value: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = storable(value)
    return found


def _without_nul(text: str) -> str:
    return text.replace("\0", "")


Text = Annotated[str, Field(max_length=20_000), AfterValidator(_without_nul)]
Short = Annotated[str, Field(max_length=200), AfterValidator(_without_nul)]
Moment = Annotated[AwareDatetime, Field(ge=EARLIEST, lt=datetime(3000, 1, 1, tzinfo=UTC))]
Values = Annotated[dict[str, Any], Field(max_length=500), AfterValidator(_mapping)]


class _Shape(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Environment(_Shape):
    """What the training ran in: the deployment as it was asked for, without secrets."""

    uuid: Short = ""
    title: Short = ""
    module: Short = ""
    image: Annotated[str, Field(max_length=500), AfterValidator(_without_nul)] = ""
    tag: Short = ""
    choices: Values = {}
    inputs: Values = {}
    secret_inputs: Annotated[list[Short], Field(max_length=100)] = []
    provider: Short = ""
    template_file: Short = ""
    template_sha256: Short = ""
    template: Annotated[str, Field(max_length=500_000), AfterValidator(_without_nul)] = ""


class Run(_Shape):
    """The training itself."""

    model: Annotated[Short, Field(min_length=1)]
    uuid: Annotated[Short, AfterValidator(lambda text: text[:64])] = ""
    status: Short = "unknown"
    arguments: Values = {}
    secret_arguments: Annotated[list[Short], Field(max_length=100)] = []
    started_at: Moment | None = None
    finished_at: Moment | None = None
    seconds: Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)] | None = None
    message: Text = ""
    result: Any = None


class Record(_Shape):
    """The file."""

    format: Literal["deepdash training record"]
    version: Annotated[int, Field(ge=1, le=VERSION)] = VERSION
    written_at: AwareDatetime | None = None
    training: Run
    environment: Environment = Environment()


def record_of(run: Training) -> dict[str, Any]:
    """The record of a run, ready to be written as JSON. It holds no secrets: none are kept."""
    training = Run(
        model=run.model,
        uuid=run.uuid or "",
        status=run.status,
        arguments=run.arguments,
        secret_arguments=run.secret_arguments,
        started_at=run.started_at,
        finished_at=run.finished_at,
        seconds=run.duration.total_seconds() if run.duration is not None else None,
        message=run.message,
        result=run.result,
    )
    record = Record(
        format=FORMAT, written_at=timezone.now(), training=training, environment=environment_of(run)
    )  # fmt: skip
    return record.model_dump(mode="json")


def environment_of(run: Training) -> Environment:
    """What a run ran in: its deployment, or what its imported record says."""
    deployment = run.deployment
    if deployment is None:
        return Environment.model_validate(run.source.get("environment") or {"module": run.module_slug})
    return Environment.model_construct(
        uuid=deployment.uuid or "",
        title=deployment.shown_title,
        module=deployment.module_slug,
        image=deployment.docker_image,
        tag=str(deployment.choices.get("docker_tag") or "") or _tag(deployment.docker_image),
        choices=deployment.choices,
        inputs=deployment.inputs,
        secret_inputs=deployment.secret_inputs,
        provider=deployment.provider_name,
        template_file=deployment.template_file,
        template_sha256=deployment.template_digest,
        template=deployment.template_text,
    )


def record_read(content: bytes) -> Record:
    """A record from a file. Raises Problem training:record, saying what is wrong."""
    if len(content) > MAX_BYTES:
        raise Problem(
            "training:record", detail=_("It is larger than %(size)s.") % {"size": f"{MAX_BYTES // 1024 // 1024} MiB"}
        )
    try:
        return Record.model_validate(json.loads(content))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "file"
        raise Problem("training:record", detail=f"{place}: {first['msg']}") from None
    except (ValueError, RecursionError) as error:
        raise Problem("training:record", detail=_("It is not JSON: %(error)s") % {"error": error}) from None


def training_import(*, user: "User", record: Record) -> Training:
    """Keep a record as a run of the user's own, marked as imported; what is there already is not made twice."""
    run, environment = record.training, record.environment
    arguments, secret = without_secrets(run.arguments)
    inputs, secret_inputs = without_secrets(environment.inputs)
    kept = environment.model_copy(
        update={"inputs": inputs, "secret_inputs": sorted({*environment.secret_inputs, *secret_inputs})}
    )
    mine = Training.objects.visible_to(user)
    if run.uuid:
        again = mine.filter(uuid=run.uuid, model=run.model, module_slug=environment.module).first()
        if again:
            return again
    told = TrainingStatus(run.status) if run.status in TrainingStatus.values else TrainingStatus.UNKNOWN
    result = storable(run.result)
    cut = not is_small(result)
    return Training.objects.create(
        owner=user,
        module_slug=environment.module,
        model=run.model,
        uuid=run.uuid or None,
        arguments=arguments,
        secret_arguments=sorted({*run.secret_arguments, *secret}),
        status=TrainingStatus.UNKNOWN if told in UNDER_WAY else told,  # how it went on is not in the file
        message=run.message,
        result=None if cut else result,
        result_cut=cut,
        metrics=metrics_of(result),
        started_at=run.started_at or timezone.now(),
        finished_at=run.finished_at,
        duration=None if run.seconds is None else timedelta(seconds=run.seconds),
        source={"environment": kept.model_dump(mode="json"), "deployment": {"title": environment.title}},
        imported_at=timezone.now(),
    )


@translation.override("en")  # scripts read it: the same words whatever their writer's language
def runs_csv(runs: Iterable[Training]) -> str:
    """A table of runs: one line each, a column per argument and per number of the result."""
    runs = list(runs)
    arguments = list(dict.fromkeys(name for run in runs for name in run.arguments))
    metrics = list(dict.fromkeys(name for run in runs for name in run.metrics))
    facts = ["started", "status", "seconds", "module", "model", "deployment", "image", "uuid", "message"]
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(map(_cell, [*facts, *(f"argument {n}" for n in arguments), *(f"result {n}" for n in metrics)]))
    for run in runs:
        took = run.took() if not run.is_under_way else None
        line: list[Any] = [
            _moment(run.started_at), str(run.view.label), took.total_seconds() if took is not None else "",
            run.module_slug, run.model, deployment_name(run), image_of(run), run.uuid or "", run.message,
        ]  # fmt: skip
        line += [run.arguments.get(name, "") for name in arguments] + [run.metrics.get(name, "") for name in metrics]
        writer.writerow(map(_cell, line))
    return out.getvalue()


def runs_json(runs: Sequence[Training]) -> list[dict[str, Any]]:
    """The records of several runs, without the templates: those of one deployment are all the same."""
    records = [record_of(run) for run in runs]
    for record in records:
        record["environment"].pop("template")
    return records


def _cell(value: Any) -> Any:
    """A cell that a spreadsheet takes for what it is: text that it would run as a formula gets an apostrophe."""
    if isinstance(value, (bool, int, float)):
        return value
    text = value if isinstance(value, str) else "" if value is None else json.dumps(value, ensure_ascii=False)
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text


def _moment(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


def _tag(image: str) -> str:
    return image.partition("@")[0].rpartition("/")[2].partition(":")[2]
