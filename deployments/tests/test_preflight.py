"""What the form says before anything is sent: advice with its reason, never a block, never a wait."""

from datetime import timedelta
from typing import Any

import pytest
import responses
from django.test import Client
from django.utils import timezone
from lxml import html

from accounts.models import User
from accounts.testing import make_user
from catalog.models import Module
from catalog.testing import make_module, make_template
from deployments.models import StorageAccount
from deployments.preflight import provider_advice
from deployments.providers import Provider
from deployments.quotas import Held, Quota
from deployments.states import Status
from deployments.testing import make_deployment
from deployments.tests.conftest import SLAM
from deployments.tests.test_configure import RAW, shown, words

MARATHON = "eu.indigo-datacloud.marathon"
NOVA = "org.openstack.nova"
YESTERDAY = timezone.now() - timedelta(days=1)


@pytest.fixture
def module(db: None) -> Module:
    return make_module(templates=(make_template(RAW, path="own.yml", display_name="Own"),))


def provider(sla_id: str = "s1", *, type: str = MARATHON, **facts: Any) -> Provider:
    return Provider(sla_id, f"service-{sla_id}", sitename=sla_id.upper(), service_type=type, **facts)


def advice(answer: Any) -> str:
    tree = html.fromstring(answer.content.decode())
    return " | ".join(
        " ".join(item.text_content().split()) for item in tree.xpath("//ul[contains(@class,'checks')]/li")
    )


@pytest.mark.parametrize(
    ("providers", "gpus", "chosen", "tone", "said"),
    [
        ([provider()], 0, "", "ok", "1 provider of yours can run it"),
        ([provider(), provider("s2")], 0, "", "ok", "2 providers of yours can run it"),
        ([provider(type=NOVA)], 0, "", "warn", "None of your providers runs this kind"),
        ([provider(end=YESTERDAY)], 0, "", "warn", "None of your providers runs this kind"),
        ([], 0, "", "warn", "None of your providers runs this kind"),
        ([provider(gpu_support=True), provider("s2", gpu_support=False)], 1, "", "ok", "1 provider of yours with GPUs"),
        ([provider(gpu_support=False)], 1, "", "warn", "None of your providers has GPUs"),
        ([provider(gpu_support=None)], 1, "", "idle", "Whether your providers have GPUs is not known"),
        ([provider()], 0, "s1", "ok", "S1 runs this kind of template"),
        ([provider(type=NOVA)], 0, "s1", "warn", "S1 does not run this kind"),
        ([provider()], 0, "gone", "warn", "The chosen provider has no agreement"),
        ([provider(end=YESTERDAY)], 0, "s1", "warn", "The agreement with S1 is not in force"),
        ([provider(gpu_support=True, num_gpus=4)], 2, "s1", "ok", "S1 has GPUs"),
        ([provider(gpu_support=True, num_gpus=1)], 2, "s1", "warn", "S1 has 1 GPU; you want 2"),
        ([provider(gpu_support=False)], 1, "s1", "warn", "S1 has no GPUs; 1 GPU wanted"),
        ([provider()], 1, "s1", "idle", "S1 does not say whether it has GPUs"),
    ],
)
def test_providers(providers: list[Provider], gpus: int, chosen: str, tone: str, said: str) -> None:
    line = provider_advice(providers, kind="MARATHON", wanted=Held(gpus=gpus), chosen=chosen)
    assert line.tone == tone
    assert said in line.text


LIMITED = (Quota("num_gpus", instance=2, user=3, total=6), Quota("num_cpus", user=10), Quota("public_ip", total=1))


@pytest.mark.parametrize(
    ("wanted", "held", "tone", "said"),
    [
        (Held(gpus=1), Held(gpus=2), "ok", "S1 has GPUs"),
        (Held(gpus=1), Held(gpus=3), "warn", "with S1 allows you 3 GPUs; you hold 3 and want 1"),
        (Held(gpus=3), Held(), "warn", "with S1 allows 2 GPUs for each deployment; you want 3"),
        (Held(cpus=4), Held(cpus=8), "warn", "with S1 allows you 10 CPUs; you hold 8 and want 4"),
        (Held(cpus=4), Held(cpus=2, gpus=3), "ok", "S1 runs this kind of template"),
    ],
)
@pytest.mark.parametrize("chosen", ["s1", ""])
def test_limits_of_agreements(wanted: Held, held: Held, tone: str, said: str, chosen: str) -> None:
    mine = provider(gpu_support=True, num_gpus=8, quotas=LIMITED)
    line = provider_advice([mine], kind="MARATHON", wanted=wanted, chosen=chosen, held={"service-s1": held})
    assert line.tone == tone
    assert (tone == "ok" and not chosen) or said in line.text


def test_a_provider_with_room_left_is_enough(owner: User) -> None:
    full, free = provider(quotas=LIMITED), provider("s2")
    line = provider_advice(
        [full, free], kind="MARATHON", wanted=Held(cpus=4), chosen="", held={"service-s1": Held(cpus=10)}
    )
    assert (line.tone, line.text) == ("ok", "1 provider of yours can run it")


def test_a_limit_of_the_only_one_with_gpus_is_told_not_that_there_are_no_gpus() -> None:
    limited, plain = provider(gpu_support=True, num_gpus=8, quotas=LIMITED), provider("s2", gpu_support=False)
    line = provider_advice([plain, limited], kind="MARATHON", wanted=Held(gpus=3), chosen="", held={})
    assert line.tone == "warn"
    assert "with S1 allows 2 GPUs for each deployment; you want 3" in line.text


def test_the_page_asks_nobody_and_the_answer_follows(
    browser: Client, owner: User, module: Module, wire: responses.RequestsMock
) -> None:
    page = browser.get(f"/module/{module.slug}?hardware=gpu")
    assert not wire.calls
    line = html.fromstring(page.content.decode()).xpath("//li[@hx-get]")[0]
    assert line.get("hx-get") == "/preflight/providers?kind=MARATHON&cpus=1&gpus=1&provider="
    wire.add(responses.GET, f"{SLAM}/rest/slam/preferences/indigo-dc", json={"preferences": [], "sla": []})
    assert "None of your providers runs this kind" in words(browser.get(line.get("hx-get")))
    # Known now: the next page says it at once.
    assert "None of your providers runs this kind" in advice(browser.get(f"/module/{module.slug}?hardware=gpu"))
    assert len(wire.calls) == 1


def test_silent_services_are_said_and_stop_nothing(browser: Client, owner: User, wire: responses.RequestsMock) -> None:
    wire.add(responses.GET, f"{SLAM}/rest/slam/preferences/indigo-dc", status=503)
    answer = browser.get("/preflight/providers?kind=MARATHON&gpus=x")
    assert answer.status_code == 200
    assert "Providers are not known right now" in words(answer)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("hardware=gpu&docker_tag=gpu", "Tag gpu exists and fits GPU"),
        ("hardware=gpu&docker_tag=cpu", "Tag cpu is made for CPU, but GPU is chosen"),
        ("docker_tag=latest", "Tag latest exists"),
        ("run=jupyterlab", "JupyterLab password is missing"),
    ],
)
def test_tag_and_password(browser: Client, module: Module, query: str, said: str) -> None:
    assert said in advice(browser.get(f"/module/{module.slug}?{query}"))


def test_a_short_password_is_told_before_it_is_sent(browser: Client, module: Module) -> None:
    page = shown(browser.get(f"/module/{module.slug}?run=jupyterlab"))
    answer = browser.post(f"/module/{module.slug}", {**page, "in-jupyter_password": "short", "action": "apply"})
    assert "JupyterLab password: Use at least 9 characters; this has 5." in advice(answer)
    answer = browser.post(f"/module/{module.slug}", {**page, "in-jupyter_password": "long-enough", "action": "apply"})
    assert "JupyterLab password keeps to the rules" in advice(answer)


def test_what_one_holds_is_told_when_gpus_are_wanted(browser: Client, owner: User, module: Module) -> None:
    make_deployment(owner, num_gpus=2)
    make_deployment(owner, num_gpus=1, status=Status.CREATE_IN_PROGRESS)
    make_deployment(owner, num_gpus=4, status=Status.GONE)
    make_deployment(make_user("ben"), num_gpus=8)
    assert "You hold 3 GPUs already, in 2 deployments" in advice(browser.get(f"/module/{module.slug}?hardware=gpu"))
    assert "You hold" not in advice(browser.get(f"/module/{module.slug}?hardware=cpu"))


def storage(owner: User, **fields: Any) -> StorageAccount:
    values = {"label": "My cloud", "url": "https://cloud.example.org/", "user_name": "ada", "password": "x"}
    return StorageAccount.objects.create(owner=owner, **(values | fields))


def test_storage_is_signed_in_to_after_the_page_and_not_again_for_an_hour(
    browser: Client, owner: User, wire: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deepdash.guard.resolve", lambda host, port: ["93.184.216.34"])
    inputs = "    rclone_url: {type: string, default: ''}\n    rclone_user: {type: string, default: ''}\n"
    raw = RAW.replace(
        "  node_templates:", f"{inputs}    rclone_password: {{type: string, default: ''}}\n  node_templates:"
    )
    module = make_module(templates=(make_template(raw, path="own.yml"),))
    mine = storage(owner)
    wire.add(responses.Response("PROPFIND", "https://cloud.example.org/", status=401))
    page = browser.get(f"/module/{module.slug}")
    assert f'hx-get="/preflight/storage/{mine.pk}"' in page.content.decode()
    for _ in range(2):
        assert "My cloud: It refuses this user or password" in words(browser.get(f"/preflight/storage/{mine.pk}"))
    assert len(wire.calls) == 1
    assert "My cloud: It refuses this user or password" in advice(browser.get(f"/module/{module.slug}"))


def test_somebody_elses_storage_is_not_tried(browser: Client, owner: User, wire: responses.RequestsMock) -> None:
    theirs = storage(make_user("ben"))
    assert browser.get(f"/preflight/storage/{theirs.pk}").status_code == 404
    assert not wire.calls


def test_the_form_takes_few_statements(
    browser: Client, owner: User, module: Module, django_assert_max_num_queries: Any
) -> None:
    storage(owner)
    make_deployment(owner, module_slug=module.slug, num_gpus=1)
    with django_assert_max_num_queries(10):
        browser.get(f"/module/{module.slug}?hardware=gpu")
