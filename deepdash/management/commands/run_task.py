"""``manage.py run_task``: one background task in a process of its own, which ends with whoever started it."""

import json
import os
import signal
import sys
import threading
from argparse import ArgumentParser
from typing import Any

from celery.exceptions import NotRegistered
from django.core.management.base import BaseCommand, CommandError

from deepdash import metrics
from deepdash.celery import app
from deepdash.logs import request_id

NICENESS = 10


class Command(BaseCommand):
    help = "Run one task here and now, at a low priority; the web process does so when there is no queue."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="its dotted name")
        parser.add_argument(
            "--arguments", type=json.loads, default=[[], {}], help="by position and by name, in JSON: [[…], {…}]"
        )
        parser.add_argument("--request-id", default="-", help="for the log")
        parser.add_argument("--leashed", action="store_true", help="end when standard input does")

    def handle(self, *args: Any, **options: Any) -> None:
        os.nice(NICENESS)
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # by way of all ``finally``
        if options["leashed"]:
            threading.Thread(target=_end_with_input, name="leash", daemon=True).start()
        request_id.set(options["request_id"])
        app.loader.import_default_modules()  # what a worker does at its start: find the apps' tasks
        try:
            result = app.tasks[options["name"]].apply(*options["arguments"])
        except NotRegistered:
            raise CommandError(f"There is no task {options['name']}.") from None
        finally:
            metrics.flush()
        if result.failed():
            raise CommandError(f"{options['name']} failed: {result.traceback}")


def _end_with_input() -> None:
    """Whoever started this holds the other end, which closes however they end."""
    os.read(sys.stdin.fileno(), 1)  # not through Python's buffer, whose lock would be missed at exit
    os.kill(os.getpid(), signal.SIGTERM)
