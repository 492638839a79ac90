"""The strips of the home page as they were drawn last, so that the page has them at once and nothing in it moves."""

from typing import NamedTuple

from django.core.cache import cache
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from deepdash.types import Request
from deployments.home import home
from deployments.views.common import signed_in

KEPT = 60  # seconds; what is older has often changed, and all below it would move when the new one comes


class Strips(NamedTuple):
    """``fresh`` ones were drawn for this page; others it asks for anew when it is there."""

    drawn: SafeString
    fresh: bool


def home_kept(request: Request) -> Strips:
    """The user's strips, up to a minute old. No forms may be in them."""
    kept: SafeString | None = cache.get(_key(request))
    return Strips(home_drawn(request), fresh=True) if kept is None else Strips(kept, fresh=False)


def home_drawn(request: Request) -> SafeString:
    """The user's strips as they are now."""
    drawn = render_to_string("deployments/_home_strips.html", {"home": home(signed_in(request))}, request)
    cache.set(_key(request), drawn, KEPT)
    return drawn


def _key(request: Request) -> str:
    zone = timezone.get_current_timezone_name().replace(" ", "")
    return f"deployments:home:{signed_in(request).pk}:{get_language()}:{zone}"
