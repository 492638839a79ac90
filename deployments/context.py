"""What every page shows of deployments."""

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from deployments.models import Notice


def bell(request: HttpRequest) -> dict[str, Any]:
    """``unread_notices``: how many; counted only where a template asks for it, so that fragments don't."""
    user = getattr(request, "user", None)
    return {"unread_notices": SimpleLazyObject(lambda: Notice.objects.of(user).unread().count())}
