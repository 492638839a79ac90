"""Log lines: whose request, no credential, no forged line; and text from outside made inert."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from deepdash.celery import drop_request_id, send_request_id, take_request_id
from deepdash.inert import inert, one_line
from deepdash.logs import JsonFormatter, RedactingFilter, RequestIdFilter, request_id

TOKEN = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZGEifQ.sig"


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    handler.addFilter(RequestIdFilter())
    handler.addFilter(RedactingFilter())
    logger = logging.getLogger("trial")
    logger.addHandler(handler)
    yield stream
    logger.removeHandler(handler)


def test_a_line_is_one_json_object_with_the_request_and_without_the_token(written: io.StringIO) -> None:
    marker = request_id.set("abc-12345")
    try:
        raise ValueError(f"bad token {TOKEN}")
    except ValueError:
        logging.getLogger("trial").exception("refused %s\nforged line", TOKEN)
    finally:
        request_id.reset(marker)

    lines = written.getvalue().splitlines()
    assert len(lines) == 1
    line = json.loads(lines[0])
    assert (line["request_id"], line["level"], line["logger"]) == ("abc-12345", "ERROR", "trial")
    assert "forged line" in line["message"]
    assert "ValueError" in line["exception"]
    assert TOKEN not in lines[0]


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]8;;http://evil.example\x07click\x1b]8;;\x07", "click"),
        ("\x1b]0;title\x1b\\after", "after"),
        ("user\u202egnp.exe", "usergnp.exe"),
        ("a\x00b\x07c\x9bd", "abcd"),
        ("a\r\nb\rc\u2028d", "a\nb\nc\nd"),
        ("tab\tand ünïcödé 🙂 stay", "tab\tand ünïcödé 🙂 stay"),
        ("שלום", "שלום"),
        ("half a \ud83d character", "half a  character"),
    ],
)
def test_text_from_outside_is_made_inert(text: str, plain: str) -> None:
    assert inert(text) == plain


def test_a_traceback_forges_no_line_and_steers_no_terminal(written: io.StringIO) -> None:
    handler = logging.getLogger("trial").handlers[0]
    handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    try:
        raise ValueError("\nINFO all is well \x1b[2J")
    except ValueError:
        logging.getLogger("trial").exception("refused")

    assert [line for line in written.getvalue().splitlines() if not line.startswith(" ")] == ["ERROR refused"]
    assert "all is well" in written.getvalue()
    assert "\x1b" not in written.getvalue()


def test_an_unfinished_terminal_command_swallows_nothing_that_can_hurt() -> None:
    assert "\x1b" not in inert("\x1b]0;never ends")
    assert "\n" not in one_line("a\nb")


def test_megabytes_of_escapes_take_no_time() -> None:
    assert len(inert("\x1b[" * 500_000 + "\x1b]" * 500_000)) < 2_000_000


class _Task:
    class request:  # noqa: N801  (as Celery names it)
        is_eager = False
        request_id = "of-the-page"


def test_the_request_id_travels_with_a_task() -> None:
    headers: dict[str, object] = {}
    marker = request_id.set("of-the-page")
    send_request_id(headers=headers)
    request_id.reset(marker)
    assert headers == {"request_id": "of-the-page"}

    take_request_id(task_id="0123456789abcdef", task=_Task)
    assert request_id.get() == "of-the-page"
    drop_request_id(task=_Task)
    assert request_id.get() == "-"


def test_a_task_of_the_scheduler_is_known_by_its_own_id() -> None:
    class Scheduled:
        class request:  # noqa: N801
            is_eager = False
            request_id = None

    take_request_id(task_id="0123456789abcdef", task=Scheduled)
    assert request_id.get() == "0123456789ab"
    drop_request_id(task=Scheduled)
