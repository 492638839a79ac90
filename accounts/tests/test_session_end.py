"""What happens to a page, a fragment and a form when the session, or the tokens behind it, have ended."""

from urllib.parse import parse_qs, quote, urlsplit

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.http import HttpResponseBase
from django.test import Client, RequestFactory
from django.utils import timezone

from accounts.kept import LIFETIME, MAX_BYTES, owner_field, take_form
from accounts.models import KeptForm, User
from accounts.testing import configure, give_token, make_user
from accounts.tests.conftest import FakeIam

pytestmark = [pytest.mark.django_db, pytest.mark.urls("accounts.tests.urls")]

FORM = "/trial/form/Größe"
FORM_PAGE = f"{quote(FORM)}?hardware=gpu"
HTMX = {"HX-Request": "true", "HX-Current-URL": f"http://testserver{FORM_PAGE}"}


def next_of(address: str) -> str:
    """The page that a sign-in address leads back to."""
    parts = urlsplit(address)
    assert parts.path == "/login"
    return parse_qs(parts.query).get("next", [""])[0]


def says_expired(address: str) -> bool:
    return "problem=login%3Aexpired" in address


def send_form(client: Client, owner: User | None, **extra: str) -> HttpResponseBase:
    """A POST of the form that was made for ``owner``, from its page."""
    data = {"title": "My <deployment>", "form_owner": owner_field(owner or AnonymousUser()), **extra}
    return client.post(FORM, data, headers={"Referer": f"http://testserver{FORM_PAGE}"})


# -- nobody is signed in -------------------------------------------------------------------------------------


def test_a_page_leads_to_the_sign_in_page_and_back(client: Client) -> None:
    response = client.get("/trial/page?a=1&b=%C3%BC")

    assert response.status_code == 302
    assert next_of(response["Location"]) == "/trial/page?a=1&b=%C3%BC"
    assert not says_expired(response["Location"])


def test_a_public_page_and_the_pages_of_signing_in_need_nobody(client: Client) -> None:
    assert client.get("/trial/public").content == b"for everybody"
    for page in ("/login", "/logged-out"):
        assert client.get(page).status_code == 200
    assert client.get("/login/denied")["Location"] == "/login"


def test_a_fragment_sends_the_whole_browser_to_sign_in_and_back_to_its_page(client: Client) -> None:
    response = client.get("/trial/page", headers=HTMX)

    assert response.status_code == 200
    assert response.content == b""
    assert next_of(response["HX-Redirect"]) == FORM_PAGE
    assert says_expired(response["HX-Redirect"])


def test_a_boosted_link_comes_back_to_its_target(client: Client) -> None:
    response = client.get("/trial/page", headers={**HTMX, "HX-Boosted": "true"})

    assert next_of(response["HX-Redirect"]) == "/trial/page"


def test_a_post_that_keeps_nothing_comes_back_to_the_page_it_was_sent_from(client: Client) -> None:
    response = client.post("/trial/page", {"a": "b"}, headers={"Referer": "http://testserver/trial/public?x=1"})

    assert next_of(response["Location"]) == "/trial/public?x=1"
    assert says_expired(response["Location"])
    assert not KeptForm.objects.exists()


@pytest.mark.parametrize("referer", ["", "https://evil.example/trial/page", "http://testserver.evil.example/"])
def test_a_post_from_elsewhere_comes_back_to_the_start(client: Client, referer: str) -> None:
    response = client.post("/trial/page", {"a": "b"}, headers={"Referer": referer})

    assert next_of(response["Location"]) == "/"


def test_a_form_waits_for_its_user(client: Client, iam: FakeIam) -> None:
    ada = make_user()
    sent = send_form(client, ada, csrfmiddlewaretoken="x")
    assert next_of(sent["Location"]) == FORM_PAGE
    notice = client.get(sent["Location"]).content.decode()
    assert "return to the form with what you typed" in notice

    back = iam.sign_in(client, next=next_of(sent["Location"]))

    assert back["Location"] == FORM_PAGE
    assert client.get(back["Location"]).json()["kept"] == {"title": "My <deployment>"}
    assert client.get(back["Location"]).json()["kept"] is None, "it is given once"
    assert not KeptForm.objects.exists()


def test_a_form_sent_by_htmx_waits_too(client: Client, iam: FakeIam) -> None:
    response = client.post(FORM, {"title": "T", "form_owner": owner_field(make_user())}, headers=HTMX)
    assert next_of(response["HX-Redirect"]) == FORM_PAGE

    iam.sign_in(client)

    assert client.get(FORM).json()["kept"] == {"title": "T"}


def test_a_form_without_referer_comes_back_to_its_own_address(client: Client, iam: FakeIam) -> None:
    response = client.post(FORM, {"title": "T", "form_owner": owner_field(make_user())})
    assert next_of(response["Location"]) == quote(FORM)

    iam.sign_in(client)

    assert client.get(FORM).json()["kept"] == {"title": "T"}


def test_a_stranger_who_signs_in_in_the_same_browser_never_sees_the_form(client: Client, iam: FakeIam) -> None:
    ada = make_user()
    send_form(client, ada)
    iam.userinfo = {"sub": "sub-mallory", "name": "Mallory"}
    iam.sign_in(client)

    assert client.get(FORM).json()["kept"] is None

    iam.userinfo = {"sub": "sub-ada"}
    iam.sign_in(client, switch="1")
    assert client.get(FORM).json()["kept"] is None, "what a stranger was refused is gone"
    assert not KeptForm.objects.exists()


def test_another_browser_never_gets_the_form(client: Client, iam: FakeIam) -> None:
    ada = make_user()
    send_form(client, ada)
    elsewhere = Client()
    iam.sign_in(elsewhere)

    assert elsewhere.get(FORM).json()["kept"] is None
    assert KeptForm.objects.count() == 1


def test_a_form_made_for_nobody_goes_to_whoever_signs_in(client: Client, iam: FakeIam) -> None:
    send_form(client, None)
    iam.sign_in(client)

    assert client.get(FORM).json()["kept"] == {"title": "My <deployment>"}


@pytest.mark.parametrize("owner", ["", "1", "1:forged", "x" * 5000, "0"])
def test_a_form_that_does_not_say_whose_it_is_is_not_kept(client: Client, owner: str) -> None:
    make_user()
    client.post(FORM, {"title": "T", "form_owner": owner})

    assert not KeptForm.objects.exists()


def test_a_form_of_a_user_who_is_gone_is_not_kept(client: Client) -> None:
    ada = make_user()
    field = owner_field(ada)
    ada.delete()

    client.post(FORM, {"title": "T", "form_owner": field})

    assert not KeptForm.objects.exists()


def test_a_form_that_is_too_large_is_not_kept(client: Client) -> None:
    response = send_form(client, make_user(), text="x" * MAX_BYTES)

    assert not KeptForm.objects.exists()
    assert "what you typed" not in client.get(response["Location"]).content.decode()


def test_a_form_is_kept_for_an_hour(client: Client, iam: FakeIam) -> None:
    send_form(client, make_user())
    KeptForm.objects.update(created_at=timezone.now() - LIFETIME)
    iam.sign_in(client)

    assert client.get(FORM).json()["kept"] is None


def test_a_form_is_given_only_to_its_own_page(client: Client, iam: FakeIam, rf: RequestFactory) -> None:
    send_form(client, make_user())
    iam.sign_in(client)
    request = rf.get("/trial/page")
    request.session, request.user = client.session, User.objects.get()

    assert take_form(request, path="/trial/page") is None
    assert take_form(request, path=FORM) is not None


def test_the_database_does_not_see_what_was_typed(client: Client) -> None:
    send_form(client, make_user(), password="planted-secret")

    with connection.cursor() as cursor:
        cursor.execute("SELECT data FROM accounts_keptform")
        stored = cursor.fetchone()[0]
    assert "planted-secret" not in stored
    assert "planted-secret" in KeptForm.objects.get().data


# -- signed in, but the tokens have ended --------------------------------------------------------------------


def test_a_page_whose_tokens_ended_comes_back_after_signing_in(client: Client, iam: FakeIam) -> None:
    client.force_login(make_user())

    response = client.get("/trial/token?x=1")

    assert next_of(response["Location"]) == "/trial/token?x=1"
    assert "Your session has ended" in client.get(response["Location"]).content.decode()
    iam.sign_in(client)
    assert client.get("/trial/token").content == b"has a token"


def test_a_fragment_whose_tokens_ended_sends_the_browser(client: Client, iam: FakeIam) -> None:
    client.force_login(make_user())

    assert next_of(client.get("/trial/expired", headers=HTMX)["HX-Redirect"]) == FORM_PAGE


@pytest.mark.parametrize("service", ["refuses", ""])
def test_a_form_whose_tokens_ended_is_kept_for_its_user_without_saying_so(
    client: Client, iam: FakeIam, service: str
) -> None:
    ada = make_user()
    client.force_login(ada)
    response = client.post(FORM, {"title": "T", "service": service})
    assert KeptForm.objects.get().user == ada

    iam.sign_in(client, next=next_of(response["Location"]))

    assert client.get(FORM).json()["kept"]["title"] == "T"


def test_a_stranger_gets_nothing_when_the_session_was_still_alive_either(client: Client, iam: FakeIam) -> None:
    client.force_login(make_user())
    client.post(FORM, {"title": "T"})
    iam.userinfo = {"sub": "sub-mallory"}

    iam.sign_in(client, switch="1")

    assert client.get(FORM).json()["kept"] is None


def test_a_form_made_for_another_user_than_the_one_signed_in_is_not_kept(client: Client) -> None:
    client.force_login(make_user("ben"))

    send_form(client, make_user("ada"))

    assert not KeptForm.objects.exists()


def test_while_iam_is_down_a_page_names_iam_and_nobody_is_signed_out(client: Client, iam: FakeIam) -> None:
    ada = make_user()
    give_token(ada, expires_in=0)
    client.force_login(ada)
    client.raise_request_exception = False
    iam.replies["token"] = (503, "")

    response = client.get("/trial/token")

    assert response.status_code >= 500
    assert "_auth_user_id" in client.session


@pytest.mark.parametrize("htmx", [{}, HTMX], ids=["page", "fragment"])
def test_who_left_a_required_group_is_told_which(
    client: Client, iam: FakeIam, monkeypatch: pytest.MonkeyPatch, htmx: dict[str, str]
) -> None:
    client.force_login(make_user(groups=["ml-users"]))
    configure(monkeypatch, IAM_GROUP_MEMBERSHIP=["ml-users", "gpu-users"])
    assert client.get("/trial/public").status_code == 200

    response = client.get("/trial/page", headers=htmx)

    assert response["HX-Redirect" if htmx else "Location"] == "/login/denied"
    page = client.get("/login/denied").content.decode()
    assert "<strong>gpu-users</strong>" in page
    assert "_auth_user_id" not in client.session


def test_who_turns_out_to_have_left_a_group_while_a_page_is_made_is_told(
    client: Client, iam: FakeIam, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(monkeypatch, IAM_GROUP_MEMBERSHIP=["ml-users"])
    ada = make_user()
    User.objects.update(seen_at=None)
    give_token(ada, expires_in=0)
    client.force_login(ada)
    iam.userinfo.pop("groups")

    assert client.get("/trial/token")["Location"] == "/login/denied"
    assert "_auth_user_id" not in client.session
