"""The Celery application: workers behind Redis, or, with no Redis configured, threads of this process."""

import os

from celery import Celery

from deepdash.config import config

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "deepdash.settings")

app = Celery("deepdash", task_cls=None if config.REDIS_URL else "deepdash.embedded:EmbeddedTask")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
