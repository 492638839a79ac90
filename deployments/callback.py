"""The orchestrator's callback (contract 1.8): it may say that something changed, never what."""

import secrets
from typing import TYPE_CHECKING

from django.core.cache import cache
from django.db import transaction
from django.urls import reverse

from deepdash.config import config
from deepdash.queue import nudge
from deployments.models import Deployment

if TYPE_CHECKING:
    import uuid

SETTLING = 2  # seconds; callbacks of one change come in bursts, and one look afterwards sees them all


def callback_url(deployment: Deployment) -> str:
    """The address the orchestrator is given; empty when nobody told ours (PUBLIC_URL) or it was not made here."""
    if not (config.PUBLIC_URL and deployment.submission_key and deployment.callback_secret):
        return ""
    return config.PUBLIC_URL + reverse(
        "deployments:callback", args=[deployment.submission_key, deployment.callback_secret]
    )


def deployment_called_back(*, key: "uuid.UUID", secret: str) -> None:
    """Look at the deployment again soon, in the background and with its owner's token.

    Raises Deployment.DoesNotExist when the address was not one of ours.
    """
    deployment = Deployment.objects.only("pk", "callback_secret", "gone_at").get(submission_key=key)
    if not deployment.callback_secret or not secrets.compare_digest(
        deployment.callback_secret.encode(), secret.encode()
    ):
        raise Deployment.DoesNotExist
    if deployment.gone_at is None and cache.add(f"deployments:callback:{deployment.pk}", True, SETTLING):
        from deployments.tasks import look_again

        transaction.on_commit(lambda: nudge(look_again, deployment.pk, countdown=SETTLING))
