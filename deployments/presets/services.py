"""Saving and deleting presets."""

from typing import TYPE_CHECKING

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from deepdash.errors import MESSAGES, Message, Problem, Tone
from deployments.configuration import ConfigurePage, fresh_form
from deployments.forms.fields import OMITTED
from deployments.forms.posted import differing
from deployments.presets.models import NAME_CHARS, Preset

if TYPE_CHECKING:
    from accounts.models import User

MAX_PRESETS = 30  # of one user for one module

MESSAGES |= {
    "preset:unnamed": Message(
        _("A preset needs a name."), _("Write one beside the button, then save."), Tone.INFO, 422
    ),
    "preset:long-name": Message(
        _("“{name}…” is too long for a name."),
        _("Use at most {limit} characters."),
        Tone.INFO,
        422,
    ),
    "preset:many": Message(
        _("You have {limit} presets for this module, the most there can be."),
        _("Delete one, or save under a name that you have."),
        Tone.INFO,
        422,
    ),
}


def preset_save(*, user: "User", page: ConfigurePage, name: str) -> tuple[Preset, list[str]]:
    """Keep what the form shows under a name; a preset of that name is replaced.

    Returns it and the labels of fields left out because their values are not valid. Raises Problem ``preset:…``.
    """
    name = " ".join(name.replace("\0", "").split())
    if not name:
        raise Problem("preset:unnamed")
    if len(name) > NAME_CHARS:
        raise Problem("preset:long-name", name=name[:20], limit=NAME_CHARS)
    mine = Preset.objects.of(user, page.module.slug)
    if mine.count() >= MAX_PRESETS and not mine.filter(name=name).exists():
        raise Problem("preset:many", limit=MAX_PRESETS)
    form = page.form
    values, invalid = form.readable()
    changed = differing(form, fresh_form(page))
    preset, _made = Preset.objects.update_or_create(
        owner=user,
        module_slug=page.module.slug,
        name=name,
        defaults={
            "choices": page.choices.as_dict(),
            "inputs": {key: values[key] for key in values if key in changed and values[key] is not OMITTED},
            "title": form.readable_option("title") or "",
            "options": {key: value for key in form.option_names() if (value := form.readable_option(key))},
            "sla_id": form.readable_option("provider") or "",
            "storage": form.storage_choice,
            "saved_at": timezone.now(),
        },
    )
    return preset, invalid


def preset_delete(*, user: "User", module_slug: str, pk: int) -> str:
    """Delete a preset; returns its name, "" when there is none such."""
    preset = Preset.objects.of(user, module_slug).filter(pk=pk).first()
    if preset is None:
        return ""
    preset.delete()
    return preset.name
