"""What the user has used."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from deepdash.types import Request
from deployments.usage import usage_of
from deployments.views.common import signed_in


@never_cache
@require_safe
def usage(request: Request) -> HttpResponse:
    """The page, from the database alone."""
    return render(request, "deployments/usage.html", {"nav": "usage", "usage": usage_of(signed_in(request))})
