"""In Spanish and Italian: notices as their owner reads, whoever saw them first; pages as their reader does."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import translation

from accounts.models import User
from accounts.testing import make_user
from deployments.find import find_all
from deployments.models import Notice, TrainingBatch
from deployments.testing import make_deployment
from deployments.trainings.arguments import field_for
from deployments.trainings.charts import over_time
from deployments.trainings.description import Argument
from deployments.trainings.loss import trainings_lose
from deployments.trainings.news import batch_end, trainings_tell
from deployments.trainings.records import runs_csv
from deployments.trainings.testing import make_api, make_training
from deployments.usage import usage_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada() -> User:
    """She has chosen Spanish."""
    ada = make_user("ada")
    ada.language = "es"
    ada.save(update_fields=["language"])
    return ada


def test_each_owner_is_told_in_their_language_and_the_caller_keeps_its_own(ada: User) -> None:
    ben = make_user("ben")
    runs = [
        make_training(make_api(user, title="Flora"), status="done", duration=timedelta(seconds=42), metrics={"f1": 0.5})
        for user in (ada, ben)
    ]
    with translation.override("it"):
        trainings_tell(runs)
        assert translation.get_language() == "it"
    assert list(Notice.objects.order_by("pk").values_list("headline", "detail")) == [
        ("El entrenamiento en “Flora” ha terminado", "Tardó 42 s; f1 0.5."),
        ("The training on “Flora” is done", "It took 42 s; f1 0.5."),
    ]


def test_a_batch_counts_in_the_plural_of_its_owners_language(ada: User) -> None:
    deployment = make_api(ada, title="Flora")
    batch = TrainingBatch.objects.create(owner=ada, deployment=deployment, model="plants", plan=[[], [], []])
    for place, status in enumerate(["done", "done", "cancelled"]):
        make_training(deployment, status=status, batch=batch, batch_place=place)
    batch_end(batch, TrainingBatch.State.DONE)
    told = Notice.objects.get()
    assert told.headline == "Los 3 entrenamientos en “Flora” han terminado"
    assert told.detail == "2 terminados, 1 cancelado"


def test_why_a_training_is_lost_is_kept_once_and_told_to_each_reader(ada: User, client: Client) -> None:
    deployment = make_api(ada)
    run = make_training(deployment, status="running")
    batch = TrainingBatch.objects.create(owner=ada, deployment=deployment, model="plants", plan=[[], []])
    trainings_lose([deployment.pk])
    run.refresh_from_db()
    batch.refresh_from_db()
    assert run.message == "Its deployment ended before it was done."
    assert batch.reason == "Su despliegue ya no existe."
    client.force_login(ada)
    assert "Su despliegue terminó antes que él." in client.get(run.get_absolute_url()).content.decode()
    with translation.override("it"):
        assert run.shown_message == "Il suo deployment è finito prima che fosse concluso."


def test_what_a_module_says_stays_as_it_is(ada: User) -> None:
    with translation.override("es"):
        assert make_training(make_api(ada), status="error", message="Error").shown_message == "Error"
        assert make_training(make_api(ada), status="lost", message="").shown_message == ""


def test_a_table_for_scripts_is_the_same_in_every_language(ada: User) -> None:
    runs = [make_training(make_api(ada), status="done", metrics={"loss": 0.25}, arguments={"augment": True})]
    english = runs_csv(runs)
    assert ",Done," in english
    with translation.override("es"):
        assert runs_csv(runs) == english


def test_a_chart_tells_days_and_states_in_the_readers_language(ada: User) -> None:
    deployment = make_api(ada)
    runs = [make_training(deployment, status="done", metrics={"loss": value}) for value in (0.5, 0.25)]
    runs += [make_training(deployment, status="cancelled", metrics={})]
    with translation.override("it"):
        chart = over_time(runs, "loss")
    assert chart is not None
    assert chart.across == "Addestramenti"
    assert chart.best is not None
    assert chart.best.text == "0.25 (migliore)"
    assert [mark.text for mark in chart.words] == ["annullato"]


def test_rules_of_arguments_are_whole_sentences() -> None:
    rate = Argument(name="rate", kind="number", minimum=0, maximum=1, over=True)
    with translation.override("es"):
        field = field_for(rate)
        assert field.help_text == "Más de 0, como máximo 1."
        with pytest.raises(ValidationError, match="Más de 0, como máximo 1; esto es 3"):
            field.clean("3")


@pytest.mark.parametrize(
    ("word", "title"),
    [("almac", "Cuentas de almacenamiento"), ("storage", "Cuentas de almacenamiento"), ("estadistic", "Su uso")],
)
def test_pages_are_found_in_the_readers_language_and_in_english(ada: User, word: str, title: str) -> None:
    with translation.override("es"):
        assert [find.title for group in find_all(ada, word) for find in group.finds] == [title]


def test_usage_names_months_and_what_was_made_elsewhere(ada: User) -> None:
    make_deployment(ada, module_slug="")
    with translation.override("es"):
        usage = usage_of(ada, now=datetime(2026, 1, 15, tzinfo=UTC))
    assert usage.modules == [("creado en otro sitio", 1)]
    assert [month.label for month in usage.months][-2:] == ["dic 2025", "ene 2026"]
