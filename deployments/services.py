"""What changes deployments, here and at the orchestrator. Calls go out before a transaction begins, never inside."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from deepdash.clock import is_later, within
from deepdash.errors import Problem
from deepdash.http import ServiceError, Unauthorized, side_by_side
from deployments.adoption import adoptable, could_be, matches, modules_link
from deployments.clients.orchestrator import Listing, Orchestrator, UpstreamDeployment, says_gone
from deployments.home_kept import home_forget
from deployments.journal.actions import action_record, recorded
from deployments.journal.notices import notices_make
from deployments.models import Deployment, StatusEvent
from deployments.seen import SEEN_COLUMNS, differences, event_of, is_of, record_of, see, see_gone
from deployments.states import MOVING, Status
from deployments.trainings.loss import trainings_lose

if TYPE_CHECKING:
    from accounts.models import User

log = logging.getLogger(__name__)

FEW = 6  # so many moving deployments are asked for one by one; more are cheaper as a list
ABANDONED = timedelta(minutes=3)  # a submission that has not ended by then never will: its process died


@dataclass(frozen=True)
class SyncResult:
    """How many deployments the orchestrator listed, and what that changed here.

    ``complete`` is False when part of the list could not be read.
    """

    at: datetime
    listed: int = 0
    new: int = 0
    changed: int = 0
    gone: int = 0
    complete: bool = True


def deployments_sync(*, user: "User") -> SyncResult:
    """Read the user's whole list from the orchestrator and bring our records up to it.

    Deployments made elsewhere get a record; those no longer in a complete list are marked as gone and kept. However
    long the list is, it takes the same few statements.
    Raises ServiceError or LoginExpired, and has changed nothing then.
    """
    started = timezone.now()
    orchestrator = Orchestrator(user)
    listing = orchestrator.deployments()
    listed = {item.uuid: item for item in listing.items if is_of(item, user)}
    records, taken = _records(user, listed)
    known = {record.uuid: record for record in records if record.uuid}
    pending = [record for record in records if not record.uuid and record.made_here]
    sending = _pending_settle(pending, known, listing, listed, orchestrator)
    with transaction.atomic():
        events: list[StatusEvent] = []
        changed: list[Deployment] = []
        for uuid, upstream in listed.items():
            record = known.get(uuid)
            # None: perhaps not ours. A later look than this one counts more.
            if record and not is_later(record.seen_at, started) and differences(record, upstream):
                event = see(record, upstream, started)
                events += [event] if event else []
                changed.append(record)
        new = [
            record_of(user, upstream, started)
            for upstream in adoptable(
                [item for uuid, item in listed.items() if uuid not in known], taken=taken, sending_since=sending
            )
        ]
        gone = [
            record
            for uuid, record in known.items()
            if listing.complete and uuid not in listed and not record.gone_at and not is_later(record.seen_at, started)
        ]
        events += [see_gone(record, started) for record in gone]
        modules_link([*new, *changed])
        _save([*new, *changed, *gone])
        StatusEvent.objects.bulk_create(events)
        notices_make(events)
        if new:
            transaction.on_commit(lambda: home_forget([user.pk]))
        if gone:
            trainings_lose([record.pk for record in gone])
        # Those that are new have it already. A later look stays the later one: an older answer may still be on its way.
        if seen := [uuid for uuid in listed if uuid in known and not is_later(known[uuid].seen_at, started)]:
            Deployment.objects.visible_to(user).filter(uuid__in=seen).update(seen_at=started)
    return SyncResult(started, len(listed), len(new), len(changed), len(gone), listing.complete)


def deployments_follow(*, user: "User") -> None:
    """Look again at those of the user's deployments that are in motion, and at no others.

    Raises as ``deployments_sync``; what could be read is kept also then.
    """
    moving = list(Deployment.objects.visible_to(user).alive().filter(status__in=MOVING).only(*_READ)[: FEW + 1])
    if len(moving) > FEW or any(not deployment.uuid for deployment in moving):
        deployments_sync(user=user)
        return
    if not moving:
        return
    started = timezone.now()
    orchestrator = Orchestrator(user, renews=False)
    answers = side_by_side([partial(orchestrator.deployment, str(record.uuid)) for record in moving])
    if any(isinstance(answer, Unauthorized) for answer in answers):
        deployments_sync(user=user)  # which renews the token
        return
    for record, answer in zip(moving, answers, strict=True):
        if isinstance(answer, UpstreamDeployment):
            _look(record, answer, started)
        elif says_gone(answer):
            _gone(record, started)
    trouble = [answer for answer in answers if isinstance(answer, ServiceError) and not says_gone(answer)]
    if trouble:
        raise trouble[0]


def deployment_refresh(*, user: "User", uuid: str, known: Deployment | None = None) -> Deployment:
    """Read one deployment and return its record, which is made when the user made the deployment elsewhere.

    ``known``: the user's record of it, if it has just been read. One that the orchestrator no longer knows is marked
    as gone and kept. Raises Deployment.DoesNotExist when the user has none of that identifier, ServiceError or
    LoginExpired as the orchestrator answers.
    """
    record = known or Deployment.objects.visible_to(user).by_reference(uuid).first()
    if record and record.is_gone:
        return record
    if record and not record.uuid:  # its submission was not answered: only the list can tell
        deployments_sync(user=user)
        return Deployment.objects.visible_to(user).get(pk=record.pk)
    started = timezone.now()
    try:
        upstream = Orchestrator(user).deployment(uuid)
    except ServiceError as error:
        if not says_gone(error):
            raise
        if record is None:
            raise Deployment.DoesNotExist from None
        _gone(record, started)
        return record
    if record is None:
        taken = Deployment.objects.filter(uuid=uuid).exclude(owner=user).exists()  # another's: not to be touched
        if upstream.uuid != uuid or not is_of(upstream, user) or taken:
            raise Deployment.DoesNotExist
        record = record_of(user, upstream, started)
        modules_link([record])
        _save([record])
        home_forget([user.pk])
        return Deployment.objects.visible_to(user).get(uuid=uuid)
    _look(record, upstream, started)
    return record


def deployment_accepted(*, deployment: Deployment, upstream: UpstreamDeployment) -> Deployment:
    """The orchestrator's answer to a submission: from now on the record has its identifier and state.

    A look at the list may have been quicker: it has told this record already, or made one of its own, which is merged
    into this.
    """
    at = timezone.now()
    with transaction.atomic():
        if Deployment.objects.select_for_update().only("uuid").get(pk=deployment.pk).uuid == upstream.uuid:
            deployment.refresh_from_db()
            return deployment
        same = Deployment.objects.filter(uuid=upstream.uuid, owner=deployment.owner_id)
        twin = same.exclude(pk=deployment.pk).first()
        if twin:
            twin.events.update(deployment=deployment)
            twin.trainings.update(deployment=deployment)
            twin.delete()
        deployment.uuid = upstream.uuid
        see(deployment, upstream, at)
        deployment.save(update_fields=["uuid", *SEEN_COLUMNS])
        event = event_of(deployment, at)
        event.save()
        notices_make([event])
    return deployment


def deployment_uncertain(*, deployment: Deployment) -> None:
    """No answer came to a submission: the next look at the list will tell whether it was accepted."""
    now = timezone.now()
    changed = Deployment.objects.filter(pk=deployment.pk, status=Status.SUBMITTING, uuid=None).update(
        status=Status.UNCERTAIN, known_status=Status.UNCERTAIN, status_since=now
    )
    deployment.refresh_from_db(fields=["status", "known_status", "status_since", "uuid"])
    if changed:
        event_of(deployment, now).save()


def deployment_delete(*, user: "User", deployment: Deployment, force: bool = False) -> Deployment:
    """Ask the orchestrator to delete a deployment, once; it goes on by itself.

    Raises Problem when it was not (or perhaps not) accepted, LoginExpired; the record is as it was then.
    """
    deployment.refuse_others(user)
    with recorded(user, "force-delete" if force else "delete", deployment):
        return _delete(user, deployment, force)


def _delete(user: "User", deployment: Deployment, force: bool) -> Deployment:
    title = deployment.shown_title
    if deployment.locked:
        raise Problem("deployment:locked", title=title)
    if deployment.is_gone:
        return deployment
    if not deployment.uuid:
        raise Problem("deployment:unnamed")
    started = timezone.now()
    try:
        Orchestrator(user).delete(deployment.uuid, force=force)
    except ServiceError as error:
        if says_gone(error):
            _gone(deployment, started)
            return deployment
        if not says_deleting(error):
            raise delete_problem(error, title) from error
    _deleting(deployment, timezone.now())
    return deployment


def says_deleting(error: ServiceError) -> bool:
    """True when a deletion was refused because one is going on: asked for twice, or elsewhere."""
    return error.id == "service:conflict" and Status.DELETE_IN_PROGRESS in error.detail


def delete_problem(error: ServiceError, title: str) -> Problem:
    """What to tell about a deletion that failed."""
    if error.maybe_done:
        return Problem("deployment:delete-unknown", detail=error.detail, title=title)
    if error.unavailable:
        return Problem("deployment:not-deleted", detail=error.detail, title=title, cause=error.headline)
    return Problem("deployment:delete-refused", detail=error.detail, title=title)


def deployment_rename(*, user: "User", deployment: Deployment, title: str, note: str) -> None:
    """Give a deployment another title and note; both are ours alone."""
    deployment.refuse_others(user)
    deployment.title, deployment.note = (text.replace("\0", "").strip() for text in (title, note))
    deployment.clean_fields(exclude={field.name for field in Deployment._meta.fields} - {"title", "note"})
    deployment.save(update_fields=["title", "note"])
    action_record(user, "rename", deployment)


# -- Looking ----------------------------------------------------------------------------------------------

_READ = (
    "uuid",
    "submission_key",
    "owner",
    "title",
    "module",
    "module_slug",
    "answers",
    "answered_at",
    "recorded_at",
    "running_trainings",
    *SEEN_COLUMNS,
)


def _records(user: "User", listed: Iterable[str]) -> tuple[list[Deployment], set[str | None]]:
    """The user's records that a list can say something about, and which of the list are another's records.

    One statement for both: nothing is done with those of others but leaving them alone.
    """
    told = Q(uuid__in=list(listed))
    rows = Deployment.objects.filter(told | Q(owner=user, gone_at=None)).only(*_READ).order_by()
    mine = [record for record in rows if record.owner_id == user.pk]
    return mine, {record.uuid for record in rows if record.owner_id != user.pk}


def _save(records: list[Deployment]) -> None:
    """Write what looks have changed in one statement, and nothing else.

    In the order of the identifiers, so that two looks at the same time can't block each other for ever.
    """
    columns = ("module_id", "module_slug", *SEEN_COLUMNS)
    rows = [
        Deployment(uuid=record.uuid, owner_id=record.owner_id, callback_secret="",
                   **{name: getattr(record, name) for name in columns})
        for record in sorted(records, key=lambda record: str(record.uuid))
    ]  # fmt: skip
    Deployment.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["uuid"], update_fields=["module", "module_slug", *SEEN_COLUMNS]
    )


def _look(record: Deployment, upstream: UpstreamDeployment, at: datetime) -> None:
    """Bring one record up to what was told at a moment, unless a later look was quicker."""
    with transaction.atomic():
        if not _read_again(record) or is_later(record.seen_at, at):
            return
        event = see(record, upstream, at)
        record.save(update_fields=SEEN_COLUMNS)
        if event:
            event.save()
            notices_make([event])


def _gone(record: Deployment, at: datetime, reason: str = "") -> None:
    """Mark a record as gone, with a ``reason`` if it is ours to tell, unless somebody else has, or saw it later."""
    with transaction.atomic():
        if not _read_again(record) or record.gone_at or is_later(record.seen_at, at):
            return
        record.status_reason = reason or record.status_reason
        event = see_gone(record, at)
        record.save(update_fields=SEEN_COLUMNS)
        event.save()
        notices_make([event])
        trainings_lose([record.pk])


def _deleting(record: Deployment, at: datetime) -> None:
    """The orchestrator accepted the deletion, which is all that is known until the next look.

    Asked for twice, it goes on since the first time: from then on counts when it got stuck.
    """
    with transaction.atomic():
        if not _read_again(record) or record.gone_at or record.status == Status.DELETE_IN_PROGRESS:
            return
        record.status = record.known_status = Status.DELETE_IN_PROGRESS
        record.status_since = record.seen_at = at
        record.save(update_fields=["status", "known_status", "status_since", "seen_at"])
        event_of(record, at).save()


def _read_again(record: Deployment) -> bool:
    """What others noted of a record while the orchestrator was asked; it is held until the transaction ends.

    False when there is no such record any more.
    """
    try:
        record.refresh_from_db(fields=SEEN_COLUMNS, from_queryset=Deployment.objects.select_for_update())
    except Deployment.DoesNotExist:
        return False
    return True


# -- Submissions whose answer was lost ---------------------------------------------------------------------


def _pending_settle(
    pending: list[Deployment],
    known: dict[str, Deployment],
    listing: Listing,
    listed: dict[str, UpstreamDeployment],
    orchestrator: Orchestrator,
) -> datetime | None:
    """Find out what became of submissions without an answer; those that are found join the known ones.

    Returns when the oldest submission that is still on its way began, None when there is none.
    """
    if not pending:
        return None
    now = timezone.now()
    young = [record for record in pending if within(record.recorded_at, ABANDONED, now)]
    sending = [record for record in young if record.status == Status.SUBMITTING]
    lost = [record for record in pending if record not in sending]
    left = [item for uuid, item in listed.items() if uuid not in known]
    # The process that sends may be dead, but may also be about to note the answer: only proof counts against it.
    for records, template_of in ((sending, None), (lost, orchestrator.template)):
        for record, upstream in matches(records, left, template_of):
            known[upstream.uuid] = deployment_accepted(deployment=record, upstream=upstream)
            left.remove(upstream)
    for record in lost:
        if record.uuid:
            continue
        deployment_uncertain(deployment=record)
        if listing.complete and record not in young and not any(could_be(record, item) for item in left):
            _gone(record, now, reason="The orchestrator never had it.")  # not shown
    return min((record.recorded_at for record in sending if not record.uuid), default=None)
