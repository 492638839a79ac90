"""The Celery application: workers behind Redis, or, with no Redis configured, threads of this process."""

import os
from typing import Any

from celery import Celery, signals

from deepdash.config import config
from deepdash.logs import request_id

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "deepdash.settings")

app = Celery("deepdash", task_cls=None if config.REDIS_URL else "deepdash.embedded:EmbeddedTask")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.autodiscover_tasks(["deployments.trainings"])


@signals.before_task_publish.connect  # type: ignore[untyped-decorator]  # celery is untyped
def send_request_id(headers: dict[str, Any], **kwargs: Any) -> None:
    """The id of the request that asked for a task goes with it, into the log lines of whoever does it."""
    if request_id.get() != "-":
        headers["request_id"] = request_id.get()


@signals.task_prerun.connect  # type: ignore[untyped-decorator]
def take_request_id(task_id: str, task: Any, **kwargs: Any) -> None:
    """Without one (beat sent it) the lines are known by the task's own id."""
    if not task.request.is_eager:  # embedded tasks run in a copy of the request's context
        request_id.set(getattr(task.request, "request_id", None) or task_id[:12])


@signals.task_postrun.connect  # type: ignore[untyped-decorator]
def drop_request_id(task: Any, **kwargs: Any) -> None:
    if not task.request.is_eager:
        request_id.set("-")


@signals.worker_process_init.connect  # type: ignore[untyped-decorator]
def count_in_worker(**kwargs: Any) -> None:
    from deepdash import metrics  # the apps are not loaded before

    metrics.start_flushing()


@signals.worker_process_shutdown.connect  # type: ignore[untyped-decorator]
def keep_counts_of_worker(**kwargs: Any) -> None:
    from deepdash import metrics

    metrics.flush()
