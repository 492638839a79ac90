"""The identity provider's endpoints for programs: token, userinfo, introspection, revocation (contract 9)."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from aiohttp import web

from sandbox import tokens
from sandbox.oauth import Grant, OAuthError, authenticate, require
from sandbox.people import BY_KEY, BY_SUB, PEOPLE, Person
from sandbox.sent import fields_of, number

if TYPE_CHECKING:
    from sandbox.world import World

_Endpoint = Callable[["TokenEndpoints", web.Request], Awaitable[web.Response]]
TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"  # noqa: S105
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
NOT_FOR_THIS_CLIENT = ("client_credentials", "password", "implicit", DEVICE_CODE)
_NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
_UPDATED_AT = 1_700_000_000


def _answers_errors(endpoint: _Endpoint) -> _Endpoint:
    @functools.wraps(endpoint)
    async def answer(self: TokenEndpoints, request: web.Request) -> web.Response:
        try:
            return await endpoint(self, request)
        except OAuthError as error:
            return error.response()

    return answer


class TokenEndpoints:
    """Handlers; ``codes`` are the authorization codes that wait to be exchanged."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.codes: dict[str, Grant] = {}

    @_answers_errors
    async def token(self, request: web.Request) -> web.Response:
        form = await fields_of(request)
        client_id = authenticate(request, form)
        grant_type = require(form, "grant_type")
        if grant_type in NOT_FOR_THIS_CLIENT:
            raise OAuthError("invalid_client", f"Unauthorized grant type: {grant_type}", HTTPStatus.UNAUTHORIZED)
        grants: dict[str, Callable[[Mapping[str, str], str], dict[str, Any]]] = {
            "authorization_code": self._by_code,
            "refresh_token": self._by_refresh_token,
            TOKEN_EXCHANGE: self._by_exchange,
        }
        if grant_type not in grants:
            raise OAuthError("unsupported_grant_type", f"Unsupported grant type: {grant_type}")
        return web.json_response(grants[grant_type](form, client_id), headers=_NO_STORE)

    def _by_code(self, form: Mapping[str, str], client_id: str) -> dict[str, Any]:
        code = require(form, "code")
        # Taken out whatever follows: a code is good for one attempt.
        grant = self.codes.pop(code, None)
        if grant is None or grant.expires <= self.world.now():
            raise OAuthError("invalid_grant", f"Invalid authorization code: {code}")
        if form.get("redirect_uri") != grant.redirect_uri:
            raise OAuthError("invalid_grant", "Redirect URI mismatch.")
        if not grant.accepts(form.get("code_verifier")):
            raise OAuthError("invalid_grant", "Code challenge and verifier do not match")
        return tokens.issue(
            self.world,
            grant.person,
            client_id,
            grant.scopes,
            nonce=grant.nonce,
            auth_time=grant.auth_time,
        )

    def _by_refresh_token(self, form: Mapping[str, str], client_id: str) -> dict[str, Any]:
        value = require(form, "refresh_token")
        store = self.world.tokens
        kept = store.refresh_tokens.get(value)
        if kept is None and value in store.spent and self.world.settings.revoke_on_reuse:
            # Who shows a spent token may have stolen it: nothing that came from it is good any more (RFC 9700, 4.14.2).
            store.revoke_person(store.spent.pop(value))
            self.world.persist()
        if kept is None or kept.client_id != client_id:
            raise OAuthError("invalid_grant", f"Invalid refresh token: {value}")
        if kept.expires <= self.world.now():
            store.revoke_refresh(value)
            raise OAuthError("invalid_grant", f"Expired refresh token: {value}")
        scopes = form.get("scope", "").split() or kept.scopes
        if not set(scopes) <= set(kept.scopes):
            raise OAuthError("invalid_scope", "Up-scoping is not allowed.")
        person = BY_KEY[kept.person]
        rotate = self.world.settings.rotate_refresh_tokens
        answer = tokens.issue(
            self.world,
            person,
            client_id,
            scopes,
            auth_time=kept.auth_time,
            refresh_token=store.new_refresh_token(kept) if rotate else value,
        )
        if rotate:
            store.spend(value)
        return answer

    def _by_exchange(self, form: Mapping[str, str], client_id: str) -> dict[str, Any]:
        try:
            claims = tokens.check_token(self.world, require(form, "subject_token"))
        except tokens.InvalidToken as error:
            raise OAuthError("invalid_token", "The subject token is not valid", HTTPStatus.UNAUTHORIZED) from error
        scopes = form.get("scope", "").split() or claims.raw["scope"].split()
        if not set(scopes) <= tokens.CLIENT_SCOPES:
            raise OAuthError("invalid_scope", "The requested scope is not allowed for this client")
        answer = tokens.issue(self.world, BY_SUB[claims.sub], client_id, scopes, audience=form.get("audience") or None)
        return {"issued_token_type": "urn:ietf:params:oauth:token-type:access_token", **answer}

    @_answers_errors
    async def device_code(self, request: web.Request) -> web.Response:
        authenticate(request, await fields_of(request))
        raise OAuthError("invalid_client", f"Unauthorized grant type: {DEVICE_CODE}", HTTPStatus.UNAUTHORIZED)

    @_answers_errors
    async def introspect(self, request: web.Request) -> web.Response:
        form = await fields_of(request)
        authenticate(request, form)
        value = require(form, "token")
        kept = self.world.tokens.refresh_tokens.get(value)
        if kept is not None and kept.expires > self.world.now():
            person, scopes, expires = BY_KEY[kept.person], kept.scopes, int(kept.expires)
        else:
            try:
                claims = tokens.check_token(self.world, value)
            except tokens.InvalidToken:
                return web.json_response({"active": False}, headers=_NO_STORE)
            person, scopes, expires = BY_SUB[claims.sub], claims.raw["scope"].split(), claims.exp
        answer = {
            "active": True,
            "iss": tokens.issuer(self.world),
            "sub": person.sub,
            "client_id": form.get("client_id") or (kept.client_id if kept else claims.client_id),
            "scope": " ".join(scopes),
            "exp": expires,
            "token_type": "Bearer",
            **user_claims(person, set(scopes), for_introspection=True),
        }
        return web.json_response(answer, headers=_NO_STORE)

    @_answers_errors
    async def revoke(self, request: web.Request) -> web.Response:
        form = await fields_of(request)
        authenticate(request, form)
        value = require(form, "token")
        if not self.world.tokens.revoke_refresh(value):
            try:
                claims = tokens.check_token(self.world, value)
            except tokens.InvalidToken:
                # An unknown token is as revoked as can be (RFC 7009, 2.2).
                return web.Response(headers=_NO_STORE)
            self.world.tokens.live.pop(claims.raw["jti"], None)
        self.world.persist()
        return web.Response(headers=_NO_STORE)

    async def userinfo(self, request: web.Request) -> web.Response:
        claims = self._bearer(request)
        if isinstance(claims, web.Response):
            return claims
        person = BY_SUB[claims.sub]
        return web.json_response({"sub": person.sub, **user_claims(person, claims.scopes)})

    async def groups(self, request: web.Request) -> web.Response:
        claims = self._bearer(request)
        if isinstance(claims, web.Response):
            return claims
        start = number(request.query.get("startIndex"), 1)
        size = min(number(request.query.get("itemsPerPage"), 100), 100)
        names = sorted({group for person in PEOPLE for group in person.groups})
        resources = [
            {"id": name.replace("/", "-"), "displayName": name, "meta": {"resourceType": "Group"}}
            for name in names[start - 1 : start - 1 + size]
        ]
        return web.json_response(
            {
                "totalResults": len(names),
                "itemsPerPage": len(resources),
                "startIndex": start,
                "Resources": resources,
            }
        )

    def _bearer(self, request: web.Request) -> tokens.Claims | web.Response:
        """Return the claims of the request's token, or the refusal to send (contract 9.3 and 9.4)."""
        try:
            claims = tokens.check(self.world, request.headers.get("Authorization"))
        except tokens.MissingToken:
            text = "Full authentication is required to access this resource"
            return _refusal(HTTPStatus.UNAUTHORIZED, "unauthorized", text)
        except tokens.InvalidToken as error:
            return _refusal(HTTPStatus.UNAUTHORIZED, "invalid_token", f"Invalid access token: {error.token}")
        if "openid" not in claims.scopes:
            text = "Insufficient scope for this resource"
            return _refusal(HTTPStatus.FORBIDDEN, "insufficient_scope", text, scope="openid")
        return claims


def user_claims(person: Person, scopes: set[str], *, for_introspection: bool = False) -> dict[str, Any]:
    """Return what the scopes allow to be told of a person; empty values are left out (contract 9.4, 9.5)."""
    claims: dict[str, Any] = {}
    if "profile" in scopes:
        claims |= {
            "name": person.name,
            "preferred_username": person.key,
            "organisation_name": person.organisation,
        }
        if person.groups:
            claims["groups"] = list(person.groups)
        if not for_introspection:
            claims |= {
                "given_name": person.given_name,
                "family_name": person.family_name,
                "updated_at": _UPDATED_AT,
            }
    if "email" in scopes:
        claims["email"] = person.email
        if not for_introspection:
            claims["email_verified"] = True
    return claims


def _refusal(status: int, error: str, description: str, **more: str) -> web.Response:
    body = {"error": error, "error_description": description, **more}
    header = "Bearer " + ", ".join(f'{key}="{value}"' for key, value in body.items())
    # A header cannot hold whatever was sent as a token.
    header = header if header.isprintable() and header.isascii() else f'Bearer error="{error}"'
    return web.json_response(body, status=status, headers={**_NO_STORE, "WWW-Authenticate": header})
