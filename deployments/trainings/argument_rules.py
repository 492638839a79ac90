"""What a module says of the values an argument takes: texts are read as such values, or refused with rule and fact."""

import json
from collections.abc import Callable
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _

from deployments.forms.values import not_a_number
from deployments.trainings.description import Argument
from deployments.trainings.results import is_number

Number = TypeVar("Number", int, float)
MAX_CHARS = 20_000


def reader_of(argument: Argument) -> Callable[[str], Any]:
    """Reads one text as a value of the argument; the function raises ValidationError, stating rule and fact."""

    def read(text: str) -> Any:
        value = _READERS.get(argument.kind, str)(text)
        if argument.choices:
            allowed = [*argument.choices, *([argument.default] if argument.has_default else [])]
            if value not in allowed:
                raise ValidationError(_("“%(text)s” can’t be chosen; choose one from the list.") % {"text": text[:40]})
        _check_range(argument, value)
        _check_text(argument, value)
        return value

    return read


def _integer(text: str) -> int:
    try:
        value = int(text.strip())
    except ValueError:
        raise ValidationError(_("Write a whole number; “%(text)s” is not one.") % {"text": text[:40]}) from None
    return _sendable(value, text)


def _float(text: str) -> float:
    try:
        value = float(text.strip())
    except ValueError:
        raise not_a_number(text.strip()) from None
    return _sendable(value, text)


def _sendable(value: Number, text: str) -> Number:
    if not is_number(value):
        raise ValidationError(_("Write a number; “%(text)s” can’t be sent.") % {"text": text[:40]})
    return value


def _boolean(text: str) -> bool:
    known = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    if text.strip().lower() not in known:
        raise ValidationError(_("Write true or false; “%(text)s” is neither.") % {"text": text[:40]})
    return known[text.strip().lower()]


def _object(text: str) -> Any:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValidationError(_("This is not JSON: %(error)s.") % {"error": error}) from None
    if not isinstance(value, dict):
        raise ValidationError(_("Write a JSON object: names and values in braces."))
    return value


_READERS: dict[str, Callable[[str], Any]] = {
    "integer": _integer,
    "number": _float,
    "boolean": _boolean,
    "object": _object,
}


def _check_range(argument: Argument, value: Any) -> None:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return
    low, high = argument.minimum, argument.maximum
    too_low = low is not None and (value < low or (argument.over and value == low))
    too_high = high is not None and (value > high or (argument.under and value == high))
    if too_low or too_high:
        facts = {"rule": range_of(argument).removesuffix("."), "number": plain(float(value))}
        raise ValidationError(_("%(rule)s; this is %(number)s.") % facts)


def _check_text(argument: Argument, value: Any) -> None:
    if not isinstance(value, str):
        return
    most, least, number = argument.max_length or MAX_CHARS, argument.min_length or 0, len(value)
    if number > most:
        message = _("Use at most %(most)s characters; this has %(number)s.")
        raise ValidationError(message % {"most": most, "number": number})
    if number < least:
        message = _("Use at least %(least)s characters; this has %(number)s.")
        raise ValidationError(message % {"least": least, "number": number})
    try:
        wrong = (argument.format == "date" and not parse_date(value)) or (
            argument.format == "date-time" and not parse_datetime(value)
        )
    except ValueError:
        wrong = True
    if wrong:
        shape = "2026-11-23" if argument.format == "date" else "2026-11-23T14:30:00"
        raise ValidationError(_("Write it like %(shape)s; this is “%(text)s”.") % {"shape": shape, "text": value[:40]})


def range_of(argument: Argument) -> str:
    """Its limits as a sentence for people, "" when it has none."""
    low, high = argument.minimum, argument.maximum
    ends = {"low": None if low is None else plain(low), "high": None if high is None else plain(high)}
    match low is not None, high is not None, argument.over, argument.under:
        case True, True, False, False:
            return _("From %(low)s to %(high)s.") % ends
        case True, True, True, False:
            return _("More than %(low)s, at most %(high)s.") % ends
        case True, True, False, True:
            return _("At least %(low)s, less than %(high)s.") % ends
        case True, True, True, True:
            return _("More than %(low)s, less than %(high)s.") % ends
        case True, False, over, _under:
            return (_("More than %(low)s.") if over else _("At least %(low)s.")) % ends
        case False, True, _over, under:
            return (_("Less than %(high)s.") if under else _("At most %(high)s.")) % ends
    return ""


def plain(number: float) -> str:
    """A number without needless zeros: 10, 0.5."""
    return f"{number:.0f}" if number == int(number) and abs(number) < 1e15 else f"{number:g}"
