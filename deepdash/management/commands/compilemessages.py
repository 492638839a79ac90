"""``manage.py compilemessages``, in place of Django's own: it needs no GNU gettext."""

from typing import Any

from django.core.management.base import BaseCommand

from deepdash.translations import compile_translations


class Command(BaseCommand):
    help = "Compile the translations in locale/ for use; only what changed since."
    requires_system_checks: list[str] = []  # it runs while an image is built, where nothing is configured

    def handle(self, *args: Any, **options: Any) -> None:
        for path in compile_translations():
            if options["verbosity"]:
                self.stdout.write(f"Compiled {path}")
