"""What could hurt whoever loads it is refused before it is loaded, at a bounded cost."""

import time
import tracemalloc

import pytest
import yaml

from catalog.tosca.guard import MAX_BYTES, MAX_DEPTH, MAX_EVENTS, Refused, check_yaml, explain
from catalog.tosca.loader import load_template, load_yaml, plain

SECONDS, MEBIBYTES = 5.0, 32  # of this thread, so that a busy machine does not count

HEAD = "tosca_definitions_version: tosca_simple_yaml_1_0\n"
TOPOLOGY = "topology_template: {inputs: {a: {type: string}}}\n"

HOSTILE = {
    "an object tag": HEAD + "x: !!python/object/apply:os.system [id]\n" + TOPOLOGY,
    "an unknown tag": HEAD + "topology_template: !evil {}\n",
    "brackets nested 25,000 deep": "[" * 25_000 + "]" * 25_000,
    "maps nested 25,000 deep": "{a: " * 25_000 + "}" * 25_000,
    "block maps nested 60 deep": "\n".join(" " * level + "a:" for level in range(60)),
    "a billion laughs": "a0: &a0 [lol]\n"
    + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 10)),
    "a merge-key bomb": "a0: &a0 {x: 1}\n"
    + "".join(f"a{i}: &a{i}\n  <<: [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 10)),
    "a merge key without an alias": "a: {<<: {b: 1}}\n" + TOPOLOGY,
    "an anchor that holds itself": "a: &a [*a]\n" + TOPOLOGY,
    "an anchor nobody uses": "a: &a 1\n" + TOPOLOGY,
    "a second document": TOPOLOGY + "---\n" + TOPOLOGY,
    "more bytes than any template has": "description: " + "x" * MAX_BYTES + "\n" + TOPOLOGY,
    "more parts than any template has": "a: [" + "1," * 21_000 + "]\n" + TOPOLOGY,
    "own node types that derive from each other": TOPOLOGY
    + "node_types: {a: {derived_from: b}, b: {derived_from: a}}\n",
    "own data types that derive from each other": TOPOLOGY
    + "data_types: {a: {derived_from: b}, b: {derived_from: a}}\n",
    "an own node type with a pattern that runs for ever": TOPOLOGY
    + 'node_types: {a: {properties: {p: {type: string, constraints: [{pattern: "^(a+)+$"}]}}}}\n',
    "repositories": TOPOLOGY + "repositories: {r: {url: http://127.0.0.1:1/}}\n",
    "an integer of 5,000 digits": f"topology_template: {{inputs: {{a: {{type: integer, default: {'9' * 5000}}}}}}}\n",
    "a date that does not exist": "topology_template: {inputs: {a: {type: timestamp, default: 2020-99-99}}}\n",
    "a mapping as a key": "topology_template: {inputs: {? {a: b} : c}}\n",
    "a lone surrogate": 'topology_template: {inputs: {a: {type: string, default: "\\ud800"}}}\n',
    "a NUL character": 'topology_template: {inputs: {a: {type: string, default: "a\\0b"}}}\n',
    "not a number": "topology_template: {inputs: {a: {type: float, default: .nan}}}\n",
    "infinity": "topology_template: {inputs: {a: {type: float, default: -.inf}}}\n",
    "binary data": "topology_template: {inputs: {a: {default: !!binary aGk=}}}\n",
    "no YAML at all": "a: [1, 2\nb: }",
    "nothing": "",
    "null": "null\n",
    "a list": "[]\n",
    "a text": "hello\n",
    "a topology that is a text": "topology_template: hello\n",
    "inputs that are a list": "topology_template: {inputs: [a, b]}\n",
    "a control character": "a: \x07\n" + TOPOLOGY,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_it_is_refused_with_a_reason_in_bounded_time_and_memory(text: str) -> None:
    tracemalloc.start()
    started = time.thread_time()
    try:
        with pytest.raises(Refused) as refusal:
            plain(load_template(text))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert time.thread_time() - started < SECONDS
    assert peak < MEBIBYTES * 1024 * 1024
    assert 5 < len(str(refusal.value)) < 500


def test_a_refusal_says_where() -> None:
    with pytest.raises(Refused, match="line 3"):
        check_yaml("a: 1\nb: 2\nc: &d 3\n")
    with pytest.raises(Refused, match="line 2, column"):
        check_yaml("a: 1\nb: ]\n")


def test_the_values_keep_the_type_that_yaml_1_1_gives_them() -> None:
    assert load_yaml("[yes, 'yes', no, 1, 1.0, '1', 22.10, ~]") == [True, "yes", False, 1, 1.0, "1", 22.1, None]


def test_dates_become_text_and_odd_keys_too() -> None:
    data = load_yaml("{when: 2020-09-08, at: 2020-09-08T10:00:00Z, 2: a, yes: b}")
    assert plain(data) == {"when": "2020-09-08", "at": "2020-09-08T10:00:00+00:00", "2": "a", "true": "b"}


def test_keys_that_no_template_should_have_are_left_to_the_verdict() -> None:
    assert "\xa0os_users" in load_template(TOPOLOGY + "\xa0os_users: {}\n")


def test_a_repeated_key_is_no_reason_to_refuse() -> None:
    assert load_template("description:\ndescription: second\n" + TOPOLOGY)["description"] == "second"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: 1\nb: &x 1", "Anchors are not taken (&x in line 2)."),
        ("a: 1\nb: *x", "Aliases are not taken (*x in line 2)."),
        ("a: 1\nb: !e 1", "Tags are not taken (!e in line 2)."),
        ("a: 1\nb: !e {}", "Tags are not taken (!e in line 2)."),
        ("a: !" + "e" * 90 + " 1", "Tags are not taken (!" + "e" * 79 + " in line 1)."),
        ("a: 1\n---\nb: 1", "It holds a second document in line 2."),
        ("a: 1\n<<: {}", "Merge keys (<<) are not taken in line 2."),
        ('a: 1\nb: "\\0"', "A text holds a NUL character in line 2."),
        ("[" * 41 + "]" * 41, "It is nested more than 40 levels deep in line 1."),
        ("x" * (300 * 1024), "It has 300 KiB; at most 256 KiB are read."),
        ("[" + "1," * MAX_EVENTS + "]", "It has more than 20000 parts."),
        ("a: 1\nb: ]", "It is not YAML: did not find expected node content in line 2, column 4"),
        ("a: \x07", "It is not YAML: control characters are not allowed"),
    ],
)
def test_each_refusal_names_its_reason_and_its_place(text: str, reason: str) -> None:
    with pytest.raises(Refused) as refusal:
        check_yaml(text)
    assert str(refusal.value) == reason


def test_what_just_keeps_the_limits_is_taken() -> None:
    check_yaml("[" * MAX_DEPTH + "]" * MAX_DEPTH)
    check_yaml("[" + "[]," * 100 + "{}," * 100 + "]")  # beside each other, not within
    check_yaml("[" + "1," * (MAX_EVENTS - 5) + "]")  # the document, the list and their ends are events too
    check_yaml("x" * MAX_BYTES)
    check_yaml("a: '<<'\n'<<': b")  # a text, no merge key
    with pytest.raises(Refused, match="levels deep"):
        check_yaml("[" * 30 + "[]," * 20 + "[" * 20 + "]" * 50)  # what has ended leaves the rest as deep as it was
    with pytest.raises(Refused):
        check_yaml("[" + "1," * (MAX_EVENTS - 4) + "]")
    with pytest.raises(Refused):
        check_yaml("é" * (MAX_BYTES // 2) + "x")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (yaml.MarkedYAMLError(problem="odd", context="while reading"), "odd"),
        (yaml.MarkedYAMLError(context="while reading"), "while reading"),
        (yaml.MarkedYAMLError(), "syntax error"),
        (yaml.YAMLError("two\n words"), "two words"),
    ],
)
def test_an_error_without_a_place_is_explained_without_one(error: yaml.YAMLError, words: str) -> None:
    assert explain(error) == words


def test_text_that_has_no_bytes_is_said_to_be_none() -> None:
    with pytest.raises(Refused, match=r"^It is not text that YAML allows: .*surrogate"):
        check_yaml("a: \ud800")
