"""Watching what moves while nobody looks, so that notices come in time."""

import logging
import time

from django.core.cache import cache
from django.db.models import Min

from accounts.models import User
from deepdash.errors import Problem
from deployments.models import Deployment
from deployments.services import deployments_follow
from deployments.states import MOVING

log = logging.getLogger(__name__)

OWNERS = 100  # per run, those first who were looked at longest ago
SECONDS = 25.0  # a run ends before the next begins
PAUSE = 300  # seconds without another try for whom the last one failed


def deployments_watch() -> int:
    """Look at the moving deployments of users whose tokens we hold; returns how many owners were looked at.

    Bounded in number and time: who is left out comes first in the next run.
    """
    began, looked = time.monotonic(), 0
    owners = (
        Deployment.objects.alive()
        .filter(status__in=MOVING, owner__token__isnull=False, owner__is_active=True)
        .order_by()
        .values("owner")
        .annotate(seen=Min("seen_at"))
        .order_by("seen", "owner")
        .values_list("owner", flat=True)
    )
    chosen = list(owners[:OWNERS])
    users = User.objects.in_bulk(chosen)
    for user in (users[pk] for pk in chosen if pk in users):
        if time.monotonic() - began > SECONDS:
            log.info("Watching stopped after %d of %d owners: time is up", looked, len(users))
            break
        paused = f"deployments:watch-paused:{user.pk}"
        if cache.get(paused):
            continue
        looked += 1
        try:
            deployments_follow(user=user)
        except Problem as problem:  # the service is in trouble, the login has ended, a required group was left
            log.info("The deployments of user %s were not looked at: %s", user.pk, problem.id)
            cache.set(paused, True, PAUSE)
    return looked
