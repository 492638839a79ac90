"""What is kept of a form for next time: presets, the last deployment, links."""

from typing import Any

import pytest
import responses
from django.test import Client
from lxml import html

from accounts.models import User
from accounts.testing import make_user
from catalog.models import Module
from catalog.testing import make_module, make_template
from deployments.models import Preset
from deployments.presets.services import MAX_PRESETS
from deployments.testing import make_deployment
from deployments.tests.test_configure import RAW, shown, words


@pytest.fixture
def module(db: None) -> Module:
    return make_module(templates=(make_template(RAW, path="own.yml", display_name="Own"),))


def send(client: Client, module: Module, **values: str) -> Any:
    page = shown(client.get(f"/module/{module.slug}"))
    return client.post(f"/module/{module.slug}", {**page, **values})


def typed(**values: str) -> dict[str, str]:
    return {"in-num_cpus": "4", "in-datasets": "a\nb", "in-mem_size_0": "16", "title": "Plants", **values}


def test_a_preset_brings_back_what_was_typed(browser: Client, owner: User, module: Module) -> None:
    secret = {"in-jupyter_password": "hunter2hunter2"}
    values = typed(**secret, timeout_mins="60", keep_last_attempt="on", provider="sla-1")
    answer = send(browser, module, **values, action="save-preset", preset_name="  Big \x00 one ")
    assert "Saved as your preset “Big one”" in words(answer)
    assert shown(answer)["in-num_cpus"] == "4"  # nothing typed is lost
    preset = Preset.objects.get()
    assert preset.inputs == {"num_cpus": 4, "datasets": ["a", "b"], "mem_size": "16 GB"}
    assert "hunter2" not in str(vars(preset))
    page = browser.get(f"/module/{module.slug}?preset={preset.pk}")
    back = shown(page)
    wanted = values | {"in-jupyter_password": ""}
    assert {name: back[name] for name in wanted} == wanted
    assert "Filled in from your preset “Big one”" in words(page)


def test_a_preset_keeps_its_choices_and_what_they_give_follows_today(
    browser: Client, owner: User, module: Module
) -> None:
    send(browser, module, hardware="gpu", run="jupyterlab", docker_tag="gpu", action="apply")
    page = shown(browser.get(f"/module/{module.slug}?hardware=gpu&run=jupyterlab&docker_tag=gpu"))
    browser.post(f"/module/{module.slug}", {**page, "action": "save-preset", "preset_name": "Lab"})
    preset = Preset.objects.get()
    assert preset.inputs == {}  # the image, the command and the counts come from the choices
    assert shown(browser.get(f"/module/{module.slug}?preset={preset.pk}"))["hardware"] == "gpu"


def test_saving_under_the_same_name_replaces(browser: Client, owner: User, module: Module) -> None:
    for cpus in ("2", "3"):
        send(browser, module, action="save-preset", preset_name="Mine", **{"in-num_cpus": cpus})
    assert Preset.objects.get().inputs == {"num_cpus": 3}


def test_what_is_not_valid_is_left_out_and_named(browser: Client, owner: User, module: Module) -> None:
    answer = send(browser, module, action="save-preset", preset_name="x", **{"in-num_cpus": "64", "in-num_gpus": "2"})
    assert "Left out, as they are not valid: CPUs" in words(answer)
    assert Preset.objects.get().inputs == {"num_gpus": 2}
    assert shown(answer)["in-num_cpus"] == "64"


@pytest.mark.parametrize(("name", "said"), [("", "A preset needs a name"), ("x" * 61, "is too long for a name")])
def test_a_name_that_is_none_is_refused(browser: Client, owner: User, module: Module, name: str, said: str) -> None:
    answer = send(browser, module, action="save-preset", preset_name=name, **{"in-num_cpus": "4"})
    assert answer.status_code == 422
    assert said in words(answer)
    assert shown(answer)["in-num_cpus"] == "4"
    assert not Preset.objects.exists()


def test_there_is_room_for_so_many(browser: Client, owner: User, module: Module) -> None:
    Preset.objects.bulk_create(Preset(owner=owner, module_slug=module.slug, name=f"p{i}") for i in range(MAX_PRESETS))
    assert send(browser, module, action="save-preset", preset_name="one more").status_code == 422
    assert send(browser, module, action="save-preset", preset_name="p0").status_code == 200
    assert Preset.objects.count() == MAX_PRESETS


def test_presets_are_their_owners_alone(browser: Client, owner: User, module: Module) -> None:
    ben = make_user("ben")
    theirs = Preset.objects.create(
        owner=ben, module_slug=module.slug, name="Ben’s own", choices={"hardware": "gpu"}, inputs={"num_cpus": 9}
    )
    page = browser.get(f"/module/{module.slug}?preset={theirs.pk}")
    assert "Ben’s own" not in words(page)
    assert shown(page)["in-num_cpus"] == "1"
    send(browser, module, delete_preset=str(theirs.pk))
    assert Preset.objects.filter(pk=theirs.pk).exists()


def test_deleting_one_keeps_what_is_typed(browser: Client, owner: User, module: Module) -> None:
    mine = Preset.objects.create(owner=owner, module_slug=module.slug, name="Old")
    answer = send(browser, module, delete_preset=str(mine.pk), **{"in-num_cpus": "4"})
    assert "Your preset “Old” is deleted" in words(answer)
    assert shown(answer)["in-num_cpus"] == "4"
    assert not Preset.objects.exists()


@pytest.mark.parametrize("key", ["x", "-1", "9" * 40, "１", ""])
def test_a_preset_that_is_none_leaves_a_fresh_form(browser: Client, module: Module, key: str) -> None:
    assert browser.get(f"/module/{module.slug}", {"preset": key}).status_code == 200


def test_as_last_time_is_offered_after_the_first_deployment(browser: Client, owner: User, module: Module) -> None:
    assert "As last time" not in words(browser.get(f"/module/{module.slug}"))
    make_deployment(owner, module_slug=module.slug, inputs={"num_cpus": 3})
    last = make_deployment(owner, module_slug=module.slug, inputs={"num_cpus": 5})
    make_deployment(owner, module_slug="deep-oc-other")
    make_deployment(make_user("ben"), module_slug=module.slug)
    page = browser.get(f"/module/{module.slug}")
    link = next(a for a in html.fromstring(page.content.decode()).iter("a") if "As last time" in a.text_content())
    assert link.get("href") == f"?from={last.uuid}"
    assert shown(browser.get(f"/module/{module.slug}{link.get('href')}"))["in-num_cpus"] == "5"


def test_the_link_to_copy_leads_to_the_same_values_without_secrets(
    browser: Client, owner: User, module: Module, wire: responses.RequestsMock
) -> None:
    answer = send(browser, module, **typed(**{"in-jupyter_password": "hunter2hunter2"}), action="apply")
    page = html.fromstring(answer.content.decode())
    path = next(a.get("href") for a in page.iter("a") if a.text_content() == "Link to these values")
    copied = next(b.get("data-copy") for b in page.iter("button") if b.text_content().strip() == "Copy link")
    assert copied == f"http://testserver{path}"
    assert "hunter2" not in str(path)
    back = shown(browser.get(str(path)))
    assert (back["in-num_cpus"], back["in-datasets"], back["in-mem_size_0"]) == ("4", "a\nb", "16")
    assert back["in-jupyter_password"] == ""


def test_what_is_too_long_for_a_link_stays_out_of_it(browser: Client, owner: User, module: Module) -> None:
    answer = send(browser, module, action="apply", **{"in-datasets": "x" * 5000, "in-num_cpus": "4"})
    assert "These values are too long for a link; save them as a preset." in words(answer)
    assert "Link to these values" not in words(answer)
