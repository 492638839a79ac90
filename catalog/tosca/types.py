"""Puts the imported types into a template, so that tosca-parser has nothing to fetch (it would do so unguarded)."""

import copy
from collections.abc import Iterable, Mapping
from typing import Any

from catalog.tosca.guard import Refused
from catalog.tosca.loader import load_yaml

SECTIONS = (
    "artifact_types",
    "capability_types",
    "data_types",
    "group_types",
    "interface_types",
    "node_types",
    "policy_types",
    "relationship_types",
)
MAX_FILES = 50  # type files per template, nested ones included; the most seen is nine


def import_urls(data: Mapping[str, Any]) -> list[str]:
    """The addresses a template or type file imports, in order; any form TOSCA allows, odd entries left out."""
    imports = data.get("imports")
    entries: Iterable[Any] = imports if isinstance(imports, list) else [imports]
    found = []
    for entry in entries:
        for value in entry.values() if isinstance(entry, dict) else [entry]:
            url = value.get("file") if isinstance(value, dict) else value
            if isinstance(url, str) and url.strip():
                found.append(url.strip())
    return list(dict.fromkeys(found))


def load_types(text: str) -> dict[str, Any]:
    """Load a type file: its type sections and imports alone. Raises Refused when it is no such file."""
    data = load_yaml(text)
    if not isinstance(data, dict):
        raise Refused("It is no mapping of TOSCA sections.")
    return {key: data[key] for key in (*SECTIONS, "imports") if isinstance(data.get(key), (dict, list))}


def closure(urls: Iterable[str], known: Mapping[str, Mapping[str, Any]]) -> tuple[list[str], list[str]]:
    """All type files reached from some addresses, each once, and the addresses that are not known."""
    found: list[str] = []
    missing: list[str] = []
    ahead = list(urls)
    while ahead and len(found) < MAX_FILES:
        url = ahead.pop(0)
        if url in found or url in missing:
            continue
        if url in known:
            found.append(url)
            ahead.extend(import_urls(known[url]))
        else:
            missing.append(url)
    return found, missing


def with_types(template: Mapping[str, Any], known: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """A template without imports, with the sections of the types it imports merged in.

    What is nearer wins: a file over the files it imports, a later import over an earlier one. All is copied,
    since tosca-parser changes what it is given.
    """
    merged: dict[str, Any] = {key: copy.deepcopy(value) for key, value in template.items() if key != "imports"}
    reached, _ = closure(import_urls(template), known)
    top = import_urls(template)
    nearest_first = [url for url in reversed(top) if url in known] + [url for url in reached if url not in top]
    for url in nearest_first:
        for section in SECTIONS:
            types = known[url].get(section)
            if isinstance(types, dict):
                target = merged.setdefault(section, {})
                for name, definition in types.items():
                    if name not in target:
                        target[name] = copy.deepcopy(definition)
    return merged
