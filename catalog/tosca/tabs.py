"""``metadata.tabs``: a template that says itself under which tab each of its inputs is asked for.

A tab holds either one regular expression on the names of inputs, or a list whose entries are names or one-key maps
from a name to options in the words of a parameters file.
"""

from collections.abc import Mapping
from time import thread_time
from typing import Any

import regex

from catalog.tosca.description import TemplateDescription

PATTERN_SECONDS = 0.2  # of computing, for all expressions of one template
MAX_PATTERN = 500  # characters


def parameters_of(description: TemplateDescription) -> dict[str, Any]:
    """The tabs of the template's own metadata as loaded parameters, {} when it has none.

    An input that a list names belongs there, whatever expressions fit it too; of several expressions the first wins.
    """
    tabs = description.metadata.get("tabs")
    if isinstance(tabs, list):
        return {"tabs": tabs}
    if not isinstance(tabs, dict):
        return {}
    names = [item.name for item in description.inputs]
    specs: dict[str, dict[str, Any]] = {}
    for tab, content in tabs.items():
        for name, options in _listed(content):
            if name in names:
                specs.setdefault(name, {**options, "tab": tab})
    until = thread_time() + PATTERN_SECONDS
    for tab, content in tabs.items():
        if isinstance(content, str):
            for name in _fitting(content, [name for name in names if name not in specs], until):
                specs[name] = {"tab": tab}
    return {"tabs": list(tabs), "inputs": specs}


def _listed(content: Any) -> list[tuple[str, Mapping[str, Any]]]:
    entries = content if isinstance(content, list) else [content] if isinstance(content, dict) else []
    found: list[tuple[str, Mapping[str, Any]]] = []
    for entry in entries:
        if isinstance(entry, str):
            found.append((entry, {}))
        elif isinstance(entry, dict):
            found += [(name, options if isinstance(options, dict) else {}) for name, options in entry.items()]
    return found


def _fitting(pattern: str, names: list[str], until: float) -> list[str]:
    """Names that fit an expression from their beginning on. One that is no expression, or takes too long, fits none."""
    if len(pattern) > MAX_PATTERN or thread_time() >= until:
        return []
    try:
        compiled = regex.compile(pattern)
        return [name for name in names if compiled.match(name, timeout=max(0.001, until - thread_time()))]
    except (regex.error, TimeoutError, RecursionError, OverflowError):
        return []
