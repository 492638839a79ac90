"""The curators' admin: people get in through IAM like everywhere else, never with a password."""

from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.admin.apps import AdminConfig
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode

from deepdash.errors import Problem

NOTHING = "–"  # where there is no value


class DeepdashAdminSite(AdminSite):
    site_header = site_title = "deepdash administration"
    index_title = "Catalogue and records"
    site_url = "/"
    empty_value_display = NOTHING

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """To the sign-in page; who is signed in already and still lands here lacks the right."""
        if request.user.is_authenticated:
            raise Problem("page:denied")
        return redirect(f"{reverse('accounts:login')}?{urlencode({'next': request.get_full_path()})}")

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:  # type: ignore[override]
        """As everywhere else: tokens are withdrawn too, and the page says what has ended."""
        from accounts.views import logout  # the project must not import its apps before they are loaded

        return logout(request)


class DeepdashAdminConfig(AdminConfig):
    default_site = "deepdash.admin.DeepdashAdminSite"
