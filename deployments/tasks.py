"""The background work of deployments. All of it bears being run twice, late, or not at all."""

import logging

from celery import shared_task

from deepdash.errors import Problem
from deployments.following import deployments_watch
from deployments.journal.notices import notices_forget, notices_mail
from deployments.models import Deployment
from deployments.popularity import modules_count_uses
from deployments.services import deployment_refresh

log = logging.getLogger(__name__)


@shared_task  # type: ignore[untyped-decorator]  # celery is untyped
def look_again(pk: int) -> None:
    """Read one deployment from the orchestrator, after its callback."""
    deployment = Deployment.objects.select_related("owner").filter(pk=pk, gone_at=None).first()
    if deployment is None:
        return
    try:
        deployment_refresh(user=deployment.owner, uuid=deployment.reference)
    except Problem as problem:
        log.info("Deployment %s was not read after its callback: %s", pk, problem.id)


@shared_task  # type: ignore[untyped-decorator]
def watch_moving() -> None:
    """Every half minute (CELERY_BEAT_SCHEDULE): what moves is looked at although nobody has its page open."""
    deployments_watch()
    notices_mail()  # what an earlier process took on and did not get to


@shared_task  # type: ignore[untyped-decorator]
def send_mails() -> None:
    """After notices were made."""
    notices_mail()


@shared_task  # type: ignore[untyped-decorator]
def forget_notices() -> None:
    """Every day (CELERY_BEAT_SCHEDULE)."""
    notices_forget()


@shared_task  # type: ignore[untyped-decorator]
def count_uses() -> None:
    """Now and then: how often modules were deployed."""
    modules_count_uses()
