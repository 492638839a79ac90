"""``manage.py rotate_keys``: encrypt everything anew with the first of TOKEN_KEYS."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from deepdash.rotation import encrypted_fields, rotate


class Command(BaseCommand):
    help = (
        "Encrypt stored tokens, forms and credentials anew with the newest key. To change keys: put the new one "
        "first in TOKEN_KEYS and keep the old ones, restart everything, run this, take the old ones out, restart. "
        "May run while the dashboard does. Exit status 1 when something could not be decrypted with any key."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="only count what is not encrypted with the newest key")

    def handle(self, *args: Any, **options: Any) -> None:
        lost = waiting = 0
        for model, field in encrypted_fields():
            counts = rotate(model, field, dry=options["check"])
            lost += counts["lost"]
            waiting += counts["old"]
            told = ", ".join(f"{number} {what}" for what, number in counts.items())
            self.stdout.write(f"{model._meta.label}.{field.name}: {told}")
        if options["check"] and waiting:
            self.stdout.write(f"{waiting} values still need an old key.")
        if lost:
            self.stderr.write(f"{lost} values can't be decrypted with any of TOKEN_KEYS; they read as empty.")
        if lost or (options["check"] and waiting):
            raise SystemExit(1)
