"""Parameters files: how the inputs of a template are to be asked for (contract 10.4).

Two generations of the format are in use side by side: the widget is called ``tag_type`` in one and ``type`` in
the other. Both are merged over the inputs of the template; an input the template lacks is left out.
"""

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
from catalog.tosca.loader import load_yaml, plain

WIDGETS = frozenset(
    {"text", "textarea", "hidden", "email", "password", "hostname", "select", "radio", "toggle", "multiselect"}
)
SUFFIXES = (".parameters.yml", ".parameters.yaml")


def load_parameters(text: str) -> dict[str, Any]:
    """Load a parameters file. Raises Refused when it is none, or one that is not safe to handle."""
    data = plain(load_yaml(text))
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
    """The description with labels, help, defaults, choices, tabs and widgets of a loaded parameters file."""
    tabs = parameters.get("tabs")
    names = tuple(tab for tab in tabs if isinstance(tab, str)) if isinstance(tabs, list) else ()
    asked = parameters.get("inputs") or {}
    inputs = tuple(_refine_input(item, asked.get(item.name), names) for item in description.inputs)
    return description.model_copy(update={"inputs": inputs, "tabs": names})


def _refine_input(item: Input, spec: Any, tabs: tuple[str, ...]) -> Input:
    if not isinstance(spec, dict):
        return item
    widget = spec.get("tag_type") or spec.get("type") or ""
    widget = widget if isinstance(widget, str) and widget in WIDGETS else ""
    options, constraints = _choices(item, spec.get("constraints"))
    changes: dict[str, Any] = {
        "widget": widget,
        "hidden": widget == "hidden",
        "secret": item.secret or widget == "password" or is_secret(item.name),
        "options": options,
        "constraints": constraints,
    }
    for key, name in (("display_name", "label"), ("description", "help"), ("placeholder", "placeholder")):
        if isinstance(spec.get(key), (str, int, float)):
            changes[name] = " ".join(as_words(spec[key]).split())
    if isinstance(spec.get("required"), bool):
        changes["required"] = spec["required"]
    if spec.get("default") is not None:
        changes |= {"default": _typed(item, spec["default"]), "has_default": True}
    if spec.get("tab") in tabs:
        changes["tab"] = spec["tab"]
    return item.model_copy(update=changes)


def _choices(item: Input, spec: Any) -> tuple[tuple[Option, ...], tuple[Constraint, ...]]:
    """Options ({value, label} entries) and constraints (any other form, which replaces the template's)."""
    entries = spec if isinstance(spec, list) else [spec] if isinstance(spec, dict) else []
    options = tuple(
        Option(value=_typed(item, entry["value"]), label=as_words(entry.get("label")) or as_words(entry["value"]))
        for entry in entries
        if isinstance(entry, dict) and "value" in entry
    )
    return options, constraints_of(spec) or item.constraints


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
