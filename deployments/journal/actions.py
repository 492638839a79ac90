"""The audit trail: services write it around what they do."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils import translation
from django.utils.translation import gettext_noop

from deepdash.errors import Problem
from deepdash.http import ServiceError
from deepdash.redact import redact
from deployments.home_kept import home_forget
from deployments.journal.models import DETAIL_CHARS, Action

if TYPE_CHECKING:
    from accounts.models import User
    from deployments.models import Deployment

# What can be done → how the timeline says it (``who``: a name, or "You"). Every ``what`` of an action is a key.
DONE: dict[str, str] = {
    "submit": gettext_noop("%(who)s asked for it"),
    "update": gettext_noop("%(who)s asked for an update"),
    "delete": gettext_noop("%(who)s asked to delete it"),
    "force-delete": gettext_noop("%(who)s asked to delete it by force"),
    "reset": gettext_noop("%(who)s gave up its deletion"),
    "lock": gettext_noop("%(who)s locked it against deletion"),
    "unlock": gettext_noop("%(who)s unlocked it"),
    "reveal": gettext_noop("%(who)s looked at its secret outputs"),
    "rename": gettext_noop("%(who)s changed title and note"),
    "node-start": gettext_noop("%(who)s started a node"),
    "node-stop": gettext_noop("%(who)s stopped a node"),
    "train": gettext_noop("%(who)s started a training"),
    "train-cancel": gettext_noop("%(who)s cancelled a training"),
    "train-delete": gettext_noop("%(who)s deleted a training"),
    "batch": gettext_noop("%(who)s started a batch of trainings"),
    "batch-stop": gettext_noop("%(who)s stopped a batch of trainings"),
}


def action_of(
    user: "User",
    what: str,
    deployment: "Deployment | None" = None,
    *,
    result: str = Action.Result.DONE,
    detail: str = "",
) -> Action:
    """An action, not saved: for writing many in one statement. ``what`` is a key of DONE; ``detail`` is redacted."""
    if what not in DONE:
        raise ValueError(f"no action {what}")
    subject = f"{deployment.shown_title} ({deployment.reference})" if deployment else ""
    return Action(
        user=user,
        who=user.get_full_name()[:200],
        what=what,
        deployment=deployment if deployment and deployment.pk else None,
        subject=subject[:255],
        result=result,
        detail=redact(detail).replace("\0", "")[:DETAIL_CHARS],
    )


def action_record(
    user: "User",
    what: str,
    deployment: "Deployment | None" = None,
    *,
    result: str = Action.Result.DONE,
    detail: str = "",
) -> Action:
    """Write one line of the audit trail, as ``action_of`` makes it."""
    action = action_of(user, what, deployment, result=result, detail=detail)
    action.save()
    home_forget([user.pk])
    return action


def result_of(problem: Problem) -> str:
    """How an action ended that raised a problem: without an answer, nobody knows."""
    lost = isinstance(problem, ServiceError) and problem.maybe_done
    return Action.Result.UNKNOWN if lost or problem.id.endswith("unknown") else Action.Result.FAILED


@dataclass
class Outcome:
    """How an action ended that raised nothing: what is done inside says so when it does not know."""

    result: str = Action.Result.DONE


@contextmanager
def recorded(user: "User", what: str, deployment: "Deployment", *, detail: str = "") -> Iterator[Outcome]:
    """Record what is done inside, with its result. A Problem passes on, and becomes the result.

    Not inside a transaction: a failure that rolls back must not take its own record with it.
    """
    outcome = Outcome()
    try:
        yield outcome
    except Problem as problem:
        with translation.override("en"):  # operators read it
            why = " ".join(filter(None, [detail, problem.headline, problem.detail]))
        action_record(user, what, deployment, result=result_of(problem), detail=why)
        raise
    action_record(user, what, deployment, result=outcome.result, detail=detail)
