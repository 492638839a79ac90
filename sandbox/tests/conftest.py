"""One sandbox for all tests of a run, fifty times as fast as life."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.testing import SandboxThread
from sandbox.world import SAMPLE


@pytest.fixture(scope="session")
def catalogue_dir() -> Path:
    """The catalogue folder: the sample, or the one SANDBOX_CATALOGUE names."""
    return Path(os.environ.get("SANDBOX_CATALOGUE") or SAMPLE)


@pytest.fixture(scope="session")
def sandbox(catalogue_dir: Path) -> Iterator[SandboxThread]:
    """A running sandbox with ``url`` and ``control``; tests that change it use ``fresh``."""
    with SandboxThread(catalogue=catalogue_dir) as running:
        yield running


@pytest.fixture
def fresh(sandbox: SandboxThread) -> SandboxThread:
    """The sandbox as freshly started: no faults, calls, deployments, tokens or changed settings."""
    sandbox.control.reset()
    return sandbox
