"""The alarms that docs/operations.md advises: their figures exist, and are there when something is not."""

import re

import pytest
from django.test import Client
from pytest_django import Settings

from accounts.testing import configure
from deepdash import queue
from deepdash.config import BASE_DIR
from deepdash.metrics import PREFIX, exposition

pytestmark = pytest.mark.django_db


def test_every_figure_that_an_alarm_names_exists(client: Client) -> None:
    client.get("/")  # what pages are made of is loaded, and its figures with it
    named = set(re.findall(rf"{PREFIX}(\w+)", (BASE_DIR / "docs" / "operations.md").read_text("utf-8")))
    told = set(re.findall(rf"^# TYPE {PREFIX}(\w+)", exposition(), re.MULTILINE))
    assert len(named) > 6
    assert named <= told


def test_a_part_that_is_away_is_still_a_figure(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    configure(monkeypatch, REDIS_URL="redis://127.0.0.1:9")
    settings.CELERY_BROKER_URL = "redis://127.0.0.1:9/0"
    monkeypatch.setattr(queue, "heartbeat_age", lambda: None)
    said = exposition()
    assert 'deepdash_part_up{part="redis"} 0' in said
    assert 'deepdash_part_up{part="worker"} 0' in said
