"""How fast the catalogue is refreshed and shown, as ratios of one run: ``python -m benchmarks.catalogue``.

Everything in one process with a database of its own (SQLite, or the one of DEEPDASH_DATABASE_URL, which must be
empty); the outside is a small server on this machine that takes 50 ms for each answer. Writes catalogue.json.
"""

import hashlib
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

RESULTS = Path(__file__).with_name("catalogue.json")
LATENCY = 0.05  # seconds per outside call
MODULES = 32
ROUNDS = 15
WORDS = (
    "image", "audio", "plankton", "retina", "flora", "satellite", "river", "forecast", "detection", "segmentation",
    "cloud", "ocean", "species", "training", "network", "dataset", "pixels", "spectral", "resolution",
    "classification", "stream", "video", "anomaly", "speech", "birds", "melody", "weather", "glacier", "forest",
    "harbour",
)  # fmt: skip


class Outside(BaseHTTPRequestHandler):
    """Raw files and image tags of any number of modules, each answer late, with ETags."""

    protocol_version = "HTTP/1.1"
    texts: dict[str, str] = {}
    statuses: list[int] = []

    def do_GET(self) -> None:
        time.sleep(LATENCY)
        body = self.texts.get(urlsplit(self.path).path, "").encode()
        etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        status = 404 if not body else 304 if self.headers.get("If-None-Match") == etag else 200
        self.statuses.append(status)
        sent = body if status == 200 else b""
        self.send_response(status)
        self.send_header("ETag", etag)
        self.send_header("Content-Length", str(len(sent)))
        self.end_headers()
        self.wfile.write(sent)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is written."""


def publish(modules: int) -> None:
    """Put a list of modules there, with what it leads to."""
    from catalog.tests.conftest import TYPES_TEXT, make_metadata, make_tag

    names = [f"DEEP-OC-m{number:05}" for number in range(modules)]
    listed = "\n".join(f"- module: https://github.com/deephdc/{name}" for name in names)
    Outside.texts = {
        "/deephdc/deep-oc/master/MODULES.yml": listed,
        "/indigo-dc/tosca-types/master/custom_types.yaml": TYPES_TEXT,
    }
    for name in names:
        metadata = make_metadata(name, tosca=[])
        Outside.texts[f"/deephdc/{name}/master/metadata.json"] = json.dumps(metadata)
        tags = {"count": 2, "next": None, "results": [make_tag("cpu"), make_tag("gpu")]}
        Outside.texts[f"/v2/repositories/deephdc/{name.lower()}/tags"] = json.dumps(tags)


def refresh_ratios() -> dict[str, Any]:
    """A cold refresh against what latency alone would take, and one that finds nothing changed."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from catalog.services import AT_ONCE, catalog_refresh

    publish(MODULES)
    minimum = LATENCY + MODULES * 2 * LATENCY / AT_ONCE  # the list, then two calls for each module
    started = time.perf_counter()
    run = catalog_refresh(trigger="command")
    cold = time.perf_counter() - started
    if run.counts.get("failed") or run.counts.get("new", 0) < MODULES:
        raise RuntimeError(run.items)
    Outside.statuses.clear()
    with CaptureQueriesContext(connection) as statements:
        started = time.perf_counter()
        run = catalog_refresh(trigger="command")
        unchanged = time.perf_counter() - started
    written = {
        sql.split()[2 if sql.startswith("INSERT") else 1].strip('"')
        for sql in (query["sql"] for query in statements.captured_queries)
        if sql.startswith(("INSERT", "UPDATE"))
    }
    return {
        "minimum s": round(minimum, 2),
        "cold s": round(cold, 2),
        "cold / minimum": round(cold / minimum, 2),
        "unchanged s": round(unchanged, 2),
        "unchanged: answers": {str(status): Outside.statuses.count(status) for status in set(Outside.statuses)},
        "unchanged: tables written": sorted(written),
    }


def populate(modules: int) -> None:
    """As many modules as that, with descriptions of 150 words and half a dozen facets each."""
    from django.db import transaction

    from catalog.models import Module
    from catalog.testing import make_module

    chance = random.Random(1)  # noqa: S311 - the same catalogue each time
    with transaction.atomic():
        for number in range(Module.objects.count(), modules):
            keywords = [
                *chance.sample(["trainable", "inference", "pre-trained"], 2),
                chance.choice(["tensorflow", "pytorch", "keras", "scikit-learn"]),
                *chance.sample(WORDS, 3),
                f"topic {chance.randrange(300)}",
            ]
            make_module(
                f"deep-oc-filler-{number}",
                title=f"{chance.choice(WORDS).title()} {chance.choice(WORDS)} {number}",
                keywords=keywords,
                description=" ".join(chance.choices(WORDS, k=150)),
                licence=chance.choice(["MIT", "Apache 2.0", "GPLv3"]),
            )


def best_ms(ask: Callable[[int], Any], clock: Callable[[], float] = time.perf_counter) -> float:
    """Milliseconds of a call, which gets the number of the round, after one to warm up.

    The median of the better half: what else the machine does only ever adds, and in bursts.
    """
    ask(0)
    times = []
    for number in range(1, ROUNDS + 1):
        started = clock()
        ask(number)
        times.append((clock() - started) * 1000)
    return statistics.median(sorted(times)[: ROUNDS // 2])


def page_times() -> dict[str, tuple[float, int]]:
    """Milliseconds and statements of each page as the catalogue is now."""
    from django.contrib.auth.models import Permission
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from accounts.testing import make_user
    from catalog.models import Module

    curator = make_user(f"curator-{Module.objects.count()}", staff=True)
    curator.user_permissions.add(*Permission.objects.filter(content_type__app_label="catalog"))
    visitor, staff = Client(), Client()
    staff.force_login(curator)
    first = Module.objects.get(slug="deep-oc-filler-90")

    def changed(client: Client, path: str) -> None:
        first.save()
        client.get(path)

    pages: dict[str, Callable[[int], Any]] = {
        "catalogue": lambda number: visitor.get("/"),
        "a later page": lambda number: visitor.get(f"/?page={1 + number % 4}&sort=title"),
        "search for new words": lambda number: visitor.get(f"/?q={WORDS[number % 30]}+{WORDS[(number * 7 + 1) % 30]}"),
        "facets, new choice": lambda number: visitor.get(
            "/?"
            + "&".join(f"task={WORDS[(number + step) % 30]}" for step in range(3))
            + "&framework=keras&framework=pytorch"
        ),
        "catalogue after a change": lambda number: changed(visitor, "/"),
        "module": lambda number: visitor.get("/modules/deep-oc-filler-90"),
        "admin, modules": lambda number: staff.get("/admin/catalog/module/"),
        "admin, search": lambda number: staff.get(f"/admin/catalog/module/?q={WORDS[number % 30]}"),
        "admin, templates": lambda number: staff.get("/admin/catalog/template/"),
    }
    found = {}
    for name, ask in pages.items():
        # Processor time: the database works in this process, and two sizes can't be measured at the same moment.
        milliseconds = best_ms(ask, time.process_time)
        with CaptureQueriesContext(connection) as statements:
            ask(ROUNDS + 1)
        found[name] = milliseconds, len(statements)
    return found


def size_ratios() -> dict[str, Any]:
    """Each page at 10,000 modules against the same page at 100."""
    populate(100)
    small = page_times()
    populate(10_000)
    large = page_times()
    return {
        name: {
            "ms at 100": round(small[name][0], 1),
            "ms at 10,000": round(large[name][0], 1),
            "ratio": round(large[name][0] / small[name][0], 2),
            "statements": large[name][1],
        }
        for name in small
    }


def busy_ratios() -> dict[str, Any]:
    """Pages while 500 modules are refreshed: by a worker, as on a site, and as a process without a queue does it."""
    from django.db import connection
    from django.test import Client

    from catalog.models import Module
    from catalog.refresh.runs import request_run
    from catalog.tasks import take_up_refresh
    from deepdash import embedded

    visitor = Client()
    pages = ("/", "/?q=first+line", "/modules/deep-oc-m00001")

    def times(goes_on: Callable[[], bool]) -> dict[str, float]:
        found = {path: best_ms(lambda number, path=path: visitor.get(path)) for path in pages}  # type: ignore[misc]
        if not goes_on():
            raise RuntimeError("the refresh was over too soon")
        return found

    def in_thread() -> None:
        request_run("curator")
        embedded._run(take_up_refresh, None, None)
        connection.close()

    def is_under_way() -> bool:
        return Module.objects.filter(slug="deep-oc-m00100").exists()

    idle = times(lambda: True)
    publish(500)
    process = subprocess.Popen([sys.executable, "manage.py", "refresh_catalog"], stdout=subprocess.DEVNULL)
    while not is_under_way():
        time.sleep(0.05)
    by_process = times(lambda: process.poll() is None)
    process.wait()
    Module.objects.exclude(slug="deep-oc-m00001").delete()
    thread = threading.Thread(target=in_thread)
    thread.start()
    while not is_under_way():
        time.sleep(0.05)
    by_thread = times(thread.is_alive)
    thread.join()
    Module.objects.all().delete()
    return {
        path: {
            "ms idle": round(idle[path], 1),
            "ms, a worker": round(by_process[path], 1),
            "ratio": round(by_process[path] / idle[path], 2),
            "ms, without a queue": round(by_thread[path], 1),
            "ratio, without a queue": round(by_thread[path] / idle[path], 2),
        }
        for path in pages
    }


@contextmanager
def outside() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Outside)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()


def main() -> int:
    with tempfile.TemporaryDirectory() as folder, outside() as address:
        templates = Path(folder, "templates")
        templates.mkdir()
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "deepdash.settings",
            "DEEPDASH_DATA_DIR": folder,
            "DEEPDASH_LOG_LEVEL": "ERROR",
            "DEEPDASH_MODULES_YML": f"{address}/deephdc/deep-oc/master/MODULES.yml",
            "DEEPDASH_GITHUB_RAW_URL": address,
            "DEEPDASH_DOCKERHUB_URL": address,
            "DEEPDASH_TOSCA_TEMPLATES_DIR": str(templates),
            "DEEPDASH_ALLOWED_HOSTS": "testserver",
        }
        import django

        django.setup()
        from django.core.management import call_command

        from catalog.testing import TEMPLATE

        for name in ("deep-oc-marathon-webdav.yml", "deep-oc-marathon-minimal.yml"):
            (templates / name).write_text(TEMPLATE, encoding="utf-8")
        call_command("migrate", verbosity=0, skip_checks=True)
        call_command("collectstatic", verbosity=0, interactive=False, skip_checks=True)
        found = {"refresh": refresh_ratios(), "while a refresh runs": busy_ratios(), "size": size_ratios()}
    text = json.dumps(found, indent=2)
    RESULTS.write_text(text + "\n", encoding="utf-8")
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
