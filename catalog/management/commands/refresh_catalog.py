"""``manage.py refresh_catalog``: bring the catalogue up to date now."""

import signal
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from catalog.models import RefreshRun
from catalog.problems import restored
from catalog.refresh.runs import Report
from catalog.services import catalog_refresh


class Command(BaseCommand):
    help = "Fetch templates, modules, metadata and tags from their sources into the catalogue."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--strict", action="store_true", help="end with status 1 if any item failed")

    def handle(self, *args: Any, **options: Any) -> None:
        on_terminal = self.stdout.isatty()
        shown = 0

        def progress(report: Report) -> None:
            nonlocal shown
            if on_terminal:
                self.stdout.write(f"\r{_counts(report.counts)}", ending="")
            elif options["verbosity"] > 1:
                for item in report.items[shown:]:
                    self.stdout.write(f"{item['result']:>9}  {item['kind']} {item['name']}")
                shown = len(report.items)

        with _ended_politely():
            run = catalog_refresh(trigger=RefreshRun.Trigger.COMMAND, progress=progress)
        if on_terminal:
            self.stdout.write("\r", ending="")
        if run.state == RefreshRun.State.WAITING:
            self.stdout.write("Another process is refreshing the catalogue; it does this refresh next.")
            return
        for item in run.items:
            problem = restored(item.get("problem", {}))
            if problem or "note" in item:
                words = " ".join(filter(None, [problem.headline if problem else "", problem.detail if problem else "",
                                               item.get("note", "")]))  # fmt: skip
                self.stdout.write(self.style.WARNING(f"{item['kind']} {item['name']}: {words}"))
        seconds = (run.finished - run.started).total_seconds() if run.finished and run.started else 0
        self.stdout.write(f"{run.get_state_display().capitalize()} in {seconds:.1f} s: {_counts(run.counts)}")
        if run.state != RefreshRun.State.DONE or (options["strict"] and run.counts.get("failed")):
            raise CommandError("The catalogue is not as it should be; see above.")


@contextmanager
def _ended_politely() -> Iterator[None]:
    """SIGTERM ends this process by way of all ``finally``, so that no run stays behind that looks alive for minutes."""
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {result}" for result, count in sorted(counts.items())) or "nothing yet"
