"""The form of a storage account."""

import ipaddress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from deployments.forms.widgets import Secret
from deployments.storage.models import StorageAccount

if TYPE_CHECKING:
    _ModelForm = forms.ModelForm[StorageAccount]
else:
    _ModelForm = forms.ModelForm


class StorageAccountForm(_ModelForm):
    """A new account, or (with ``instance``) changes of one, whose password stays when none is typed."""

    password = forms.CharField(
        strip=False, required=False, max_length=500, label=gettext_lazy("Password"), widget=Secret(),
    )  # fmt: skip

    class Meta:
        model = StorageAccount
        fields = ("label", "vendor", "url", "user_name", "password", "send_as")
        widgets = {
            "label": forms.TextInput({"placeholder": gettext_lazy("My Nextcloud")}),
            "url": forms.URLInput(
                {"placeholder": "https://cloud.example.org/remote.php/dav/files/ada/", "wide": " full"}
            ),
            "user_name": forms.TextInput({"autocomplete": "off", "spellcheck": "false"}),
        }
        labels = {
            "label": gettext_lazy("Name"),
            "vendor": gettext_lazy("Vendor"),
            "url": gettext_lazy("Address"),
            "user_name": gettext_lazy("User"),
            "send_as": gettext_lazy("Password is sent"),
        }
        help_texts = {
            "label": gettext_lazy("How you find it in the form."),
            "url": gettext_lazy("Nextcloud shows it under Files, Settings, WebDAV."),
            "send_as": gettext_lazy("Most templates hand it to rclone as it is, which wants it obscured."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = self.instance.pk is not None
        self.fields["password"].required = not known
        self.fields["password"].help_text = (
            _("Left empty, it stays as it is.")
            if known
            else _("Preferably an app password (Nextcloud: Settings, Security), which you can withdraw there.")
        )
        self.initial.pop("password", None)  # never shown again

    def clean_url(self) -> str:
        url = str(self.cleaned_data["url"]).strip()
        try:
            parts = urlsplit(url)
            host = parts.hostname or ""
        except ValueError:
            raise ValidationError(_("This is not a web address.")) from None
        if parts.scheme not in {"https", "http"} or not host or any(character.isspace() for character in url):
            raise ValidationError(_("Write a whole address, beginning with https://."))
        if parts.username or parts.query or parts.fragment:
            raise ValidationError(_("Write the address alone: no user, no “?”, no “#”."))
        if parts.scheme == "http" and not _is_loopback(host):
            raise ValidationError(_("Use https://, otherwise your password can be read on its way."))
        return url

    def clean_password(self) -> str:
        typed = str(self.cleaned_data["password"])
        if "\0" in typed:
            raise ValidationError(_("A password can’t hold this character."))
        return typed or (self.instance.password if self.instance.pk else "")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
