"""Making a user out of what IAM says, and the gate of required groups."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.groups import groups_from_claims
from accounts.models import User
from accounts.roles import roles_assign
from deepdash.config import config
from deepdash.errors import Problem
from deepdash.inert import inert


class GroupsMissing(Problem):
    """The user is not in every group that this dashboard asks for; ``groups`` names the missing ones."""

    def __init__(self, groups: Sequence[str]) -> None:
        super().__init__("login:groups")
        self.groups = list(groups)


@transaction.atomic
def user_create(*, issuer: str, claims: Mapping[str, Any]) -> User:
    """Make the user whom IAM's claims describe. Raises GroupsMissing, and makes nobody then."""
    return user_refresh(user=User.objects.create_user(issuer=issuer, subject=claims["sub"]), claims=claims)


def user_refresh(*, user: User, claims: Mapping[str, Any]) -> User:
    """Take over name, e-mail, organisation, groups and role from new claims about a known user.

    Raises GroupsMissing when they have left a required group; that is saved too, so that other sessions know.
    """
    with transaction.atomic():
        _describe(user, claims)
        user.save(update_fields=["name", "email", "organisation", "groups", "seen_at"])
        roles_assign(user=user)
    if missing := user.missing_groups(config.IAM_GROUP_MEMBERSHIP):
        raise GroupsMissing(missing)
    return user


def _describe(user: User, claims: Mapping[str, Any]) -> None:
    full = " ".join(filter(None, (_text(claims, "given_name"), _text(claims, "family_name"))))
    user.name = (_text(claims, "name") or full or _text(claims, "preferred_username"))[:200]
    email = _text(claims, "email")
    user.email = email if len(email) <= 254 else ""
    user.organisation = _text(claims, "organisation_name")[:200]
    user.groups = groups_from_claims(claims, config.IAM_GROUP_CLAIMS)
    user.seen_at = timezone.now()


def _text(claims: Mapping[str, Any], name: str) -> str:
    """A claim as inert text on one line, as others get to see it; absent when it is anything else."""
    value = claims.get(name)
    return " ".join(inert(value).split()) if isinstance(value, str) else ""
