"""Helpers for the tests of every app: people and their tokens."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone

from accounts.models import Token, User
from accounts.roles import CURATORS
from deepdash.config import config

ISSUER = "https://iam.example.org"


def make_user(
    name: str = "ada",
    *,
    groups: Iterable[str] = ("ml-users",),
    organisation: str = "indigo-dc",
    staff: bool = False,
    email: str = "",
) -> User:
    """The user of that name, made when there is none; with ``staff`` a curator, with a curator's permissions."""
    user = User.objects.filter(subject=f"sub-{name}").first() or User.objects.create_user(
        issuer=config.IAM_BASE_URL or ISSUER,
        subject=f"sub-{name}",
        name=f"{name.capitalize()} Example",
        email=email or f"{name}@example.org",
        organisation=organisation,
        groups=list(groups),
        is_staff=staff,
        seen_at=timezone.now(),
    )
    if staff:
        user.roles.add(Group.objects.get_or_create(name=CURATORS)[0])
    return user


def give_token(
    user: User,
    access: str = "the-access-token",
    *,
    expires_in: float = 3600,
    refresh: str = "the-refresh-token",
) -> Token:
    """Store tokens for the user, in place of earlier ones; ``expires_in`` in seconds, may be negative."""
    now = timezone.now()
    token, _ = Token.objects.update_or_create(
        user=user,
        defaults={
            "access_token": access,
            "refresh_token": refresh,
            "scopes": "openid email profile offline_access",
            "expires_at": now + timedelta(seconds=expires_in),
            "refreshed_at": now - timedelta(seconds=max(0.0, 3600 - expires_in)),
        },
    )
    return token


def configure(monkeypatch: pytest.MonkeyPatch, **values: Any) -> None:
    """Set keys of ``deepdash.config.config`` for one test; it is frozen for everybody else."""
    for name, value in values.items():
        assert name in type(config).model_fields, name
        monkeypatch.setitem(config.__dict__, name, value)
