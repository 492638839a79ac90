"""What the start refuses and what it warns of."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from pytest_django import Settings

from accounts.testing import configure
from deepdash import checks
from deepdash.config import BASE_DIR

LONG = SecretStr("k2J8s-0dL1mQ5xZ7pR3vT9wY4bN6cF8hG")


def found() -> set[str]:
    messages = [
        *checks.keys_are_known(),
        *checks.connections_are_protected(),
        *checks.secrets_are_shared_and_strong(),
        *checks.values_agree(),
    ]
    assert all(message.hint for message in messages)
    return {str(message.id) for message in messages}


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    """A laptop's configuration, whatever this machine's environment says."""
    monkeypatch.setattr(checks, "unknown_keys", list)
    settings.PUBLIC_HTTPS = settings.ENABLE_HTTPS = False
    configure(monkeypatch, DATABASE_URL="", REDIS_URL="", SECRET_KEY=SecretStr(""), TOKEN_KEYS=[])


def test_a_laptop_has_nothing_to_mend() -> None:
    assert found() == set()


@pytest.mark.parametrize(
    ("values", "id"),
    [
        ({"ORCHESTRATOR_URL": "http://paas.example.org"}, "deepdash.W002"),
        ({"MODULES_YML": "http://paas.example.org/MODULES.yml"}, "deepdash.W002"),
        ({"PUBLIC_URL": "http://dash.example.org"}, "deepdash.E001"),
        ({"PUBLIC_URL": "https://dash.example.org"}, "deepdash.W005"),
        ({"SECRET_KEY": SecretStr("changeme")}, "deepdash.E003"),
        ({"SECRET_KEY": SecretStr("a" * 60)}, "deepdash.E003"),
        ({"METRICS_TOKEN": SecretStr("short")}, "deepdash.W004"),
        ({"ALLOWED_HOSTS": ["*"]}, "deepdash.W007"),
        ({"IAM_BASE_URL": "https://iam.example.org"}, "deepdash.W008"),
        ({"ORCHESTRATOR_URL": "https://p.example.org", "SLAM_URL": "https://s.example.org"}, "deepdash.I001"),
        ({"EXTERNAL_LINKS": [{"url": "javascript:alert(1)"}]}, "deepdash.W009"),
    ],
)
def test_each_mistake_is_named(monkeypatch: pytest.MonkeyPatch, values: dict[str, Any], id: str) -> None:
    configure(monkeypatch, **values)

    assert id in found()


def test_plain_http_beside_us_is_no_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    local = {
        "ORCHESTRATOR_URL": "http://127.0.0.1:5002/o",
        "IM_URL": "http://localhost/im",
        "PUBLIC_URL": "http://[::1]",
    }
    configure(monkeypatch, **local)

    assert found() == set()


def test_a_mistyped_key_is_answered_with_the_right_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "unknown_keys", lambda: ["IAM_CLIENTID", "DEEPDASH_REDIS_ULR_FILE", "QUITE_ODD"])

    hints = [message.hint for message in checks.keys_are_known()]

    assert hints[:2] == ["Did you mean IAM_CLIENT_ID?", "Did you mean DEEPDASH_REDIS_URL_FILE?"]
    assert "look it up" in str(hints[2])


def test_several_hosts_need_secrets_of_their_own_and_a_public_site_does_not_start_without(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    configure(monkeypatch, DATABASE_URL="postgres://db/x", REDIS_URL="redis://r")
    assert found() == {"deepdash.W003"}

    settings.PUBLIC_HTTPS = True
    assert found() == {"deepdash.E002"}
    assert any("SECRET_KEY is not set although DATABASE_URL and REDIS_URL is" in text for text in checks.refusals())

    configure(monkeypatch, SECRET_KEY=LONG, TOKEN_KEYS=[LONG])
    assert found() == set()


def test_debug_pages_are_never_public(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    configure(monkeypatch, DEBUG=True)
    assert found() == set()

    settings.PUBLIC_HTTPS = True
    assert found() == {"deepdash.E004"}


def test_the_server_does_not_start_with_an_error_and_is_not_tried_again(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DEEPDASH_")}
    environment |= {"DEEPDASH_DATA_DIR": str(tmp_path), "DEEPDASH_PUBLIC_URL": "http://dash.example.org"}

    done = subprocess.run(
        [sys.executable, "-c", "import deepdash.wsgi"], cwd=BASE_DIR, env=environment, capture_output=True, text=True
    )

    assert done.returncode == 4  # gunicorn then ends as a whole
    assert "The dashboard does not start:\n  - PUBLIC_URL is a plain http address" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "command", [["-c", "import deepdash.wsgi"], ["manage.py", "check"], ["-m", "celery", "-A", "deepdash", "beat"]]
)
def test_a_configuration_that_cannot_be_read_ends_every_process_in_words(tmp_path: Path, command: list[str]) -> None:
    environment = {"PATH": "/usr/bin:/bin", "DEEPDASH_DATA_DIR": str(tmp_path), "DEEPDASH_REDIS_URL": "redis://r/3"}

    done = subprocess.run(
        [sys.executable, *command], cwd=BASE_DIR, env=environment, capture_output=True, text=True, timeout=60
    )

    assert done.returncode == 4
    assert "The configuration has mistakes:\n  - REDIS_URL: must end with host and port" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("/proc/self/nowhere", "secret-key: No such file or directory"),
        ("empty", "secret-key: is empty"),
        ("damaged", "token-key is no key for tokens."),
    ],
)
def test_a_data_folder_that_holds_no_keys_ends_the_start_in_words(tmp_path: Path, place: str, said: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "secret-key").touch()
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "token-key").write_text("damaged-key")
    environment = {"PATH": "/usr/bin:/bin", "DEEPDASH_DATA_DIR": str(tmp_path / place)}

    done = subprocess.run(
        [sys.executable, "-c", "import deepdash.wsgi"], cwd=BASE_DIR, env=environment, capture_output=True, text=True
    )

    assert done.returncode == 4
    assert "The dashboard does not start:" in done.stderr
    assert said in done.stderr
    assert not any(word in done.stderr + done.stdout for word in ("Traceback", "damaged-key"))


def test_no_message_prints_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    configure(monkeypatch, SECRET_KEY=SecretStr("planted"), METRICS_TOKEN=SecretStr("planted"))

    assert "planted" not in str(checks.secrets_are_shared_and_strong())
