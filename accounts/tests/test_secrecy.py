"""Tokens are planted everywhere they pass, and looked for everywhere they must not be."""

import json
import logging
import traceback
from io import StringIO

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.core import serializers
from django.core.management import call_command
from django.db import connection
from django.test import Client

from accounts.iam import TokenAnswer
from accounts.models import KeptForm, Token, User
from accounts.roles import CURATORS
from accounts.testing import give_token, make_user
from accounts.tests.conftest import ACCESS, CLIENT_SECRET, REFRESH, FakeIam
from accounts.tokens import LoginExpired, access_token_for, tokens_forget
from deepdash.http import ServiceError

pytestmark = [pytest.mark.django_db, pytest.mark.urls("accounts.tests.urls")]

PLANTED = (ACCESS, REFRESH, CLIENT_SECRET, "planted-second-access", "planted-second-refresh")


def found_in(text: str) -> list[str]:
    return [secret for secret in PLANTED if secret in text]


@pytest.mark.parametrize(
    "reply",
    [
        None,
        (400, '{"error": "invalid_grant", "error_description": "Invalid refresh token: ' + REFRESH + '"}'),
        (500, f"access_token={ACCESS}"),
        (200, f'{{"access_token": ["{ACCESS}"]}}'),
        (200, f"not json, refresh_token={REFRESH}"),
    ],
    ids=["success", "refused", "fault", "odd", "garbled"],
)
def test_no_log_line_and_no_error_holds_a_token(
    client: Client, iam: FakeIam, caplog: pytest.LogCaptureFixture, reply: tuple[int, str] | None
) -> None:
    caplog.set_level(logging.DEBUG)
    iam.sign_in(client)
    Token.objects.update(expires_at=Token.objects.get().refreshed_at)
    iam.answer = {"access_token": "planted-second-access", "refresh_token": "planted-second-refresh"}
    if reply:
        iam.replies["token"] = reply
    seen = ""
    try:
        access_token_for(User.objects.get())
    except (LoginExpired, ServiceError) as error:
        seen = "".join(traceback.format_exception(error)) + repr(error) + repr(error.detail)
    tokens_forget(User.objects.get())

    assert found_in(caplog.text) == []
    assert found_in(seen) == []
    assert "IAM POST iam.example.org/token" in caplog.text, "the log must say something for this test to mean anything"


def test_no_page_holds_a_token(client: Client, iam: FakeIam) -> None:
    iam.sign_in(client)
    staff = User.objects.get()
    staff.is_staff = staff.is_superuser = True
    staff.save()

    own = f"/admin/accounts/user/{staff.pk}/change/"
    for address in (
        "/login",
        "/logged-out",
        "/trial/page",
        "/admin/",
        "/admin/accounts/user/",
        own,
        "/admin/accounts/token/",
    ):
        response = client.get(address)
        assert found_in(response.content.decode()) == [], address
        assert found_in(str(response.headers) + str(client.cookies)) == []


def test_the_admin_shows_users_to_whom_an_operator_lets_and_changes_nothing(client: Client) -> None:
    curator = make_user("grace", staff=True)
    client.force_login(curator)
    assert client.get("/admin/accounts/user/").status_code == 403
    curator.roles.get().permissions.add(Permission.objects.get(codename="view_user"))
    curator = make_user("grace")
    ada = make_user()
    client.force_login(curator)

    assert Token not in admin.site._registry
    assert KeptForm not in admin.site._registry
    listing = client.get("/admin/accounts/user/")
    assert b"Ada Example" in listing.content
    assert (
        b"Grace Example"
        not in client.get("/admin/accounts/user/?is_staff__exact=0").content.split(b'id="result_list"')[1]
    )
    page = client.get(f"/admin/accounts/user/{ada.pk}/change/")
    assert page.status_code == 200
    assert b'name="_save"' not in page.content
    assert client.post(f"/admin/accounts/user/{ada.pk}/change/", {"is_staff": "on"}).status_code == 403
    assert client.post(f"/admin/accounts/user/{ada.pk}/delete/", {"post": "yes"}).status_code == 403
    assert client.get("/admin/accounts/user/add/").status_code == 403


def test_texts_of_the_objects_hold_no_token() -> None:
    ada = make_user()
    token = give_token(ada, ACCESS, refresh=REFRESH)
    answer = TokenAnswer(access_token=ACCESS, refresh_token=REFRESH, id_token=ACCESS)

    assert found_in(f"{token!r} {token} {ada!r} {ada} {answer!r} {answer}") == []


def test_database_and_export_hold_no_plain_token_and_an_import_brings_them_back() -> None:
    give_token(make_user(), ACCESS, refresh=REFRESH)
    with connection.cursor() as cursor:
        cursor.execute("SELECT access_token, refresh_token, id_token FROM accounts_token")
        assert found_in(repr(cursor.fetchone())) == []
    export = StringIO()
    call_command("dumpdata", "accounts.token", stdout=export)
    assert found_in(export.getvalue()) == []

    (loaded,) = serializers.deserialize("json", export.getvalue())
    loaded.save()

    assert json.loads(export.getvalue())[0]["fields"]["access_token"].startswith("gAAAA")
    assert Token.objects.get().access_token == ACCESS


def test_curators_get_their_rights_from_the_migration() -> None:
    assert make_user("grace", staff=True).roles.get().name == CURATORS
    assert make_user("grace").has_perm("catalog.change_module")
    assert {name.partition(".")[0] for name in make_user("grace").get_all_permissions()} == {"catalog"}
    assert not make_user("ada").get_all_permissions()
