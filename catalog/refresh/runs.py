"""Who refreshes when: runs wait, are claimed, say that they are alive, and end, across all processes.

Two database constraints carry it: at most one run waits, at most one is running. Whoever wants a refresh puts a
run in the queue (or finds one there) and then tries to claim it; whoever ends a run tries to claim the next. So
any number of requests during a run makes one more run, and no request is forgotten.
"""

import logging
import time
from collections import Counter
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from catalog.models import RefreshRun
from catalog.problems import stored
from deepdash.errors import Problem

log = logging.getLogger(__name__)
BEAT = 5.0  # seconds between two signs of life
KEPT_RUNS = 200
MAX_ITEMS = 2000  # per run; the counts go on
UNCHANGED = "unchanged"


class Superseded(Exception):
    """This run was silent for so long that another process declared it abandoned."""


def request_run(trigger: str, *, only: str = "") -> RefreshRun:
    """The run that will do what is asked for: the one that waits already, or a new one.

    ``only`` is the slug of the one module to refresh. A run that waits for something else then does everything.
    """
    while True:
        try:
            with transaction.atomic():
                return RefreshRun.objects.create(trigger=trigger, only=only)
        except IntegrityError:
            waiting = RefreshRun.objects.filter(state=RefreshRun.State.WAITING).first()
            if waiting and waiting.only in {"", only}:
                return waiting
            if waiting and RefreshRun.objects.filter(pk=waiting.pk, state=RefreshRun.State.WAITING).update(only=""):
                waiting.only = ""
                return waiting
            # It was claimed in this very moment, and may have looked before our wish arose: ask for another.


def replace_abandoned() -> None:
    """Close runs whose process fell silent; each is asked for anew, so that what it was meant to do is done.

    Once: a run that ends its process each time must not do so for ever. The next scheduled run tries again.
    """
    for run in RefreshRun.objects.abandoned().only("pk", "trigger"):
        with transaction.atomic():
            # Held, and closed last: until then it keeps its place, and nobody claims the run that waits, which serves
            # for this one too. Another process that found it waits here, and finds it closed.
            held = RefreshRun.objects.abandoned().select_for_update().filter(pk=run.pk)
            if held.first() is None:
                continue
            if run.trigger != RefreshRun.Trigger.RESTART:
                request_run(RefreshRun.Trigger.RESTART)
            held.update(state=RefreshRun.State.ABANDONED, finished=timezone.now())
        log.warning("refresh %s was abandoned by its process", run.pk)


def is_work_left() -> bool:
    """Whether ``claim_next`` would find something to do, or a run whose process is gone."""
    if RefreshRun.objects.abandoned().exists():
        return True
    pending = set(RefreshRun.objects.filter(state__in=[RefreshRun.State.WAITING, RefreshRun.State.RUNNING])
                  .values_list("state", flat=True))  # fmt: skip
    return pending == {RefreshRun.State.WAITING}


def claim_next() -> RefreshRun | None:
    """Make the waiting run the running one. None when nothing waits or another process is at work."""
    replace_abandoned()
    now = timezone.now()
    waiting = RefreshRun.objects.filter(state=RefreshRun.State.WAITING).first()
    if waiting is None:
        return None
    try:
        with transaction.atomic():
            won = RefreshRun.objects.filter(pk=waiting.pk, state=RefreshRun.State.WAITING).update(
                state=RefreshRun.State.RUNNING, started=now, alive_at=now
            )
    except IntegrityError:
        return None
    if not won:
        return None
    waiting.refresh_from_db()
    return waiting


class Report:
    """Keeps a claimed run's record: signs of life, counts, what happened to each item."""

    def __init__(self, run: RefreshRun) -> None:
        self.run = run
        self.counts: Counter[str] = Counter()
        self.items: list[dict[str, Any]] = []
        self._beat_at = time.monotonic()

    def item(self, kind: str, name: str, result: str, problem: Problem | None = None, note: str = "") -> None:
        """Note what became of one item; the unchanged are only counted."""
        self.counts[result] += 1
        if (result == UNCHANGED and not problem and not note) or len(self.items) >= MAX_ITEMS:
            return
        entry: dict[str, Any] = {"kind": kind, "name": name[:500], "result": result}
        if problem:
            entry["problem"] = stored(problem)
        if note:
            entry["note"] = note[:500]
        self.items.append(entry)

    def alive(self) -> None:
        """Give a sign of life, not more often than needed. Raises Superseded."""
        if time.monotonic() - self._beat_at < BEAT:
            return
        self._beat_at = time.monotonic()
        running = RefreshRun.objects.filter(pk=self.run.pk, state=RefreshRun.State.RUNNING)
        if not running.update(alive_at=timezone.now(), counts=dict(self.counts)):
            raise Superseded

    def end(self, state: str) -> None:
        """Close the run, unless it was taken away meanwhile, and forget the oldest runs."""
        RefreshRun.objects.filter(pk=self.run.pk, state=RefreshRun.State.RUNNING).update(
            state=state, finished=timezone.now(), counts=dict(self.counts), items=self.items
        )
        oldest = RefreshRun.objects.order_by("-pk").values_list("pk", flat=True)[KEPT_RUNS:][:1]
        if oldest:
            RefreshRun.objects.filter(pk__lte=oldest[0]).delete()
