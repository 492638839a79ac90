"""The providers page (`/slas`) and the services in use (`/settings`)."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.active_group import active_group
from deepdash.config import config
from deepdash.errors import Problem
from deepdash.types import Request
from deployments.endpoints import Addresses, service_addresses
from deployments.providers import Provider, providers_for
from deployments.views.common import attempt, signed_in


@never_cache
@require_safe
def providers(request: Request) -> HttpResponse:
    """The page at once; the providers follow as a fragment, or with ``?fresh=1`` in the page."""
    user, group = signed_in(request), request.GET.get("group", active_group(request))
    fragment, fresh = bool(request.htmx), "fresh" in request.GET
    found: list[Provider] = []
    problem: Problem | None = None
    if fragment or fresh:
        problem = attempt(lambda: found.extend(providers_for(user, group or None, fresh=fresh)))
    context = {
        "nav": "providers",
        "found": found,
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
    configured = Addresses(config.SLAM_URL, config.CMDB_URL, config.IM_URL, config.MONITORING_URL)
    told = [configured]
    problem: Problem | None = None
    asked = not config.IM_URL and bool(config.ORCHESTRATOR_URL)
    if asked and (request.htmx or "fresh" in request.GET):
        problem = attempt(lambda: told.append(service_addresses(user)))
    addresses = told[-1]
    services = [
        ("INDIGO IAM", config.IAM_BASE_URL, "accounts and groups"),
        ("PaaS Orchestrator", config.ORCHESTRATOR_URL, "deployments"),
        ("SLAM", addresses.slam, "agreements with providers"),
        ("CMDB", addresses.cmdb, "facts about providers"),
        ("Infrastructure Manager", addresses.im, "virtual machines and their logs"),
        ("Monitoring", addresses.monitoring, "measurements of providers"),
    ]
    context = {
        "services": services,
        "addresses": addresses,
        "problem": problem,
        "waiting": asked and not addresses.found and not problem,
    }
    return render(request, "deployments/_services.html" if request.htmx else "deployments/settings.html", context)
