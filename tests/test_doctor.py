"""`manage.py doctor` beside the sandbox: everything well, then each thing broken in turn."""

import subprocess
import sys
from typing import Any

import pytest

from tests.stack import ROOT, Stack


def doctor(stack: Stack, *words: str, **keys: str) -> tuple[int, list[str]]:
    """Exit status and lines, with keys of the configuration changed for this one run."""
    environment = stack.environment | {"DEEPDASH_PUBLIC_URL": stack.url, "WORKERS": "1"}
    environment |= {f"DEEPDASH_{key}": value for key, value in keys.items()}
    done = subprocess.run(
        [sys.executable, "manage.py", "doctor", *words], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert "Traceback" not in done.stdout + done.stderr, done.stderr[-2000:]
    return done.returncode, done.stdout.splitlines()


def unwell(lines: list[str]) -> dict[str, str]:
    """Subject → the rest of the line, of what is not well."""
    found = [line.split(None, 1)[1].partition(": ") for line in lines if line.startswith(("warn", "FAIL"))]
    return {subject: text for subject, _, text in found}


def test_a_site_that_is_well(stack: Stack) -> None:
    status, lines = doctor(stack, "--strict")

    assert unwell(lines) == {}
    assert status == 0
    said = " ".join(lines)
    for what in ("IAM:", "redirect URI", "knows deepdash-sandbox", "Orchestrator: Version", "SLAM:", "CMDB:", "IM:",
                 "Monitoring:", "List of modules:", "Docker Hub:", "Templates:", "Webhook:", "Database: SQLite",
                 "Catalogue: Last refreshed"):  # fmt: skip
        assert what in said, lines


HTML: dict[str, Any] = {"status": 200, "body": "html"}


@pytest.mark.parametrize(
    ("service", "fault", "subject", "said"),
    [
        ("iam", {"close": True}, "IAM", "can’t be reached"),
        ("iam", {"status": 500}, "IAM", "reports a fault of its own"),
        ("iam", HTML, "IAM", "can’t be understood"),
        ("orchestrator", {"close": True}, "Orchestrator", "can’t be reached"),
        ("orchestrator", HTML, "Orchestrator", "something else seems to answer"),
        ("slam", {"status": 502, "body": "html"}, "SLAM", "reports a fault"),
        ("slam", HTML, "SLAM", "something else seems to answer"),
        ("cmdb", HTML, "CMDB", "something else seems to answer"),
        ("im", {"status": 503, "body": "html"}, "IM", "reports a fault"),
        ("monitoring", {"close": True}, "Monitoring", "can’t be reached"),
        ("github", {"status": 404, "body": "text"}, "List of modules", "Check the path in MODULES_YML"),
        ("dockerhub", {"status": 500, "body": "text"}, "Docker Hub", "reports a fault"),
    ],
)
def test_a_service_in_trouble_is_named_and_no_other(
    stack: Stack, service: str, fault: dict[str, Any], subject: str, said: str
) -> None:
    stack.fault(service, **fault)

    status, lines = doctor(stack)

    found = unwell(lines)
    assert set(found) == {subject}, lines
    assert said in found[subject]
    assert "→" in found[subject]
    assert status == 1


@pytest.mark.parametrize(
    ("keys", "subject", "said"),
    [
        ({"IAM_CLIENT_SECRET": "wrong"}, "IAM", "client: IAM refuses this dashboard's client (401)"),
        (
            {"PUBLIC_URL": "https://other.example.org", "TRUSTED_PROXIES": "1"},
            "IAM",
            "redirect URI: IAM refuses https://other.example.org/login/iam/authorized",
        ),
        ({"TOSCA_TEMPLATES_DIR": "/nowhere", "TOSCA_TEMPLATES_REPO": ""}, "Templates", "There is no folder /nowhere"),
        ({"COMMON_TOSCAS": '{"default": "none.yml"}'}, "Templates", "COMMON_TOSCAS names none.yml"),
        ({"DATABASE_URL": "postgres://x@127.0.0.1:9/x"}, "Database", "PostgreSQL does not answer"),
        ({"REDIS_URL": "redis://127.0.0.1:9"}, "Redis", "It does not answer"),
        ({"DATA_DIR": "/proc/nowhere"}, "Data folder", "can't be written"),
        ({"GITHUB_SECRET": ""}, "Webhook", "GITHUB_SECRET is not set"),
        ({"ORCHESTRATR_URL": "x"}, "Configuration", "Did you mean DEEPDASH_ORCHESTRATOR_URL?"),
        ({"SLAM_URL": "http://127.0.0.1:9"}, "SLAM", "can’t be reached"),
    ],
)
def test_a_mistake_in_the_configuration_is_named(stack: Stack, keys: dict[str, str], subject: str, said: str) -> None:
    if "DATA_DIR" in keys:  # the secrets are made there, unless given
        keys = keys | {"SECRET_KEY": "k2J8s-0dL1mQ5xZ7pR3vT9wY4bN6cF8hG",
                       "TOKEN_KEYS": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="}  # fmt: skip

    status, lines = doctor(stack, "--strict", **keys)

    assert any(line.partition(" ")[2].strip().startswith(f"{subject}:") and said in line for line in lines), lines
    assert status == 1


def test_what_is_well_can_be_left_out(stack: Stack) -> None:
    _, lines = doctor(stack, "--quiet")

    assert lines[-1].endswith("0 warnings, 0 failures.")
    assert len(lines) == 1
