"""In the name of which of their groups a user works just now; "" stands for the organisation."""

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from deepdash.errors import MESSAGES, Message, Problem, Tone

MESSAGES["group:not-yours"] = Message(
    _("You are not in the group {group}."), _("Choose one of your own."), Tone.WARN, 403
)


def active_group(request: HttpRequest) -> str:
    """The group that agreements are looked up for, deployments are made for and the catalogue is shown for."""
    return request.user.current_group if isinstance(request.user, User) else ""


def active_group_set(*, user: User, group: str) -> None:
    """Let the user work for one of their groups, or ("") for their organisation.

    Raises Problem ``group:not-yours`` for any other group.
    """
    if group and group not in user.groups:
        raise Problem("group:not-yours", group=group[:100])
    user.active_group = group
    user.save(update_fields=["active_group"])
