"""What is done with deployments that exist: locking, deleting many, giving up a deletion, secrets, nodes."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from deepdash.errors import Problem
from deepdash.limits import count
from deepdash.types import Request
from deployments.actions import permissions
from deployments.endpoints import orchestrator_info_kept, orchestrator_info_learnt
from deployments.models import Deployment
from deployments.nodes import nodes_of
from deployments.operations import (
    MOST,
    deployment_lock,
    deployment_reset,
    deployments_delete,
    node_act,
    secret_outputs_read,
)
from deployments.outputs import secret_file_name
from deployments.portrait import Named, as_text, portrait
from deployments.views.common import ask, attempt, download, find, signed_in

_ACTS = {
    "start": gettext_noop("“%(title)s” has a node starting. That takes a minute or more."),
    "stop": gettext_noop("“%(title)s” has a node stopping. That takes a minute or more."),
}


@require_POST
def lock(request: Request, uuid: str) -> HttpResponse:
    """Lock or unlock (``locked``: on or nothing)."""
    deployment = find(request, uuid)
    locked = request.POST.get("locked") == "on"
    said = _("“%(title)s” is locked against deletion.") if locked else _("“%(title)s” can be deleted again.")
    return _done(
        request, deployment,
        lambda: deployment_lock(user=signed_in(request), deployment=deployment, locked=locked), said,
    )  # fmt: skip


@require_POST
def reset(request: Request, uuid: str) -> HttpResponse:
    """Give up a deletion that got stuck."""
    deployment = find(request, uuid)
    said = _("“%(title)s” is no longer being deleted. Delete it again when the cause is gone.")
    return _done(request, deployment, lambda: deployment_reset(user=signed_in(request), deployment=deployment), said)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def secrets(request: Request, uuid: str) -> HttpResponse:
    """GET names the secret outputs and asks, POST shows their values: in this one answer, which nothing keeps.

    POST with ``save`` gives the one of that name as a file.
    """
    deployment = find(request, uuid)
    told: dict[str, Any] = {}
    problem: Problem | None = None
    if request.method == "POST":
        told, problem = ask(lambda: secret_outputs_read(user=signed_in(request), deployment=deployment), {})
    if problem is None and request.POST.get("save", "") in told:
        name = request.POST["save"]
        return download(as_text(told[name]), secret_file_name(deployment.shown_title, name, told[name]))
    context = {
        "nav": "deployments",
        "it": portrait(deployment),
        "shown": request.method == "POST" and problem is None,
        "secrets": [Named(name, as_text(value)) for name, value in sorted(told.items())],
        "problem": problem,
    }
    if request.htmx:
        return render(request, "deployments/_secrets.html", context)
    return render(request, "deployments/secrets.html", context, status=problem.status if problem else 200)


@never_cache
@require_safe
def nodes(request: Request, uuid: str) -> HttpResponse:
    """The machines, read after the page or with ``?fresh=1`` before."""
    deployment = find(request, uuid)
    allowed = permissions(deployment, orchestrator_info_kept())
    found, problem = None, None
    reading = bool(allowed.nodes.allowed and (request.htmx or "fresh" in request.GET))
    if reading:
        found, problem = ask(lambda: nodes_of(signed_in(request), deployment), None)
        if problem is None:
            allowed = permissions(deployment, orchestrator_info_learnt())
    context = {
        "nav": "deployments",
        "tab": "nodes",
        "it": portrait(deployment),
        "can": allowed,
        "found": found,
        "reading": reading,
        "problem": problem,
    }
    return render(request, "deployments/_nodes.html" if request.htmx else "deployments/nodes.html", context)


@require_POST
def node(request: Request, uuid: str, node: str) -> HttpResponse:
    """Start or stop a node (``act``)."""
    deployment = find(request, uuid)
    act = request.POST.get("act", "")
    if act not in _ACTS:
        raise Problem("page:bad-request")
    return _done(
        request, deployment,
        lambda: node_act(user=signed_in(request), deployment=deployment, node=node, act=act), _(_ACTS[act]),
        to="deployments:nodes",
    )  # fmt: skip


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def delete_many(request: Request) -> HttpResponse:
    """GET names what was picked and asks, POST deletes it and says what became of each."""
    user = signed_in(request)
    data = request.POST if request.method == "POST" else request.GET
    picked = list(dict.fromkeys(data.getlist("pick")))
    context: dict[str, Any] = {"nav": "deployments", "most": MOST, "too_many": len(picked) > MOST}
    if context["too_many"]:
        return render(request, "deployments/delete_many.html", context, status=422)
    found = list(Deployment.objects.visible_to(user).with_references(picked).for_list())
    if request.method != "POST":
        rows = [(deployment, permissions(deployment, None).delete) for deployment in found]
        context |= {
            "going": [deployment for deployment, permission in rows if permission.allowed],
            "staying": [(deployment, permission.why_not) for deployment, permission in rows if not permission.allowed],
        }
        return render(request, "deployments/delete_many.html", context)
    count("delete-many", f"user {user.pk}", limit=10, seconds=60)
    outcomes = deployments_delete(user=user, deployments=found)
    deleted = [outcome for outcome in outcomes if outcome.problem is None]
    if outcomes and len(deleted) == len(outcomes):
        said = ngettext(
            "%(number)s deployment is being deleted.", "%(number)s deployments are being deleted.", len(deleted)
        ) % {"number": len(deleted)}
        messages.success(request, said, extra_tags="ok")
        return redirect("deployments:list")
    context |= {"outcomes": outcomes, "deleted": deleted, "left": [o for o in outcomes if o.problem is not None]}
    return render(request, "deployments/delete_many.html", context)


def _done(
    request: Request, deployment: Deployment, do: Callable[[], Any], said: str, *, to: str = "deployments:detail"
) -> HttpResponse:
    """Do it and go back to the page of the deployment, with a word about how it went.

    ``said`` is a sentence in the reader's language with a gap for the ``title``.
    """
    problem = attempt(do)
    if problem is None:
        messages.success(request, said % {"title": deployment.shown_title}, extra_tags="ok")
    else:
        text = " ".join(filter(None, [problem.headline, problem.step, f"({problem.detail})" if problem.detail else ""]))
        messages.error(request, text, extra_tags=problem.tone)
    return redirect(to, uuid=deployment.reference)
