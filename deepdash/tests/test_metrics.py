"""Figures: right over several processes, in the format Prometheus reads, for those who may read them."""

import re
from collections.abc import Iterator
from http import HTTPStatus

import pytest
from django.db import DatabaseError, connection
from django.test import Client
from pydantic import SecretStr

from accounts.testing import configure
from deepdash import metrics
from deepdash.models import Count

pytestmark = pytest.mark.django_db
EATEN = metrics.Counted("trial_eaten_total", "Things eaten in tests.")
WAITED = metrics.Timed("trial_wait_seconds", "Waiting in tests.")


@pytest.fixture(autouse=True)
def _nothing_counted() -> Iterator[None]:
    metrics._pending.clear()
    yield
    metrics._pending.clear()


def figures(text: str) -> dict[str, float]:
    """Sample lines by name with labels; every line must be one that Prometheus accepts."""
    found = {}
    for line in text.splitlines():
        if line.startswith("#"):
            assert re.fullmatch(r"# (HELP|TYPE) [a-z_]+ .+", line), line
            continue
        match = re.fullmatch(r'([a-z_]+(?:\{(?:[a-z_]+="(?:[^"\\\n]|\\.)*",?)+\})?) (\S+)', line)
        assert match, line
        assert match[1] not in found, line
        found[match[1]] = float(match[2])
    return found


def test_what_several_processes_counted_is_added_up() -> None:
    EATEN.add(what="apple")
    metrics.flush()
    EATEN.add(what="apple")  # as another process would: it knows nothing of the first one's count
    EATEN.add(what="pear")

    found = figures(metrics.exposition())

    assert found['deepdash_trial_eaten_total{what="apple"}'] == 2
    assert found['deepdash_trial_eaten_total{what="pear"}'] == 1


def test_a_duration_falls_into_its_bucket_and_all_larger_ones() -> None:
    for seconds in (0.01, 0.3, 99):
        WAITED.observe(seconds, at="door")

    found = figures(metrics.exposition())

    assert found['deepdash_trial_wait_seconds_bucket{at="door",le="0.05"}'] == 1
    assert found['deepdash_trial_wait_seconds_bucket{at="door",le="0.5"}'] == 2
    assert found['deepdash_trial_wait_seconds_bucket{at="door",le="30"}'] == 2
    assert found['deepdash_trial_wait_seconds_bucket{at="door",le="+Inf"}'] == 3
    assert found['deepdash_trial_wait_seconds_count{at="door"}'] == 3
    assert found['deepdash_trial_wait_seconds_sum{at="door"}'] == pytest.approx(99.31)


def test_odd_labels_do_not_break_the_format() -> None:
    EATEN.add(what='a "b"\n\\c' + "x" * 500)

    assert any("trial_eaten" in name for name in figures(metrics.exposition()))


def test_nothing_is_lost_while_the_database_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    EATEN.add(what="apple")
    with monkeypatch.context() as broken:

        def fail() -> None:
            raise DatabaseError("away")

        broken.setattr(connection, "cursor", fail)
        metrics.flush()
    EATEN.add(what="apple")
    metrics.flush()

    assert Count.objects.get(name="trial_eaten_total").value == 2


def test_one_gauge_that_fails_hides_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> list[tuple[dict[str, str], float]]:
        raise OSError("away")

    monkeypatch.setitem(metrics._gauges, "broken", metrics.Gauge("broken", "Fails.", fail))
    monkeypatch.setitem(metrics._gauges, "whole", metrics.Gauge("whole", "Works.", lambda: [({}, 7)]))

    found = figures(metrics.exposition())

    assert found["deepdash_whole"] == 7
    assert "deepdash_broken" not in found


def test_requests_are_counted_by_view_and_not_by_address(client: Client) -> None:
    for path in ("/modules/one", "/modules/two", "/no/such/page", "/healthz"):
        client.get(path)

    found = figures(client.get("/metrics").content.decode())

    assert found['deepdash_requests_total{method="GET",status="404",view="catalog:module"}'] == 2
    assert found['deepdash_requests_total{method="GET",status="404",view="none"}'] == 1
    assert found['deepdash_requests_total{method="GET",status="200",view="healthz"}'] == 1


def test_without_a_token_only_direct_callers_on_this_machine_may_read(client: Client) -> None:
    assert client.get("/metrics").status_code == HTTPStatus.OK
    assert client.get("/metrics", REMOTE_ADDR="192.0.2.1").status_code == HTTPStatus.NOT_FOUND
    through_proxy = client.get("/metrics", headers={"X-Forwarded-For": "192.0.2.1"})
    assert through_proxy.status_code == HTTPStatus.NOT_FOUND


def test_with_a_token_exactly_its_bearers_may_read(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    configure(monkeypatch, METRICS_TOKEN=SecretStr("the-token-of-prometheus"))

    def status(header: str) -> int:
        return client.get("/metrics", headers={"Authorization": header} if header else {}).status_code

    assert status("Bearer the-token-of-prometheus") == HTTPStatus.OK
    assert [status("Bearer other"), status("Bearer tök"), status("Bearer "), status("")] == [HTTPStatus.NOT_FOUND] * 4
