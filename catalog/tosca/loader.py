"""Turns guarded YAML text into plain data: safe loader only, values that JSON and the database can hold."""

import datetime
import math
from typing import Any

import yaml

from catalog.tosca.guard import EventLoader, Refused, check_yaml, explain

# Sections that real templates do without: own types and repositories are what endless loops in tosca-parser and
# reads of files and addresses are made with. Unknown sections are left to its verdict.
WITHHELD_KEYS = frozenset(
    {"artifact_types", "capability_types", "data_types", "dsl_definitions", "group_types", "interface_types",
     "node_types", "policy_types", "relationship_types", "repositories"}
)  # fmt: skip


def load_yaml(text: str) -> Any:
    """Guard and load one YAML document, with values just as YAML 1.1 types them. Raises Refused."""
    check_yaml(text)
    loader = EventLoader(text)
    try:
        return loader.get_single_data()
    except yaml.YAMLError as error:
        raise Refused(f"It is not YAML: {explain(error)}") from None
    except (ValueError, OverflowError, RecursionError, TypeError) as error:
        # An integer of thousands of digits, a date like 2020-99-99, a mapping as a key.
        raise Refused(f"It holds a value that can't be read: {error}") from None
    finally:
        loader.dispose()


def load_template(text: str) -> dict[str, Any]:
    """Load a template. Raises Refused when it is no template, or one that is not safe to handle."""
    data = load_yaml(text)
    if not isinstance(data, dict):
        raise Refused("It is no mapping of TOSCA sections.")
    if not isinstance(data.get("topology_template"), dict):
        raise Refused("It has no topology_template.")
    withheld = [str(key) for key in data if str(key).strip() in WITHHELD_KEYS]
    if withheld:
        raise Refused(f"Sections that are not taken from templates: {', '.join(withheld)[:300]}.")
    inputs = data["topology_template"].get("inputs")
    if inputs is not None and not isinstance(inputs, dict):
        raise Refused("The inputs are no mapping of names.")
    return data


def plain(value: Any) -> Any:
    """The value as JSON types: dates become ISO text, keys text. Raises Refused for NaN, infinity, NUL."""
    if isinstance(value, dict):
        return {_key(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (datetime.date, datetime.datetime)):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        raise Refused("It holds a number that is none (.nan or .inf).")
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 2**63:
        raise Refused("It holds a number of more than 64 bits.")
    if isinstance(value, bytes):
        raise Refused("It holds binary data.")
    if isinstance(value, str):
        return _sound(value)
    if value is None or isinstance(value, (bool, int, float)):
        return value
    raise Refused(f"It holds a value of type {type(value).__name__}.")


def _key(key: Any) -> str:
    if isinstance(key, bool):
        return "true" if key else "false"
    return _sound(str(plain(key)))


def _sound(text: str) -> str:
    """The text, if every store takes it: PostgreSQL refuses NUL, UTF-8 has no lone surrogates."""
    if "\0" in text or any("\ud800" <= char <= "\udfff" for char in text):
        raise Refused("A text holds a character that can't be stored.")
    return text
