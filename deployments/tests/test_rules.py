"""What a template's rules let pass, what they refuse, and how they are said."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from catalog.tosca.description import Constraint
from deployments.forms import rules
from deployments.forms.rules import in_words, validators_for


def refusal(kind: str, rule: Any, value: Any, type: str = "integer") -> str:
    """Why a value is refused; "" when it passes."""
    try:
        for validate in validators_for([Constraint(kind=kind, value=rule)], type):
            validate(value)
    except ValidationError as error:
        return " ".join(error.messages)
    return ""


@pytest.mark.parametrize(
    ("kind", "rule", "fits", "not_fitting"),
    [
        ("equal", 5, [5], [4, 6]),
        ("greater_or_equal", 2, [2, 3], [1]),
        ("greater_than", 2, [3, 2.5], [2, 1]),
        ("less_or_equal", 2, [2, 1], [3]),
        ("less_than", 2, [1, 1.5], [2, 3]),
        ("in_range", [1, 16], [1, 8, 16], [0, 17, "much", float("nan")]),
        ("in_range", [1, "UNBOUNDED"], [1, 10**9], [0, "much"]),
        ("in_range", ["UNBOUNDED", 16], [-(10**9), 16], [17]),
        ("in_range", ["UNBOUNDED", "UNBOUNDED"], [0], ["much"]),
        ("greater_or_equal", 2, [], ["much", [3]]),
        ("length", 3, ["abc", [1, 2, 3], {"a": 1, "b": 2, "c": 3}, 123], ["ab", "abcd", [1, 2], 12]),
        ("min_length", 3, ["abc", "abcd", True, 100], ["ab", [1, 2], 99]),
        ("max_length", 4, ["abcd", "abc", True, 9999], ["abcde", [1] * 5, False, 10000]),
        ("pattern", "[a-z]+", ["abc", True], ["ab9", "Abc", ""]),
        ("pattern", 5, [5, "5"], ["6", "None"]),
    ],
)
def test_a_rule_lets_pass_what_it_allows_and_nothing_else(
    kind: str, rule: Any, fits: list[Any], not_fitting: list[Any]
) -> None:
    assert [value for value in fits if refusal(kind, rule, value)] == []
    assert [value for value in not_fitting if not refusal(kind, rule, value)] == []


def test_amounts_compare_across_their_units() -> None:
    pair = ["1 GB", "16 GB"]
    passing = ["1 GB", "1000 MB", "16 GB"]
    assert [refusal("in_range", pair, value, "scalar-unit.size") for value in passing] == ["", "", ""]
    assert refusal("in_range", pair, "17000 MB", "scalar-unit.size") == "Choose 1 GB to 16 GB; this is 17000 MB."


@pytest.mark.parametrize(
    ("kind", "rule"),
    [
        ("valid_values", 5),
        ("in_range", 5),
        ("in_range", "ab"),
        ("in_range", [1, 2, 3]),
        ("greater_than", "many"),
        ("greater_than", None),
        ("greater_than", float("nan")),
        ("length", "3"),
        ("min_length", 2.5),
        ("max_length", True),
        ("pattern", "["),
    ],
)
def test_a_rule_that_makes_no_sense_is_no_rule(kind: str, rule: Any) -> None:
    assert validators_for([Constraint(kind=kind, value=rule)], "integer") == []


def test_what_is_too_long_for_a_pattern_is_not_matched_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "PATTERN_CHARS", 3)
    assert refusal("pattern", "a*", "aaa") == ""
    assert refusal("pattern", "a*", "aaaa") == "Must have the form a*."


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([("in_range", [1, 16])], "1 to 16."),
        ([("in_range", [1, "UNBOUNDED"])], "At least 1."),
        ([("in_range", ["UNBOUNDED", 16])], "At most 16."),
        ([("in_range", [1, 2, 3])], ""),
        ([("valid_values", [1, 2])], ""),
        ([("pattern", "a"), ("min_length", 2), ("max_length", 8)], "At least 2 characters, at most 8 characters."),
        ([], ""),
    ],
)
def test_rules_are_said_in_a_few_words(given: list[tuple[str, Any]], words: str) -> None:
    assert in_words(Constraint(kind=kind, value=value) for kind, value in given) == words
