"""What users may set themselves: everything else about them comes from IAM."""

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.forms.renderers import BaseRenderer
from django.forms.utils import flatatt
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.ssh_keys import MAX_CHARS, clean_public_key

if TYPE_CHECKING:
    _UserForm = forms.ModelForm[User]
else:
    _UserForm = forms.ModelForm


@cache
def time_zones() -> list[tuple[str, str]]:
    """(name, label) of the zones people live in, by name: "Europe/Madrid".

    Kept, as hundreds of files are looked at for them.
    """
    names = sorted(name for name in available_timezones() if "/" in name and not name.startswith(("Etc/", "SystemV/")))
    return [("", "UTC"), *((name, name.replace("_", " ")) for name in names)]


class LongSelect(forms.Select):
    """A choice of hundreds of values, written at once: two templates for each of them would take 50 ms."""

    def render(
        self, name: str, value: Any, attrs: Mapping[str, Any] | None = None, renderer: BaseRenderer | None = None
    ) -> SafeString:
        chosen = self.format_value(value)
        options = format_html_join(
            "",
            '<option value="{}"{}>{}</option>',
            ((choice, " selected" if choice in chosen else "", label) for choice, label in self.choices),
        )
        attributes = flatatt(self.build_attrs(self.attrs, {"name": name, **(attrs or {})}))
        return format_html("<select{}>{}</select>", attributes, options)


class PreferencesForm(_UserForm):
    timezone = forms.ChoiceField(
        label=_("Time zone"),
        choices=time_zones,
        required=False,
        widget=LongSelect,
        help_text=_("Dates and times are shown in it"),
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
        widget=forms.Textarea(
            {
                "rows": 3,
                "spellcheck": "false",
                "placeholder": "ssh-ed25519 AAAA… ada@laptop",  # not shown
            }
        ),
        help_text=_("Filled in where a template asks for one, so that you can sign in to its machines"),
    )
    mail_notices = forms.BooleanField(label=_("Send me notices by e-mail too"), required=False)

    class Meta:
        model = User
        fields = ("timezone", "language", "ssh_key", "mail_notices")

    def save(self, commit: bool = True) -> User:
        """Save these columns alone: IAM may have changed the others since the user was read."""
        self.instance.save(update_fields=self.Meta.fields)
        return self.instance

    def clean_ssh_key(self) -> str:
        return clean_public_key(self.cleaned_data["ssh_key"])
