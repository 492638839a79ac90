"""The page of the interface's parts shows what the style sheets and the sprite hold, all of it and nothing else."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from accounts.testing import make_user
from deepdash.design import symbols, tokens
from deepdash.glossary import WORDS, wrong_words

pytestmark = pytest.mark.django_db


def test_staff_see_every_token_and_symbol_others_are_told_no(client: Client) -> None:
    client.force_login(make_user("grace", staff=True))
    page = client.get("/design").text
    assert {"accent", "s-1", "shadow-2"} <= {token.name for token in tokens()}
    assert {"bell", "ok"} <= set(symbols())
    assert all(f"--{token.name}<" in page for token in tokens())
    assert all(f"#{name}" in page for name in symbols())
    assert "<strong>" in page  # the problem
    assert all(f">{word.term}<" in page and f">{word.es}<" in page and f">{word.it}<" in page for word in WORDS)
    client.force_login(make_user("ada"))
    assert client.get("/design").status_code == 403


def classes_of(*sheets: str) -> set[str]:
    """The classes that style sheets know."""
    texts = [Path(settings.BASE_DIR, "static/css", f"{name}.css").read_text("utf-8") for name in sheets]
    rules = re.sub(r"/\*.*?\*/|url\(.*?\)", "", "".join(texts), flags=re.DOTALL)
    return set(re.findall(r"\.([a-zA-Z][\w-]*)", rules))


def classes_in(html: str) -> set[str]:
    """The classes that elements of a page, or of a template, have; those a template's tags choose between included."""
    return {name for value in re.findall(r'class="([^"]*)"', html) for name in re.findall(r"[a-zA-Z][\w-]*", value)}


def test_every_component_is_on_the_page_and_every_class_on_it_is_of_the_style_sheets(client: Client) -> None:
    client.force_login(make_user("grace", staff=True))
    shown = classes_in(client.get("/design").text)
    assert classes_of("components") - shown == set()
    assert shown - classes_of("base", "layout", "components") == set()


def test_every_component_is_used_by_another_page() -> None:
    templates = [path.read_text("utf-8") for path in Path(settings.BASE_DIR, "templates").rglob("*.html")
                 if path.name != "design.html"]  # fmt: skip
    drawn_by_tags = {"icon", "mark", "pill", "spin"}  # deepdash.templatetags.ui
    given_to_fragments = {"bad", "gpu"}  # what the fragment of bars is told to draw at their feet
    used = classes_in("".join(templates)) | drawn_by_tags | given_to_fragments
    assert classes_of("components") - used == set()


def test_another_word_for_a_thing_is_found_and_our_own_is_not() -> None:
    assert wrong_words("Pick a module of the portfolio") == [("portfolio", "catalogue"), ("Pick", "to select")]
    assert wrong_words("Choose a module of the catalogue") == []
    assert not any(wrong_words(word.term) for word in WORDS)
