"""The rules of OAuth 2.0 the identity provider applies: its client, redirect URIs, code grants, PKCE."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus, urlsplit

from aiohttp import web

if TYPE_CHECKING:
    from sandbox.people import Person
    from sandbox.world import World

CLIENT_ID = "deepdash-sandbox"
# Published on purpose: it guards nothing but this stand-in.
CLIENT_SECRET = "deepdash-sandbox-secret"  # noqa: S105
CLIENT_NAME = "The training dashboard"
REDIRECT_PATH = "/login/iam/authorized"
LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class OAuthError(Exception):
    """An error of the token, introspection or revocation endpoint (contract 9.3)."""

    def __init__(self, error: str, description: str, status: int = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__(description)
        self.error = error
        self.description = description
        self.status = status

    def response(self) -> web.Response:
        headers = {"Cache-Control": "no-store", "Pragma": "no-cache"}
        if self.error == "invalid_client":
            headers["WWW-Authenticate"] = 'Basic realm="sandbox"'
        return web.json_response(
            {"error": self.error, "error_description": self.description}, status=self.status, headers=headers
        )


@dataclass(frozen=True)
class Grant:
    """What an authorization code stands for; ``expires`` in seconds since the epoch."""

    person: Person
    redirect_uri: str
    scopes: list[str]
    nonce: str | None
    challenge: str | None
    challenge_method: str
    expires: float
    auth_time: int

    def accepts(self, verifier: str | None) -> bool:
        """Tell whether the code verifier answers the challenge (RFC 7636, 4.6)."""
        if self.challenge is None:
            return True
        if not verifier:
            return False
        if self.challenge_method == "plain":
            return hmac.compare_digest(verifier.encode(), self.challenge.encode())
        digest = hashlib.sha256(verifier.encode()).digest()
        expected = base64.urlsafe_b64encode(digest).rstrip(b"=")
        return hmac.compare_digest(expected, self.challenge.encode())


def redirect_allowed(world: World, uri: str) -> bool:
    """Tell whether ``uri`` is registered: the dashboard's own, or the same path on any loopback origin."""
    if uri == world.dashboard.rstrip("/") + REDIRECT_PATH:
        return True
    try:
        parts = urlsplit(uri)
        origin = f"{parts.scheme}://{parts.netloc}"
        host, user = parts.hostname, parts.username
    except ValueError:
        return False
    # Compared as a whole, so that a query, a fragment or a dot segment is a mismatch.
    return parts.scheme in ("http", "https") and host in LOOPBACK and user is None and uri == origin + REDIRECT_PATH


def authenticate(request: web.Request, form: Mapping[str, str]) -> str:
    """Check the client's id and secret, sent as Basic or in the form; return the id. Raises OAuthError."""
    client_id, secret = form.get("client_id", ""), form.get("client_secret", "")
    authorization = request.headers.get("Authorization", "")
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() == "basic":
        try:
            user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            user, password = "", ""
        # Both halves are form-encoded before they are joined (RFC 6749, 2.3.1).
        client_id, secret = unquote_plus(user), unquote_plus(password)
    known = hmac.compare_digest(client_id.encode(), CLIENT_ID.encode())
    if not (hmac.compare_digest(secret.encode(), CLIENT_SECRET.encode()) and known):
        raise OAuthError("invalid_client", "Bad client credentials", HTTPStatus.UNAUTHORIZED)
    return client_id


def require(form: Mapping[str, str], name: str) -> str:
    """Return a parameter that must be there; raises OAuthError."""
    value = form.get(name)
    if not value:
        raise OAuthError("invalid_request", f"Missing parameter: {name}")
    return value
