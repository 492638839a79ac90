"""The identity provider, driven as mozilla-django-oidc drives it."""

from __future__ import annotations

import base64
import hashlib
import html
import re
import secrets
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
import requests
import time_machine

from sandbox.oauth import CLIENT_ID, CLIENT_SECRET
from sandbox.testing import SandboxThread

REDIRECT = "http://127.0.0.1:5001/login/iam/authorized"
SCOPES = "openid email profile offline_access"


@dataclass
class Client:
    """A relying party with a browser of its own."""

    iam: str

    def __post_init__(self) -> None:
        self.browser = requests.Session()
        self.verifier = secrets.token_urlsafe(48)
        self.state = secrets.token_urlsafe(8)
        self.nonce = secrets.token_urlsafe(8)

    def parameters(self, **changes: str | None) -> dict[str, str]:
        digest = hashlib.sha256(self.verifier.encode()).digest()
        parameters: dict[str, str | None] = {
            "response_type": "code",
            "client_id": CLIENT_ID,
            "redirect_uri": REDIRECT,
            "scope": SCOPES,
            "state": self.state,
            "nonce": self.nonce,
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
            **changes,
        }
        return {name: value for name, value in parameters.items() if value is not None}

    def open(self, **changes: str | None) -> requests.Response:
        """Follow the dashboard's redirect to the provider."""
        return self.browser.get(
            f"{self.iam}/authorize", params=self.parameters(**changes), allow_redirects=False, timeout=10
        )

    def choose(self, page: requests.Response, **choice: str) -> requests.Response:
        """Press a button of the page: send its form as a browser would, hidden fields and all."""
        action = re.search(r'<form method="post" action="([^"]+)"', page.text)
        assert action
        hidden = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.text)
        fields = {html.unescape(name): html.unescape(value) for name, value in hidden}
        return self.browser.post(html.unescape(action[1]), data={**fields, **choice}, allow_redirects=False, timeout=10)

    def code(self, person: str = "ada", **changes: str | None) -> str:
        return answer_of(self.choose(self.open(**changes), person=person))["code"]

    def token(self, **form: str | None) -> requests.Response:
        body = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, **form}
        return requests.post(f"{self.iam}/token", data=body, timeout=10)

    def exchange(self, code: str, **form: str | None) -> requests.Response:
        body = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": REDIRECT,
            "code_verifier": self.verifier,
            **form,
        }
        return self.token(**body)

    def log_in(self, person: str = "ada", **changes: str | None) -> dict[str, Any]:
        answer = self.exchange(self.code(person, **changes))
        assert answer.status_code == 200, answer.text
        tokens: dict[str, Any] = answer.json()
        return tokens

    def refresh(self, refresh_token: str, **form: str) -> requests.Response:
        return self.token(grant_type="refresh_token", refresh_token=refresh_token, **form)

    def userinfo(self, access_token: str) -> requests.Response:
        return requests.get(f"{self.iam}/userinfo", headers={"Authorization": f"Bearer {access_token}"}, timeout=10)


def answer_of(response: requests.Response) -> dict[str, str]:
    """Return what the provider sends back to the client in the redirect."""
    assert response.status_code == 302, response.text
    location = response.headers["Location"]
    assert location.startswith(f"{REDIRECT}?")
    return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}


@pytest.fixture
def client(fresh: SandboxThread) -> Client:
    return Client(f"{fresh.url}/iam")


class TestDiscovery:
    def test_the_issuer_has_a_trailing_slash_and_there_is_no_end_session_endpoint(self, client: Client) -> None:
        document = requests.get(f"{client.iam}/.well-known/openid-configuration", timeout=10).json()
        assert document["issuer"] == f"{client.iam}/"
        assert "end_session_endpoint" not in document
        assert document["token_endpoint"] == f"{client.iam}/token"
        assert document["jwks_uri"] == f"{client.iam}/jwk"
        assert document["code_challenge_methods_supported"] == ["plain", "S256"]
        assert document["device_authorization_endpoint"] == f"{client.iam}/devicecode"

    def test_the_published_key_verifies_the_id_token(self, client: Client) -> None:
        tokens = client.log_in()
        key = jwt.PyJWKSet.from_dict(requests.get(f"{client.iam}/jwk", timeout=10).json())["rsa1"]
        assert jwt.get_unverified_header(tokens["id_token"])["kid"] == "rsa1"
        claims = jwt.decode(tokens["id_token"], key, algorithms=["RS256"], audience=CLIENT_ID)
        assert claims["iss"] == client.iam  # without the slash of the discovery document
        assert claims["nonce"] == client.nonce
        assert claims["exp"] - claims["iat"] == 600


class TestAuthorization:
    def test_a_person_is_chosen_without_scripts_and_the_state_comes_back(self, client: Client) -> None:
        page = client.open()
        assert page.status_code == 200
        assert "<script" not in page.text
        assert "Ada Lovelace" in page.text
        answer = answer_of(client.choose(page, person="ada"))
        assert answer["state"] == client.state
        assert answer["code"]

    def test_a_browser_that_is_signed_in_goes_straight_through(self, client: Client) -> None:
        client.log_in("grace")
        answer = answer_of(client.open())
        tokens = client.exchange(answer["code"]).json()
        assert client.userinfo(tokens["access_token"]).json()["preferred_username"] == "grace"

    def test_prompt_login_asks_again(self, client: Client) -> None:
        client.log_in()
        page = client.open(prompt="login")
        assert page.status_code == 200
        assert answer_of(client.choose(page, person="ben"))["code"]

    def test_prompt_none_without_a_session_is_login_required(self, client: Client) -> None:
        assert answer_of(client.open(prompt="none"))["error"] == "login_required"

    def test_denying_comes_back_as_access_denied(self, client: Client) -> None:
        answer = answer_of(client.choose(client.open(), deny="1"))
        assert answer["error"] == "access_denied"
        assert answer["state"] == client.state
        assert "code" not in answer

    @pytest.mark.parametrize(
        "uri",
        [
            "http://127.0.0.1:5001/login/iam/authorized/",
            "http://127.0.0.1:5001/login/iam/authorized?next=/",
            "http://127.0.0.1:5001/login/iam/../iam/authorized",
            "http://evil.example.org/login/iam/authorized",
            "http://127.0.0.1:5001@evil.example.org/login/iam/authorized",
            "http://127.0.0.1.evil.example.org/login/iam/authorized",
            "http://user@127.0.0.1:5001/login/iam/authorized",
            "javascript:alert(1)",
            "http://[::1/login/iam/authorized",
            "",
        ],
    )
    def test_a_wrong_redirect_uri_is_a_page_and_no_redirect(self, client: Client, uri: str) -> None:
        for response in (
            client.open(redirect_uri=uri),
            requests.post(
                f"{client.iam}/authorize",
                data={**client.parameters(redirect_uri=uri), "person": "ada"},
                allow_redirects=False,
                timeout=10,
            ),
        ):
            assert response.status_code == 400
            assert "Location" not in response.headers

    def test_any_loopback_port_may_be_the_dashboard(self, client: Client) -> None:
        page = client.open(redirect_uri="http://localhost:34567/login/iam/authorized")
        location = client.choose(page, person="ada").headers["Location"]
        assert location.startswith("http://localhost:34567/login/iam/authorized?code=")

    def test_an_unknown_client_is_a_page_and_no_redirect(self, client: Client) -> None:
        response = client.open(client_id="somebody-else")
        assert response.status_code == 400
        assert "Location" not in response.headers

    def test_a_person_in_the_address_signs_nobody_in(self, client: Client) -> None:
        assert client.open(person="ada").status_code == 200

    def test_unknown_scopes_and_response_types_are_refused_by_redirect(self, client: Client) -> None:
        assert answer_of(client.open(scope="openid admin"))["error"] == "invalid_scope"
        assert answer_of(client.open(response_type="token"))["error"] == "unsupported_response_type"

    def test_what_is_sent_is_escaped_on_the_page(self, client: Client) -> None:
        page = client.open(state='"><script>alert(1)</script>')
        assert "<script" not in page.text
        assert answer_of(client.choose(page, person="ada"))["state"] == '"><script>alert(1)</script>'

    def test_logging_out_asks_for_the_person_again(self, client: Client) -> None:
        client.log_in()
        answer = client.browser.get(f"{client.iam}/logout", allow_redirects=False, timeout=10)
        assert answer.headers["Location"] == f"{client.iam}/login?logout"
        assert client.open().status_code == 200


class TestCode:
    def test_the_answer_has_all_tokens_and_must_not_be_stored(self, client: Client) -> None:
        answer = client.exchange(client.code())
        tokens = answer.json()
        assert answer.headers["Cache-Control"] == "no-store"
        assert tokens["token_type"] == "Bearer"
        assert 3590 <= tokens["expires_in"] <= 3600
        assert set(tokens["scope"].split()) == set(SCOPES.split())
        assert tokens["refresh_token"]

    def test_no_refresh_token_without_offline_access(self, client: Client) -> None:
        assert "refresh_token" not in client.log_in(scope="openid profile")

    def test_a_wrong_or_missing_verifier_is_refused(self, client: Client) -> None:
        for verifier in ("wrong" * 12, None):
            answer = client.exchange(client.code(prompt="login"), code_verifier=verifier)
            assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")

    def test_a_plain_challenge_is_compared_as_it_is(self, client: Client) -> None:
        challenge = {"code_challenge": client.verifier, "code_challenge_method": "plain"}
        assert client.exchange(client.code(**challenge)).status_code == 200

    def test_a_code_is_good_once(self, client: Client) -> None:
        code = client.code()
        assert client.exchange(code).status_code == 200
        answer = client.exchange(code)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")

    def test_a_code_expires(self, fresh: SandboxThread, client: Client) -> None:
        fresh.control.settings(code_lifetime=0)
        assert client.exchange(client.code()).json()["error"] == "invalid_grant"

    def test_the_redirect_uri_must_be_the_same_again(self, client: Client) -> None:
        answer = client.exchange(client.code(), redirect_uri="http://localhost:5001/login/iam/authorized")
        assert answer.json()["error"] == "invalid_grant"

    def test_wrong_client_credentials_are_401(self, client: Client) -> None:
        answer = client.exchange(client.code(), client_secret="wrong")
        assert answer.status_code == 401
        assert answer.json() == {"error": "invalid_client", "error_description": "Bad client credentials"}

    def test_basic_client_authentication_works_too(self, client: Client) -> None:
        answer = requests.post(
            f"{client.iam}/token",
            data={
                "grant_type": "authorization_code",
                "code": client.code(),
                "redirect_uri": REDIRECT,
                "code_verifier": client.verifier,
            },
            auth=(CLIENT_ID, CLIENT_SECRET),
            timeout=10,
        )
        assert answer.status_code == 200

    def test_grants_this_client_may_not_use_are_told_from_unknown_ones(self, client: Client) -> None:
        forbidden = client.token(grant_type="client_credentials")
        assert (forbidden.status_code, forbidden.json()["error"]) == (401, "invalid_client")
        unknown = client.token(grant_type="magic")
        assert (unknown.status_code, unknown.json()["error"]) == (400, "unsupported_grant_type")


class TestRefresh:
    def test_the_same_refresh_token_comes_back(self, client: Client) -> None:
        tokens = client.log_in()
        answer = client.refresh(tokens["refresh_token"]).json()
        assert answer["refresh_token"] == tokens["refresh_token"]
        assert answer["access_token"] != tokens["access_token"]
        assert client.userinfo(answer["access_token"]).status_code == 200

    def test_a_rotated_refresh_token_replaces_the_old_one(self, fresh: SandboxThread, client: Client) -> None:
        fresh.control.settings(rotate_refresh_tokens=True)
        old = client.log_in()["refresh_token"]
        new = client.refresh(old).json()["refresh_token"]
        assert new != old
        assert client.refresh(old).json()["error"] == "invalid_grant"
        assert client.refresh(new).status_code == 200

    def test_a_spent_refresh_token_that_is_shown_again_can_end_all_that_came_from_it(
        self, fresh: SandboxThread, client: Client
    ) -> None:
        fresh.control.settings(rotate_refresh_tokens=True, revoke_on_reuse=True)
        old = client.log_in()["refresh_token"]
        new = client.refresh(old).json()
        assert client.refresh(old).json()["error"] == "invalid_grant"
        assert client.refresh(new["refresh_token"]).json()["error"] == "invalid_grant"
        assert client.userinfo(new["access_token"]).status_code == 401

    def test_a_reset_forgets_spent_ones(self, fresh: SandboxThread, client: Client) -> None:
        fresh.control.settings(rotate_refresh_tokens=True)
        old = client.log_in()["refresh_token"]
        client.refresh(old)
        fresh.control.reset()
        fresh.control.settings(revoke_on_reuse=True)
        later = fresh.control.tokens("ada")["access_token"]
        assert client.refresh(old).json()["error"] == "invalid_grant"
        assert client.userinfo(later).status_code == 200

    def test_an_expired_refresh_token_is_an_invalid_grant(self, fresh: SandboxThread, client: Client) -> None:
        fresh.control.settings(refresh_token_lifetime=0)
        answer = client.refresh(client.log_in()["refresh_token"])
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")

    def test_scopes_can_be_narrowed_but_not_widened(self, client: Client) -> None:
        refresh_token = client.log_in(scope="openid profile offline_access")["refresh_token"]
        assert client.refresh(refresh_token, scope="openid").json()["scope"] == "openid"
        wider = client.refresh(refresh_token, scope="openid email")
        assert (wider.status_code, wider.json()["error_description"]) == (400, "Up-scoping is not allowed.")

    def test_a_revoked_person_must_log_in_again(self, fresh: SandboxThread, client: Client) -> None:
        tokens = client.log_in()
        fresh.control.revoke("ada")
        assert client.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
        assert client.userinfo(tokens["access_token"]).status_code == 401


class TestRevocationAndIntrospection:
    def post(self, client: Client, path: str, token: str) -> requests.Response:
        body = {"token": token, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
        return requests.post(f"{client.iam}/{path}", data=body, timeout=10)

    def test_revoking_the_refresh_token_ends_the_access_tokens_made_from_it(self, client: Client) -> None:
        tokens = client.log_in()
        newer = client.refresh(tokens["refresh_token"]).json()
        assert self.post(client, "revoke", tokens["refresh_token"]).status_code == 200
        assert client.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
        assert client.userinfo(newer["access_token"]).status_code == 401

    def test_revoking_an_access_token_leaves_the_refresh_token(self, client: Client) -> None:
        tokens = client.log_in()
        assert self.post(client, "revoke", tokens["access_token"]).status_code == 200
        assert client.userinfo(tokens["access_token"]).status_code == 401
        assert client.refresh(tokens["refresh_token"]).status_code == 200

    def test_introspection_tells_active_from_inactive(self, client: Client) -> None:
        token = client.log_in()["access_token"]
        answer = self.post(client, "introspect", token).json()
        assert answer["active"] is True
        assert answer["groups"] == ["ml-users", "ml-users/vision"]
        assert answer["organisation_name"] == "indigo-dc"
        assert answer["client_id"] == CLIENT_ID
        self.post(client, "revoke", token)
        assert self.post(client, "introspect", token).json() == {"active": False}

    def test_they_need_the_client_to_authenticate(self, client: Client) -> None:
        for path in ("revoke", "introspect"):
            assert requests.post(f"{client.iam}/{path}", data={"token": "x"}, timeout=10).status_code == 401

    def test_a_token_can_be_exchanged_for_an_audience(self, client: Client) -> None:
        token = client.log_in()["access_token"]
        answer = client.token(
            grant_type="urn:ietf:params:oauth:grant-type:token-exchange",
            subject_token=token,
            audience="orchestrator",
            scope="openid profile",
        ).json()
        claims = jwt.decode(answer["access_token"], options={"verify_signature": False})
        assert claims["aud"] == "orchestrator"
        assert claims["sub"] == jwt.decode(token, options={"verify_signature": False})["sub"]


class TestUserinfo:
    def test_it_tells_what_the_scopes_allow(self, client: Client) -> None:
        everything = client.userinfo(client.log_in()["access_token"]).json()
        assert everything["groups"] == ["ml-users", "ml-users/vision"]
        assert everything["organisation_name"] == "indigo-dc"
        assert everything["email"] == "ada@indigo-dc.example.org"
        no_profile = client.userinfo(client.log_in(scope="openid email", prompt="login")["access_token"]).json()
        assert set(no_profile) == {"sub", "email", "email_verified"}
        profile_only = client.log_in(scope="openid profile", prompt="login")
        no_email = client.userinfo(profile_only["access_token"]).json()
        assert "email" not in no_email

    def test_a_person_in_no_group_has_no_groups_key(self, client: Client) -> None:
        assert "groups" not in client.userinfo(client.log_in("nora")["access_token"]).json()

    def test_it_needs_the_scope_openid(self, client: Client) -> None:
        answer = client.userinfo(client.log_in(scope="profile")["access_token"])
        assert (answer.status_code, answer.json()["error"]) == (403, "insufficient_scope")

    def test_an_expired_or_foreign_token_is_401(self, fresh: SandboxThread, client: Client) -> None:
        expired = fresh.control.tokens("ada", lifetime=-5)["access_token"]
        tokens = client.log_in()
        header, payload, signature = tokens["access_token"].split(".")
        forged = ".".join((header, payload, signature[::-1]))
        for token in (expired, forged, tokens["id_token"], tokens["refresh_token"], "nonsense"):
            answer = client.userinfo(token)
            assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")

    def test_a_short_lived_token_expires_by_the_clock(self, fresh: SandboxThread, client: Client) -> None:
        fresh.control.settings(token_lifetime=600)
        token = client.log_in()["access_token"]
        assert client.userinfo(token).status_code == 200
        with time_machine.travel(time.time() + 601):
            assert client.userinfo(token).status_code == 401
