"""Text typed for lists, maps and nested entries: what is made of it, and what is said when it does not fit."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from catalog.tosca.description import EntrySchema, constraints_of
from deployments.forms import values
from deployments.forms.values import lines_from, list_from_lines, map_from_lines, nested_from_yaml, scalar

LONG = "x" * 50


def schema(type: str, *rules: dict[str, Any], entries: EntrySchema | None = None) -> EntrySchema:
    return EntrySchema(type=type, constraints=constraints_of(list(rules)), entry_schema=entries)


def refusal(call: Callable[[], Any]) -> str:
    with pytest.raises(ValidationError) as caught:
        call()
    return " ".join(caught.value.messages)


@pytest.mark.parametrize(
    ("text", "entries", "made"),
    [
        ("  a \r\n \n\tb c\t", None, ["a", "b c"]),
        ("", None, []),
        ("1\n-2", schema("integer"), [1, -2]),
        ("0.5\n2", schema("float"), [0.5, 2.0]),
        ("yes\nTRUE\non\nNo\noff\nfalse", schema("boolean"), [True, True, True, False, False, False]),
        ("8 gb\n1.5MiB", schema("scalar-unit.size"), ["8 GB", "1.5 MiB"]),
        ("a\nb", schema("string", {"valid_values": ["a", "b"]}), ["a", "b"]),
        ("a", schema("string", {"valid_values": 5}), ["a"]),
        ("a", schema("string", {"equal": "a"}, {"min_length": 1}), ["a"]),
        ("8 GB", schema("scalar-unit.size", {"in_range": ["1 GB", "9000 MB"]}), ["8 GB"]),
    ],
)
def test_each_line_is_an_entry(text: str, entries: EntrySchema | None, made: list[Any]) -> None:
    found = list_from_lines(text, entries)
    assert [(value, type(value)) for value in found] == [(value, type(value)) for value in made]


@pytest.mark.parametrize(
    ("text", "entries", "made"),
    [
        (" a : 1 \n\n b:  two: 2 ", None, {"a": "1", "b": "two: 2"}),
        ("a:", None, {"a": ""}),
        ("a: yes", schema("boolean"), {"a": True}),
    ],
)
def test_each_line_of_a_map_is_a_key_and_its_value(
    text: str, entries: EntrySchema | None, made: dict[str, Any]
) -> None:
    assert map_from_lines(text, entries) == made


@pytest.mark.parametrize(
    ("read", "text", "entries", "said"),
    [
        (list_from_lines, f"1\n{LONG}", schema("integer"), f"Line 2: “{LONG[:40]}” is not a whole number."),
        (list_from_lines, LONG, schema("float"), f"Line 1: “{LONG[:40]}” is not a number."),
        (list_from_lines, f"no\n{LONG}", schema("boolean"), f"Line 2: “{LONG[:40]}” is neither true nor false."),
        (list_from_lines, "a\nc", schema("string", {"valid_values": ["a", True]}), "Line 2: Choose one of a, true."),
        (list_from_lines, "1\n3", schema("integer", {"less_than": 3}), "Line 2: Less than 3; this is 3."),
        (
            list_from_lines,
            "2 GB",
            schema("scalar-unit.size", {"less_than": "2 GB"}),
            "Line 1: Less than 2 GB; this is 2 GB.",
        ),
        (map_from_lines, "a: b\nc", None, "Line 2: write it as “key: value”."),
        (map_from_lines, " : b", None, "Line 1: write it as “key: value”."),
        (map_from_lines, "a: b\n a : c", None, "Line 2: “a” is there twice."),
        (map_from_lines, "a: 1\nb: x", schema("integer"), "Line 2: “x” is not a whole number."),
    ],
)
def test_the_line_that_does_not_fit_is_named(
    read: Callable[[str, EntrySchema | None], Any], text: str, entries: EntrySchema | None, said: str
) -> None:
    assert refusal(lambda: read(text, entries)) == said


def test_an_amount_without_its_unit_is_told_which_there_are() -> None:
    said = refusal(lambda: scalar(f"8 {LONG}", "scalar-unit.frequency"))
    assert said == f"“8 {LONG[:38]}” is not a number with a unit (Hz, kHz, MHz, GHz)."


@pytest.mark.parametrize("read", [list_from_lines, map_from_lines])
def test_entries_are_limited(read: Callable[[str, EntrySchema | None], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(values, "MAX_ENTRIES", 2)
    assert len(read("a: 1\n\nb: 2", None)) == 2
    assert refusal(lambda: read("a: 1\nb: 2\nc: 3", None)) == "At most 2 lines; these are 3."


@pytest.mark.parametrize(
    ("value", "lines"),
    [(["a", True, 2], "a\ntrue\n2"), ({"a": True, "b": None}, "a: true\nb: "), ("text", "text"), (None, "")],
)
def test_a_value_is_shown_as_the_lines_it_was_typed_in(value: Any, lines: str) -> None:
    assert lines_from(value) == lines


@pytest.mark.parametrize(
    ("type", "fits", "others"),
    [
        ("string", ["text", "5", "true"], ["[a]", "{a: b}"]),
        ("integer", ["5"], ["true", "2.5", "text", "[1]"]),
        ("float", ["5", "2.5"], ["true", "text", "{a: 1}"]),
        ("number", ["5", "2.5"], ["true", "text", "[1]"]),
        ("boolean", ["true", "false"], ["1", "text"]),
        ("tosca.datatypes.Own", ["5", "text", "[1]", "{a: b}"], []),
    ],
)
def test_nested_entries_are_of_their_type(type: str, fits: list[str], others: list[str]) -> None:
    for text in fits:
        assert len(nested_from_yaml(f"- {text}", "list", schema(type))) == 1
    for text in others:
        said = refusal(lambda text=text: nested_from_yaml(f"- {text}", "list", schema(type)))  # type: ignore[misc]
        assert said.startswith(f"[1]: expected {type}, got “")


@pytest.mark.parametrize(
    ("text", "type", "entries", "said"),
    [
        ("a: b", "list", None, "expected a list (lines that begin with “- ”)."),
        ("[a]", "map", None, "expected a map (lines of “key: value”)."),
        ("- {a: 1}\n- [a]", "list", schema("map"), "[2]: expected a map (lines of “key: value”)."),
        ("- [[a]]", "list", schema("list"), "[1][1]: expected string, got “['a']”."),
        ("a: {b: [c]}", "map", schema("map"), "a b: expected string, got “['c']”."),
        ("a: [1, x]", "map", schema("list", entries=schema("integer")), "a[2]: expected integer, got “x”."),
        (f"a: {LONG}", "map", schema("integer"), f"a: expected integer, got “{LONG[:40]}”."),
        ("[1, 5]", "list", schema("integer", {"less_than": 5}), "[2]: Less than 5; this is 5."),
        ("[a, c]", "list", schema("string", {"valid_values": ["a", "b"]}), "[2]: Choose one of a, b."),
        ("[[a], []]", "list", schema("list", {"min_length": 1}), "[2]: Use at least 1 entries; this has 0."),
    ],
)
def test_the_place_in_the_yaml_that_does_not_fit_is_named(
    text: str, type: str, entries: EntrySchema | None, said: str
) -> None:
    assert refusal(lambda: nested_from_yaml(text, type, entries)) == said
