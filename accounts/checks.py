"""Configuration that would make signing in impossible or unsafe, found at startup."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register

from deepdash.addresses import is_protected
from deepdash.config import config
from deepdash.fields import broken_keys


def register_all() -> None:
    register(check_iam, Tags.security)
    register(check_sessions_and_keys, Tags.security)


def check_iam(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """The connection to IAM, when one is configured."""
    if not config.IAM_BASE_URL:
        return []  # the sign-in page says so; the catalogue needs none
    found: list[CheckMessage] = []
    if not is_protected(config.IAM_BASE_URL):
        found.append(
            Error(
                "IAM_BASE_URL is not an https address.",
                hint="Use https://; plain http is accepted only for IAM on this very machine.",
                id="accounts.E001",
            )
        )
    for key, value in (
        ("IAM_CLIENT_ID", settings.OIDC_RP_CLIENT_ID),
        ("IAM_CLIENT_SECRET", settings.OIDC_RP_CLIENT_SECRET),
    ):
        if not value:
            found.append(
                Error(
                    f"{key} is empty although IAM_BASE_URL is set.",
                    hint=f"Register this dashboard as a client at {config.IAM_BASE_URL} and set {key}.",
                    id="accounts.E002",
                )
            )
    if settings.OIDC_RP_SIGN_ALGO != "RS256" or getattr(settings, "OIDC_ALLOW_UNSECURED_JWT", False):
        found.append(
            Error(
                "ID tokens must be signed with RS256.",
                hint="Leave OIDC_RP_SIGN_ALGO at RS256 and don't set OIDC_ALLOW_UNSECURED_JWT.",
                id="accounts.E003",
            )
        )
    if not settings.OIDC_USE_PKCE or not getattr(settings, "OIDC_USE_NONCE", True):
        found.append(
            Error(
                "A login must use PKCE and a nonce.",
                hint="Leave OIDC_USE_PKCE and OIDC_USE_NONCE at True.",
                id="accounts.E004",
            )
        )
    return found


def check_sessions_and_keys(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """The session cookie and the keys that encrypt tokens."""
    found: list[CheckMessage] = []
    if settings.SESSION_COOKIE_SAMESITE != "Lax":
        found.append(
            Error(
                'SESSION_COOKIE_SAMESITE is not "Lax".',
                hint='With "Strict" the browser comes back from IAM without its session; with "None" other '
                "sites can use it.",
                id="accounts.E005",
            )
        )
    if not settings.TOKEN_KEYS or (broken := broken_keys(settings.TOKEN_KEYS)):
        places = ", ".join(map(str, broken)) if settings.TOKEN_KEYS else ""
        found.append(
            Error(
                f"TOKEN_KEYS holds what is not a Fernet key, at place {places}." if places else "TOKEN_KEYS is empty.",
                hint="Make one with: python -c 'from cryptography.fernet import Fernet; "
                "print(Fernet.generate_key().decode())'",
                id="accounts.E006",
            )
        )
    return found
