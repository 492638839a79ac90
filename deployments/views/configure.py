"""The form: a module is configured and deployed (`/module/<name>`, as marketplace links call it), a deployment is
made again from its own template, or updated."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.kept import keeps_form, owner_field, take_form
from catalog.models import Module
from deepdash.errors import Problem
from deepdash.limits import count
from deepdash.types import Request
from deployments.configuration import ConfigurePage, Subject, page_for_data, submission_of
from deployments.models import Deployment
from deployments.opening import offers_for, page_for_training, page_to_begin
from deployments.preflight import advice_for
from deployments.presets.services import preset_delete, preset_save
from deployments.providers import providers_for
from deployments.quotas import held_by, label_with_use
from deployments.states import Status
from deployments.status import configure_url
from deployments.subjects import deployable_module, subject_alone, subject_of_module
from deployments.submission import deployment_submit
from deployments.trainings.replay import run_by_key, training_follow
from deployments.updates import changed_inputs, deployment_update, why_not_updatable
from deployments.views.common import find, signed_in


@keeps_form
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def configure(request: Request, slug: str) -> HttpResponse:
    """The form of a module; POST applies a choice, reviews, or deploys, by the button that was pressed."""
    module = Module.objects.reached_by(slug)
    if module is None:
        return _without_module(request)
    if module.slug != slug:  # it was renamed; what was typed meanwhile goes along
        address = reverse("deployments:configure", args=[module.slug])
        return HttpResponseRedirect(f"{address}?{request.GET.urlencode()}", preserve_request=True)
    try:
        subject = subject_of_module(signed_in(request), module)
    except Problem:
        if "from" in request.GET:
            return _without_module(request)
        return render(request, "deployments/not_deployable.html", _why_not(request, module), status=409)
    return _form_page(request, subject)


def _why_not(request: Request, module: Module) -> dict[str, Any]:
    return {"nav": "modules", "module": module, "locked": module.offer(signed_in(request)).locked}


@keeps_form
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def again(request: Request, uuid: str) -> HttpResponse:
    """A deployment once more: in its module's form, or from its own template when there is no such form."""
    deployment = find(request, uuid)
    if request.method != "POST" and deployable_module(deployment):
        query = urlencode({"record": request.GET["record"]}) if "record" in request.GET else ""
        return redirect(f"{configure_url(deployment)}{'&' if query else ''}{query}")
    try:
        subject = subject_alone(signed_in(request), deployment)
    except Problem as problem:
        return _impossible(request, deployment, problem)
    return _form_page(request, subject)


@keeps_form
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def update(request: Request, uuid: str) -> HttpResponse:
    """The form that changes a running deployment, or why that is not possible."""
    deployment = find(request, uuid)
    if request.method == "POST" and deployment.status == Status.UPDATE_IN_PROGRESS:  # a second press
        return redirect(deployment)
    try:
        if reason := why_not_updatable(deployment):
            raise Problem("update:not-possible", title=deployment.shown_title, cause=reason)
        subject = subject_alone(signed_in(request), deployment, updates=True)
    except Problem as problem:
        return _impossible(request, deployment, problem)
    return _form_page(request, subject)


@never_cache
@require_safe
def providers(request: Request, slug: str) -> HttpResponse:
    """The provider drop-down, which follows the page when SLAM and CMDB have answered."""
    module = get_object_or_404(Module.objects.visible(), slug=slug)
    try:
        subject = subject_of_module(signed_in(request), module)
    except Problem:
        raise Http404 from None
    return _providers(request, subject)


@never_cache
@require_safe
def providers_again(request: Request, uuid: str) -> HttpResponse:
    """The same for a template that stands alone."""
    return _providers(request, subject_alone(signed_in(request), find(request, uuid)))


def _form_page(request: Request, subject: Subject) -> HttpResponse:
    if request.method == "POST":
        return _answer(request, subject)
    typed = take_form(request, path=request.path)
    if typed is not None:
        page = _page_for_data(subject, typed)
        page.notice = _("You are signed in again, and this is what you typed. It has not been sent yet.")
    else:
        page = page_to_begin(subject, request.GET)
    return _render(request, page)


def _providers(request: Request, subject: Subject) -> HttpResponse:
    page = page_to_begin(subject, request.GET)
    _load_providers(request, page, fresh="again" in request.GET)
    return render(request, "deployments/_providers.html", {"page": page, "chosen": request.GET.get("provider", "")})


def _page_for_data(subject: Subject, data: QueryDict, **options: Any) -> ConfigurePage:
    page = page_for_data(subject, data, **options)
    run = None if subject.updates else run_by_key(subject.user, data.get("record", ""))
    if run:
        page_for_training(page, run, follows="follows" in data)
    return page


def _answer(request: Request, subject: Subject) -> HttpResponse:
    action = request.POST.get("action", "apply")
    generate = request.POST.get("generate", "")
    page = _page_for_data(
        subject,
        request.POST,
        generate=generate,
        check=action in {"deploy", "review"} and not generate,
    )
    if request.POST.get("part") == "summary" and request.htmx:
        return render(request, "deployments/_summary.html", {"page": page, "advice": advice_for(page)})
    now = page.subject.user.current_group
    if request.POST.get("form_group", now) != now and not subject.updates:  # switched in another tab
        page.notice = _group_changed(request.POST["form_group"], now)
        return _render(request, page)
    if deletes := request.POST.get("delete_preset", ""):
        _delete_preset(page, deletes)
        return _render(request, page)
    if generate or action not in {"deploy", "review"}:
        if action == "providers":
            _load_providers(request, page)
        if action == "save-preset" and not subject.alone:
            _save_preset(page, request.POST.get("preset_name", ""))
        return _render(request, page, status=page.problem.status if page.problem else 200)
    if not page.form.check:  # a choice was changed in the same breath: show what follows from it before sending
        page.notice = _("Your choices changed some values below. Look at them, then deploy.")
        return _render(request, page)
    if not page.form.is_valid():
        return _render(request, page, status=422)
    if action == "review":
        page.review = True
        return _render(request, page)
    return _update(request, page) if subject.updates else _deploy(request, page)


def _group_changed(begun: str, now: str) -> str:
    groups = {"begun": begun or _("your organisation"), "now": now or _("your organisation")}
    return (
        _(
            "This form was begun for %(begun)s, but you have switched to %(now)s meanwhile. Press again to go on for "
            "%(now)s, or switch back first. Nothing has been sent."
        )
        % groups
    )


def _deploy(request: Request, page: ConfigurePage) -> HttpResponse:
    try:
        count("submit", f"user {signed_in(request).pk}", limit=20, seconds=60)
        deployment = deployment_submit(user=signed_in(request), submission=submission_of(page))
    except Problem as problem:
        return _refused(request, page, problem)
    if deployment.status == Status.UNCERTAIN:
        unknown = Problem("submit:unknown")
        messages.add_message(request, messages.WARNING, f"{unknown.headline} {unknown.step}", extra_tags="warn")
    else:
        said = _("Deployment requested: %(title)s.") % {"title": deployment.shown_title}
        messages.success(request, said, extra_tags="ok")
    if page.record and page.follows:
        training_follow(user=signed_in(request), deployment=deployment, run=page.record)
        messages.info(request, _("Its training starts by itself as soon as its API answers."), extra_tags="busy")
    return redirect(deployment)


def _update(request: Request, page: ConfigurePage) -> HttpResponse:
    deployment, form = page.subject.origin, page.form
    assert deployment is not None  # an update is of something
    try:
        count("submit", f"user {signed_in(request).pk}", limit=20, seconds=60)
        deployment_update(
            user=signed_in(request),
            deployment=deployment,
            template=page.template.template.raw,
            changes=changed_inputs(deployment, form.parameters(), form.defaults()),
            secret_names=form.secret_names(),
            options=form.options(),
        )
    except Problem as problem:
        return _refused(request, page, problem)
    said = _("Update requested: %(title)s.") % {"title": deployment.shown_title}
    messages.success(request, said, extra_tags="ok")
    return redirect(deployment)


def _save_preset(page: ConfigurePage, name: str) -> None:
    try:
        preset, invalid = preset_save(user=page.subject.user, page=page, name=name)
    except Problem as problem:
        page.problem = problem
        return
    page.notice = _("Saved as your preset “%(name)s”; secrets are not part of it.") % {"name": preset.name}
    if invalid:
        left_out = _("Left out, as they are not valid: %(names)s.") % {"names": ", ".join(invalid)}
        page.notice = f"{page.notice} {left_out}"


def _delete_preset(page: ConfigurePage, key: str) -> None:
    pk = int(key) if key.isascii() and key.isdigit() and len(key) < 10 else 0
    name = preset_delete(user=page.subject.user, module_slug=page.module.slug, pk=pk)
    page.notice = _("Your preset “%(name)s” is deleted.") % {"name": name} if name else ""


def _refused(request: Request, page: ConfigurePage, problem: Problem) -> HttpResponse:
    if problem.id == "login:expired":
        raise problem  # the login middleware keeps the form and asks to sign in again
    page.problem = problem
    return _render(request, page, status=422)  # a 5xx would tell the proxy in front that we are ill


def _without_module(request: Request) -> HttpResponse:
    """Where a link to a module's form leads that no longer is: to the form of what was deployed from it."""
    origin = Deployment.objects.visible_to(request.user).by_reference(request.GET.get("from", "")).first()
    if origin is not None:
        address, record = reverse("deployments:again", args=[origin.reference]), request.GET.get("record", "")
        return redirect(f"{address}?{urlencode({'record': record})}" if record else address)
    if run := run_by_key(signed_in(request), request.GET.get("record", "")):
        text = _(
            "Its module is not in the catalogue, so it can’t be deployed from here; the record keeps its template."
        )
        messages.warning(request, text, extra_tags="warn")
        return redirect(run)
    raise Http404


def _impossible(request: Request, deployment: Deployment, problem: Problem) -> HttpResponse:
    """The page that says why there is no form. An ended login is not for it."""
    if problem.id == "login:expired":
        raise problem
    context = {"nav": "deployments", "deployment": deployment, "problem": problem, "again": configure_url(deployment)}
    return render(request, "deployments/no_form.html", context, status=problem.status)


def _load_providers(request: Request, page: ConfigurePage, *, fresh: bool = False) -> None:
    try:
        found = providers_for(page.subject.user, page.subject.user.current_group, fresh=fresh)
    except Problem as problem:
        if problem.id == "login:expired":
            raise
        page.providers_problem = problem
        return
    kind, held = page.template.template.kind, held_by(page.subject.user)
    page.provider_options = [
        (provider.sla_id, label_with_use(provider.label, provider.quotas, held.get(provider.service_id)))
        for provider in found
        if provider.kind_fits(kind)
    ]


def _render(request: Request, page: ConfigurePage, *, status: int = 200) -> HttpResponse:
    partial = request.htmx and not request.htmx.boosted
    context = {
        "nav": "deployments" if page.subject.alone else "modules",
        "page": page,
        "advice": advice_for(page),
        "offers": offers_for(page.subject),
        "owner_field": owner_field(request.user),
        "chosen": page.form["provider"].value() or "" if "provider" in page.form.fields else "",
    }
    name = "deployments/_configure_form.html" if partial else "deployments/configure.html"
    response = render(request, name, context, status=status)
    if partial and not page.subject.alone:  # so that the address in the bar is always a link to what is shown
        response.headers["HX-Replace-Url"] = f"{request.path}?{page.choices.query()}"
    return response
