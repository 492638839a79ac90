"""What changes storage accounts."""

from typing import TYPE_CHECKING

from django.utils import timezone
from django.utils.translation import gettext_noop

from deepdash.http import ServiceError
from deployments.clients import webdav
from deployments.storage.models import StorageAccount

if TYPE_CHECKING:
    from accounts.models import User


def storage_account_test(*, account: StorageAccount) -> None:
    """Sign in to the storage and record what it says. Never raises for what is wrong there."""
    account.answers, account.note = _tried(account)
    account.tested_at = timezone.now()
    same = StorageAccount.objects.filter(pk=account.pk)  # unless it was deleted meanwhile
    same.update(answers=account.answers, note=account.note, tested_at=account.tested_at)


def storage_account_used(*, user: "User", key: str) -> None:
    """Note that a deployment was made with the account that ``key`` names; other keys name none."""
    number = key.removeprefix("account-")
    if number.isascii() and number.isdigit():
        StorageAccount.objects.of(user).filter(pk=int(number)).update(used_at=timezone.now())


def _tried(account: StorageAccount) -> tuple[bool | None, str]:
    """(whether it accepts the sign-in, None when that can't be known from here; why not)."""
    if not account.password:
        return False, gettext_noop("Its password is lost; type it again")
    try:
        webdav.sign_in(account.url, account.user_name, account.password)
    except ServiceError as error:
        return _explained(error)
    return True, ""


def _explained(error: ServiceError) -> tuple[bool | None, str]:
    status = error.http_status
    if status == 401:
        return False, gettext_noop("It refuses this user or password")
    if error.id == "service:blocked":
        return None, gettext_noop("In a network that this dashboard may not reach")
    if status is not None and 300 <= status < 400:
        return False, gettext_noop("It redirects elsewhere; write the address it leads to")
    if status in {403, 404, 405} or (status is not None and 200 <= status < 300 and status != 207):
        return False, gettext_noop("There is no WebDAV folder at this address")
    if "certificate" in error.detail.lower():
        return None, gettext_noop("Its certificate can’t be verified from here")
    return None, gettext_noop("No answer in time") if error.id == "service:timeout" else gettext_noop(
        "It can’t be reached just now"
    )
