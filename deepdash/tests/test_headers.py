"""The security headers are on every answer, whatever it is."""

from collections.abc import Callable

import pytest
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory, override_settings
from django.urls import include, path

from accounts.testing import make_user
from deepdash.middleware import headers_alone


@login_not_required
def _breaks(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("planted")


urlpatterns = [path("breaks", _breaks), path("", include("deepdash.urls"))]
handler500 = "deepdash.views.server_error"
EXPECTED: dict[str, Callable[[str], bool]] = {
    "Content-Security-Policy": lambda value: "default-src 'none'" in value and "unsafe" not in value,
    "X-Content-Type-Options": lambda value: value == "nosniff",
    "Referrer-Policy": lambda value: value == "same-origin",
    "Cross-Origin-Opener-Policy": lambda value: value == "same-origin",
    "Permissions-Policy": lambda value: "camera=()" in value,
    "X-Request-ID": lambda value: len(value) >= 8,
}


def _check(answer: HttpResponse, status: int) -> None:
    assert answer.status_code == status
    for name, right in EXPECTED.items():
        assert right(answer.headers.get(name, "")), f"{name}: {answer.headers.get(name)}"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("address", "status"),
    [("/", 200), ("/login", 200), ("/no/such/page", 404), ("/deployments", 302), ("/healthz", 200), ("/readyz", 200),
     ("/metrics", 200), ("/admin/", 302), ("/static/css/none.css", 404)],
)  # fmt: skip
def test_pages_errors_and_redirects(client: Client, address: str, status: int) -> None:
    _check(client.get(address), status)  # type: ignore[arg-type]  # the test client's own kind of answer


@pytest.mark.django_db
def test_the_admin_for_a_curator(client: Client) -> None:
    client.force_login(make_user("grace", staff=True))
    _check(client.get("/admin/"), 200)  # type: ignore[arg-type]


@pytest.mark.django_db
@override_settings(ROOT_URLCONF="deepdash.tests.test_headers")
def test_a_fault_of_ours_tells_nothing_of_itself() -> None:
    answer = Client(raise_request_exception=False).get("/breaks")
    _check(answer, 500)  # type: ignore[arg-type]
    assert "planted" not in answer.content.decode()


@pytest.mark.django_db
def test_a_forged_form() -> None:
    _check(Client(enforce_csrf_checks=True).post("/logout"), 403)  # type: ignore[arg-type]


@pytest.mark.django_db
def test_a_host_that_is_not_ours(client: Client) -> None:
    _check(client.get("/", headers={"Host": "evil.example"}), 400)  # type: ignore[arg-type]


@pytest.mark.django_db
def test_head_tells_the_length_and_leaves_the_body_out() -> None:
    whole, head = Client().get("/login"), Client().head("/login")
    assert (head.status_code, head.content) == (200, b"")
    assert abs(int(head.headers["Content-Length"]) - len(whole.content)) < 100  # its token differs
    # Django's test client takes bodies of HEAD out as well; the middleware is what servers meet.
    made = headers_alone(lambda request: HttpResponse("words"))(RequestFactory().head("/"))
    assert (made.content, made.headers["Content-Length"]) == (b"", "5")
