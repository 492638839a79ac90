"""Tasks without a queue: in threads, and the heavy ones in processes of their own that end with whoever asked."""

import os
import signal
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from deepdash import embedded
from deepdash.celery import app
from deepdash.config import BASE_DIR
from deepdash.embedded import EmbeddedTask

MANAGE = [sys.executable, str(BASE_DIR / "manage.py")]


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Commands that would have been started; they end at once, as they should."""
    commands: list[list[str]] = []

    def start(command: list[str], **options: Any) -> "subprocess.Popen[bytes]":
        commands.append(command)
        return popen([sys.executable, "-c", ""], stdin=subprocess.PIPE)

    popen = subprocess.Popen
    monkeypatch.setattr("deepdash.embedded.subprocess.Popen", start)
    return commands


def task(name: str, apart: Any) -> tuple[Any, list[tuple[Any, ...]]]:
    """A task that notes its calls."""
    calls: list[tuple[Any, ...]] = []

    @app.task(name=name, base=EmbeddedTask, apart=apart, lazy=False)  # type: ignore[untyped-decorator]  # celery is untyped
    def noted(*args: Any, **kwargs: Any) -> None:
        calls.append((args, kwargs))

    return noted, calls


@pytest.mark.django_db
def test_a_task_that_keeps_the_processor_runs_in_a_process_of_its_own(started: list[list[str]]) -> None:
    heavy, calls = task("tests.heavy", staticmethod(lambda: True))
    embedded._run(heavy, ["schedule"], None)
    assert calls == []
    assert started[0][2:4] == ["run_task", "tests.heavy"]
    assert '[["schedule"], {}]' in started[0]


@pytest.mark.django_db
def test_a_task_with_nothing_much_to_do_stays_in_its_thread(started: list[list[str]]) -> None:
    for name, apart in (("tests.light", None), ("tests.idle", staticmethod(lambda: False))):
        light, calls = task(name, apart)
        embedded._run(light, None, {"key": 1})
        assert calls == [((), {"key": 1})]
    assert started == []


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A site of its own, whose list of modules is at a server that takes calls and never answers."""
    keys = {key: value for key, value in os.environ.items() if not key.startswith("DEEPDASH_")}
    return {**keys, "DEEPDASH_DATA_DIR": str(tmp_path), "DEEPDASH_SECRET_KEY": "x" * 50}


def test_a_leashed_process_ends_with_whoever_started_it(tmp_path: Path, environment: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        environment["DEEPDASH_MODULES_YML"] = f"http://127.0.0.1:{silent.getsockname()[1]}/MODULES.yml"
        subprocess.run([*MANAGE, "migrate", "-v0", "--skip-checks"], env=environment, check=True)
        process = subprocess.Popen(
            [*MANAGE, "run_task", "catalog.tasks.refresh_catalog", "--leashed"],
            env=environment,
            stdin=subprocess.PIPE,
        )
        silent.settimeout(60)
        silent.accept()  # it is in the midst of it
        assert states(tmp_path) == ["running"]
        process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM
    assert states(tmp_path) == ["abandoned"], "so that another process takes it up at once"


def states(folder: Path) -> list[str]:
    with closing(sqlite3.connect(next(folder.glob("*.sqlite3")))) as database:
        return [row[0] for row in database.execute("select state from catalog_refreshrun")]


def test_an_unknown_task_is_refused(environment: dict[str, str]) -> None:
    done = subprocess.run([*MANAGE, "run_task", "tests.no-such-task"], env=environment, capture_output=True, text=True)
    assert done.returncode == 1
    assert "no task tests.no-such-task" in done.stderr
