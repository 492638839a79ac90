"""The arguments a module takes: described as swagger parameters, read, and refused in marshmallow's words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_TRUE = frozenset({"t", "T", "true", "True", "TRUE", "on", "On", "ON", "y", "Y", "yes", "Yes", "YES", "1", 1})
_FALSE = frozenset({"f", "F", "false", "False", "FALSE", "off", "Off", "OFF", "n", "N", "no", "No", "NO", "0", 0})
_NO_DEFAULT = object()
_SWAGGER_TYPE: dict[str, dict[str, str]] = {
    "int": {"type": "integer", "format": "int32"},
    "float": {"type": "number", "format": "float"},
    "bool": {"type": "boolean"},
    "str": {"type": "string"},
    "file": {"type": "file"},
}


class Refused(ValueError):
    """A value that is not accepted; ``problem`` is the body of the answer, or its part for one argument."""

    def __init__(self, problem: Any, status: int = 422) -> None:
        super().__init__(str(problem))
        self.problem = problem
        self.status = status


@dataclass(frozen=True)
class Argument:
    """One argument; ``kind`` is int, float, bool, str or file, ``many`` makes it a list."""

    name: str
    kind: str
    help: str
    default: Any = _NO_DEFAULT
    many: bool = False
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    place: str = "query"

    @property
    def required(self) -> bool:
        return self.default is _NO_DEFAULT

    def swagger(self) -> dict[str, Any]:
        """Return the parameter as DEEPaaS describes it (Swagger 2.0)."""
        described: dict[str, Any] = {"in": self.place, "name": self.name, "required": self.required}
        if self.many:
            described |= {"collectionFormat": "multi", "type": "array"}
        else:
            described |= _SWAGGER_TYPE[self.kind]
        if not self.required:
            described["default"] = self.default
            if self.default is None:
                described["x-nullable"] = True
        if self.choices:
            described["enum"] = list(self.choices)
        if self.minimum is not None:
            described |= {"minimum": self.minimum, "maximum": self.maximum}
        described["description"] = self.help
        if self.many:
            described["items"] = dict(_SWAGGER_TYPE[self.kind])
        return described

    def read(self, values: Sequence[Any]) -> Any:
        """Return the value, or the default when nothing was sent. Raises Refused."""
        if not values:
            if self.required:
                raise Refused(["Missing data for required field."])
            return self.default
        if not self.many:
            return self._one(values[0])
        read, problems = [], {}
        for index, value in enumerate(values):
            try:
                read.append(self._one(value))
            except Refused as error:
                problems[str(index)] = error.problem
        if problems:
            raise Refused(problems)
        return read

    def _one(self, value: Any) -> Any:
        read = _READERS[self.kind](value)
        if self.choices and read not in self.choices:
            # The wildcard was added to the choices behind the module's back, and is not named.
            named = ", ".join(choice for choice in self.choices if choice != "*/*")
            raise Refused([f"Must be one of: {named}."])
        if self.minimum is not None and self.maximum is not None and not self.minimum <= read <= self.maximum:
            raise Refused(
                [f"Must be greater than or equal to {self.minimum} and less than or equal to {self.maximum}."]
            )
        return read


def read_all(arguments: Sequence[Argument], sent: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
    """Return the arguments by name, dropping what nobody declared. Raises Refused with the whole 422 body."""
    values: dict[str, Any] = {}
    problems: dict[str, Any] = {}
    for argument in arguments:
        try:
            values[argument.name] = argument.read(sent.get(argument.name, ()))
        except Refused as error:
            problems[argument.name] = error.problem
    if problems:
        raise Refused(problems)
    return values


def _int(value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError) as error:
        raise Refused(["Not a valid integer."]) from error


def _float(value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise Refused(["Not a valid number."]) from error
    if not math.isfinite(number):
        raise Refused(["Special numeric values (nan or infinity) are not permitted."])
    return number


def _bool(value: Any) -> bool:
    try:
        if value in _TRUE:
            return True
        if value in _FALSE:
            return False
    except TypeError:
        pass
    raise Refused(["Not a valid boolean."])


def _str(value: Any) -> str:
    if not isinstance(value, str):
        raise Refused(["Not a valid string."])
    return value


def _file(value: Any) -> Any:
    return value


_READERS = {"int": _int, "float": _float, "bool": _bool, "str": _str, "file": _file}
