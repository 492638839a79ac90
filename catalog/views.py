"""The public pages of the catalogue: all modules, and one module."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse


@login_not_required
def home(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


@login_not_required
def module(request: HttpRequest, slug: str) -> HttpResponse:
    return HttpResponse()


@login_not_required
def metadata(request: HttpRequest, slug: str) -> HttpResponse:
    return HttpResponse()
