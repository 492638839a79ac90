"""What a user's group runs, as the orchestrator tells this user now: shown, never kept.

Records stay their owners' alone: a page of a group is made from the answer to the user's own token, so that the one
owner check of the database needs no exception, and whoever leaves a group sees nothing more at once.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils import timezone
from django.utils.translation import gettext as _

from deepdash.errors import Problem
from deployments.clients.orchestrator import Orchestrator, UpstreamDeployment
from deployments.endpoints import orchestrator_info_learnt
from deployments.listing import Row
from deployments.seen import is_of, record_of
from deployments.status import describe

if TYPE_CHECKING:
    from accounts.models import User

SINCE = "2.6.0"  # the first that knows userGroup; earlier ones ignore it and list other things (contract 1.1)
SHOWN = 200


@dataclass(frozen=True)
class Shared:
    """A deployment of the group. ``mine``: the user made it, and has a page of it."""

    row: Row
    creator: str
    mine: bool


@dataclass(frozen=True)
class GroupList:
    """The newest of a group's deployments; ``total`` is how many there are."""

    group: str
    shared: list[Shared]
    total: int


def group_list(user: "User", group: str) -> GroupList:
    """What the orchestrator lists for one of the user's groups.

    Raises Problem ``deployment:not-your-group`` for any other, ``group:unsupported`` when the orchestrator is too old;
    ServiceError, LoginExpired.
    """
    if user.missing_groups([group]):
        raise Problem("deployment:not-your-group", group=group)
    info = orchestrator_info_learnt()
    if info is None or not info.at_least(SINCE):
        raise Problem("group:unsupported", version=info.version if info else _("not known"))
    listed = [item for item in Orchestrator(user).deployments(user_group=group).items if item.user_group == group]
    return GroupList(group, [_shared(user, item) for item in listed[:SHOWN]], len(listed))


def _shared(user: "User", upstream: UpstreamDeployment) -> Shared:
    """One line, from a record that is never saved. Outputs, which may lead into it, stay with their owner."""
    record = record_of(user, upstream, timezone.now())
    record.outputs = {}
    creator = upstream.created_by
    mine = creator is not None and is_of(upstream, user)
    return Shared(Row(record, describe(record)), creator.subject if creator else "", mine)
