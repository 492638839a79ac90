"""Looking at the trainings of all users in the background: bounded in number, in time, and per user."""

import logging
import time
from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from django.db.models import F, Q
from django.utils import timezone

from accounts.tokens import LoginExpired
from deepdash.clock import passed
from deepdash.errors import Problem
from deepdash.http import ServiceError, side_by_side
from deployments.models import Deployment, ModuleApi, Training
from deployments.states import COMPLETE, ENDED
from deployments.trainings.batches import batches_go_on
from deployments.trainings.loss import trainings_lose
from deployments.trainings.reading import api_ask, api_record, is_description_due
from deployments.trainings.services import READ_TRUST, api_claim, api_of, endpoint_confirm
from deployments.trainings.states import UNDER_WAY

log = logging.getLogger(__name__)

AT_ONCE = 8  # APIs asked side by side
PER_USER = 2  # of them of one user
PER_RUN = 60  # APIs asked in one go
SECONDS = 45.0  # after which nothing new is begun: what is left comes first the next time
BUSY_AGE, IDLE_AGE = timedelta(seconds=50), timedelta(minutes=10)  # how often one is asked, training or not


@dataclass(frozen=True)
class Due:
    """An API to be asked, with its confirmed address."""

    api: ModuleApi
    endpoint: str


def trainings_watch(*, seconds: float = SECONDS) -> int:
    """Ask the APIs that are due, those with running trainings first; returns how many were asked.

    The user's stored token is used for one thing only: to have the orchestrator confirm where the deployment is.
    Who has none left is passed over: their pages tell how old what they show is.
    """
    until = time.monotonic() + seconds
    _lose_the_gone()
    asked = 0
    for wave in _waves(list(_due())):
        if time.monotonic() > until:
            break
        confirmed = [due for deployment in wave if (due := _confirmed(deployment))]
        now = timezone.now()
        readings = side_by_side(
            [partial(api_ask, due.endpoint, describe=is_description_due(due.api, now)) for due in confirmed],
            at_once=AT_ONCE,
        )
        for due, reading in zip(confirmed, readings, strict=True):
            if not isinstance(reading, ServiceError):
                api_record(due.api, reading)
        asked += len(confirmed)
    batches_go_on(until=until)
    return asked


def _due() -> list[Deployment]:
    """Deployments whose API should be asked again, by urgency, then by how long ago that was."""
    now = timezone.now()
    alive = Deployment.objects.alive().filter(status__in=COMPLETE).exclude(answers=False)
    of_api = alive.annotate(asked=F("api__asked_at"))
    due = passed("asked", IDLE_AGE, now) | Q(running_trainings__gt=0) & passed("asked", BUSY_AGE, now)
    rows = of_api.filter(due, outputs__icontains="deepaas").select_related("owner")
    rows = rows.order_by("-running_trainings", F("asked").asc(nulls_first=True), "pk")
    return list(rows.for_list()[:PER_RUN])


def _waves(deployments: list[Deployment]) -> list[list[Deployment]]:
    """Groups of at most AT_ONCE with at most PER_USER of one user, in the given order otherwise."""
    waves: list[list[Deployment]] = []
    left = deployments
    while left:
        wave: list[Deployment] = []
        later: list[Deployment] = []
        counts: dict[int, int] = defaultdict(int)
        for deployment in left:
            fits = len(wave) < AT_ONCE and counts[deployment.owner_id] < PER_USER
            (wave if fits else later).append(deployment)
            counts[deployment.owner_id] += fits
        waves.append(wave)
        left = later
    return waves


def _confirmed(deployment: Deployment) -> Due | None:
    """The API if this process may ask it now and its address is confirmed; a failed try counts as a look too."""
    api = api_of(deployment)
    if not api_claim(api):
        return None
    try:
        endpoint = endpoint_confirm(user=deployment.owner, deployment=deployment, trust=READ_TRUST)
    except LoginExpired:
        return None
    except (Problem, Deployment.DoesNotExist) as problem:
        log.info("The trainings of deployment %s were not read: %s", deployment.pk, problem)
        return None
    return Due(api, endpoint)


def _lose_the_gone() -> None:
    """Runs that still count as running although their deployment is known to be gone."""
    is_gone = Q(deployment__gone_at__isnull=False) | Q(deployment__status__in=ENDED)  # as ``Deployment.is_gone``
    gone = Training.objects.filter(is_gone, status__in=UNDER_WAY)
    deployments = list(gone.order_by().values_list("deployment", flat=True).distinct()[:500])
    if deployments:
        trainings_lose(deployments)
