"""Who uses the dashboard, the tokens IAM gave for them, and forms kept while they sign in again."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, Group, PermissionsMixin
from django.db import models
from django.utils import timezone

from accounts.groups import MAX_GROUP
from deepdash.clock import within
from deepdash.fields import EncryptedTextField

REFRESH_AHEAD = timedelta(seconds=120)
FAILURE_PAUSE = timedelta(seconds=10)


class UserManager(BaseUserManager["User"]):
    def create_user(self, *, issuer: str, subject: str, **fields: Any) -> "User":
        """Make the user that ``issuer`` knows as ``subject``. There are no passwords here."""
        user = self.model(issuer=issuer, subject=subject, **fields)
        user.set_unusable_password()
        user.save(using=self._db)
        return user

    def create_superuser(self, *, issuer: str, subject: str, **fields: Any) -> "User":
        """Make an all-powerful user, who signs in through IAM like everybody else.

        ``createsuperuser`` also sends an identity and a password; the one is derived, the other has no use.
        """
        fields = {name: value for name, value in fields.items() if name not in {"identity", "password"}}
        return self.create_user(issuer=issuer, subject=subject, is_staff=True, is_superuser=True, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    """A person as IAM describes them, known by issuer and subject; name, e-mail and groups may change there.

    ``groups`` are the groups at IAM. Django's own groups, which carry permissions here, are ``roles``.
    """

    issuer = models.CharField(max_length=255, editable=False, help_text="Address of the IAM, no slash at its end")
    subject = models.CharField(max_length=255, editable=False)
    identity = models.CharField(max_length=511, unique=True, editable=False, help_text="subject@issuer")
    name = models.CharField(max_length=200, blank=True)
    email = models.EmailField(blank=True)
    organisation = models.CharField(max_length=200, blank=True)
    groups: "models.JSONField[Any, list[str]]" = models.JSONField(default=list, blank=True)  # type: ignore[assignment]
    # The names are those of PermissionsMixin.groups, which the line above replaces: the framework asks for them.
    roles = models.ManyToManyField(Group, blank=True, related_name="user_set", related_query_name="user")
    is_staff = models.BooleanField("curator", default=False)
    is_active = models.BooleanField(default=True)
    active_group = models.CharField(
        max_length=MAX_GROUP, blank=True, help_text="The one worked for; empty: organisation"
    )
    timezone = models.CharField(max_length=64, blank=True)
    language = models.CharField(max_length=16, blank=True, default="", db_default="", help_text="Empty: the browser's")
    ssh_key = models.TextField(
        blank=True, default="", db_default="", help_text="Public; filled in where a template asks for one"
    )
    mail_notices = models.BooleanField(default=True, help_text="Notices are sent by e-mail too, where there is mail")
    created_at = models.DateTimeField(auto_now_add=True)
    seen_at = models.DateTimeField(null=True, blank=True, help_text="When IAM last told us about this user")

    USERNAME_FIELD = "identity"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["issuer", "subject"]

    objects: ClassVar[UserManager] = UserManager()

    class Meta:
        ordering = ["name", "id"]
        constraints = [models.UniqueConstraint(fields=["issuer", "subject"], name="user_issuer_subject")]

    def __str__(self) -> str:
        return self.get_full_name()

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.issuer = self.issuer.rstrip("/")
        self.identity = f"{self.subject}@{self.issuer}"
        super().save(*args, **kwargs)

    def clean(self) -> None:
        """Nothing: the base class would rewrite the identity, which is derived."""

    def get_full_name(self) -> str:
        return self.name or self.email or self.subject

    def short_name(self) -> str:
        """What to call the user where space is short: the first word of the name."""
        return self.get_full_name().split(" ", 1)[0]

    get_short_name = short_name  # the name the admin's header asks for

    @property
    def current_group(self) -> str:
        """The group worked for, if the user is still in it."""
        return self.active_group if self.active_group in self.groups else ""

    @property
    def can_switch(self) -> bool:
        """Whether there is more than one thing to work for."""
        return len(self.groups) + bool(self.organisation) > 1 and bool(self.groups)

    def in_groups(self, names: Iterable[str]) -> bool:
        """True when the user is in at least one of the IAM groups."""
        return any(name.strip("/") in self.groups for name in names)

    def missing_groups(self, names: Iterable[str]) -> list[str]:
        """Those of the IAM groups that the user is not in, in their order."""
        return [name for name in names if name.strip("/") not in self.groups]


class Token(models.Model):
    """What IAM gave for a user, one row each. Only ``accounts.tokens`` reads or writes it.

    ``version`` grows with every change, so that nobody acts on a row that changed since it was read. ``claim`` and
    ``claimed_until`` name the one process that is refreshing.
    """

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="token")
    access_token = EncryptedTextField(blank=True)
    refresh_token = EncryptedTextField(blank=True)
    id_token = EncryptedTextField(blank=True)
    scopes = models.TextField(blank=True, help_text="As granted, separated by blanks")
    expires_at = models.DateTimeField(null=True)
    refreshed_at = models.DateTimeField(null=True)
    failed_at = models.DateTimeField(null=True)
    claim = models.CharField(max_length=32, blank=True)
    claimed_until = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"tokens of user {self.user_id}"  # not shown

    def left(self, now: datetime | None = None) -> timedelta:
        """How long the access token is still valid; zero when there is none."""
        if not self.access_token or self.expires_at is None:
            return timedelta(0)
        return max(timedelta(0), self.expires_at - (now or timezone.now()))

    @property
    def is_fresh(self) -> bool:
        """True until it is time to refresh: two minutes before the end, or half-way for very short-lived tokens."""
        if self.expires_at is None or self.refreshed_at is None:
            return False
        return self.left() >= min(REFRESH_AHEAD, (self.expires_at - self.refreshed_at) / 2) > timedelta(0)

    @property
    def failed_just_now(self) -> bool:
        """True when IAM failed so recently that asking again would only make a page slow."""
        return within(self.failed_at, FAILURE_PAUSE)


class KeptForm(models.Model):
    """A form that was sent when its user's session had ended, until they have signed in again.

    ``key`` is known to the session that sent it, ``user`` is whom the form was made for (empty: nobody was signed
    in), ``data`` what was typed, as ``QueryDict.urlencode`` writes it.
    """

    key = models.CharField(max_length=43, unique=True)
    path = models.CharField(max_length=2000)
    user = models.ForeignKey(User, null=True, on_delete=models.CASCADE, related_name="+")
    data = EncryptedTextField()
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    def __str__(self) -> str:
        return f"form kept for {self.path}"  # not shown
