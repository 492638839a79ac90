"""The training page of a deployment: its form, the live part, and the sets of arguments kept for it."""

from hashlib import blake2s
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.kept import keeps_form, owner_field, take_form
from accounts.models import User
from deepdash.errors import Problem
from deepdash.queue import nudge
from deepdash.types import Request
from deepdash.uploads import dropped_files
from deployments.clients.deepaas import ArgumentsRefused
from deployments.models import Deployment, TrainingArguments
from deployments.trainings.curl import curl_of
from deployments.trainings.description import restored
from deployments.trainings.models import NAME_CHARS
from deployments.trainings.once import start_key
from deployments.trainings.page import TrainingPage, head_of, model_of, train_form, training_page
from deployments.trainings.reading import endpoint_of
from deployments.trainings.services import (
    Call,
    StartedBefore,
    api_of,
    arguments_keep,
    training_start,
    trainings_read,
)
from deployments.trainings.states import TrainingStatus
from deployments.trainings.tasks import go_on_with_batch
from deployments.views.common import STOP_POLLING, attempt, find, signed_in

SOON, LATER = 3, 20  # seconds until the next look, while something moves and while nothing does


@keeps_form
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def training(request: Request, uuid: str) -> HttpResponse:
    """The page as the database knows it; the live part then asks DEEPaaS. ``?fresh=1`` asks first. POST: the form."""
    user, deployment = signed_in(request), find(request, uuid, "api")
    if request.method == "POST":
        return _answer(request, user, deployment)
    problem = None
    if "fresh" in request.GET:
        problem = attempt(lambda: trainings_read(user=user, deployment=deployment))
    page = training_page(user, deployment, request.GET)
    typed = take_form(request, path=request.path)
    if typed is not None and page.model and page.form:
        page.form = train_form(page.form.arguments, typed)
        page.filled_from = _("You are signed in again, and this is what you typed. It has not been sent yet.")
    return _render(request, page, problem=problem, looking="fresh" not in request.GET)


@never_cache
@require_safe
def training_live(request: Request, uuid: str) -> HttpResponse:
    """The trainings under way, and the rest of the page where it has changed (``state`` is what the browser shows)."""
    user, deployment = signed_in(request), find(request, uuid, "api")
    problem = attempt(lambda: trainings_read(user=user, deployment=deployment)) if _may_ask(deployment) else None
    page = training_page(user, deployment, request.GET)
    if not page.current and not problem:
        for batch in page.batches:  # while somebody watches, the next one need not wait for the minute
            nudge(go_on_with_batch, batch.pk)
    context = _context(request, page, problem=problem, looking=False)
    context |= {"changed": request.GET.get("state") != page.state, "it": head_of(page.deployment)}
    context["form_came"] = page.form is not None and request.GET.get("form") == "none"
    body = render_to_string("deployments/_training_live.html", context, request)
    if not context["changed"] and request.GET.get("known") == context["known"]:
        return HttpResponse(status=204)
    return HttpResponse(body, status=200 if context["trigger"] else STOP_POLLING)


@require_POST
def argument_sets(request: Request, uuid: str) -> HttpResponse:
    """Forget a named set of arguments."""
    user, deployment = signed_in(request), find(request, uuid)
    name, model = request.POST.get("name", ""), request.POST.get("model", "")
    mine = TrainingArguments.objects.filter(user=user, module_slug=deployment.module_slug, model=model)
    if name and mine.filter(name=name).delete()[0]:
        messages.success(request, _("Your set “%(name)s” is deleted.") % {"name": name}, extra_tags="ok")
    return redirect(f"{reverse('deployments:training', args=[deployment.reference])}?{urlencode({'model': model})}")


def _answer(request: Request, user: User, deployment: Deployment) -> HttpResponse:
    """The form was sent: start, show the call, or keep the values as a set."""
    action = request.POST.get("action", "start")
    model = model_of(api_of(deployment), request.POST.get("model", ""))
    if model is None or model.get("train") is None:
        raise Problem("training:unable")
    arguments = restored(model["train"])
    form = train_form(arguments, request.POST, request.FILES, dropped=dropped_files(request))
    page = training_page(user, deployment, request.POST)
    page.form, page.filled_from = form, ""
    problem: Problem | None = None
    if not form.is_valid():
        pass
    elif action == "curl":
        page.sent = _curl(deployment, model["key"], form.call(), form)
        if request.htmx:
            return render(request, "deployments/_training_call.html", {"page": page})
        return _render(request, page, looking=False)
    elif action == "save":
        if name := request.POST.get("set_name", "").strip()[:NAME_CHARS]:
            kept = form.call().kept
            arguments_keep(user=user, deployment=deployment, model=model["key"], name=name, arguments=kept)
            messages.success(request, _("Saved as your set “%(name)s”.") % {"name": name}, extra_tags="ok")
            query = urlencode({"model": model["key"], "set": name})
            return redirect(f"{reverse('deployments:training', args=[deployment.reference])}?{query}")
        form.add_error(None, _("Give the set a name."))
    else:
        try:
            return _start(request, user, deployment, model["key"], form.call())
        except ArgumentsRefused as refused:
            form.refuse(refused.problems)
            problem = Problem("training:arguments")
        except Problem as trouble:
            if trouble.id == "login:expired":
                raise  # the login middleware keeps the form and asks to sign in again
            problem = trouble
    if request.htmx and action == "curl":
        return render(request, "deployments/_training_call.html", {"page": page})
    return _render(request, page, form_problem=problem, looking=False, status=422)


def _start(request: Request, user: User, deployment: Deployment, model: str, call: Call) -> HttpResponse:
    key = start_key(request.POST.get("submission_key", ""), deployment, model, call)
    try:
        run = training_start(user=user, deployment=deployment, model=model, call=call, key=key)
    except StartedBefore:
        messages.info(request, _("This form was sent twice; the training was started once."), extra_tags="busy")
    else:
        if run.status == TrainingStatus.STARTING:
            unknown = Problem("training:unknown")
            messages.add_message(request, messages.WARNING, f"{unknown.headline} {unknown.step}", extra_tags="warn")
        else:
            messages.success(request, _("Training started."), extra_tags="ok")
    query = urlencode({"model": model})
    return redirect(f"{reverse('deployments:training', args=[deployment.reference])}?{query}")


def _curl(deployment: Deployment, model: str, call: Call, form: Any) -> str:
    secrets = [one.name for one in form.arguments if one.secret and one.place == "query" and one.required]
    return curl_of(endpoint_of(deployment) or "https://API", model, "train", params=call.shown, headers=call.headers,
                   files=call.upload.files if call.upload else (), secrets=secrets)  # fmt: skip


def _may_ask(deployment: Deployment) -> bool:
    return not deployment.is_gone and deployment.is_complete


def _render(
    request: Request,
    page: TrainingPage,
    *,
    problem: Problem | None = None,
    form_problem: Problem | None = None,
    looking: bool,
    status: int = 200,
) -> HttpResponse:
    context = _context(request, page, problem=problem, looking=looking)
    context |= {"nav": "deployments", "tab": "training", "it": head_of(page.deployment), "form_problem": form_problem}
    return render(request, "deployments/training.html", context, status=status)


def _context(request: Request, page: TrainingPage, *, problem: Problem | None, looking: bool) -> dict[str, Any]:
    trigger = ""
    if _may_ask(page.deployment):
        moving = page.current or page.batches or page.deployment.is_starting
        trigger = "load" if looking else f"every {SOON if moving else LATER}s"
    chosen = {
        "model": page.model["key"] if page.model else "", "metric": page.metric, "page": page.history.number,
        "from": request.GET.get("from", ""), "set": request.GET.get("set", ""), "state": page.state,
        "form": "" if page.form else "none",
    }  # fmt: skip
    context: dict[str, Any] = {
        "page": page,
        "problem": problem,
        "looking": looking,
        "trigger": trigger,
        "owner_field": owner_field(request.user),
    }
    body = render_to_string("deployments/_training_now.html", context, request)
    # With the trigger: were the first look, on load, answered with "nothing new", there would never be a second.
    known = blake2s(f"{trigger}\n{body}".encode(), digest_size=8).hexdigest()
    query = urlencode({name: value for name, value in {**chosen, "known": known}.items() if value})
    address = f"{reverse('deployments:training_live', args=[page.deployment.reference])}?{query}"
    return {**context, "body": body, "known": known, "address": address}
