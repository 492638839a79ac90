"""The pages of signing in and out. All are public, and none starts a login by itself."""

from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout as session_end
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django.views.i18n import LANGUAGE_QUERY_PARAMETER, set_language

from accounts.active_group import active_group_set
from accounts.discovery import provider
from accounts.kept import has_form
from accounts.models import User
from accounts.oidc import DENIED_KEY
from accounts.paths import own_address, page_path, referring_page, safe_next
from accounts.preferences import PreferencesForm
from accounts.tokens import id_token_of, tokens_forget
from deepdash.config import config
from deepdash.errors import Problem
from deepdash.http import ServiceError

LOGGED_OUT_KEY = "logged_out"
# What the sign-in page may be asked to say; expired sessions have words of their own there.
NOTICES = {"login:denied", "login:rejected", "login:stale", "login:provider"}


@login_not_required
@never_cache
@require_safe
def login(request: HttpRequest) -> HttpResponse:
    next_path, problem = safe_next(request, request.GET.get("next")), request.GET.get("problem", "")
    ctx = {
        "next": next_path,
        "problem": Problem(problem) if problem in NOTICES else None,
        "expired": problem == "login:expired",
        "kept": has_form(request, path=page_path(next_path)),
        "configured": bool(config.IAM_BASE_URL),
        "groups": config.IAM_GROUP_MEMBERSHIP,
    }
    return render(request, "accounts/login.html", ctx)


@login_not_required
@never_cache
@require_safe
def login_denied(request: HttpRequest) -> HttpResponse:
    groups = request.session.get(DENIED_KEY) or config.IAM_GROUP_MEMBERSHIP
    if not groups:
        return redirect("accounts:login")
    return render(request, "accounts/denied.html", {"groups": groups}, status=403)


@login_not_required
@require_POST
def logout(request: HttpRequest) -> HttpResponse:
    """End the session here and withdraw the tokens; the session at IAM only where IAM offers that."""
    if not isinstance(request.user, User):
        return redirect("accounts:logged_out")
    onward = _end_session_url(request, request.user)
    withdrawn = tokens_forget(request.user)
    session_end(request)
    request.session[LOGGED_OUT_KEY] = {"withdrawn": withdrawn, "iam_ended": bool(onward)}
    return redirect(onward or "accounts:logged_out")


@login_not_required
@never_cache
@require_safe
def logged_out(request: HttpRequest) -> HttpResponse:
    # Without the note of ``logout`` (a bookmark), the weaker of the two claims is the true one.
    ctx = {"withdrawn": True, "iam_ended": False} | request.session.get(LOGGED_OUT_KEY, {})
    return render(request, "accounts/logged_out.html", ctx)


@require_POST
def group(request: HttpRequest) -> HttpResponse:
    """Work for another of one's groups; back to the page it was chosen on."""
    assert isinstance(request.user, User)  # the login middleware lets nobody else through
    chosen = request.POST.get("group", "")
    active_group_set(user=request.user, group=chosen)
    messages.success(
        request, _("You now work for %(group)s.") % {"group": chosen or request.user.organisation}, extra_tags="ok"
    )
    return redirect(referring_page(request) or "/")


def _end_session_url(request: HttpRequest, user: User) -> str:
    """Where IAM ends its own session (OpenID Connect RP-Initiated Logout 1.0), empty when it can't.

    INDIGO IAM lists no such endpoint (contract 9.1); other providers and later versions may.
    """
    try:
        endpoint = provider().end_session_endpoint
    except ServiceError:
        return ""
    if endpoint is None:
        return ""
    query = {
        "id_token_hint": id_token_of(user),
        "client_id": settings.OIDC_RP_CLIENT_ID,
        "post_logout_redirect_uri": own_address(request, "accounts:logged_out"),
    }
    return f"{endpoint}?{urlencode({name: value for name, value in query.items() if value})}"


@login_not_required
@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Show pages in another language: in this browser, and for a user everywhere. Back to the page it was chosen on."""
    chosen = request.POST.get(LANGUAGE_QUERY_PARAMETER, "")
    if isinstance(request.user, User) and chosen in dict(settings.LANGUAGES):
        request.user.language = chosen
        request.user.save(update_fields=["language"])
    return set_language(request)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def preferences(request: HttpRequest) -> HttpResponse:
    """What users may set themselves."""
    assert isinstance(request.user, User)  # the login middleware lets nobody else through
    form = PreferencesForm(request.POST or None, instance=request.user)
    if request.method == "POST" and form.is_valid():
        user = form.save()
        response = redirect("accounts:preferences")
        if user.language:
            translation.activate(user.language)
        else:
            response.delete_cookie(settings.LANGUAGE_COOKIE_NAME)  # an earlier choice in the foot of a page
        messages.success(request, _("Your preferences are saved."), extra_tags="ok")
        return response
    return render(request, "accounts/preferences.html", {"form": form}, status=422 if form.errors else 200)
