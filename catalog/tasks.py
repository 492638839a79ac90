"""The catalogue's background work."""

from celery import shared_task

from catalog.models import RefreshRun
from catalog.services import catalog_refresh


@shared_task  # type: ignore[untyped-decorator]  # celery is untyped
def refresh_catalog(trigger: str = RefreshRun.Trigger.SCHEDULE.value) -> None:
    """Refresh the catalogue, or leave the wish with whoever is doing so already."""
    catalog_refresh(trigger=trigger)
