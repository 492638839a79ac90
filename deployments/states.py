"""The words for a deployment's state: the orchestrator's own (contract 1.7) and ours beside them."""

from datetime import timedelta

from django.db import models
from django.utils.translation import gettext_lazy as _


class Status(models.TextChoices):
    """What ``Deployment.status`` holds. Only the last three are ours."""

    CREATE_IN_PROGRESS = "CREATE_IN_PROGRESS", _("Creating")
    CREATE_COMPLETE = "CREATE_COMPLETE", _("Created")
    CREATE_FAILED = "CREATE_FAILED", _("Creation failed")
    UPDATE_IN_PROGRESS = "UPDATE_IN_PROGRESS", _("Updating")
    UPDATE_COMPLETE = "UPDATE_COMPLETE", _("Updated")
    UPDATE_FAILED = "UPDATE_FAILED", _("Update failed")
    DELETE_IN_PROGRESS = "DELETE_IN_PROGRESS", _("Deleting")
    DELETE_COMPLETE = "DELETE_COMPLETE", _("Deleted")
    DELETE_FAILED = "DELETE_FAILED", _("Deletion failed")
    UNKNOWN = "UNKNOWN", _("Unknown")
    # Sent to the orchestrator, its answer not yet here.
    SUBMITTING = "SUBMITTING", _("Sending")
    # Sent, but no answer came: it may or may not exist.
    UNCERTAIN = "UNCERTAIN", _("Not known whether accepted")
    # No longer listed by the orchestrator.
    GONE = "GONE", _("Deleted")


# A service that has not answered so long after completion is no longer starting: it is silent.
BOOT_TIME = timedelta(minutes=30)

COMPLETE = (Status.CREATE_COMPLETE, Status.UPDATE_COMPLETE)
FAILED = (Status.CREATE_FAILED, Status.UPDATE_FAILED, Status.DELETE_FAILED)
MOVING = (Status.SUBMITTING, Status.CREATE_IN_PROGRESS, Status.UPDATE_IN_PROGRESS, Status.DELETE_IN_PROGRESS)
ENDED = (Status.GONE, Status.DELETE_COMPLETE)
HOLDING_NOTHING = (Status.CREATE_FAILED, Status.UNCERTAIN, *ENDED)
