"""Background work without a broker: the same Celery tasks, run by threads of the web process.

Meant for a laptop and for a small site in one container. Nothing is queued on disk: a task lost in a restart is
made up for by the next scheduled one, as all tasks bear being run twice or late. Tasks that would keep the processor
from the pages for long are given a process of their own.
"""

import json
import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

from celery.contrib.django.task import DjangoTask
from celery.result import EagerResult
from django.conf import settings
from django.core.cache import cache
from django.db import close_old_connections

from deepdash.config import BASE_DIR
from deepdash.logs import request_id

log = logging.getLogger(__name__)
_pool = ThreadPoolExecutor(max_workers=4, thread_name_prefix="task")


class EmbeddedTask(DjangoTask):  # type: ignore[misc]
    """A task whose ``delay`` and ``apply_async`` hand it to a thread and return at once.

    ``apart``, an option of the task, says whether just now there is work in it that deserves a process of its own.
    """

    apart: Callable[[], bool] | None = None

    def apply_async(
        self,
        args: Any = None,
        kwargs: Any = None,
        task_id: str | None = None,
        countdown: float | None = None,
        **options: Any,
    ) -> EagerResult:
        if settings.CELERY_TASK_ALWAYS_EAGER:
            return self.apply(args, kwargs, task_id=task_id)
        call = copy_context()  # the request id goes with the task into its log lines
        if countdown:
            timer = threading.Timer(countdown, _pool.submit, (call.run, _run, self, args, kwargs))
            timer.daemon = True
            timer.start()
        else:
            _pool.submit(call.run, _run, self, args, kwargs)
        return EagerResult(task_id or "embedded", None, "PENDING")


def _run(task: EmbeddedTask, args: Any, kwargs: Any) -> None:
    close_old_connections()
    try:
        if task.apart and task.apart():
            _run_apart(task, args, kwargs)
            return
        result = task.apply(args, kwargs)
        if result.failed():
            log.error("task %s failed: %s", task.name, result.traceback)
    finally:
        close_old_connections()


def _run_apart(task: EmbeddedTask, args: Any, kwargs: Any) -> None:
    """Wait for the task's own process, which ends with this one: its standard input closes then."""
    given = json.dumps([list(args or ()), dict(kwargs or {})])
    command = [sys.executable, str(BASE_DIR / "manage.py"), "run_task", task.name, "--leashed"]
    command += ["--arguments", given, "--request-id", request_id.get()]
    process = subprocess.Popen(command, cwd=BASE_DIR, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)  # noqa: S603
    try:
        status = process.wait(task.time_limit)
    except subprocess.TimeoutExpired:
        log.error("task %s took longer than %s seconds", task.name, task.time_limit)
    else:
        if status:
            log.error("task %s ended with status %s", task.name, status)
    finally:
        process.kill()
        process.communicate()


def start_scheduler() -> None:
    """Run the periodic tasks of CELERY_BEAT_SCHEDULE: each once now, then at its interval.

    Every process of gunicorn does so; which of them runs a task is settled by a claim in the cache they share.
    """
    threading.Thread(target=_tick, name="scheduler", daemon=True).start()


def _tick() -> None:
    from deepdash.celery import app

    app.loader.import_default_modules()  # what a worker does at its start: find the apps' tasks
    due = dict.fromkeys(settings.CELERY_BEAT_SCHEDULE, time.monotonic())
    while True:
        for name, entry in settings.CELERY_BEAT_SCHEDULE.items():
            if time.monotonic() >= due[name]:
                due[name] = time.monotonic() + float(entry["schedule"])
                _pool.submit(_run_claimed, name, app.tasks[entry["task"]], float(entry["schedule"]))
        time.sleep(1)


def _run_claimed(name: str, task: EmbeddedTask, every: float) -> None:
    """Run the task unless another process did so within this interval.

    The claim is short while the task runs, so that a process that is killed does not take its turn with it.
    """
    key, brief = f"schedule:{name.replace(' ', '-')}", min(every, settings.CELERY_TASK_TIME_LIMIT) * 0.9
    if cache.add(key, True, brief):
        _run(task, None, None)
        cache.set(key, True, every * 0.9)  # a little less, lest a clock that runs slow skips every second turn
