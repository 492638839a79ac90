"""Tolerant building blocks for the typed answers: what is missing or odd becomes empty, never an error."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict

from deepdash.inert import inert


class Shape(BaseModel):
    """Base of all answers: frozen, unknown fields ignored, names of the wire as aliases."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)


def _text(value: Any) -> str:
    return "" if value is None else inert(str(value))  # also takes NUL out, which PostgreSQL refuses


def _typed(kind: type, empty: Callable[[], Any]) -> Callable[[Any], Any]:
    return lambda value: value if isinstance(value, kind) else empty()


def _flag(value: Any) -> bool | None:
    """JSON booleans, and the words that take their place in old documents (contract 3.1)."""
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(str(value).strip().lower())


def _number(value: Any) -> float | None:
    """A number, also as text; NaN and infinities count as none (contract 2.1: "NaN" comes as a string)."""
    if isinstance(value, bool) or value is None:
        return None
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if abs(number) < float("inf") else None


def _whole(value: Any) -> int | None:
    number = _number(value)
    return None if number is None else int(number)


def moment(value: Any) -> datetime | None:
    """A time of the orchestrator, ``2022-10-21T09:22+0000`` (contract 1.7), or None. Without an offset it is UTC.

    Years that no clock of a cloud shows are none: moved to another zone they could leave the calendar.
    """
    try:
        when = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    if not 1970 <= when.year <= 9000:
        return None
    return when if when.tzinfo else when.replace(tzinfo=UTC)


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_ZONES = {"UTC": 0, "GMT": 0, "Z": 0, "WET": 0, "WEST": 1, "BST": 1, "CET": 1, "CEST": 2, "EET": 2, "EEST": 3}
_JAVA_DATE = re.compile(r"\w{3} (\w{3}) (\d{1,2}) (\d{2}):(\d{2}):(\d{2}) (\S+) (\d{4})", re.ASCII)
_OLD_DATE = re.compile(r"(\d{2})\.(\d{2})\.(\d{4})\+(\d{2}):(\d{2}):(\d{2})", re.ASCII)


def java_date(value: Any) -> datetime | None:
    """A time of SLAM: Java's ``Tue Nov 10 23:00:00 UTC 2020`` or ``11.01.2016+15:50:00`` (contract 2.1), or None."""
    text = str(value).strip()
    try:
        if found := _JAVA_DATE.fullmatch(text):
            month, day, hour, minute, second, zone, year = found.groups()
            offset = timezone(timedelta(hours=_ZONES[zone]))
            clock = int(hour), int(minute), int(second)
            return datetime(int(year), _MONTHS.index(month) + 1, int(day), *clock, tzinfo=offset)
        if found := _OLD_DATE.fullmatch(text):
            day, month, year, hour, minute, second = found.groups()
            clock = int(hour), int(minute), int(second)
            return datetime(int(year), int(month), int(day), *clock, tzinfo=UTC)
    except (KeyError, ValueError):
        return None  # a zone or a date we can't place: the text itself is still shown
    return None


Text = Annotated[str, BeforeValidator(_text)]
Flag = Annotated[bool | None, BeforeValidator(_flag)]
Number = Annotated[float | None, BeforeValidator(_number)]
Whole = Annotated[int | None, BeforeValidator(_whole)]
Moment = Annotated[datetime | None, BeforeValidator(moment)]
JavaDate = Annotated[datetime | None, BeforeValidator(java_date)]
Mapping = Annotated[dict[str, Any], BeforeValidator(_typed(dict, dict))]
Items = BeforeValidator(_typed(list, list))
