"""Storage accounts: kept encrypted, tested through the guard, chosen in the form."""

import json
from base64 import b64decode, urlsafe_b64decode
from typing import Any

import pytest
import responses
from django.db import connection
from django.test import Client
from django.utils import translation
from lxml import html

from accounts.models import User
from accounts.testing import give_token, make_user
from catalog.models import Module
from catalog.testing import make_module, make_template
from deployments.clients import webdav
from deployments.models import Deployment, StorageAccount
from deployments.preflight import storage_advice
from deployments.storage.obscure import obscure, obscured_once
from deployments.storage.services import storage_account_test
from deployments.testing import make_deployment, upstream
from deployments.tests.conftest import ORCHESTRATOR
from deployments.tests.test_configure import sent, shown, words

CLOUD = "https://cloud.example.org/remote.php/dav/files/ada/"
PASSWORD = "fuchsia-app-password"
RAW = """\
tosca_definitions_version: tosca_simple_yaml_1_0
topology_template:
  inputs:
    docker_image: {type: string}
    rclone_conf: {type: string, default: /srv/.rclone/rclone.conf}
    rclone_url: {type: string, default: "https://default.example.org/"}
    rclone_vendor: {type: string, default: nextcloud}
    rclone_user: {type: string, default: ""}
    rclone_password: {type: string, default: ""}
  node_templates:
    app:
      type: tosca.nodes.indigo.Container.Application.Docker.Marathon
      properties:
        environment_variables:
          PASSWORD_VARIABLE: { get_input: rclone_password }
"""
OBSCURED = RAW.replace("PASSWORD_VARIABLE", "RCLONE_CONFIG_RSHARE_PASS")
ANSWER = '<?xml version="1.0"?><multistatus xmlns="DAV:"></multistatus>'


@pytest.fixture
def module(db: None) -> Module:
    return make_module(templates=(make_template(RAW, path="own.yml", display_name="Own"),))


@pytest.fixture(autouse=True)
def _public(monkeypatch: pytest.MonkeyPatch) -> None:
    """The names of these tests have a public address; nothing is ever connected to it."""
    monkeypatch.setattr("deepdash.guard.resolve", lambda host, port: ["93.184.216.34"])


def account(owner: User, **fields: Any) -> StorageAccount:
    values: dict[str, Any] = {"label": "My cloud", "url": CLOUD, "user_name": "ada", "password": PASSWORD}
    return StorageAccount.objects.create(owner=owner, **(values | fields))


def propfind(wire: responses.RequestsMock, **answer: Any) -> None:
    values: dict[str, Any] = {"status": 207, "body": ANSWER} | answer
    wire.add(responses.Response("PROPFIND", CLOUD, **values))


def typed(**changes: str) -> dict[str, str]:
    values = {"label": "My cloud", "url": CLOUD, "vendor": "nextcloud", "user_name": "ada", "password": PASSWORD}
    return values | {"send_as": "auto"} | changes


# -- Obscured passwords -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("password", "known"),  # as rclone 1.60 wrote them
    [
        ("", "NDv5QeOOeK63dW7GIrq2DQ"),
        ("potato", "R-JLPAwZYVIYK49Dd6YTWZnPIC2mXQ"),
        ("päss wörd ☂", "7s444X-EQKynKH9TCBuV0EUDtpfw8uEA399Qv_Xuwg"),
        (
            "a-long-password-of-more-than-sixteen-bytes",
            "hp3a8Cgt3KviiqlrLWktAIlsQwBmVUDC0EXiHJTv68KQVZXpW1tvdTYA_M2qJFuOYIcM6r-cjFUFuQ",
        ),
    ],
)
def test_a_password_is_obscured_as_rclone_does(password: str, known: str) -> None:
    iv = urlsafe_b64decode(known + "=" * (-len(known) % 4))[:16]
    assert obscure(password, iv=iv) == known


def test_the_same_password_is_obscured_differently_each_time() -> None:
    assert obscure("potato") != obscure("potato")


# -- Saving and testing -----------------------------------------------------------------------------------


def test_that_storage_is_linked_shows_on_the_home_page_at_once(
    browser: Client, owner: User, wire: responses.RequestsMock
) -> None:
    propfind(wire)
    to_do = '<a class="name" href="/storage">Link your storage</a>'
    assert to_do in browser.get("/").content.decode()
    browser.post("/storage", typed())
    assert to_do not in browser.get("/").content.decode()
    browser.post(f"/storage/{owner.storage_accounts.get().pk}/delete")
    assert to_do in browser.get("/").content.decode()


def test_an_account_is_saved_encrypted_and_tested(browser: Client, owner: User, wire: responses.RequestsMock) -> None:
    propfind(wire)
    answer = browser.post("/storage", typed(), follow=True)
    assert "“My cloud” is saved. It accepts the sign-in." in words(answer)
    assert PASSWORD not in answer.content.decode()
    request = wire.calls[0].request
    assert b64decode(request.headers["Authorization"].removeprefix("Basic ")) == f"ada:{PASSWORD}".encode()
    assert request.headers["Depth"] == "0"
    with connection.cursor() as cursor:
        cursor.execute("select password from deployments_storageaccount")
        assert PASSWORD not in str(cursor.fetchall())
    saved = StorageAccount.objects.get()
    assert (saved.password, saved.answers, saved.owner) == (PASSWORD, True, owner)


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        ({"status": 401}, "It refuses this user or password"),
        ({"status": 404}, "There is no WebDAV folder at this address"),
        ({"status": 405}, "There is no WebDAV folder at this address"),
        ({"status": 200, "body": "<html>welcome</html>"}, "There is no WebDAV folder at this address"),
        ({"status": 302, "headers": {"Location": "https://evil.example.org/"}}, "It redirects elsewhere"),
        ({"status": 503}, "It can’t be reached just now"),
        ({"body": "x" * 300_000}, "It can’t be reached just now"),
    ],
)
def test_what_a_storage_says_is_told_in_words_and_the_account_kept(
    browser: Client, owner: User, wire: responses.RequestsMock, reply: dict[str, Any], said: str
) -> None:
    propfind(wire, **reply)
    assert said in words(browser.post("/storage", typed(), follow=True))
    assert StorageAccount.objects.get().answers is not True
    assert len(wire.calls) == 1  # no redirect is followed with a password


def test_a_storage_inside_is_not_called(
    browser: Client, owner: User, wire: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = account(owner, url="https://169.254.169.254/latest/")
    wire.stop()  # the guard itself is meant to refuse
    monkeypatch.setattr("deepdash.guard.resolve", lambda host, port: [host])
    answer = browser.post(f"/storage/{mine.pk}/test", follow=True)
    wire.start()
    assert "In a network that this dashboard may not reach" in words(answer)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://cloud.example.org/dav", "Use https://"),
        ("https://ada:secret@cloud.example.org/dav", "Write the address alone"),
        ("https://cloud.example.org/dav?x=1", "Write the address alone"),
        ("ftp://cloud.example.org", "beginning with https://"),
        ("javascript:alert(1)", "beginning with https://"),
        ("cloud.example.org", "beginning with https://"),
        ("https://[::1", "This is not a web address"),
    ],
)
def test_an_address_that_is_none_is_refused(
    browser: Client, owner: User, wire: responses.RequestsMock, url: str, said: str
) -> None:
    answer = browser.post("/storage", typed(url=url))
    assert answer.status_code == 422
    assert said in words(answer)
    assert not StorageAccount.objects.exists()
    assert not wire.calls


def test_changing_the_name_keeps_the_password(browser: Client, owner: User, wire: responses.RequestsMock) -> None:
    propfind(wire)
    mine = account(owner)
    page = browser.get(f"/storage/{mine.pk}")
    assert PASSWORD not in page.content.decode()
    browser.post(f"/storage/{mine.pk}", typed(label="Other name", password=""))
    mine.refresh_from_db()
    assert (mine.label, mine.password) == ("Other name", PASSWORD)


def test_deleting_asks_first(browser: Client, owner: User) -> None:
    mine = account(owner)
    assert "Delete “My cloud”?" in words(browser.get(f"/storage/{mine.pk}/delete"))
    assert StorageAccount.objects.exists()
    browser.post(f"/storage/{mine.pk}/delete")
    assert not StorageAccount.objects.exists()


def test_accounts_are_their_owners_alone(browser: Client, owner: User, wire: responses.RequestsMock) -> None:
    ben = make_user("ben")
    theirs = account(ben, label="Ben’s cloud")
    assert "Ben’s cloud" not in words(browser.get("/storage"))
    for path in (f"/storage/{theirs.pk}", f"/storage/{theirs.pk}/delete", f"/storage/{theirs.pk}/test"):
        assert browser.post(path, typed(label="Mine now")).status_code == 404
    theirs.refresh_from_db()
    assert theirs.label == "Ben’s cloud"
    assert not wire.calls


def test_one_that_is_deleted_while_it_is_tested_stays_deleted(
    browser: Client, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = account(owner)
    monkeypatch.setattr(webdav, "sign_in", lambda *_: StorageAccount.objects.all().delete())
    assert browser.post(f"/storage/{mine.pk}/test").status_code == 302
    assert not StorageAccount.objects.exists()


def test_too_many_tests_are_refused(browser: Client, owner: User, wire: responses.RequestsMock) -> None:
    propfind(wire)
    mine = account(owner)
    statuses = [browser.post(f"/storage/{mine.pk}/test").status_code for _ in range(21)]
    assert statuses[:20] == [302] * 20
    assert statuses[20] == 429


# -- In the form ------------------------------------------------------------------------------------------


def deploy(client: Client, module: Module, wire: responses.RequestsMock, owner: User, **values: str) -> dict[str, Any]:
    page = shown(client.get(f"/module/{module.slug}"))
    wire.add(responses.POST, f"{ORCHESTRATOR}/deployments", json=upstream(owner=owner), status=201)
    answer = client.post(f"/module/{module.slug}", {**page, **values, "action": "deploy"})
    assert answer.status_code == 302, words(answer)
    parameters: dict[str, Any] = sent(wire)["parameters"]
    return parameters


def test_the_chosen_account_fills_in_what_rclone_needs(
    browser: Client, owner: User, module: Module, wire: responses.RequestsMock
) -> None:
    mine = account(owner, vendor="owncloud")
    page = browser.get(f"/module/{module.slug}")
    assert shown(page)["storage"] == mine.key
    assert "in-rclone_url" not in shown(page)
    assert PASSWORD not in page.content.decode()
    parameters = deploy(browser, module, wire, owner)
    assert {name: parameters[name] for name in parameters if name != "docker_image"} == {
        "rclone_conf": "/srv/.rclone/rclone.conf", "rclone_url": CLOUD, "rclone_vendor": "owncloud",
        "rclone_user": "ada", "rclone_password": PASSWORD,
    }  # fmt: skip
    made = Deployment.objects.get()
    assert (made.storage, made.secret_inputs) == (mine.key, ["rclone_password"])
    assert PASSWORD not in json.dumps(made.inputs)
    mine.refresh_from_db()
    assert mine.used_at is not None


@pytest.mark.parametrize(
    ("raw", "send_as", "is_obscured"),
    [
        (RAW, "auto", False),
        (OBSCURED, "auto", True),
        (RAW.replace("rclone_password: {", "rclone_password: {description: made by rclone obscure, "), "auto", True),
        (RAW, "obscured", True),
        (OBSCURED, "plain", False),
    ],
)  # fmt: skip
def test_the_password_is_obscured_where_the_template_wants_that(
    browser: Client, owner: User, wire: responses.RequestsMock, raw: str, send_as: str, is_obscured: bool
) -> None:
    module = make_module(templates=(make_template(raw, path="own.yml"),))
    account(owner, send_as=send_as)
    password = deploy(browser, module, wire, owner)["rclone_password"]
    if not is_obscured:
        assert password == PASSWORD
    else:
        iv = urlsafe_b64decode(password + "=" * (-len(password) % 4))[:16]
        assert obscure(PASSWORD, iv=iv) == password


@pytest.mark.parametrize(
    ("raw", "typed", "sent"),
    [
        (RAW, PASSWORD, PASSWORD),
        (OBSCURED, PASSWORD, "obscured"),
        (OBSCURED, obscure(PASSWORD, iv=bytes(16)), obscure(PASSWORD, iv=bytes(16))),
        (OBSCURED, "", ""),
    ],
)
def test_a_password_typed_by_hand_is_obscured_once_where_the_template_wants_that(
    browser: Client, owner: User, wire: responses.RequestsMock, raw: str, typed: str, sent: str
) -> None:
    module = make_module(templates=(make_template(raw, path="own.yml"),))
    page = shown(browser.get(f"/module/{module.slug}?storage=hand"))
    password = deploy(browser, module, wire, owner, **(page | {"in-rclone_password": typed})).get("rclone_password", "")
    if sent == "obscured":
        iv = urlsafe_b64decode(password + "=" * (-len(password) % 4))[:16]
        sent = obscure(PASSWORD, iv=iv)
    assert password == sent


@pytest.mark.parametrize(
    ("typed", "left"),
    [
        (obscure("a-password"), True),
        (obscure("päss wörd ☂"), True),
        ("kT3fX-9dQbM-2sWzC-7pLrA-x4NvE", False),  # as Nextcloud makes app passwords
        ("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", False),
        ("short", False),
        ("with spaces, and more of them", False),
    ],
    ids=["obscured", "obscured, not ASCII", "dashes", "letters", "short", "spaces"],  # obscured anew each time
)
def test_what_is_obscured_already_is_told_by_what_is_under_it(typed: str, left: bool) -> None:
    assert (obscured_once(typed) == typed) is left


def test_none_sends_nothing_for_storage(
    browser: Client, owner: User, module: Module, wire: responses.RequestsMock
) -> None:
    account(owner)
    parameters = deploy(browser, module, wire, owner, storage="none")
    assert sorted(parameters) == ["docker_image", "rclone_conf"]
    assert Deployment.objects.get().storage == "none"


def test_by_hand_begins_with_the_templates_values_and_loses_nothing_typed(
    browser: Client, owner: User, module: Module, wire: responses.RequestsMock
) -> None:
    mine = account(owner)
    address = f"/module/{module.slug}"
    page = shown(browser.get(address))
    by_hand = shown(browser.post(address, {**page, "storage": "hand", "action": "apply"}))
    assert by_hand["in-rclone_url"] == "https://default.example.org/"
    own = {**by_hand, "in-rclone_url": "https://mine.example.org/", "in-rclone_password": "typed-by-hand"}
    away = shown(browser.post(address, {**own, "storage": mine.key, "action": "apply"}))
    back = shown(browser.post(address, {**away, "storage": "hand", "action": "apply"}))
    assert (back["in-rclone_url"], back["in-rclone_password"]) == ("https://mine.example.org/", "typed-by-hand")
    assert deploy(browser, module, wire, owner, **back)["rclone_password"] == "typed-by-hand"


def test_an_account_of_somebody_else_or_gone_can_not_be_chosen(
    browser: Client, owner: User, module: Module, wire: responses.RequestsMock
) -> None:
    theirs = account(make_user("ben"), password="password-of-ben")
    page = shown(browser.get(f"/module/{module.slug}"))
    answer = browser.post(f"/module/{module.slug}", {**page, "storage": theirs.key, "action": "deploy"})
    assert answer.status_code == 422
    assert "This storage account is gone" in words(answer)
    assert not wire.calls


def test_a_clone_chooses_the_same_account_and_asks_for_no_password(
    browser: Client, owner: User, module: Module
) -> None:
    account(owner, label="Used more", url="https://other.example.org/")
    mine = account(owner)
    made = make_deployment(
        owner, module_slug=module.slug, storage=mine.key, secret_inputs=["rclone_password"],
        inputs={"rclone_url": CLOUD, "rclone_user": "ada"}, choices={"toscaname": "own"},
    )  # fmt: skip
    page = browser.get(f"/module/{module.slug}?from={made.uuid}")
    assert shown(page)["storage"] == mine.key
    assert "Type again" not in words(page)
    mine.delete()
    page = browser.get(f"/module/{module.slug}?from={made.uuid}")
    assert "The storage account it had is gone" in words(page)


def test_a_link_with_values_never_hands_over_the_users_storage(browser: Client, owner: User, module: Module) -> None:
    account(owner)
    page = browser.get(f"/module/{module.slug}?in-rclone_url=https://evil.example.org/&storage=account-1")
    assert shown(page)["storage"] == "hand"


def test_a_template_without_storage_asks_for_none(browser: Client, owner: User) -> None:
    account(owner)
    plain = RAW.replace("rclone_password: {", "other: {").replace("get_input: rclone_password", "get_input: other")
    module = make_module(templates=(make_template(plain, path="own.yml"),))
    page = browser.get(f"/module/{module.slug}")
    assert "storage" not in shown(page)
    assert "in-rclone_url" in shown(page)


def test_storage_that_a_template_insists_on_can_not_be_left_out(browser: Client, owner: User) -> None:
    strict = RAW.replace('rclone_user: {type: string, default: ""}', "rclone_user: {type: string}")
    module = make_module(templates=(make_template(strict, path="own.yml"),))
    page = html.fromstring(browser.get(f"/module/{module.slug}").content.decode())
    assert page.xpath("//select[@name='storage']/option/@value") == ["hand"]


def test_the_password_is_in_no_page_of_the_form(
    browser: Client, owner: User, module: Module, wire: responses.RequestsMock
) -> None:
    account(owner)
    page = shown(browser.get(f"/module/{module.slug}"))
    for action in ("apply", "review", "save-preset"):
        answer = browser.post(f"/module/{module.slug}", {**page, "action": action, "preset_name": "x"})
        assert PASSWORD not in answer.content.decode()
    assert "ada" in words(answer)


def test_a_signed_out_visitor_sees_no_account(db: None) -> None:
    give_token(make_user("ada"))
    assert Client().get("/storage")["Location"].startswith("/login")


def test_what_a_test_said_is_told_in_the_language_of_whoever_reads_it(wire: responses.RequestsMock, db: None) -> None:
    mine = account(make_user())
    propfind(wire, status=401, body="")
    with translation.override("it"):
        storage_account_test(account=mine)
    mine.refresh_from_db()
    assert (mine.note, mine.said) == ("It refuses this user or password",) * 2
    with translation.override("es"):
        assert mine.said == storage_advice(mine).text.partition(": ")[2] == "Rechaza este usuario o esta contraseña"
