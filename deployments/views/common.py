"""What the pages of deployments share."""

from collections.abc import Callable
from hashlib import blake2s
from typing import Any, TypeVar

from django.http import Http404, HttpResponse
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from accounts.models import User
from accounts.tokens import LoginExpired
from deepdash.errors import Problem
from deepdash.http import ServiceError
from deepdash.types import Request
from deployments.models import Deployment

Told = TypeVar("Told")
Default = TypeVar("Default")
STOP_POLLING = 286  # htmx: swap this answer in and don't ask again
MOVING, RETRY = 3, 20  # seconds until the next look: something is in motion, or a service is in trouble


def signed_in(request: Request) -> User:
    assert isinstance(request.user, User)  # the login middleware lets nobody else through
    return request.user


def find(request: Request, reference: str, *related: str) -> Deployment:
    """The user's deployment of that identifier, with what is ``related`` read in the same statement.

    Raises Http404: others' are not known here.
    """
    mine = Deployment.objects.visible_to(request.user).by_reference(reference)
    found = (mine.select_related(*related) if related else mine).first()
    if found is None:
        raise Http404
    return found


def attempt(call: Callable[[], Any]) -> Problem | None:
    """Make a call to the outside whose failure a page can live with; returns what went wrong."""
    return ask(call, None)[1]


def ask(call: Callable[[], Told], otherwise: Default) -> tuple[Told | Default, Problem | None]:
    """As ``attempt``; returns the answer too, or when there is none, what is to be taken for it.

    An ended login is not for the page: it passes on to the login middleware.
    """
    try:
        return call(), None
    except LoginExpired:
        raise
    except Problem as problem:
        return otherwise, problem


def is_down(problem: Problem | None) -> bool:
    """Whether a service is in trouble, so that it is worth asking again."""
    return isinstance(problem, ServiceError) and problem.unavailable


def frame(
    request: Request, template: str, context: dict[str, Any], *, address: str = "", trigger: str = ""
) -> tuple[SafeString, str]:
    """A part of a page that asks for its successor at ``address`` when ``trigger`` says so; without one it is final.

    Returns the part and its digest.
    """
    body = render_to_string(template, context, request)
    digest = blake2s(f"{trigger} {address}\0{body}".encode(), digest_size=8).hexdigest()
    parts = {"body": body, "address": address, "trigger": trigger, "digest": digest}
    return render_to_string("deployments/_live.html", parts, request), digest


def live(request: Request, template: str, context: dict[str, Any], *, address: str, trigger: str) -> HttpResponse:
    """The answer to a part that asked for its successor.

    When nothing differs from what the browser shows (its digest is in the address), the answer is empty, so that an
    opened detail stays open and the focus where it is. The last part stops the polling.
    """
    content, digest = frame(request, template, context, address=address, trigger=trigger)
    if trigger and request.GET.get("known") == digest:
        return HttpResponse(status=204)
    return HttpResponse(content, status=200 if trigger else STOP_POLLING)


def download(text: str, name: str) -> HttpResponse:
    """The text as a file of that name."""
    response = HttpResponse(text, content_type="text/plain; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
