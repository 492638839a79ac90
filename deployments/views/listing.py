"""The list of deployments, its live part, and the strips on the home page."""

from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.active_group import active_group
from accounts.models import User
from deepdash.errors import Problem
from deepdash.types import Request
from deployments.colleagues import group_list
from deployments.listing import DeploymentList, ListQuery, Row, deployment_list, deployments_on_page, filters
from deployments.models import Deployment
from deployments.readiness import deployments_probe, is_due
from deployments.services import deployments_follow, deployments_sync
from deployments.status import configure_url, describe
from deployments.views.common import MOVING, RETRY, ask, attempt, frame, is_down, live, signed_in

STRIP = 5  # lines per strip on the home page


@never_cache
@require_safe
def index(request: Request) -> HttpResponse:
    """The list as the database knows it; the live part then looks at the orchestrator. ``?fresh=1`` looks first."""
    user, query = signed_in(request), ListQuery.of(request.GET)
    fresh = "fresh" in request.GET
    problem = attempt(lambda: deployments_sync(user=user)) if fresh else None
    shown = _probed(user, query) if fresh and not problem else None
    found = deployment_list(user, query, unreachable=is_down(problem), shown=shown)
    moves = _after(query, found.rows, found.is_moving, problem)
    address, trigger = moves if fresh else _next(query, "sync", "load")
    part, _ = frame(
        request, "deployments/_rows.html", _shown(found, problem, looking=not fresh), address=address, trigger=trigger
    )
    context = {"nav": "deployments", "list": found, "filters": filters(found), "part": part}
    context["unread_notices"] = found.unread_notices  # counted already
    return render(request, "deployments/list.html", context)


@never_cache
@require_safe
def rows(request: Request) -> HttpResponse:
    """The live part. ``step``: ``sync`` reads the whole list, ``poll`` what is in motion, ``probe`` the services."""
    user, query, step = signed_in(request), ListQuery.of(request.GET), request.GET.get("step", "sync")
    problem: Problem | None = None
    if step == "sync":
        problem = attempt(lambda: deployments_sync(user=user))
    elif step == "poll":
        problem = attempt(lambda: deployments_follow(user=user))
    shown = _probed(user, query) if step in {"poll", "probe"} else None
    found = deployment_list(user, query, unreachable=is_down(problem), shown=shown)
    address, trigger = _after(query, found.rows, found.is_moving, problem)
    return live(request, "deployments/_rows.html", _shown(found, problem), address=address, trigger=trigger)


@never_cache
@require_safe
def group(request: Request) -> HttpResponse:
    """What a group runs (``group``, else the active one): the page at once, then the orchestrator's answer."""
    user = signed_in(request)
    name = request.GET.get("group") or active_group(request) or next(iter(user.groups), "")
    if not name:
        raise Problem("group:none")
    if user.missing_groups([name]):
        raise Problem("deployment:not-your-group", group=name[:100])
    reading = bool(request.htmx) or "fresh" in request.GET
    found, problem = ask(lambda: group_list(user, name), None) if reading else (None, None)
    context = {
        "nav": "deployments",
        "group": name,
        "reading": reading,
        "found": found,
        "problem": problem,
        "again": f"{request.path}?{urlencode({'group': name, 'fresh': 1})}",
    }
    return render(request, "deployments/_group.html" if request.htmx else "deployments/group.html", context)


@never_cache
@require_safe
def module_strip(request: Request, slug: str) -> HttpResponse:
    """The user's deployments of one module, and the way to deploy it as last time; from the database alone."""
    mine = Deployment.objects.visible_to(request.user).of_module(slug).for_list()
    alive = list(mine.alive().order_by("-created_at")[: STRIP + 1])
    last = mine.filter(submission_key__isnull=False).order_by("-recorded_at").first()
    context = {
        "slug": slug,
        "rows": [Row(deployment, describe(deployment)) for deployment in alive[:STRIP]],
        "more": len(alive) > STRIP,
        "last": last,
        "again": configure_url(last) if last else "",
    }
    return render(request, "deployments/_module_strip.html", context)


def _shown(found: DeploymentList, problem: Problem | None, *, looking: bool = False) -> dict[str, Any]:
    address = found.query.address()
    again = f"{reverse('deployments:list')}?{address}{'&' if address else ''}fresh=1"
    return {"list": found, "problem": problem, "looking": looking, "retry": again, "retrying": is_down(problem)}


def _probed(user: User, query: ListQuery) -> list[Deployment]:
    """The deployments on the page, those that are due probed."""
    shown = deployments_on_page(user, query)
    deployments_probe(shown)
    return shown


def _after(query: ListQuery, shown: list[Row], moving: bool, problem: Problem | None) -> tuple[str, str]:
    """What the live part does next: look at the services now, at what moves in a moment, or nothing more."""
    if problem:
        return _next(query, "sync", f"every {RETRY}s") if is_down(problem) else ("", "")
    now = timezone.now()
    if any(is_due(row.deployment, now) and not row.deployment.is_starting for row in shown):
        return _next(query, "probe", "load")
    return _next(query, "poll", f"every {MOVING}s") if moving else ("", "")


def _next(query: ListQuery, step: str, trigger: str) -> tuple[str, str]:
    address = query.address()
    return f"{reverse('deployments:rows')}?{address}{'&' if address else ''}step={step}", trigger
