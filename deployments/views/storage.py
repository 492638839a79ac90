"""Storage accounts: the list, adding, changing, testing and deleting one."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from deepdash.limits import limited
from deepdash.types import Request
from deployments.forms.storage import StorageAccountForm
from deployments.home_kept import home_forget
from deployments.models import StorageAccount
from deployments.storage.services import storage_account_test
from deployments.views.common import signed_in

MAX_ACCOUNTS = 20
_NAV = {"nav": "storage"}


@sensitive_post_parameters("password")
@limited("storage", limit=20, seconds=60)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def index(request: Request) -> HttpResponse:
    """The user's accounts; POST adds one, tests it, and says what came of it."""
    user = signed_in(request)
    accounts = list(StorageAccount.objects.of(user))
    full = len(accounts) >= MAX_ACCOUNTS
    form = StorageAccountForm(request.POST or None, instance=StorageAccount(owner=user))
    if request.method == "POST" and not full and form.is_valid():
        account = form.save()
        home_forget([user.pk])
        storage_account_test(account=account)
        _say(request, account, _("“%(account)s” is saved."))
        return redirect("deployments:storage")
    context = {**_NAV, "accounts": accounts, "form": form, "full": full, "limit": MAX_ACCOUNTS}
    return render(request, "deployments/storage.html", context, status=422 if form.is_bound else 200)


@sensitive_post_parameters("password")
@limited("storage", limit=20, seconds=60)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: Request, pk: int) -> HttpResponse:
    """Another name, address, user or password."""
    account = _find(request, pk)
    label = account.label
    form = StorageAccountForm(request.POST or None, instance=account)
    if request.method == "POST" and form.is_valid():
        account = form.save()
        storage_account_test(account=account)
        _say(request, account, _("“%(account)s” is changed."))
        return redirect("deployments:storage")
    context = {**_NAV, "account": account, "label": label, "form": form}
    return render(request, "deployments/storage_edit.html", context, status=422 if form.is_bound else 200)


@limited("storage", limit=20, seconds=60)
@require_POST
def test(request: Request, pk: int) -> HttpResponse:
    """Sign in there now."""
    account = _find(request, pk)
    storage_account_test(account=account)
    if request.htmx:
        return render(request, "deployments/_storage_account.html", {"account": account})
    _say(request, account, _("“%(account)s” is tested."))
    return redirect("deployments:storage")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: Request, pk: int) -> HttpResponse:
    """GET asks whether to delete, POST does it."""
    account = _find(request, pk)
    if request.method == "POST":
        account.delete()
        home_forget([account.owner_id])
        messages.success(request, _("“%(account)s” is deleted.") % {"account": account.label}, extra_tags="ok")
        return redirect("deployments:storage")
    return render(request, "deployments/storage_delete.html", {**_NAV, "account": account})


def _find(request: Request, pk: int) -> StorageAccount:
    return get_object_or_404(StorageAccount.objects.of(signed_in(request)), pk=pk)


def _say(request: Request, account: StorageAccount, done: str) -> None:
    done = done % {"account": account.label}
    if account.answers:
        accepts = _("It accepts the sign-in.")
        messages.success(request, f"{done} {accepts}", extra_tags="ok")
    else:
        messages.warning(request, f"{done} {account.why}.", extra_tags="warn")
