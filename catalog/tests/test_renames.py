"""What changes its name or its text upstream keeps what belongs to it here."""

import pytest
from django.test import Client

from catalog.models import Module, Template, TemplateVersion
from catalog.testing import TEMPLATE, use_config
from catalog.tests.conftest import LIST, RAW, World, make_metadata

pytestmark = pytest.mark.django_db
OTHER = TEMPLATE.replace("A typical template", "Another template")


def test_a_renamed_template_is_the_same_one_under_its_new_name(world: World) -> None:
    world.template("own.yml", OTHER)
    world.refresh()
    before = Template.objects.get(path="own.yml")
    world.template("own.yml", None)
    world.template("moved/new-name.yml", OTHER)
    run = world.refresh()
    after = Template.objects.get(path="moved/new-name.yml")
    assert (after.pk, after.state, after.filename) == (before.pk, "live", "new-name.yml")
    assert {
        "kind": "template",
        "name": "moved/new-name.yml",
        "result": "renamed",
        "note": "It was own.yml.",
    } in run.items
    assert not Template.objects.filter(state="gone").exists()
    # The metadata still names the old file, and finds it.
    module = Module.objects.get(slug="deep-oc-one")
    assert module.template_choices()[0].template.path == "moved/new-name.yml"
    assert not module.template_links.get().error
    assert world.refresh().counts == {"unchanged": 7}


def test_a_renamed_common_template_stays_a_common_one(world: World) -> None:
    world.template("default.yml", OTHER)
    world.refresh()
    world.template("default.yml", None)
    world.template("renamed once.yml", OTHER)
    world.refresh()
    world.template("renamed once.yml", None)
    world.template("renamed twice.yml", OTHER)
    world.refresh()
    choices = Module.objects.get(slug="deep-oc-one").template_choices()
    assert ("default", "renamed twice.yml") in [(choice.key, choice.template.path) for choice in choices]


def test_two_templates_with_one_text_are_not_taken_for_each_other(world: World) -> None:
    world.refresh()  # all three have the same text
    world.template("own.yml", None)
    world.template("minimal.yml", None)
    world.template("new.yml")
    world.refresh()
    assert dict(Template.objects.values_list("path", "state")) == {
        "default.yml": "live",
        "minimal.yml": "gone",
        "own.yml": "gone",
        "new.yml": "live",
    }


def test_a_renamed_module_keeps_what_curators_said_and_its_old_address(world: World, client: Client) -> None:
    world.refresh()
    old = Module.objects.get(slug="deep-oc-one")
    old.title_override, old.featured, old.note = "Ours", True, "Read this"
    old.save()
    world.list_modules(
        world.add_module("DEEP-OC-renamed", **make_metadata("DEEP-OC-one", summary="Changed meanwhile.")),
        "https://github.com/deephdc/DEEP-OC-two",
    )
    run = world.refresh()
    assert [item["note"] for item in run.items if item["result"] == "gone"] == ["It is now deep-oc-renamed."]
    new = Module.objects.get(slug="deep-oc-renamed")
    assert (new.shown_title, new.featured, new.note) == ("Ours", True, "Read this")
    answer = client.get("/modules/deep-oc-one")
    assert (answer.status_code, answer["Location"]) == (302, "/modules/deep-oc-renamed")
    new.hidden = True
    new.save()
    assert client.get("/modules/deep-oc-one").status_code == 200, "no way to a module that curators hide"


def test_a_new_module_that_shares_nothing_is_no_successor(world: World) -> None:
    world.refresh()
    Module.objects.filter(slug="deep-oc-one").update(featured=True)
    world.list_modules(world.add_module("DEEP-OC-three"), "https://github.com/deephdc/DEEP-OC-two")
    world.refresh()
    assert not Module.objects.get(slug="deep-oc-three").featured
    assert Module.objects.get(slug="deep-oc-one").successor is None


def test_the_texts_a_template_had_are_kept(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TemplateVersion, "KEPT", 2)
    world.refresh()
    assert not TemplateVersion.objects.exists()
    texts = [TEMPLATE.replace("A typical", f"Number {number}, a") for number in range(4)]
    for text in texts:
        world.template("own.yml", text)
        world.refresh()
        world.refresh()
    template = Template.objects.get(path="own.yml")
    assert template.raw == texts[-1]
    assert [version.raw for version in template.versions.all()] == [texts[2], texts[1]]
    assert TemplateVersion.objects.count() == 2


def test_a_text_that_can_not_be_read_replaces_nothing(world: World) -> None:
    world.refresh()
    world.template("own.yml", "a: [")
    world.refresh()
    world.template("own.yml")
    world.refresh()
    assert not TemplateVersion.objects.exists()


def test_an_import_that_is_new_to_the_catalogue_heals_by_itself(world: World) -> None:
    """A template begins to import types from an address nobody has read yet, which has trouble at first."""
    address = f"{RAW}/indigo-dc/tosca-types/next/new_types.yaml"
    imported = (
        TEMPLATE.replace("topology_template:", f"  - more: {address}\n\ntopology_template:", 1)
        .replace("metadata:\n  display_name: A typical template\n  tag: CPU/GPU\n", "")
        .replace("imports:\n", f"imports:\n  - more: {address}\n")
        .replace(f"  - more: {address}\n\ntopology", "topology")
    )
    node = "      type: tosca.nodes.indigo.Container.Application.Docker.Marathon\n"
    text = imported.replace(node, "      type: tosca.nodes.indigo.New\n")
    world.files[address] = 500
    world.template("own.yml", text)
    world.refresh()
    assert Template.objects.get(path="own.yml").verdict != "valid"
    assert Module.objects.get(slug="deep-oc-one").template_choices()[0].template.path == "own.yml", "usable meanwhile"
    world.files[address] = (
        "node_types:\n  tosca.nodes.indigo.New:\n    derived_from: tosca.nodes.Root\n"
        "    attributes: {endpoint: {type: string}}\n"
        "    requirements:\n      - host: {capability: tosca.capabilities.Node, occurrences: [0, 1]}\n"
    )
    run = world.refresh()
    template = Template.objects.get(path="own.yml")
    assert (template.verdict, template.errors) == ("valid", [])
    assert {"kind": "template", "name": "own.yml", "result": "changed"} in run.items
    assert not TemplateVersion.objects.exists(), "its own text is what it was"


def test_types_that_change_upstream_are_judged_by_anew(world: World) -> None:
    with use_config(MODULES_YML=LIST):
        world.refresh()
        types = next(address for address in world.files if address.endswith("custom_types.yaml"))
        world.files[types] = "node_types: {}\n"
        world.refresh()
        assert set(Template.objects.values_list("verdict", flat=True)) == {"invalid"}
        world.files[types] = "["
        world.refresh()
        assert set(Template.objects.values_list("verdict", flat=True)) == {"invalid"}, "the last good version is used"
