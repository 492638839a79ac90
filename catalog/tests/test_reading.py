"""A template's own tabs, its fragments, keys written twice, and the metadata files of a site."""

from pathlib import Path

import pytest

from catalog.models import Template
from catalog.sources.folder import read_templates
from catalog.testing import TEMPLATE, use_config
from catalog.tests.conftest import World
from catalog.tosca.duplicates import duplicate_keys
from catalog.tosca.guard import Refused
from catalog.tosca.overrides import load_overrides
from catalog.tosca.reading import read_template

TABBED = """
metadata:
  display_name: Cluster
  tabs: %s
topology_template:
  inputs:
    fe_cpus: {type: integer, default: 1}
    fe_mem: {type: string, default: ""}
    wn_num: {type: integer, default: 1}
    cert: {type: boolean, default: false}
    cert_email: {type: string, default: ""}
    values: {type: string, default: ""}
"""


def tabs_of(tabs: str) -> dict[str, str]:
    return {item.name: item.tab for item in read_template(TABBED % tabs).description.inputs if item.tab}


def test_a_tab_names_its_inputs_by_an_expression() -> None:
    assert tabs_of("{Front: 'fe_.*', Rest: '.*'}") == {
        "fe_cpus": "Front", "fe_mem": "Front", "wn_num": "Rest", "cert": "Rest", "cert_email": "Rest", "values": "Rest",
    }  # fmt: skip


def test_a_name_that_is_listed_wins_over_an_expression() -> None:
    assert tabs_of("{All: 'fe.*', Memory: [fe_mem, nowhere]}") == {"fe_cpus": "All", "fe_mem": "Memory"}


def test_listed_names_may_carry_options() -> None:
    found = read_template(
        TABBED % "{T: [{values: {tag_type: textarea}}, {cert_email: {enabled_by: cert, tag_type: email}}]}"
    ).description
    values, email = found.input("values"), found.input("cert_email")
    assert values
    assert email
    assert (values.widget, email.widget, email.enabled_by) == ("textarea", "email", "cert")
    assert found.tabs == ("T",)


@pytest.mark.parametrize("tabs", ["{T: '('}", "{T: '(a+)+$'}", "{T: 5}", "7", "[]", "{T: [[a], 3, null]}", "{T: ['']}"])
def test_tabs_that_make_no_sense_leave_the_inputs_as_they_are(tabs: str) -> None:
    assert tabs_of(tabs) == {}


def test_an_expression_that_would_never_end_is_given_up() -> None:
    name = "a" * 60
    text = f"metadata: {{tabs: {{T: '(a|aa)+$b'}}}}\ntopology_template: {{inputs: {{{name}x: {{type: string}}}}}}"
    assert read_template(text).description.inputs[0].tab == ""


def test_a_fragment_says_what_it_is_a_part_of() -> None:
    reading = read_template("metadata: {parents: [kubernetes.yaml]}\ntopology_template: {}")
    assert reading.description.parents == ("kubernetes.yaml",)
    assert any("kubernetes.yaml" in note for note in reading.notes)


@pytest.mark.parametrize(
    ("text", "lines"),
    [("a: 1\nb: {a: 2}\n", []), ("a: 1\na: 2", [2]), ("x:\n  - a: 1\n  - a: 1\n", []),
     ("{a: {b: 1, b: 2}, c: [a, a]}", [1]), ("? [a, b]\n: 1\nc: {a: 1}\nc: 2", [4]), ("a: b\nb: a\n", [])],
)  # fmt: skip
def test_keys_written_twice_are_found(text: str, lines: list[int]) -> None:
    assert [note.partition("(line ")[2].partition(")")[0] for note in duplicate_keys(text)] == list(map(str, lines))


@pytest.mark.parametrize("key", ["metadata", "template_metadata"])
def test_a_metadata_file_overrules_the_template_key_by_key(key: str) -> None:
    found = read_template(TEMPLATE, overrides=f"{key}: {{display_name: Ours, ribbon: true, tag: null}}").description
    assert found.metadata == {"display_name": "Ours", "ribbon": True, "tag": "CPU/GPU"}


@pytest.mark.parametrize("text", ["- a", "other: {}", "metadata: text", "metadata: &a {}"])
def test_what_is_no_metadata_file_is_refused(text: str) -> None:
    with pytest.raises(Refused):
        load_overrides(text)
    assert any("metadata file" in note for note in read_template(TEMPLATE, overrides=text).notes)


def test_files_beside_templates_are_no_templates(tmp_path: Path) -> None:
    for name in ("a.yml", "a.parameters.yml", "a.metadata.yaml"):
        (tmp_path / name).write_text("a: 1", encoding="utf-8")
    assert [file.path for file in read_templates(tmp_path)] == ["a.yml"]


@pytest.mark.django_db
def test_a_changed_metadata_file_reaches_the_template_with_the_next_refresh(world: World, tmp_path: Path) -> None:
    beside = tmp_path / "metadata"
    beside.mkdir()
    with use_config(TOSCA_METADATA_DIR=str(beside)):
        world.refresh()
        assert Template.objects.get(path="own.yml").display_name == "A typical template"
        (beside / "own.metadata.yml").write_text("metadata: {display_name: Renamed}", encoding="utf-8")
        world.refresh()
        assert Template.objects.get(path="own.yml").display_name == "Renamed"
