"""A disk that is full, for what is uploaded and what is logged.

A limit on the size of files, set on running processes, stands in for it: writes fail half-way as they do there (with
EFBIG in place of ENOSPC), in any container and without a mount. Logs also go to /dev/full, which says ENOSPC.
"""

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.faults.site import MODULE, Site, until
from tests.stack import Process, free_port, wait_for
from tests.visitor import Visitor

pytestmark = [pytest.mark.redis, pytest.mark.postgres]
BIG = b"leaf" * 1_000_000  # more than what is kept in memory


@contextmanager
def full_disk(processes: list[int], room: int) -> Iterator[None]:
    """The processes can write no file beyond ``room`` bytes."""
    for pid in processes:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))
    try:
        yield
    finally:
        for pid in processes:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def predict(visitor: Visitor, address: str) -> "tuple[int, str]":
    """Status and words of the answer to a prediction with a large file."""
    page = visitor.get(f"{address}/predict?fresh=1")
    form = dict(next(form for form in page.tree.forms if form.xpath(".//input[@type='file']")).form_values())
    answer = visitor.session.post(
        f"{address}/predict", data={**form, "action": "show"}, files={"a-image": ("leaf.png", BIG, "image/png")},
        headers={"Referer": page.url}, timeout=60,
    )  # fmt: skip
    return answer.status_code, " ".join(answer.text.split())


def test_no_room_for_an_upload(site: Site) -> None:
    ada = site.visitor("ada")
    address = site.deployed(ada, "Predicts")
    site.stack.control("DELETE", "calls")
    with full_disk(site.stack.web.children, 1_000_000):
        status, words = predict(ada, address)
        assert status == 422, words[:500]
        assert "There is no room for this file here right now. Try again later, or tell support." in words
        assert site.stack.calls("deepaas", "POST") == 0, "no half a file is sent"
        assert ada.get(MODULE).status == 200
    status, words = predict(ada, address)
    assert status == 200
    assert "Answer" in words


def test_no_room_for_logs(site: Site) -> None:
    """All processes write to one log, which can't grow: they go on, and so do the lines once there is room."""
    title, ada = "Sent while no log could be written", site.visitor("ada")
    stack = site.stack
    processes = [process.pid for process in (stack.web, stack.beat, *stack.workers)]
    processes += [*stack.web.children, *(pid for worker in stack.workers for pid in worker.children)]
    with full_disk(processes, 1000):  # the log is longer
        length = (stack.data / "web.log").stat().st_size
        for path in ("/", MODULE, "/deployments?fresh=1", "/slas?fresh=1", "/no-such-page"):
            assert ada.get(path).status in {200, 404}, path
        page = ada.submit(ada.get(MODULE), "/module/", ("action", "deploy"), title=title)
        assert page.title == title
        site.drop_heartbeat()
        site.call_task("deepdash.tasks.heartbeat")
        until(lambda: "worker" not in site.ready()["down"], "the worker works")
        assert (stack.data / "web.log").stat().st_size == length
    assert len(site.records(title)) == 1
    ada.get("/slas?fresh=1")
    until(lambda: (stack.data / "web.log").stat().st_size > length, "what is logged from now on is there")


def test_a_host_whose_log_is_full_from_the_start(site: Site) -> None:
    port = free_port()
    host: Process = site.stack.process("gunicorn", "-c", "gunicorn.conf.py", "deepdash.wsgi", PORT=str(port))
    host.log = type(site.stack.data)("/dev/full")
    host.start()
    try:
        wait_for(f"http://127.0.0.1:{port}/readyz", host, site.stack.data / "web.log")
        assert Visitor(f"http://127.0.0.1:{port}").get("/").status == 200
        assert os.waitpid(host.pid, os.WNOHANG) == (0, 0)
    finally:
        host.kill()
