"""Which values are encrypted with which of TOKEN_KEYS, and encrypting them anew with the first."""

from collections.abc import Iterator

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.apps import apps
from django.conf import settings
from django.db import connection, models

from deepdash.fields import EncryptedTextField

BATCH = 500


def encrypted_fields() -> Iterator[tuple[type[models.Model], EncryptedTextField]]:
    """All of them, whichever app they are in: a new one can't be forgotten here."""
    for model in apps.get_models():
        for field in model._meta.local_fields:
            if isinstance(field, EncryptedTextField):
                yield model, field


def rotate(model: type[models.Model], field: EncryptedTextField, *, dry: bool) -> dict[str, int]:
    """Encrypt anew what an old key opens, unless ``dry``; how many values are new already, were old, are lost.

    Plain SQL: the field itself would decrypt them.
    """
    newest, every = Fernet(settings.TOKEN_KEYS[0]), MultiFernet([Fernet(key) for key in settings.TOKEN_KEYS])
    quote = connection.ops.quote_name
    table, key, column = quote(model._meta.db_table), quote(str(model._meta.pk.column)), quote(str(field.column))
    read = (
        f"SELECT {key}, {column} FROM {table} "  # noqa: S608 - our own tables
        f"WHERE {key} > %s AND {column} <> '' ORDER BY {key} LIMIT {BATCH}"  # not shown
    )
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
