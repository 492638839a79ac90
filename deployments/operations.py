"""What owners do with deployments that exist: lock, delete many, give up a deletion, start nodes, read secrets."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import pgettext

from accounts.tokens import LoginExpired
from deepdash.errors import Problem
from deepdash.http import ServiceError, Unauthorized, side_by_side
from deployments.actions import Permission, permissions, secrets_permission
from deployments.clients.orchestrator import Orchestrator, says_gone
from deployments.endpoints import orchestrator_info_learnt
from deployments.home_kept import home_forget
from deployments.journal.actions import action_of, action_record, recorded, result_of
from deployments.models import Action, Deployment, StatusEvent
from deployments.outputs import secret_values
from deployments.seen import event_of, see_gone
from deployments.services import delete_problem, says_deleting
from deployments.states import Status
from deployments.trainings.loss import trainings_lose

if TYPE_CHECKING:
    from accounts.models import User

MOST = 50  # deployments in one deletion of many
AT_ONCE = 8


@dataclass(frozen=True)
class Outcome:
    """What became of one of many. ``problem`` None: it is being deleted, or gone."""

    deployment: Deployment
    problem: Problem | None = None


def deployment_lock(*, user: "User", deployment: Deployment, locked: bool) -> None:
    """Refuse, or allow again, to delete a deployment from here. Raises Problem when it is gone."""
    deployment.refuse_others(user)
    _permitted(deployment, pgettext("done to a deployment", "locked"), permissions(deployment, None).lock)
    if deployment.locked != locked:
        Deployment.objects.filter(pk=deployment.pk).update(locked=locked)
        deployment.locked = locked
        action_record(user, "lock" if locked else "unlock", deployment)


def deployment_reset(*, user: "User", deployment: Deployment) -> None:
    """Give up a deletion that got stuck: it becomes "delete failed" and can be deleted again (contract 1.11).

    Nothing is cleaned up at the provider by that. Raises Problem ``action:…`` when it was not, or perhaps not, done;
    LoginExpired.
    """
    deployment.refuse_others(user)
    _permitted(
        deployment, pgettext("done to a deployment", "reset"), permissions(deployment, orchestrator_info_learnt()).reset
    )
    orchestrator = Orchestrator(user)
    _do(
        user,
        "reset",
        deployment,
        pgettext("done to a deployment", "reset"),
        lambda: orchestrator.reset(str(deployment.uuid)),
    )
    now = timezone.now()
    with transaction.atomic():
        deployment.status = deployment.known_status = Status.DELETE_FAILED
        deployment.status_reason = "Its deletion was given up here."  # not shown
        deployment.status_since = deployment.seen_at = now
        deployment.save(update_fields=["status", "known_status", "status_reason", "status_since", "seen_at"])
        event_of(deployment, now).save()


def node_act(*, user: "User", deployment: Deployment, node: str, act: str) -> None:
    """``start`` or ``stop`` a node of a deployment; carried out later (contract 1.15).

    Raises Problem ``action:…`` when it was not, or perhaps not, accepted; LoginExpired.
    """
    deployment.refuse_others(user)
    done = {"start": pgettext("done to a deployment", "started"), "stop": pgettext("done to a deployment", "stopped")}[
        act
    ]
    _permitted(deployment, done, permissions(deployment, orchestrator_info_learnt()).node_actions)
    orchestrator = Orchestrator(user)
    _do(user, f"node-{act}", deployment, done, lambda: orchestrator.action(str(deployment.uuid), node, act), node)


def secret_outputs_read(*, user: "User", deployment: Deployment) -> dict[str, Any]:
    """The secret outputs with their values, asked of the orchestrator now; they are kept and written down nowhere.

    That they were asked for is on record. Raises Problem when the deployment is gone; ServiceError, LoginExpired.
    """
    deployment.refuse_others(user)
    _permitted(deployment, pgettext("done to a deployment", "asked for its secrets"), secrets_permission(deployment))
    with recorded(user, "reveal", deployment):
        return secret_values(Orchestrator(user).deployment(str(deployment.uuid)).outputs)


def deployments_delete(*, user: "User", deployments: Sequence[Deployment]) -> list[Outcome]:
    """Ask the orchestrator to delete several, side by side; each has its own outcome, in the order given.

    Those that may not be deleted are left alone. A token that is refused is renewed once for all of them. Raises
    LoginExpired when it can't be; what was accepted before is kept. ValueError for more than MOST.
    """
    if len(deployments) > MOST:
        raise ValueError(f"at most {MOST} at once")
    for deployment in deployments:
        deployment.refuse_others(user)
    refused = {
        deployment.pk: Problem(
            "action:not-possible",
            title=deployment.shown_title,
            done=pgettext("done to a deployment", "deleted"),
            cause=why_not,
        )
        for deployment in deployments
        if (why_not := permissions(deployment, None).delete.why_not)
    }
    wanted = [deployment for deployment in deployments if deployment.pk not in refused]
    answers = _delete_all(user, wanted) if wanted else {}
    accepted: list[Deployment] = []
    gone: list[Deployment] = []
    outcomes = []
    for deployment in deployments:
        error = answers.get(deployment.pk)
        problem = refused.get(deployment.pk)
        if error is not None and says_gone(error):
            gone.append(deployment)
        elif error is not None and not says_deleting(error):
            problem = delete_problem(error, deployment.shown_title)
        elif problem is None:
            accepted.append(deployment)
        outcomes.append(Outcome(deployment, problem))
    _note(user, accepted, gone, outcomes)
    if any(isinstance(error, Unauthorized) for error in answers.values()):
        raise LoginExpired
    return outcomes


def _delete_all(user: "User", wanted: list[Deployment]) -> dict[int, ServiceError | None]:
    """The orchestrator's answers by primary key; None: accepted."""

    def ask(deployments: list[Deployment]) -> dict[int, ServiceError | None]:
        orchestrator = Orchestrator(user, renews=False)
        calls = [partial(orchestrator.delete, str(deployment.uuid)) for deployment in deployments]
        answers = side_by_side(calls, at_once=AT_ONCE)
        return {deployment.pk: answer for deployment, answer in zip(deployments, answers, strict=True)}

    answers = ask(wanted)
    again = [deployment for deployment in wanted if isinstance(answers[deployment.pk], Unauthorized)]
    if again:  # a 401 means that nothing was done; one call renews the token, the others use the new one
        first, *others = again
        try:
            Orchestrator(user).delete(str(first.uuid))
            answers[first.pk] = None
        except LoginExpired:
            return answers
        except ServiceError as error:
            answers[first.pk] = error
        answers |= ask(others) if others else {}
    return answers


def _note(user: "User", accepted: list[Deployment], gone: list[Deployment], outcomes: list[Outcome]) -> None:
    """Bring records, timelines and the audit trail up to the outcomes, in a handful of statements."""
    now, pks = timezone.now(), [deployment.pk for deployment in (*accepted, *gone)]
    with transaction.atomic():
        # A look may have been quicker: it has told already of what is gone or being deleted. Held in the order in
        # which looks write, so that neither blocks the other for ever.
        held = Deployment.objects.select_for_update().alive().filter(pk__in=pks).order_by("uuid")
        states = dict(held.values_list("pk", "status"))
        gone = [deployment for deployment in gone if deployment.pk in states]
        accepted = [it for it in accepted if states.get(it.pk, Status.DELETE_IN_PROGRESS) != Status.DELETE_IN_PROGRESS]
        events: list[StatusEvent] = [see_gone(deployment, now) for deployment in gone]
        for deployment in accepted:
            deployment.status = deployment.known_status = Status.DELETE_IN_PROGRESS
            deployment.status_since = deployment.seen_at = now
            events.append(event_of(deployment, now))
        columns = ["status", "known_status", "status_since", "seen_at", "gone_at"]
        Deployment.objects.bulk_update([*accepted, *gone], columns)
        StatusEvent.objects.bulk_create(events)
        if gone:
            trainings_lose([deployment.pk for deployment in gone])
        Action.objects.bulk_create(
            action_of(user, "delete", outcome.deployment)
            if outcome.problem is None
            else action_of(
                user,
                "delete",
                outcome.deployment,
                result=result_of(outcome.problem),
                detail=f"{outcome.problem.headline} {outcome.problem.detail}",
            )
            for outcome in outcomes
        )
        transaction.on_commit(lambda: home_forget([user.pk]))


def _do(user: "User", what: str, deployment: Deployment, done: str, call: Callable[[], None], detail: str = "") -> None:
    """One call that changes something, on record, its failures in words."""
    title = deployment.shown_title
    with recorded(user, what, deployment, detail=detail):
        try:
            call()
        except ServiceError as error:
            # A wrong state of a node comes as a fault of the server, with these words (contract 1.15).
            if "Error validating action request" in error.detail:
                raise Problem("action:refused", detail=error.detail, title=title, done=done) from error
            if error.maybe_done:
                raise Problem("action:unknown", detail=error.detail, title=title, done=done) from error
            if error.unavailable:
                raise Problem(
                    "action:unsent", detail=error.detail, title=title, done=done, cause=error.headline
                ) from error
            raise Problem("action:refused", detail=error.detail, title=title, done=done) from error


def _permitted(deployment: Deployment, done: str, permission: Permission) -> None:
    if not permission.allowed:
        raise Problem("action:not-possible", title=deployment.shown_title, done=done, cause=permission.why_not)
