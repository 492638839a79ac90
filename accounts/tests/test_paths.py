import pytest
from django.test import Client, RequestFactory

from accounts.paths import safe_next
from accounts.tests.conftest import FakeIam

EVIL = [
    "//evil.example", "///evil.example", "////evil.example/x", "/\\evil.example", "\\\\evil.example",
    "/\\/evil.example",
    "https://evil.example/", "https:evil.example", "https:/evil.example", "http:///evil.example", "javascript:alert(1)",
    "JaVaScRiPt:alert(1)", "data:text/html,x", " //evil.example", "\t//evil.example", "/\t/evil.example",
    "/\n/evil.example", "/\r/evil.example", "/\x00/evil.example", "\x01//evil.example", "/\u2028/evil.example",
    "\u3000//evil.example", "\uff0f\uff0fevil.example", "evil.example", "./evil", "?next=//evil", "#x",
    "http://testserver@evil.example/", "http://testserver:80@evil.example/", "http://testserver.evil.example/",
    "https://evil.example\\@testserver/", "http://testserver//evil.example", "http://testserver/\\evil.example",
    "http://testserver", "http://[::1", "ftp://testserver/x", "/" + "x" * 2000, "",
    "/login", "/login?next=/login", "/login/iam", "/login/iam/authorized?code=x&state=y", "/logout", "/logged-out",
]  # fmt: skip
GOOD = [
    ("/", "/"),
    ("/deployments?page=2&q=a%2Fb", "/deployments?page=2&q=a%2Fb"),
    ("/module/x?hardware=gpu&run=jupyterlab#hardware", "/module/x?hardware=gpu&run=jupyterlab#hardware"),
    ("/modules/größe", "/modules/größe"),
    ("/x?next=//evil.example", "/x?next=//evil.example"),
    ("/loginx", "/loginx"),
    ("http://testserver/deployments?page=2", "/deployments?page=2"),
]


@pytest.mark.parametrize("value", EVIL, ids=ascii)
def test_it_never_leads_elsewhere(rf: RequestFactory, value: str) -> None:
    assert safe_next(rf.get("/"), value) == ""


@pytest.mark.parametrize(("value", "path"), GOOD, ids=ascii)
def test_it_leads_to_pages_of_ours(rf: RequestFactory, value: str, path: str) -> None:
    assert safe_next(rf.get("/"), value) == path


@pytest.mark.django_db
@pytest.mark.urls("accounts.tests.urls")
@pytest.mark.parametrize("value", EVIL, ids=ascii)
def test_a_whole_login_never_ends_elsewhere(client: Client, iam: FakeIam, value: str) -> None:
    assert iam.sign_in(client, next=value)["Location"] == "/"
