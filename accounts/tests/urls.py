"""The whole site, and a few views that stand for the kinds of pages there are."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path

from accounts.kept import keeps_form, owner_field, take_form
from accounts.models import User
from accounts.tokens import LoginExpired, access_token_for
from deepdash.http import Unauthorized
from deepdash.urls import urlpatterns as site


def page(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"page of {request.user}")


@login_not_required
def public(request: HttpRequest) -> HttpResponse:
    return HttpResponse("for everybody")


@keeps_form
def form(request: HttpRequest) -> HttpResponse:
    """A page with a form: its owner field and what was brought back; a POST needs the user's token."""
    assert isinstance(request.user, User)
    if request.method == "POST":
        if request.POST.get("service") == "refuses":
            raise Unauthorized("login:expired", service="Orchestrator")
        access_token_for(request.user)
        return HttpResponse("sent")
    kept = take_form(request, path=request.path)
    return JsonResponse({"owner": owner_field(request.user), "kept": kept and kept.dict()})


def expired(request: HttpRequest) -> HttpResponse:
    raise LoginExpired


def token(request: HttpRequest) -> HttpResponse:
    assert isinstance(request.user, User)
    access_token_for(request.user)
    return HttpResponse("has a token")


urlpatterns = [
    path("trial/page", page),
    path("trial/public", public),
    path("trial/form/Größe", form),
    path("trial/expired", expired),
    path("trial/token", token),
    *site,
]
