"""Where IAM's endpoints are and which keys sign its tokens, remembered in the cache (contract 9.1, 9.5)."""

import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.cache import cache
from pydantic import BaseModel, ConfigDict

from deepdash.addresses import is_protected
from deepdash.config import config
from deepdash.http import ServiceError, ServiceSession

SERVICE = "IAM"
PROVIDER_FRESH = 3600.0  # seconds until the discovery document is read again
KEYS_FRESH = 300.0  # likewise the keys: a withdrawn key counts for five minutes at most
STALE = 24 * 3600  # seconds that an old discovery document still serves when IAM does not answer
PAUSE = 30  # seconds between two tries while it does not
KEYS_PAUSE = 60.0  # seconds between two forced readings of the keys


class Provider(BaseModel):
    """The discovery document; ``issuer`` has no slash at its end."""

    model_config = ConfigDict(frozen=True)

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    userinfo_endpoint: str
    jwks_uri: str
    revocation_endpoint: str | None = None
    end_session_endpoint: str | None = None


def iam_session(token: str = "", *, read_timeout: float = 5.0, total_timeout: float = 8.0) -> ServiceSession:
    """Calls to IAM. The limits are tighter than elsewhere: a page may have to wait for them."""
    return ServiceSession(
        SERVICE,
        config.IAM_BASE_URL,
        verify=settings.OIDC_VERIFY_SSL,
        token=token,
        read_timeout=read_timeout,
        total_timeout=total_timeout,
    )


def provider() -> Provider:
    """IAM's endpoints, read at most once an hour; while IAM does not answer, as they were up to a day ago.

    Raises ServiceError when IAM is not configured, can't be reached, or describes itself wrongly.
    """
    if not config.IAM_BASE_URL:
        raise ServiceError("service:unset", service=SERVICE)
    return Provider.model_validate(_remembered("provider", PROVIDER_FRESH, STALE, _read_provider))


def jwks() -> list[dict[str, Any]]:
    """The keys that may sign ID tokens (RSA, for signatures), at most five minutes old. Raises ServiceError."""
    keys: list[dict[str, Any]] = _remembered("keys", KEYS_FRESH, int(KEYS_FRESH), _read_keys)
    return keys


def jwks_again() -> list[dict[str, Any]]:
    """The keys, read now although they are remembered, since none fitted; at most once a minute, else as known.

    Without that limit anybody could make us call IAM by sending forged tokens. Raises ServiceError.
    """
    if cache.add(_cache_key("keys-forced"), True, KEYS_PAUSE):
        _remember("keys", _read_keys(), int(KEYS_FRESH))
    return jwks()


def _read_provider() -> dict[str, Any]:
    found = iam_session().get("/.well-known/openid-configuration").parse(Provider)
    # The document's issuer has a slash at its end, the tokens' may not (contract 9.1).
    if found.issuer.rstrip("/") != config.IAM_BASE_URL:
        detail = f"The issuer is {found.issuer}, expected was {config.IAM_BASE_URL}"
        raise ServiceError("service:garbled", service=SERVICE, detail=detail)
    for name, value in found:
        if value is not None and not is_protected(value):
            raise ServiceError("service:garbled", service=SERVICE, detail=f"{name} is not an https address: {value}")
    return {**found.model_dump(), "issuer": config.IAM_BASE_URL}


def _read_keys() -> list[dict[str, Any]]:
    document = iam_session().get(provider().jwks_uri).json()
    keys = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(keys, list):
        raise ServiceError("service:garbled", service=SERVICE, detail="The key set has no list of keys")
    return [
        key
        for key in keys
        if isinstance(key, dict)
        and key.get("kty") == "RSA"
        and key.get("use", "sig") == "sig"
        and key.get("alg", settings.OIDC_RP_SIGN_ALGO) == settings.OIDC_RP_SIGN_ALGO
    ]


def _remembered(name: str, fresh: float, keep: int, read: Callable[[], Any]) -> Any:
    """The value in the cache while it is ``fresh`` (seconds), else read again; an old one when that fails."""
    entry = cache.get(_cache_key(name))
    if entry and abs(time.time() - entry["at"]) < fresh:  # a clock may have been set back since
        return entry["value"]
    if entry and cache.get(_cache_key(f"{name}-failed")):
        return entry["value"]
    try:
        value = read()
    except ServiceError:
        if not entry:
            raise
        cache.set(_cache_key(f"{name}-failed"), True, PAUSE)
        return entry["value"]
    _remember(name, value, keep)
    return value


def _remember(name: str, value: Any, keep: int) -> None:
    cache.set(_cache_key(name), {"at": time.time(), "value": value}, keep)


def _cache_key(name: str) -> str:
    return f"accounts.iam.{name}.{config.IAM_BASE_URL}"
