"""gunicorn.conf.py: what the environment says of processes and ports, and how the server's own lines look."""

import json
import logging
import runpy
from typing import Any

import pytest
from gunicorn.config import Config as ServerConfig

from deepdash.config import BASE_DIR

NUMBERS = {"WORKERS": "workers", "THREADS": "threads", "TIMEOUT": "timeout"}


def server(monkeypatch: pytest.MonkeyPatch, **environment: str) -> dict[str, Any]:
    for name in (*NUMBERS, "PORT", "BIND", "ENABLE_HTTPS", "DEEPDASH_LOG_FORMAT"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return runpy.run_path(str(BASE_DIR / "gunicorn.conf.py"))


def test_what_is_empty_counts_as_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    usual, empty = server(monkeypatch), server(monkeypatch, **dict.fromkeys((*NUMBERS, "PORT", "BIND"), ""))
    for name in (*NUMBERS.values(), "bind"):
        assert empty[name] == usual[name]
    assert usual["bind"] == "127.0.0.1:5001"
    assert server(monkeypatch, WORKERS=" 3 ")["workers"] == 3


@pytest.mark.parametrize(("name", "value"), [("WORKERS", "0"), ("WORKERS", "two"), ("TIMEOUT", "1m"), ("PORT", "-1")])
def test_what_is_no_number_ends_the_start_in_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, value: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        server(monkeypatch, **{name: value})
    assert ended.value.code == 4
    assert capsys.readouterr().err == f"{name} has to be a whole number of at least 1, not {value!r}.\n"


def test_https_is_switched_on_in_the_words_of_all_switches(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "certfile" in server(monkeypatch, ENABLE_HTTPS="True")
    assert "certfile" in server(monkeypatch, ENABLE_HTTPS="yes")
    assert "certfile" not in server(monkeypatch, ENABLE_HTTPS="no")


def test_the_servers_own_lines_are_json_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    logger = server(monkeypatch, DEEPDASH_LOG_FORMAT="json")["ServerLogger"](ServerConfig())
    try:
        logger.error("Worker was sent %s!", "SIGKILL")
        line = json.loads(capsys.readouterr().err)
    finally:
        for name in ("gunicorn.error", "gunicorn.access"):
            logging.getLogger(name).handlers.clear()
    assert (line["level"], line["logger"], line["message"]) == ("ERROR", "gunicorn.error", "Worker was sent SIGKILL!")
