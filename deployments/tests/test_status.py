"""The Status table of the interface, row by row."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from deployments.states import BOOT_TIME, Status
from deployments.status import describe
from deployments.testing import make_deployment

NOW = timezone.now()
SITE = {"provider_name": "provider-SITE"}


@pytest.mark.parametrize(
    ("fields", "label", "tone", "icon", "step"),
    [
        ({"status": "SUBMITTING"}, "Sending", "busy", "spin", ""),
        ({"status": "UNCERTAIN"}, "Unknown", "idle", "help", "Try now"),
        ({"status": "CREATE_IN_PROGRESS"}, "Creating: choosing a provider", "busy", "spin", ""),
        (
            {"status": "CREATE_IN_PROGRESS", "task": "DEPLOYER", **SITE},
            "Creating: starting at SITE",
            "busy",
            "spin",
            "",
        ),
        ({"status": "CREATE_IN_PROGRESS", "task": "NONE", **SITE}, "Creating: starting at SITE", "busy", "spin", ""),
        ({"status": "CREATE_COMPLETE", "answers": True, "answered_at": NOW}, "Ready", "ok", "ok", "Open"),
        ({"status": "UPDATE_COMPLETE", "answers": True, "answered_at": NOW}, "Ready", "ok", "ok", "Open"),
        ({"status": "CREATE_COMPLETE", "answers": False}, "Starting", "busy", "clock", ""),
        (
            {"status": "CREATE_COMPLETE", "answers": False, "answered_at": NOW},
            "Not answering",
            "warn",
            "alert",
            "See why",
        ),
        (
            {"status": "CREATE_COMPLETE", "answers": False, "status_since": NOW - BOOT_TIME},
            "Not answering",
            "warn",
            "alert",
            "See why",
        ),
        ({"status": "CREATE_COMPLETE"}, "Deployed", "idle", "ok", "Open"),
        ({"status": "CREATE_FAILED"}, "Creation failed", "bad", "fail", "Change and try again"),
        ({"status": "CREATE_FAILED", "module_slug": ""}, "Creation failed", "bad", "fail", "See why"),
        ({"status": "UPDATE_IN_PROGRESS"}, "Updating", "busy", "spin", ""),
        ({"status": "UPDATE_FAILED"}, "Update failed", "warn", "alert", "See why"),
        ({"status": "DELETE_IN_PROGRESS"}, "Deleting", "busy", "spin", ""),
        ({"status": "DELETE_FAILED"}, "Deletion failed", "bad", "fail", "Delete again"),
        ({"status": "DELETE_COMPLETE"}, "Deleted", "idle", "idle", "Clone"),
        ({"status": "GONE"}, "Deleted", "idle", "idle", "Clone"),
        ({"status": "GONE", "module_slug": ""}, "Deleted", "idle", "idle", ""),
        ({"status": "GONE", "known_status": "UNCERTAIN"}, "Not deployed", "idle", "idle", "Change and try again"),
        ({"status": "UNKNOWN", "known_status": "CREATE_COMPLETE"}, "Unknown", "idle", "help", "Try now"),
        ({"status": "SOMETHING_NEW"}, "Something new", "idle", "help", ""),
    ],
)
def test_each_row(fields: dict[str, Any], label: str, tone: str, icon: str, step: str, owner: User) -> None:
    view = describe(make_deployment(owner, **fields))
    assert (view.label, view.tone, view.icon) == (label, tone, icon)
    assert (view.next_step.label if view.next_step else "") == step
    assert view.spinning == (icon == "spin")
    assert view.meaning


def test_when_the_orchestrator_is_silent_only_what_moved_is_unknown(owner: User) -> None:
    moving = describe(make_deployment(owner, status=Status.CREATE_IN_PROGRESS), unreachable=True)
    assert (moving.label, moving.sub, moving.spinning) == ("Unknown", "Was being created", False)
    still = describe(make_deployment(owner, answers=True), unreachable=True)
    assert still.label == "Ready"


def test_unknown_tells_what_was_known_before(owner: User) -> None:
    view = describe(make_deployment(owner, status="UNKNOWN", known_status="CREATE_COMPLETE"))
    assert view.sub == "Was deployed"


def test_how_long_it_takes_so_far(owner: User) -> None:
    made = make_deployment(owner, status=Status.CREATE_IN_PROGRESS, status_since=NOW, **SITE)
    assert describe(made, now=NOW).sub == "Starting at SITE, just begun"
    assert describe(made, now=NOW + timedelta(minutes=2)).sub == "Starting at SITE, 2 min so far"
    assert describe(made, now=NOW + timedelta(hours=5)).sub == "Starting at SITE, 5 h so far"


def test_the_form_to_try_again_carries_the_choices(owner: User) -> None:
    made = make_deployment(owner, status=Status.CREATE_FAILED)
    step = describe(made).next_step
    assert step is not None
    assert step.url == (
        f"/module/deep-oc-plants?hardware=cpu&run=deepaas&docker_tag=cpu&toscaname=default&from={made.uuid}"
    )
