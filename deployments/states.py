"""The words for a deployment's state: the orchestrator's own (contract 1.7) and ours beside them."""

from datetime import timedelta

from django.db import models


class Status(models.TextChoices):
    """What ``Deployment.status`` holds. Only the last three are ours."""

    CREATE_IN_PROGRESS = "CREATE_IN_PROGRESS", "Creating"
    CREATE_COMPLETE = "CREATE_COMPLETE", "Created"
    CREATE_FAILED = "CREATE_FAILED", "Creation failed"
    UPDATE_IN_PROGRESS = "UPDATE_IN_PROGRESS", "Updating"
    UPDATE_COMPLETE = "UPDATE_COMPLETE", "Updated"
    UPDATE_FAILED = "UPDATE_FAILED", "Update failed"
    DELETE_IN_PROGRESS = "DELETE_IN_PROGRESS", "Deleting"
    DELETE_COMPLETE = "DELETE_COMPLETE", "Deleted"
    DELETE_FAILED = "DELETE_FAILED", "Delete failed"
    UNKNOWN = "UNKNOWN", "Unknown"
    # Sent to the orchestrator, its answer not yet here.
    SUBMITTING = "SUBMITTING", "Sending"
    # Sent, but no answer came: it may or may not exist.
    UNCERTAIN = "UNCERTAIN", "Not known whether accepted"
    # No longer listed by the orchestrator.
    GONE = "GONE", "Deleted"


# A service that has not answered so long after completion is no longer starting: it is silent.
BOOT_TIME = timedelta(minutes=30)

COMPLETE = (Status.CREATE_COMPLETE, Status.UPDATE_COMPLETE)
FAILED = (Status.CREATE_FAILED, Status.UPDATE_FAILED, Status.DELETE_FAILED)
MOVING = (Status.SUBMITTING, Status.CREATE_IN_PROGRESS, Status.UPDATE_IN_PROGRESS, Status.DELETE_IN_PROGRESS)
ENDED = (Status.GONE, Status.DELETE_COMPLETE)
HOLDING_NOTHING = (Status.CREATE_FAILED, Status.UNCERTAIN, *ENDED)
