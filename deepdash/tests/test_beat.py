"""Beat, when the clock of its machine is set back."""

from datetime import timedelta
from pathlib import Path

import time_machine
from django.utils import timezone

from deepdash.beat import SteadyScheduler
from deepdash.celery import app


def scheduler(path: Path, sent: list[str]) -> SteadyScheduler:
    """One whose sending only notes the name of the task."""
    made = SteadyScheduler(app=app, schedule_filename=str(path / "schedule"))
    made.apply_entry = lambda entry, producer=None: sent.append(entry.task)
    made.__dict__["producer"] = None
    return made


def ticks(made: SteadyScheduler) -> None:
    """Until nothing is due."""
    while made.tick() <= 0:
        pass


def test_what_was_sent_by_a_clock_that_ran_ahead_is_sent_again_at_once(tmp_path: Path) -> None:
    sent: list[str] = []
    now = timezone.now()
    with time_machine.travel(now + timedelta(days=1)):
        made = scheduler(tmp_path, sent)
        ticks(made)
    with time_machine.travel(now):
        before = sent.count("deployments.tasks.watch_moving")
        ticks(made)
        assert sent.count("deployments.tasks.watch_moving") == before + 1
        ticks(made)
        assert sent.count("deployments.tasks.watch_moving") == before + 1, "once"
    with time_machine.travel(now + timedelta(seconds=31)):
        ticks(made)
        assert sent.count("deployments.tasks.watch_moving") == before + 2, "and then as ever"


def test_the_clock_is_looked_at_often_enough(tmp_path: Path) -> None:
    made = scheduler(tmp_path, [])
    ticks(made)
    assert 0 < made.tick() <= 30
