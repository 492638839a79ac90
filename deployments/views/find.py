"""Going anywhere by a few letters: a page, and what the dialog under Ctrl+K shows."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from deepdash.types import Request
from deployments.find import MAX_LETTERS, find_all
from deployments.views.common import signed_in


@never_cache
@require_safe
def find(request: Request) -> HttpResponse:
    """``q``: the letters. For htmx the finds alone."""
    text = request.GET.get("q", "")
    template = "deployments/_found.html" if request.htmx else "deployments/find.html"
    context = {"text": text.strip(), "groups": find_all(signed_in(request), text), "most": MAX_LETTERS}
    return render(request, template, context)
