"""One of everything in a running stack, all Ada's: what tests of every page look at."""

import re
import time
from dataclasses import dataclass

from sandbox.providers import NORDIC
from tests.addresses import SAMPLES, addresses
from tests.stack import Stack
from tests.visitor import Page, Visitor

MODULE = "deep-oc-alpine-flora"
MACHINE = "deep-oc-demo-app?toscaname=virtual+machine"
PATIENCE = 60  # seconds; a busy computer needs them, no other one does


@dataclass(frozen=True)
class Places:
    """Addresses of a running, a failed and a machine deployment, and by name those of all pages, with their query."""

    ready: str
    failed: str
    machine: str
    pages: dict[str, str]


def deploy(visitor: Visitor, title: str, module: str = MODULE, **values: str) -> str:
    """The path of a new deployment."""
    page = visitor.submit(visitor.get(f"/module/{module}"), "/module/", ("action", "deploy"), title=title, **values)
    assert page.title == title, page.words[:500]
    return page.url.removeprefix(visitor.base).partition("?")[0]


def until(visitor: Visitor, address: str, *words: str) -> Page:
    """The page as soon as it says one of these words."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        page = visitor.get(f"{address}?fresh=1")
        if any(word in page.words for word in words):
            return page
        time.sleep(0.1)
    raise AssertionError(f"{address} never says {words}: {page.words[:800]}")


def settle(stack: Stack) -> Places:
    """Deploy, train and save whatever the pages need to have something to show."""
    stack.heal()
    ada = Visitor(stack.url).sign_in("ada")
    ready = deploy(ada, "Seen ready")
    failed = deploy(ada, "Seen failed", "deep-oc-always-fails")
    machine = deploy(ada, "Seen machine", MACHINE)
    until(ada, ready, "Open API")
    until(ada, failed, "Creation failed")
    until(ada, machine, "Manage")
    until(ada, machine, "Update…")

    page = until(ada, f"{ready}/training", "Start training")
    page = ada.submit(page, f"{ready}/training", ("action", "start"), **{"a-dataset": "/srv/data", "a-epochs": "1"})
    page = until(ada, f"{ready}/training", "Done")
    run = next(found[1] for link in page.links() if (found := re.search(r"/training/([0-9a-f-]{36})$", link)))
    page = ada.get(f"{ready}/training/batch")
    values = {"axis_1": "epochs", "values_1": "2, 3", "a-dataset": "/srv/data"}
    page = ada.submit(page, f"{ready}/training/batch", ("action", "start"), **values)
    batch = page.url.rsplit("/", 1)[1].partition("?")[0]
    ada.submit(page, f"/{batch}/stop")

    url = f"{stack.sandbox}/storage/remote.php/dav/files/ada/"
    ada.submit(ada.get("/storage"), "/storage", label="Cloud", url=url, user_name="ada", password="storage-of-ada")
    page = ada.get("/storage")
    account = next(found[1] for link in page.links() if (found := re.search(r"/storage/([0-9]+)$", link)))

    of_machine, uuid = machine.rsplit("/", 1)[1], ready.rsplit("/", 1)[1]
    samples = SAMPLES | {"slug": MODULE, "uuid": uuid, "id": uuid, "key": run, "pk": account}
    samples |= {f"deployments:{name} uuid": of_machine for name in ("nodes", "update", "secrets", "log")}
    samples |= {"deployments:batch key": batch}
    pages = addresses(samples)
    pages["deployments:measured"] += f"?service={NORDIC.service_id}"
    pages["deployments:compare"] += f"?run={run}"
    pages["deployments:delete_many"] += f"?pick={uuid}&pick={of_machine}"
    return Places(ready, failed, machine, pages)
