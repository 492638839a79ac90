"""Error pages and health."""

from django.contrib.auth.decorators import login_not_required
from django.core.cache import cache
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from deepdash.errors import Problem


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
    return _problem_page(request, "page:broken")


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
    """Ready: database and cache answer. 503 names what does not."""
    down = []
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Exception:  # whatever the driver raises, the answer is the same: not ready
        down.append("database")
    try:
        cache.get("readyz")
    except Exception:  # as above
        down.append("cache")
    return JsonResponse({"ready": not down, "down": down}, status=503 if down else 200)
