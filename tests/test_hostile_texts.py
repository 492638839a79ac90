"""Text from a template or a module's metadata, as hostile as it gets, on every page that shows it.

Proven for the form, the module's page, the catalogue and the admin: nothing in it runs, links, steers a terminal,
turns a line around, or makes a page as large as itself.
"""

import json
import re
from typing import Any

import pytest
from django.test import Client
from lxml import html

from accounts.testing import give_token, make_user
from catalog.models import Module, Template
from catalog.sources.metadata import parse_metadata
from catalog.testing import make_module, make_template
from catalog.tosca.reading import read_template
from deployments.testing import make_deployment

pytestmark = pytest.mark.django_db
HOSTILE = (
    '<script>alert(1)</script><img src=x onerror=alert(2)>" onfocus=alert(3) autofocus x="\''
    " javascript:alert(4) {{ 7*7 }} {% debug %}"
    "\x1b[31mred\x1b]0;title\x07 \u202egnp.exe\u2066 \x9b1m \u2028 end"
)
LONG = "x" * 150_000
UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufff9-\ufffb\u2028]")


def template(word: str) -> str:
    """A template that says the word wherever templates say anything. JSON is YAML, with escapes for all of it."""
    asked = {"type": "string", "description": word, "default": word}
    data = {
        "tosca_definitions_version": "tosca_simple_yaml_1_0",
        "description": word,
        "metadata": {"display_name": word, "tag": word, "icon": "javascript:alert(5)", "tabs": {word: ["free"]}},
        "topology_template": {
            "inputs": {
                "free": asked,
                "chosen": {**asked, "constraints": [{"valid_values": [word, "other"]}]},
                "entries": {"type": "list", "description": word, "entry_schema": {"type": word}, "default": [word]},
                "size_in_gb": {"type": "integer", "description": word, "constraints": [{"pattern": word}]},
                f"in {word}"[:200]: {"type": word[:200], "description": word},
            },
            "outputs": {f"endpoint {word}"[:200]: {"value": word}},
        },
    }  # fmt: skip
    return json.dumps(data)


def parameters(word: str) -> str:
    texts = dict.fromkeys(("display_name", "description", "placeholder", "tab"), word)
    options = [{"value": word, "label": word}, {"value": "other", "label": f"{word} 2"}]
    chosen = {"tag_type": "select", "constraints": options, **texts}
    return json.dumps({"tabs": [word], "inputs": {"free": texts, "chosen": chosen}})


def module(word: str) -> Module:
    texts = dict.fromkeys(("title", "summary", "license", "cite_url", "dataset_url"), word)
    sources = dict.fromkeys(("dockerfile_repo", "code"), "javascript:alert(6)")
    raw = {**texts, "description": [word, f"[a]({word})", "[b](javascript:alert(7))"], "keywords": [word],
           "date_creation": word, "sources": {**sources, "docker_registry_repo": "deephdc/demo"}}  # fmt: skip
    found = parse_metadata(json.dumps(raw))
    row = make_template(template(word))
    reading = read_template(row.raw, parameters=parameters(word))
    Template.objects.update(description=reading.description.model_dump(mode="json"), errors=list(reading.notes))
    row.refresh_from_db()
    names = ("title", "summary", "description", "licence", "code_url", "cite_url", "dataset_url")
    told = {name: getattr(found, name) for name in names}
    return make_module(slug="hostile", templates=(row,), remarks=list(found.remarks), **told)


def pages() -> dict[str, str]:
    """Address → text, of each page that shows the module or its template."""
    user = make_user("ada")
    give_token(user)
    client = Client(raise_request_exception=True)
    client.force_login(user)
    curator = Client(raise_request_exception=True)
    curator.force_login(make_user("grace", staff=True))
    row = Template.objects.get()
    sent = make_deployment(owner=user, title="Sent", template_text=row.raw, module_slug="")
    found: dict[str, Any] = {
        path: client.get(path)
        for path in ("/", "/?q=script", "/modules/hostile", "/module/hostile", f"{sent.get_absolute_url()}/template",
                     f"{sent.get_absolute_url()}/again")
    }  # fmt: skip
    number = Module.objects.get().pk
    found |= {
        path: curator.get(path)
        for path in ("/admin/catalog/template/", f"/admin/catalog/template/{row.pk}/change/",
                     f"/admin/catalog/template/{row.pk}/versions/", "/admin/catalog/module/",
                     f"/admin/catalog/module/{number}/change/")
    }  # fmt: skip
    assert {path: answer.status_code for path, answer in found.items() if answer.status_code != 200} == {}
    return {path: answer.content.decode() for path, answer in found.items()}


def test_nothing_in_it_runs_links_or_turns_lines_around() -> None:
    module(HOSTILE)
    shown = 0
    for path, text in pages().items():
        tree = html.fromstring(text)
        for element in tree.iter():
            if not isinstance(element.tag, str):
                continue
            inline = element.tag == "script" and not element.get("src") and element.get("type") != "application/json"
            assert not inline, (path, element.text)
            for name, value in element.attrib.items():
                assert not name.startswith("on"), (path, name)
                assert name != "autofocus" or "alert" not in str(element.attrib), path
                if name in {"href", "src", "action", "formaction"}:
                    assert not re.match(r"\s*(javascript|data:text|vbscript)", value, re.IGNORECASE), (path, value)
        assert UNSEEN.findall(text.replace("\r\n", "\n")) == [], path
        assert "49" not in text or "{{ 7*7 }}" in html.fromstring(text).text_content() or "7*7" not in text, path
        shown += "alert(1)" in tree.text_content()
    assert shown >= 6, "otherwise nothing is proven"


def test_what_a_template_really_holds_is_written_out_for_who_reads_its_text() -> None:
    module("safe \u202e text")
    text = pages()
    assert [path for path, page in text.items() if "safe \\u202e text" in page] != []


def test_a_page_does_not_grow_with_what_it_is_told() -> None:
    module("m")
    small = {path: len(text) for path, text in pages().items()}
    Module.objects.all().delete()
    Template.objects.all().delete()
    # One text at a time takes nearly all that a template may hold.
    asked = {"type": "string", "description": LONG}
    raw = json.dumps({"topology_template": {"inputs": {"free": asked}}, "metadata": {"display_name": LONG[:90_000]}})
    row = make_template(raw, display_name="m")
    long = parse_metadata(
        json.dumps({"title": LONG * 7, "summary": LONG * 7, "description": LONG * 7, "keywords": [LONG] * 200})
    )
    make_module(slug="hostile", templates=(row,), title=long.title, summary=long.summary)
    client = Client()
    user = make_user("eve")
    give_token(user)
    client.force_login(user)
    for path in ("/", "/modules/hostile", "/module/hostile"):
        size = len(client.get(path).content)
        assert size < small[path] + 30_000, (path, small[path], size)
