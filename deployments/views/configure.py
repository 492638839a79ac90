"""The page on which a module is configured and deployed: `/module/<name>`, as marketplace links call it."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.kept import keeps_form, owner_field, take_form
from accounts.models import User
from catalog.models import Module, TemplateChoice
from deepdash.errors import Problem
from deepdash.limits import count
from deepdash.types import Request
from deployments.configuration import ConfigurePage, page_for_data, page_for_link, submission_of
from deployments.providers import providers_for
from deployments.states import Status
from deployments.submission import deployment_submit


@keeps_form
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def configure(request: Request, slug: str) -> HttpResponse:
    """The form; POST applies a choice, reviews, or deploys, by the button that was pressed."""
    module = get_object_or_404(Module.objects.visible(), slug=slug)
    templates = module.template_choices()
    if not templates or not module.deployable:
        return render(request, "deployments/not_deployable.html", {"nav": "modules", "module": module}, status=409)
    if request.method == "POST":
        return _answer(request, module, templates)
    typed = take_form(request, path=request.path)
    if typed is not None:
        page = page_for_data(module, templates, typed)
        page.notice = "You are signed in again, and this is what you typed. It has not been sent yet."
    else:
        page = page_for_link(module, templates, request.GET)
    return _render(request, page)


@never_cache
@require_safe
def providers(request: Request, slug: str) -> HttpResponse:
    """The provider drop-down, which follows the page when SLAM and CMDB have answered."""
    module = get_object_or_404(Module.objects.visible(), slug=slug)
    page = page_for_link(module, module.template_choices(), request.GET)
    _load_providers(request, page, fresh="again" in request.GET)
    return render(request, "deployments/_providers.html", {"page": page, "chosen": request.GET.get("provider", "")})


def _answer(request: Request, module: Module, templates: list[TemplateChoice]) -> HttpResponse:
    action = request.POST.get("action", "apply")
    generate = request.POST.get("generate", "")
    page = page_for_data(
        module,
        templates,
        request.POST,
        generate=generate,
        check=action in {"deploy", "review"} and not generate,
    )
    if request.POST.get("part") == "summary" and request.htmx:
        return render(request, "deployments/_summary.html", {"page": page})
    if generate or action not in {"deploy", "review"}:
        if action == "providers":
            _load_providers(request, page)
        return _render(request, page)
    if not page.form.check:  # a choice was changed in the same breath: show what follows from it before sending
        page.notice = "Your choices changed some values below. Look at them, then deploy."
        return _render(request, page)
    if not page.form.is_valid():
        return _render(request, page, status=422)
    if action == "review":
        page.review = True
        return _render(request, page)
    return _deploy(request, page)


def _deploy(request: Request, page: ConfigurePage) -> HttpResponse:
    try:
        count("submit", f"user {_user(request).pk}", limit=20, seconds=60)
        deployment = deployment_submit(user=_user(request), submission=submission_of(page))
    except Problem as problem:
        if problem.id == "login:expired":
            raise  # the login middleware keeps the form and asks to sign in again
        page.problem = problem
        return _render(request, page, status=422)  # a 5xx would tell the proxy in front that we are ill
    if deployment.status == Status.UNCERTAIN:
        unknown = Problem("submit:unknown")
        messages.add_message(request, messages.WARNING, f"{unknown.headline} {unknown.step}", extra_tags="warn")
    else:
        messages.success(request, f"Deployment requested: {deployment.shown_title}.", extra_tags="ok")
    return redirect(deployment)


def _load_providers(request: Request, page: ConfigurePage, *, fresh: bool = False) -> None:
    try:
        found = providers_for(_user(request), fresh=fresh)
    except Problem as problem:
        if problem.id == "login:expired":
            raise
        page.providers_problem = problem
        return
    kind = page.template.template.kind
    page.providers = [provider for provider in found if provider.kind_fits(kind)]


def _render(request: Request, page: ConfigurePage, *, status: int = 200) -> HttpResponse:
    partial = request.htmx and not request.htmx.boosted
    context = {
        "nav": "modules",
        "page": page,
        "owner_field": owner_field(request.user),
        "chosen": page.form["provider"].value() or "" if "provider" in page.form.fields else "",
    }
    name = "deployments/_configure_form.html" if partial else "deployments/configure.html"
    response = render(request, name, context, status=status)
    if partial:  # so that the address in the bar is always a link to what is shown
        response.headers["HX-Replace-Url"] = f"{request.path}?{page.choices.query()}"
    return response


def _user(request: Request) -> User:
    assert isinstance(request.user, User)  # the login middleware lets nobody else through
    return request.user
