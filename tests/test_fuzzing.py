"""Hostile input at every door: never an error 500, never a traceback, and a configuration is refused by key and reason.

The cases are made from a seed, so that each run is the same; each test prints how many it made. FUZZ_CASES multiplies
their number (1 in CI).
"""

import json
import os
import random
import runpy
import socket
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
import responses
from django.core.cache import cache
from django.core.checks import run_checks
from django.test import Client

from accounts.models import User
from accounts.testing import configure, give_token, make_user
from catalog.testing import make_module, make_template
from deepdash import config as config_module
from deepdash.config import BASE_DIR, Config, ConfigError, config_file_values, load_config
from deployments.models import Deployment
from deployments.testing import make_deployment
from deployments.tests.test_configure import FIELDS, RAW
from deployments.trainings.testing import TRAIN, make_api
from tests.addresses import ALL
from tests.stack import Stack

TIMES = int(os.environ.get("FUZZ_CASES", "1"))
TEXTS = (
    "", " ", "\0", "a\0b", "\r\n", "\x1b[31m", "\u202e", "\ufeff", "é" * 300, "x" * 70_000, "𝕏" * 500, "%", "%00",
    "%s%n", "'", '"', "' OR 1=1 --", "<script>alert(1)</script>", "{{7*7}}", "{0.__class__}", "../../etc/passwd",
    "-1", "0",
    "1e999", "NaN", "inf", "٣", "9" * 400, "1_000", "0x10", "1.5", "true", "null", "[]", "{}", "[" * 2000,
    '{"a":' * 500, "&a *a", "!!python/object:os.system x", "2026-02-30", "0000-00-00", "99999-01-01",
    "javascript:alert(1)", "http://169.254.169.254/", "http://[::1", "//x", "\\\\x\\y", "a" * 256, "--help", "$(id)",
    "`id`", ";", "\u2028",
)  # fmt: skip
NAMES = (
    "q", "status", "provider", "module", "group", "sort", "page", "created_from", "created_to", "fresh", "step",
    "known", "hardware", "docker_tag", "run", "toscaname", "title", "preset", "next", "model", "state", "old", "new",
    "preview", "raw", "uuid", "key", "pick", "again", "part", "action", "in-num_cpus", "framework", "capability",
    "licence", "x",
)  # fmt: skip


class Made:
    """Makes hostile values, the same ones for the same seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311 - no secrets are made

    def text(self) -> str:
        if self.random.random() < 0.6:
            return self.random.choice(TEXTS)
        length = self.random.choice((1, 3, 10, 60))
        return "".join(chr(self.random.choice((self.random.randrange(32, 127), self.random.randrange(1, 0xD7FF))))
                       for _ in range(length))  # fmt: skip

    def value(self, depth: int = 0) -> Any:
        """Anything that JSON can say."""
        kind = self.random.randrange(8 if depth < 3 else 5)
        if kind >= 6:
            return {self.text()[:200]: self.value(depth + 1) for _ in range(self.random.randrange(3))}
        if kind == 5:
            return [self.value(depth + 1) for _ in range(self.random.randrange(3))]
        return (self.text(), self.random.randrange(-(2**70), 2**70), None, True, 1.5)[kind]

    def header(self) -> str:
        """A value that a server lets through: no line breaks, at most Latin-1."""
        text = self.text().replace("\r", "").replace("\n", "").replace("\0", "")[:4000]
        return text.encode("latin-1", errors="replace").decode("latin-1")

    def changed(self, fields: dict[str, Any], names: tuple[str, ...]) -> list[tuple[str, Any]]:
        """A form's fields with some of them hostile, missing, twice, or invented."""
        pairs = list(fields.items())
        for _ in range(self.random.randrange(1, 5)):
            place, what = self.random.randrange(len(pairs)) if pairs else 0, self.random.randrange(5)
            if what <= 2 and pairs:
                pairs[place] = (pairs[place][0], self.text())
            elif what == 3 and pairs:
                del pairs[place]
            else:
                pairs.append((self.random.choice([*names, self.text()[:100]]), self.text()))
        return pairs


def sound(answer: Any, case: object) -> None:
    """No error of ours. A service that is not there (502 to 504) is no error here."""
    assert answer.status_code != 500, case
    assert answer.status_code < 500 or answer.status_code in {502, 503, 504}, case
    if not answer.streaming:
        assert b"Traceback" not in answer.content, case


def told(name: str, statuses: Counter[int]) -> None:
    print(f"fuzzing {name}: {statuses.total()} cases, answered {dict(sorted(statuses.items()))}")


@pytest.fixture
def ada(db: None) -> User:
    user = make_user("ada")
    give_token(user)
    return user


@pytest.fixture
def browser(ada: User) -> Client:
    """An exception in a view is raised here, which says more than a 500."""
    client = Client(raise_request_exception=True)
    client.force_login(ada)
    return client


def posted(client: Client, path: str, pairs: list[tuple[str, Any]], **headers: str) -> Any:
    cache.clear()  # many more than the limits let one person do in a minute
    body = urlencode(pairs, errors="replace")
    return client.post(path, body, content_type="application/x-www-form-urlencoded", headers=headers)


def test_the_form_of_a_deployment(browser: Client) -> None:
    module = make_module(templates=(make_template(RAW, path="own.yml"),))
    made, statuses = Made(1), Counter[int]()
    path = f"/module/{module.slug}"
    for _ in range(100 * TIMES):
        action = made.random.choice(("deploy", "deploy", "apply", "review", "providers", "preset", made.text()))
        pairs = made.changed({"title": "x", **FIELDS, "submission_key": str(uuid.UUID(int=1)), "action": action}, NAMES)
        answer = posted(browser, path, pairs, **({"HX-Request": "true"} if made.random.random() < 0.3 else {}))
        sound(answer, pairs)
        statuses[answer.status_code] += 1
        address = (
            f"{path}?{urlencode([(f'in-{name}', made.text()[:3000]) for name in ('num_cpus', 'mem_size', 'labels')])}"
        )
        sound(browser.get(address), address)
        statuses[200] += 1
    told("the deployment form", statuses)


def test_the_form_of_a_training(browser: Client, ada: User) -> None:
    deployment: Deployment = make_api(ada)
    made, statuses = Made(2), Counter[int]()
    page = f"{deployment.get_absolute_url()}/training"
    fields = {"model": "plants", "a-data": "/srv", "a-epochs": "2", "a-rate": "0.1", "a-opt": "adam", "a-aug-shown": "",
              "a-weights": "1", "a-nested": "{}", "a-js": "x"}  # fmt: skip
    names = ("a-note", "a-when", "a-labels", "a-api_token", "set", "vary-epochs", "name", *NAMES)
    with responses.RequestsMock(assert_all_requests_are_fired=False) as wire:
        wire.post(TRAIN, status=503)
        for _ in range(60 * TIMES):
            pairs = made.changed(fields, names)
            for path in (page, f"{page}/batch", f"{page}/sets"):
                answer = posted(browser, path, pairs)
                sound(answer, (path, pairs))
                statuses[answer.status_code] += 1
    told("the training form", statuses)


def test_what_stands_in_addresses(browser: Client, ada: User) -> None:
    make_deployment(ada, title="One")
    made, statuses = Made(3), Counter[int]()
    paths = sorted(path for path in ALL.values() if "callback" not in path and "logout" not in path)
    for _ in range(200 * TIMES):
        path = made.random.choice(paths)
        if made.random.random() < 0.3:
            path = path.rstrip("/") + "/" + quote(made.text()[:300], safe="/", errors="replace")
        query = urlencode([(made.random.choice(NAMES), made.text()[:3000]) for _ in range(made.random.randrange(4))])
        answer = browser.get(f"{path}?{query}", headers={"HX-Request": "true"} if made.random.random() < 0.3 else {})
        sound(answer, (path, query))
        statuses[answer.status_code] += 1
    told("addresses and queries", statuses)


HEADERS = (
    "Host", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Port", "Forwarded", "X-Request-ID",
    "Accept-Language", "Accept", "Accept-Encoding", "Cookie", "Authorization", "HX-Request", "HX-Boosted", "HX-Target",
    "HX-Current-URL", "HX-Trigger", "HX-Prompt", "HX-History-Restore-Request", "If-None-Match", "If-Modified-Since",
    "Range", "Referer", "Origin", "User-Agent", "X-CSRFToken", "Content-Type",
)  # fmt: skip


def test_headers(browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    made, statuses = Made(4), Counter[int]()
    paths = (
        "/",
        "/login",
        "/login/iam",
        "/deployments",
        "/metrics",
        "/healthz",
        "/static/none.css",
        "/reload",
        "/notices/read",
    )
    for _ in range(200 * TIMES):
        configure(monkeypatch, TRUSTED_PROXIES=made.random.randrange(3))
        headers = {name: made.header() for name in made.random.sample(HEADERS, made.random.randrange(1, 5))}
        if "Cookie" in headers and made.random.random() < 0.7:
            headers["Cookie"] = f"deepdash_session={made.header()}; csrftoken={made.header()}; django_language=x"
        client = browser if made.random.random() < 0.5 else Client(raise_request_exception=True)
        path = made.random.choice(paths)
        cache.clear()
        kind = headers.pop("Content-Type", "application/octet-stream")
        answer = client.post(path, b"x", content_type=kind, headers=headers) if path in paths[-2:] else client.get(
            path, headers=headers
        )  # fmt: skip
        sound(answer, (path, headers))
        statuses[answer.status_code] += 1
    told("headers", statuses)


def test_bytes_on_the_wire(stack: Stack) -> None:
    """What no client library would send, to the running server, which answers or hangs up, and goes on."""
    made, statuses = Made(5), Counter[int]()
    host, port = stack.url.removeprefix("http://").split(":")
    before = stack.log.count("Traceback")
    for _ in range(80 * TIMES):
        names = [made.random.choice(HEADERS) for _ in range(made.random.randrange(4))]
        lines = [f"{name}: {made.text()}".encode(errors="replace") for name in names]
        path = f"GET /{made.text()} HTTP/1.1".encode(errors="replace")
        first = made.random.choice((b"GET / HTTP/1.1", b"POST /reload HTTP/1.1", b"GET /\xff\xfe HTTP/1.1",
                                    b"PUT / HTTP/9", b"\x16\x03\x01", path))  # fmt: skip
        odd = made.random.choice((b"", b"Content-Length: -1", b"Content-Length: 9" * 2, b"Transfer-Encoding: x",
                                  b"Content-Length: 5\r\nTransfer-Encoding: chunked"))  # fmt: skip
        request = b"\r\n".join([first, f"Host: {host}:{port}".encode(), b"Connection: close", odd, *lines, b"", b"x"])
        with socket.create_connection((host, int(port)), timeout=10) as wire:
            wire.sendall(request.replace(b"\r\n\r\nHost", b"\r\nHost"))
            wire.shutdown(socket.SHUT_WR)
            answer = b""
            try:
                while piece := wire.recv(65536):
                    answer += piece
            except ConnectionError:
                pass
        status = int(answer[9:12]) if answer.startswith(b"HTTP/1.") else 0
        assert status < 500 or status in {501, 505}, (request[:300], answer[:300])
        assert b"Traceback" not in answer, request[:300]
        statuses[status] += 1
    assert stack.log.count("Traceback") == before, stack.log[-3000:]
    told("bytes on the wire (0: hung up)", statuses)


def test_the_callback_and_the_webhook(ada: User) -> None:
    """The webhook's signed bodies are tried in catalog/tests/test_webhook.py."""
    deployment = make_deployment(ada)
    made, statuses = Made(6), Counter[int]()
    client = Client(raise_request_exception=True)
    for _ in range(120 * TIMES):
        secret = made.random.choice((deployment.callback_secret, made.text()[:200] or "x"))
        key = made.random.choice(
            (str(deployment.submission_key), str(uuid.UUID(int=made.random.getrandbits(128))), "x")
        )
        kinds = (
            "application/json",
            "application/x-www-form-urlencoded",
            "text/plain",
            "multipart/form-data; boundary=x",
        )
        body = json.dumps(made.value()).encode() if made.random.random() < 0.5 else made.text().encode(errors="replace")
        for path in (f"/callback/{key}/{quote(secret, safe='')}", "/reload"):
            cache.clear()
            answer = client.post(path, body, content_type=made.random.choice(kinds))
            sound(answer, (path, body))
            statuses[answer.status_code] += 1
    told("callback and webhook", statuses)


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in list(os.environ):
        if name.startswith("DEEPDASH_"):
            monkeypatch.delenv(name)
    yield
    config_file_values.cache_clear()


def read() -> Config | ConfigError:
    try:
        return load_config()
    except ConfigError as error:
        return error


def test_the_configuration(bare: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is refused names its key; what is taken makes settings and goes through the checks without a crash."""
    made, outcomes = Made(7), Counter[str]()
    keys = list(Config.model_fields)
    prefixes = ("", "https://", "http://", "redis://", "rediss://h", "postgres://h/", "postgres://u:p@h:", "smtp://")
    path = tmp_path / "config.json"
    for number in range(400 * TIMES):
        changed = made.random.sample(keys, made.random.randrange(1, 3))
        values = {key: made.value() if made.random.random() < 0.2 else made.random.choice(prefixes) + made.text()
                  for key in changed}  # fmt: skip
        text = (
            json.dumps(values)
            if number % 20
            else made.random.choice((made.text(), "[" * 9000, '{"a":' * 9000, "\udc80"))
        )
        path.write_bytes(text.encode(errors="surrogatepass"))
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("DEEPDASH_CONFIG", str(path))
            if made.random.random() < 0.2:
                patch.setenv(f"DEEPDASH_{made.random.choice(keys)}", made.text().replace("\0", ""))
            config_file_values.cache_clear()
            loaded = read()
            if isinstance(loaded, ConfigError):
                assert loaded.problems, values
                for problem in loaded.problems:
                    assert problem.split(":")[0] in keys or problem.startswith((str(path), "DEEPDASH_")), problem
                    assert problem.split(":", 1)[-1].strip(), problem
                outcomes["refused"] += 1
                continue
            for key in keys:
                patch.setitem(config_module.config.__dict__, key, getattr(loaded, key))
            patch.setitem(config_module.config.__dict__, "DATA_DIR", str(tmp_path))
            runpy.run_path(str(BASE_DIR / "deepdash" / "settings.py"))
            outcomes["taken, with complaints" if [m for m in run_checks() if m.level > 20] else "taken"] += 1
    print(f"fuzzing the configuration: {outcomes.total()} cases, {dict(outcomes)}")
    assert min(outcomes["refused"], outcomes.total() - outcomes["refused"]) > 20, outcomes
