"""What the groups at IAM allow here: the role of a curator."""

from typing import Any

from django.apps import AppConfig
from django.contrib.auth.models import Group, Permission

from accounts.models import User
from deepdash.config import config

CURATORS = "Curators"


def roles_assign(*, user: User) -> None:
    """Make the user a curator, or no longer one, as the groups at IAM say (IAM_ADMIN_GROUPS). Saves ``is_staff``."""
    curator = user.in_groups(config.IAM_ADMIN_GROUPS)
    is_staff = curator or user.is_superuser
    if user.is_staff != is_staff:
        user.is_staff = is_staff
        user.save(update_fields=["is_staff"])
    if curator:
        user.roles.add(Group.objects.get_or_create(name=CURATORS)[0])
    else:
        user.roles.remove(*user.roles.filter(name=CURATORS))


def grant_curators(sender: AppConfig, using: str, **kwargs: Any) -> None:
    """After a migration: curators may do everything with the catalogue, and nothing else.

    Its permissions exist by then, since ``django.contrib.auth`` makes them in the same signal and was connected first.
    The catalogue is named, not imported: it stands above this app.
    """
    if sender.label == "catalog":
        curators, _ = Group.objects.using(using).get_or_create(name=CURATORS)
        curators.permissions.add(*Permission.objects.using(using).filter(content_type__app_label="catalog"))
