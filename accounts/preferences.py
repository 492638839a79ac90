"""What users may set themselves: everything else about them comes from IAM."""

from typing import TYPE_CHECKING
from zoneinfo import available_timezones

from django import forms

from accounts.models import User

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
        label="Time zone", choices=time_zones, required=False, help_text="In which dates and times are shown"
    )
    mail_notices = forms.BooleanField(label="Send me notices by e-mail too", required=False)

    class Meta:
        model = User
        fields = ("timezone", "mail_notices")
