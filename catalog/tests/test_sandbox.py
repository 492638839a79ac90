"""A refresh against the sandbox: real sockets, real git, the sample catalogue."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from catalog.models import Module, RefreshRun, Template
from catalog.services import catalog_refresh
from catalog.testing import TEMPLATE, use_config
from sandbox.testing import SandboxThread

pytestmark = pytest.mark.django_db


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[SandboxThread]:
    with (
        SandboxThread() as running,
        use_config(
            DATA_DIR=str(tmp_path),
            MODULES_YML=f"{running.url}/github/deephdc/deep-oc/master/MODULES.yml",
            GITHUB_RAW_URL=f"{running.url}/github",
            DOCKERHUB_URL=f"{running.url}/dockerhub",
            TOSCA_TEMPLATES_DIR="",
            TOSCA_TEMPLATES_REPO=f"{running.url}/git/indigo-dc/tosca-templates.git",
            TOSCA_PARAMETERS_DIR="",
            TOSCA_TYPES={},
        ),
    ):
        yield running


def test_the_sample_is_read_followed_and_outlives_an_outage(sandbox: SandboxThread) -> None:
    assert catalog_refresh(trigger="start").state == RefreshRun.State.DONE
    assert Module.objects.for_list().filter(state="live").count() >= 10
    assert Template.objects.usable().filter(verdict="valid").count() >= 5
    commits = set(Template.objects.filter(source="folder").exclude(commit="").values_list("commit", flat=True))
    assert len(commits) == 1

    sandbox.control.call(
        "POST", "/catalogue/push", {"path": "deep-oc/deep-oc-marathon-minimal.yml", "content": TEMPLATE}
    )
    run = catalog_refresh(trigger="webhook")
    minimal = Template.objects.get(filename="deep-oc-marathon-minimal.yml")
    assert (minimal.raw, minimal.commit in commits) == (TEMPLATE, False), run.items

    live = Module.objects.for_list().filter(state="live").count()
    for service in ("github", "git", "dockerhub"):
        sandbox.control.fault(service, status=503, body="html")
    run = catalog_refresh(trigger="schedule")
    assert run.state == RefreshRun.State.DONE
    assert run.counts["failed"] > live
    assert Module.objects.for_list().filter(state="live").count() == live
    assert Template.objects.usable().filter(verdict="valid").count() >= 5
