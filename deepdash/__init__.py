"""deepdash: the dashboard with which researchers train models on the European research cloud."""

from deepdash.celery import app as celery_app

__all__ = ["celery_app"]
