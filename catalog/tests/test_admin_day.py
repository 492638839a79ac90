"""A curator's day: what broke overnight, since when, who uses what, and many rows at once."""

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from catalog.models import Module, RefreshRun, WebhookDelivery
from catalog.testing import make_module, make_template
from catalog.tests.conftest import RAW, World
from catalog.tests.test_admin import admin, curator, edit

pytestmark = pytest.mark.django_db
__all__ = ["admin", "curator"]  # fixtures
LIST = "/admin/catalog/module/"


METADATA = f"{RAW}/deephdc/DEEP-OC-one/master/metadata.json"


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[datetime], AbstractContextManager[None]]:
    """What is noted of problems is noted at that moment."""

    @contextmanager
    def moment(now: datetime) -> Iterator[None]:
        with monkeypatch.context() as patch:
            patch.setattr("catalog.problems.timezone.now", lambda: now)
            yield

    return moment


def select(action: str, *modules: Module, **more: Any) -> dict[str, Any]:
    return {"action": action, "_selected_action": [module.pk for module in modules], "index": "0", **more}


def test_what_broke_overnight_is_on_the_first_page(world: World, admin: Client) -> None:
    world.refresh()
    assert "Nothing needs attention." in admin.get("/admin/").text
    world.files[METADATA] = "{"
    world.refresh()
    first = admin.get("/admin/").text
    assert '?trouble=stale"><b>1</b> module shows an older version' in first
    assert "Nothing needs attention." not in first


def test_it_says_since_when_and_what_users_see_meanwhile(
    world: World, admin: Client, at: Callable[[datetime], AbstractContextManager[None]]
) -> None:
    world.refresh()
    with at(datetime(2026, 3, 4, 2, 10, tzinfo=UTC)):
        world.files[METADATA] = "{"
        world.refresh()
    with at(datetime(2026, 3, 5, 9, tzinfo=UTC)):
        world.files[METADATA] = "{{"
        world.refresh()
        run = world.refresh()
    module = Module.objects.get(slug="deep-oc-one")
    assert module.error["since"] == "2026-03-04T02:10:00+00:00", "another trouble is no new beginning"
    assert re.search(r'<td class="field-began[^"]*">4 Mar 2026', admin.get(f"{LIST}?trouble=stale").text)
    page = admin.get(edit(module)).text
    assert page.index("The last good version is shown.") < page.index("What users see")
    assert "Since 4 Mar 2026, 02:10." in page
    assert run.counts["failed"] == 1


def test_what_broke_last_can_be_sorted_to_the_top(admin: Client) -> None:
    for day in (3, 9, 5):
        make_module(f"m-{day}", error={"id": "catalog:no-metadata", "since": f"2026-03-0{day}T00:00:00+00:00"})
    make_module("unknown", error={"id": "catalog:no-metadata"})
    make_module("well")
    column = admin.get(LIST).context["cl"].list_display.index("began")
    found = admin.get(f"{LIST}?o=-{column}").context["cl"].result_list
    assert [module.slug for module in found][:3] == ["m-9", "m-5", "m-3"]


def test_trouble_of_unknown_beginning_is_given_none(world: World) -> None:
    world.refresh()
    Module.objects.update(error={"id": "catalog:no-metadata", "detail": "", "facts": {}})
    world.files[METADATA] = "{"
    world.refresh()
    assert "since" not in Module.objects.get(slug="deep-oc-one").error


def test_metadata_without_an_image_stays_trouble_when_it_does_not_change(world: World) -> None:
    world.add_module("DEEP-OC-one", sources={"code": "https://github.com/deephdc/demo"})
    world.refresh()
    before = Module.objects.get(slug="deep-oc-one")
    world.refresh()
    after = Module.objects.get(slug="deep-oc-one")
    assert (after.state, after.error["id"]) == ("broken", "catalog:no-image")
    assert after.error == before.error


def test_many_are_set_in_few_statements_and_each_is_recorded(admin: Client, django_assert_max_num_queries: Any) -> None:
    modules = [make_module(f"m-{number}") for number in range(60)]
    Module.objects.filter(pk=modules[0].pk).update(hidden=True)
    with django_assert_max_num_queries(12):
        admin.post(LIST, select("hide", modules[0], select_across="1"))
    assert Module.objects.filter(hidden=True).count() == 60
    entries = LogEntry.objects.all()
    assert {entry.get_change_message() for entry in entries} == {"Hidden."}
    assert sorted(int(entry.object_id or 0) for entry in entries) == [module.pk for module in modules[1:]]
    assert "59 modules hidden. 1 were so before." in admin.get(LIST).text


def test_modules_are_featured_and_no_longer(admin: Client) -> None:
    one, two = make_module("one", title="B"), make_module("two", title="A")
    admin.post(LIST, select("feature", one))
    assert [module.slug for module in admin.get(LIST).context["cl"].result_list] == ["one", "two"]
    admin.post(LIST, select("unfeature", one, two))
    assert not Module.objects.filter(featured=True).exists()
    assert LogEntry.objects.count() == 2, "only what changes is recorded"


def test_what_is_hidden_with_others_leaves_the_catalogue_at_once(admin: Client) -> None:
    module = make_module("one", title="Plankton")
    visitor = Client()
    assert "Plankton" in visitor.get("/").text
    admin.post(LIST, select("hide", module))
    assert "Plankton" not in visitor.get("/").text


def test_a_template_leads_to_the_modules_that_name_it(admin: Client) -> None:
    template = make_template()
    modules = [make_module(f"m-{number:02}", templates=(template,)) for number in range(25)]
    make_module("other")
    page = admin.get(f"/admin/catalog/template/{template.pk}/change/").text
    address = f"{LIST}?template_links__template={template.pk}"
    assert f'<a href="{edit(modules[0])}">M 00</a>' in page
    assert f'<a href="{address}">All 25 modules</a>' in page
    assert f'<a href="{address}">25</a>' in admin.get("/admin/catalog/template/").text
    assert {module.slug for module in admin.get(address).context["cl"].queryset} == {it.slug for it in modules}


def test_a_push_says_what_its_refresh_changed(admin: Client) -> None:
    run = RefreshRun.objects.create(trigger="webhook", state="done", counts={"changed": 2, "unchanged": 30})
    WebhookDelivery.objects.create(event="push", verdict="queued", run=run)
    WebhookDelivery.objects.create(event="ping", verdict="ping")
    link = f'<a href="/admin/catalog/refreshrun/{run.pk}/change/">2 changed, 30 unchanged</a>'
    assert admin.get("/admin/catalog/webhookdelivery/").text.count(link) == 1


def test_the_record_of_changes_leads_to_what_was_changed(admin: Client) -> None:
    module = make_module()
    admin.post(LIST, select("hide", module))
    assert f'<a href="{edit(module)}">{module}</a>' in admin.get("/admin/admin/logentry/").text


def test_lists_are_called_what_they_list_and_nothing_looks_the_same_everywhere(admin: Client) -> None:
    make_module(tags=())
    page = admin.get(LIST).text
    assert "<h1>Modules</h1>" in page
    assert "<title>Modules | " in page
    cells = set(re.findall(r'<td class="field-(?:trouble|pushed|began)[^"]*">([^<]*)</td>', page))
    assert cells == {"–"}


def test_times_are_in_the_curators_zone_which_is_named(admin: Client, curator: Any) -> None:
    curator.timezone = "Europe/Madrid"
    curator.save()
    template = make_template(first_seen=datetime(2026, 1, 31, 23, 30, tzinfo=UTC))
    page = admin.get(f"/admin/catalog/template/{template.pk}/versions/").text
    assert "1 Feb 2026, 00:30." in page
    assert "UTC" not in page
    assert "Times are in Europe/Madrid." in page
