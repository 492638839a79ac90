"""What users set themselves."""

from datetime import UTC, datetime

import pytest
from django.http import HttpResponse
from django.test import Client

from accounts import preferences
from accounts.models import User
from accounts.preferences import PreferencesForm
from deepdash.templatetags.ui import ago


def test_zone_and_mails_are_saved(ada: User, browser: Client) -> None:
    assert "checked" in browser.get("/preferences").content.decode()
    assert browser.post("/preferences", {"timezone": "Pacific/Auckland"}).status_code == 302
    ada.refresh_from_db()
    assert (ada.timezone, ada.mail_notices) == ("Pacific/Auckland", False)


def test_the_list_of_zones_is_read_once_and_no_zone_costs_a_template(
    ada: User, browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser.get("/preferences")
    monkeypatch.setattr(preferences, "available_timezones", lambda: pytest.fail("read again"))
    User.objects.filter(pk=ada.pk).update(timezone="America/New_York")
    answer = browser.get("/preferences")
    assert '<option value="America/New_York" selected>America/New York</option>' in answer.text
    assert answer.text.count('<option value="America/') > 100
    assert len(answer.templates) < 60


def test_a_zone_that_does_not_exist_is_refused(ada: User, browser: Client) -> None:
    assert browser.post("/preferences", {"timezone": "../../etc/passwd"}).status_code == 422
    ada.refresh_from_db()
    assert ada.timezone == ""


def test_nothing_else_about_a_user_can_be_set_here(ada: User, browser: Client) -> None:
    browser.post("/preferences", {"timezone": "", "is_staff": "on", "email": "x@example.org", "groups": "[]"})
    ada.refresh_from_db()
    assert (ada.is_staff, ada.email, ada.groups) == (False, "ada@example.org", ["ml-users"])
    assert set(PreferencesForm.base_fields) == {"timezone", "language", "ssh_key", "mail_notices"}


def test_saving_them_leaves_alone_what_iam_has_said_meanwhile(ada: User) -> None:
    form = PreferencesForm({"timezone": "Asia/Tokyo"}, instance=User.objects.get())
    User.objects.update(groups=[], is_staff=True, seen_at=None)
    assert form.is_valid()
    form.save()
    ada.refresh_from_db()
    assert (ada.timezone, ada.groups, ada.is_staff, ada.seen_at) == ("Asia/Tokyo", [], True, None)


# Made for these tests; nobody logs in with them.
ED25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"


@pytest.mark.parametrize(
    ("typed", "saved"), [(f"{ED25519} ada@laptop", f"{ED25519} ada@laptop"), (f" {ED25519}\n", ED25519), ("", "")]
)
def test_a_public_ssh_key_is_saved_on_one_line(ada: User, browser: Client, typed: str, saved: str) -> None:
    assert browser.post("/preferences", {"ssh_key": typed}).status_code == 302
    ada.refresh_from_db()
    assert ada.ssh_key == saved


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n-----END OPENSSH PRIVATE KEY-----", "stays with you"),
        ("ssh-ed25519 AAAA", "not a public SSH key"),
        (ED25519.replace("ssh-ed25519", "ssh-rsa"), "not a public SSH key"),
        (ED25519.removeprefix("ssh-ed25519 "), "not a public SSH key"),
        (f"{ED25519}!", "not a public SSH key"),
    ],
)
def test_anything_else_is_no_key(ada: User, browser: Client, typed: str, said: str) -> None:
    answer = browser.post("/preferences", {"ssh_key": typed})
    assert answer.status_code == 422
    assert said in answer.content.decode()
    ada.refresh_from_db()
    assert ada.ssh_key == ""


@pytest.mark.parametrize(
    ("name", "shown"), [("Asia/Tokyo", "5 Mar 2020"), ("", "4 Mar 2020"), ("No/Where", "4 Mar 2020")]
)
def test_times_are_shown_in_the_users_zone(
    ada: User, browser: Client, name: str, shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada.timezone = name
    ada.save()
    late = datetime(2020, 3, 4, 20, tzinfo=UTC)
    said: list[str] = []

    def render(*args: object, **options: object) -> object:
        said.append(str(ago(late)))
        return HttpResponse("")

    monkeypatch.setattr("accounts.views.render", render)
    browser.get("/preferences")
    assert f">{shown}<" in said[0]
    assert "4 Mar 2020, 20:00 UTC" in said[0]
