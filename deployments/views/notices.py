"""The user's notices, and the address at which the orchestrator says that something changed."""

from uuid import UUID

from django.contrib.auth.decorators import login_not_required
from django.core.paginator import Paginator
from django.db.models import Prefetch
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from catalog.models import Module
from deepdash.limits import limited
from deepdash.types import Request
from deployments.callback import deployment_called_back
from deployments.journal.notices import notices_read, wants_mail
from deployments.models import Deployment, Notice
from deployments.views.common import signed_in

PER_PAGE = 25


@never_cache
@require_safe
def index(request: Request) -> HttpResponse:
    """All notices, newest first."""
    user = signed_in(request)
    titles = Prefetch("deployment__module", Module.objects.titled())
    mine = Notice.objects.of(user).select_related("deployment", "training").prefetch_related(titles)
    page = Paginator(mine, PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "deployments/notices.html", {"nav": "notices", "page": page, "by_mail": wants_mail(user)})


@require_POST
def open_notice(request: Request, pk: int) -> HttpResponse:
    """Mark a notice as read and go to its deployment."""
    user = signed_in(request)
    notice = get_object_or_404(Notice.objects.of(user).select_related("deployment", "training"), pk=pk)
    notices_read(user=user, pk=pk)
    return redirect(notice)


@require_POST
def read_all(request: Request) -> HttpResponse:
    """Mark all as read."""
    notices_read(user=signed_in(request))
    return redirect("deployments:notices")


# The orchestrator has no session and no token for us; the secret in the address is what it knows (contract 1.8).
@csrf_exempt
@login_not_required
@never_cache
@require_POST
@limited("callback", limit=600, seconds=60)
def callback(request: HttpRequest, key: UUID, secret: str) -> HttpResponse:
    """Something changed, perhaps. What the body says is not even read: the state is looked up in the background."""
    try:
        deployment_called_back(key=key, secret=secret)
    except Deployment.DoesNotExist:
        raise Http404 from None
    return HttpResponse(status=204)
