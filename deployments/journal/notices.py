"""Notices: made once per change, whoever sees it first; shown in the page's bell and sent by e-mail."""

import logging
import smtplib
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.mail import EmailMessage
from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from deepdash.config import config
from deployments.home_kept import home_forget
from deployments.journal.models import DETAIL_CHARS, Notice
from deployments.reasons import reason_of, site_name
from deployments.states import COMPLETE, FAILED, Status

if TYPE_CHECKING:
    from accounts.models import User
    from deployments.models import StatusEvent

log = logging.getLogger(__name__)

KEPT = timedelta(days=90)
MAILS_AT_ONCE = 50
_HEADLINES: dict[str, str] = {
    Status.CREATE_COMPLETE: gettext_noop("“{title}” is deployed"),
    Status.UPDATE_COMPLETE: gettext_noop("“{title}” is updated"),
    Status.CREATE_FAILED: gettext_noop("“{title}” could not be created"),
    Status.UPDATE_FAILED: gettext_noop("“{title}” could not be updated"),
    Status.DELETE_FAILED: gettext_noop("“{title}” could not be deleted"),
}


def notices_make(events: Iterable["StatusEvent"]) -> None:
    """Tell the owners what of these new lines of timelines is news: that something is deployed, or failed.

    Two statements, however many there are, and none when nothing is news. Mails go out after the transaction, and
    then their home pages are drawn anew.
    """
    events = list(events)
    owners = {event.deployment.owner_id for event in events}
    transaction.on_commit(lambda: home_forget(owners))
    news = [event for event in events if _is_news(event)]
    languages = languages_of(event.deployment.owner_id for event in news) if news else {}
    notices = []
    for event in news:
        with translation.override(languages[event.deployment.owner_id]):
            notices.append(_notice(event))
    notices_keep(notices)


def languages_of(users: Iterable[int]) -> dict[int, str]:
    """The language in which each of these users is written to: what they chose, else the dashboard's."""
    chosen = get_user_model().objects.filter(pk__in=set(users)).values_list("pk", "language")
    return {pk: language or settings.LANGUAGE_CODE for pk, language in chosen}


def notices_keep(news: "Sequence[Notice]") -> None:
    """Keep notices, each cause once, and have them mailed after the transaction."""
    if not news:
        return
    Notice.objects.bulk_create(news, ignore_conflicts=True)
    if any(notice.mail_due for notice in news):
        from deployments.tasks import send_mails  # tasks import services, which import this

        transaction.on_commit(send_mails.delay)


def notices_read(*, user: "User", pk: int | None = None) -> None:
    """Mark one notice as read, or all."""
    mine = Notice.objects.of(user).unread()
    (mine if pk is None else mine.filter(pk=pk)).update(read_at=timezone.now())


def notices_mail() -> int:
    """Send the mails that are due, each once: who takes one up clears its mark first. Returns how many were sent.

    A mail that the server does not take is logged and not tried again; the notice itself is on the page.
    """
    sent = 0
    due = Notice.objects.filter(mail_due=True).select_related("user", "deployment", "training").order_by("created_at")
    for notice in due[:MAILS_AT_ONCE]:
        if not Notice.objects.filter(pk=notice.pk, mail_due=True).update(mail_due=False):
            continue  # another process was quicker
        if not wants_mail(notice.user):
            continue
        try:
            with translation.override(notice.user.language or settings.LANGUAGE_CODE):
                sent += _mail(notice).send()
        except (OSError, smtplib.SMTPException) as error:
            log.warning("The mail of notice %s was not sent: %s", notice.pk, error)
    return sent


def notices_forget() -> int:
    """Remove notices that are older than KEPT; returns how many."""
    return Notice.objects.filter(created_at__lt=timezone.now() - KEPT).delete()[0]


def wants_mail(user: "User") -> bool:
    """Whether there is mail at all, and the user has an address and did not switch it off."""
    return bool(config.EMAIL_URL and user.email and user.mail_notices and user.is_active)


def _is_news(event: "StatusEvent") -> bool:
    """True for a change of state; a changed task or provider is a line in the timeline, but no news."""
    return event.status in _HEADLINES and event.deployment.status_since == event.at


def _notice(event: "StatusEvent") -> Notice:
    deployment = event.deployment
    told = deployment.updated_at or deployment.created_at
    return Notice(
        user_id=deployment.owner_id,
        kind=Notice.Kind.READY if event.status in COMPLETE else Notice.Kind.FAILED,
        deployment=deployment,
        cause=f"{event.status} {told:%Y-%m-%dT%H:%M}",
        headline=_(_HEADLINES[event.status]).format(title=deployment.shown_title)[:200],
        detail=_detail(event)[:DETAIL_CHARS],
        created_at=event.at,
        mail_due=bool(config.EMAIL_URL),
    )


def _detail(event: "StatusEvent") -> str:
    if event.status in FAILED:
        reason = reason_of(event.reason, event.status)
        return f"{reason.explanation.short}. {reason.explanation.advice}" if reason else _("No reason was given.")
    site = site_name(event.provider_name)
    if not site:
        return _("It runs. The service inside may need a few minutes more.")
    return _("It runs at %(site)s. The service inside may need a few minutes more.") % {"site": site}


def _mail(notice: Notice) -> EmailMessage:
    """Plain text. A title can't add headers: line ends are folded away."""
    address = f"{config.PUBLIC_URL}{notice.get_absolute_url()}" if config.PUBLIC_URL else ""
    switch_off = f"{config.PUBLIC_URL}/preferences" if config.PUBLIC_URL else _("Preferences, in the account menu")
    ending = _("To get no more of these mails: %(where)s") % {"where": switch_off}
    paragraphs = [notice.detail, address, ending]
    return EmailMessage(
        subject=" ".join(notice.headline.split()),
        body="\n\n".join(filter(None, paragraphs)) + "\n",
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[notice.user.email],
        headers={"Auto-Submitted": "auto-generated"},  # RFC 3834: no robot shall answer it
    )
