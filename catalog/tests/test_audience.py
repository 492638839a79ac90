"""Templates for some groups only: on cards, on the module's page, in the form and when it is sent."""

from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from accounts.testing import make_user
from catalog.audience import Audience, audience_of
from catalog.locks import mark_locked
from catalog.models import Module, Template
from catalog.revisions import revisions_now
from catalog.testing import TEMPLATE, make_module, make_template

SLUG = "deep-oc-demo"


def restricted(rule: str, name: str = "default.yml") -> str:
    return TEMPLATE.replace("  tag: CPU/GPU", f"  {rule}").replace("A typical template", name)


@pytest.mark.parametrize(
    ("metadata", "admitted", "refused"),
    [
        ({}, [[], ["a"]], []),
        ({"allowed_groups": "*"}, [[], ["a"]], []),
        ({"allowed_groups": ["*", "b"]}, [[]], []),
        ({"allowed_groups": "a, b"}, [["a"], ["c", "b"]], [[], ["c"], ["A"], ["ab"]]),
        ({"allowed_groups": ["/a"]}, [["a"], ["/a"]], [[]]),
        ({"visibility": "public"}, [[]], []),
        ({"visibility": {"type": "public"}}, [[]], []),
        ({"visibility": "private"}, [], [[], ["a"]]),
        ({"visibility": {"type": "private", "groups": ["a"]}}, [["a"]], [[], ["b"]]),
        ({"visibility": {"type": "public", "groups": ["a"]}}, [["a"]], [[]]),
        ({"visibility": {"groups": ["a"], "groups_regex": "b/.*"}}, [["a"], ["b/x"]], [["xb/x"], []]),
        ({"visibility": {"type": "private", "groups_regex": "("}}, [], [["("], []]),
        ({"visibility": {"type": "public", "groups_regex": 5}}, [], [[], ["5"]]),
        ({"visibility": 7}, [], [[]]),
        ({"allowed_groups": ["a"], "visibility": {"type": "private", "groups": ["b"]}}, [["a", "b"]], [["a"], ["b"]]),
    ],
)
def test_the_rule_says_who_is_admitted(
    metadata: dict[str, Any], admitted: list[list[str]], refused: list[list[str]]
) -> None:
    audience = Audience.stored(audience_of(metadata).as_dict())
    assert all(audience.admits(groups) for groups in admitted)
    assert not any(audience.admits(groups) for groups in refused)


def test_an_expression_that_would_never_end_admits_nobody() -> None:
    audience = audience_of({"visibility": {"type": "private", "groups_regex": "(a|aa)+$b"}})
    assert not audience.admits(["a" * 200])


def test_what_is_missing_is_said_in_words() -> None:
    assert audience_of({"allowed_groups": ["a", "b"]}).wanted() == "in the group a or b"
    assert audience_of({"visibility": {"groups_regex": "vo/.*"}}).wanted() == "in a group that matches vo/.*"


@pytest.fixture
def member(db: None) -> User:
    return make_user("member", groups=["vo/imaging"])


@pytest.fixture
def locked(db: None) -> Module:
    """A module whose only template is for a group."""
    make_template(restricted("allowed_groups: vo/imaging"), path="deep-oc-marathon-webdav.yml")
    return make_module(SLUG)


def test_somebody_without_the_group_sees_whom_it_is_for_and_can_not_deploy(locked: Module, client: Client) -> None:
    client.force_login(make_user("stranger", groups=["other"]))
    assert "For people in the group vo/imaging" in client.get("/").text
    assert "for people in the group vo/imaging" in client.get(f"/modules/{SLUG}").text
    assert "Configure and deploy" not in client.get(f"/modules/{SLUG}").text
    for answer in (
        client.get(f"/module/{SLUG}?toscaname=default"),
        client.post(f"/module/{SLUG}", {"action": "deploy", "toscaname": "default"}),
    ):
        assert answer.status_code == 409
        assert "vo/imaging" in answer.text


def test_a_member_deploys_it_as_any_other(locked: Module, member: User, client: Client) -> None:
    client.force_login(member)
    assert "For people" not in client.get("/").text
    assert "Configure and deploy" in client.get(f"/modules/{SLUG}").text
    assert client.get(f"/module/{SLUG}").status_code == 200


def test_what_was_drawn_for_one_group_is_not_shown_to_another(locked: Module, member: User, client: Client) -> None:
    for _ in range(2):
        for user, shown in ((member, False), (make_user("stranger", groups=["other"]), True)):
            client.force_login(user)
            assert ("For people in the group vo/imaging" in client.get("/").text) is shown
    Template.objects.update(audience={})
    assert "For people" not in client.get("/").text


@pytest.mark.parametrize("how", ["save", "columns", "update", "bulk", "delete"])
def test_a_change_of_the_templates_is_seen_at_once_however_it_is_made(locked: Module, client: Client, how: str) -> None:
    assert "For people" in client.get("/").text
    template = Template.objects.get()
    template.audience = {}
    match how:
        case "save":
            template.save()
        case "columns":
            template.save(update_fields=["audience"])
        case "update":
            Template.objects.filter(pk=template.pk).update(audience={})
        case "bulk":
            Template.objects.bulk_update([template], ["audience"])
        case "delete":
            template.delete()
    assert "For people" not in client.get("/").text


def test_a_new_template_is_seen_at_once(db: None, client: Client) -> None:
    make_module(SLUG)
    assert "For people" not in client.get("/").text
    make_template(restricted("allowed_groups: vo/imaging"), path="deep-oc-marathon-webdav.yml")
    assert "For people" in client.get("/").text


def test_a_common_template_that_was_renamed_unlocks_every_card_as_it_does_the_page(db: None, client: Client) -> None:
    make_template(path="new-name.yml", former_names="\ndeep-oc-marathon-webdav.yml\n")
    make_module(SLUG, templates=(make_template(restricted("allowed_groups: vo/imaging"), path="own.yml"),))
    assert "Configure and deploy" in client.get(f"/modules/{SLUG}").text
    assert "For people" not in client.get("/").text


def test_a_card_is_locked_where_its_own_template_gives_way_to_a_common_one(locked: Module, client: Client) -> None:
    own = make_template(path="own/deep-oc-marathon-webdav.yml")
    make_module("deep-oc-own", templates=(own,))
    assert "Configure and deploy" not in client.get("/modules/deep-oc-own").text
    assert client.get("/").text.count("For people in the group vo/imaging") == 2


def test_a_card_says_of_a_private_template_only_that_it_names_people(db: None, client: Client) -> None:
    make_template(restricted("visibility: private"), path="deep-oc-marathon-webdav.yml")
    make_module(SLUG)
    assert "Para personas que la plantilla indica" in client.get("/", headers={"Accept-Language": "es"}).text


def test_what_templates_say_is_read_again_only_when_one_has_changed(locked: Module) -> None:
    with CaptureQueriesContext(connection) as captured:
        for _ in range(3):
            mark_locked(list, AnonymousUser(), revisions_now().templates)
    asked = [row["sql"] for row in captured.captured_queries if '"audience"' in row["sql"]]
    assert len(asked) == 1


def test_a_private_template_is_not_even_named(db: None, client: Client) -> None:
    make_template(path="deep-oc-marathon-webdav.yml")
    secret = make_template(restricted("visibility: {type: private, groups: [vo/imaging]}", "Hush"), path="secret.yml")
    make_module(SLUG, templates=(secret,))
    client.force_login(make_user("stranger"))
    assert "Hush" not in client.get(f"/modules/{SLUG}").text
    form = client.get(f"/module/{SLUG}?toscaname=hush")
    assert "Hush" not in form.text
    assert "no template “hush”" in form.text


def test_a_locked_template_stands_in_the_form_but_can_not_be_chosen(db: None, client: Client) -> None:
    make_template(path="deep-oc-marathon-webdav.yml")
    own = make_template(restricted("allowed_groups: [vo/imaging]", "Special"), path="special.yml")
    make_module(SLUG, templates=(own,))
    client.force_login(make_user("stranger"))
    form = client.get(f"/module/{SLUG}?toscaname=special")
    assert "<option disabled>Special (for people in the group vo/imaging)</option>" in form.text
    assert "no template “special”" in form.text


def test_a_curators_default_template_comes_first(db: None, client: Client) -> None:
    make_template(path="deep-oc-marathon-webdav.yml")
    own = make_template(restricted("tag: x", "Special"), path="special.yml")
    module = make_module(SLUG, templates=(own,), default_template=own)
    assert module.offer().choices[0].template == own
    client.force_login(make_user("anybody"))
    assert '<option value="special" selected>' in client.get(f"/module/{SLUG}").text
