"""Times noted by clocks that ran ahead."""

from datetime import timedelta

import pytest
from django.utils import timezone

from deepdash.clock import is_later, within

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.mark.parametrize(
    ("ago", "expected"),
    [(MINUTE, True), (2 * HOUR, False), (-MINUTE / 2, True), (-HOUR, False)],
    ids=["just now", "long ago", "by a clock that is a little ahead", "by a clock that was wrong"],
)
def test_a_time_counts_as_recent_unless_its_clock_was_wrong(ago: timedelta, expected: bool) -> None:
    assert within(timezone.now() - ago, HOUR) is expected


def test_no_time_is_neither_recent_nor_later() -> None:
    assert not within(None, HOUR)
    assert not is_later(None, timezone.now())


def test_a_later_time_counts_unless_its_clock_was_wrong() -> None:
    now = timezone.now()
    assert is_later(now, now - HOUR)
    assert not is_later(now - HOUR, now)
    assert not is_later(now + HOUR, now)
