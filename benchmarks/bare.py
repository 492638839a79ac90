"""The yardstick: a Django view that returns the bytes of the catalogue page, under the same server and middleware.

gunicorn runs this module in place of ``deepdash.wsgi``; it only adds one address.
"""

from deepdash.wsgi import application as application  # loads the apps, so it comes first

# isort: split
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.urls import path

from deepdash import urls

_page: list[bytes] = []


@login_not_required
def bare(request: HttpRequest) -> HttpResponse:
    """The bytes last sent by POST, or nothing."""
    if request.method == "POST":
        _page[:] = [request.body]
    # The session and the user are read as on every signed-in page.
    return HttpResponse(_page[0] if _page and request.user.is_authenticated else b"")


urls.urlpatterns.append(path("bare", bare))
