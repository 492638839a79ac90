import time
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from django.contrib.auth import authenticate
from django.test import Client, RequestFactory

from accounts.models import Token, User
from accounts.testing import configure, make_user
from accounts.tests.conftest import ACCESS, CLIENT_ID, REFRESH, FakeIam, new_key

pytestmark = [pytest.mark.django_db, pytest.mark.urls("accounts.tests.urls")]

Bend = Callable[[FakeIam], object]


def claims(**values: object) -> Bend:
    return lambda iam: iam.claims.update(values)


def replies(endpoint: str, reply: tuple[int, str] | Exception) -> Bend:
    return lambda iam: iam.replies.update({endpoint: reply})


def userinfo(**values: object) -> Bend:
    return lambda iam: iam.userinfo.update(values)


def no_kid_anywhere(iam: FakeIam) -> None:
    iam.kid, iam.keys = None, [iam.public(iam.key, None)]


def no_kid_and_two_keys(iam: FakeIam) -> None:
    iam.kid, iam.keys = None, [iam.public(iam.key, None), iam.public(new_key(), None)]


def key_without_kid(iam: FakeIam) -> None:
    iam.keys = [iam.public(iam.key, None)]


def key_of_another(iam: FakeIam) -> None:
    iam.key = new_key()


def garbage_among_the_keys(iam: FakeIam) -> None:
    iam.keys = [{"kty": "EC", "kid": "rsa1"}, "?", {"kty": "RSA", "use": "enc", "kid": "rsa1"}, *iam.keys]  # type: ignore[list-item]


def algorithm(name: str) -> Bend:
    return lambda iam: setattr(iam, "algorithm", name)


def answer(**values: object) -> Bend:
    return lambda iam: iam.answer.update(values)


CASES: list[tuple[str, Bend, str]] = [
    ("a normal login", lambda iam: None, "in"),
    ("aud of another client", claims(aud="another"), "login:rejected"),
    ("no aud", claims(aud=None), "login:rejected"),
    ("iss of another provider", claims(iss="https://evil.example"), "login:rejected"),
    ("iss with a slash at its end", claims(iss="https://iam.example.org/"), "in"),
    ("two audiences, azp of the other", claims(aud=[CLIENT_ID, "another"], azp="another"), "login:rejected"),
    ("two audiences, no azp", claims(aud=[CLIENT_ID, "another"]), "login:rejected"),
    ("two audiences, azp is ours", claims(aud=[CLIENT_ID, "another"], azp=CLIENT_ID), "in"),
    ("one audience, azp of another", claims(azp="another"), "login:rejected"),
    ("userinfo about somebody else", claims(sub="sub-eve"), "login:rejected"),
    ("ID token without sub", claims(sub=None), "login:rejected"),
    ("ID token expired beyond the leeway", claims(exp=int(time.time()) - 3600), "login:rejected"),
    ("ID token without exp", claims(exp=None), "login:rejected"),
    ("ID token without iat", claims(iat=None), "login:rejected"),
    ("iat ten seconds ahead", lambda iam: iam.claims.update(iat=int(time.time()) + 10), "in"),
    ("iat ten minutes ahead", lambda iam: iam.claims.update(iat=int(time.time()) + 600), "login:rejected"),
    ("expired ten seconds ago", lambda iam: iam.claims.update(exp=int(time.time()) - 10), "in"),
    ("neither token nor key has a kid", no_kid_anywhere, "in"),
    ("only the token has a kid", key_without_kid, "in"),
    ("no kid and two keys", no_kid_and_two_keys, "login:rejected"),
    ("signed with an unknown key", key_of_another, "login:rejected"),
    ("odd entries among the keys", garbage_among_the_keys, "in"),
    ("signed with our client secret", algorithm("HS256"), "login:rejected"),
    ("not signed", algorithm("none"), "login:rejected"),
    ("no ID token", answer(id_token=None), "login:rejected"),
    ("an ID token that is none", answer(id_token="nonsense"), "login:rejected"),
    ("no access token", answer(access_token=None), "login:provider"),
    ("wrong nonce", claims(nonce="another"), "login:rejected"),
    ("no nonce", claims(nonce=None), "login:rejected"),
    ("token endpoint 404", replies("token", (404, "{}")), "login:rejected"),
    ("token endpoint 503", replies("token", (503, "<html>")), "login:provider"),
    ("token endpoint sends a web page", replies("token", (200, "<html>")), "login:provider"),
    ("token endpoint refuses connections", replies("token", requests.ConnectionError()), "login:provider"),
    ("token endpoint does not answer", replies("token", requests.ReadTimeout()), "login:provider"),
    ("code spent", replies("token", (400, '{"error": "invalid_grant"}')), "login:rejected"),
    ("wrong client secret", replies("token", (401, '{"error": "invalid_client"}')), "login:rejected"),
    ("userinfo 404", replies("userinfo", (404, "{}")), "login:rejected"),
    ("userinfo 401", replies("userinfo", (401, "{}")), "login:rejected"),
    ("userinfo is a list", replies("userinfo", (200, "[]")), "login:provider"),
    ("keys 500", replies("jwk", (500, "")), "login:provider"),
    ("keys are no set", replies("jwk", (200, "{}")), "login:provider"),
    ("userinfo without e-mail", lambda iam: iam.userinfo.pop("email"), "in"),
    ("userinfo without groups", lambda iam: iam.userinfo.pop("groups"), "in"),
    ("userinfo with the sub alone", lambda iam: setattr(iam, "userinfo", {"sub": "sub-ada"}), "in"),
    ("a second account with the same e-mail", lambda iam: make_user("ben", email="ada@example.org"), "in"),
    ("texts that no database takes", userinfo(name="A\x00da" * 500, email="x" * 999, groups=["a\x00", 7]), "in"),
]


@pytest.mark.parametrize(("bend", "outcome"), [pytest.param(b, o, id=n) for n, b, o in CASES])
def test_login_ends_as_it_must(client: Client, iam: FakeIam, bend: Bend, outcome: str) -> None:
    bend(iam)

    response = iam.sign_in(client, next="/trial/page")

    assert response.status_code == 302
    if outcome == "in":
        assert response["Location"] == "/trial/page"
        user = User.objects.get(subject="sub-ada")
        assert client.session["_auth_user_id"] == str(user.pk)
        assert Token.objects.get(user=user).refresh_token == REFRESH
    else:
        target = urlsplit(response["Location"])
        assert target.path == "/login"
        assert parse_qs(target.query) == {"problem": [outcome], "next": ["/trial/page"]}
        assert "_auth_user_id" not in client.session
        assert not Token.objects.exists()
        assert client.get(response["Location"]).status_code == 200


def test_first_login_makes_the_user_and_the_next_one_follows_iam(client: Client, iam: FakeIam) -> None:
    iam.sign_in(client)
    ada = User.objects.get()
    assert (ada.identity, ada.name, ada.email, ada.organisation) == (
        "sub-ada@https://iam.example.org", "Ada Example", "ada@example.org", "indigo-dc",
    )  # fmt: skip
    assert ada.groups == ["ml-users", "ml-users/vision"]
    assert not ada.has_usable_password()

    iam.userinfo |= {"name": "Ada King", "groups": ["physics"]}
    iam.sign_in(client)

    ada.refresh_from_db()
    assert (ada.name, ada.groups) == ("Ada King", ["physics"])
    assert User.objects.count() == 1


def test_the_same_subject_of_another_iam_is_another_person(client: Client, iam: FakeIam) -> None:
    other = User.objects.create_user(issuer="https://other.example/", subject="sub-ada")

    iam.sign_in(client)

    assert client.session["_auth_user_id"] != str(other.pk)


def test_membership_of_an_admin_group_makes_a_curator_and_its_end_unmakes_one(client: Client, iam: FakeIam) -> None:
    iam.userinfo["groups"] = ["curators"]
    iam.sign_in(client)
    ada = User.objects.get()
    assert ada.is_staff
    assert ada.has_perm("catalog.change_module")

    iam.userinfo["groups"] = ["ml-users"]
    iam.sign_in(client)

    ada = User.objects.get()
    assert not ada.is_staff
    assert not ada.has_perm("catalog.change_module")


def test_who_lacks_groups_reads_which_and_where_to_ask(
    client: Client, iam: FakeIam, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(monkeypatch, IAM_GROUP_MEMBERSHIP=["ml-users", "gpu-users", "early-birds"])

    response = client.get(iam.sign_in(client)["Location"])

    page = response.content.decode()
    assert response.status_code == 403
    assert "gpu-users" in page
    assert "early-birds" in page
    assert "<strong>ml-users</strong>" not in page
    assert "https://iam.example.org" in page
    assert "help@example.org" in page
    assert not User.objects.exists()
    assert not Token.objects.exists()


def test_a_member_of_all_required_groups_gets_in(client: Client, iam: FakeIam, monkeypatch: pytest.MonkeyPatch) -> None:
    configure(monkeypatch, IAM_GROUP_MEMBERSHIP=["ml-users", "/ml-users/vision"])

    iam.sign_in(client)

    assert client.get("/trial/page").status_code == 200


def test_who_left_a_group_is_out_at_the_next_login_in_all_sessions(
    client: Client, iam: FakeIam, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(monkeypatch, IAM_GROUP_MEMBERSHIP=["ml-users"])
    elsewhere = Client()
    iam.sign_in(elsewhere)
    iam.userinfo["groups"] = []

    iam.sign_in(client)

    assert not Token.objects.exists()
    assert elsewhere.get("/trial/page")["Location"] == "/login/denied"
    assert "_auth_user_id" not in elsewhere.session


def test_a_blocked_user_does_not_get_in_and_does_not_stay_in(client: Client, iam: FakeIam) -> None:
    iam.sign_in(client)
    User.objects.update(is_active=False)

    assert client.get("/trial/page").status_code == 302
    assert "problem=login%3Adenied" in iam.sign_in(client)["Location"]


def test_a_replayed_callback_leads_to_the_start_page_and_keeps_the_login(client: Client, iam: FakeIam) -> None:
    sent = iam.begin(client)
    callback = f"/login/iam/authorized?code=c0de&state={sent['state']}"
    client.get(callback)

    response = client.get(callback)

    assert response["Location"] == "/"
    assert "_auth_user_id" in client.session
    assert iam.count("token") == 1


@pytest.mark.parametrize(
    "query", ["", "?code=x", "?code=x&state=unknown", "?error=access_denied", "?state=", "?error=x&state=no"]
)
def test_an_answer_to_no_login_of_ours_is_stale(client: Client, iam: FakeIam, query: str) -> None:
    response = client.get(f"/login/iam/authorized{query}")

    assert response["Location"] == "/login?problem=login%3Astale"
    assert iam.count("token") == 0


@pytest.mark.parametrize("query", ["?error=access_denied&state=forged", "?code=x&state=forged"])
def test_a_forged_answer_signs_nobody_out(client: Client, iam: FakeIam, query: str) -> None:
    iam.sign_in(client)

    client.get(f"/login/iam/authorized{query}")

    assert "_auth_user_id" in client.session


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        ("access_denied", "login:denied"),
        ("server_error", "login:provider"),
        ("temporarily_unavailable", "login:provider"),
    ],
)
def test_an_error_of_iam_is_told_and_the_target_kept(client: Client, iam: FakeIam, error: str, problem: str) -> None:
    sent = iam.begin(client, next="/trial/page")

    response = client.get(f"/login/iam/authorized?error={error}&state={sent['state']}")

    assert parse_qs(urlsplit(response["Location"]).query) == {"problem": [problem], "next": ["/trial/page"]}


def test_two_tabs_come_back_each_to_its_own_page(client: Client, iam: FakeIam) -> None:
    first, nonce, challenge = iam.begin(client, next="/trial/page"), iam.nonce, iam.challenge
    second = iam.begin(client, next="/trial/token")
    there = client.get(f"/login/iam/authorized?code=b&state={second['state']}")
    iam.nonce, iam.challenge = nonce, challenge

    here = client.get(f"/login/iam/authorized?code=a&state={first['state']}")

    assert (here["Location"], there["Location"]) == ("/trial/page", "/trial/token")


def test_what_is_sent_to_iam(client: Client, iam: FakeIam) -> None:
    sent = iam.begin(client)

    assert sent["response_type"] == "code"
    assert sent["client_id"] == CLIENT_ID
    assert sent["redirect_uri"] == "http://testserver/login/iam/authorized"
    assert set(sent["scope"].split()) == {"openid", "profile", "email", "offline_access"}
    assert sent["code_challenge_method"] == "S256"
    assert "prompt" not in sent
    assert iam.begin(client, switch="1")["prompt"] == "login"


def test_the_redirect_uri_is_the_public_address(client: Client, iam: FakeIam, monkeypatch: pytest.MonkeyPatch) -> None:
    configure(monkeypatch, PUBLIC_URL="https://dashboard.example.org")

    assert iam.begin(client)["redirect_uri"] == "https://dashboard.example.org/login/iam/authorized"


def test_when_iam_is_down_the_sign_in_page_says_so_and_keeps_the_target(client: Client, iam: FakeIam) -> None:
    iam.replies["openid-configuration"] = requests.ConnectionError()

    response = client.get("/login/iam?next=/trial/page", follow=True)

    assert response.redirect_chain == [("/login?next=%2Ftrial%2Fpage&problem=login%3Aprovider", 302)]
    assert "IAM can’t be reached" in response.content.decode()
    assert b'href="/login/iam?next=%2Ftrial%2Fpage"' in response.content


def test_without_iam_the_sign_in_page_says_that_it_is_not_configured(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(monkeypatch, IAM_BASE_URL="")

    page = client.get("/login").content.decode()

    assert "not configured" in page
    assert 'href="/login/iam' not in page
    assert client.get("/login/iam")["Location"] == "/login?problem=login%3Aprovider"


def test_a_password_or_a_bare_code_opens_nothing(client: Client, iam: FakeIam) -> None:
    ada = make_user()
    ada.set_password("a password")
    ada.save()

    assert not client.login(identity=ada.identity, password="a password")
    assert not client.login(username=ada.identity, password="a password")
    client.post("/admin/login/?code=c0de&state=x", {"username": ada.identity, "password": "a password"})
    assert "_auth_user_id" not in client.session
    assert iam.count("token") == 0


@pytest.mark.parametrize("given", [{}, {"nonce": "n"}, {"code_verifier": "v"}], ids=str)
def test_a_code_without_a_login_of_ours_behind_it_is_not_even_tried(
    iam: FakeIam, rf: RequestFactory, given: dict[str, str]
) -> None:
    assert authenticate(rf.get("/admin/login/?code=c0de&state=x"), **given) is None
    assert iam.calls == []


def test_a_key_changed_under_its_old_id_is_read_again_once(client: Client, iam: FakeIam) -> None:
    iam.sign_in(client)
    iam.key = new_key()
    iam.keys = [iam.public(iam.key, "rsa1")]

    assert iam.sign_in(client)["Location"] == "/"
    assert iam.count("jwk") == 2


def test_a_second_account_in_the_same_browser_replaces_the_first(client: Client, iam: FakeIam) -> None:
    iam.sign_in(client)
    before = client.session.session_key
    iam.userinfo = {"sub": "sub-ben", "name": "Ben"}

    iam.sign_in(client, switch="1")

    assert client.session["_auth_user_id"] == str(User.objects.get(subject="sub-ben").pk)
    assert client.session.session_key != before
    assert Token.objects.get(user__subject="sub-ada").access_token == ACCESS


def test_nothing_of_the_login_stays_in_the_session(client: Client, iam: FakeIam) -> None:
    iam.sign_in(client, next="/trial/page")

    text = repr(dict(client.session.items()))

    assert ACCESS not in text
    assert REFRESH not in text
    assert client.session["oidc_states"] == {}
    assert "oidc_login_next" not in client.session
