"""A deployment made again has all it was made with; groups, presets and links go where they should."""

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


EVERY_KIND = "deep-oc-demo-app?toscaname=every+kind+of+field"
SECRETS = {"in-jupyter_password", "in-tracking_token", "in-storage_secret_key"}
# Another value than the template's for each of its inputs that can have one.
OTHERS = {
    "in-deployment_description": "Every kind", "in-num_cpus": "3", "in-num_gpus": "1", "in-epochs": "7",
    "in-batch_size": "8", "in-learning_rate": "0.5", "in-dropout": "0.5", "in-optimiser": "adam",
    "in-run_name": "second-run", "in-country_code": "DE", "in-station_code": "NO-1234", "in-notes": "b: “c” <d>",
    "in-checkpoint": "best", "in-training_settings": "\n[data]\n\nsplit = 1:1\n", "in-os_version": "20.04",
    "in-framework_version": "3.0", "in-start_after": "2025-01-02T03:04:05Z", "in-port_range_0": "30000",
    "in-port_range_1": "30100", "in-retry_range_0": "2", "in-retry_range_1": "9", "in-mem_size_0": "8",
    "in-mem_size_1": "GiB", "in-disk_size": "50 GiB", "in-time_limit_0": "3", "in-time_limit_1": "d",
    "in-cpu_frequency_0": "3.2", "in-start_files": "https://a.org/1\nhttps://a.org/2", "in-layer_sizes": "64\n32",
    "in-extra_labels": "project: other\nteam: a: b", "in-data_sources": "- name: autumn\n  weight: '3'\n",
    "in-augment": None, "in-verbose": "on", "in-docker_privileged": "on",
}  # fmt: skip
OPTIONS = {
    "title": "Everything set", "keep_last_attempt": "on", "timeout_mins": "120", "provider_timeout_mins": "30",
    "max_providers_retry": "2",
}  # fmt: skip


def test_a_clone_has_all_the_first_was_made_with_and_each_can_be_changed(stack: Stack) -> None:
    ada = Visitor(stack.url).sign_in("ada")
    page = ada.submit(ada.get(f"/module/{EVERY_KIND}"), "/module/", ("action", "providers"))
    untouched = values(page)
    offered = page.form("/module/").xpath(".//select[@name='provider']/option/@value")
    typed = OTHERS | OPTIONS | {"provider": next(filter(None, offered)), "docker_tag": "gpu"}
    typed |= dict.fromkeys(SECRETS, "never-kept")
    page = ada.submit(page, "/module/", ("action", "apply"), **typed)
    page = ada.submit(page, "/module/", ("action", "review"))
    assert "This is what will be sent" in page.words, page.words[:1500]
    sent = values(page)
    assert {name: sent.get(name) for name in typed} == {name: value and [value] for name, value in typed.items()}
    same = {name for name, value in sent.items() if name.startswith("in-") and value == untouched.get(name)}
    # These offer nothing else.
    assert {name for name in same if not name.endswith("-shown")} == {
        "in-api_version", "in-mixed_precision", "in-cpu_frequency_1",
    }  # fmt: skip

    page = ada.submit(page, "/module/", ("action", "deploy"))
    assert page.title == "Everything set", page.words[:800]
    uuid = page.url.partition("?")[0].rsplit("/", 1)[1]
    again = ada.get(next(link for link in page.links() if "from=" in link))
    kept = values(again)
    assert kept == {name: value for name, value in sent.items() if name not in SECRETS}
    assert "Type again: " in again.words

    changes = {"in-layer_sizes": "8", "in-extra_labels": "", "in-verbose": None, "max_providers_retry": "5"}
    page = ada.submit(again, "/module/", ("action", "deploy"), **changes, **dict.fromkeys(SECRETS, "another-one"))
    third = values(ada.get(next(link for link in page.links() if "from=" in link)))
    assert third == {name: value for name, value in kept.items() if name not in changes} | {
        "in-layer_sizes": ["8"], "max_providers_retry": ["5"],
    }  # fmt: skip

    ben = Visitor(stack.url).sign_in("ben")
    assert "Everything set" not in ben.get(f"/module/{EVERY_KIND}&from={uuid}").text
    assert ben.get(f"/deployments/{uuid}/again").status == 404


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
