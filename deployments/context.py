"""What every page shows of deployments."""

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from deployments.home_kept import home_strips
from deployments.models import Notice


def bell(request: HttpRequest) -> dict[str, Any]:
    """``unread_notices``: how many; counted only where a template asks for it, so that fragments don't."""
    user = getattr(request, "user", None)
    return {"unread_notices": SimpleLazyObject(lambda: Notice.objects.of(user).unread().count())}


def strips(request: HttpRequest) -> dict[str, Any]:
    """``home_strips``: what the home page says of one's own deployments, asked for by that page alone."""
    return {"home_strips": SimpleLazyObject(lambda: home_strips(request))}
