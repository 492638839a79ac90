"""Changing the keys that tokens are encrypted with."""

import io

import pytest
from cryptography.fernet import Fernet
from django.core.management import call_command
from django.db import connection
from pytest_django import Settings

from accounts.models import Token
from accounts.testing import give_token, make_user
from deepdash.doctor import token_keys
from deepdash.rotation import encrypted_fields

pytestmark = pytest.mark.django_db


def rotate(*words: str) -> tuple[int, str]:
    said = io.StringIO()
    try:
        call_command("rotate_keys", *words, stdout=said, stderr=said)
    except SystemExit as end:
        return int(str(end.code)), said.getvalue()
    return 0, said.getvalue()


def test_after_rotation_the_old_key_is_not_needed_any_more(settings: Settings) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    settings.TOKEN_KEYS = [old]
    token = give_token(make_user(), "the-access", refresh="the-refresh")
    settings.TOKEN_KEYS = [new, old]
    assert rotate("--check")[0] == 1
    assert Token.objects.get(pk=token.pk).access_token == "the-access"

    status, said = rotate()

    assert [found.level for found in token_keys()] == ["ok"]
    assert (status, "accounts.Token.access_token: 0 new, 1 old, 0 lost" in said) == (0, True)
    settings.TOKEN_KEYS = [new]
    found = Token.objects.get(pk=token.pk)
    assert (found.access_token, found.refresh_token) == ("the-access", "the-refresh")
    assert rotate("--check")[0] == 0
    assert "the-access" not in said


def test_what_no_key_opens_is_told_and_left_as_it_is(settings: Settings) -> None:
    settings.TOKEN_KEYS = [Fernet.generate_key().decode()]
    give_token(make_user())
    settings.TOKEN_KEYS = [Fernet.generate_key().decode()]
    with connection.cursor() as cursor:
        cursor.execute("SELECT access_token FROM accounts_token")
        before = cursor.fetchone()

    status, said = rotate()

    assert status == 1
    assert "can't be decrypted" in said
    (found,) = token_keys()
    assert (found.level, "3 stored values" in found.text or "2 stored values" in found.text) == ("FAIL", True), found
    with connection.cursor() as cursor:
        cursor.execute("SELECT access_token FROM accounts_token")
        assert cursor.fetchone() == before


def test_all_tables_with_secrets_are_known_and_their_keys_are_numbers() -> None:
    found = {f"{model._meta.label}.{field.name}" for model, field in encrypted_fields()}

    assert {"accounts.Token.access_token", "accounts.Token.refresh_token", "accounts.KeptForm.data"} <= found
    assert all(model._meta.pk.get_internal_type() == "BigAutoField" for model, _ in encrypted_fields())
