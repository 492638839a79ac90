"""Signing in with IAM: mozilla-django-oidc as the base, with the checks it leaves out.

The library brings the flow (state, nonce, PKCE). Added here: endpoints by discovery, cached keys, every claim of
the ID token checked, users known by issuer and subject instead of e-mail, the gate of groups, tokens kept, and a
page that says what went wrong instead of an error 500.
"""

import logging
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
from django.conf import settings
from django.contrib import auth
from django.contrib.auth.models import Permission
from django.core.exceptions import SuspiciousOperation
from django.db import IntegrityError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.debug import sensitive_variables
from mozilla_django_oidc.auth import OIDCAuthenticationBackend
from mozilla_django_oidc.views import OIDCAuthenticationCallbackView, OIDCAuthenticationRequestView

from accounts import iam
from accounts.discovery import jwks, jwks_again, provider
from accounts.models import User
from accounts.paths import login_path, own_address, safe_next
from accounts.tokens import tokens_forget, tokens_store
from accounts.users import GroupsMissing, user_create, user_refresh
from deepdash.errors import Problem
from deepdash.http import ServiceError

log = logging.getLogger(__name__)

LEEWAY = 60  # seconds that our clock and IAM's may differ
CLAIMS = ["iss", "sub", "aud", "exp", "iat"]  # OpenID Connect Core, 2: required
CALLBACK = "accounts:callback"  # the redirect URI, to the letter the one registered at IAM
DENIED_KEY = "login_denied"


class IamBackend(OIDCAuthenticationBackend):  # type: ignore[misc]  # the library is untyped
    """Who comes back from IAM with a code becomes a user of ours."""

    @sensitive_variables()
    def authenticate(
        self, request: HttpRequest | None, nonce: str | None = None, code_verifier: str | None = None
    ) -> User | None:
        """The user whom the code in the request's query stands for; their tokens are stored.

        None when this is no answer to a login that we began. Raises Problem: ``login:rejected``,
        ``login:provider``, ``login:denied`` or GroupsMissing.
        """
        # Without both, a code from elsewhere could be slipped in through any page that authenticates.
        if request is None or not nonce or not code_verifier:
            return None
        try:
            user = super().authenticate(request, nonce=nonce, code_verifier=code_verifier)
        except ServiceError as error:
            log.warning("A sign-in failed: %s", error)
            raise Problem("login:provider" if error.unavailable else "login:rejected") from error
        except (iam.GrantRefused, jwt.PyJWTError, SuspiciousOperation, ValueError) as error:
            log.warning("A sign-in was rejected: %s: %s", type(error).__name__, error)
            raise Problem("login:rejected") from error
        if not isinstance(user, User):
            raise Problem("login:rejected")
        if not user.is_active:
            log.warning("A sign-in of the blocked user %s was refused", user.pk)
            raise Problem("login:denied")
        tokens_store(user=user, answer=self._answer)
        return user

    def get_user(self, user_id: int) -> User | None:
        """The user of a session, unless they were blocked since (the library would let them stay)."""
        return User.objects.filter(pk=user_id, is_active=True).first()

    def _get_group_permissions(self, user_obj: User) -> QuerySet[Permission]:
        """ModelBackend's hook; there the groups are Django's, here those are the roles."""
        return Permission.objects.filter(group__in=user_obj.roles.all())

    @sensitive_variables()
    def get_token(self, payload: dict[str, Any]) -> dict[str, Any]:
        self._answer = iam.token_by_code({**payload, "redirect_uri": own_address(self.request, CALLBACK)})
        return self._answer.model_dump()

    def store_tokens(self, access_token: str, id_token: str) -> None:
        """Nothing: the session is no place for tokens (``accounts.tokens`` keeps them)."""

    def retrieve_matching_jwk(self, token: str) -> jwt.PyJWK:
        """The key that signed the token; when none fits, the keys are read again once. Raises SuspiciousOperation."""
        kid = jwt.get_unverified_header(token).get("kid")
        key = _fitting_key(jwks(), kid) or _fitting_key(jwks_again(), kid)
        if key is None:
            raise SuspiciousOperation("No key of IAM fits the ID token")
        return jwt.PyJWK(key, algorithm=self.OIDC_RP_SIGN_ALGO)

    @sensitive_variables()
    def get_payload_data(self, token: str, key: jwt.PyJWK) -> dict[str, Any]:
        """The token's claims, once signature, issuer, audience and times are right. Raises PyJWTError."""
        try:
            return self._claims(token, key)
        except jwt.InvalidSignatureError:
            # IAM may have got a new key under the old id, since ours was read.
            again = _fitting_key(jwks_again(), key.key_id)
            if again is None:
                raise
            return self._claims(token, jwt.PyJWK(again, algorithm=self.OIDC_RP_SIGN_ALGO))

    @sensitive_variables()
    def _claims(self, token: str, key: jwt.PyJWK) -> dict[str, Any]:
        issuer = provider().issuer
        return jwt.decode(
            token,
            key,
            algorithms=[self.OIDC_RP_SIGN_ALGO],
            audience=self.OIDC_RP_CLIENT_ID,
            issuer=[issuer, f"{issuer}/"],  # with and without the slash are the same issuer (contract 9.1)
            leeway=LEEWAY,
            options={"require": CLAIMS},
        )

    @sensitive_variables()
    def verify_token(self, token: str, **kwargs: Any) -> dict[str, Any]:
        claims: dict[str, Any] = super().verify_token(token, **kwargs)
        audience, party = claims["aud"], claims.get("azp")
        # OpenID Connect Core, 3.1.3.7, points 4 and 5: a token for several must have been issued to us.
        if (isinstance(audience, list) and len(audience) > 1 and party is None) or (
            party is not None and party != self.OIDC_RP_CLIENT_ID
        ):
            raise SuspiciousOperation("The ID token was issued to another client")
        return claims

    @sensitive_variables()
    def get_userinfo(self, access_token: str, id_token: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        claims = iam.userinfo_read(access_token)
        if claims.get("sub") != payload["sub"]:  # OpenID Connect Core, 5.3.2
            raise SuspiciousOperation("The user information is about somebody else than the ID token")
        return claims

    def verify_claims(self, claims: Mapping[str, Any]) -> bool:
        return isinstance(claims["sub"], str) and 0 < len(claims["sub"]) <= 255

    def filter_users_by_claims(self, claims: Mapping[str, Any]) -> QuerySet[User]:
        return User.objects.filter(issuer=provider().issuer, subject=claims["sub"])

    def create_user(self, claims: Mapping[str, Any]) -> User:
        try:
            return user_create(issuer=provider().issuer, claims=claims)
        except IntegrityError:  # the same person's first sign-in in two tabs at once
            return self.update_user(self.filter_users_by_claims(claims).get(), claims)

    def update_user(self, user: User, claims: Mapping[str, Any]) -> User:
        try:
            return user_refresh(user=user, claims=claims)
        except GroupsMissing:
            tokens_forget(user)
            raise


class LoginView(OIDCAuthenticationRequestView):  # type: ignore[misc]
    """Send the browser to IAM. ``next``: where to go afterwards; ``switch=1``: let IAM ask who it is."""

    def get(self, request: HttpRequest) -> HttpResponse:
        next_path = safe_next(request, request.GET.get("next"))
        try:
            self.OIDC_OP_AUTH_ENDPOINT = provider().authorization_endpoint
        except ServiceError as error:
            log.warning("A sign-in could not begin: %s", error)
            return HttpResponseRedirect(login_path(next_path=next_path, problem="login:provider"))
        response: HttpResponse = super().get(request)
        # The library remembers one "next" per session; two tabs signing in at once would mix theirs up.
        del request.session["oidc_login_next"]
        state = parse_qs(urlsplit(response["Location"]).query)["state"][0]
        request.session["oidc_states"][state]["next"] = next_path
        return response

    def get_extra_params(self, request: HttpRequest) -> dict[str, str]:
        extra = {"redirect_uri": own_address(request, CALLBACK)}
        return {**extra, "prompt": "login"} if request.GET.get("switch") == "1" else extra


class CallbackView(OIDCAuthenticationCallbackView):  # type: ignore[misc]
    """Take the browser back from IAM: to where it wanted to go, or to a page that says why not."""

    def get(self, request: HttpRequest) -> HttpResponse:
        states = request.session.get("oidc_states")
        begun = states.get(request.GET.get("state", "")) if states else None
        if states is None or begun is None:
            # The back button or a restored tab; or an answer to a login that this browser never began.
            if request.user.is_authenticated:
                return HttpResponseRedirect(settings.LOGIN_REDIRECT_URL)
            return HttpResponseRedirect(login_path(problem="login:stale"))
        self.success_url = safe_next(request, begun.get("next")) or settings.LOGIN_REDIRECT_URL
        if error := request.GET.get("error"):
            del states[request.GET["state"]]
            request.session.modified = True
            log.info("IAM answered a sign-in with the error %.100r", error)
            down = error in {"server_error", "temporarily_unavailable"}
            return self._failed("login:provider" if down else "login:denied")
        try:
            response: HttpResponse = super().get(request)
        except GroupsMissing as problem:
            return denied(request, problem.groups)
        except Problem as problem:
            return self._failed(problem.id)
        return response

    success_url = ""  # set for each request; the library's own reads the session

    def login_success(self) -> HttpResponse:
        if self.request.user != self.user:
            # Flushes a session of somebody else, and with it the keys of forms kept for them.
            auth.login(self.request, self.user)
        self.request.session.pop(DENIED_KEY, None)
        return HttpResponseRedirect(self.success_url)

    def login_failure(self) -> HttpResponse:
        return self._failed("login:rejected")

    def _failed(self, problem: str) -> HttpResponse:
        next_path = "" if self.success_url == settings.LOGIN_REDIRECT_URL else self.success_url
        return HttpResponseRedirect(login_path(next_path=next_path, problem=problem))


def denied(request: HttpRequest, groups: list[str]) -> HttpResponse:
    """To the page that names the missing groups. Who was signed in under these conditions no longer is."""
    if request.user.is_authenticated:
        auth.logout(request)
    request.session[DENIED_KEY] = groups
    return HttpResponseRedirect(reverse("accounts:denied"))


def _fitting_key(keys: list[dict[str, Any]], kid: str | None) -> dict[str, Any] | None:
    """The key with that id; where token or key has none, the only key there is. None when it can't be told."""
    if kid is not None:
        named = next((key for key in keys if key.get("kid") == kid), None)
        if named is not None:
            return named
    only = keys[0] if len(keys) == 1 else None
    return only if only is not None and (kid is None or "kid" not in only) else None
