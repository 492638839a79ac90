"""The public pages of the catalogue: all modules, and one module."""

from datetime import datetime

from django.contrib.auth.decorators import login_not_required
from django.core.cache import caches
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from catalog.browse import SORTS, Wish, catalogue
from catalog.index import current_index
from catalog.locks import mark_locked
from catalog.models import Module, Picture, RefreshRun
from catalog.pages import module_page
from catalog.revisions import revisions_now
from deepdash.templatetags.ui import ago
from deepdash.types import Request

KEPT = 600  # seconds
AGE_KEPT = 10  # seconds; it is shown in minutes


@login_not_required
@require_safe
def home(request: Request) -> HttpResponse:
    """The catalogue; for htmx only what the filters change.

    Its parts are drawn once for all who see the same (four statements, six when they have to be drawn).
    """
    partial = request.htmx and not request.htmx.boosted and not request.htmx.history_restore_request
    template = "catalog/_found.html" if partial else "catalog/home.html"
    wish, now = Wish.of(request.GET), revisions_now()
    index = current_index(now)
    answer = index.find(wish.words, wish.chosen, wish.sort)
    found = SimpleLazyObject(lambda: catalogue(wish, answer))
    locks = mark_locked(lambda: found.page.object_list, request.user, now.templates)
    refreshed = ago(caches["fragments"].get_or_set("refreshed", _finished, AGE_KEPT))
    context = {
        "catalogue": found,
        "wish": wish,
        "refreshed": refreshed,
        "sorts": SORTS,
        "nav": "modules",
        # All that the kept parts depend on. An empty page is not kept: it says what the catalogue waits for.
        "drawn_as": (
            index.signature,
            wish,
            locks,
            refreshed,
            get_language(),
            timezone.get_current_timezone_name(),
        ),
        "kept": KEPT if answer.pks else 0,
    }
    return render(request, template, context)


def _finished() -> datetime | None:
    """When the catalogue was last refreshed; it is looked up once for the readers of a few seconds."""
    run = RefreshRun.objects.last_finished()
    return run.finished if run else None


@login_not_required
@require_safe
def module(request: HttpRequest, slug: str) -> HttpResponse:
    """One module, also one that is broken or withdrawn. ``?preview``: as somebody
    without groups sees it, also while it is hidden, for curators.
    """
    preview = "preview" in request.GET and request.user.has_perm("catalog.change_module")
    shown = Module.objects.all() if preview else Module.objects.known()
    found = shown.select_related("successor").filter(slug=slug).first()
    if found and found.state == Module.State.GONE and found.successor and not found.successor.hidden:
        return redirect(found.successor)
    if found and found.kind == Module.Kind.EXTERNAL:
        return redirect("deployments:configure", slug)  # there is nothing to tell about somebody's own image
    if found is None:
        similar = Module.objects.for_list().search(slug.replace("-", " "))[:3]
        missing = {"slug": slug, "similar": similar, "nav": "modules"}
        return render(request, "catalog/missing.html", missing, status=404)
    page = module_page(found, None if preview else request.user)
    context = {"page": page, "module": found, "nav": "modules", "preview": preview}
    return render(request, "catalog/module.html", context)


@login_not_required
@require_safe
def picture(request: HttpRequest, digest: str) -> HttpResponse:
    """A stored picture. Its address is made of its content, so browsers may keep it for good."""
    found = Picture.objects.filter(digest=digest).exclude(digest="").first()
    if found is None:
        raise Http404
    response = HttpResponse(bytes(found.content), content_type=found.media_type)
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"  # not shown
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


@login_not_required
@require_safe
def metadata(request: HttpRequest, slug: str) -> HttpResponse:
    """The module's metadata as upstream wrote it (the last good version)."""
    found = get_object_or_404(Module.objects.known(), slug=slug)
    if not found.metadata:
        raise Http404
    response = JsonResponse(found.metadata, json_dumps_params={"indent": 2, "ensure_ascii": False})
    response.headers["Content-Disposition"] = f'attachment; filename="{found.slug}.metadata.json"'
    return response
