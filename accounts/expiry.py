"""Forgetting what has run out."""

import logging
from datetime import timedelta

from django.core.management import call_command
from django.db.models import Q
from django.utils import timezone

from accounts.kept import LIFETIME
from accounts.models import KeptForm, Token
from accounts.tokens import tokens_forget

log = logging.getLogger(__name__)

TOKEN_LIFETIME = timedelta(days=60)  # twice the default life of a refresh token (contract 9.3)


def expired_forget() -> None:
    """Delete expired sessions, kept forms past their hour, and tokens nobody can use any more.

    Those are the tokens of blocked users (withdrawn at IAM too), rows that IAM emptied by ``invalid_grant``, and
    rows that were not refreshed for so long that IAM no longer accepts them.
    """
    now = timezone.now()
    call_command("clearsessions")
    forms, _ = KeptForm.objects.filter(created_at__lt=now - LIFETIME).delete()
    blocked = Token.objects.filter(user__is_active=False).select_related("user")
    for token in blocked:
        tokens_forget(token.user)
    rows = Token.objects.filter(Q(expires_at__isnull=True) | Q(refreshed_at__lt=now - TOKEN_LIFETIME))
    tokens, _ = rows.delete()
    log.info("Forgotten: %d kept forms, %d tokens", forms, tokens + len(blocked))
