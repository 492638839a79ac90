"""The providers page (`/slas`) and the services in use (`/settings`)."""

from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.active_group import active_group
from accounts.models import User
from deepdash.config import config
from deepdash.errors import Problem
from deepdash.http import ServiceError
from deepdash.types import Request
from deployments.clients.monitoring import Metric, Monitoring
from deployments.endpoints import addresses_configured, orchestrator_names_them, service_addresses
from deployments.health import services_health
from deployments.providers import Provider, providers_for, providers_known
from deployments.quotas import Held, held_by, standing
from deployments.views.common import ask, signed_in


@never_cache
@require_safe
def providers(request: Request) -> HttpResponse:
    """The page at once; the providers follow as a fragment, or with ``?fresh=1`` in the page."""
    user, group = signed_in(request), request.GET.get("group", active_group(request))
    fragment, fresh = bool(request.htmx), "fresh" in request.GET
    found: list[Provider] = []
    problem: Problem | None = None
    if fragment or fresh:
        found, problem = ask(lambda: providers_for(user, group or None, fresh=fresh), [])
    held = held_by(user) if found else {}
    context = {
        "nav": "providers",
        "found": [(it, standing(it.quotas, held.get(it.service_id, Held()))) for it in found],
        "problem": problem,
        "read": fragment or fresh,
        "group": group,
        "customer": group or user.organisation,
    }
    return render(request, "deployments/_agreements.html" if fragment else "deployments/providers.html", context)


@never_cache
@require_safe
def settings(request: Request) -> HttpResponse:
    """Which services this dashboard works with."""
    user = signed_in(request)
    addresses, asked = addresses_configured(), orchestrator_names_them()
    problem: Problem | None = None
    if asked and (request.htmx or "fresh" in request.GET):
        addresses, problem = ask(lambda: service_addresses(user), addresses)
    services = [
        (_("INDIGO IAM"), config.IAM_BASE_URL, _("accounts and groups")),
        (_("PaaS Orchestrator"), config.ORCHESTRATOR_URL, _("deployments")),
        ("SLAM", addresses.slam, _("agreements with providers")),
        ("CMDB", addresses.cmdb, _("facts about providers")),
        (_("Infrastructure Manager"), addresses.im, _("virtual machines and their logs")),
        (_("Monitoring"), addresses.monitoring, _("measurements of providers")),
    ]
    context = {
        "services": services,
        "addresses": addresses,
        "problem": problem,
        "waiting": asked and not addresses.found and not problem,
    }
    return render(request, "deployments/_services.html" if request.htmx else "deployments/settings.html", context)


@never_cache
@require_safe
def measured(request: Request) -> HttpResponse:
    """What monitoring measured last at one of the user's providers (``service``, ``group``).

    The page at once; the figures follow as a fragment, or with ``?fresh=1`` in the page.
    """
    user, group = signed_in(request), request.GET.get("group", active_group(request))
    service, asked = request.GET.get("service", ""), bool(request.htmx) or "fresh" in request.GET
    known = providers_for(user, group or None) if asked else providers_known(user, group or None)
    found = next((it for it in known or [] if it.service_id == service), None)
    if found is None and known is not None:
        raise Problem("page:missing")
    metrics, problem = ask(lambda: _metrics(user, found), ()) if asked and found else ((), None)
    address = f"{request.path}?{urlencode({'service': service, 'group': group})}"
    context = {
        "nav": "providers",
        "name": found.name if found else service,
        "service": service,
        "asked": asked,
        "metrics": metrics,
        "problem": problem,
        "address": address,
    }
    return render(request, "deployments/_metrics.html" if request.htmx else "deployments/metrics.html", context)


@never_cache
@require_safe
def health(request: Request) -> HttpResponse:
    """Whether the services answer, for curators alone: the answers tell more than users need.

    The page at once; the answers follow as a fragment, or with ``?fresh=1`` in the page.
    """
    user = signed_in(request)
    if not user.is_staff:
        raise Problem("page:denied")
    context = {"health": services_health(user) if request.htmx or "fresh" in request.GET else None}
    return render(request, "deployments/_health.html" if request.htmx else "deployments/health.html", context)


def _metrics(user: User, provider: Provider) -> tuple[Metric, ...]:
    address = service_addresses(user).monitoring
    if not address:
        raise ServiceError("service:unset", service=Monitoring.name, sent=False)
    return Monitoring(user, address).metrics(provider.sitename or provider.name, provider.service_id)
