"""Charts as plain numbers for an SVG template: no script, and each stands beside a table of its values."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.utils.dateformat import format as formatted
from django.utils.translation import gettext as _

from deployments.trainings.models import Training
from deployments.trainings.results import is_number
from deployments.trainings.states import TrainingStatus

WIDTH, HEIGHT = 740, 220
LEFT, RIGHT, TOP, BOTTOM = 64, 716, 24, 180
MAX_POINTS = 60
MAX_LABELS = 9
SMALLEST = 1e-100  # nearer to zero is zero
_SMALLER_IS_BETTER = ("loss", "error", "mae", "mse", "rmse", "perplexity")
_LARGER_IS_BETTER = ("acc", "score", "f1", "auc", "precision", "recall", "iou", "map", "r2", "dice")


@dataclass(frozen=True)
class Mark:
    """Something drawn at a place. ``text`` is written above it, ``title`` is told on hover."""

    x: float
    y: float
    title: str
    text: str = ""
    best: bool = False

    @property
    def above(self) -> float:
        return round(self.y - 12, 1)

    @property
    def cross(self) -> str:
        return f"m{self.x - 4:.1f} {self.y - 4:.1f} 8 8m0-8-8 8"


@dataclass
class Chart:
    """A chart in a box of WIDTH × HEIGHT. ``grid`` and ``ticks`` are (place, label) pairs."""

    title: str
    across: str
    upward: str
    grid: list[tuple[float, str]] = field(default_factory=list)
    ticks: list[tuple[float, str]] = field(default_factory=list)
    line: str = ""
    dots: list[Mark] = field(default_factory=list)
    crosses: list[Mark] = field(default_factory=list)
    words: list[Mark] = field(default_factory=list)
    best: Mark | None = None
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = RIGHT


def over_time(runs: Sequence[Training], metric: str) -> Chart | None:
    """A metric over the runs, oldest first; None when fewer than two runs have it.

    Runs without a value are told by their state, so that a gap is no riddle. Only the latest MAX_POINTS are drawn.
    """
    drawn = sorted(runs, key=lambda run: (run.started_at, run.pk))[-MAX_POINTS:]
    values = [run.metrics[metric] for run in drawn if metric in run.metrics]
    if len(values) < 2:
        return None
    scale = _Scale(values, BOTTOM, TOP)
    places = [round(LEFT + 20 + place * (RIGHT - LEFT - 40) / max(1, len(drawn) - 1), 1) for place in range(len(drawn))]
    title = _("%(metric)s of each training, in the order they were started") % {"metric": metric}
    chart = Chart(title, _("Trainings"), metric, scale.grid())
    every = max(1, math.ceil(len(drawn) / MAX_LABELS))
    best = _best(metric, values)
    same_day = len({run.started_at.date() for run in drawn}) == 1
    day, error = _("j M"), _("error")
    for place, (x, run) in enumerate(zip(places, drawn, strict=True)):
        when = formatted(run.started_at, "H:i" if same_day else day)
        if place % every == 0:
            chart.ticks.append((x, when))
        if metric in run.metrics:
            value = run.metrics[metric]
            is_best = value == best and chart.best is None
            text = _("%(number)s best") % {"number": number(value)} if is_best else ""
            mark = Mark(x, scale.at(value), f"{when}: {number(value)}", text, is_best)
            chart.dots.append(mark)
            chart.best = mark if is_best else chart.best
        elif run.status == TrainingStatus.ERROR:
            chart.crosses.append(Mark(x, BOTTOM, f"{when}: {error}", error if len(drawn) <= 16 else ""))
        elif len(drawn) <= 16:
            chart.words.append(Mark(x, BOTTOM, when, run.view.label.lower()))
    chart.line = " ".join(f"{dot.x},{dot.y}" for dot in chart.dots)
    return chart


def against(runs: Sequence[Training], argument: str, metric: str) -> Chart | None:
    """A numeric argument across, a metric upward, a dot per run; None when fewer than two runs have both."""
    pairs = [(float(run.arguments[argument]), run.metrics[metric], run) for run in runs
             if is_number(run.arguments.get(argument)) and metric in run.metrics]  # fmt: skip
    if len(pairs) < 2 or len({across for across, upward, run in pairs}) < 2:
        return None
    across = _Scale([pair[0] for pair in pairs], LEFT + 20, RIGHT - 20, wide=True)
    upward = _Scale([pair[1] for pair in pairs], BOTTOM, TOP)
    title = _("%(metric)s by %(argument)s") % {"metric": metric, "argument": argument}
    chart = Chart(title, argument, metric, upward.grid(), across.grid())
    best = _best(metric, [pair[1] for pair in pairs])
    moment = _("j M H:i")
    for x, y, run in pairs:
        hint = f"{argument} {number(x)}, {metric} {number(y)}, {formatted(run.started_at, moment)}"
        mark = Mark(across.at(x), upward.at(y), hint, "", y == best)
        chart.dots.append(mark)
    return chart


def metrics_in(runs: Sequence[Training], *, least: int = 2) -> list[str]:
    """The metrics that at least ``least`` of the runs have, the most common first."""
    counts: dict[str, int] = {}
    for run in runs:
        for name in run.metrics:
            counts[name] = counts.get(name, 0) + 1
    return sorted((name for name, count in counts.items() if count >= least), key=lambda name: -counts[name])


def varied_numbers(runs: Sequence[Training]) -> list[str]:
    """The arguments with at least two different numbers among the runs."""
    values: dict[str, set[float]] = {}
    for run in runs:
        for name, value in run.arguments.items():
            if is_number(value):
                values.setdefault(name, set()).add(float(value))
    return [name for name, different in values.items() if len(different) > 1]


def number(value: float) -> str:
    """With four figures: 0.8612 → "0.8612", 31245.7 → "31246"."""
    if value and (abs(value) < 1e-3 or abs(value) >= 1e7):
        return f"{value:.3g}"
    return f"{round(value):d}" if abs(value) >= 1000 else f"{value:.4g}"


def _best(metric: str, values: Sequence[float]) -> float | None:
    """The best value where the metric's name tells which way is better."""
    name = metric.lower()
    if any(word in name for word in _SMALLER_IS_BETTER):
        return min(values)
    return max(values) if any(word in name for word in _LARGER_IS_BETTER) else None


class _Scale:
    """Places values between two ends of an axis. ``wide``: by powers of ten when they span two of them or more."""

    def __init__(self, values: Sequence[float], start: float, end: float, *, wide: bool = False) -> None:
        low, high = min(values), max(values)
        self._log = wide and low > SMALLEST and high / low >= 100
        self._start, self._end = start, end
        if self._log:
            self._steps = [10.0**power for power in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)]
        else:
            self._steps = _steps(low, high)
        self._low, self._high = self._of(self._steps[0]), self._of(self._steps[-1])

    def at(self, value: float) -> float:
        share = (self._of(value) - self._low) / ((self._high - self._low) or 1)
        return round(self._start + share * (self._end - self._start), 1)

    def grid(self) -> list[tuple[float, str]]:
        return [(self.at(step), number(step)) for step in self._steps]

    def _of(self, value: float) -> float:
        return math.log10(value) if self._log else value


def _steps(low: float, high: float) -> list[float]:
    """Four to seven round values that enclose both."""
    size = max(abs(low), abs(high))
    if high - low <= max(SMALLEST, size * 1e-12):  # as good as equal: less could not be told apart when added
        margin = max(1.0, size * 1e-9) if size >= 1 or size <= SMALLEST else size
        low, high = low - margin, high + margin
    rough = (high - low) / 5
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * round_one for round_one in (1, 2, 2.5, 5, 10) if power * round_one >= rough)
    first, last = math.floor(low / step), math.ceil(high / step)
    return [step * place for place in range(first, last + 1)]
