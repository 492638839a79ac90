from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone

from accounts.models import KeptForm, Token
from accounts.tasks import forget_expired
from accounts.testing import give_token, make_user
from accounts.tests.conftest import FakeIam

pytestmark = pytest.mark.django_db


def test_what_has_run_out_goes_and_the_rest_stays(iam: FakeIam) -> None:
    now = timezone.now()
    for key, days in (("old", -1), ("new", 1)):
        Session.objects.create(session_key=key, session_data="", expire_date=now + timedelta(days=days))
    for key, hours in (("past", 2), ("present", 0)):
        KeptForm.objects.create(key=key, path="/x", data="a=b")
        KeptForm.objects.filter(key=key).update(created_at=now - timedelta(hours=hours))
    ada, gone, refused, away = (make_user(name) for name in ("ada", "gone", "refused", "away"))
    for user in (ada, gone, refused, away):
        give_token(user, refresh=f"of-{user.subject}")
    gone.is_active = False
    gone.save()
    Token.objects.filter(user=refused).update(access_token="", refresh_token="", expires_at=None)
    Token.objects.filter(user=away).update(refreshed_at=now - timedelta(days=61))

    forget_expired()

    assert [session.session_key for session in Session.objects.all()] == ["new"]
    assert [form.key for form in KeptForm.objects.all()] == ["present"]
    assert [token.user for token in Token.objects.all()] == [ada]
    assert [form["token"] for name, form in iam.calls if name == "revoke"] == ["of-sub-gone"]
