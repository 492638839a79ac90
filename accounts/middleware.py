"""Signing in as the rule, and what happens to a page, a fragment or a form when the session has ended."""

from collections.abc import Callable
from typing import Any, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import Resolver404, resolve
from django.utils import timezone, translation
from django_htmx.http import HttpResponseClientRedirect

from accounts.kept import keep_form
from accounts.models import User
from accounts.oidc import denied
from accounts.paths import login_path, page_path, referring_page, safe_next
from accounts.tokens import LoginExpired
from accounts.users import GroupsMissing
from deepdash.config import config
from deepdash.http import Unauthorized


def language(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """The language the user has chosen, before the browser's, which Django's own middleware has found already."""

    def middleware(request: HttpRequest) -> HttpResponse:
        chosen = getattr(request.user, "language", "")
        if request.path_info.startswith("/admin/"):
            chosen = settings.LANGUAGE_CODE  # the administration is not translated: no mix with Django's own words
        if chosen and translation.check_for_language(chosen):
            translation.activate(chosen)  # until the next request, whose language is always set anew
            request.LANGUAGE_CODE = translation.get_language()
        return get_response(request)

    return middleware


def time_zone(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Dates and times in the zone the user has chosen."""

    def middleware(request: HttpRequest) -> HttpResponse:
        name = getattr(request.user, "timezone", "")
        try:
            zone = ZoneInfo(name) if name else None
        except (ValueError, OSError, ZoneInfoNotFoundError):  # a zone that the time zone database no longer has
            zone = None
        with timezone.override(zone):
            return get_response(request)

    return middleware


class LoginMiddleware(LoginRequiredMiddleware):
    """Every view needs a signed-in user who is in the required groups, unless marked ``@login_not_required``.

    Without one, a page request goes to the sign-in page and comes back; a fragment (htmx) makes the browser do the
    same with the page it is on; what a POST carries is kept when its view is marked ``@keeps_form``. The same
    happens when a view finds out that the user's tokens are no longer accepted.
    """

    def process_view(
        self,
        request: HttpRequest,
        view_func: Callable[..., Any],
        view_args: tuple[Any, ...],
        view_kwargs: dict[str, Any],
    ) -> HttpResponse | None:
        answer = super().process_view(request, view_func, view_args, view_kwargs)
        if answer is not None:
            return cast(HttpResponse, answer)
        if not request.user.is_authenticated or not getattr(view_func, "login_required", True):
            return None
        # Another session of theirs, or a refresh, may have learnt that they left a group.
        missing = request.user.missing_groups(config.IAM_GROUP_MEMBERSHIP)
        return _answer(request, denied(request, missing)) if missing else None

    def handle_no_permission(  # type: ignore[override]  # htmx is sent elsewhere by a header
        self, request: HttpRequest, view_func: Callable[..., Any]
    ) -> HttpResponse:
        return _to_login(request, view_func, user=None)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, GroupsMissing):
            return _answer(request, denied(request, exception.groups))
        if not isinstance(exception, LoginExpired | Unauthorized):
            return None
        user = request.user if isinstance(request.user, User) else None
        match = request.resolver_match
        return _to_login(request, match.func if match else None, user=user, expired=True)


def _to_login(
    request: HttpRequest, view: Callable[..., Any] | None, *, user: User | None, expired: bool = False
) -> HttpResponse:
    """To the sign-in page and back, to the page that the user was on; ``expired``: their session ended just now."""
    if request.method == "POST":
        # Where its form is: the page it came from, which may carry choices in its query that the POST does not.
        page = referring_page(request)
        if getattr(view, "keeps_form", False):
            page = page if _is_page(page) else safe_next(request, request.get_full_path())
            keep_form(request, path=page_path(page), user=user)
        return _answer(request, HttpResponseRedirect(login_path(next_path=page or "/", problem="login:expired")))
    if _is_fragment(request):
        page, expired = referring_page(request), True
    else:
        page = safe_next(request, request.get_full_path())
    problem = "login:expired" if expired else ""
    return _answer(request, HttpResponseRedirect(login_path(next_path=page, problem=problem)))


def _answer(request: HttpRequest, redirect: HttpResponse) -> HttpResponse:
    """The redirect, for the whole page also when htmx asked: it would put the sign-in page into the fragment."""
    if request.headers.get("HX-Request"):
        return HttpResponseClientRedirect(redirect["Location"])
    return redirect


def _is_fragment(request: HttpRequest) -> bool:
    """True for htmx, but not for a link it followed in place of the browser (boosted): that is a page."""
    return "HX-Request" in request.headers and "HX-Boosted" not in request.headers


def _is_page(path: str) -> bool:
    """True when one of our views is at that path."""
    try:
        resolve(page_path(path))
    except Resolver404:
        return False
    return True
