from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import F
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from deepdash.fields import EncryptedTextField

if TYPE_CHECKING:
    from accounts.models import User

LABEL_CHARS = 60
VENDORS = (
    ("nextcloud", gettext_lazy("Nextcloud")),
    ("owncloud", "ownCloud"),
    ("other", gettext_lazy("Another WebDAV server")),
)


class StorageAccountQuerySet(models.QuerySet["StorageAccount"]):
    def of(self, user: "User") -> Self:
        """The accounts of a user, the one used last first; everything starts from here."""
        return self.filter(owner=user).order_by(F("used_at").desc(nulls_last=True), "label", "pk")


class StorageAccount(models.Model):
    """A user's account at a WebDAV server. The password is encrypted, and no page ever shows it again."""

    class SendAs(models.TextChoices):
        """How rclone's password is handed to a template."""

        AUTO = "auto", gettext_lazy("As the template needs it")
        OBSCURED = "obscured", gettext_lazy("Always as “rclone obscure” makes it")
        PLAIN = "plain", gettext_lazy("Always as it is")

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="storage_accounts")
    label = models.CharField("name", max_length=LABEL_CHARS, help_text="How you find it in the form.")
    url = models.CharField("address", max_length=500)
    vendor = models.CharField(max_length=20, choices=VENDORS, default="nextcloud")
    user_name = models.CharField("user", max_length=200)
    password = EncryptedTextField()
    send_as = models.CharField("password is sent", max_length=10, choices=SendAs, default=SendAs.AUTO)
    created_at = models.DateTimeField(auto_now_add=True)
    used_at = models.DateTimeField(null=True, blank=True, help_text="When a deployment was last made with it")

    # What it said when it was last tried.
    answers = models.BooleanField(null=True, blank=True)
    note = models.CharField(max_length=200, blank=True)  # in English: it is translated where it is shown
    tested_at = models.DateTimeField(null=True, blank=True)

    objects = StorageAccountQuerySet.as_manager()

    def __str__(self) -> str:
        return self.label

    @property
    def key(self) -> str:
        """What stands for it in forms and records."""
        return f"account-{self.pk}"

    @property
    def tone(self) -> str:
        if self.answers is None:
            return "idle"
        return "ok" if self.answers else "bad"

    @property
    def why(self) -> str:
        """Why its last test failed or could not be made, in a few words; "" when it did not."""
        return _(self.note) if self.note else ""

    @property
    def said(self) -> str:
        """What its last test said, in a few words."""
        if self.answers is None:
            return self.why or _("Not tested")
        return _("Accepts the sign-in") if self.answers else self.why
