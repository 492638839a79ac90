"""What users may set themselves: everything else about them comes from IAM."""

from typing import TYPE_CHECKING
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.ssh_keys import MAX_CHARS, clean_public_key

if TYPE_CHECKING:
    _UserForm = forms.ModelForm[User]
else:
    _UserForm = forms.ModelForm


def time_zones() -> list[tuple[str, str]]:
    """(name, label) of the zones people live in, by name: "Europe/Madrid"."""
    names = sorted(name for name in available_timezones() if "/" in name and not name.startswith(("Etc/", "SystemV/")))
    return [("", "UTC"), *((name, name.replace("_", " ")) for name in names)]


class PreferencesForm(_UserForm):
    timezone = forms.ChoiceField(
        label=_("Time zone"), choices=time_zones, required=False, help_text=_("Dates and times are shown in it")
    )
    language = forms.ChoiceField(
        label=_("Language"),
        choices=lambda: [("", _("What the browser asks for")), *settings.LANGUAGES],
        required=False,
        help_text=_("For pages and mails; the administration is in English"),
    )
    ssh_key = forms.CharField(
        label=_("SSH public key"),
        required=False,
        max_length=MAX_CHARS,
        widget=forms.Textarea({"rows": 3, "spellcheck": "false", "placeholder": "ssh-ed25519 AAAA… ada@laptop"}),
        help_text=_("Filled in where a template asks for one, so that you can sign in to its machines"),
    )
    mail_notices = forms.BooleanField(label=_("Send me notices by e-mail too"), required=False)

    class Meta:
        model = User
        fields = ("timezone", "language", "ssh_key", "mail_notices")

    def clean_ssh_key(self) -> str:
        return clean_public_key(self.cleaned_data["ssh_key"])
