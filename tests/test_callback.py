"""The orchestrator calls back over a real socket; what follows from it, and what does not follow from a forged call."""

import email
import email.policy
import re
import socketserver
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import pytest
import requests

from tests.places import deploy, until
from tests.stack import Stack, running
from tests.visitor import Visitor

PATIENCE = 60  # seconds


class Letterbox(socketserver.ThreadingTCPServer):
    """A mail server (RFC 5321) that keeps what it is given; ``letters`` are subjects, each with its text."""

    allow_reuse_address = daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Delivery)
        self.letters: list[str] = []


class _Delivery(socketserver.StreamRequestHandler):
    server: Letterbox

    def handle(self) -> None:
        self.wfile.write(b"220 letterbox\r\n")
        while line := self.rfile.readline():
            command = line[:4].upper()
            if command == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                lines = iter(lambda: self.rfile.readline(), b".\r\n")
                letter = email.message_from_bytes(b"".join(lines), policy=email.policy.default)
                self.server.letters.append(f"{letter['Subject']}\n{letter.get_content()}")
            self.wfile.write(b"221 bye\r\n" if command == b"QUIT" else b"250 ok\r\n")
            if command == b"QUIT":
                return


@dataclass
class Site:
    """A dashboard that knows its own address, and the mail server it sends to."""

    stack: Stack
    letters: list[str]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with Letterbox() as letterbox:
        threading.Thread(target=letterbox.serve_forever, args=(0.02,), daemon=True).start()
        mail = f"smtp://127.0.0.1:{letterbox.server_address[1]}"
        with running(
            tmp_path_factory.mktemp("callback"), extra={"EMAIL_URL": mail}, environment={"ACCESS_LOG": "1"}, public=True
        ) as stack:
            yield Site(stack, letterbox.letters)
        letterbox.shutdown()


def eventually(site: Site, what: str, seen: "list[str]") -> str:
    """The first of ``seen`` (filled meanwhile) that holds the text."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if found := [text for text in seen if what in text]:
            return found[0]
        time.sleep(0.05)
    raise AssertionError(f"{what!r} never came: {seen}\n{site.stack.log[-2000:]}")


def address_of(stack: Stack, title: str) -> str:
    """The callback address of a deployment, which nobody but the orchestrator is told."""
    told = stack.manage(
        "shell", "-v0", "-c",
        "from deployments.callback import callback_url; from deployments.models import Deployment; "
        f"print(callback_url(Deployment.objects.get(title={title!r})))",
    )  # fmt: skip
    return told.strip().splitlines()[-1]


def test_when_it_ends_the_notice_the_mail_and_the_page_follow_though_nobody_looks(site: Site) -> None:
    ada = Visitor(site.stack.url).sign_in("ada")
    address = deploy(ada, "Told by the orchestrator")
    letter = eventually(site, "is deployed", site.letters)
    assert "Told by the orchestrator" in letter
    assert address in letter
    assert re.search(r'"POST /callback/\S+" 204', site.stack.log)
    assert "callback/" not in letter
    notices = ada.get("/notices").words
    assert "“Told by the orchestrator” is deployed" in notices
    assert "Deployed" in ada.get(address).tree.xpath("string(//*[@id='state'])")  # from the record: nobody asked

    failed = deploy(ada, "Ends badly", "deep-oc-always-fails")
    letter = eventually(site, "could not be created", site.letters)
    assert failed in letter
    assert "could not be created" in ada.get("/notices").words
    assert len(site.letters) == 2, "one letter for each, whoever saw it first"
    assert not Visitor(site.stack.url).sign_in("ben").get("/notices").words.count("Told by the orchestrator")


def test_a_forged_call_changes_nothing_and_costs_next_to_nothing(site: Site) -> None:
    stack = site.stack
    ada = Visitor(stack.url).sign_in("ada")
    page = deploy(ada, "Left alone")
    until(ada, page, "Open API")
    right = address_of(stack, "Left alone")
    assert right.startswith(f"{stack.url}/callback/")
    key, secret = right.rsplit("/", 2)[1:]
    lie = {"uuid": page.rsplit("/", 1)[1], "status": "CREATE_FAILED", "statusReason": "lies", "outputs": {"x": "y"}}
    eventually(site, "Left alone", site.letters)  # what the true calls started has come to its end
    letters = len(site.letters)
    stack.control("DELETE", "calls")

    for wrong in (
        f"{key}/wrong",
        f"{key}/{secret[:-1]}",
        f"{key}/{secret}x",
        f"{uuid.uuid4()}/{secret}",
        f"x/{secret}",
    ):
        for _ in range(5):
            assert requests.post(f"{stack.url}/callback/{wrong}", json=lie, timeout=30).status_code == 404
    assert requests.get(right, timeout=30).status_code == 405
    assert stack.calls("orchestrator") <= 1  # a periodic look may fall into it; these were 25

    # Whoever knows the address may knock: the state is looked up once for all calls of a burst, and believed alone.
    began = time.monotonic()
    for body in (b"", b"\xff\xfe{{{", b'{"status": "CREATE_FAILED"}', b"[" * 100_000):
        for _ in range(5):
            assert requests.post(right, data=body, timeout=30).status_code == 204
    with suppress(requests.ConnectionError):  # it need not read to the end what it does not want
        answer = requests.post(right, data=b" " * 20_000_000, timeout=30)
        assert answer.status_code in {204, 400, 413}
    while not stack.calls("orchestrator") and time.monotonic() < began + PATIENCE:
        time.sleep(0.1)
    took = time.monotonic() - began
    assert 1 <= stack.calls("orchestrator") <= 1 + took / 2, "one look in two seconds at most"

    assert "failed" not in ada.get(page).tree.xpath("string(//*[@id='state'])").lower()
    assert "lies" not in ada.get(page).text
    assert len(site.letters) == letters
    assert "Traceback" not in stack.log
