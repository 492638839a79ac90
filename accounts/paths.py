"""Addresses of this dashboard: where to go after signing in (never elsewhere), and what IAM is told to come back to."""

from urllib.parse import unquote, urlencode, urlsplit

from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from deepdash.config import config

MAX_LENGTH = 2000


def safe_next(request: HttpRequest, value: str | None) -> str:
    """The path (with query) that ``value`` names on this host, or an empty text when it names anything else.

    A full address of this host is cut down to its path. Refused are other hosts and schemes, what browsers
    read as such (``//host``, ``/\\host``, blanks and control characters, which they drop), and the pages of
    signing in and out themselves, which would lead round in a circle.
    """
    text = value or ""
    if not text.isprintable() or "\\" in text or len(text) > MAX_LENGTH:
        return ""
    try:
        parts = urlsplit(text)
    except ValueError:
        return ""
    if parts.scheme in {"http", "https"} and parts.netloc == request.get_host():
        text = parts._replace(scheme="", netloc="").geturl()
    if not text.startswith("/") or not url_has_allowed_host_and_scheme(text, allowed_hosts=None):
        return ""
    own = (reverse("accounts:login"), reverse("accounts:logout"), reverse("accounts:logged_out"))
    path = urlsplit(text).path
    return "" if any(path == page or path.startswith(f"{page}/") for page in own) else text


def login_path(*, next_path: str = "", problem: str = "") -> str:
    """The address of the sign-in page, with where to go afterwards and the id of what happened."""
    query = {name: value for name, value in (("next", next_path), ("problem", problem)) if value}
    return reverse("accounts:login") + (f"?{urlencode(query)}" if query else "")


def referring_page(request: HttpRequest) -> str:
    """The page of ours that this request was made from, or an empty text."""
    if current := request.headers.get("HX-Current-URL"):
        return safe_next(request, current)
    return safe_next(request, request.headers.get("Referer"))


def own_address(request: HttpRequest, name: str) -> str:
    """The whole address of a view, as it is registered at IAM: below PUBLIC_URL, else as the browser asked for us."""
    path = reverse(name)
    return f"{config.PUBLIC_URL}{path}" if config.PUBLIC_URL else request.build_absolute_uri(path)


def page_path(address: str) -> str:
    """The path of an address, decoded as ``request.path`` is."""
    return unquote(urlsplit(address).path)
