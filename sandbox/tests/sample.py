"""The files of the sample catalogue, as tests read them."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import yaml
from toscaparser.common.exception import ExceptionCollector, ValidationError
from toscaparser.tosca_template import ToscaTemplate

from sandbox.world import SAMPLE

MODULES = SAMPLE / "modules"
ORG = "deephdc-sample"
REPOSITORY = SAMPLE / "tosca-templates" / "indigo-dc"
TEMPLATES = REPOSITORY / "deep-oc"
PARAMETERS = REPOSITORY / "tosca-parameters"
TYPES = SAMPLE / "tosca-types"
RAW = "https://raw.githubusercontent.com/indigo-dc/tosca-templates/master/"

WITHOUT_METADATA = "DEEP-OC-cloud-types"
MALFORMED = "DEEP-OC-soil-moisture"
HOSTILE = "DEEP-OC-unsafe-markup"

GOOD_TEMPLATES = [
    "deep-oc-field-types.yml",
    "deep-oc-harbour-detect.yml",
    "deep-oc-hpc-job.yml",
    "deep-oc-listening-station.yml",
    "deep-oc-marathon-minimal.yml",
    "deep-oc-marathon-webdav.yml",
    "deep-oc-retina-workbench.yml",
    "deep-oc-virtual-machine.yaml",
]
REJECTED = "deep-oc-plankton-counter.yml"
NOT_YAML = "deep-oc-half-written.yml"
FRAGMENT = "deep-oc-common-inputs.yml"


def listed() -> list[str]:
    """Return the addresses in MODULES.yml as written."""
    entries = yaml.safe_load((MODULES / "MODULES.yml").read_text())
    assert all(list(entry) == ["module"] for entry in entries)
    return [entry["module"] for entry in entries]


def repository_name(url: str) -> str:
    return url.rstrip("/").removesuffix(".git").rsplit("/", 1)[1]


REPOSITORIES = sorted({repository_name(url) for url in listed()})
GOOD_MODULES = [name for name in REPOSITORIES if name not in (WITHOUT_METADATA, MALFORMED)]


def metadata(name: str) -> dict[str, Any]:
    data = json.loads((MODULES / ORG / name / "metadata.json").read_text(encoding="utf-8"))
    assert isinstance(data, dict)
    return data


def description(name: str) -> str:
    return "\n".join(metadata(name)["description"])


def tags(name: str) -> list[dict[str, Any]]:
    data = json.loads((MODULES / ORG / name / "tags.json").read_text())
    assert isinstance(data, list)
    return data


def load(file: Path) -> dict[str, Any]:
    data = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert isinstance(data, dict)
    return data


def template(name: str) -> dict[str, Any]:
    return load(TEMPLATES / name)


def inputs(name: str) -> dict[str, dict[str, Any]]:
    found = template(name)["topology_template"]["inputs"]
    assert isinstance(found, dict)
    return found


def node_types(name: str) -> set[str]:
    return {node["type"] for node in template(name)["topology_template"]["node_templates"].values()}


def import_map() -> dict[str, str]:
    return load(TYPES / "import-map.yml")


def parse(tpl: dict[str, Any]) -> ToscaTemplate:
    """Give a template to tosca-parser with the types of its imports merged in, so that it fetches nothing."""
    tpl = copy.deepcopy(tpl)
    for entry in tpl.pop("imports", []):
        for url in entry.values():
            for section, types in load(TYPES / import_map()[url]).items():
                if section.endswith("_types"):
                    tpl.setdefault(section, {}).update(types)
    return ToscaTemplate(yaml_dict_tpl=tpl)


def complaints(tpl: dict[str, Any]) -> list[str]:
    """Return what tosca-parser has against a template."""
    try:
        parse(tpl)
    except ValidationError:
        return [str(error) for error in ExceptionCollector.getExceptions()]
    return []
