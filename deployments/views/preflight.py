"""The answers from outside that the advice beside the form waits for, each a line by itself."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from deepdash.limits import limited
from deepdash.types import Request
from deployments.counts import count_of
from deployments.models import StorageAccount
from deployments.preflight import Advice, is_fresh, provider_advice, storage_advice
from deployments.providers import providers_for
from deployments.quotas import Held, held_by
from deployments.storage.services import storage_account_test
from deployments.views.common import ask, signed_in


@never_cache
@require_safe
def providers(request: Request) -> HttpResponse:
    """Whether there is a provider for what is about to be sent."""
    user = signed_in(request)
    found, problem = ask(lambda: providers_for(user, user.current_group), [])
    if problem:
        text = _("Providers are not known right now: %(problem)s") % {"problem": problem.headline}
        return _line(request, Advice("idle", "help", text))
    wanted = Held(cpus=count_of(request.GET.get("cpus")) or 0, gpus=count_of(request.GET.get("gpus")) or 0)
    kind, chosen = request.GET.get("kind", ""), request.GET.get("provider", "")
    return _line(request, provider_advice(found, kind=kind, wanted=wanted, chosen=chosen, held=held_by(user)))


@limited("storage", limit=20, seconds=60, methods=("GET",))
@never_cache
@require_safe
def storage(request: Request, pk: int) -> HttpResponse:
    """Whether the chosen storage accepts the sign-in; asked again only when the last answer is old."""
    account = get_object_or_404(StorageAccount.objects.of(signed_in(request)), pk=pk)
    if not is_fresh(account):
        storage_account_test(account=account)
    return _line(request, storage_advice(account))


def _line(request: Request, advice: Advice) -> HttpResponse:
    return render(request, "deployments/_advice.html", {"it": advice})
