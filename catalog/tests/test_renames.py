"""What changes its name or its text upstream keeps what belongs to it here."""

import pytest
from django.test import Client

from catalog.models import Module, Template, TemplateVersion
from catalog.refresh.renames import likeness, pairs
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
    assert module.offer().choices[0].template.path == "moved/new-name.yml"
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
    choices = Module.objects.get(slug="deep-oc-one").offer().choices
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
    own = make_metadata("DEEP-OC-three", summary="Something else.", description=["Nothing of the", "sort."])
    world.list_modules(world.add_module("DEEP-OC-three", **own), "https://github.com/deephdc/DEEP-OC-two")
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
    assert Module.objects.get(slug="deep-oc-one").offer().choices[0].template.path == "own.yml", "usable meanwhile"
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


def test_a_template_that_is_renamed_and_changed_in_one_push_is_followed(world: World) -> None:
    world.template("own.yml", OTHER)
    world.refresh()
    before = Template.objects.get(path="own.yml")
    Module.objects.filter(slug="deep-oc-one").update(default_template=before)
    changed = OTHER.replace("default: 4096 MB", "default: 8192 MB").replace("Image to run", "The image")
    world.template("own.yml", None)
    world.template("new-name.yml", changed)
    run = world.refresh()
    after = Template.objects.get(pk=before.pk)
    assert (after.path, after.state, after.raw) == ("new-name.yml", "live", changed)
    assert [item["note"] for item in run.items if item["result"] == "renamed"] == ["It was own.yml."]
    assert [version.raw for version in after.versions.all()] == [OTHER]
    module = Module.objects.get(slug="deep-oc-one")
    assert module.default_template == after
    assert module.offer().choices[0].template.path == "new-name.yml"


def test_a_template_that_moves_to_another_folder_may_change_more(world: World) -> None:
    world.template("own.yml", OTHER)
    world.refresh()
    before = Template.objects.get(path="own.yml")
    world.template("own.yml", None)
    world.template("moved/own.yml", OTHER.partition("  node_templates")[0] + "  outputs: {}\n" + "# new line\n" * 30)
    world.refresh()
    assert Template.objects.get(path="moved/own.yml").pk == before.pk


def test_a_new_template_that_is_like_one_that_stays_is_no_rename(world: World) -> None:
    world.template("own.yml", OTHER.replace("default: 4096 MB", "default: 1 MB").replace("Memory", "Much memory"))
    world.refresh()
    world.template("own.yml", None)
    world.template("copy.yml", TEMPLATE.replace("default: 4096 MB", "default: 5 MB"))  # of the common ones
    world.refresh()
    assert Template.objects.get(path="own.yml").state == "gone"
    assert Template.objects.get(path="copy.yml").former_names == ""


def test_a_new_template_that_shares_little_is_no_rename(world: World) -> None:
    world.template("own.yml", OTHER)
    world.refresh()
    world.template("own.yml", None)
    world.template("other.yml", "topology_template:\n  inputs:\n    something: {type: string}\n")
    world.refresh()
    assert Template.objects.get(path="own.yml").state == "gone"


def test_a_module_that_is_renamed_and_rewritten_in_one_push_keeps_what_curators_said(world: World) -> None:
    world.refresh()
    old = Module.objects.get(slug="deep-oc-one")
    old.title_override, old.hidden, old.position = "Ours", True, 7
    old.save()
    metadata = make_metadata(
        "DEEP-OC-renamed", title=old.title, summary="All of it is written anew.", description=["!"]
    )
    assert metadata["sources"]["docker_registry_repo"] != old.docker_image
    world.list_modules(world.add_module("DEEP-OC-renamed", **metadata), "https://github.com/deephdc/DEEP-OC-two")
    world.refresh()
    new = Module.objects.get(slug="deep-oc-renamed")
    assert (new.shown_title, new.hidden, new.position) == ("Ours", True, 7)
    assert Module.objects.get(slug="deep-oc-one").successor == new


def test_a_module_that_is_renamed_down_to_its_title_is_known_by_what_it_tells(world: World) -> None:
    told = [f"Sentence {number} about what it does and how." for number in range(6)]
    world.add_module("DEEP-OC-one", **make_metadata("DEEP-OC-one", description=told))
    world.refresh()
    Module.objects.filter(slug="deep-oc-one").update(featured=True)
    renamed = make_metadata("DEEP-OC-renamed", title="T", description=[*told[:5], "A new one."])
    world.list_modules(world.add_module("DEEP-OC-renamed", **renamed), "https://github.com/deephdc/DEEP-OC-two")
    world.refresh()
    assert Module.objects.get(slug="deep-oc-renamed").featured


def test_what_two_texts_have_in_common_is_measured_as_git_does() -> None:
    assert likeness("a\nb\n", "b\na\n") == 1
    assert likeness("a\nb\n", "a\n") == 0.5
    assert likeness("", "") == 0
    assert pairs({"x": "a\nb", "y": "a\nb"}, {"z": "a\nb"}) == [], "no telling which"
    assert pairs({"x": "a\nb\nc", "y": "a\nb"}, {"z": "a\nb", "w": "a\nc"}) == [(1.0, "y", "z"), (2 / 3, "x", "w")]
