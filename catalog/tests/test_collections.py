"""Whole collections of templates and modules: the sandbox's sample, and what DEEPDASH_REALDATA names.

The folder is laid out as ``sandbox/sample``: ``tosca-templates``, ``tosca-types/import-map.yml``, ``modules``; beside
them optionally ``VERDICTS.json`` (path → {"valid", "raised"}) as measured elsewhere.
"""

import json
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from catalog.markdown import render
from catalog.sources.folder import read_templates
from catalog.sources.metadata import parse_metadata
from catalog.sources.modules import parse_modules
from catalog.tosca.description import TemplateDescription, describe
from catalog.tosca.guard import Refused
from catalog.tosca.loader import load_template, plain
from catalog.tosca.overrides import SUFFIXES as OVERRIDES
from catalog.tosca.overrides import overridden_base
from catalog.tosca.parameters import SUFFIXES, template_base
from catalog.tosca.reading import read_template
from catalog.tosca.types import closure, import_urls, load_types
from catalog.tosca.verdict import Checker
from deepdash.config import BASE_DIR

FOLDERS = [BASE_DIR / "sandbox" / "sample"]
if os.environ.get("DEEPDASH_REALDATA"):
    FOLDERS.append(Path(os.environ["DEEPDASH_REALDATA"]))
PATHS = [
    (folder, file.path)
    for folder in FOLDERS
    for file in read_templates(folder / "tosca-templates")
    if "parameters" not in file.path and "tosca-metadata" not in file.path
]
# The sample has two files among its templates that are none, as real folders have had.
NO_TEMPLATES = {"deep-oc-common-inputs.yml", "deep-oc-half-written.yml"}
TEMPLATES = [pytest.param(folder, path, id=f"{folder.name}/{path}") for folder, path in PATHS]
DEEP = [
    pytest.param(folder, path, id=f"{folder.name}/{path}")
    for folder, path in PATHS
    if "/deep-oc/" in path and Path(path).name not in NO_TEMPLATES
]
METADATA = [
    pytest.param(path, id=f"{folder.name}/{path.parent.name}")
    for folder in FOLDERS
    for path in sorted((folder / "modules").glob("*/*/metadata.json"))
]


@pytest.fixture(scope="module")
def checker() -> Iterator[Checker]:
    with Checker() as made:
        yield made


@cache
def types_of(folder: Path, dated: bool) -> dict[str, str]:
    places: dict[str, str] = (
        yaml.safe_load((folder / "tosca-types" / "import-map.yml").read_text(encoding="utf-8")) or {}
    )
    if dated:  # an old state of templates that import, by the same address, the types of their own date
        url = "https://raw.githubusercontent.com/grycap/tosca/main/custom_types.yaml"
        places[url] = "grycap/2023/custom_types.yaml"
    return {url: (folder / "tosca-types" / place).read_text(encoding="utf-8") for url, place in places.items()}


@cache
def verdicts_of(folder: Path) -> dict[str, Any]:
    path = folder / "VERDICTS.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def text_of(folder: Path, path: str) -> str:
    return (folder / "tosca-templates" / path).read_text(encoding="utf-8-sig")


@pytest.mark.parametrize(("folder", "path"), TEMPLATES)
def test_a_template_is_described_completely_and_judged_as_measured(folder: Path, path: str, checker: Checker) -> None:
    text = text_of(folder, path)
    if Path(path).name in NO_TEMPLATES:
        with pytest.raises(Refused):
            load_template(text)
        return
    data = plain(load_template(text))
    description = describe(data)
    assert [item.name for item in description.inputs] == list(data["topology_template"].get("inputs") or {})
    assert TemplateDescription.model_validate(json.loads(description.model_dump_json())) == description
    for item in description.inputs:
        written = data["topology_template"]["inputs"][item.name]
        assert item.type == written["type"]
        assert item.default == written.get("default")
        assert len(item.constraints) == len(written.get("constraints") or [])
    texts = types_of(folder, dated=path.startswith("grycap-2023"))
    reached, _ = closure(import_urls(data), {url: load_types_of(text) for url, text in texts.items()})
    found = checker.check(text, {url: texts[url] for url in reached})
    measured = verdicts_of(folder).get(path)
    if measured:
        failed = "invalid" if measured["raised"] == "ValidationError" else "parser_failed"
        assert found.verdict == ("valid" if measured["valid"] else failed), found.errors


@cache
def load_types_of(text: str) -> dict[str, Any]:
    return load_types(text)


@pytest.mark.parametrize(("folder", "path"), DEEP)
def test_every_deep_template_asks_for_something(folder: Path, path: str) -> None:
    assert describe(plain(load_template(text_of(folder, path)))).inputs


def test_all_parameters_and_metadata_files_can_be_merged() -> None:
    merged = 0
    for folder in FOLDERS:
        files = sorted((folder / "tosca-templates").rglob("*.y*ml"))
        beside = {
            (
                file.relative_to(folder / "tosca-templates").parts[0],
                template_base(overridden_base(file.name)),
                kind,
            ): file
            for file in files
            for kind, suffixes in (("parameters", SUFFIXES), ("overrides", OVERRIDES))
            if file.name.endswith(suffixes)
        }
        for place, path in PATHS:
            if place != folder or Path(path).name in NO_TEMPLATES:
                continue
            texts = {
                kind: file.read_text(encoding="utf-8")
                for (top, base, kind), file in beside.items()
                if (top, base) == (Path(path).parts[0], template_base(Path(path).name))
            }
            described = describe(plain(load_template(text_of(folder, path))))
            reading = read_template(text_of(folder, path), **texts)
            asked = [item for item in reading.description.inputs if not item.virtual]
            assert [(item.name, item.type) for item in asked] == [(item.name, item.type) for item in described.inputs]
            assert not [note for note in reading.notes if "can't be read" in note]
            merged += len(texts)
    assert merged


@pytest.mark.parametrize("path", METADATA)
def test_every_modules_metadata_is_read(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    try:
        json.loads(text)
    except ValueError:
        return  # the sample has one that is broken on purpose
    found = parse_metadata(text)
    assert found.title
    assert "<script" not in render(found.description)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_every_list_of_modules_is_read(folder: Path) -> None:
    found = parse_modules((folder / "modules" / "MODULES.yml").read_text(encoding="utf-8"))
    assert len(found.modules) > 5
    assert len({module.slug for module in found.modules}) == len(found.modules)
