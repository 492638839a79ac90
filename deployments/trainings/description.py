"""The arguments of a module, from its ``/swagger.json`` (Swagger 2.0 as DEEPaaS writes it)."""

import math
from collections.abc import Iterable
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from catalog.tosca.description import is_secret
from deployments.trainings.results import is_number, storable

MAX_ARGUMENTS = 200
MAX_TEXT = 4000

Kind = Literal["integer", "number", "boolean", "string", "file", "object"]


class Argument(BaseModel):
    """One argument. ``place`` is query, formData or header; ``many`` makes it a list of ``kind``.

    ``has_default`` is False where none is told; a default of None means that leaving it out is fine.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    kind: Kind = "string"
    format: str = ""
    place: str = "query"
    required: bool = False
    has_default: bool = False
    default: Any = None
    help: str = ""
    many: bool = False
    choices: tuple[Any, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    over: bool = False  # the minimum itself is not allowed
    under: bool = False  # nor the maximum
    min_length: int | None = None
    max_length: int | None = None

    @property
    def secret(self) -> bool:
        return is_secret(self.name)


def arguments_of(description: Any, model: str, operation: str) -> list[Argument] | None:
    """The arguments of ``train`` or ``predict`` of a model; None when it has no such operation.

    A parameter that makes no sense is left out. The path may stand behind a base path (``--base-path``).
    """
    paths = description.get("paths") if isinstance(description, dict) else None
    ending = f"/models/{model}/{operation}"
    for path, operations in paths.items() if isinstance(paths, dict) else ():
        if str(path).rstrip("/").endswith(ending) and isinstance(operations, dict):
            post = operations.get("post")
            return _arguments(post.get("parameters")) if isinstance(post, dict) else None
    return None


def stored(arguments: Iterable[Argument] | None) -> list[dict[str, Any]] | None:
    """As a JSON column keeps them."""
    if arguments is None:
        return None
    return [argument.model_dump(mode="json", exclude_defaults=True) for argument in arguments]


def restored(kept: Any) -> list[Argument]:
    """From a JSON column; what an older version wrote otherwise is left out."""
    found = []
    for item in kept or ():
        try:
            found.append(Argument.model_validate(item))
        except ValidationError:
            continue
    return found


def _arguments(parameters: Any) -> list[Argument]:
    found: dict[str, Argument] = {}
    for item in parameters[:MAX_ARGUMENTS] if isinstance(parameters, list) else ():
        if isinstance(item, dict) and isinstance(item.get("name"), str) and str(item.get("in")) in _PLACES:
            argument = _argument(item)
            if 0 < len(argument.name) <= 200:
                found.setdefault(argument.name, argument)
    return list(found.values())


_PLACES = {"query", "formData", "header"}
_KINDS: dict[str, Kind] = {"integer": "integer", "number": "number", "boolean": "boolean", "file": "file",
                           "object": "object"}  # fmt: skip


def _argument(item: dict[str, Any]) -> Argument:
    many = item.get("type") == "array"
    items = item.get("items")
    inner: dict[str, Any] = items if many and isinstance(items, dict) else ({} if many else item)
    default = item.get("default")
    has_default = "default" in item and _storable(default)
    kind = _KINDS.get(str(inner.get("type")), "string")
    return Argument(
        name=storable(item["name"]),
        kind=kind,
        format=str(inner.get("format") or ""),
        place=item["in"],
        required=item.get("required") is True,
        has_default=has_default,
        default=storable(default) if has_default else None,
        help=storable(str(item.get("description") or "").strip()[:MAX_TEXT]),
        many=many,
        choices=_choices(inner, item),
        minimum=_number(inner.get("minimum")),
        maximum=_number(inner.get("maximum")),
        over=inner.get("exclusiveMinimum") is True,
        under=inner.get("exclusiveMaximum") is True,
        min_length=_whole(inner.get("minLength")),
        max_length=_whole(inner.get("maxLength")),
    )


def _choices(*places: dict[str, Any]) -> tuple[Any, ...]:
    """What can be chosen. DEEPaaS adds a wildcard for media types that is no choice."""
    for place in places:
        told = place.get("enum")
        if isinstance(told, list) and told:
            simple = [value for value in told if isinstance(value, (str, int, float, bool)) and value != "*/*"]
            return tuple(dict.fromkeys(storable(value) for value in simple if _storable(value)))[:MAX_ARGUMENTS]
    return ()


def _storable(value: Any) -> bool:
    """NaN and infinities are no JSON (DEEPaaS writes them all the same)."""
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, (list, dict)):
        return all(map(_storable, value.values() if isinstance(value, dict) else value))
    return True


def _number(value: Any) -> float | None:
    return float(value) if is_number(value) else None


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
