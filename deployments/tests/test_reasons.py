"""Why it failed, in plain words."""

import pytest

from deployments.reasons import explained, phase_of, reason_of
from deployments.states import Status

DASHES = "-" * 64
TWO = f"""Retries on cloud providers exhausted. Error list is:

{DASHES}
Cloud Provider <provider-NORDIC-ML>
Cloud Provider Service <NORDIC-ML_6c1b0a52>

Timeout: Maximum execution time exceeded.

{DASHES}
Cloud Provider <provider-ALPINE-CLOUD>
Cloud Provider Service <ALPINE-CLOUD_77aa>

Failed to pull image deephdc/nothing:
manifest unknown
"""


def test_the_attempts_are_taken_apart() -> None:
    reason = reason_of(TWO, "CREATE_FAILED")
    assert reason is not None
    first, second = reason.attempts
    assert (first.name, first.service, first.cause) == (
        "NORDIC-ML",
        "NORDIC-ML_6c1b0a52",
        "Timeout: Maximum execution time exceeded.",
    )
    assert first.explanation.short == "It did not come up in time"
    assert second.cause == "Failed to pull image deephdc/nothing:\nmanifest unknown"
    assert second.explanation.short == "The Docker image could not be fetched"
    assert reason.explanation.short == "Two providers tried"
    assert reason.raw == TWO.strip()


def test_the_same_cause_everywhere_is_said_once() -> None:
    reason = reason_of(
        TWO.replace("Failed to pull image deephdc/nothing:\nmanifest unknown", "Timeout: Maximum execution time"),
        "CREATE_FAILED",
    )
    assert reason is not None
    assert reason.explanation.short == "Two providers tried: it did not come up in time"
    assert reason.explanation.advice


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("No cloud provider meets the deployment requirements", "No provider meets its requirements"),
        ("Error fetching SLA for customer <x> from SLAM.", "Your agreements with providers could not be used"),
        ("No SLA with id 5f0d available", "Your agreements with providers could not be used"),
        ("Only a single placement policy is supported", "Its template names several providers"),
        ("Quota exceeded for cores", "The provider’s quota is used up"),
        ("No valid host was found", "The provider had no room for it"),
        ("Insufficient nvidia.com/gpu", "No GPU was free"),
        ("Something new\nsecond line", "Something new"),
        ("x" * 500, "x" * 120 + "…"),
    ],
)
def test_causes_in_plain_words(text: str, short: str) -> None:
    assert explained(text).short == short


@pytest.mark.parametrize("text", ["", "  \n "])
def test_no_reason(text: str) -> None:
    assert reason_of(text, "CREATE_FAILED") is None


@pytest.mark.parametrize(
    "text", [f"{DASHES}\n", f"x\n{DASHES}\n{DASHES}\nCloud Provider <", "Cloud Provider <a>", "<" * 5000]
)
def test_a_cut_off_text_is_still_a_reason(text: str) -> None:
    reason = reason_of(text, "CREATE_FAILED")
    assert reason is not None
    assert reason.attempts == ()


TIMEOUT = "Timeout: Maximum execution time exceeded."


@pytest.mark.parametrize(
    ("text", "status", "short", "advice"),
    [
        (TIMEOUT, "CREATE_FAILED", "It did not come up in time", "Try again or elsewhere."),
        (TIMEOUT, "UPDATE_FAILED", "The update did not end in time", "It may still run as before"),
        (TIMEOUT, "DELETE_FAILED", "Its provider did not delete it in time", "Delete it again"),
        ("Connection refused", "DELETE_FAILED", "The provider could not be reached", "Delete it again later."),
        ("403 Forbidden", "DELETE_FAILED", "The provider did not accept your account", "delete it again"),
        ("Quota exceeded", "UPDATE_FAILED", "The provider’s quota is used up", "ask for less in the update"),
        ("No cloud provider meets x", "UPDATE_FAILED", "Its provider can’t meet the new requirements", "clone it"),
        ("Something new", "DELETE_FAILED", "Something new", "It may still hold resources."),
        ("Something new", "UPDATE_FAILED", "Something new", "It may still run as before."),
        ("Its deletion was given up here.", "DELETE_FAILED", "Its deletion was given up here", "Delete it again"),
    ],
)
def test_a_cause_means_something_else_when_updating_or_deleting(
    text: str, status: str, short: str, advice: str
) -> None:
    reason = reason_of(text, status)
    assert reason is not None
    assert reason.explanation.short == short
    assert advice in reason.explanation.advice


@pytest.mark.parametrize("status", [Status.UPDATE_FAILED, Status.DELETE_FAILED])
@pytest.mark.parametrize(
    "text",
    [
        TIMEOUT, "no cloud provider meets", "Error fetching SLA", "single placement policy", "quota", "no GPU",
        "manifest unknown", "No valid host", "out of memory", "health check", "ansible", "401", "unreachable", "new",
    ],
)  # fmt: skip
def test_nobody_is_told_to_deploy_elsewhere_what_exists(status: Status, text: str) -> None:
    advice = explained(text, phase_of(status)).advice
    assert advice
    for word in ("another provider", "or elsewhere", "Choose another template", "Deploy again"):
        assert word not in advice
