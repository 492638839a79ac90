"""All trainings of a user: the list, one run, what can be done with it, and its record as a file."""

from datetime import timezone as tzinfo
from typing import Any

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from deepdash.errors import Problem
from deepdash.types import Request
from deployments.models import Deployment, Training, TrainingArguments
from deployments.trainings.arguments import as_sent
from deployments.trainings.comparison import deployment_name, image_of
from deployments.trainings.curl import curl_of
from deployments.trainings.listing import TrainingQuery, filters, training_list
from deployments.trainings.reading import endpoint_of
from deployments.trainings.records import (
    MAX_BYTES,
    environment_of,
    record_of,
    record_read,
    runs_csv,
    training_import,
)
from deployments.trainings.replay import new_deployment_url, replay_of
from deployments.trainings.results import Fact, sections_of, shown
from deployments.trainings.services import training_cancel, training_remove, trainings_read
from deployments.views.common import attempt, signed_in

MOST_EXPORTED = 2000
SOON = 3  # seconds until the next look at one that is under way


@never_cache
@require_safe
def index(request: Request) -> HttpResponse:
    """All runs over all deployments, from the database alone."""
    user, query = signed_in(request), TrainingQuery.of(request.GET)
    found = training_list(Training.objects.visible_to(user), query, picked=frozenset(request.GET.getlist("run")[:100]))
    context: dict[str, Any] = {"nav": "training", "list": found, "total": 0}
    if request.htmx:
        return render(request, "deployments/_runs.html", context)
    context["filters"] = filters(user, query)
    context["total"] = bool(found.rows) and found.page.paginator.count
    return render(request, "deployments/trainings.html", context)


@never_cache
@require_safe
def export(request: Request) -> HttpResponse:
    """The list that an address describes, as CSV."""
    runs = TrainingQuery.of(request.GET).narrow(Training.objects.visible_to(request.user)).for_list()
    return csv_answer(runs_csv(runs[:MOST_EXPORTED]), "trainings")


@never_cache
@require_safe
def run(request: Request, key: str) -> HttpResponse:
    """One run. While it is under way the fragment asks DEEPaaS and comes again."""
    one = find_run(request, key)
    problem = None
    deployment = one.deployment
    if deployment is not None and one.is_listed and one.is_under_way and (request.htmx or "fresh" in request.GET):
        problem = attempt(lambda: trainings_read(user=signed_in(request), deployment=deployment))
        one = find_run(request, key)
    context = {**_run_context(request, one), "problem": problem}
    if request.htmx:
        return render(request, "deployments/_run.html", context)
    return render(request, "deployments/run.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def run_cancel(request: Request, key: str) -> HttpResponse:
    """GET asks whether to stop it, POST does."""
    one = find_run(request, key)
    return _question(request, one, "cancel", lambda: training_cancel(user=signed_in(request), run=one))


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def run_remove(request: Request, key: str) -> HttpResponse:
    """GET asks whether to delete it, POST does."""
    one = find_run(request, key)
    return _question(request, one, "remove", lambda: training_remove(user=signed_in(request), run=one))


@never_cache
@require_safe
def run_result(request: Request, key: str) -> HttpResponse:
    """What the module returned, as JSON."""
    one = find_run(request, key)
    if one.result is None:
        raise Http404
    return json_answer(one.result, f"result-{one.model}-{one.started_at:%Y%m%d-%H%M%S}")


@never_cache
@require_safe
def run_record(request: Request, key: str) -> HttpResponse:
    """The reproducibility record, as JSON."""
    one = find_run(request, key)
    return json_answer(record_of(one), f"training-{one.model}-{one.started_at:%Y%m%d-%H%M%S}")


@require_POST
def run_again(request: Request, key: str) -> HttpResponse:
    """Start it again on a new deployment: to the configure form as it was, with its arguments kept for afterwards."""
    one = find_run(request, key)
    address = new_deployment_url(one)
    if not address:
        messages.warning(request, _("Its module is not known here, so it can’t be deployed again."), extra_tags="warn")
        return redirect(one)
    TrainingArguments.objects.update_or_create(
        user=signed_in(request), module_slug=one.module_slug, model=one.model, name="",
        defaults={"arguments": one.arguments},
    )  # fmt: skip
    return redirect(address)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def run_import(request: Request) -> HttpResponse:
    """Take in a record that was downloaded before, here or elsewhere."""
    problem: Problem | None = None
    if request.method == "POST":
        file = request.FILES.get("record")
        try:
            if not isinstance(file, UploadedFile):
                raise Problem("training:record", detail=_("No file was chosen."))
            content = file.read(MAX_BYTES + 1)
            one = training_import(user=signed_in(request), record=record_read(content))
        except Problem as trouble:
            problem = trouble
        else:
            messages.success(request, _("The record is imported."), extra_tags="ok")
            return redirect(one)
    context = {"nav": "training", "problem": problem}
    return render(request, "deployments/training_import.html", context, status=422 if problem else 200)


def find_run(request: Request, key: str) -> Training:
    """The user's run with that key. Raises Http404: others' are not known here."""
    mine = Training.objects.visible_to(request.user).select_related("deployment__api", "batch")
    found = mine.filter(key=key).first()
    if found is None:
        raise Http404
    return found


def csv_answer(text: str, name: str) -> HttpResponse:
    response = HttpResponse(text, content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


def json_answer(data: Any, name: str) -> HttpResponse:
    response = JsonResponse(data, safe=False, json_dumps_params={"indent": 2, "ensure_ascii": False})
    response.headers["Content-Disposition"] = f'attachment; filename="{slugify(name) or "training"}.json"'
    return response


def _run_context(request: Request, one: Training) -> dict[str, Any]:
    places = Deployment.objects.visible_to(request.user).running().filter(module_slug=one.module_slug)
    endpoint = endpoint_of(one.deployment) if one.deployment is not None else ""
    arguments = [Fact(name, shown(value)) for name, value in one.arguments.items()]
    sent = [(name, value) for name, value in one.sent] or [
        (name, as_sent(value)) for name, value in one.arguments.items() if isinstance(value, (str, int, float))
    ]
    return {
        "nav": "training",
        "run": one,
        "clock": _clock(one),
        "name": deployment_name(one),
        "image": image_of(one),
        "environment": environment_of(one),
        "arguments": arguments,
        "sections": sections_of(one.result),
        "places": list(places.for_list().order_by("-created_at")[:10]) if one.module_slug else [],
        "again": new_deployment_url(one),
        "missing": replay_of(one).missing,
        "call": curl_of(endpoint, one.model, "train", params=sent, secrets=one.secret_arguments) if endpoint else "",
        "wait": SOON if one.is_under_way and one.is_listed else 0,
    }  # fmt: skip


def _clock(one: Training) -> str | None:
    """The zone of the clock that told when a run of others began, "UTC+05:45"; None while nothing has shown it."""
    api = getattr(one.deployment, "api", None)
    ahead = api.clock_ahead if api else None
    return None if ahead is None else str(tzinfo(ahead))


def _question(request: Request, one: Training, act: str, do: Any) -> HttpResponse:
    problem: Problem | None = None
    if request.method == "POST":
        problem = attempt(do)
        if problem is None:
            said = _("Training cancelled.") if act == "cancel" else _("Training deleted.")
            messages.success(request, said, extra_tags="ok")
            if act == "cancel":
                return redirect(one)
            if one.deployment is not None:
                return redirect("deployments:training", one.deployment.reference)
            return redirect("deployments:runs")
    context = {"nav": "training", "run": one, "act": act, "problem": problem, "name": deployment_name(one)}
    return render(request, "deployments/run_question.html", context, status=problem.status if problem else 200)
