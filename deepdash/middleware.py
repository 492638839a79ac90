"""Middleware of the whole site."""

import re
import time
import uuid
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers

from deepdash.errors import Problem
from deepdash.logs import request_id as current_request_id
from deepdash.metrics import Counted, Timed

GetResponse = Callable[[HttpRequest], HttpResponse]
REQUESTS = Counted("requests_total", "Requests answered.")
DURATIONS = Timed("request_seconds", "How long answers took.")
_ID_FROM_PROXY = re.compile(r"[\w.-]{8,64}")


def request_id(get_response: GetResponse) -> GetResponse:
    """Gives each request an id (a proxy's ``X-Request-ID`` if it is harmless), for logs, pages and the answer."""

    def middleware(request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        id = given if _ID_FROM_PROXY.fullmatch(given) else uuid.uuid4().hex[:12]
        request.deepdash_id = id  # type: ignore[attr-defined]
        marker = current_request_id.set(id)
        try:
            response = get_response(request)
        finally:
            current_request_id.reset(marker)
        response.headers["X-Request-ID"] = id
        return response

    return middleware


def measure(get_response: GetResponse) -> GetResponse:
    """Counts each request and its time, by the name of its view (never by its address: those are endless)."""

    def middleware(request: HttpRequest) -> HttpResponse:
        started = time.monotonic()
        response = get_response(request)
        match = request.resolver_match
        static = request.path.startswith(settings.STATIC_URL)
        view = match.view_name or "unnamed" if match else "static" if static else "none"
        method = request.method if request.method in {"GET", "HEAD", "POST"} else "other"
        REQUESTS.add(method=str(method), view=view, status=str(response.status_code))
        DURATIONS.observe(time.monotonic() - started, view=view)
        return response

    return middleware


def headers_alone(get_response: GetResponse) -> GetResponse:
    """An answer to HEAD has no body: gunicorn would drop it, and write a warning for each."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if request.method == "HEAD" and not response.streaming:
            response.headers.setdefault("Content-Length", str(len(response.content)))
            response.content = b""
        return response

    return middleware


def permissions_policy(get_response: GetResponse) -> GetResponse:
    """No page, and nothing a page might ever embed, may use cameras, places or the like: none needs them."""
    features = "accelerometer camera display-capture geolocation gyroscope magnetometer microphone midi payment usb"
    nothing = ", ".join(f"{name}=()" for name in features.split())

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers.setdefault("Permissions-Policy", nothing)
        return response

    return middleware


class ProblemMiddleware:
    """A Problem that no view dealt with becomes an error page, or an error fragment for htmx."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        # A page and its fragment share one address; caches must not mix them up, and private pages stay private.
        patch_vary_headers(response, ["HX-Request"])
        if "Cache-Control" not in response.headers and request.user.is_authenticated:
            response.headers["Cache-Control"] = "private, no-store"
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, Problem):
            return None
        template = "errors/_problem.html" if request.headers.get("HX-Request") else "errors/problem.html"
        # htmx does not swap error answers in; a fragment that only says what is wrong is a good answer to it.
        status = 200 if template == "errors/_problem.html" else exception.status
        response = render(request, template, {"problem": exception}, status=status)
        if exception.id == "page:busy":
            response.headers["Retry-After"] = str(exception.facts["seconds"])
        return response
