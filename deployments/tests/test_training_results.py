"""What a module returned is kept if it can be, and laid out by its shape."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import User
from deployments.trainings.charts import BOTTOM, TOP, against, number, over_time
from deployments.trainings.comparison import compare
from deployments.trainings.durations import in_words
from deployments.trainings.models import Training
from deployments.trainings.reading import duration_of
from deployments.trainings.results import metrics_of, sections_of, shown, storable
from deployments.trainings.testing import make_api, make_training

JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=30,
)  # fmt: skip


def test_numbers_are_found_by_their_path_and_curves_by_their_last_point() -> None:
    result = {
        "loss": 0.5, "good": True, "name": "x", "val": {"acc": 1}, "history": {"loss": [3, 2, 1]},
        "log": [{"epoch": 1, "f1": 0.1}, {"epoch": 2, "f1": 0.7}], "bad": float("nan"),
    }  # fmt: skip
    assert metrics_of(result) == {
        "loss": 0.5, "val.acc": 1.0, "history.loss, last": 1.0, "log.epoch, last": 2.0, "log.f1, last": 0.7,
    }  # fmt: skip
    assert metrics_of(0.25) == {"result": 0.25}
    assert metrics_of(None) == {}


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(JSON)
def test_any_result_can_be_kept_and_shown(result: Any) -> None:
    kept = storable(result)
    text = json.dumps(kept, allow_nan=False)
    assert "\\u0000" not in text.replace("\\\\", "")
    assert all(section.shape in {"facts", "table", "entries", "text", "image"} for section in sections_of(kept))
    assert all(isinstance(value, float) for value in metrics_of(kept).values())


@pytest.mark.parametrize(
    ("result", "shapes"),
    [
        (None, []),
        (0.5, ["facts"]),
        ({"loss": 1, "url": "https://example.org/model"}, ["facts"]),
        ([{"a": 1}, {"a": 2, "b": 3}], ["table"]),
        ({"labels": ["x", "y"], "probabilities": [0.9, 0.1]}, ["table"]),
        ({"labels": ["x", "y"], "other": [1]}, ["entries", "entries"]),
        ([[1, 2], [3]], ["table"]),
        ("one\ntwo", ["text"]),
        ({"heatmap": "data:image/png;base64,iVBORw0KGgo="}, ["image"]),
        ({"heatmap": "data:image/svg+xml;base64,PHN2Zz4="}, ["facts"]),
    ],
)
def test_a_result_is_laid_out_by_its_shape(result: Any, shapes: list[str]) -> None:
    assert [section.shape for section in sections_of(result)] == shapes


def test_long_tables_say_how_much_is_left_out() -> None:
    (table,) = sections_of([{"n": n} for n in range(250)])
    assert (len(table.rows), table.left_out) == (200, 50)


@pytest.mark.parametrize(
    ("value", "text"), [(True, "yes"), (None, "none"), (0.1 + 0.2, "0.3"), (2.0, "2.0"), (1e-7, "1e-07"), (10, "10")]
)
def test_values_are_written_as_people_do(value: Any, text: str) -> None:
    assert shown(value) == text


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0:31:05.219878", 1865.219878), ("2 days, 1:00:00", 176400), ("1 day, 0:00:01", 86401), ("soon", None),
     ("", None), ("-1 day, 23:59:59", None)],
)  # fmt: skip
def test_durations_of_deepaas_are_read(text: str, seconds: float | None) -> None:
    assert duration_of(text) == (None if seconds is None else timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(4.25, "4.2 s"), (42, "42 s"), (185, "3 min 05 s"), (1500, "25 min"), (4320, "1 h 12 min"), (183600, "2 d 3 h")],
)
def test_durations_are_told_as_people_do(seconds: float, text: str) -> None:
    assert in_words(seconds) == text


class TestCharts:
    @pytest.fixture
    def runs(self, owner: User) -> list[Training]:
        deployment = make_api(owner)
        start = timezone.now() - timedelta(days=4)
        return [
            make_training(deployment, started_at=start, arguments={"epochs": 1}, metrics={"loss": 0.9}),
            make_training(deployment, started_at=start + timedelta(days=1), status="error", metrics={}, result=None),
            make_training(
                deployment, started_at=start + timedelta(days=2), arguments={"epochs": 3}, metrics={"loss": 0.4}
            ),
        ]

    def test_a_metric_over_the_runs_marks_the_best_and_the_failed(self, runs: list[Training]) -> None:
        chart = over_time(runs[::-1], "loss")
        assert chart is not None
        assert [dot.best for dot in chart.dots] == [False, True]
        assert chart.best is not None
        assert chart.best.text == "0.4 best"
        assert len(chart.crosses) == 1
        assert chart.dots[0].y < chart.dots[1].y  # a larger value stands higher

    def test_an_argument_against_a_metric(self, runs: list[Training]) -> None:
        chart = against(runs, "epochs", "loss")
        assert chart is not None
        assert [dot.title.partition(",")[0] for dot in chart.dots] == ["epochs 1", "epochs 3"]
        assert against(runs, "data", "loss") is None

    def test_one_value_makes_no_chart(self, runs: list[Training]) -> None:
        assert over_time(runs[:2], "loss") is None

    def test_equal_values_make_one_too(self, runs: list[Training]) -> None:
        for run in runs:
            run.metrics = {"loss": 0.0}
        assert over_time(runs, "loss") is not None

    @pytest.mark.parametrize("values", [(1e17, 1e17), (0.0, 5e-324), (-1e99, 1e99), (1e-13, 2e-13)])
    def test_numbers_of_any_size_can_be_drawn(self, runs: list[Training], values: tuple[float, float]) -> None:
        for run, value in zip(runs[::2], values, strict=True):
            run.metrics, run.arguments = {"loss": value}, {"epochs": abs(value) * value}
        chart = over_time(runs, "loss")
        assert chart is not None
        assert all(TOP <= dot.y <= BOTTOM for dot in chart.dots)
        compare(runs)

    def test_a_comparison_marks_what_differs_and_puts_it_first(self, runs: list[Training]) -> None:
        found = compare(runs)
        names = [(line.name, line.differs) for line in found.arguments]
        assert names[0] == ("epochs", True)
        assert (found.metric, found.across) == ("loss", "epochs")
        assert len(found.charts) == 2

    def test_wide_ranges_are_drawn_by_powers_of_ten(self, runs: list[Training]) -> None:
        runs[0].arguments, runs[2].arguments = {"epochs": 1e-4}, {"epochs": 0.1}
        chart = against(runs, "epochs", "loss")
        assert chart is not None
        assert [label for _, label in chart.ticks] == ["0.0001", "0.001", "0.01", "0.1"]


@pytest.mark.parametrize(("value", "text"), [(0.86123, "0.8612"), (31245.7, "31246"), (0.00012, "0.00012"), (0, "0")])
def test_numbers_have_four_figures(value: float, text: str) -> None:
    assert number(value) == text
