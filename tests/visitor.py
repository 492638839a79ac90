"""A browser without scripts, for tests over HTTP: it follows links and fills in forms as they are on the page."""

import re
from typing import Any, Self
from urllib.parse import urljoin

import requests
from lxml import html
from requests.cookies import RequestsCookieJar


class Page:
    """An answer: ``status``, ``url``, ``text``, and the parsed ``tree``."""

    def __init__(self, response: requests.Response) -> None:
        self.response, self.status, self.url, self.text = response, response.status_code, response.url, response.text
        self.tree = html.fromstring(response.text or "<html></html>", base_url=response.url)
        for area in self.tree.iter("textarea"):  # HTML, section 13.2.6.4.7: the first line break is no part of it
            area.text = (area.text or "").removeprefix("\n")

    @property
    def words(self) -> str:
        """The visible text, blanks folded."""
        return " ".join(self.tree.text_content().split())

    @property
    def title(self) -> str:
        return " ".join((self.tree.findtext(".//h1") or "").split())

    def form(self, action: str) -> html.FormElement:
        """The form whose action holds a text."""
        for form in self.tree.forms:
            if action in (form.action or ""):
                return form
        raise AssertionError(f"no form for {action} on {self.url}: {[form.action for form in self.tree.forms]}")

    def links(self) -> list[str]:
        return [urljoin(self.url, link.get("href")) for link in self.tree.iter("a") if link.get("href")]


class Visitor:
    """One person's browser."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.session = requests.Session()
        self.session.trust_env = False

    def get(self, path: str, **options: Any) -> Page:
        return Page(self.session.get(urljoin(self.base, path), timeout=60, **options))

    def fragment(self, path: str) -> Page:
        """What htmx would be given."""
        return self.get(path, headers={"HX-Request": "true"})

    def submit(self, page: Page, action: str, button: tuple[str, str] | None = None, **values: Any) -> Page:
        """Send a form of the page with some fields changed; None takes a field out."""
        form = page.form(action)
        data = [(name, value) for name, value in form.form_values() if name not in values]
        for name, value in values.items():
            if value is not None:
                data += [(name, item) for item in (value if isinstance(value, list) else [value])]
        if button:
            data.append(button)
        data = [(name, _LINE_BREAK.sub("\r\n", str(value))) for name, value in data]  # as browsers do (4.10.22.4)
        target = urljoin(page.url, form.action or page.url)
        headers = {"Referer": page.url, "Origin": self.base}
        if (form.method or "GET").upper() == "GET":
            return Page(self.session.get(target, params=data, headers=headers, timeout=60))
        return Page(self.session.post(target, data=data, headers=headers, timeout=60))

    def sign_in(self, person: str, *, again: bool = False) -> Self:
        """Through the dashboard's login and the sandbox's page of people.

        One session per person is shared by all tests of a stack, as sign-ins are limited per address; ``again``
        makes another one.
        """
        kept = None if again else _SESSIONS.get((self.base, person))
        if kept is None:
            page = self.submit(self.get("/login/iam"), "authorize", person=person)
            assert page.url.startswith(self.base), page.words[:500]
            _SESSIONS[self.base, person] = self.session.cookies.copy()
        else:
            self.session.cookies.update(kept)
        return self


_LINE_BREAK = re.compile("\r\n?|\n")
_SESSIONS: dict[tuple[str, str], RequestsCookieJar] = {}
