"""The modules of the sample are what its README claims: sound, or broken in the stated way."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from jsonschema import Draft7Validator, FormatChecker

from sandbox.tests.sample import (
    GOOD_MODULES,
    GOOD_TEMPLATES,
    HOSTILE,
    MALFORMED,
    MODULES,
    ORG,
    RAW,
    REJECTED,
    REPOSITORIES,
    REPOSITORY,
    TEMPLATES,
    WITHOUT_METADATA,
    description,
    listed,
    load,
    metadata,
    repository_name,
    tags,
)

METADATA_SCHEMA = {
    "type": "object",
    "required": ["title", "summary", "description", "keywords", "license", "date_creation", "sources"],
    "additionalProperties": False,
    "properties": {
        "title": {"type": "string", "minLength": 1},
        "summary": {"type": "string", "minLength": 1},
        "description": {"type": "array", "minItems": 1, "items": {"type": "string"}},
        "keywords": {"type": "array", "minItems": 1, "uniqueItems": True, "items": {"type": "string"}},
        "license": {"type": "string", "minLength": 1},
        "date_creation": {"type": "string", "format": "date"},
        "dataset_url": {"type": "string"},
        "cite_url": {"type": "string"},
        "training_files_url": {"type": "string"},
        "docker_tags": {"type": "array", "items": {"type": "string"}},
        "sources": {
            "type": "object",
            "required": ["dockerfile_repo", "docker_registry_repo", "code"],
            "additionalProperties": {"type": "string"},
        },
        "continuous_integration": {
            "type": "object",
            "required": ["build_status_badge", "build_status_url"],
            "additionalProperties": {"type": "string"},
        },
        "tosca": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["title", "url", "inputs"],
                "properties": {
                    "title": {"type": "string"},
                    "url": {"type": "string"},
                    "inputs": {"type": "array", "items": {"type": "string"}},
                },
            },
        },
    },
}


# -- the list of modules ------------------------------------------------------------------------------------


def test_the_list_holds_the_odd_entries_of_real_lists() -> None:
    urls = listed()
    assert all(url.startswith(f"https://github.com/{ORG}/DEEP-OC-") for url in urls)
    assert sum(url.endswith("/") for url in urls) == 1
    assert sum(url.endswith(".git") for url in urls) == 1
    repeated = [name for name, count in Counter(map(repository_name, urls)).items() if count > 1]
    assert repeated == ["DEEP-OC-spoken-commands"]


def test_every_listed_module_has_a_folder_and_every_folder_is_listed() -> None:
    assert sorted(folder.name for folder in (MODULES / ORG).iterdir()) == REPOSITORIES


def test_one_module_has_the_branch_main_alone() -> None:
    branches = load(MODULES / "branches.yml")
    assert branches == {f"{ORG}/DEEP-OC-harbour-detect": ["main"]}


def test_one_module_has_no_metadata() -> None:
    missing = [name for name in REPOSITORIES if not (MODULES / ORG / name / "metadata.json").exists()]
    assert missing == [WITHOUT_METADATA]


def test_the_malformed_metadata_lacks_one_comma_and_nothing_else() -> None:
    text = (MODULES / ORG / MALFORMED / "metadata.json").read_text()
    with pytest.raises(json.JSONDecodeError, match="Expecting ',' delimiter"):
        json.loads(text)
    assert Draft7Validator(METADATA_SCHEMA).is_valid(json.loads(text.replace(']\n    "license"', '],\n    "license"')))


# -- modules ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", GOOD_MODULES)
def test_the_metadata_follows_the_schema(name: str) -> None:
    errors = Draft7Validator(METADATA_SCHEMA, format_checker=FormatChecker()).iter_errors(metadata(name))
    assert [error.message for error in errors] == []


@pytest.mark.parametrize("name", GOOD_MODULES)
def test_addresses_of_the_metadata_are_invented_or_of_the_sample(name: str) -> None:
    def texts(value: object) -> Iterator[str]:
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            for item in value.values():
                yield from texts(item)
        elif isinstance(value, list):
            for item in value:
                yield from texts(item)

    for text in texts(metadata(name)):
        for url in re.findall(r"https?://[^\s'\")>]+", text):
            parts = urlsplit(url)
            if parts.hostname in ("github.com", "raw.githubusercontent.com"):
                assert parts.path.startswith((f"/{ORG}/", "/indigo-dc/tosca-templates/")), url
            else:
                assert (parts.hostname or "").endswith(".example.org"), url


def test_images_are_distinct_and_in_the_namespace_of_the_sample() -> None:
    images = [metadata(name)["sources"]["docker_registry_repo"] for name in GOOD_MODULES]
    assert all(re.fullmatch(r"deephdcsample/[a-z0-9]+(?:[._-][a-z0-9]+)*", image) for image in images)
    assert len(set(images)) == len(images)


def test_images_that_ask_the_sandbox_for_trouble_say_so_in_their_titles() -> None:
    troubled = {
        metadata(name)["title"]: metadata(name)["sources"]["docker_registry_repo"].rpartition("sandbox-")[2]
        for name in GOOD_MODULES
        if "sandbox-" in metadata(name)["sources"]["docker_registry_repo"]
    }
    assert troubled == {"Fails to deploy (demonstration)": "fail", "Never finishes (demonstration)": "stuck"}


def test_only_one_template_that_a_module_names_does_not_exist() -> None:
    urls = [entry["url"] for name in GOOD_MODULES for entry in metadata(name).get("tosca", [])]
    assert all(url.startswith(RAW) for url in urls)
    paths = {url.removeprefix(RAW) for url in urls}
    assert {path for path in paths if not (REPOSITORY / path).is_file()} == {"deep-oc/deep-oc-marathon.yml"}
    assert [entry["url"] for entry in metadata("DEEP-OC-minutes-summariser")["tosca"]] == [
        f"{RAW}deep-oc/deep-oc-marathon.yml"
    ]


def test_every_readable_template_can_be_reached_from_a_module_or_is_common() -> None:
    named = {entry["url"].rsplit("/", 1)[1] for name in GOOD_MODULES for entry in metadata(name).get("tosca", [])}
    assert {*GOOD_TEMPLATES, REJECTED} <= named


def test_some_modules_leave_out_what_the_schema_lets_them_leave_out() -> None:
    without = {
        key: [name for name in GOOD_MODULES if key not in metadata(name)] for key in ("tosca", "continuous_integration")
    }
    assert without == {"tosca": ["DEEP-OC-spoken-commands"], "continuous_integration": ["DEEP-OC-spoken-commands"]}
    for key in ("dataset_url", "cite_url", "training_files_url"):
        assert 1 < sum(key in metadata(name) for name in GOOD_MODULES) < len(GOOD_MODULES), key
    assert metadata("DEEP-OC-plankton-imaging")["cite_url"] == ""


def test_the_same_keyword_is_written_in_different_cases() -> None:
    keywords = {keyword for name in GOOD_MODULES for keyword in metadata(name)["keywords"]}
    assert {"tensorflow", "Tensorflow", "pytorch", "PyTorch", "deep learning", "Deep Learning"} <= keywords
    assert {"trainable", "inference", "pre-trained"} <= keywords
    both = metadata("DEEP-OC-retina-screening")["keywords"]
    assert {"pytorch", "PyTorch"} <= set(both)


def test_licences_vary() -> None:
    assert {metadata(name)["license"] for name in GOOD_MODULES} >= {"MIT", "Apache 2.0", "Apache-2.0", "BSD-3-Clause"}


def test_descriptions_use_the_markdown_real_ones_use() -> None:
    text = "\n".join(description(name) for name in GOOD_MODULES)
    for construct in (
        r"^## ",
        r"^\* ",
        r"^- ",
        r"^\d\. ",
        r"^```",
        r"^    \S",
        r"^\| --- ",
        r"^> ",
        r"\*\*",
        r"\]\(https:",
    ):
        assert re.search(construct, text, re.MULTILINE), construct
    assert any("\n" in line.rstrip("\n") for line in metadata("DEEP-OC-plankton-imaging")["description"])


def test_one_description_has_an_image_in_html_with_a_stray_comma() -> None:
    assert re.search(r"<img class='[^']*', src='https://[^']+'/>", description("DEEP-OC-plankton-imaging"))
    assert re.search(r"<a href=https://\S+ target=", description("DEEP-OC-plankton-imaging"))


@pytest.mark.parametrize(
    "attempt",
    [
        "<script>",
        " onerror=",
        " onload=",
        " onclick=",
        "](javascript:",
        'href="javascript:',
        "](JaVaScRiPt:",
        'href="data:text/html',
        "<iframe",
        "<style>",
        " style=",
        "<form",
        "<meta http-equiv",
        "<base",
        "</main>",
    ],
)
def test_one_description_is_hostile(attempt: str) -> None:
    assert attempt in description(HOSTILE)


def test_all_other_descriptions_are_harmless() -> None:
    for name in GOOD_MODULES:
        if name != HOSTILE:
            assert not re.search(
                r"<script|\bon[a-z]+\s*=\s*['\"]|javascript:|<style|<iframe", description(name), re.I
            ), name


# -- tags ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", REPOSITORIES)
def test_tags_have_name_size_and_date_newest_first(name: str) -> None:
    rows = tags(name)
    for row in rows:
        assert set(row) == {"name", "size", "last_updated"}
        assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}", row["name"])
        assert 100_000_000 < row["size"] < 10_000_000_000
        assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", row["last_updated"])
    assert len({row["name"] for row in rows}) == len(rows)
    dates = [row["last_updated"] for row in rows]
    assert dates == sorted(dates, reverse=True)


def test_tags_cover_the_cases_a_dashboard_meets() -> None:
    names = {name: [row["name"] for row in tags(name)] for name in REPOSITORIES}
    assert {"cpu", "gpu", "latest", "GPU-Test", "cpu-1.2"} == set(names["DEEP-OC-alpine-flora"])
    assert len(names["DEEP-OC-sentinel-superres"]) > 120
    assert names[HOSTILE] == []
    assert all("gpu" in tag for tag in names["DEEP-OC-retina-screening"])


def test_the_development_environment_names_tags_of_which_one_is_not_there() -> None:
    named = metadata("DEEP-OC-generic-dev")["docker_tags"]
    there = {row["name"] for row in tags("DEEP-OC-generic-dev")}
    assert len(named) == 26
    assert set(named) - there == {"tf2.16.1-gpu"}
    assert len(there - set(named)) == 3


def test_images_with_a_tag_written_into_a_template_exist() -> None:
    text = "\n".join((TEMPLATES / name).read_text() for name in GOOD_TEMPLATES)
    images = set(re.findall(r"deephdcsample/([a-z0-9-]+):(\S+)", text))
    assert images == {("deep-oc-harbour-detect", "gpu-2.1"), ("deep-oc-retina-screening", "gpu-approved")}
    for image, tag in images:
        name = next(name for name in REPOSITORIES if name.lower() == image)
        assert tag in {row["name"] for row in tags(name)}
