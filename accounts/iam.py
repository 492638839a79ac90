"""The calls to IAM that carry codes and tokens (contract 9.3 to 9.5)."""

import logging
from typing import Any

from django.conf import settings
from django.views.decorators.debug import sensitive_variables
from pydantic import BaseModel, ConfigDict, Field

from accounts.discovery import SERVICE, iam_session, provider
from deepdash.http import Answer, ServiceError, error_text

log = logging.getLogger(__name__)

LIFETIME_UNKNOWN = 300  # seconds an access token is trusted when IAM does not say (RFC 6749, 5.1 only recommends it)


class TokenAnswer(BaseModel):
    """An answer of the token endpoint. Its text never shows the tokens."""

    model_config = ConfigDict(frozen=True)

    access_token: str = Field(repr=False, min_length=1)
    expires_in: float = Field(LIFETIME_UNKNOWN, ge=0, le=10 * 365 * 24 * 3600)
    refresh_token: str | None = Field(None, repr=False)
    id_token: str | None = Field(None, repr=False)
    scope: str = ""


class GrantRefused(Exception):
    """IAM no longer accepts the code or the refresh token."""


@sensitive_variables()
def token_by_code(form: dict[str, Any]) -> TokenAnswer:
    """Exchange a code for tokens; ``form`` as the library fills it. Raises GrantRefused, ServiceError."""
    return _token(form)


@sensitive_variables()
def token_by_refresh(refresh_token: str) -> TokenAnswer:
    """New tokens for a refresh token. Raises GrantRefused when it is spent, ServiceError."""
    return _token({"grant_type": "refresh_token", "refresh_token": refresh_token})


@sensitive_variables()
def userinfo_read(access_token: str) -> dict[str, Any]:
    """What IAM says about the owner of the token. Raises ServiceError."""
    claims = iam_session(access_token).get(provider().userinfo_endpoint).json()
    if not isinstance(claims, dict):
        raise ServiceError("service:garbled", service=SERVICE, detail="The user information is not a JSON object")
    return claims


@sensitive_variables()
def token_revoke(refresh_token: str) -> bool:
    """Withdraw a refresh token and what came from it. False when IAM has no such endpoint. Raises ServiceError."""
    endpoint = provider().revocation_endpoint
    if endpoint is None:
        return False
    form = {"token": refresh_token, "token_type_hint": "refresh_token"}
    iam_session(read_timeout=3.0, total_timeout=3.0).request("POST", endpoint, data=form, auth=_client())
    return True


@sensitive_variables()
def _token(form: dict[str, Any]) -> TokenAnswer:
    form = {name: value for name, value in form.items() if name not in {"client_id", "client_secret"}}
    answer = iam_session().request("POST", provider().token_endpoint, data=form, auth=_client(), ok=(400, 401))
    if answer.status in {400, 401}:
        raise _refusal(answer)
    return answer.parse(TokenAnswer)


def _refusal(answer: Answer) -> Exception:
    """The refusal as an error: ``invalid_grant`` is the user's matter, all else (``invalid_client``) the operator's.

    Never Unauthorized, although the status may be 401: signing in again would not help against a wrong secret.
    """
    try:
        body = answer.json()
    except ServiceError:
        body = None
    error = body.get("error") if isinstance(body, dict) else None
    if error == "invalid_grant":
        return GrantRefused()
    log.error("IAM refuses this dashboard's client (%s): check IAM_CLIENT_ID and IAM_CLIENT_SECRET", error)
    return ServiceError("service:refused", service=SERVICE, detail=error_text(answer), http_status=answer.status)


def _client() -> tuple[str, str]:
    return settings.OIDC_RP_CLIENT_ID, settings.OIDC_RP_CLIENT_SECRET
