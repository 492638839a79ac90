"""What other apps ask of modules and templates."""

from typing import Any

import pytest

from catalog.models import Module, ModuleTemplate, Template
from catalog.testing import TEMPLATE, make_module, make_template, use_config
from deepdash.errors import Problem

pytestmark = pytest.mark.django_db
COMMON = {"default": "deep-oc/common.yml", "Minimal": "minimal.yml"}


def keys(module: Module) -> list[tuple[str, str, str]]:
    with use_config(COMMON_TOSCAS=COMMON):
        return [(choice.key, choice.title, choice.template.path) for choice in module.offer().choices]


def test_own_templates_come_first_then_the_common_ones_in_one_query(django_assert_num_queries: Any) -> None:
    own = make_template(path="own.yml")
    make_template(path="deep-oc/common.yml")
    make_template(path="minimal.yml")
    module = make_module(templates=(own,))
    with django_assert_num_queries(1):
        found = keys(module)
    assert found == [
        ("a typical template", "A typical template", "own.yml"),
        ("default", "default", "deep-oc/common.yml"),
        ("minimal", "Minimal", "minimal.yml"),
    ]


def test_a_common_template_is_offered_once_even_if_the_module_names_it() -> None:
    common, other = make_template(path="deep-oc/common.yml"), make_template(path="elsewhere/common.yml")
    module = make_module(templates=(common, other))
    assert [key for key, _, _ in keys(module)] == ["default"]


def test_titles_that_repeat_get_keys_that_do_not() -> None:
    make_template(path="minimal.yml")
    module = make_module(
        templates=(make_template(path="a.yml"), make_template(path="b.yml"), make_template(path="c.yml"))
    )
    ModuleTemplate.objects.filter(template__path="c.yml").update(title="MINIMAL")
    assert keys(module) == [
        ("a typical template", "A typical template", "a.yml"),
        ("a typical template 2", "A typical template", "b.yml"),
        ("minimal 2", "MINIMAL", "c.yml"),
        ("minimal", "Minimal", "minimal.yml"),
    ]


def test_what_can_not_be_used_is_left_out() -> None:
    unreadable = make_template(raw="- nothing", path="a.yml")
    gone = make_template(path="b.yml", state=Template.State.GONE)
    invalid = make_template(path="c.yml", verdict=Template.Verdict.INVALID)
    assert [path for _, _, path in keys(make_module(templates=(unreadable, gone, invalid)))] == ["c.yml"]


def test_one_modules_own_templates_are_not_anothers() -> None:
    make_module("deep-oc-other", templates=(make_template(path="own.yml"),))
    assert keys(make_module()) == []


def test_a_template_from_an_address_never_poses_as_a_common_one() -> None:
    make_template(path="https://raw.githubusercontent.com/evil/x/master/minimal.yml", source=Template.Source.METADATA)
    assert keys(make_module()) == []


def test_a_description_comes_back_typed() -> None:
    template = Template.objects.get(pk=make_template(raw=TEMPLATE).pk)
    privileged = template.described().input("docker_privileged")
    assert privileged
    assert [choice.value for choice in privileged.choices] == [False, True]
    assert Template().described().inputs == ()


def test_search_is_for_all_words_in_any_case_over_title_summary_keywords_and_description() -> None:
    make_module("deep-oc-plants", title="PLANTS", summary="leaves", keywords=["botany"], description="in Ångström")
    make_module("deep-oc-fish", title_override="Overridden")
    found = Module.objects.for_list()
    assert [module.slug for module in found.search("plants BOTANY ångström Leaves")] == ["deep-oc-plants"]
    assert [module.slug for module in found.search("overridden")] == ["deep-oc-fish"]
    assert not found.search("plants overridden")
    assert found.search("100%_").count() == 0


def test_hidden_and_withdrawn_modules_can_not_be_chosen() -> None:
    make_module("deep-oc-hidden", hidden=True)
    make_module("deep-oc-gone", state=Module.State.GONE)
    make_module("deep-oc-broken", state=Module.State.BROKEN)
    assert set(Module.objects.visible().values_list("slug", flat=True)) == {"deep-oc-broken"}
    assert set(Module.objects.known().values_list("slug", flat=True)) == {"deep-oc-broken", "deep-oc-gone"}


def test_problems_survive_the_database_and_unknown_ones_are_dropped() -> None:
    from catalog.problems import restored, stored

    problem = Problem("catalog:no-template", detail="a\0b", file="x.yml")
    again = restored(stored(problem))
    assert again
    assert (again.headline, again.detail) == ("The template x.yml can’t be found.", "ab")
    assert restored({}) is None
    assert restored({"id": "of:yesterday"}) is None
