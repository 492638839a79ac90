from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from django.test import Client

from accounts.models import Token
from accounts.testing import ISSUER, give_token, make_user
from accounts.tests.conftest import REFRESH, FakeIam

pytestmark = [pytest.mark.django_db, pytest.mark.urls("accounts.tests.urls")]


def test_signing_out_ends_the_session_and_withdraws_the_tokens(client: Client, iam: FakeIam) -> None:
    iam.sign_in(client)

    response = client.post("/logout")

    assert response["Location"] == "/logged-out"
    assert iam.calls[-1] == ("revoke", {"token": REFRESH, "token_type_hint": "refresh_token"})
    assert not Token.objects.exists()
    assert client.get("/trial/page").status_code == 302


def test_the_page_says_that_the_session_at_iam_goes_on(client: Client, iam: FakeIam) -> None:
    iam.sign_in(client)

    page = client.post("/logout", follow=True).content.decode()

    assert "You are signed out of deepdash" in page
    assert "can sign in as you without a password" in page
    assert 'href="https://iam.example.org/logout"' in page
    assert "In other browsers you will have to sign in again" in page


def test_when_iam_is_down_one_is_signed_out_all_the_same_and_told(client: Client, iam: FakeIam) -> None:
    iam.sign_in(client)
    iam.replies["revoke"] = requests.ConnectionError()

    page = client.post("/logout", follow=True).content.decode()

    assert "could not be told" in page
    assert "In other browsers" not in page
    assert "_auth_user_id" not in client.session
    assert not Token.objects.exists()


def test_a_provider_that_can_end_its_session_is_asked_to(client: Client, iam: FakeIam) -> None:
    iam.document["end_session_endpoint"] = f"{ISSUER}/end"
    iam.sign_in(client)
    id_token = Token.objects.get().id_token

    response = client.post("/logout")

    target = urlsplit(response["Location"])
    assert f"{target.scheme}://{target.netloc}{target.path}" == f"{ISSUER}/end"
    assert parse_qs(target.query) == {
        "id_token_hint": [id_token],
        "client_id": ["dashboard"],
        "post_logout_redirect_uri": ["http://testserver/logged-out"],
    }
    page = client.get("/logged-out").content.decode()
    assert "Your session with IAM in this browser." in page
    assert "without a password" not in page


def test_only_a_post_signs_out(client: Client, iam: FakeIam) -> None:
    client.force_login(make_user())

    assert client.get("/logout").status_code == 405
    assert Client(enforce_csrf_checks=True).post("/logout").status_code == 403
    assert "_auth_user_id" in client.session


def test_signing_out_twice_is_no_error(client: Client, iam: FakeIam) -> None:
    assert client.post("/logout")["Location"] == "/logged-out"
    assert iam.calls == []


def test_the_page_does_not_claim_to_a_signed_in_user_that_they_are_out(client: Client, iam: FakeIam) -> None:
    ada = make_user()
    give_token(ada)
    client.force_login(ada)

    page = client.get("/logged-out").content.decode()

    assert "You are signed out" not in page
    assert "What has ended" not in page
