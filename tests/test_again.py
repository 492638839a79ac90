"""Groups, presets, links and options go where they should, and to nobody else."""

from urllib.parse import parse_qsl, urlsplit

from tests.places import deploy, until
from tests.stack import Stack
from tests.visitor import Page, Visitor

# Not inputs of the deployment, but of this one form.
OF_THE_FORM = {"csrfmiddlewaretoken", "submission_key", "form_owner", "preset_name", "action"}


def values(page: Page) -> dict[str, list[str]]:
    """What the form on a page would send."""
    found: dict[str, list[str]] = {}
    for name, value in page.form("/module/").form_values():
        if name not in OF_THE_FORM and value:
            found.setdefault(name, []).append(value.replace("\r\n", "\n"))
    return found


def test_the_group_one_works_for_goes_along(stack: Stack) -> None:
    olu = Visitor(stack.url).sign_in("olu")
    page = olu.submit(olu.get("/storage"), "/group", group="federation")
    assert "You now work for federation." in page.words
    address = deploy(olu, "For the federation")
    assert "federation" in olu.get(address).tree.xpath("string(//dl)") + olu.get(address).words
    assert "For the federation" in olu.get("/deployments?group=federation").words
    assert "For the federation" not in olu.get("/deployments?group=ml-users").words
    page = olu.submit(page, "/group", group="deepdash-curators")  # not one of Olu's
    assert "You now work for deepdash-curators." not in page.words
    olu.submit(olu.get("/storage"), "/group", group="")
    assert "/group" not in {form.action for form in Visitor(stack.url).sign_in("nora").get("/").tree.forms}


def test_a_preset_is_its_makers_and_a_link_carries_no_secret(stack: Stack) -> None:
    ada, ben = Visitor(stack.url).sign_in("ada"), Visitor(stack.url).sign_in("ben")
    page = ada.get("/module/deep-oc-alpine-flora?run=jupyterlab")
    typed = {"in-num_cpus": "3", "in-jupyter_password": "not-for-others", "title": "Shared"}
    page = ada.submit(page, "/module/", ("action", "save-preset"), preset_name="Mine alone", **typed)
    assert "Mine alone" in page.words
    link = next(link for link in page.links() if "in-num_cpus=3" in link)
    assert "not-for-others" not in link
    assert not [name for name, _ in parse_qsl(urlsplit(link).query) if "password" in name]
    shared = ben.get(link)
    assert values(shared)["in-num_cpus"] == ["3"]
    assert "Mine alone" not in shared.words
    preset = next(link for link in ada.get("/module/deep-oc-alpine-flora").links() if "preset=" in link)
    assert values(ada.get(preset))["in-num_cpus"] == ["3"]
    assert values(ben.get(preset))["in-num_cpus"] != ["3"]


def test_the_last_attempt_is_kept_when_asked_for(stack: Stack) -> None:
    ada = Visitor(stack.url).sign_in("ada")
    address = deploy(ada, "Keeps", "deep-oc-always-fails", keep_last_attempt="on", max_providers_retry="1")
    until(ada, address, "Creation failed")
    fields = values(ada.get(next(link for link in ada.get(address).links() if "from=" in link)))
    assert (fields["keep_last_attempt"], fields["max_providers_retry"]) == (["on"], ["1"])
