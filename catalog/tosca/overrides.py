"""Metadata files: what a site says about a template beside the template's own ``metadata`` (Laniakea's format).

``<template base name>.metadata.yml`` holds ``metadata:`` with any of display_name, icon, tag, ribbon…; an older layout
calls it ``template_metadata:`` and names files by paths of its own server.
"""

from typing import Any

from catalog.tosca.description import TemplateDescription
from catalog.tosca.guard import Refused
from catalog.tosca.harmless import harmless
from catalog.tosca.loader import load_yaml, plain

SUFFIXES = (".metadata.yml", ".metadata.yaml")


def load_overrides(text: str) -> dict[str, Any]:
    """The metadata a file gives. Raises Refused when it is no such file, or one that is not safe to handle."""
    data = harmless(plain(load_yaml(text)))
    if not isinstance(data, dict):
        raise Refused("It is no mapping with metadata.")
    found = data.get("metadata", data.get("template_metadata"))
    if not isinstance(found, dict):
        raise Refused("It has no mapping of metadata.")
    return found


def overridden_base(filename: str) -> str:
    """The base name of the template that a metadata file is for."""
    return next((filename.removesuffix(suffix) for suffix in SUFFIXES if filename.endswith(suffix)), filename)


def override(description: TemplateDescription, metadata: dict[str, Any]) -> TemplateDescription:
    """The description with the file's metadata laid over the template's, key by key; empty keys change nothing."""
    known = {key: value for key, value in metadata.items() if value is not None}
    return description.model_copy(update={"metadata": description.metadata | known})
