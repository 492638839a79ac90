"""The site that is measured: a running dashboard with something of everything in it, and the addresses of its pages.

This process works on the same database as the dashboard, by the same code, to put things there.
"""

import os
import re
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from tests.stack import Stack, running
from tests.visitor import Visitor
from tools.up import HEAP

MODULE = "deep-oc-alpine-flora"


@dataclass(frozen=True)
class Site:
    """``stack`` runs, ``ada`` (a user) and ``grace`` (a curator) are signed in, ``pages`` are route → address."""

    stack: Stack
    ada: Visitor
    grace: Visitor
    pages: Mapping[str, str]


@contextmanager
def site() -> Iterator[Site]:
    """A running dashboard, with ``benchmarks.bare`` at /bare."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running(
            Path(folder),
            extra={"LOG_LEVEL": "WARNING"},
            application="benchmarks.bare",
            environment=HEAP,
        ) as stack,
    ):
        os.environ |= {**stack.environment, "DJANGO_SETTINGS_MODULE": "deepdash.settings"}
        import django

        django.setup()
        ada, grace = Visitor(stack.url).sign_in("ada"), Visitor(stack.url).sign_in("grace")
        yield Site(stack, ada, grace, _pages(ada, _furnish(ada)))


def _furnish(ada: Visitor) -> dict[str, str]:
    """A deployment that is ready, with trainings; a storage account. Returns what addresses are made with."""
    from accounts.models import User
    from deployments.models import Deployment, StorageAccount, TrainingBatch
    from deployments.trainings.testing import make_training
    from sandbox.providers import NORDIC

    form = ada.get(f"/module/{MODULE}")
    place = urlsplit(ada.submit(form, "/module/", ("action", "deploy"), title="Measured").url).path
    for _ in range(100):
        if "Ready" in ada.get(f"{place}?fresh=1").words:
            break
        time.sleep(0.1)
    ada.get(f"{place}/training?fresh=1")
    deployment = Deployment.objects.get(title="Measured")
    owner = User.objects.get(pk=deployment.owner_id)
    batch = TrainingBatch.objects.create(owner=owner, deployment=deployment, model="plants", state="done")
    account = StorageAccount.objects.create(
        owner=owner, label="Cloud", url="https://cloud.example.org/dav/", user_name="ada",
        password="-",  # noqa: S106
    )  # fmt: skip
    return {
        "slug": MODULE,
        "uuid": place.rpartition("/")[2],
        "id": place.rpartition("/")[2],
        "key": str(make_training(deployment).key),
        "deployments:batch key": str(batch.key),
        "pk": str(account.pk),
        "service": NORDIC.service_id,
    }


def _pages(ada: Visitor, samples: dict[str, str]) -> dict[str, str]:
    """Every page of the URL configuration that there is for ada's deployment, by its route."""
    from django.urls import get_resolver

    from tests.addresses import PAGES, STAFF, addresses, patterns

    routes = {name: re.sub(r"<\w+:", "<", f"/{route}") for name, route, _ in patterns(get_resolver())}
    found = {}
    for name, address in addresses(samples).items():
        if name == "deployments:measured":
            address += f"?service={samples['service']}"
        if name in STAFF or (name in PAGES and ada.get(address).status == 200):
            found[routes[name]] = address
    return dict(sorted(found.items()))
