"""A template's own tabs, its fragments, keys written twice, and the metadata files of a site."""

from pathlib import Path
from time import thread_time

import pytest

from catalog.models import Template
from catalog.sources.folder import read_templates
from catalog.testing import TEMPLATE, use_config
from catalog.tests.conftest import World
from catalog.tosca.duplicates import duplicate_keys
from catalog.tosca.guard import Refused
from catalog.tosca.overrides import load_overrides, overridden_base
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
    assert tabs_of("{All: 'fe.*', Memory: fe_mem}") == {"fe_cpus": "All", "fe_mem": "All"}, "a text is an expression"


def test_expressions_that_would_never_end_cost_a_template_a_moment_however_many_they_are() -> None:
    endless = ", ".join(f"Tab{number}: '(a|aa)+$b'" for number in range(40))
    text = TABBED % f"{{Front: 'fe_.*', {endless}, Late: '.*'}}" + f"    {'a' * 90}: {{type: string}}\n"
    before = thread_time()
    found = read_template(text).description
    assert thread_time() - before < 2
    assert {item.name: item.tab for item in found.inputs if item.tab} == {"fe_cpus": "Front", "fe_mem": "Front"}


def test_listed_names_may_carry_options() -> None:
    found = read_template(
        TABBED % "{T: [{values: {tag_type: textarea}}, {cert_email: {enabled_by: cert, tag_type: email}}]}"
    ).description
    values, email = found.input("values"), found.input("cert_email")
    assert values
    assert email
    assert (values.widget, email.widget, email.enabled_by) == ("textarea", "email", "cert")
    assert found.tabs == ("T",)


def test_the_order_of_the_tabs_is_theirs_and_a_list_of_names_alone_only_gives_that() -> None:
    tabs = "{Rest: 'wn.*', Front: {fe_mem: {tag_type: textarea}, fe_cpus: 7}}"
    assert read_template(TABBED % tabs).description.tabs == ("Rest", "Front")
    assert tabs_of(tabs) == {
        "fe_cpus": "Front", "fe_mem": "Front", "wn_num": "Rest",
    }  # fmt: skip
    named = read_template(TABBED % "[B, A]").description
    assert (named.tabs, {item.tab for item in named.inputs}) == (("B", "A"), {""})


@pytest.mark.parametrize(("length", "fits"), [(500, {"fe_cpus": "T"}), (501, {})])
def test_an_expression_is_read_up_to_a_length(length: int, fits: dict[str, str]) -> None:
    assert tabs_of("{T: 'fe_cpus|" + "x" * (length - 8) + "'}") == fits


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
    assert reading.notes == (
        "It is a part that is meant to be merged into kubernetes.yaml, and can't stand alone.",
    )  # fmt: skip
    several = read_template("metadata: {parents: [a.yaml, b.yaml]}\ntopology_template: {}")
    assert "into a.yaml, b.yaml, and" in several.notes[0]
    assert read_template("topology_template: {}").notes == ()


def test_the_parameters_file_beside_it_refines_it_and_what_is_odd_in_it_is_noted() -> None:
    text = "description: one\ndescription: two\n" + TABBED % "[]"
    reading = read_template(text, parameters="inputs:\n  values: {type: textarea}\n  values: {type: email}\n")
    values = reading.description.input("values")
    assert values
    assert values.widget == "email"
    assert reading.notes == (
        "The key “description” is written twice (line 2); the last one counts.",
        "In its parameters file: The key “values” is written twice (line 3); the last one counts.",
    )


def test_a_parameters_file_that_cannot_be_read_leaves_the_template_as_it_is() -> None:
    reading = read_template(TABBED % "[]", parameters="- a\n", overrides="metadata: {display_name: Ours}")
    assert reading.notes == ("Its parameters file can't be read: It is no mapping with inputs.",)
    assert reading.description.metadata["display_name"] == "Ours"
    assert reading.description.inputs == read_template(TABBED % "[]").description.inputs


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


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("- a", "It is no mapping with metadata."),
        ("other: {}", "It has no mapping of metadata."),
        ("metadata: text", "It has no mapping of metadata."),
        ("metadata: &a {}", "Anchors are not taken (&a in line 1)."),
    ],
)
def test_what_is_no_metadata_file_is_refused(text: str, reason: str) -> None:
    with pytest.raises(Refused) as refusal:
        load_overrides(text)
    assert str(refusal.value) == reason
    assert read_template(TEMPLATE, overrides=text).notes == (f"Its metadata file can't be read: {reason}",)


@pytest.mark.parametrize("name", ["a.b.metadata.yml", "a.b.metadata.yaml", "a.b"])
def test_metadata_files_are_matched_by_their_base_name(name: str) -> None:
    assert overridden_base(name) == "a.b"


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
