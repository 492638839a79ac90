"""Batches of trainings: the form for the grid, what becomes of it, and the way to stop it."""

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import User
from deepdash.errors import Problem
from deepdash.queue import nudge
from deepdash.types import Request
from deployments.models import Deployment, TrainingBatch
from deployments.trainings.arguments import PREFIX, ArgumentsForm
from deployments.trainings.batches import AXES, MOST_RUNS, axis_values, batch_cancel, batch_start, can_vary, grid
from deployments.trainings.description import Argument, restored
from deployments.trainings.listing import RunRow
from deployments.trainings.once import start_key
from deployments.trainings.page import head_of, model_of, start_values, train_form
from deployments.trainings.services import api_of
from deployments.trainings.tasks import go_on_with_batch
from deployments.views.common import find, signed_in

REFRESH = 5  # seconds


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def batch_new(request: Request, uuid: str) -> HttpResponse:
    """The grid over a train form. POST ``action``: ``open`` (from the train form), ``count`` or ``start``.

    Files are not part of it: nothing is kept here that could be sent when the turn of a training comes.
    """
    user, deployment = signed_in(request), find(request, uuid)
    asked = request.POST if request.method == "POST" else request.GET
    model = model_of(api_of(deployment), asked.get("model", ""))
    if model is None or model.get("train") is None:
        raise Problem("training:unable")
    known = restored(model["train"])
    arguments = [argument for argument in known if argument.kind != "file"]
    files = [argument for argument in known if argument.kind == "file"]
    if any(argument.required for argument in files):
        return _render(request, deployment, model, None, files=files, status=409)
    if request.method != "POST":
        values = start_values(user, [], request.GET)[0]
        return _render(request, deployment, model, train_form(arguments, values=values), files=files)
    return _answer(request, user, deployment, model, train_form(arguments, request.POST), files)


def _answer(
    request: Request,
    user: User,
    deployment: Deployment,
    model: dict[str, Any],
    form: ArgumentsForm,
    files: list[Argument],
) -> HttpResponse:
    """The grid was sent: show it, count its trainings, or start them."""
    action = request.POST.get("action", "count")
    axes, problems = _axes(request, form)
    varied = {PREFIX + name for name in axes}
    for name in varied:
        form.fields[name].required = False  # the grid gives its values
    if action == "open":
        return _render(request, deployment, model, form, files=files, dropped=bool(request.FILES))
    form.is_valid()
    for name in varied & set(form.errors):
        del form.errors[name]  # what stands in the field does not count
    if form.errors or problems or not axes:
        if not axes and not problems:
            problems = {1: _("Choose an argument and give its values.")}
        return _render(request, deployment, model, form, files=files, problems=problems, status=422)
    plan = grid(axes, form.call().shown)
    if len(plan) > MOST_RUNS:
        message = _("These are %(number)s trainings; start at most %(most)s at once.")
        problems = {1: message % {"number": len(plan), "most": MOST_RUNS}}
        return _render(request, deployment, model, form, files=files, problems=problems, status=422)
    if action != "start":
        return _render(request, deployment, model, form, files=files, plan=plan, axes=list(axes))
    call = form.call()
    key = start_key(request.POST.get("submission_key", ""), deployment, model["key"], call, axes)
    batch = batch_start(user=user, deployment=deployment, model=model["key"], axes=axes, call=call, key=key)
    transaction.on_commit(lambda: nudge(go_on_with_batch, batch.pk))
    said = _("%(number)s trainings will be started one after another.") % {"number": len(plan)}
    messages.success(request, said, extra_tags="ok")
    return redirect(batch)


@never_cache
@require_safe
def batch(request: Request, key: str) -> HttpResponse:
    """How far a batch is."""
    one = _find_batch(request, key)
    if request.htmx and one.state == TrainingBatch.State.RUNNING:
        nudge(go_on_with_batch, one.pk)  # while somebody watches, the next one need not wait for the minute
    runs = {run.batch_place: run for run in one.runs.filter(removed_at=None).for_list()}
    lines = [
        {"place": place + 1, "row": RunRow(runs[place]) if place in runs else None,
         "values": [(name, value) for name, value in pairs if name in one.axes or one.is_single]}
        for place, pairs in enumerate(one.plan)
    ]  # fmt: skip
    under_way = any(run.is_under_way for run in runs.values())
    running = one.state == TrainingBatch.State.RUNNING
    context = {"nav": "training", "batch": one, "lines": lines, "begun": len(runs), "running": running,
               "wait": REFRESH if running or under_way else 0,
               "ended": sum(not run.is_under_way for run in runs.values())}  # fmt: skip
    return render(request, "deployments/_batch.html" if request.htmx else "deployments/batch.html", context)


@require_POST
def batch_stop(request: Request, key: str) -> HttpResponse:
    """Start no more of them."""
    one = _find_batch(request, key)
    batch_cancel(user=signed_in(request), batch=one)
    messages.success(
        request,
        _("The batch is stopped; a training that is running continues."),
        extra_tags="ok",
    )
    return redirect(one)


def _find_batch(request: Request, key: str) -> TrainingBatch:
    mine = TrainingBatch.objects.filter(owner=signed_in(request)).select_related("deployment")
    found = mine.filter(key=key).first()
    if found is None:
        raise Http404
    return found


def _axes(request: Request, form: ArgumentsForm) -> tuple[dict[str, list[Any]], dict[int, str]]:
    """The values by argument of the grid's lines, and what is wrong with a line by its number (from 1)."""
    axes: dict[str, list[Any]] = {}
    problems: dict[int, str] = {}
    possible = {argument.name for argument in form.arguments if can_vary(argument)}
    for line in range(1, AXES + 1):
        name, text = request.POST.get(f"axis_{line}", ""), request.POST.get(f"values_{line}", "")
        if not name:
            continue
        if name not in possible or name in axes:
            problems[line] = _("Choose each argument once.")
            continue
        try:
            axes[name] = axis_values(text, form.fields[PREFIX + name])
        except ValidationError as error:
            problems[line] = " ".join(error.messages)
    return axes, problems


def _render(
    request: Request,
    deployment: Any,
    model: dict[str, Any],
    form: ArgumentsForm | None,
    *,
    files: Sequence[Argument],
    dropped: bool = False,
    problems: dict[int, str] | None = None,
    plan: list[Any] | None = None,
    axes: list[str] | None = None,
    status: int = 200,
) -> HttpResponse:
    asked = request.POST
    lines = [
        {"number": line, "name": asked.get(f"axis_{line}", ""), "values": asked.get(f"values_{line}", ""),
         "problem": (problems or {}).get(line, "")}
        for line in range(1, AXES + 1)
    ]  # fmt: skip
    shown = [[(name, value) for name, value in pairs if name in (axes or ())] for pairs in plan or ()]
    arguments = form.arguments if form else []
    context = {
        "nav": "deployments", "tab": "training", "it": head_of(deployment), "model": model, "form": form,
        "lines": lines, "possible": [argument.name for argument in arguments if can_vary(argument)],
        "plan": shown, "most": MOST_RUNS, "files": [argument.name for argument in files], "dropped": dropped,
        "secrets": [argument.name for argument in arguments if argument.secret], "key": uuid4(),
    }  # fmt: skip
    return render(request, "deployments/batch_new.html", context, status=status)
