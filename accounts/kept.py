"""Forms that were sent after their user's session had ended, kept until they have signed in again.

A form is given back once, to the session that sent it, and to the user it was made for. To say who that is, a page
with such a form carries ``<input type="hidden" name="form_owner" value="{{ owner_field }}">``: when the session has
ended nothing else tells, and whoever signs in next in the same browser may be somebody else.
"""

import logging
import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

from django.contrib.auth.models import AnonymousUser
from django.core import signing
from django.http import HttpRequest, HttpResponseBase, QueryDict
from django.utils import timezone

from accounts.models import KeptForm, User

log = logging.getLogger(__name__)

OWNER_FIELD = "form_owner"
LIFETIME = timedelta(hours=1)
MAX_BYTES = 256 * 1024
SESSION_KEY = "kept_forms"
NOT_KEPT = ("csrfmiddlewaretoken", OWNER_FIELD)  # both are made anew with the page

View = TypeVar("View", bound=Callable[..., HttpResponseBase])
_signer = signing.Signer(salt="accounts.kept.owner")


def keeps_form(view: View) -> View:
    """Mark a view: a POST to it that needs signing in first is kept and comes back with ``take_form``."""
    view.keeps_form = True  # type: ignore[attr-defined]
    return view


def owner_field(user: User | AnonymousUser) -> str:
    """The value of the hidden field ``form_owner``: whom this page was made for, signed."""
    return _signer.sign(str(user.pk or 0))


def keep_form(request: HttpRequest, *, path: str, user: User | None = None) -> str:
    """Keep what this POST carries for the form page at ``path``; files are not kept.

    ``user`` is whose form it is, when the session still knows; otherwise the form's own ``form_owner`` says. Returns
    the key, or an empty text when nothing was kept: too large, made for another user, or it can't be told whose it is.
    """
    said = _owner(request)
    if said is None and (user is None or OWNER_FIELD in request.POST):
        log.info("A form sent to %s was not kept: it does not say whose it is", request.path)
        return ""
    owner = user.pk if user is not None else said
    if said and said != owner:
        log.info("A form sent to %s was not kept: it was made for another user", request.path)
        return ""
    if owner and not User.objects.filter(pk=owner, is_active=True).exists():
        return ""
    data = request.POST.copy()
    for name in NOT_KEPT:
        data.pop(name, None)
    text = data.urlencode()
    if len(text) > MAX_BYTES or len(path) > 2000:
        log.info("A form sent to %s was not kept: %d bytes", request.path, len(text))
        return ""
    form = KeptForm.objects.create(key=secrets.token_urlsafe(32), path=path, user_id=owner or None, data=text)
    request.session[SESSION_KEY] = {**_keys(request), path: form.key}
    return form.key


def has_form(request: HttpRequest, *, path: str) -> bool:
    """True when a form is kept for this session and path, whoever it belongs to."""
    return path in _keys(request)


def take_form(request: HttpRequest, *, path: str) -> QueryDict | None:
    """The form that this session sent to ``path`` before its user signed in again, or None. It is given once.

    Somebody else than the user it was made for gets nothing, and it is gone then.
    """
    keys = _keys(request)
    key = keys.pop(path, None)
    if key is None:
        return None
    request.session[SESSION_KEY] = keys
    form = KeptForm.objects.filter(key=key, created_at__gt=timezone.now() - LIFETIME).first()
    # Of two requests at once one deletes the row, and only that one gets the form.
    if form is None or not KeptForm.objects.filter(pk=form.pk).delete()[0]:
        return None
    if form.path != path or (form.user_id is not None and form.user_id != request.user.pk):
        return None
    return QueryDict(form.data)


def _owner(request: HttpRequest) -> int | None:
    """Whom the form says it was made for: a user's key, 0 for nobody, None when it does not say, or not truly."""
    try:
        return int(_signer.unsign(request.POST.get(OWNER_FIELD, "")))
    except (signing.BadSignature, ValueError):
        return None


def _keys(request: HttpRequest) -> dict[str, Any]:
    return dict(request.session.get(SESSION_KEY, {}))
