"""A refresh takes each item by itself, keeps the last good version, and never touches what curators say."""

import json
import re
from datetime import date
from typing import Any

import pytest
from django.db import DataError, connection
from django.test.utils import CaptureQueriesContext

from catalog.models import Module, ModuleFacet, RefreshRun, Template
from catalog.refresh.modules import ModuleRefresh
from catalog.sources.metadata import parse_metadata
from catalog.testing import TEMPLATE, use_config
from catalog.tests.conftest import LIST, RAW, TYPES, World, make_metadata, make_tag

pytestmark = pytest.mark.django_db
ONE = f"{RAW}/deephdc/DEEP-OC-one/master/metadata.json"


def one() -> Module:
    return Module.objects.get(slug="deep-oc-one")


def test_the_catalogue_is_filled(world: World) -> None:
    run = world.refresh()
    assert run.state == RefreshRun.State.DONE, run.items
    assert run.counts == {"new": 5, "unchanged": 2}, run.items
    module = one()
    assert (module.state, module.title, module.licence, module.created_on) == (
        "live",
        "Title of DEEP-OC-one",
        "MIT",
        date(2021, 5, 4),
    )
    assert module.description_html == "<p>First line\nof a <strong>paragraph</strong>.</p>\n"
    assert module.docker_image == "deephdc/deep-oc-one"
    assert [tag["name"] for tag in module.tags] == ["cpu", "gpu"]
    assert module.tags[0] == {"name": "cpu", "size": 2213456789, "pushed_at": "2024-03-01T09:22:33.123456+00:00"}
    assert (module.capabilities, module.frameworks, module.flavours) == (
        ["Trainable", "Inference"],
        ["TensorFlow"],
        ["cpu", "gpu"],
    )
    assert ModuleFacet.objects.filter(module=module).count() == 5
    assert [(choice.key, choice.template.path) for choice in module.offer().choices] == [
        ("marathon", "own.yml"),
        ("default", "default.yml"),
        ("minimal", "minimal.yml"),
    ]
    template = Template.objects.get(path="own.yml")
    assert (template.verdict, template.errors, template.kind) == ("valid", [], "MARATHON")
    assert [item.name for item in template.described().inputs][:3] == [
        "docker_image",
        "docker_privileged",
        "deployment_description",
    ]


def test_run_your_own_is_always_there(world: World) -> None:
    world.refresh()
    external = Module.objects.get(slug="external")
    assert (external.kind, external.docker_image, [tag["name"] for tag in external.tags]) == (
        "external",
        "",
        ["latest"],
    )
    assert external.deployable
    assert external not in Module.objects.for_list()
    assert [choice.key for choice in external.offer().choices] == ["default", "minimal"]


def test_a_second_refresh_asks_conditionally_and_writes_nothing_but_its_run(world: World) -> None:
    world.refresh()
    with CaptureQueriesContext(connection) as statements:
        run = world.refresh()
    assert run.counts == {"unchanged": 7}, run.items
    assert set(world.statuses(RAW)) == {304}
    written = {
        statement["sql"] for statement in statements if statement["sql"].startswith(("INSERT", "UPDATE", "DELETE"))
    }
    assert {re.findall(r'"(\w+)"', sql)[0] for sql in written} == {"catalog_refreshrun"}


def test_metadata_that_was_never_readable_promises_no_last_good_version(world: World) -> None:
    good, world.files[ONE] = world.files[ONE], '{"title": "half'
    world.refresh()
    problem = one().problem
    assert problem is not None
    assert problem.headline == "metadata.json can’t be read as its source has it."
    assert "last good version" not in problem.step
    world.files[ONE] = good
    world.refresh()
    assert (one().state, one().error) == ("live", {})


def test_malformed_metadata_keeps_the_last_good_version_and_heals(world: World) -> None:
    world.refresh()
    good = world.files[ONE]
    world.files[ONE] = '{"title": "half'
    run = world.refresh()
    module = one()
    assert (module.state, module.title, module.deployable) == ("broken", "Title of DEEP-OC-one", True)
    assert module.problem
    assert module.problem.id == "catalog:malformed"
    assert run.counts["failed"] == 1
    assert Module.objects.get(slug="deep-oc-two").state == "live"
    world.files[ONE] = good
    world.refresh()
    assert (one().state, one().error) == ("live", {})


@pytest.mark.parametrize(
    "broken", ["", "null", "[1]", "{}", '{"title": ["a"]}', "[" * 100_000, '{"title": "\\ud800"}', '{"title": NaN}']
)
def test_a_module_that_was_never_good_is_listed_as_broken(world: World, broken: str) -> None:
    world.files[ONE] = broken
    world.refresh()
    module = one()
    assert (module.state, module.shown_title, module.deployable) == ("broken", "DEEP-OC-one", False)
    assert module in Module.objects.for_list()


def test_metadata_that_is_gone_is_said_and_the_old_version_kept(world: World) -> None:
    world.refresh()
    world.files[ONE] = 404
    world.refresh()
    assert one().problem
    assert (one().error["id"], one().state, one().title) == ("catalog:no-metadata", "broken", "Title of DEEP-OC-one")


def test_an_outage_of_the_service_is_not_held_against_modules(world: World) -> None:
    world.refresh()
    world.files[ONE] = 503
    world.refresh()
    assert (one().state, one().error["id"]) == ("live", "service:fault")


def test_an_outage_of_everything_leaves_the_catalogue_as_it_was(world: World) -> None:
    world.refresh()
    for address in list(world.files):
        world.files[address] = 502
    world.tags = dict.fromkeys(world.tags, 503)
    run = world.refresh()
    assert run.state == RefreshRun.State.DONE
    assert Module.objects.visible().filter(state="live").count() == 3
    assert [choice.key for choice in one().offer().choices] == ["marathon", "default", "minimal"]
    assert [tag["name"] for tag in one().tags] == ["cpu", "gpu"]


@pytest.mark.parametrize("branch", ["main", "HEAD"])
def test_the_branch_that_has_the_metadata_is_found_and_asked_first_from_then_on(world: World, branch: str) -> None:
    world.list_modules(world.add_module("DEEP-OC-other", branch=branch))
    world.refresh()
    assert Module.objects.get(slug="deep-oc-other").branch == branch
    world.refresh()
    assert world.statuses("DEEP-OC-other") == [304]


def test_a_module_that_leaves_the_list_is_retired_and_can_come_back(world: World) -> None:
    world.refresh()
    world.list_modules("https://github.com/deephdc/DEEP-OC-two")
    run = world.refresh()
    assert run.counts["gone"] == 1
    assert (one().state, one().deployable, one() in Module.objects.visible()) == ("gone", False, False)
    world.list_modules("https://github.com/deephdc/DEEP-OC-one", "https://github.com/deephdc/DEEP-OC-two")
    world.refresh()
    assert (one().state, one().gone_at, one().title) == ("live", None, "Title of DEEP-OC-one")


@pytest.mark.parametrize("text", ["", "[]", "{}", "a: ]", "- module: 7"])
def test_a_list_that_makes_no_sense_retires_nobody(world: World, text: str) -> None:
    world.refresh()
    world.files[LIST] = text
    run = world.refresh()
    assert run.counts["failed"] == 1
    assert Module.objects.visible().count() == 3


def test_curated_values_survive_and_derived_ones_follow_them(world: World) -> None:
    world.refresh()
    module = one()
    module.title_override, module.hidden, module.position, module.note = "Our title", True, 3, "Beware"
    module.default_tag, module.default_hardware, module.featured = "gpu", "gpu", True
    module.save()
    world.add_module("DEEP-OC-one", title="New title", keywords=["pytorch"])
    world.refresh()
    after = one()
    assert (after.title, after.shown_title, after.hidden, after.position) == ("New title", "Our title", True, 3)
    assert (after.note, after.default_tag, after.default_hardware, after.featured) == ("Beware", "gpu", "gpu", True)
    assert after.sort_title == "our title"
    assert "new title" in after.search_text
    assert list(after.facets.values_list("value", flat=True)) == ["pytorch", "mit"]


def test_tags_of_all_pages_are_read_and_metadata_may_restrict_them(world: World) -> None:
    world.add_module("DEEP-OC-one", tags=("cpu", "GPU-Test", "old"), docker_tags=["GPU-Test", "never"])
    world.refresh()
    assert [tag["name"] for tag in one().tags] == ["GPU-Test"]
    assert one().flavours == ["gpu"]


def test_an_unknown_image_is_said_beside_the_tags_and_breaks_nothing_else(world: World) -> None:
    world.tags["deephdc/deep-oc-one"] = 404
    world.refresh()
    module = one()
    assert (module.state, module.tags, module.tags_error["id"]) == ("live", [], "service:missing")
    world.tags["deephdc/deep-oc-one"] = [make_tag("cpu")]
    world.refresh()
    assert (one().tags_error, [tag["name"] for tag in one().tags]) == ({}, ["cpu"])


def test_a_module_without_an_image_is_shown_but_not_deployable(world: World) -> None:
    world.add_module("DEEP-OC-one", sources={"code": "https://github.com/deephdc/demo"})
    world.refresh()
    assert (one().state, one().error["id"], one().deployable) == ("broken", "catalog:no-image", False)
    assert one().remarks


def test_a_template_that_turns_unreadable_keeps_its_last_good_version(world: World) -> None:
    world.refresh()
    world.template("own.yml", "a: &b [*b]\n")
    run = world.refresh()
    template = Template.objects.get(path="own.yml")
    assert (template.raw, template.verdict, template.usable) == (TEMPLATE, "valid", True)
    assert template.problem
    assert "Anchors" in template.problem.detail
    assert run.counts["failed"] == 1
    world.template("own.yml", TEMPLATE)
    world.refresh()
    assert Template.objects.get(path="own.yml").error == {}


def test_a_new_template_that_is_hostile_is_withheld_and_its_module_falls_back(world: World) -> None:
    world.template("own.yml", "[" * 30_000)
    world.refresh()
    template = Template.objects.get(path="own.yml")
    assert (template.verdict, template.usable) == ("unreadable", False)
    assert [choice.key for choice in one().offer().choices] == ["default", "minimal"]
    link = one().template_links.get()
    assert link.problem
    assert link.problem.id == "catalog:bad-template"


def test_an_invalid_template_stays_usable(world: World) -> None:
    world.template("own.yml", TEMPLATE.replace("tosca.nodes.indigo.Container.Runtime.Docker", "tosca.nodes.Nonsense"))
    world.refresh()
    template = Template.objects.get(path="own.yml")
    assert (template.verdict, template.usable) == ("invalid", True)
    assert any("Nonsense" in message for message in template.errors)
    assert "marathon" in [choice.key for choice in one().offer().choices]


def test_a_template_that_is_gone_is_retired_and_can_come_back(world: World) -> None:
    world.refresh()
    world.template("own.yml", None)
    world.refresh()
    assert Template.objects.get(path="own.yml").state == "gone"
    assert [choice.key for choice in one().offer().choices] == ["default", "minimal"]
    link = one().template_links.get()
    assert link.problem
    assert link.problem.id == "catalog:no-template"
    world.template("own.yml")
    world.refresh()
    assert "marathon" in [choice.key for choice in one().offer().choices]


def test_a_folder_that_is_away_retires_no_template(world: World) -> None:
    world.refresh()
    with use_config(TOSCA_TEMPLATES_DIR=str(world.folder / "away")):
        world.refresh()
    assert Template.objects.usable().count() == 3


def test_a_template_that_only_metadata_points_at_is_fetched_from_the_file_host(world: World) -> None:
    elsewhere = f"{RAW}/somebody/templates/master/special.yml"
    world.files[elsewhere] = TEMPLATE
    world.add_module("DEEP-OC-one", tosca=[{"title": "Special", "url": elsewhere}])
    world.refresh()
    assert [choice.key for choice in one().offer().choices] == ["special", "default", "minimal"]
    assert Template.objects.get(path=elsewhere).source == "metadata"
    world.refresh()
    assert world.statuses("special.yml") == [304]
    world.files[elsewhere] = 404
    world.refresh()
    assert [choice.key for choice in one().offer().choices] == ["default", "minimal"]


@pytest.mark.parametrize(
    "address",
    ["http://127.0.0.1:8000/t.yml", "https://evil.example/t.yml", "file:///etc/passwd.yml", f"{RAW}/../t.yml"],
)
def test_a_template_at_any_other_address_is_not_fetched(world: World, address: str) -> None:
    world.add_module("DEEP-OC-one", tosca=[{"title": "Special", "url": address}])
    world.refresh()
    assert not [asked for asked, _ in world.asked if "t.yml" in asked]
    assert one().template_links.get().error["id"] == "catalog:no-template"


def test_types_that_come_later_heal_the_verdict(world: World) -> None:
    types, world.files[TYPES] = world.files[TYPES], 500
    world.refresh()
    template = Template.objects.get(path="own.yml")
    assert (template.verdict, template.usable) == ("parser_failed", True)
    assert template.errors == [f"Its types can't be read: {TYPES}"]
    world.files[TYPES] = types
    world.refresh()
    assert Template.objects.get(path="own.yml").verdict == "valid"


def test_parameters_files_refine_the_form_and_their_changes_count(world: World) -> None:
    folder = world.folder.parent / "parameters" / "deep"
    folder.mkdir(parents=True)
    file = folder / "own.parameters.yaml"
    file.write_text("inputs: {num_gpus: {display_name: Graphics cards}}", encoding="utf-8")
    with use_config(TOSCA_PARAMETERS_DIR=str(folder.parent)):
        world.refresh()
        item = Template.objects.get(path="own.yml").described().input("num_gpus")
        assert item
        assert item.title == "Graphics cards"
        file.write_text("inputs: {num_gpus: {display_name: GPUs}}", encoding="utf-8")
        run = world.refresh()
    assert run.counts["changed"] == 1
    item = Template.objects.get(path="own.yml").described().input("num_gpus")
    assert item
    assert item.title == "GPUs"


def test_templates_of_the_same_name_in_different_folders_are_kept_apart(world: World) -> None:
    world.template("sub/own.yml", TEMPLATE.replace("A typical template", "Another one"))
    world.refresh()
    assert Template.objects.filter(filename="own.yml").count() == 2
    assert one().template_links.get().template == Template.objects.get(path="own.yml")


def test_an_unforeseen_failure_of_one_item_leaves_the_others(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(text: str) -> Any:
        if "DEEP-OC-one" in text:
            raise ZeroDivisionError
        return parse_metadata(text)

    monkeypatch.setattr("catalog.refresh.modules.parse_metadata", failing)
    run = world.refresh()
    assert run.state == RefreshRun.State.DONE
    assert Module.objects.get(slug="deep-oc-two").state == "live"
    assert one().error["id"] == "page:broken"


def test_a_result_that_can_not_be_stored_leaves_the_others(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(self: ModuleRefresh, module: Module, result: Any) -> None:
        if module.slug == "deep-oc-one":
            raise DataError("value too long for type character varying(300)")
        take(self, module, result)

    take = ModuleRefresh._take_metadata
    monkeypatch.setattr(ModuleRefresh, "_take_metadata", failing)
    run = world.refresh()
    assert run.state == RefreshRun.State.DONE
    assert [item["name"] for item in run.items if item["result"] == "failed"] == ["deep-oc-one"]
    assert Module.objects.get(slug="deep-oc-two").state == "live"


def test_without_any_source_a_run_says_what_is_missing(world: World) -> None:
    with use_config(MODULES_YML="", TOSCA_TEMPLATES_DIR=""):
        run = world.refresh()
    assert [item["problem"]["detail"] for item in run.items] == [
        "TOSCA_TEMPLATES_DIR is not set.",
        "MODULES_YML is not set.",
    ]


def test_odd_entries_of_the_list_are_left_out_and_noted(world: World) -> None:
    listed = [
        {"module": "https://github.com/deephdc/DEEP-OC-one/"},
        {"module": "https://github.com/deephdc/DEEP-OC-one.git"},
        {"module": "https://github.com/deephdc/DEEP-OC-two/tree/master"},
        {"module": "external/"},
        "text",
        {"other": 1},
    ]
    world.files[LIST] = json.dumps(listed)
    run = world.refresh()
    assert set(Module.objects.for_list().values_list("slug", flat=True)) == {"deep-oc-one", "deep-oc-two"}
    note = next(item["note"] for item in run.items if item["kind"] == "source")
    assert "Entry 2 repeats deep-oc-one." in note
    assert "Entry 4 names no module." in note


def test_the_development_environment_is_known_by_its_slug(world: World) -> None:
    world.list_modules(world.add_module("DEEP-OC-generic-dev"))
    world.refresh()
    assert Module.objects.get(slug="deep-oc-generic-dev").kind == "development"


def test_what_old_versions_of_metadata_do_is_understood(world: World) -> None:
    world.add_module(
        "DEEP-OC-one",
        description="One text, no list.",
        date_creation="YYYY-MM-DD",
        keywords="a, b",
        continuous_integration=None,
        tosca=None,
        sources=make_metadata()["sources"]
        | {"docker_registry_repo": "docker.io/deephdc/deep-oc-one:gpu", "cite_url": "https://c.example"},
    )
    world.refresh()
    module = one()
    assert (module.description_md, module.created_on, module.keywords) == ("One text, no list.", None, ["a", "b"])
    assert (module.docker_image, module.cite_url, module.state) == ("deephdc/deep-oc-one", "https://c.example", "live")
    assert module.remarks


def test_links_that_are_none_are_dropped(world: World) -> None:
    world.add_module(
        "DEEP-OC-one", cite_url="javascript:alert(1)", dataset_url="not a link", training_files_url="ftp://x/y"
    )
    world.refresh()
    assert (one().cite_url, one().dataset_url, one().training_files_url) == ("", "", "")
