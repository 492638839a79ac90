"""The strips of the home page, kept drawn for as long as nothing in them changes, and some seconds at most."""

from collections.abc import Iterable

from django.core.cache import cache
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from accounts.models import User
from deployments.home import home

KEPT = 20  # seconds; probes and trainings that end change things here without a word


def home_strips(request: HttpRequest) -> SafeString:
    """The strips of who is signed in, in their language and time zone. No forms may be in them."""
    assert isinstance(request.user, User)  # the home page asks for nobody else's
    manner = (get_language(), timezone.get_current_timezone_name())
    kept = cache.get(_key(request.user.pk))
    if kept and kept[0] == manner:
        drawn: SafeString = kept[1]
        return drawn
    drawn = render_to_string("deployments/_home_strips.html", {"home": home(request.user)}, request)
    cache.set(_key(request.user.pk), (manner, drawn), KEPT)
    return drawn


def home_forget(users: Iterable[int]) -> None:
    """Have the strips of these users (primary keys) drawn anew: something was done, or seen to have changed."""
    cache.delete_many([_key(pk) for pk in set(users)])


def _key(user: int) -> str:
    return f"deployments:home:{user}"
