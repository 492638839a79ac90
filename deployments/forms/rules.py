"""Constraints of TOSCA inputs as validators that state the rule and the fact: "At most 16; this is 64."

tosca-parser never enforces them on inputs, so this is where they hold.
"""

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

import regex
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from catalog.tosca.description import Constraint, as_words
from deployments.forms.units import UNITS, amount

PATTERN_SECONDS = 0.2
PATTERN_CHARS = 10_000
Validator = Callable[[Any], None]

_RULES = {
    "greater_or_equal": gettext_noop("at least %(value)s"),
    "greater_than": gettext_noop("more than %(value)s"),
    "less_or_equal": gettext_noop("at most %(value)s"),
    "less_than": gettext_noop("less than %(value)s"),
    "length": gettext_noop("exactly %(value)s characters"),
    "min_length": gettext_noop("at least %(value)s characters"),
    "max_length": gettext_noop("at most %(value)s characters"),
}
_TEXT_LENGTHS = {
    "length": gettext_noop("Use exactly %(limit)s characters; this has %(size)s."),
    "min_length": gettext_noop("Use at least %(limit)s characters; this has %(size)s."),
    "max_length": gettext_noop("Use at most %(limit)s characters; this has %(size)s."),
}
_LIST_LENGTHS = {
    "length": gettext_noop("Use exactly %(limit)s entries; this has %(size)s."),
    "min_length": gettext_noop("Use at least %(limit)s entries; this has %(size)s."),
    "max_length": gettext_noop("Use at most %(limit)s entries; this has %(size)s."),
}


def validators_for(constraints: Iterable[Constraint], type: str) -> list[Validator]:
    """One validator per constraint. A constraint that makes no sense (``in_range`` without a pair) is left out.

    Lengths and patterns of what is no text, list or map are those of the value as it is written.
    """
    found = [_validator(constraint, type) for constraint in constraints if constraint.kind != "valid_values"]
    return [validator for validator in found if validator]


def in_words(constraints: Iterable[Constraint]) -> str:
    """The rules in a few words, for the hint of a field: "1 to 16", "at least 9 characters"."""
    said = [words for words in (_words(constraint) for constraint in constraints) if words]
    text = ", ".join(said)
    return f"{text[0].upper()}{text[1:]}." if text else ""


def _words(rule: Constraint) -> str:
    kind, value = rule.kind, rule.value
    if kind == "in_range" and (pair := _pair(value)):
        low, high = pair
        if high != "UNBOUNDED" and low != "UNBOUNDED":
            return _("%(low)s to %(high)s") % {"low": low, "high": high}
        kind, value = ("greater_or_equal", low) if high == "UNBOUNDED" else ("less_or_equal", high)
    return _(_RULES[kind]) % {"value": value} if kind in _RULES else ""


def _validator(rule: Constraint, type: str) -> Validator | None:
    if rule.kind in {"length", "min_length", "max_length"}:
        return _length(rule.kind, rule.value)
    if rule.kind == "pattern":
        return _pattern(rule.value)
    if rule.kind == "equal":
        return _check(
            lambda value: value == rule.value,
            lambda _value: _("Must be exactly %(wanted)s.") % {"wanted": rule.value},
        )
    return _bounds(rule, type)


def _bounds(rule: Constraint, type: str) -> Validator | None:
    def measure(value: object) -> Decimal | None:
        if type in UNITS:
            return amount(value, type)
        try:
            number = Decimal(str(value))
        except ArithmeticError:
            return None
        return None if number.is_nan() else number  # which nothing can be compared with

    if rule.kind == "in_range":
        pair = _pair(rule.value)
        if not pair:
            return None
        low, high = (measure(end) for end in pair)  # UNBOUNDED is no amount
        words = _words(rule)

        def within(value: Any) -> bool:
            size = measure(value)
            return size is not None and (low is None or low <= size) and (high is None or size <= high)

        return _check(within, lambda value: _("Choose %(rule)s; this is %(value)s.") % {"rule": words, "value": value})

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
    words = f"{words[0].upper()}{words[1:]}"
    return _check(holds, lambda value: _("%(rule)s; this is %(value)s.") % {"rule": words, "value": value})


def _length(kind: str, limit: object) -> Validator | None:
    if not isinstance(limit, int) or isinstance(limit, bool):
        return None

    def validate(value: Any) -> None:
        size = len(value if isinstance(value, (list, dict)) else as_words(value))
        refused = {"min_length": size < limit, "max_length": size > limit, "length": size != limit}
        if refused[kind]:
            text = (_LIST_LENGTHS if isinstance(value, (list, dict)) else _TEXT_LENGTHS)[kind]
            raise ValidationError(_(text) % {"limit": limit, "size": size})

    return validate


def _pattern(pattern: object) -> Validator | None:
    """The whole value must match. The engine gives up after PATTERN_SECONDS: patterns come from outside."""
    try:
        compiled = regex.compile(str(pattern))
    except regex.error:
        return None

    def validate(value: Any) -> None:
        text = as_words(value)
        try:
            fits = len(text) <= PATTERN_CHARS and compiled.fullmatch(text, timeout=PATTERN_SECONDS)
        except TimeoutError:
            raise ValidationError(
                _("This can’t be checked against the template’s pattern in time; shorten it.")
            ) from None
        if not fits:
            raise ValidationError(_("Must have the form %(pattern)s.") % {"pattern": pattern})

    return validate


def _check(test: Callable[[Any], bool], said: Callable[[Any], str]) -> Validator:
    def validate(value: Any) -> None:
        if not test(value):
            raise ValidationError(said(value))

    return validate


def _pair(value: object) -> tuple[Any, Any] | None:
    return (value[0], value[1]) if isinstance(value, list) and len(value) == 2 else None
