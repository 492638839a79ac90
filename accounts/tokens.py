"""The tokens of the users: stored encrypted, refreshed ahead of time, by one process at a time.

Don't call these inside a transaction: whoever waits for another's refresh must be able to see it.
"""

import logging
import secrets
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import jwt
from django.conf import settings
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from accounts import iam
from accounts.discovery import SERVICE
from accounts.models import Token, User
from accounts.users import GroupsMissing, user_refresh
from deepdash.clock import passed, within
from deepdash.errors import Problem
from deepdash.http import ServiceError
from deepdash.metrics import Counted

log = logging.getLogger(__name__)
REFRESHES = Counted("token_refreshes_total", "Refreshes of users' tokens at IAM.")

LAST_USE = timedelta(seconds=5)  # with less left, a token may run out on its way to the service
CLAIM = timedelta(seconds=30)  # longer than the slowest answer the session allows; then its owner counts as dead
WAIT = 12.0  # seconds to wait for another's refresh
LOOK = 0.1  # seconds between two looks at it
USERINFO_AGE = timedelta(minutes=15)  # how old groups and name may get


class LoginExpired(Problem):
    """There is no token for this user any more: they must sign in again."""

    def __init__(self, *, detail: str = "") -> None:
        super().__init__("login:expired", detail=detail)


@sensitive_variables()
def access_token_for(user: User) -> str:
    """An access token of the user, valid for two minutes at least unless IAM itself can't be reached.

    Refreshes it when need be; of all processes and threads one asks IAM. The present token is given as long as it is
    valid while another asks, or IAM does not answer; without one the others wait for what that one gets.

    Raises LoginExpired when IAM no longer accepts the refresh token (or never gave one), GroupsMissing when IAM
    says that the user has left a required group, ServiceError (service:unreachable) when IAM does not answer and
    nothing valid is left.
    """
    return _access_token(user, suits=lambda token: token.is_fresh)


@sensitive_variables()
def token_refresh_now(user: User, *, rejected: str = "") -> str:
    """A new access token although the present one has not run out: a service answered 401. To be used once per call.

    ``rejected`` is the token that the service refused: when another process has replaced it since, theirs is given.
    Raises as ``access_token_for``; a token that was refused is never given again.
    """
    before = _row(user)
    if rejected and rejected != before.access_token and before.left() > LAST_USE:
        return before.access_token
    return _access_token(user, suits=lambda token: token.version > before.version, spare=False)


@sensitive_variables()
def tokens_store(*, user: User, answer: iam.TokenAnswer) -> None:
    """Keep what IAM gave at a login, in place of anything older."""
    Token.objects.get_or_create(user=user)
    Token.objects.filter(user=user).update(
        **_columns(answer), refresh_token=answer.refresh_token or "", id_token=answer.id_token or ""
    )


@sensitive_variables()
def tokens_forget(user: User) -> bool:
    """Forget the user's tokens and withdraw the refresh token at IAM.

    False when IAM could not be told (no answer, or no such endpoint): what it gave then ends by itself.
    """
    token = Token.objects.filter(user=user).first()
    if token is None:
        return True
    token.delete()
    if not token.refresh_token:
        return True
    try:
        return iam.token_revoke(token.refresh_token)
    except ServiceError as error:
        log.warning("IAM was not told to withdraw the tokens of user %s: %s", user.pk, error)
        return False


@sensitive_variables()
def id_token_of(user: User) -> str:
    """The user's last ID token, the hint for ending the session at IAM; empty when there is none."""
    token = Token.objects.filter(user=user).first()
    return token.id_token if token else ""


@sensitive_variables()
def _access_token(user: User, *, suits: Callable[[Token], bool], spare: bool = True) -> str:
    """A token that ``suits``, else a new one; with ``spare`` the present one serves while IAM does not answer."""
    patience = time.monotonic() + WAIT
    while True:
        token = _row(user)
        if suits(token):
            return token.access_token
        if not token.refresh_token:
            if spare and token.left() > LAST_USE:
                return token.access_token
            raise LoginExpired
        if token.failed_just_now:
            return _spare(token, spare, "it did not answer a moment ago")
        if claim := _claim(token):
            if renewed := _refresh(user, token, claim, spare=spare):
                return renewed
        elif spare and token.left() > LAST_USE:  # whoever refreshes it may be slow, or dead
            return token.access_token
        elif time.monotonic() > patience:
            return _spare(token, spare, "a refresh that another process began has not ended")
        else:
            time.sleep(LOOK)


def _row(user: User) -> Token:
    token = Token.objects.filter(user=user).first()
    if token is None:
        raise LoginExpired
    return token


def _claim(token: Token) -> str:
    """Take the right to refresh this very version of the row: one filtered update, so one process gets it.

    Nobody gets it who read the row before another's try failed: IAM is left alone for a while then.
    By the database's clock: to a host whose own runs ahead, another's claim would have ended before its time, and a
    refresh token that is shown twice may cost the user all tokens.
    """
    claim, end = secrets.token_hex(16), Now() + CLAIM
    same = {"pk": token.pk, "version": token.version, "failed_at": token.failed_at}
    row = Token.objects.filter(passed("claimed_until", CLAIM, end), **same)
    return claim if row.update(claim=claim, claimed_until=end) else ""


@sensitive_variables()
def _refresh(user: User, token: Token, claim: str, *, spare: bool) -> str:
    """Ask IAM for new tokens and store them; empty when a new login has replaced the row meanwhile."""
    row = Token.objects.filter(pk=token.pk, version=token.version)
    emptied = {"access_token": "", "refresh_token": "", "id_token": "", "expires_at": None}
    try:
        answer = iam.token_by_refresh(token.refresh_token)
        if answer.id_token:
            _check_owner(user, answer.id_token)
        kept = row.update(
            **_columns(answer),
            refresh_token=answer.refresh_token or token.refresh_token,  # IAM may reuse it silently (RFC 6749, 6)
            id_token=answer.id_token or token.id_token,
        )
    except (iam.GrantRefused, jwt.InvalidTokenError) as error:
        if not row.update(**emptied, version=F("version") + 1):
            return ""
        REFRESHES.add(outcome="refused")
        log.info("The tokens of user %s can't be refreshed any more: %s", user.pk, type(error).__name__)
        raise LoginExpired from None
    except ServiceError as error:
        row.update(failed_at=timezone.now())
        REFRESHES.add(outcome="failed")
        return _spare(token, spare, str(error))
    finally:
        Token.objects.filter(pk=token.pk, claim=claim).update(claim="", claimed_until=None)
    REFRESHES.add(outcome="refreshed")
    if not kept:
        return ""
    _recheck(user, answer.access_token)
    return answer.access_token


@sensitive_variables()
def _spare(token: Token, allowed: bool, reason: str) -> str:
    """The present access token while it is valid. Raises ServiceError when it is not, or not ``allowed``."""
    if allowed and token.left() > LAST_USE:
        return token.access_token
    raise ServiceError("service:unreachable", service=SERVICE, detail=reason)


@sensitive_variables()
def _check_owner(user: User, id_token: str) -> None:
    """Refuse a refreshed ID token that is not about this user (OpenID Connect Core, 12.2).

    It came straight from the token endpoint over a checked connection, which stands for its signature (3.1.3.7,
    point 6); asking for keys here could lose a rotated refresh token when that call fails. Raises InvalidTokenError.
    """
    claims = jwt.decode(id_token, options={"verify_signature": False})
    audience = claims.get("aud")
    if (
        claims.get("sub") != user.subject
        or str(claims.get("iss")).rstrip("/") != user.issuer
        or settings.OIDC_RP_CLIENT_ID not in (audience if isinstance(audience, list) else [audience])
    ):
        log.error("IAM answered a refresh of user %s with the ID token of somebody else", user.pk)
        raise jwt.InvalidTokenError


@sensitive_variables()
def _recheck(user: User, access_token: str) -> None:
    """Read name and groups again when they are old. Raises GroupsMissing; that IAM fails now is no matter."""
    if within(user.seen_at, USERINFO_AGE):
        return
    try:
        claims = iam.userinfo_read(access_token)
    except ServiceError as error:
        log.info("The groups of user %s could not be read again: %s", user.pk, error)
        return
    if claims.get("sub") != user.subject:
        log.error("IAM answered for user %s with the user information of somebody else", user.pk)
        return
    try:
        user_refresh(user=user, claims=claims)
    except GroupsMissing:
        tokens_forget(user)
        raise


@sensitive_variables()
def _columns(answer: iam.TokenAnswer) -> dict[str, Any]:
    now = timezone.now()
    return {
        "access_token": answer.access_token,
        "scopes": answer.scope,
        "expires_at": now + timedelta(seconds=answer.expires_in),
        "refreshed_at": now,
        "failed_at": None,
        "version": F("version") + 1,
    }
