"""``manage.py doctor``: is this site well, and what is to be done when it is not."""

import logging
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError
from django.utils.module_loading import autodiscover_modules

from deepdash.doctor import Finding, Level, examinations, fail, warn


class Command(BaseCommand):
    help = (
        "Look at the configuration and everything it names: one line each, with how to mend what is not well. "
        "Exit status 1 when something fails, with --strict also for warnings."
    )
    requires_system_checks: list[str] = []  # they are among the findings

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--strict", action="store_true", help="count warnings as failures")
        parser.add_argument("--quiet", action="store_true", help="leave out what is well")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["verbosity"] < 2:
            logging.disable(logging.WARNING)  # the findings say it better
        autodiscover_modules("doctor")
        counts = dict.fromkeys(Level, 0)
        for examine in examinations:
            try:
                for finding in examine():
                    counts[finding.level] += 1
                    self._say(finding, quiet=options["quiet"])
            except DatabaseError:
                counts[Level.WARN] += 1
                subject = examine.__name__.replace("_", " ").capitalize()
                self._say(warn(subject, "Not looked at: it needs the database.", "Mend that first."))
            except Exception as error:  # a doctor who faints at one patient still has to see the others
                counts[Level.FAIL] += 1
                said = f"The examination itself failed: {type(error).__name__}: {error}"
                self._say(fail(examine.__name__, said, "This is a fault of the dashboard; please report it."))
        self.stdout.write(f"{counts[Level.OK]} well, {counts[Level.WARN]} warnings, {counts[Level.FAIL]} failures.")
        if counts[Level.FAIL] or (options["strict"] and counts[Level.WARN]):
            raise SystemExit(1)

    def _say(self, finding: Finding, *, quiet: bool = False) -> None:
        if quiet and finding.level == Level.OK:
            return
        style = {Level.OK: self.style.SUCCESS, Level.WARN: self.style.WARNING, Level.FAIL: self.style.ERROR}
        mend = f"  → {finding.mend}" if finding.mend else ""
        self.stdout.write(f"{style[finding.level](f'{finding.level:<5}')} {finding.subject}: {finding.text}{mend}")
