"""The catalogue's background work."""

from celery import shared_task

from catalog.models import RefreshRun
from catalog.models.run import SILENCE
from catalog.services import catalog_refresh, catalog_take_up


@shared_task  # type: ignore[untyped-decorator]  # celery is untyped
def refresh_catalog(trigger: str = RefreshRun.Trigger.SCHEDULE.value) -> None:
    """Refresh the catalogue, or leave the wish with the process that is doing so already."""
    run = catalog_refresh(trigger=trigger)
    if run.state == RefreshRun.State.WAITING:
        # Should that process die, it is known to be dead after its silence, and the wish is taken up.
        take_up_refresh.apply_async(countdown=SILENCE.total_seconds() + 10)


@shared_task  # type: ignore[untyped-decorator]  # celery is untyped
def take_up_refresh() -> None:
    """Do a refresh that still waits, if its process is gone; else nothing."""
    catalog_take_up()
