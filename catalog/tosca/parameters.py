"""Parameters files: how the inputs of a template are to be asked for (contract 10.4).

Several generations of the format are in use side by side: the widget is called ``tag_type`` in one and ``type`` in
another; some templates carry theirs in ``metadata.tabs`` (``catalog.tosca.tabs``). All are merged over the inputs of
the template. An input the template lacks is left out, unless choosing there sets inputs that the template has.
"""

import ast
from collections.abc import Mapping
from typing import Any

from catalog.tosca.description import (
    Constraint,
    Input,
    Option,
    TemplateDescription,
    as_words,
    constraints_of,
    is_secret,
)
from catalog.tosca.guard import Refused
from catalog.tosca.harmless import MAX_HELP, MAX_LABEL, harmless, words
from catalog.tosca.loader import load_yaml, plain

SUFFIXES = (".parameters.yml", ".parameters.yaml")
WIDGETS = frozenset(
    {"text", "textarea", "hidden", "email", "password", "hostname", "select", "radio", "toggle", "multiselect",
     "dependent_select", "combined", "integer", "float", "boolean", "list", "map", "ports", "random_password",
     "uuidgen", "userinfo"}
)  # fmt: skip
# Other names for the same.
_ALIASES = {
    "secret": "password",
    "random": "random_password",
    "userid": "userinfo",
    "swift_autouuid": "uuidgen",
    "ssh_pub_key_type": "textarea",
}
# Filled from services that this dashboard does not have: asked for as what they are, a text nobody may see.
_FOREIGN_SECRETS = frozenset({"access_token", "swift_token", "vault_token"})
_TYPES = frozenset({"integer", "float", "boolean", "list", "map"})
_MAX_LITERAL = 500  # characters; the longest seen has 33
_MAX_ROWS = 40
_WORDS = (("display_name", "label"), ("description", "help"), ("placeholder", "placeholder"),
          ("prefix", "prefix"), ("suffix", "suffix"), ("attribute", "attribute"))  # fmt: skip


def load_parameters(text: str) -> dict[str, Any]:
    """Load a parameters file. Raises Refused when it is none, or one that is not safe to handle."""
    data = harmless(plain(load_yaml(text)))
    if not isinstance(data, dict):
        raise Refused("It is no mapping with inputs.")
    if not isinstance(data.get("inputs") or {}, dict):
        raise Refused("The inputs are no mapping of names.")
    return data


def template_base(filename: str) -> str:
    """The base name a parameters file is for, or a template has: what the two are matched by."""
    for suffix in (*SUFFIXES, ".yml", ".yaml"):
        if filename.endswith(suffix):
            return filename.removesuffix(suffix)
    return filename


def refine(description: TemplateDescription, parameters: Mapping[str, Any]) -> TemplateDescription:
    """The description with labels, help, defaults, choices, tabs and widgets of loaded parameters.

    ``parameters`` has the keys ``inputs``, ``tabs`` and ``outputs``, all optional. Inputs stay in the template's
    order; a virtual one comes before the first that it sets. Never raises for what ``load_parameters`` gave.
    """
    asked = parameters.get("inputs") or {}
    tabs = _tabs(parameters.get("tabs"), asked)
    inputs = [_refine_input(item, asked.get(item.name), tabs, description) for item in description.inputs]
    for name, spec in asked.items():
        if isinstance(spec, dict) and not description.input(name):
            inputs = _with_virtual(inputs, name, spec, tabs, description)
    outputs = parameters.get("outputs")
    types = {
        name: str(spec["type"])
        for name, spec in (outputs.items() if isinstance(outputs, dict) else ())
        if isinstance(spec, dict) and isinstance(spec.get("type"), str)
    }
    changes = {
        "inputs": tuple(inputs),
        "tabs": tuple(dict.fromkeys([*description.tabs, *tabs])),
        "output_types": description.output_types | types,
    }
    return description.model_copy(update=changes)


def widget_of(spec: Mapping[str, Any], type: str) -> str:
    """The widget a parameters file asks for, as one of WIDGETS; "" when the input's type alone is to decide."""
    word = spec.get("tag_type") or spec.get("type") or ""
    if not isinstance(word, str):
        return ""
    if word in _FOREIGN_SECRETS:
        return "password" if type == "string" else ""
    word = _ALIASES.get(word, word)
    if word == type or (word in _TYPES and type != "string"):
        return ""  # the template knows better than a file beside it
    return word if word in WIDGETS else ""


def _tabs(listed: Any, asked: Mapping[str, Any]) -> tuple[str, ...]:
    """The tabs in their order; where a file lists none, those that its inputs name."""
    if isinstance(listed, list):
        return tuple(dict.fromkeys(tab for tab in listed if isinstance(tab, str) and 0 < len(tab) <= MAX_LABEL))
    named = (spec.get("tab") for spec in asked.values() if isinstance(spec, dict))
    return tuple(dict.fromkeys(tab for tab in named if isinstance(tab, str) and 0 < len(tab) <= MAX_LABEL))


def _refine_input(item: Input, spec: Any, tabs: tuple[str, ...], description: TemplateDescription) -> Input:
    if not isinstance(spec, dict):
        return item
    widget = widget_of(spec, item.type)
    options, constraints = _choices(item, spec, description)
    changes: dict[str, Any] = {
        "widget": widget or item.widget,
        "secret": item.secret or widget in {"password", "random_password"} or is_secret(item.name),
        "options": options or item.options,
        "constraints": constraints,
    }
    for key, name in _WORDS:
        if isinstance(spec.get(key), (str, int, float)):
            changes[name] = words(as_words(spec[key]), MAX_HELP if name == "help" else MAX_LABEL)
    if isinstance(spec.get("required"), bool):
        changes["required"] = spec["required"]
    if spec.get("default") is not None:
        changes |= {"default": _typed(item, spec["default"]), "has_default": True}
    if isinstance(spec.get("rows"), int) and 0 < spec["rows"] <= _MAX_ROWS:
        changes["rows"] = spec["rows"]
    if spec.get("tab") in tabs:
        changes["tab"] = spec["tab"]
    for key, name in (("parent", "depends_on"), ("enabled_by", "enabled_by")):
        if isinstance(spec.get(key), str) and spec[key] != item.name and description.input(spec[key]):
            changes[name] = spec[key]
    if widget == "userinfo" and not changes.get("attribute"):
        changes["attribute"] = "sub"
    refined = item.model_copy(update=changes)
    if widget == "hidden" and (refined.has_default or not refined.required):
        return refined.model_copy(update={"hidden": True})
    return refined  # what is needed and has no value can't be hidden from the one who knows it


def _with_virtual(
    inputs: list[Input], name: str, spec: Mapping[str, Any], tabs: tuple[str, ...], description: TemplateDescription
) -> list[Input]:
    """The inputs with one that only sets others, or unchanged when it would set none that the template has."""
    made = _refine_input(Input(name=name, required=False), spec, tabs, description)
    targets = {target for option in made.options for target in option.sets}
    if not targets:
        return inputs
    by_name = {item.name: item for item in inputs}
    as_is = next(
        (option for option in made.options
         if all(by_name[target].default == value for target, value in option.sets.items())),
        None,
    )  # fmt: skip
    changes = {
        "virtual": True,
        "hidden": False,
        "widget": "combined",
        "default": as_is.value if as_is else None,
        "has_default": as_is is not None,
    }
    place = min(index for index, item in enumerate(inputs) if item.name in targets)
    marked = [
        # Asked once, by the choice; its own value counts while nothing is chosen, so it needs one to be out of sight.
        item.model_copy(update={"set_by": name, "hidden": item.hidden or item.has_default})
        if item.name in targets
        else item
        for item in inputs
    ]
    return [*marked[:place], made.model_copy(update=changes), *marked[place:]]


def _choices(
    item: Input, spec: Mapping[str, Any], description: TemplateDescription
) -> tuple[tuple[Option, ...], tuple[Constraint, ...]]:
    """Options ({value, label} entries) and constraints (any other form, which replaces the template's)."""
    constraints = spec.get("constraints")
    entries = constraints if isinstance(constraints, list) else [constraints] if isinstance(constraints, dict) else []
    options = tuple(
        _option(item, entry, spec, description) for entry in entries if isinstance(entry, dict) and "value" in entry
    )
    rules = constraints_of(constraints) or item.constraints
    if isinstance(spec.get("pattern"), str):
        rules = (*(rule for rule in rules if rule.kind != "pattern"), Constraint(kind="pattern", value=spec["pattern"]))
    return options, rules


def _option(item: Input, entry: Mapping[str, Any], spec: Mapping[str, Any], description: TemplateDescription) -> Option:
    value = _typed(item, entry["value"])
    given = entry.get("set")
    if not isinstance(given, dict):
        alone = spec.get("type") == "combined" or description.input(item.name) is None
        given = _written_map(value) if alone else {}
    sets = {}
    for name, other in given.items():
        target = description.input(name)
        if target and name != item.name and not isinstance(other, (dict, list)):
            sets[name] = _typed(target, other)
    label = words(as_words(entry.get("label")) or as_words(value))
    parent = description.input(str(spec.get("parent")))
    needs = _typed(parent, entry["parent_value"]) if parent and "parent_value" in entry else None
    return Option(value=value, label=label, parent_value=needs, sets=sets)


def _written_map(value: Any) -> dict[str, Any]:
    """A mapping that was written as text ("{'cpus': '2'}"), or an empty one. Only literals are read, nothing runs."""
    if not isinstance(value, str) or len(value) > _MAX_LITERAL or not value.strip().startswith("{"):
        return {}
    try:
        found = plain(ast.literal_eval(value.strip()))
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError, Refused):
        return {}
    return found if isinstance(found, dict) else {}


def _typed(item: Input, value: Any) -> Any:
    """A value written as text, in the type the template declares, where the text allows it."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    try:
        if item.type == "integer":
            return int(text)
        if item.type == "float":
            return float(text)
    except ValueError:
        return value
    if item.type == "boolean" and text.casefold() in {"true", "false", "yes", "no", "on", "off"}:
        return text.casefold() in {"true", "yes", "on"}
    return value
