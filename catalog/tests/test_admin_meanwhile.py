"""Two curators at once, and a refresh between them: nobody's words are lost unseen."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from catalog.models import ExternalLink, Module
from catalog.testing import make_module
from catalog.tests.test_admin import admin, curated, curator, edit

pytestmark = pytest.mark.django_db
__all__ = ["admin", "curator"]  # fixtures
LIST = "/admin/catalog/module/"


def row(module: Module, number: int = 0, **changes: Any) -> dict[str, Any]:
    """A row of the list as a browser sends it that showed ``module``."""
    sent: dict[str, Any] = {"id": module.pk, "position": module.position, "initial-position": module.position}
    sent |= {"initial-hidden": str(module.hidden), "initial-featured": str(module.featured), **changes}
    prefixed = {
        f"initial-form-{number}-{key.removeprefix('initial-')}" if key.startswith("initial-")
        else f"form-{number}-{key}": value for key, value in sent.items()
    }  # fmt: skip
    return {"form-TOTAL_FORMS": number + 1, "form-INITIAL_FORMS": number + 1, "_save": "Save", **prefixed}


def test_a_page_opened_earlier_saves_its_own_changes_and_leaves_the_rest(admin: Client) -> None:
    shown = make_module()
    Module.objects.filter(pk=shown.pk).update(title_override="Hers", hidden=True, position=3)
    assert admin.post(edit(shown), curated(shown, note="Mine.")).status_code == 302
    now = Module.objects.get()
    assert (now.title_override, now.hidden, now.position, now.note) == ("Hers", True, 3, "Mine.")
    assert now.sort_title == "hers"
    assert LogEntry.objects.get().get_change_message() == "Changed Note."


def test_what_two_change_is_said_once_and_then_replaced(admin: Client) -> None:
    shown = make_module()
    Module.objects.filter(pk=shown.pk).update(title_override="Hers")
    answer = admin.post(edit(shown), curated(shown, title_override="Mine"))
    assert "Somebody else changed this meanwhile to: Hers. Save to replace it." in answer.text
    assert Module.objects.get().title_override == "Hers"
    again = answer.context["adminform"].form
    assert 'name="initial-title_override" value="Hers"' in str(again["title_override"])
    sent = curated(shown, title_override="Mine") | {"initial-title_override": "Hers"}
    assert admin.post(edit(shown), sent).status_code == 302
    assert Module.objects.get().title_override == "Mine"


def test_both_changing_it_to_the_same_is_no_conflict(admin: Client) -> None:
    shown = make_module()
    Module.objects.filter(pk=shown.pk).update(title_override="Ours")
    assert admin.post(edit(shown), curated(shown, title_override="Ours")).status_code == 302


def test_an_override_is_undone_by_emptying_it(admin: Client) -> None:
    shown = make_module(title="Upstream", title_override="Ours", featured=True, position=2)
    sent = curated(shown, title_override="")
    del sent["featured"]
    admin.post(edit(shown), sent)
    now = Module.objects.get()
    assert (now.shown_title, now.featured, now.position) == ("Upstream", False, 2)


def test_a_list_opened_earlier_does_not_take_back_what_another_did_in_it(admin: Client) -> None:
    shown = make_module()
    Module.objects.filter(pk=shown.pk).update(featured=True)
    assert admin.post(LIST, row(shown)).status_code == 302
    assert Module.objects.get().featured, "a row that was left alone is left alone"
    assert admin.post(LIST, row(shown, position=5)).status_code == 302
    assert (Module.objects.get().featured, Module.objects.get().position) == (True, 5)


def test_a_list_says_what_two_changed(admin: Client) -> None:
    shown = make_module()
    Module.objects.filter(pk=shown.pk).update(position=7)
    assert "Somebody else changed this meanwhile to: 7." in admin.post(LIST, row(shown, position=5)).text
    assert Module.objects.get().position == 7


@pytest.mark.parametrize(
    ("column", "theirs", "mine", "said"),
    [("position", 1, 5, "1"), ("position", 0, 5, "0"), ("note", "", "Mine.", "(empty)")],
)
def test_what_somebody_else_changed_is_named_as_it_is(
    admin: Client, column: str, theirs: Any, mine: Any, said: str
) -> None:
    shown = make_module(note="Old.")
    Module.objects.filter(pk=shown.pk).update(**{column: theirs})
    answer = admin.post(edit(shown), curated(shown, **{column: mine}))
    assert f"Somebody else changed this meanwhile to: {said}. Save to replace it." in answer.text


def test_a_page_that_does_not_send_what_it_showed_is_compared_to_the_row(admin: Client) -> None:
    """As one that was open while the version before was replaced."""
    shown = make_module(title_override="Ours", featured=True)
    sent = {key: value for key, value in curated(shown, title_override="").items() if not key.startswith("initial-")}
    del sent["featured"]
    admin.post(edit(shown), sent)
    now = Module.objects.get()
    assert (now.title_override, now.featured) == ("", False)


def test_links_of_the_footer_are_as_careful(admin: Client) -> None:
    link = ExternalLink.objects.create(title="Handbook", address="https://docs.example/", position=4)
    sent = {"title": "Guide", "address": "https://docs.example/", "position": 1000}
    sent |= {"initial-title": "Handbook", "initial-address": "https://docs.example/", "initial-position": 1000}
    assert admin.post(f"/admin/catalog/externallink/{link.pk}/change/", sent).status_code == 302
    link.refresh_from_db()
    assert (link.title, link.position) == ("Guide", 4)
