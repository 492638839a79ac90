"""Changing a running deployment (contract 1.10): when that is possible, and sending only what differs."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from deepdash.errors import Problem
from deepdash.http import ServiceError
from deployments.clients.orchestrator import Orchestrator
from deployments.counts import count_of
from deployments.home_kept import home_forget
from deployments.journal.actions import recorded
from deployments.models import Deployment
from deployments.seen import event_of
from deployments.states import Status

if TYPE_CHECKING:
    from accounts.models import User

FROM = (Status.CREATE_COMPLETE, Status.UPDATE_COMPLETE, Status.UPDATE_FAILED)
FIXED_KINDS = {"CHRONOS": "Chronos", "MARATHON": "Marathon", "QCG": "QCG"}  # not shown


def why_not_updatable(deployment: Deployment) -> str:
    """Why it can't be updated, in one sentence; empty when it can."""
    if deployment.is_gone:
        return _("It is gone.")
    if deployment.deployment_kind in FIXED_KINDS:
        said = _("%(kind)s deployments can’t be changed once they run: the orchestrator does not support it.")
        return said % {"kind": FIXED_KINDS[deployment.deployment_kind]}
    if deployment.status == Status.UPDATE_IN_PROGRESS:
        return _("It is being updated already.")
    if deployment.status not in FROM or not deployment.uuid:
        return _("Only a deployment that was created completely can be updated.")
    return ""


def changed_inputs(
    deployment: Deployment, parameters: Mapping[str, Any], defaults: Mapping[str, Any]
) -> dict[str, Any]:
    """Those of the values that differ from what it was last sent, or from the template's default if nothing was.

    What was sent last and is left empty now is sent as empty: left out, it would stay as it is (they are merged).
    """
    before = {**defaults, **deployment.inputs}
    missing = object()
    emptied = {
        name: type(value)() if isinstance(value, (str, list, dict)) else defaults.get(name, value)
        for name, value in deployment.inputs.items()
        if name not in parameters
    }
    return {name: value for name, value in {**emptied, **parameters}.items() if before.get(name, missing) != value}


def deployment_update(
    *,
    user: "User",
    deployment: Deployment,
    template: str,
    changes: Mapping[str, Any],
    secret_names: list[str],
    options: Mapping[str, Any],
) -> None:
    """Ask the orchestrator to change a deployment, once; it goes on by itself.

    ``changes`` are merged over what it has. Raises Problem ``update:…`` when it was not (or perhaps not) accepted,
    LoginExpired; the record is as it was then.
    """
    deployment.refuse_others(user)
    title = deployment.shown_title
    if reason := why_not_updatable(deployment):
        raise Problem("update:not-possible", title=title, cause=reason)
    if not changes:
        raise Problem("update:nothing")
    with recorded(user, "update", deployment, detail=", ".join(changes)):
        try:
            Orchestrator(user).update(str(deployment.uuid), template=template, parameters=changes, options=options)
        except ServiceError as error:
            if error.maybe_done:
                raise Problem("update:unknown", detail=error.detail, title=title) from error
            if error.unavailable:
                raise Problem("update:unsent", detail=error.detail, title=title, cause=error.headline) from error
            raise Problem("update:refused", detail=error.detail, title=title) from error
    _updating(deployment, changes, secret_names, options)


def _updating(
    deployment: Deployment, changes: Mapping[str, Any], secret_names: list[str], options: Mapping[str, Any]
) -> None:
    now = timezone.now()
    open_changes = {name: value for name, value in changes.items() if name not in secret_names}
    sent_secrets = [name for name in changes if name in secret_names]
    with transaction.atomic():
        deployment.inputs = {**deployment.inputs, **open_changes}
        deployment.secret_inputs = list(dict.fromkeys([*deployment.secret_inputs, *sent_secrets]))
        deployment.options = {**deployment.options, **options}
        for name in {"num_cpus", "num_gpus"} & open_changes.keys():
            setattr(deployment, name, count_of(open_changes[name]))
        deployment.status = deployment.known_status = Status.UPDATE_IN_PROGRESS
        deployment.status_reason, deployment.status_since, deployment.seen_at = "", now, now
        deployment.save(
            update_fields=["inputs", "secret_inputs", "options", "num_cpus", "num_gpus", "status", "known_status",
                           "status_reason", "status_since", "seen_at"]
        )  # fmt: skip
        event_of(deployment, now).save()
        transaction.on_commit(lambda: home_forget([deployment.owner_id]))
