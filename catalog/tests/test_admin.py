"""The curators' admin: what they decide, what they see of upstream, what they can start, and nothing more."""

import re
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from accounts.models import User
from accounts.testing import make_user
from catalog.differences import difference
from catalog.models import (
    ExternalLink,
    Module,
    ModuleIndex,
    ModuleTemplate,
    RefreshRun,
    Template,
    TemplateVersion,
    TypeFile,
)
from catalog.models.module import CURATED
from catalog.problems import stored
from catalog.refresh.runs import claim_next, request_run
from catalog.services import catalog_take_up
from catalog.testing import TEMPLATE, make_module, make_template
from catalog.tests.conftest import LIST, RAW, TYPES, World
from deepdash.errors import Problem

pytestmark = pytest.mark.django_db
START = "/admin/catalog/refreshrun/start/"


@pytest.fixture
def curator() -> User:
    return make_user("grace", staff=True)


@pytest.fixture
def admin(client: Client, curator: User, monkeypatch: pytest.MonkeyPatch) -> Client:
    monkeypatch.setattr("catalog.services._nudge", lambda: None)  # no refresh begins by itself here
    client.force_login(curator)
    return client


def curated(module: Module, **changes: Any) -> dict[str, Any]:
    """The form of a module as a browser would send it that showed ``module``."""
    shown = {name: "" if (value := getattr(module, f"{name}_id", getattr(module, name))) is None else value
             for name in CURATED}  # fmt: skip
    flags = [name for name in ("hidden", "featured") if not shown[name]]  # a box that is not checked sends nothing
    return {
        **{name: value for name, value in shown.items() if name not in flags},
        **{f"initial-{name}": str(value) for name, value in shown.items()},
        "template_links-TOTAL_FORMS": "0",
        "template_links-INITIAL_FORMS": "0",
        **changes,
    }


def edit(module: Module) -> str:
    return f"/admin/catalog/module/{module.pk}/change/"


@pytest.mark.parametrize(
    "address",
    ["/admin/", "/admin/catalog/module/", "/admin/catalog/template/", "/admin/catalog/refreshrun/",
     "/admin/catalog/webhookdelivery/", "/admin/catalog/externallink/", "/admin/catalog/externallink/add/",
     "/admin/catalog/picture/", "/admin/catalog/typefile/", "/admin/catalog/moduleindex/", "/admin/admin/logentry/"],
)  # fmt: skip
def test_a_curator_sees_the_pages_of_the_catalogue(admin: Client, address: str) -> None:
    make_module(templates=(make_template(),))
    assert admin.get(address).status_code == 200


@pytest.mark.parametrize("address", ["/admin/", "/admin/catalog/module/", "/admin/catalog/refreshrun/", START])
def test_nobody_else_does(client: Client, address: str) -> None:
    client.force_login(make_user("researcher"))
    assert client.get(address, follow=True).status_code == 403
    assert client.post(START, follow=True).status_code == 403
    assert not RefreshRun.objects.exists()


def test_staff_without_the_role_can_start_nothing(client: Client) -> None:
    staff = make_user("staff", staff=True)
    staff.roles.clear()
    client.force_login(staff)
    assert client.post(START).status_code == 403
    assert client.get("/admin/admin/logentry/").status_code == 403
    assert client.get("/modules/deep-oc-demo?preview=1").status_code == 404


def test_a_curator_can_do_nothing_else(admin: Client, curator: User) -> None:
    template = make_template()
    shown = {
        match for match in re.findall(r'href="/admin/(\w+)/(\w+)/"', admin.get("/admin/").text) if match[0] != "catalog"
    }
    assert shown == {("admin", "logentry")}
    for address in (
        "/admin/accounts/user/",
        f"/admin/accounts/user/{curator.pk}/delete/",
        "/admin/accounts/user/add/",
        "/admin/auth/group/",
        f"/admin/catalog/template/{template.pk}/delete/",
        "/admin/catalog/template/add/",
        "/admin/catalog/refreshrun/add/",
        "/admin/deployments/deployment/",
    ):
        assert admin.get(address).status_code in {403, 404}, address
    admin.post(f"/admin/catalog/template/{template.pk}/change/", {"raw": "x", "path": "x"})
    template.refresh_from_db()
    assert (template.raw, template.path) == (TEMPLATE, "deep-oc-marathon-webdav.yml")


def test_every_row_can_be_looked_at(admin: Client) -> None:
    kept = [ModuleIndex.objects.create(url=LIST), TypeFile.objects.create(url=TYPES), make_template(), make_module()]
    for row in kept:
        assert admin.get(f"/admin/catalog/{row._meta.model_name}/{row.pk}/change/").status_code == 200


def test_only_the_curators_columns_are_changed_whatever_is_sent_or_refreshed_meanwhile(admin: Client) -> None:
    module = make_module("deep-oc-plants")
    Module.objects.update(summary="changed by a refresh meanwhile")
    form = curated(module, title_override="Ours", featured="on", position="5", default_hardware="gpu")
    forged = {"title": "forged", "docker_image": "evil/image", "description_html": "<script>"}
    assert admin.post(edit(module), form | forged).status_code == 302
    after = Module.objects.get()
    assert (after.title_override, after.featured, after.position, after.default_hardware) == ("Ours", True, 5, "gpu")
    assert (after.title, after.docker_image) == ("Plants", "deephdc/deep-oc-plants")
    assert (after.summary, after.sort_title) == ("changed by a refresh meanwhile", "ours")
    assert "<script>" not in after.description_html


def test_what_a_curator_decides_is_shown_recorded_and_survives_a_refresh(world: World, admin: Client) -> None:
    world.refresh()
    module = Module.objects.get(slug="deep-oc-one")
    template = Template.objects.get(path="own.yml")
    page = admin.get(edit(module)).text
    assert "Without it: Title of DEEP-OC-one" in page
    assert "Without it: What it does." in page
    assert '<option value="gpu">gpu</option>' in page, "the tags there are can be chosen from"
    answer = admin.post(
        edit(module),
        curated(module, title_override="Ours", glyph_override="audio", default_tag="gpu", default_hardware="gpu",
                default_template=template.pk, featured="on", note="Down on Monday."),
    )  # fmt: skip
    assert answer.status_code == 302, answer.text
    world.add_module("DEEP-OC-one", title="New upstream title")
    world.refresh()
    module.refresh_from_db()
    assert (module.title, module.shown_title, module.glyph) == ("New upstream title", "Ours", "audio")
    assert "Down on Monday." in admin.get("/modules/deep-oc-one").text
    entry = LogEntry.objects.get()
    assert "Title" in entry.get_change_message()
    history = admin.get("/admin/admin/logentry/").text
    assert str(LogEntry.objects.get().user) in history
    assert "Default tag" in history
    assert "Title" in admin.get(f"/admin/catalog/module/{module.pk}/history/").text


@pytest.mark.parametrize("address", ["javascript:alert(1)", "file:///etc/passwd", "nonsense", "folder:x.png"])
def test_a_picture_is_a_web_address(admin: Client, address: str) -> None:
    module = make_module()
    assert admin.post(edit(module), curated(module, icon_address=address)).status_code == 200
    module.refresh_from_db()
    assert module.icon_address == ""


def test_a_new_picture_is_asked_for_at_once(admin: Client) -> None:
    module = make_module()
    admin.post(edit(module), curated(module, icon_address="https://pictures.example/a.png"))
    assert RefreshRun.objects.get().only == module.slug


def test_a_default_that_is_gone_is_not_lost_by_saving(admin: Client) -> None:
    module = make_module(default_tag="was-there")
    assert "was-there (not there now)" in admin.get(edit(module)).text
    admin.post(edit(module), curated(module, default_tag="was-there", hidden="on"))
    module.refresh_from_db()
    assert (module.default_tag, module.hidden) == ("was-there", True)


def test_many_are_hidden_at_once_and_each_is_recorded(admin: Client) -> None:
    modules = [make_module(f"m-{number}") for number in range(3)]
    chosen = {"action": "hide", "_selected_action": [str(module.pk) for module in modules[:2]]}
    admin.post("/admin/catalog/module/", chosen)
    assert list(Module.objects.filter(hidden=True).values_list("slug", flat=True)) == ["m-0", "m-1"]
    assert LogEntry.objects.count() == 2


def test_a_hidden_module_can_be_previewed_by_curators_alone(admin: Client) -> None:
    module = make_module(hidden=True)
    assert admin.get(f"/modules/{module.slug}").status_code == 404
    assert "<strong>Preview.</strong>" in admin.get(f"/modules/{module.slug}?preview=1").text
    admin.logout()
    assert admin.get(f"/modules/{module.slug}?preview=1").status_code == 404


def test_a_preview_shows_what_somebody_without_groups_sees(admin: Client, curator: User) -> None:
    curator.groups = ["vo/imaging"]
    curator.save()
    make_template(TEMPLATE.replace("tag: CPU/GPU", "allowed_groups: vo/imaging"))
    module = make_module()
    assert "Configure and deploy" in admin.get(f"/modules/{module.slug}").text
    assert "Configure and deploy" not in admin.get(f"/modules/{module.slug}?preview=1").text


@pytest.mark.parametrize(
    ("trouble", "found"),
    [
        ("broken", ["broken"]),
        ("stale", ["older"]),
        ("tags", ["no-answer"]),
        ("templates", ["astray"]),
        ("curated", ["curated"]),
        ("no-tags", ["untagged"]),
        ("nonsense", ["astray", "broken", "curated", "gone", "no-answer", "older", "untagged"]),
    ],
)
def test_trouble_is_found(admin: Client, trouble: str, found: list[str]) -> None:
    error = stored(Problem("catalog:malformed", what="metadata.json"))
    make_module("broken", state="broken", docker_image="", error=error)
    make_module("older", state="broken", error=error)
    make_module("gone", state="gone", docker_image="", error=error, tags_error=error, tags=())
    make_module("no-answer", tags_error=error)
    ModuleTemplate.objects.create(module=make_module("astray"), file="x.yml", error=error)
    make_module("curated", note="x")
    make_module("untagged", tags=())
    page = admin.get(f"/admin/catalog/module/?trouble={trouble}")
    assert sorted(module.slug for module in page.context["cl"].queryset) == found


def test_odd_templates_are_found_and_fragments_are_not_among_them(admin: Client) -> None:
    make_template(path="good.yml")
    make_template(path="odd.yml", verdict="invalid")
    make_template("metadata: {parents: [a.yml]}\ntopology_template: {}", path="part.yml", verdict="invalid")
    page = admin.get("/admin/catalog/template/?trouble=odd")
    assert [template.path for template in page.context["cl"].queryset] == ["odd.yml"]
    part = Template.objects.get(path="part.yml")
    said = admin.get(f"/admin/catalog/template/{part.pk}/change/").text
    assert "a.yml: it is meant to be merged into one of them, and can&#x27;t stand alone" in said


def test_what_failed_stands_first_in_a_refresh(admin: Client) -> None:
    items = [
        {"kind": "module", "name": "one", "result": "new"},
        {"kind": "module", "name": "two", "result": "failed", "problem": {"id": "catalog:no-image"}},
        {"kind": "module", "name": "three", "result": "gone", "note": "It is now four."},
    ]
    run = RefreshRun.objects.create(trigger="command", state="done", items=items)
    page = admin.get(f"/admin/catalog/refreshrun/{run.pk}/change/").text
    assert page.index("failed: module two – ") < page.index("gone: module three – It is now four.")
    assert page.index("It is now four.") < page.index("new: module one")


def test_the_record_of_changes_is_narrowed_to_what_was_changed(admin: Client) -> None:
    module = make_module()
    admin.post("/admin/catalog/module/", {"action": "hide", "_selected_action": [module.pk], "index": "0"})
    page = admin.get("/admin/admin/logentry/").text
    assert "Hidden." in page
    assert "webhook delivery" not in page


def test_everything_is_refreshed_by_post_and_its_progress_is_shown(world: World, admin: Client) -> None:
    assert admin.get(START).status_code == 405
    run = RefreshRun.objects.get(pk=admin.post(START).headers["Location"].split("/")[-3])
    page = admin.get(f"/admin/catalog/refreshrun/{run.pk}/change/")
    assert '<meta http-equiv="refresh"' in page.text
    assert "It begins in a moment" in page.text
    RefreshRun.objects.filter(pk=run.pk).update(state="running", counts={"new": 3})
    assert "3 items done" in admin.get(f"/admin/catalog/refreshrun/{run.pk}/change/").text
    RefreshRun.objects.filter(pk=run.pk).update(state="waiting", counts={})
    catalog_take_up()
    page = admin.get(f"/admin/catalog/refreshrun/{run.pk}/change/")
    assert '<meta http-equiv="refresh"' not in page.text
    assert "new: module deep-oc-one" in page.text


def test_one_module_is_refreshed_by_itself(world: World, admin: Client) -> None:
    world.refresh()
    world.add_module("DEEP-OC-one", title="Changed")
    world.add_module("DEEP-OC-two", title="Changed")
    world.asked.clear()
    admin.post(START, {"module": "deep-oc-one"})
    catalog_take_up()
    assert dict(Module.objects.filter(kind="module").values_list("slug", "title")) == {
        "deep-oc-one": "Changed", "deep-oc-two": "Title of DEEP-OC-two",
    }  # fmt: skip
    assert {address.split("/")[4] for address, _ in world.asked if address.startswith(RAW)} == {"DEEP-OC-one"}
    assert not Module.objects.filter(state="gone").exists()
    assert RefreshRun.objects.last_finished() != RefreshRun.objects.first(), "the whole catalogue is as old as before"


def test_a_wish_for_one_module_joins_a_wish_for_another_as_a_wish_for_all() -> None:
    first = request_run("curator", only="a")
    assert request_run("curator", only="a") == first
    assert request_run("curator", only="b").only == ""
    assert request_run("curator", only="c").only == ""
    claimed = claim_next()
    assert claimed
    assert claimed.only == ""


def test_a_module_that_is_not_there_is_not_refreshed(admin: Client) -> None:
    assert "There is no module nowhere to refresh." in admin.post(START, {"module": "no\0where"}, follow=True).text
    assert not RefreshRun.objects.exists()


def test_the_difference_between_versions_is_shown(admin: Client) -> None:
    template = make_template()
    old = TemplateVersion.objects.create(template=template, raw=TEMPLATE.replace("4096 MB", "<2> GB"), digest="x")
    address = f"/admin/catalog/template/{template.pk}/versions/"
    page = admin.get(address)
    assert "&lt;2&gt; GB" in page.text
    assert [(line.sign, line.text.strip()) for line in page.context["lines"] if line.sign in "+-"] == [
        ("-", "default: <2> GB"), ("+", "default: 4096 MB"),
    ]  # fmt: skip
    assert "the same" in admin.get(f"{address}?old={old.pk}&new={old.pk}").text
    assert admin.get(f"{address}?old=nonsense&new=99").status_code == 200
    assert admin.get("/admin/catalog/template/99/versions/").status_code == 404
    alone = make_template(path="alone.yml")
    assert "only one version" in admin.get(f"/admin/catalog/template/{alone.pk}/versions/").text


def test_a_difference_leaves_out_what_did_not_change() -> None:
    before = "\n".join(map(str, range(50)))
    found = difference(before, before.replace("25", "xx"))
    assert [line.sign for line in found] == ["…", *"   -+   "]
    assert difference(before, before) == []


def test_links_of_curators_stand_in_the_footer(admin: Client, django_capture_on_commit_callbacks: Any) -> None:
    data = {"title": "Handbook", "address": "https://docs.example/", "position": "1"}
    assert "docs.example" not in admin.get("/").text
    with django_capture_on_commit_callbacks(execute=True):
        assert admin.post("/admin/catalog/externallink/add/", data).status_code == 302
        assert "docs.example" not in admin.get("/").text, "what is kept is forgotten when others can read the change"
    assert '<a href="https://docs.example/" rel="noopener">Handbook</a>' in admin.get("/").text
    with django_capture_on_commit_callbacks(execute=True):
        ExternalLink.objects.get().delete()
    assert "docs.example" not in admin.get("/").text
    admin.post("/admin/catalog/externallink/add/", {**data, "address": "javascript:alert(1)"})
    admin.post("/admin/catalog/externallink/add/", {**data, "hidden": "on"})
    assert ">Handbook</a>" not in admin.get("/modules/nowhere").text.partition("<footer")[2]


def test_lists_cost_the_same_statements_for_any_number_of_rows(
    admin: Client, django_assert_max_num_queries: Any
) -> None:
    template = make_template()
    for number in range(40):
        make_module(f"m-{number}", templates=(template,))
    for address in ("/admin/catalog/module/", "/admin/catalog/template/", "/admin/"):
        with django_assert_max_num_queries(12):
            assert admin.get(address).status_code == 200
