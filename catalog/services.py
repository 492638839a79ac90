"""Refreshing the catalogue."""

from catalog.models import RefreshRun


def catalog_refresh(*, trigger: str) -> RefreshRun:
    """Bring the catalogue up to date with its sources; see ``catalog.refresh``."""
    raise NotImplementedError
