"""Error pages, health and figures."""

import hmac
import sys

from django.contrib.auth.decorators import login_not_required
from django.db import InterfaceError, OperationalError, connection
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from deepdash.addresses import is_loopback
from deepdash.config import config
from deepdash.context import site
from deepdash.design import SAMPLE_BARS, SAMPLE_CHART, colours, sample_form, sizes, symbols
from deepdash.errors import Problem
from deepdash.glossary import WORDS
from deepdash.metrics import exposition
from deepdash.queue import is_worked, queue_length


def _problem_page(request: HttpRequest, id: str) -> HttpResponse:
    problem = Problem(id)
    return render(request, "errors/problem.html", {"problem": problem}, status=problem.status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _problem_page(request, "page:bad-request")


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _problem_page(request, "page:denied")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _problem_page(request, "page:missing")


def server_error(request: HttpRequest) -> HttpResponse:
    """For whatever no view dealt with. Without the database a page can name neither its reader nor what it is about."""
    if isinstance(sys.exception(), OperationalError | InterfaceError):
        return _away(request)
    return _problem_page(request, "page:broken")


def _away(request: HttpRequest) -> HttpResponse:
    """Needs no database, so it is made without the context processors. A fragment stays what it was, and asks again."""
    context = {"problem": Problem("page:away"), "away": True, **site(request)}
    page = render_to_string("errors/problem.html", context)
    headers = {"Retry-After": "10", "Cache-Control": "no-store"}
    return HttpResponse(page, status=context["problem"].status, headers=headers)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return _problem_page(request, "page:forgery")


@login_not_required
@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """Alive: this process answers."""
    return HttpResponse("ok\n", content_type="text/plain")


@login_not_required
@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Ready: the database answers, else 503. ``down`` also names what pages can do without for a while:

    ``cache`` and ``queue`` (Redis), ``worker`` (neither beat nor a worker has been heard of for minutes).
    """
    down = []
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Exception:  # whatever the driver raises, the answer is the same: not ready
        down.append("database")
    ready = not down
    state: dict[str, object] = {"ready": ready, "down": down}
    if config.REDIS_URL:
        state["queued"] = queue_length()
        if state["queued"] is None:
            down += ["cache", "queue"]
        elif not is_worked():
            down.append("worker")
    return JsonResponse(state, status=200 if ready else 503)


@login_not_required
@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Figures for Prometheus: for who knows METRICS_TOKEN, or, without one, for direct callers on this machine."""
    if not _may_read_metrics(request):
        raise Http404
    return HttpResponse(exposition(), content_type="text/plain; version=0.0.4; charset=utf-8")


def _may_read_metrics(request: HttpRequest) -> bool:
    token = config.METRICS_TOKEN.get_secret_value()
    if token:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return hmac.compare_digest(given.encode(), token.encode())
    # Behind a proxy on this machine everybody seems to call from here, hence the second condition.
    return is_loopback(request.META.get("REMOTE_ADDR") or "") and "X-Forwarded-For" not in request.headers


@never_cache
@require_safe
def design(request: HttpRequest) -> HttpResponse:
    """The parts that pages are made of, for staff."""
    if not request.user.is_staff:
        raise Problem("page:denied")
    tones = {"busy": "info", "ok": "ok", "warn": "alert", "bad": "fail"}
    says = {
        "busy": "Something is under way, or worth knowing.",
        "ok": "It worked.",
        "warn": "It works, but look at this.",
        "bad": "It did not work; here is what to do.",
    }
    context = {
        "colours": colours(), "sizes": sizes(), "symbols": symbols(), "words": WORDS, "form": sample_form(),
        "chart": SAMPLE_CHART, "bars": SAMPLE_BARS,
        "banners": [(tone, icon, says[tone]) for tone, icon in tones.items()],
        "problem": Problem("service:fault", service="The orchestrator", detail="503: try later"),
    }  # fmt: skip
    return render(request, "design.html", context)
