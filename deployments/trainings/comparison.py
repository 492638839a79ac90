"""Trainings side by side: which arguments differ, how long they took, what they gave."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from deployments.trainings.charts import Chart, against, metrics_in, number, over_time, varied_numbers
from deployments.trainings.models import Training
from deployments.trainings.results import shown

MOST = 40  # side by side; more are a list


@dataclass(frozen=True)
class Line:
    """A property with its value for each run, in the runs' order; ``differs`` when they are not all the same."""

    name: str
    values: list[str]

    @property
    def differs(self) -> bool:
        return len(set(self.values)) > 1


@dataclass
class Comparison:
    """All a page of comparison shows. The lines that differ come first in each part."""

    runs: list[Training]
    facts: list[Line] = field(default_factory=list)
    arguments: list[Line] = field(default_factory=list)
    results: list[Line] = field(default_factory=list)
    metrics: list[str] = field(default_factory=list)
    numbers: list[str] = field(default_factory=list)
    metric: str = ""
    across: str = ""
    charts: list[Chart] = field(default_factory=list)

    @property
    def modules(self) -> set[str]:
        return {run.module_slug for run in self.runs}

    @property
    def parts(self) -> list[tuple[str, list[Line]]]:
        return [(_("Training"), self.facts), (_("Arguments"), self.arguments), (_("Result"), self.results)]


def compare(runs: Sequence[Training], *, metric: str = "", across: str = "") -> Comparison:
    """The comparison of some runs; ``metric`` and ``across`` choose what the charts show, where they make sense."""
    found = Comparison(sorted(runs, key=lambda run: (run.started_at, run.pk)))
    found.facts = [
        Line(_("Status"), [str(run.view.label) for run in found.runs]),
        Line(_("Deployment"), [deployment_name(run) for run in found.runs]),
        Line(_("Image"), [image_of(run) or "–" for run in found.runs]),
        Line(_("Duration"), [run.took_text for run in found.runs]),
    ]
    names = list(dict.fromkeys(name for run in found.runs for name in run.arguments))
    found.arguments = _sorted(
        Line(name, [shown(run.arguments[name]) if name in run.arguments else "–" for run in found.runs])
        for name in names
    )
    metrics = list(dict.fromkeys(name for run in found.runs for name in run.metrics))
    found.results = _sorted(
        Line(name, [number(run.metrics[name]) if name in run.metrics else "–" for run in found.runs])
        for name in metrics
    )
    found.metrics, found.numbers = metrics_in(found.runs), varied_numbers(found.runs)
    found.metric = metric if metric in found.metrics else next(iter(found.metrics), "")
    found.across = across if across in found.numbers else next(iter(found.numbers), "")
    if found.metric:
        charts = [over_time(found.runs, found.metric)]
        charts += [against(found.runs, found.across, found.metric)] if found.across else []
        found.charts = [chart for chart in charts if chart]
    return found


def deployment_name(run: Training) -> str:
    """The deployment a run belongs to; for an imported record the one it came from."""
    if run.deployment is not None:
        return run.deployment.shown_title
    told = run.source_title if hasattr(run, "source_title") else run.source.get("deployment", {}).get("title")
    return str(told or _("imported"))


def image_of(run: Training) -> str:
    """Image and tag the run was made with, as far as known."""
    if run.deployment is not None:
        return run.deployment.docker_image
    told = run.source_image if hasattr(run, "source_image") else run.source.get("environment", {}).get("image")
    return str(told or "")


def _sorted(lines: Any) -> list[Line]:
    return sorted(lines, key=lambda line: not line.differs)
