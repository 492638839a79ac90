"""Model fields of our own."""

import logging
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

log = logging.getLogger(__name__)

if TYPE_CHECKING:
    _TextField = models.TextField[str, str]
else:
    _TextField = models.TextField


@lru_cache(maxsize=8)
def _cipher(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def cipher() -> MultiFernet:
    """What encrypts with the first of ``settings.TOKEN_KEYS`` and decrypts with any of them."""
    return _cipher(tuple(settings.TOKEN_KEYS))


class EncryptedTextField(_TextField):
    """Text that the database sees only encrypted (Fernet, ``settings.TOKEN_KEYS``, newest key first).

    Saving a row again encrypts it with the newest key. A value that no key opens any more reads as empty: it is
    lost, and the pages that list such rows must go on working. The value can't be searched for.
    """

    def get_db_prep_save(self, value: Any, connection: BaseDatabaseWrapper) -> Any:
        return self._sealed(super().get_db_prep_save(value, connection))

    def from_db_value(self, value: str | None, expression: Any, connection: BaseDatabaseWrapper) -> str | None:
        if not value:
            return value
        try:
            return cipher().decrypt(value.encode()).decode()
        except InvalidToken:
            log.warning("%s: a value was encrypted with a key that is not in TOKEN_KEYS, and is lost", self)
            return ""

    def value_to_string(self, obj: models.Model) -> str:
        """Exports (``dumpdata``) carry the encrypted text, never the plain one."""
        return str(self._sealed(self.value_from_object(obj)) or "")

    def to_python(self, value: Any) -> Any:
        """Imports bring back what ``value_to_string`` made; anything else is plain text already."""
        if isinstance(value, str) and value.startswith("gAAAA"):
            try:
                return cipher().decrypt(value.encode()).decode()
            except InvalidToken:
                return value
        return value

    def get_lookup(self, lookup_name: str) -> Any:
        """Only ``isnull``: equal texts have different encrypted forms, so any comparison would be wrong."""
        return super().get_lookup(lookup_name) if lookup_name == "isnull" else None

    def get_transform(self, lookup_name: str) -> Any:
        return None

    @staticmethod
    def _sealed(value: Any) -> Any:
        return cipher().encrypt(value.encode()).decode() if isinstance(value, str) and value else value


def broken_keys(keys: Iterable[str]) -> list[int]:
    """The places (from 1) of the keys that are not Fernet keys, for the startup check."""
    places = []
    for place, key in enumerate(keys, start=1):
        try:
            Fernet(key)
        except ValueError:
            places.append(place)
    return places
