"""Which language pages are in: the user's, else this browser's choice, else what the browser asks for."""

import pytest
from django.template.loader import render_to_string
from django.test import Client
from django.utils import translation

from accounts.models import User
from accounts.testing import make_user
from catalog.problems import stored
from deepdash.http import ServiceError
from deployments.clients.orchestrator import Orchestrator


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("asked", "shown"), [("es-ES,es;q=0.9,en;q=0.8", "es"), ("it", "it"), ("fr,ca", "en"), ("", "en")]
)
def test_a_stranger_gets_what_the_browser_asks_for(asked: str, shown: str) -> None:
    answer = Client().get("/login", headers={"Accept-Language": asked})
    assert f'<html lang="{shown}">' in answer.content.decode()
    assert answer.headers["Content-Language"] == shown
    assert "Accept-Language" in answer.headers["Vary"]


@pytest.mark.django_db
def test_a_stranger_chooses_a_language_and_returns_to_the_page() -> None:
    browser = Client(enforce_csrf_checks=True)
    token = browser.get("/login").context["csrf_token"]
    answer = browser.post(
        "/language", {"language": "it", "csrfmiddlewaretoken": token}, headers={"Referer": "http://testserver/login"}
    )
    assert answer.headers["Location"] == "http://testserver/login"
    assert '<html lang="it">' in browser.get("/login", headers={"Accept-Language": "es"}).content.decode()


@pytest.mark.django_db
def test_nobody_is_sent_elsewhere_by_choosing_a_language() -> None:
    answer = Client().post(
        "/language", {"language": "it", "next": "https://evil.example/"}, headers={"Referer": "https://evil.example/"}
    )
    assert answer.headers["Location"] == "/"
    assert Client().get("/language").status_code == 405


def test_a_users_language_goes_with_them(ada: User, browser: Client) -> None:
    browser.post("/language", {"language": "es"})
    other = Client()
    other.force_login(ada)
    page = other.get("/preferences", headers={"Accept-Language": "it"}).content.decode()
    assert '<html lang="es">' in page
    assert "Preferencias" in page


def test_a_language_that_is_not_offered_changes_nothing(ada: User, browser: Client) -> None:
    for language in ("fr", "../../etc", "x" * 500, ""):
        browser.post("/language", {"language": language})
    ada.refresh_from_db()
    assert ada.language == ""
    assert browser.post("/preferences", {"language": "fr"}).status_code == 422


def test_in_the_preferences_the_answer_is_in_the_new_language(ada: User, browser: Client) -> None:
    answer = browser.post("/preferences", {"language": "it"}, follow=True).content.decode()
    assert "Le tue preferenze sono state salvate." in answer


def test_the_browsers_language_can_be_had_back(ada: User, browser: Client) -> None:
    browser.post("/language", {"language": "es"})
    browser.post("/preferences", {"language": ""})
    assert '<html lang="it">' in browser.get("/preferences", headers={"Accept-Language": "it"}).content.decode()


def test_a_language_that_is_no_longer_offered_gives_way(ada: User, browser: Client) -> None:
    ada.language = "tlh"
    ada.save()
    assert '<html lang="en">' in browser.get("/preferences").content.decode()


@pytest.mark.django_db
def test_languages_are_offered_in_their_own_words() -> None:
    page = Client().get("/login", headers={"Accept-Language": "es"}).content.decode()
    assert all(f">{name}</button>" in page for name in ("English", "Español", "Italiano"))


def test_a_drawing_keeps_its_coordinates_in_a_language_with_commas() -> None:
    chart = {"width": 740.5, "height": 220, "grid": [(12.5, "0.5")], "line": "1.5,2.5", "dots": [{"x": 1.5, "y": 2.5}]}
    with translation.override("es"):
        drawn = render_to_string("deployments/_chart.html", {"chart": chart, "id": "x"})
    assert 'viewBox="0 0 740.5 220"' in drawn
    assert 'cx="1.5" cy="2.5"' in drawn


@pytest.mark.django_db
def test_the_administration_is_in_english_alone() -> None:
    grace = make_user("grace", staff=True)
    grace.language = "es"
    grace.save()
    browser = Client()
    browser.force_login(grace)
    page = browser.get("/admin/catalog/module/", headers={"Accept-Language": "it"}).content.decode()
    assert '<html lang="en' in page
    assert "Skip to main content" in page
    assert '<html lang="es">' in browser.get("/").content.decode()


def test_what_went_wrong_names_the_service_in_the_readers_language() -> None:
    problem = ServiceError("service:timeout", service=Orchestrator.name)
    assert problem.headline == "The orchestrator did not answer in time."
    with translation.override("es"):
        assert problem.headline == "El orquestador no respondió a tiempo."
        assert ServiceError("service:timeout", service="SLAM").headline == "SLAM no respondió a tiempo."
    assert stored(problem)["facts"] == {"service": "The orchestrator"}
