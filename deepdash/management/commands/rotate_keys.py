"""``manage.py rotate_keys``: encrypt everything anew with the first of TOKEN_KEYS."""

from collections.abc import Iterator
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.apps import apps
from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.db import connection, models

from deepdash.fields import EncryptedTextField

BATCH = 500


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
            counts = _rotate(model, field, dry=options["check"])
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


def encrypted_fields() -> Iterator[tuple[type[models.Model], EncryptedTextField]]:
    """All of them, whichever app they are in: a new one can't be forgotten here."""
    for model in apps.get_models():
        for field in model._meta.local_fields:
            if isinstance(field, EncryptedTextField):
                yield model, field


def _rotate(model: type[models.Model], field: EncryptedTextField, *, dry: bool) -> dict[str, int]:
    """How many values are new already, were old, are lost. Plain SQL: the field itself would decrypt them."""
    newest, every = Fernet(settings.TOKEN_KEYS[0]), MultiFernet([Fernet(key) for key in settings.TOKEN_KEYS])
    quote = connection.ops.quote_name
    table, key, column = quote(model._meta.db_table), quote(str(model._meta.pk.column)), quote(str(field.column))
    read = f"SELECT {key}, {column} FROM {table} WHERE {key} > %s AND {column} <> '' ORDER BY {key} LIMIT {BATCH}"  # noqa: S608 - names of our own tables
    # Only if it is still what was read: a token may be refreshed in this very moment, with the newest key.
    write = f"UPDATE {table} SET {column} = %s WHERE {key} = %s AND {column} = %s"  # noqa: S608 - as above
    counts, last = {"new": 0, "old": 0, "lost": 0}, 0
    with connection.cursor() as cursor:
        while True:
            cursor.execute(read, [last])
            rows = cursor.fetchall()
            if not rows:
                return counts
            for primary, sealed in rows:
                last = primary
                counts[_state(sealed, newest, every)] += 1
                if not dry and _state(sealed, newest, every) == "old":
                    cursor.execute(write, [every.rotate(sealed.encode()).decode(), primary, sealed])


def _state(sealed: str, newest: Fernet, every: MultiFernet) -> str:
    for cipher, state in ((newest, "new"), (every, "old")):
        try:
            cipher.decrypt(sealed.encode())
        except InvalidToken:
            continue
        return state
    return "lost"
