"""As on a real site: several web processes; PostgreSQL, Redis, a worker and beat.

What is shared must be right whoever answers, and nobody's work is done twice.
"""

import json
import re
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.servers import Server, postgres, redis
from tests.stack import Stack, running
from tests.visitor import Visitor

PLANTED = {
    "IAM_CLIENT_SECRET": "deepdash-sandbox-secret",
    "SECRET_KEY": "planted-key-of-sessions-0123456789-abcdefgh",
    "METRICS_TOKEN": "planted-token-of-metrics-0123456789",
    "GITHUB_SECRET": "deepdash-sandbox-webhook-secret",
}


def figures(stack: Stack) -> dict[str, float]:
    token = stack.environment.get("DEEPDASH_METRICS_TOKEN", "")
    answer = requests.get(f"{stack.url}/metrics", headers={"Authorization": f"Bearer {token}"}, timeout=10)
    assert answer.status_code == 200
    lines = [line for line in answer.text.splitlines() if not line.startswith("#")]
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines}


Look = Callable[[dict[str, float], dict[str, Any]], bool]


def until(stack: Stack, look: Look, seconds: float = 30) -> None:
    """Wait until ``look(figures, answer of readyz)`` is true; fails when it is not in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found, ready = figures(stack), requests.get(f"{stack.url}/readyz", timeout=5).json()
        if look(found, ready):
            return
        time.sleep(0.2)
    raise AssertionError(f"{ready} {found}\n{stack.log[-3000:]}")


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Three web processes with SQLite and no Redis: `docker run -e WORKERS=3` of the Flask dashboard."""
    with running(tmp_path_factory.mktemp("several"), environment={"WORKERS": "3"}) as stack:
        yield stack


def test_several_processes_without_redis_share_what_they_count(several: Stack) -> None:
    def begin(_: int) -> int:
        return requests.get(f"{several.url}/login/iam", timeout=20, allow_redirects=False).status_code

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(begin, range(75))) <= {302, 429}
    # Counting in a database without locks may lose some under such a rush, and a minute may end in the middle of it.
    # But whoever answers, once one process says no, all do.
    assert 429 in (begin(0) for _ in range(150))
    assert [begin(0) for _ in range(6)] == [429] * 6


def test_several_processes_without_redis_refresh_the_catalogue_once(several: Stack) -> None:
    until(several, lambda found, ready: 'deepdash_catalogue_refreshes_total{result="done"}' in found)
    runs = several.manage("shell", "-c", "from catalog.models import RefreshRun as R; print('runs', R.objects.count())")
    assert "runs 2" in runs  # one by the command before the start, one by the three schedulers together


def test_several_processes_serve_one_session(several: Stack) -> None:
    visitor = Visitor(several.url)
    several.manage("shell", "-c", "from django.core.cache import cache; cache.clear()")
    visitor.sign_in("ada")
    for _ in range(12):
        assert visitor.get("/deployments").status == 200


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Server]]:
    folder = tmp_path_factory.mktemp("servers")
    with postgres(folder) as database, redis(folder) as broker:
        yield database, broker


@pytest.fixture(scope="module")
def site(servers: tuple[Server, Server], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    database, broker = servers
    keys = {
        **PLANTED,
        "DATABASE_URL": database.url,
        "REDIS_URL": broker.url,
        "LOG_FORMAT": "json",
        "LOG_LEVEL": "DEBUG",
    }
    more = {"WORKERS": "2", "ACCESS_LOG": "1"}
    with running(tmp_path_factory.mktemp("site"), extra=keys, environment=more) as stack:
        yield stack


def test_the_whole_journey_with_postgresql_redis_and_a_worker(site: Stack) -> None:
    ada = Visitor(site.url).sign_in("ada")
    page = ada.submit(
        ada.get("/module/deep-oc-alpine-flora"), "/module/", ("action", "deploy"),
        title="On a real site", **{"in-rclone_password": "planted-password-1"},
    )  # fmt: skip
    assert page.title == "On a real site", page.words[:400]
    assert "On a real site" in ada.get("/deployments?fresh=1").words
    called = 'deepdash_outside_calls_total{outcome="ok",service="The orchestrator"}'
    until(site, lambda found, ready: called in found)
    found = figures(site)
    assert any('deepdash_requests_total{method="POST"' in name for name in found)
    assert found["deepdash_queue_length"] >= 0


def test_ready_says_when_worker_or_redis_are_away_and_pages_go_on(site: Stack, servers: tuple[Server, Server]) -> None:
    site.manage("shell", "-c", "from deepdash.tasks import heartbeat; heartbeat.delay()")
    until(site, lambda found, ready: ready == {"ready": True, "down": [], "queued": 0})
    ada = Visitor(site.url).sign_in("ada")
    _, broker = servers
    broker.stop()
    try:
        assert requests.get(f"{site.url}/readyz", timeout=10).json() == {
            "ready": True, "down": ["cache", "queue"], "queued": None,
        }  # fmt: skip
        for path in ("/", "/modules/deep-oc-alpine-flora", "/deployments", "/slas", "/module/deep-oc-alpine-flora"):
            assert ada.get(path).status == 200, path
        assert Visitor(site.url).sign_in("ben").get("/deployments").status == 200
    finally:
        broker.start()
    until(site, lambda found, ready: ready["down"] == ["worker"])  # an emptied Redis knows of no heartbeat
    site.manage("shell", "-c", "from deepdash.tasks import heartbeat; heartbeat.delay()")
    until(site, lambda found, ready: ready["down"] == [])


def counted(stack: Stack, **keys: str) -> str:
    """How much of what matters is in a database, and what its first token decrypts to, as one text."""
    other = Stack(stack.url, stack.sandbox, stack.data, stack.environment | keys)
    return other.manage(
        "shell", "-v0", "-c",
        "from django.apps import apps\n"
        "for name in ('accounts.User', 'accounts.Token', 'catalog.Module', 'deployments.Deployment'):\n"
        "    print(name, apps.get_model(name).objects.count())\n"
        "print(apps.get_model('accounts.Token').objects.order_by('user_id').first().refresh_token)",
    )  # fmt: skip


def test_a_backup_of_postgresql_is_restored_whole(site: Stack, servers: tuple[Server, Server], tmp_path: Path) -> None:
    """The commands of docs/operations.md."""
    url, copy = servers[0].url, f"{servers[0].url}_copy"
    for command in (
        ["pg_dump", "--format=custom", "--no-owner", url, "--file", str(tmp_path / "deepdash.dump")],
        ["psql", "--quiet", url, "--command", "CREATE DATABASE deepdash_copy"],
        ["pg_restore", "--no-owner", "--exit-on-error", "--dbname", copy, str(tmp_path / "deepdash.dump")],
    ):
        subprocess.run(command, check=True)

    assert counted(site, DEEPDASH_DATABASE_URL=copy) == counted(site)


def test_a_site_moves_from_sqlite_to_postgresql(several: Stack, servers: tuple[Server, Server], tmp_path: Path) -> None:
    """The commands of docs/operations.md; the keys are those that the first host made for itself."""
    moved = f"{servers[0].url}_moved"
    subprocess.run(["psql", "--quiet", servers[0].url, "--command", "CREATE DATABASE deepdash_moved"], check=True)
    file = str(tmp_path / "all.json")
    several.manage(
        "dumpdata", "--natural-foreign", "--exclude", "contenttypes", "--exclude", "auth.permission",
        "--exclude", "sessions", "--exclude", "deepdash", "-o", file,
    )  # fmt: skip
    there = Stack(several.url, several.sandbox, several.data, several.environment | {"DEEPDASH_DATABASE_URL": moved})
    there.manage("migrate", "--no-input", "-v0")
    there.manage("loaddata", "-v0", file)

    assert "accounts.Token 1" in counted(several)
    assert counted(several, DEEPDASH_DATABASE_URL=moved) == counted(several)
    assert "eyJ" not in Path(file).read_text()  # tokens stay encrypted in the file


def planted(site: Stack) -> list[str]:
    """Everything secret that has passed through: configured, typed, issued by IAM, made by the dashboard."""
    Visitor(site.url).sign_in("ada", again=True)  # tokens to look for, also when a test runs alone
    issued = site.manage(
        "shell", "-v0", "-c",
        "from accounts.models import Token\n"
        "for token in Token.objects.all(): print(token.access_token, token.refresh_token, token.id_token)",
    ).split()  # fmt: skip
    found = [*PLANTED.values(), *TYPED, site.environment.get("DEEPDASH_TOKEN_KEYS", ""), *issued]
    return [secret for secret in found if len(secret) > 12]


TYPED = ("planted-password-1", "planted-password-of-storage", "planted-code-of-iam", "planted-signature-of-nobody",
         "planted-secret-of-a-callback", "planted-bearer-of-metrics", "planted-session-cookie")  # fmt: skip


def test_secrets_are_said_at_every_door(site: Stack) -> None:
    """What the searches below look for: each kind is sent to where it may end in a log, a row or a page."""
    ada = Visitor(site.url).sign_in("ada")
    page = ada.get("/storage")
    form = page.form("/storage")
    names = [name for name in form.fields if "password" in name]
    typed: dict[str, Any] = dict.fromkeys(names, "planted-password-of-storage")
    ada.submit(page, "/storage", **typed)
    key = str(uuid.uuid4())
    for method, path, headers in (
        ("GET", "/login/iam/authorized?code=planted-code-of-iam&state=x", {}),
        ("POST", "/reload", {"X-Hub-Signature-256": "sha256=planted-signature-of-nobody"}),
        ("POST", f"/callback/{key}/planted-secret-of-a-callback", {}),
        ("GET", "/metrics", {"Authorization": "Bearer planted-bearer-of-metrics"}),
        ("GET", "/deployments", {"Cookie": "deepdash_session=planted-session-cookie"}),
        ("GET", "/no/such/page?password=planted-password-1", {}),
    ):
        answer = requests.request(method, site.url + path, headers=headers, timeout=20, allow_redirects=False)
        assert answer.status_code < 500, path
        assert [secret for secret in TYPED if secret in answer.text] == [], path
    made = site.manage(
        "shell", "-v0", "-c",
        "from deployments.models import Deployment as D; d = D.objects.exclude(callback_secret='').first()\n"
        "print(d.submission_key, d.callback_secret)",
    ).split()  # fmt: skip
    assert requests.post(f"{site.url}/callback/{made[0]}/{made[1]}", timeout=20).status_code == 204
    end = time.monotonic() + 10
    while f"/callback/{made[0]}/[hidden]" not in site.log:  # written when the answer is out
        assert time.monotonic() < end, "the access log does not have it"
    assert made[1] not in site.log


def test_no_page_of_curators_and_no_figure_holds_a_secret(site: Stack) -> None:
    secrets = planted(site)
    grace = Visitor(site.url).sign_in("grace")
    pages = ["/admin/", *{link for link in grace.get("/admin/").links() if "/admin/" in link and "logout" not in link}]
    looked = [grace.get(page) for page in pages]
    looked += [grace.get(link) for page in looked for link in page.links() if link.endswith("/change/")][:40]
    assert len(looked) > 10
    text = "\n".join(page.text for page in looked) + json.dumps(figures(site))
    assert [secret for secret in secrets if secret in text] == []


def test_no_backup_holds_a_secret_in_plain(site: Stack, servers: tuple[Server, Server]) -> None:
    dump = subprocess.run(["pg_dump", "--data-only", servers[0].url], check=True, capture_output=True, text=True).stdout
    assert "On a real site" in dump
    assert [secret for secret in planted(site) if secret in dump] == []


def test_no_log_holds_a_secret_and_each_line_is_json(site: Stack) -> None:
    """Runs last: it reads all that gunicorn, worker and beat wrote in the tests above, at the most talkative level."""
    secrets = planted(site)
    assert len(secrets) > len(PLANTED) + len(TYPED) + 2
    ada = Visitor(site.url).sign_in("ada")
    ada.get("/deployments")
    ada.get("/deployments?fresh=1")
    text = site.log
    assert len(text) > 10_000
    for written in (r"\"GET /deployments\" 200", "celery beat", "deepdash.http"):  # a quote within JSON
        assert written in text, written
    assert [secret for secret in secrets if secret in text] == []
    assert not re.search(r"eyJ[\w-]{10,}\.eyJ", text)
    ours = [line for line in text.splitlines() if line.startswith("{")]
    assert len(ours) > 50
    print(f"{len(secrets)} secrets planted, {len(text.splitlines())} lines of log searched, none found")
