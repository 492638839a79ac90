"""One deployment: its page, the live part of it, its template and its log."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from deepdash.errors import Problem
from deepdash.inert import visible
from deepdash.types import Request
from deployments.clients.orchestrator import Orchestrator
from deployments.endpoints import orchestrator_info_learnt
from deployments.loglines import log_lines
from deployments.logs import log_of
from deployments.models import NOTE_CHARS, TITLE_CHARS, Deployment
from deployments.portrait import portrait
from deployments.readiness import deployments_probe, is_due
from deployments.services import deployment_delete, deployment_refresh, deployment_rename
from deployments.views.common import MOVING, RETRY, ask, attempt, download, find, frame, is_down, live, signed_in
from deployments.yaml_highlight import yaml_pieces

MAX_TEMPLATE_CHARS = 500_000  # what is longer is no template
_LIMITS = {"title_chars": TITLE_CHARS, "note_chars": NOTE_CHARS}


@never_cache
@require_safe
def detail(request: Request, uuid: str) -> HttpResponse:
    """The page as the database knows it. ``?fresh=1``, or a deployment we have not met yet: asks first."""
    user, fresh = signed_in(request), "fresh" in request.GET
    known = Deployment.objects.visible_to(user).by_reference(uuid).first()
    deployment = known or _refreshed(request, uuid)
    problem: Problem | None = None
    if known is None:
        fresh = True
    elif fresh:
        deployment, problem = ask(lambda: deployment_refresh(user=user, uuid=uuid, known=known), known)
    if fresh:
        deployments_probe([deployment])
    if fresh or deployment.is_gone:
        address, trigger = _after(deployment, problem)
    else:
        address, trigger = _address(deployment, "sync"), "load"
    context = _shown(deployment, problem)
    part, _known = frame(request, "deployments/_detail.html", context, address=address, trigger=trigger)
    context |= {"nav": "deployments", "tab": "overview", "part": part, **_LIMITS}
    return render(request, "deployments/detail.html", context)


@never_cache
@require_safe
def detail_live(request: Request, uuid: str) -> HttpResponse:
    """The live part. ``step``: ``sync`` asks the orchestrator, ``probe`` the services, ``poll`` both."""
    user, step = signed_in(request), request.GET.get("step", "sync")
    find(request, uuid)  # nothing is asked about what is not theirs
    problem: Problem | None = None
    if step in {"sync", "poll"}:
        problem = attempt(lambda: deployment_refresh(user=user, uuid=uuid))
        if problem is None:
            orchestrator_info_learnt()  # some actions depend on its version
    deployment = find(request, uuid)
    if step in {"probe", "poll"}:
        deployments_probe([deployment])
    context = _shown(deployment, problem)
    address, trigger = _after(deployment, problem)
    return live(request, "deployments/_detail.html", context, address=address, trigger=trigger)


@never_cache
@require_safe
def template(request: Request, uuid: str) -> HttpResponse:
    """The TOSCA template as it was sent; of one made elsewhere, as the orchestrator tells. ``?raw=1`` downloads it."""
    deployment = find(request, uuid)
    text, problem = deployment.template_text, None
    if not text and deployment.uuid and not deployment.is_gone:
        text, problem = ask(lambda: Orchestrator(signed_in(request)).template(str(deployment.uuid)), "")
        text = text[:MAX_TEMPLATE_CHARS]
    if "raw" in request.GET:
        if problem:
            raise problem
        return download(text, f"{slugify(deployment.shown_title) or 'deployment'}.yml")
    context = {
        "nav": "deployments",
        "tab": "template",
        "it": portrait(deployment),
        "pieces": yaml_pieces(visible(text)),
        "problem": problem,
    }
    return render(request, "deployments/template.html", context)


@never_cache
@require_safe
def log(request: Request, uuid: str) -> HttpResponse:
    """The log where its kind has one, read after the page or with ``?fresh=1`` before.

    ``?q=`` shows the lines that have it, ``?raw=1`` downloads it all.
    """
    deployment = find(request, uuid)
    found, problem = log_of(deployment), None
    if found.available and (request.htmx or "fresh" in request.GET or "raw" in request.GET):
        found, problem = ask(lambda: log_of(deployment, user=signed_in(request)), found)
    if "raw" in request.GET:
        if problem:
            raise problem
        return download(found.text, f"{slugify(deployment.shown_title) or 'deployment'}.log")
    context = {
        "nav": "deployments",
        "tab": "log",
        "it": portrait(deployment),
        "log": found,
        "read": log_lines(found.text, request.GET.get("q", "")),
        "problem": problem,
    }
    return render(request, "deployments/_log.html" if request.htmx else "deployments/log.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: Request, uuid: str) -> HttpResponse:
    """GET asks whether to delete, POST does it."""
    deployment = find(request, uuid)
    problem: Problem | None = None
    it = portrait(deployment)
    if request.method == "POST":
        force = request.POST.get("force") == "true" and it.can.force.allowed
        problem = attempt(lambda: deployment_delete(user=signed_in(request), deployment=deployment, force=force))
        if problem is None:
            said = _("“%(title)s” is gone.") if deployment.is_gone else _("“%(title)s” is being deleted.")
            messages.success(request, said % {"title": deployment.shown_title}, extra_tags="ok")
            return redirect("deployments:list")
    context = {"nav": "deployments", "it": it, "problem": problem}
    return render(request, "deployments/delete.html", context, status=problem.status if problem else 200)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def rename(request: Request, uuid: str) -> HttpResponse:
    """Another title and note; GET is the form as a page."""
    deployment = find(request, uuid)
    typed: dict[str, Any] = {"title": deployment.title, "note": deployment.note}
    if request.method == "POST":
        typed = {"title": request.POST.get("title", ""), "note": request.POST.get("note", "")}
        try:
            deployment_rename(user=signed_in(request), deployment=deployment, **typed)
        except ValidationError as error:
            typed["errors"] = error.message_dict
        else:
            messages.success(request, _("Title and note are saved."), extra_tags="ok")
            return redirect(deployment)
    context = {"nav": "deployments", "it": portrait(find(request, uuid)), **typed, **_LIMITS}
    return render(request, "deployments/rename.html", context, status=422 if "errors" in typed else 200)


def _refreshed(request: Request, uuid: str) -> Deployment:
    """A deployment that has no record yet, as the orchestrator tells. Raises Http404, or what went wrong."""
    try:
        return deployment_refresh(user=signed_in(request), uuid=uuid)
    except Deployment.DoesNotExist:
        raise Http404 from None


def _shown(deployment: Deployment, problem: Problem | None) -> dict[str, Any]:
    again = f"{deployment.get_absolute_url()}?fresh=1"
    it = portrait(deployment, unreachable=is_down(problem))
    return {"it": it, "problem": problem, "retry": again, "retrying": is_down(problem)}


def _after(deployment: Deployment, problem: Problem | None) -> tuple[str, str]:
    if problem:
        return (_address(deployment, "sync"), f"every {RETRY}s") if is_down(problem) else ("", "")
    if is_due(deployment, timezone.now()) and not deployment.is_starting:
        return _address(deployment, "probe"), "load"
    return (_address(deployment, "poll"), f"every {MOVING}s") if deployment.is_moving else ("", "")


def _address(deployment: Deployment, step: str) -> str:
    return f"{reverse('deployments:live', args=[deployment.reference])}?step={step}"
