"""Text typed into a form → the YAML value that is sent, for lists, maps and their nested entries."""

from collections.abc import Callable
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from catalog.tosca.description import EntrySchema, as_words
from catalog.tosca.guard import Refused
from catalog.tosca.loader import load_yaml, plain
from deployments.forms.rules import validators_for
from deployments.forms.units import UNITS, split_scalar

MAX_ENTRIES = 1000
TRUE, FALSE = {"true", "yes", "on"}, {"false", "no", "off"}
TEXT = EntrySchema()
SINGLE = frozenset({"string", "integer", "float", "number", "boolean", "version", "timestamp", *UNITS})


def is_flat(schema: EntrySchema | None) -> bool:
    """Whether the entries are single values, so that one line each is enough."""
    return schema is None or schema.type in SINGLE


def list_from_lines(text: str, schema: EntrySchema | None) -> list[Any]:
    """One entry per line. Raises ValidationError naming the line that does not fit."""
    return [_numbered(number, line, schema or TEXT) for number, line in enumerate(_lines(text), 1)]


def map_from_lines(text: str, schema: EntrySchema | None) -> dict[str, Any]:
    """``key: value`` per line. Raises ValidationError naming the line that does not fit."""
    found: dict[str, Any] = {}
    for number, line in enumerate(_lines(text), 1):
        key, colon, value = (part.strip() for part in line.partition(":"))
        if not colon or not key:
            raise ValidationError(_("Line %(number)s: write it as “key: value”.") % {"number": number})
        if key in found:
            facts = {"number": number, "name": key}
            raise ValidationError(_("Line %(number)s: “%(name)s” is there twice.") % facts)
        found[key] = _numbered(number, value, schema or TEXT)
    return found


def lines_from(value: Any) -> str:
    """A list or map of single values as the lines the two functions above read."""
    if isinstance(value, dict):
        return "\n".join(f"{key}: {as_words(item)}" for key, item in value.items())
    return "\n".join(as_words(item) for item in value) if isinstance(value, list) else as_words(value)


def nested_from_yaml(text: str, type: str, schema: EntrySchema | None) -> Any:
    """YAML typed by the user, checked against the entry schema. Raises ValidationError."""
    try:
        value = plain(load_yaml(text))
    except Refused as error:
        raise ValidationError(_("This is not the YAML expected here: %(cause)s") % {"cause": error}) from None
    return _conform(value, EntrySchema(type=type, entry_schema=schema), "")


def scalar(text: str, type: str) -> Any:
    """One typed value from text: integer, float, boolean, scalar-unit; other types stay text.

    Raises ValidationError that says what is expected.
    """
    try:
        if type in {"integer", "float", "number"} and ("_" in text or not text.isascii()):
            raise ValueError  # Python reads 1_000 and other scripts' digits, TOSCA does not
        if type == "integer":
            return int(text)
        if type in {"float", "number"}:
            value = float(text)
            if value != value or value in (float("inf"), float("-inf")):
                raise ValueError
            return value
    except ValueError:
        if type == "integer":
            raise ValidationError(_("“%(text)s” is not a whole number.") % {"text": text[:40]}) from None
        raise not_a_number(text) from None
    if type == "boolean":
        if text.casefold() not in TRUE | FALSE:
            raise ValidationError(_("“%(text)s” is neither true nor false.") % {"text": text[:40]})
        return text.casefold() in TRUE
    if type in UNITS:
        parts = split_scalar(text, type)
        if parts is None:
            said = _("“%(text)s” is not a number with a unit (%(units)s).")
            raise ValidationError(said % {"text": text[:40], "units": ", ".join(UNITS[type])})
        return " ".join(parts)
    return text


def not_a_number(text: str) -> ValidationError:
    """What to say; a comma is not guessed at: it parts decimals in some languages and thousands in others."""
    if "," in text:
        said = _("“%(text)s” is not a number; write decimals with a point, such as 0.5.")
    else:
        said = _("“%(text)s” is not a number.")
    return ValidationError(said % {"text": text[:40]})


def _lines(text: str) -> list[str]:
    """The lines with something on them. Raises ValidationError when they are too many."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) > MAX_ENTRIES:
        facts = {"limit": MAX_ENTRIES, "number": len(lines)}
        raise ValidationError(_("At most %(limit)s lines; these are %(number)s.") % facts)
    return lines


def _numbered(number: int, text: str, schema: EntrySchema) -> Any:
    try:
        return _ruled(scalar(text, schema.type), schema)
    except ValidationError as error:
        facts = {"number": number, "why": error.messages[0]}
        raise ValidationError(_("Line %(number)s: %(why)s") % facts) from None


def _ruled(value: Any, schema: EntrySchema) -> Any:
    for constraint in schema.constraints:
        if constraint.kind == "valid_values" and isinstance(constraint.value, list) and value not in constraint.value:
            names = ", ".join(map(as_words, constraint.value))
            raise ValidationError(_("Choose one of %(names)s.") % {"names": names})
    for validate in validators_for(schema.constraints, schema.type):
        validate(value)
    return value


def _conform(value: Any, schema: EntrySchema, where: str) -> Any:
    """The value if its shape is the schema's, scalars converted. Raises ValidationError naming the place."""
    place = f"{where}: " if where else ""
    if schema.type == "list":
        if not isinstance(value, list):
            raise ValidationError(place + _("expected a list (lines that begin with “- ”)."))
        made: Any = [_conform(item, schema.entry_schema or TEXT, f"{where}[{i}]") for i, item in enumerate(value, 1)]
    elif schema.type == "map":
        if not isinstance(value, dict):
            raise ValidationError(place + _("expected a map (lines of “key: value”)."))
        made = {
            str(key): _conform(item, schema.entry_schema or TEXT, f"{where} {key}".lstrip())
            for key, item in value.items()
        }
    elif schema.type in _CHECKS:
        if not _CHECKS[schema.type](value):
            facts = {"type": schema.type, "value": as_words(value)[:40]}
            raise ValidationError(place + _("expected %(type)s, got “%(value)s”.") % facts)
        made = value
    else:  # a type of the template's own: what it holds is for the orchestrator to judge
        return value
    try:
        return _ruled(made, schema)
    except ValidationError as error:
        raise ValidationError(place + error.messages[0]) from None


_CHECKS: dict[str, Callable[[Any], bool]] = {
    "string": lambda value: not isinstance(value, (list, dict)),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "float": lambda value: isinstance(value, (int, float)) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, (int, float)) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
}
