"""tosca-parser is asked in processes of its own, which hold whatever it does."""

import json
import socket
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from catalog.tosca import verdict
from catalog.tosca.types import closure, import_urls, load_types, with_types
from catalog.tosca.verdict import Checker

GOOD = """
tosca_definitions_version: tosca_simple_yaml_1_0
topology_template:
  inputs: {cpus: {type: integer, default: 1}}
  node_templates:
    server: {type: tosca.nodes.Compute, capabilities: {host: {properties: {num_cpus: {get_input: cpus}}}}}
"""
BAD = GOOD.replace("tosca.nodes.Compute,", "tosca.nodes.Nonsense,")
TYPES = """
tosca_definitions_version: tosca_simple_yaml_1_0
node_types:
  my.Server: {derived_from: tosca.nodes.Compute, properties: {name: {type: string}}}
"""
IMPORTING = """
tosca_definitions_version: tosca_simple_yaml_1_0
imports:
  - mine: http://types.example/a.yaml
topology_template:
  node_templates:
    server: {type: my.Server, properties: {name: a}}
"""


@pytest.fixture(scope="module")
def checker() -> Iterator[Checker]:
    with Checker() as made:
        yield made


def test_a_good_template_is_valid(checker: Checker) -> None:
    assert checker.check(GOOD, {}).verdict == "valid"


def test_a_bad_one_is_invalid_and_says_why_without_paths_of_this_server(checker: Checker) -> None:
    found = checker.check(BAD, {})
    assert found.verdict == "invalid"
    assert any("tosca.nodes.Nonsense" in message for message in found.errors)
    assert not any("/" in message or "Traceback" in message for message in found.errors)


def test_imported_types_are_put_in(checker: Checker) -> None:
    assert checker.check(IMPORTING, {"http://types.example/a.yaml": TYPES}).verdict == "valid"


def test_types_that_are_not_there_are_named(checker: Checker) -> None:
    found = checker.check(IMPORTING, {})
    assert (found.verdict, found.errors) == ("parser_failed", ("Its types can't be read: http://types.example/a.yaml",))


@pytest.mark.parametrize(
    "address", ["file:///etc/passwd", "/etc/hostname", "../../etc/passwd", "file:///dev/zero", "ftp://127.0.0.1/a"]
)
def test_an_import_of_a_file_of_this_server_is_not_read(checker: Checker, address: str) -> None:
    found = checker.check(IMPORTING.replace("http://types.example/a.yaml", address), {})
    assert found.errors == (f"Its types can't be read: {address}",)


def test_an_import_of_an_address_is_not_called(checker: Checker) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.3)
        found = checker.check(IMPORTING.replace("types.example", f"127.0.0.1:{server.getsockname()[1]}"), {})
        assert found.verdict == "parser_failed"
        with pytest.raises(TimeoutError):
            server.accept()


def test_a_crash_inside_the_library_is_a_verdict(checker: Checker) -> None:
    crash = GOOD.replace("{type: integer, default: 1}", "text")
    found = checker.check(crash, {})
    assert found.verdict == "parser_failed"
    assert len(found.errors) == 1


def test_five_thousand_wrong_keys_end_in_time(checker: Checker) -> None:
    text = GOOD + "".join(f"    wrong_{number}: {{type: tosca.nodes.Wrong}}\n" for number in range(2500))
    found = checker.check(text, {})
    assert found.verdict in {"invalid", "parser_failed"}
    assert 1 <= len(found.errors) <= 50


def test_a_check_that_hangs_is_ended_and_the_next_one_works() -> None:
    loop = TYPES + "  a.A: {derived_from: a.B}\n  a.B: {derived_from: a.A}\n"
    text = IMPORTING.replace("my.Server", "a.A")
    with Checker(children=1, seconds=1.0) as checker:
        found = checker.check(text, {"http://types.example/a.yaml": loop})
        assert (found.verdict, found.errors) == (
            "parser_failed", ("tosca-parser gave no answer within 1 seconds.",),
        )  # fmt: skip
        assert checker.check(GOOD, {}).verdict == "valid"


def test_threads_do_not_mix_up_each_others_errors(checker: Checker) -> None:
    wanted = ["valid", "invalid"] * 20
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda verdict: checker.check(GOOD if verdict == "valid" else BAD, {}).verdict, wanted))
    assert found == wanted


def test_the_children_end_with_the_work() -> None:
    with Checker(children=1) as checker:
        checker.check(GOOD, {})
        child = checker._idle.queue[0]
    assert child.process.poll() is not None
    assert child.process.stdin
    assert child.process.stdin.closed
    assert child.process.stdout
    assert child.process.stdout.closed


def test_a_child_that_has_died_is_replaced() -> None:
    with Checker(children=1) as checker:
        checker.check(GOOD, {})
        dead = checker._idle.queue[0]
        dead.process.kill()
        dead.process.wait()
        assert checker.check(GOOD, {}).verdict == "parser_failed"
        assert checker.check(BAD.replace("Nonsense", "Größe"), {}).errors[0].count("tosca.nodes.Größe") == 1
        assert checker._idle.queue == [checker._idle.queue[0]]
        assert checker._idle.queue[0] is not dead


@pytest.mark.parametrize("program", ["/bin/true", "/bin/not-there"])
def test_where_no_child_starts_that_is_an_error_and_not_a_verdict(
    program: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", program)
    with Checker(children=1) as checker:
        for _ in range(2):
            with pytest.raises(OSError, match="does not start" if program == "/bin/true" else "No such file"):
                checker.check(GOOD, {})
        assert checker._alive == 0


class Slow:
    """Stands in for a child that answers when it is told to."""

    started: list["Slow"] = []
    go = threading.Event()

    def __init__(self) -> None:
        self.asked: list[tuple[dict[str, object], float]] = []
        self.ended = False
        Slow.started.append(self)

    def ask(self, request: str, seconds: float) -> str:
        self.asked.append((json.loads(request), seconds))
        assert Slow.go.wait(30)
        return json.dumps({"verdict": "valid", "errors": ["a", "b"]})

    def end(self) -> None:
        self.ended = True


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Slow]]:
    monkeypatch.setattr(verdict, "_Child", Slow)
    monkeypatch.setattr(verdict, "PATIENCE", 0.05)
    monkeypatch.setattr(Slow, "started", [])
    monkeypatch.setattr(Slow, "go", threading.Event())
    yield Slow
    Slow.go.set()


def test_more_children_start_only_while_the_others_are_busy_and_no_more_than_allowed(slow: type[Slow]) -> None:
    with Checker(seconds=7) as checker, ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(checker.check, "text", {"address": "types"}) for _ in range(4)]
        until = time.monotonic() + 30
        while sum(len(child.asked) for child in slow.started) < 2 and time.monotonic() < until:
            time.sleep(0.01)
        time.sleep(0.3)
        assert [child.asked for child in slow.started] == [
            [({"template": "text", "types": {"address": "types"}}, 7)]
        ] * 2
        slow.go.set()
        assert [future.result(30) for future in asked] == [verdict.Verdict("valid", ("a", "b"))] * 4
        assert len(slow.started) == 2
        assert not any(child.ended for child in slow.started)
    assert all(child.ended for child in slow.started)
    assert checker._alive == 0


def test_one_child_is_prepared_and_then_used(slow: type[Slow]) -> None:
    slow.go.set()
    with Checker() as checker:
        checker.prepare()
        checker.prepare()
        assert len(slow.started) == 1
        for _ in range(3):
            checker.check("text", {})
        assert len(slow.started[0].asked) == 3
    assert len(slow.started) == 1


def test_a_child_knows_none_of_our_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEEPDASH_SECRET_KEY", "planted-secret")
    with Checker(children=1) as checker:
        checker.check(GOOD, {})
        child = checker._idle.queue[0]
        with open(f"/proc/{child.process.pid}/environ", encoding="utf-8") as environment:  # noqa: PTH123
            assert "planted-secret" not in environment.read()


def test_type_files_that_import_each_other_are_followed_once() -> None:
    known = {
        "a": load_types("imports: [b, {x: c}]\nnode_types: {n: {derived_from: from.a}}"),
        "b": load_types("imports: [a]\nnode_types: {n: {derived_from: from.b}, m: {}}"),
    }
    assert closure(["a"], known) == (["a", "b"], ["c"])


def test_what_is_nearer_wins_and_nothing_shared_is_touched() -> None:
    known = {
        "a": load_types("imports: [deep]\nnode_types: {n: {derived_from: from.a}}"),
        "b": load_types("node_types: {n: {derived_from: from.b}, m: {derived_from: from.b}}"),
        "deep": load_types("node_types: {m: {derived_from: from.deep}, o: {derived_from: from.deep}}"),
    }
    before = json.dumps(known)
    merged = with_types({"imports": ["b", {"name": {"file": "a"}}], "topology_template": {}}, known)
    origins = {name: spec["derived_from"] for name, spec in merged["node_types"].items()}
    assert origins == {"n": "from.a", "m": "from.b", "o": "from.deep"}
    merged["node_types"]["n"]["derived_from"] = "changed"
    assert json.dumps(known) == before
    assert "imports" not in merged


def test_imports_are_found_in_every_form() -> None:
    data = {"imports": ["a", {"n": "b"}, {"n": {"file": "c"}}, {"n": {"repository": "r"}}, 7, None]}
    assert import_urls(data) == ["a", "b", "c"]
    assert import_urls({"imports": "a"}) == ["a"]
    assert import_urls({}) == []


def test_no_thread_is_left_behind_by_the_clock_of_a_check(checker: Checker) -> None:
    checker.check(GOOD, {})
    time.sleep(0.05)
    assert not [thread for thread in threading.enumerate() if isinstance(thread, threading.Timer)]
