"""Tokens of the stand-in identity provider: signing, checking, refreshing and revoking (contract 9.3)."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox.people import BY_SUB, Person

if TYPE_CHECKING:
    from sandbox.world import World

KEY_ID = "rsa1"
DASHBOARD_SCOPES = ("openid", "email", "profile", "offline_access")
CLIENT_SCOPES = frozenset({*DASHBOARD_SCOPES, "address", "phone", "fts:submit-transfer"})


class MissingToken(Exception):
    """The request carries no bearer token."""


class InvalidToken(Exception):
    """The bearer token is malformed, expired, revoked or not from here; ``token`` is what was sent."""

    def __init__(self, token: str) -> None:
        super().__init__("Invalid token")
        self.token = token


@dataclass(frozen=True)
class Claims:
    """What a valid access token, together with the user information behind it, says of its bearer.

    ``groups``, ``organisation`` and ``name`` need the scope ``profile``, ``email`` the scope ``email``;
    ``exp`` is in seconds since the epoch, ``raw`` the claims of the token itself.
    """

    sub: str
    iss: str
    scopes: set[str]
    groups: list[str]
    organisation: str | None
    email: str | None
    name: str | None
    client_id: str
    exp: int
    raw: dict[str, Any]


@dataclass
class LiveToken:
    """An access token that was issued and neither expired nor revoked."""

    person: str
    expires: float
    refresh_token: str | None


@dataclass
class RefreshToken:
    """What a refresh token stands for; ``expires`` in seconds since the epoch."""

    person: str
    client_id: str
    scopes: list[str]
    expires: float
    auth_time: int


@dataclass
class TokenStore:
    """Signing key and all tokens in force; ``spent`` are rotated refresh tokens and whose they were."""

    key: rsa.RSAPrivateKey
    live: dict[str, LiveToken] = field(default_factory=dict)
    refresh_tokens: dict[str, RefreshToken] = field(default_factory=dict)
    spent: dict[str, str] = field(default_factory=dict)

    @classmethod
    def open(cls, state_dir: Path | None) -> TokenStore:
        """Use the key kept in ``state_dir``, or make one (and keep it there when a folder is given)."""
        path = state_dir / "signing-key.pem" if state_dir else None
        if path and path.exists():
            key = serialization.load_pem_private_key(path.read_bytes(), password=None)
            if isinstance(key, rsa.RSAPrivateKey):
                return cls(key)
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        if path:
            pem = key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            path.touch(mode=0o600)
            path.write_bytes(pem)
        return cls(key)

    def jwks(self) -> dict[str, Any]:
        """Return the public key as a JSON Web Key Set (contract 9.5)."""
        numbers = self.key.public_key().public_numbers()
        return {
            "keys": [
                {
                    "kty": "RSA",
                    "e": _uint(numbers.e),
                    "use": "sig",
                    "kid": KEY_ID,
                    "alg": "RS256",
                    "n": _uint(numbers.n),
                }
            ]
        }

    def sign(self, claims: Mapping[str, Any]) -> str:
        return jwt.encode(dict(claims), self.key, algorithm="RS256", headers={"kid": KEY_ID})

    def new_refresh_token(self, kept: RefreshToken) -> str:
        """Keep ``kept`` under a new value and return that value, which clients must treat as opaque."""
        value = _unsigned_jwt({"jti": str(uuid.uuid4()), "exp": int(kept.expires)})
        self.refresh_tokens[value] = kept
        return value

    def revoke_person(self, person: str) -> int:
        """Make all tokens of one person invalid; return how many there were."""
        access = [jti for jti, token in self.live.items() if token.person == person]
        refresh = [value for value, token in self.refresh_tokens.items() if token.person == person]
        for jti in access:
            del self.live[jti]
        for value in refresh:
            del self.refresh_tokens[value]
        return len(access) + len(refresh)

    def revoke_refresh(self, value: str) -> bool:
        """Remove a refresh token and, as the real provider does, the access tokens that came from it."""
        if self.refresh_tokens.pop(value, None) is None:
            return False
        for jti in [jti for jti, token in self.live.items() if token.refresh_token == value]:
            del self.live[jti]
        return True

    def spend(self, value: str) -> None:
        """A refresh token was exchanged for another one: it is good for nothing any more."""
        self.spent[value] = self.refresh_tokens[value].person
        self.revoke_refresh(value)

    def clear(self) -> None:
        """Forget all tokens; the key stays."""
        self.live, self.refresh_tokens, self.spent = {}, {}, {}

    def drop_expired(self, now: float) -> None:
        self.live = {jti: token for jti, token in self.live.items() if token.expires > now}
        self.refresh_tokens = {value: token for value, token in self.refresh_tokens.items() if token.expires > now}

    def dump(self) -> dict[str, Any]:
        return {
            "live": {jti: asdict(token) for jti, token in self.live.items()},
            "refresh_tokens": {value: asdict(token) for value, token in self.refresh_tokens.items()},
            "spent": self.spent,
        }

    def load(self, data: Mapping[str, Any]) -> None:
        self.live = {jti: LiveToken(**token) for jti, token in data["live"].items()}
        self.refresh_tokens = {value: RefreshToken(**token) for value, token in data["refresh_tokens"].items()}
        self.spent = dict(data.get("spent", {}))


def issuer(world: World) -> str:
    """Return the ``iss`` of tokens: without the trailing slash the discovery document has (contract 9.1)."""
    return f"{world.base_url}/iam"


def issue(
    world: World,
    person: Person,
    client_id: str,
    scopes: Iterable[str],
    *,
    nonce: str | None = None,
    auth_time: int | None = None,
    refresh_token: str | None = None,
    lifetime: float | None = None,
    audience: str | None = None,
) -> dict[str, Any]:
    """Issue tokens and return the answer of the token endpoint (contract 9.3).

    ``lifetime`` (seconds) overrides the setting and may be negative, for an access token that is born
    expired. A refresh token is made only with the scope ``offline_access`` and when none is given to be used
    again.
    """
    store = world.tokens
    now = world.now()
    store.drop_expired(now)
    granted = list(dict.fromkeys(scopes))
    seconds = world.settings.token_lifetime if lifetime is None else lifetime
    issued_at = int(now)
    signed_in_at = issued_at if auth_time is None else auth_time
    if refresh_token is None and "offline_access" in granted:
        expires = now + world.settings.refresh_token_lifetime
        refresh_token = store.new_refresh_token(RefreshToken(person.key, client_id, granted, expires, signed_in_at))
    jti = str(uuid.uuid4())
    claims: dict[str, Any] = {
        "iss": issuer(world),
        "sub": person.sub,
        "client_id": client_id,
        "iat": issued_at,
        "nbf": issued_at,
        "exp": int(now + seconds),
        "jti": jti,
        "scope": " ".join(granted),
    }
    if audience:
        claims["aud"] = audience
    access_token = store.sign(claims)
    store.live[jti] = LiveToken(person.key, now + seconds, refresh_token)
    answer: dict[str, Any] = {
        "access_token": access_token,
        "token_type": "Bearer",
        "expires_in": max(0, int(seconds) - 1),
        "scope": " ".join(granted),
    }
    if refresh_token:
        answer["refresh_token"] = refresh_token
    if "openid" in granted:
        id_claims: dict[str, Any] = {
            "iss": issuer(world),
            "sub": person.sub,
            "aud": client_id,
            "iat": issued_at,
            "exp": int(now + world.settings.id_token_lifetime),
            "auth_time": signed_in_at,
            "jti": str(uuid.uuid4()),
            "at_hash": _half_hash(access_token),
        }
        if nonce is not None:
            id_claims["nonce"] = nonce
        answer["id_token"] = store.sign(id_claims)
    world.persist()
    return answer


def bearer(authorization: str | None) -> str:
    """Take the token out of an ``Authorization`` header as leniently as the orchestrator (contract 1.2).

    Raises MissingToken when there is none.
    """
    if not authorization or authorization[:6].lower() != "bearer":
        raise MissingToken
    token = authorization[6:].split(",", 1)[0].strip()
    if not token:
        raise MissingToken
    return token


def check(world: World, authorization: str | None) -> Claims:
    """Check the bearer token of an ``Authorization`` header and return what it says.

    Raises MissingToken without a token, InvalidToken when it is not one in force.
    """
    return check_token(world, bearer(authorization))


def check_token(world: World, token: str) -> Claims:
    """Like :func:`check`, for a bare token."""
    store = world.tokens
    try:
        raw: dict[str, Any] = jwt.decode(
            token,
            store.key.public_key(),
            algorithms=["RS256"],
            issuer=issuer(world),
            # Expiry is judged by the sandbox's own clock below; the audience is the business of each service.
            options={"verify_exp": False, "verify_nbf": False, "verify_iat": False, "verify_aud": False},
        )
    except jwt.InvalidTokenError as error:
        raise InvalidToken(token) from error
    person = BY_SUB.get(raw.get("sub", ""))
    jti = raw.get("jti", "")
    # An ID token carries the same signature, but was never an access token.
    if person is None or jti not in store.live or raw["exp"] <= world.now():
        raise InvalidToken(token)
    scopes = set(raw["scope"].split())
    profile = "profile" in scopes
    return Claims(
        sub=person.sub,
        iss=raw["iss"],
        scopes=scopes,
        groups=list(person.groups) if profile else [],
        organisation=person.organisation if profile else None,
        email=person.email if "email" in scopes else None,
        name=person.name if profile else None,
        client_id=raw["client_id"],
        exp=raw["exp"],
        raw=raw,
    )


def random_code() -> str:
    return secrets.token_urlsafe(24)


def _uint(number: int) -> str:
    return _b64(number.to_bytes((number.bit_length() + 7) // 8, "big"))


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _half_hash(token: str) -> str:
    """Return the ``at_hash`` of OpenID Connect Core 3.1.3.6 for RS256."""
    return _b64(hashlib.sha256(token.encode()).digest()[:16])


def _unsigned_jwt(claims: Mapping[str, Any]) -> str:
    """Encode a JWT with ``alg`` none: the form the real provider's refresh tokens have."""
    header = _b64(json.dumps({"alg": "none"}).encode())
    return f"{header}.{_b64(json.dumps(dict(claims)).encode())}."
