"""Trainings side by side, as a page, CSV and JSON."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from deepdash.types import Request
from deployments.models import Training
from deployments.trainings.comparison import MOST, compare
from deployments.trainings.records import runs_csv, runs_json
from deployments.trainings.views.runs import csv_answer, json_answer


@never_cache
@require_safe
def comparison(request: Request) -> HttpResponse:
    """The picked runs (``run``, repeated). ``metric`` and ``across`` choose the charts, ``as`` csv or json a file."""
    keys = [key for key in map(_uuid, request.GET.getlist("run")) if key]
    mine = Training.objects.visible_to(request.user)
    runs = list(mine.filter(key__in=keys[:MOST]).select_related("deployment").order_by("started_at", "pk"))
    if request.GET.get("as") == "csv":
        return csv_answer(runs_csv(runs), "comparison")
    if request.GET.get("as") == "json":
        return json_answer(runs_json(runs), "comparison")
    found = compare(runs, metric=request.GET.get("metric", ""), across=request.GET.get("across", ""))
    context = {"nav": "training", "comparison": found, "left_out": max(0, len(keys) - MOST), "most": MOST}
    return render(request, "deployments/training_compare.html", context)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
