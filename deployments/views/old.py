"""Addresses of the Flask dashboard that have moved."""

from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from deepdash.types import Request
from deployments.models import Deployment


@require_safe
def template(request: Request, uuid: str) -> HttpResponse:
    """`/template/<uuid>`."""
    return redirect("deployments:template", uuid=uuid)


@require_safe
def log(request: Request, id: str) -> HttpResponse:
    """`/log/<physical id>`: the physical id was the infrastructure's, or of containers the deployment's own."""
    id = id.replace("\0", "")  # PostgreSQL refuses it in text
    mine = Deployment.objects.visible_to(request.user)
    found = mine.filter(Q(uuid=id) | Q(physical_id=id)).order_by("-created_at").first()
    return redirect("deployments:log", uuid=found.reference) if found else redirect("deployments:list")
