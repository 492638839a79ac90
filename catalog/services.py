"""Refreshing the catalogue."""

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from catalog.models import RefreshRun
from catalog.refresh.runs import Report, Superseded, claim_next, request_run
from deepdash.errors import Problem
from deepdash.metrics import Counted, Gauge
from deepdash.queue import nudge

if TYPE_CHECKING:
    from catalog.refresh.jobs import Jobs
    from catalog.refresh.pictures import PictureRefresh

log = logging.getLogger(__name__)
RUNS = Counted("catalogue_refreshes_total", "Refreshes of the catalogue, by how they ended.")
AT_ONCE = 8  # outside calls
QUIET = 3  # seconds between a wish and its run, in which further wishes join it


def catalog_refresh(*, trigger: str, progress: Callable[[Report], None] | None = None) -> RefreshRun:
    """Bring the catalogue up to date with its sources; ``trigger`` is a RefreshRun.Trigger.

    Runs coalesce: while another process is at work, one more run waits, and that process does it next. Returns the
    run that does what was asked for, finished if this process did it, else waiting. Each item succeeds or fails by
    itself; what fails keeps its last good version. ``progress`` is called now and then. Raises what ends a run as
    a whole (a database that is away), after having recorded it.
    """
    wanted = request_run(trigger)
    catalog_take_up(progress=progress)
    wanted.refresh_from_db()
    return wanted


def refresh_request(*, trigger: str, only: str = "") -> RefreshRun:
    """Ask for a refresh in the background; ``trigger`` is a RefreshRun.Trigger. Returns the run that will do it.

    ``only``: the slug of a module; its metadata, tags and picture are read, everything else stays as it is.

    The wish is a row of the transaction in hand. A message to the workers follows its commit, a moment later: pushes
    come in bursts, and one run then serves them all. Should the message be lost, the wish is taken up all the same.
    """
    run = request_run(trigger, only=only)
    transaction.on_commit(_nudge)
    return run


def _nudge() -> None:
    from catalog.tasks import take_up_refresh  # the tasks are shells around this module

    nudge(take_up_refresh, countdown=QUIET)


def catalog_take_up(*, progress: Callable[[Report], None] | None = None) -> None:
    """Do the refreshes that wait, unless a process that is alive does so already."""
    while run := claim_next():
        _carry_out(run, progress)


def _carry_out(run: RefreshRun, progress: Callable[[Report], None] | None) -> None:
    report = Report(run)
    state = RefreshRun.State.ABANDONED  # unless it gets further, whatever ends it
    try:
        _refresh(report, progress)
        state = RefreshRun.State.DONE
        log.info("catalogue refreshed: %s", dict(report.counts))
    except Superseded:
        log.warning("refresh %s went on in another process", run.pk)
    except Exception:
        state = RefreshRun.State.FAILED
        raise
    finally:
        RUNS.add(result=state.value)
        report.end(state)


def _refresh(report: Report, progress: Callable[[Report], None] | None) -> None:
    # Web workers ask for refreshes and don't do them: parsers, schemas and sanitisers would fill their memory.
    from catalog.refresh.jobs import Jobs
    from catalog.refresh.modules import ModuleRefresh
    from catalog.refresh.pictures import PictureRefresh
    from catalog.refresh.templates import TemplateRefresh
    from catalog.sources.dockerhub import DockerHub
    from catalog.sources.fetch import github_session
    from catalog.tosca.verdict import Checker

    def tick() -> None:
        report.alive()
        if progress:
            progress(report)

    def broken(name: str, problem: Problem) -> None:
        report.item("item", name, "failed", problem)

    github = github_session()
    if report.run.only:
        with Jobs(at_once=AT_ONCE, tick=tick, broken=broken) as jobs:
            modules = ModuleRefresh(jobs, report, github, DockerHub())
            modules.start_one(report.run.only)
            jobs.drain()
            modules.link()
            _refresh_pictures(PictureRefresh(jobs, report, github), jobs)
        return
    with Checker() as checker, Jobs(at_once=AT_ONCE, tick=tick, broken=broken) as jobs:
        templates = TemplateRefresh(jobs, report, github, checker)
        modules = ModuleRefresh(jobs, report, github, DockerHub())
        templates.start()
        modules.start()
        jobs.drain()
        templates.fetch_linked(modules.missing_templates(templates.folder_names()))
        jobs.drain()
        templates.judge()
        jobs.drain()
        templates.retire()
        modules.link()
        modules.retire()
        _refresh_pictures(PictureRefresh(jobs, report, github), jobs)
        tick()


def _refresh_pictures(pictures: "PictureRefresh", jobs: "Jobs") -> None:
    pictures.start()
    jobs.drain()
    pictures.show()


def _age() -> list[tuple[dict[str, str], float]]:
    last = RefreshRun.objects.last_finished()
    return [({}, (timezone.now() - last.finished).total_seconds())] if last and last.finished else []


def _failing() -> list[tuple[dict[str, str], float]]:
    last = RefreshRun.objects.last_finished()
    return [({}, float(last.counts.get("failed", 0)))] if last else []


Gauge("catalogue_failing_items", "Modules, tags, templates and types that the last refresh could not read.", _failing)
Gauge("catalogue_age_seconds", "Time since the catalogue was last refreshed.", _age)
