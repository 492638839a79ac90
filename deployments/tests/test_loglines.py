"""Logs as people read them: numbered, trouble marked, searched."""

import pytest
import responses
from django.test import Client

from accounts.models import User
from deployments.loglines import MAX_LINES, log_lines
from deployments.testing import make_deployment
from deployments.tests.test_services import LIST

HTMX = {"HX-Request": "true"}
LOG = "TASK [docker : Install]\nok: [node]\nfatal: [node]: FAILED! => <b>docker</b>\nnode : ok=12 failed=0\n"


@pytest.mark.parametrize(
    "line",
    ["fatal: [node]: FAILED!", "ERROR! the role was not found", "Traceback (most recent call last):", "failed=1",
     "urllib3.exception: x", "10 errors", "UNREACHABLE! => {}"],
)  # fmt: skip
def test_what_tells_of_trouble(line: str) -> None:
    assert log_lines(line).errors == 1


@pytest.mark.parametrize(
    "line", ["ok=3 unreachable=0 failed=0", "no errors", "0 errors", "ignore_errors: true", "ok: x"]
)
def test_what_does_not(line: str) -> None:
    assert log_lines(line).errors == 0


def test_lines_that_have_the_words_keep_their_numbers() -> None:
    read = log_lines(LOG, " DOCKER ")
    assert [line.number for line in read.lines] == [1, 3]
    assert [line.is_error for line in read.lines] == [False, True]
    assert read.lines[0].parts == [("TASK [", False), ("docker", True), (" : Install]", False)]
    assert (read.found, read.total, read.first_error) == (2, 4, 3)


def test_what_is_searched_is_no_pattern() -> None:
    assert [line.number for line in log_lines(LOG, "[node]").lines] == [2, 3]
    assert log_lines(LOG, "((((").found == 0


def test_the_end_of_a_long_log_is_shown() -> None:
    read = log_lines("x\n" * (MAX_LINES + 5))
    assert read.left_out == 5
    assert (read.lines[0].number, read.lines[-1].number) == (6, MAX_LINES + 5)


def test_the_empty_log_has_no_lines() -> None:
    assert log_lines("", "x").lines == []


def test_the_page_searches_in_the_address_with_and_without_scripts(
    browser: Client, owner: User, wire: responses.RequestsMock
) -> None:
    mine = make_deployment(owner, deployment_kind="OPENSTACK", provider_name="p")
    wire.get(f"{LIST}/{mine.uuid}/log", body=LOG)
    address = f"/deployments/{mine.uuid}/log"
    page = browser.get(f"{address}?q=a%26b").content.decode()
    assert f'hx-get="{address}?q=a%26b" hx-trigger="load"' in page
    assert 'href="?q=a%26b&amp;fresh=1"' in page
    assert len(wire.calls) == 0
    for answer in (browser.get(f"{address}?q=docker&fresh=1"), browser.get(f"{address}?q=docker", headers=HTMX)):
        shown = answer.content.decode()
        assert "2 of 4 lines have “docker”." in shown
        assert '<span data-n="3" id="line-3" data-tone="bad">' in shown
        assert "&lt;b&gt;<mark>docker</mark>&lt;/b&gt;" in shown
        assert 'data-n="2"' not in shown
    nothing = browser.get(f"{address}?q=<i>&fresh=1").content.decode()
    assert "0 of 4 lines have “&lt;i&gt;”." in nothing
    whole = browser.get(f"{address}?fresh=1").content.decode()
    assert 'href="#line-3"' in whole
    assert browser.get(f"{address}?raw=1&q=docker").content.decode() == LOG
