"""Background work of the site as a whole."""

from celery import shared_task

from deepdash.queue import heartbeat_note


@shared_task  # type: ignore[untyped-decorator]  # celery is untyped
def heartbeat() -> None:
    """Every minute (CELERY_BEAT_SCHEDULE)."""
    heartbeat_note()
