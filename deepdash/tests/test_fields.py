import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import FieldError
from django.db import connection
from pytest_django import Settings

from accounts.models import Token
from accounts.testing import give_token, make_user

pytestmark = pytest.mark.django_db


def stored() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT access_token FROM accounts_token")
        text: str = cursor.fetchone()[0]
    return text


def test_every_way_of_writing_encrypts_and_reading_decrypts() -> None:
    token = give_token(make_user(), "secret ü " * 1000)
    assert "secret" not in stored()
    assert Token.objects.get().access_token == "secret ü " * 1000

    Token.objects.update(access_token="by update")
    assert "by update" not in stored()
    assert Token.objects.get().access_token == "by update"

    token.access_token = "by bulk_update"
    Token.objects.bulk_update([token], ["access_token"])
    assert "by bulk_update" not in stored()
    assert Token.objects.get().access_token == "by bulk_update"
    assert list(Token.objects.values_list("access_token", flat=True)) == ["by bulk_update"]


def test_empty_stays_empty() -> None:
    give_token(make_user(), "")

    assert stored() == ""
    assert Token.objects.get().access_token == ""


def test_a_new_key_in_front_reads_the_old_values_and_saving_again_uses_it(settings: Settings) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    settings.TOKEN_KEYS = [old]
    token = give_token(make_user(), "secret")
    settings.TOKEN_KEYS = [new, old]
    assert Token.objects.get().access_token == "secret"

    Token.objects.get(pk=token.pk).save()
    settings.TOKEN_KEYS = [new]

    assert Token.objects.get().access_token == "secret"


def test_a_value_of_a_lost_key_reads_as_empty_and_is_logged(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    give_token(make_user(), "secret")
    settings.TOKEN_KEYS = [Fernet.generate_key().decode()]

    assert Token.objects.get().access_token == ""
    assert "TOKEN_KEYS" in caplog.text


@pytest.mark.parametrize("lookup", ["access_token", "access_token__contains", "access_token__in"])
def test_looking_for_a_value_is_an_error_not_an_empty_answer(lookup: str) -> None:
    with pytest.raises(FieldError):
        Token.objects.filter(**{lookup: "secret"}).exists()


def test_a_text_that_looks_encrypted_but_is_not_stays_as_typed() -> None:
    give_token(make_user(), "gAAAA is what I typed")

    assert Token.objects.get().access_token == "gAAAA is what I typed"
