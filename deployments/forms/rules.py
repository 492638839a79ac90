"""Constraints of TOSCA inputs as validators that state the rule and the fact: "At most 16; this is 64."

tosca-parser never enforces them on inputs, so this is where they hold.
"""

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

import regex
from django.core.exceptions import ValidationError

from catalog.tosca.description import Constraint
from deployments.forms.units import UNITS, amount

PATTERN_SECONDS = 0.2
PATTERN_CHARS = 10_000
Validator = Callable[[Any], None]


def validators_for(constraints: Iterable[Constraint], type: str) -> list[Validator]:
    """One validator per constraint. A constraint that makes no sense (``in_range`` without a pair) is left out."""
    found = [_validator(constraint, type) for constraint in constraints if constraint.kind != "valid_values"]
    return [validator for validator in found if validator]


def in_words(constraints: Iterable[Constraint]) -> str:
    """The rules in a few words, for the hint of a field: "1 to 16", "at least 9 characters"."""
    said = [words for words in (_words(constraint) for constraint in constraints) if words]
    text = ", ".join(said)
    return f"{text[0].upper()}{text[1:]}." if text else ""


def _words(rule: Constraint) -> str:
    value = rule.value
    simple = {
        "greater_or_equal": f"at least {value}",
        "greater_than": f"more than {value}",
        "less_or_equal": f"at most {value}",
        "less_than": f"less than {value}",
        "length": f"exactly {value} characters",
        "min_length": f"at least {value} characters",
        "max_length": f"at most {value} characters",
    }
    if rule.kind == "in_range" and (pair := _pair(value)):
        low, high = pair
        if high == "UNBOUNDED":
            return f"at least {low}"
        return f"at most {high}" if low == "UNBOUNDED" else f"{low} to {high}"
    return simple.get(rule.kind, "")


def _validator(rule: Constraint, type: str) -> Validator | None:
    if rule.kind in {"length", "min_length", "max_length"}:
        return _length(rule.kind, rule.value)
    if rule.kind == "pattern":
        return _pattern(rule.value)
    if rule.kind == "equal":
        return _check(lambda value: value == rule.value, f"Must be exactly {rule.value}.")
    return _bounds(rule, type)


def _bounds(rule: Constraint, type: str) -> Validator | None:
    def measure(value: object) -> Decimal | None:
        if type in UNITS:
            return amount(value, type)
        try:
            return Decimal(str(value))
        except ArithmeticError:
            return None

    if rule.kind == "in_range":
        pair = _pair(rule.value)
        if not pair:
            return None
        low, high = (None if end == "UNBOUNDED" else measure(end) for end in pair)
        words = _words(rule)

        def within(value: Any) -> bool:
            size = measure(value)
            return size is not None and (low is None or low <= size) and (high is None or size <= high)

        return _check(within, f"Choose {words}; this is {{value}}.")

    limit = measure(rule.value)
    if limit is None:
        return None
    tests: dict[str, Callable[[Decimal], bool]] = {
        "greater_or_equal": lambda size: size >= limit,
        "greater_than": lambda size: size > limit,
        "less_or_equal": lambda size: size <= limit,
        "less_than": lambda size: size < limit,
    }
    test = tests[rule.kind]

    def holds(value: Any) -> bool:
        size = measure(value)
        return size is not None and test(size)

    words = _words(rule)
    return _check(holds, f"{words[0].upper()}{words[1:]}; this is {{value}}.")


def _length(kind: str, limit: object) -> Validator | None:
    if not isinstance(limit, int) or isinstance(limit, bool):
        return None

    def validate(value: Any) -> None:
        size = len(value)
        noun = "characters" if isinstance(value, str) else "entries"
        if kind == "min_length" and size < limit:
            raise ValidationError(f"Use at least {limit} {noun}; this has {size}.", code=kind)
        if kind == "max_length" and size > limit:
            raise ValidationError(f"Use at most {limit} {noun}; this has {size}.", code=kind)
        if kind == "length" and size != limit:
            raise ValidationError(f"Use exactly {limit} {noun}; this has {size}.", code=kind)

    return validate


def _pattern(pattern: object) -> Validator | None:
    """The whole value must match. The engine gives up after PATTERN_SECONDS: patterns come from outside."""
    try:
        compiled = regex.compile(str(pattern))
    except regex.error:
        return None

    def validate(value: Any) -> None:
        text = str(value)
        try:
            fits = len(text) <= PATTERN_CHARS and compiled.fullmatch(text, timeout=PATTERN_SECONDS)
        except TimeoutError:
            raise ValidationError("This can't be checked against the template's pattern in time; shorten it.") from None
        if not fits:
            raise ValidationError(f"Must have the form {pattern}.", code="pattern")

    return validate


def _check(test: Callable[[Any], bool], message: str) -> Validator:
    def validate(value: Any) -> None:
        if not test(value):
            raise ValidationError(message.replace("{value}", str(value)), code="constraint")

    return validate


def _pair(value: object) -> tuple[Any, Any] | None:
    return (value[0], value[1]) if isinstance(value, list) and len(value) == 2 else None
