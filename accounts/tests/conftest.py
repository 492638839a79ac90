"""A stand-in of IAM at the wire, whose answers a test bends, and a browser that walks through a login."""

import base64
import hashlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
import pytest
import requests
import responses
from cryptography.hazmat.primitives.asymmetric import rsa
from django.http import HttpResponseBase
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from accounts.testing import ISSUER, configure, make_user

CLIENT_ID, CLIENT_SECRET = "dashboard", "the-client-secret-0123456789abcdef"
ACCESS, REFRESH = "planted-access-token-1", "planted-refresh-token-1"

Reply = tuple[int, dict[str, str], str]


def new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass
class FakeIam:
    """IAM as contract 9 describes it. ``replies`` overrules an endpoint: a status and body, or an exception."""

    key: rsa.RSAPrivateKey
    kid: str | None = "rsa1"
    issuer: str = ISSUER
    keys: list[dict[str, Any]] = field(default_factory=list)
    claims: dict[str, Any] = field(default_factory=dict)  # of the ID token; None takes one away
    header: dict[str, Any] = field(default_factory=dict)
    algorithm: str = "RS256"
    answer: dict[str, Any] = field(default_factory=dict)  # of the token endpoint; None takes one away
    userinfo: dict[str, Any] = field(default_factory=dict)
    document: dict[str, Any] = field(default_factory=dict)
    replies: dict[str, tuple[int, str] | Exception] = field(default_factory=dict)
    calls: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    nonce: str = ""
    challenge: str = ""

    def __post_init__(self) -> None:
        self.keys = [self.public(self.key, self.kid)]
        self.userinfo = {
            "sub": "sub-ada",
            "name": "Ada Example",
            "email": "ada@example.org",
            "organisation_name": "indigo-dc",
            "groups": ["ml-users", "ml-users/vision"],
        }
        self.document = {
            "issuer": f"{ISSUER}/",
            "authorization_endpoint": f"{ISSUER}/authorize",
            "token_endpoint": f"{ISSUER}/token",
            "userinfo_endpoint": f"{ISSUER}/userinfo",
            "jwks_uri": f"{ISSUER}/jwk",
            "revocation_endpoint": f"{ISSUER}/revoke",
        }

    @staticmethod
    def public(key: rsa.RSAPrivateKey, kid: str | None) -> dict[str, Any]:
        jwk: dict[str, Any] = jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
        return {**jwk, "use": "sig", "alg": "RS256", **({"kid": kid} if kid else {})}

    def id_token(self) -> str:
        now = int(time.time())
        claims = {"iss": self.issuer, "sub": self.userinfo["sub"], "aud": CLIENT_ID, "iat": now,
                  "exp": now + 600, "nonce": self.nonce, **self.claims}  # fmt: skip
        claims = {name: value for name, value in claims.items() if value is not None}
        key: Any = {"RS256": self.key, "HS256": CLIENT_SECRET, "none": None}[self.algorithm]
        header = {"kid": self.kid, **self.header} if self.kid else self.header
        return jwt.encode(claims, key, algorithm=self.algorithm, headers=header)

    def count(self, endpoint: str) -> int:
        return sum(name == endpoint for name, _ in self.calls)

    def reply(self, request: requests.PreparedRequest) -> Reply:
        endpoint = urlsplit(str(request.url)).path.rsplit("/", 1)[-1]
        form = {name: values[0] for name, values in parse_qs(str(request.body or "")).items()}
        self.calls.append((endpoint, form))
        overruled = self.replies.get(endpoint)
        if isinstance(overruled, Exception):
            raise overruled
        if overruled is not None:
            return overruled[0], {"Content-Type": "application/json"}, overruled[1]
        body = getattr(self, f"_{endpoint.replace('-', '_')}")(request, form)
        return 200, {"Content-Type": "application/json"}, json.dumps(body)

    def _openid_configuration(self, request: requests.PreparedRequest, form: dict[str, str]) -> Any:
        return self.document

    def _jwk(self, request: requests.PreparedRequest, form: dict[str, str]) -> Any:
        return {"keys": self.keys}

    def _userinfo(self, request: requests.PreparedRequest, form: dict[str, str]) -> Any:
        assert str(request.headers["Authorization"]).startswith("Bearer ")
        return self.userinfo

    def _token(self, request: requests.PreparedRequest, form: dict[str, str]) -> Any:
        basic = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        assert request.headers["Authorization"] == f"Basic {basic}"
        assert "client_secret" not in form
        answer: dict[str, Any] = {"access_token": ACCESS, "token_type": "Bearer", "expires_in": 3600,
                                  "scope": "openid profile"}  # fmt: skip
        if form["grant_type"] == "authorization_code":
            digest = hashlib.sha256(form["code_verifier"].encode()).digest()
            assert base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == self.challenge
            assert form["redirect_uri"] == "http://testserver/login/iam/authorized"
            answer |= {"refresh_token": REFRESH, "id_token": self.id_token()}
        return {name: value for name, value in {**answer, **self.answer}.items() if value is not None}

    def _revoke(self, request: requests.PreparedRequest, form: dict[str, str]) -> Any:
        return {}

    # -- the browser's part ----------------------------------------------------------------------------------

    def begin(self, client: Client, **query: str) -> dict[str, str]:
        """Start a login and return what the browser carries to IAM."""
        response = client.get("/login/iam", query)
        assert response.status_code == 302
        target = response["Location"]
        assert target.startswith(f"{ISSUER}/authorize?"), target
        sent = {name: values[0] for name, values in parse_qs(urlsplit(target).query).items()}
        self.nonce, self.challenge = sent["nonce"], sent["code_challenge"]
        return sent

    def sign_in(self, client: Client, **query: str) -> HttpResponseBase:
        """Walk through a whole login and return the callback's answer."""
        sent = self.begin(client, **query)
        return client.get(f"/login/iam/authorized?{urlencode({'code': 'c0de', 'state': sent['state']})}")


@pytest.fixture(scope="session")
def signing_key() -> rsa.RSAPrivateKey:
    return new_key()


@pytest.fixture
def ada(db: None) -> User:
    return make_user("ada")


@pytest.fixture
def browser(ada: User) -> Client:
    """Ada's, signed in."""
    client = Client()
    client.force_login(ada)
    return client


@pytest.fixture
def iam(signing_key: rsa.RSAPrivateKey, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeIam]:
    """A dashboard that is configured for a stand-in of IAM."""
    configure(
        monkeypatch, IAM_BASE_URL=ISSUER, IAM_GROUP_MEMBERSHIP=[], IAM_ADMIN_GROUPS=["curators"], PUBLIC_URL="",
        SUPPORT_EMAIL="help@example.org",
    )  # fmt: skip
    settings.OIDC_RP_CLIENT_ID, settings.OIDC_RP_CLIENT_SECRET = CLIENT_ID, CLIENT_SECRET
    fake = FakeIam(signing_key)
    with responses.RequestsMock(assert_all_requests_are_fired=False) as wire:
        for method, path in (("GET", ".well-known/openid-configuration"), ("GET", "jwk"), ("GET", "userinfo"),
                             ("POST", "token"), ("POST", "revoke")):  # fmt: skip
            wire.add_callback(method, f"{ISSUER}/{path}", callback=fake.reply)
        yield fake
