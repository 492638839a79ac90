"""The page as it opens: fresh, as an earlier deployment was made, from a preset, or as a link fills it in."""

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from django.http import QueryDict
from django.utils.translation import gettext as _

from catalog.tosca.description import as_words
from deepdash.wording import every
from deployments.configuration import CHOICE_NAMES, ConfigurePage, Subject, page_for_link
from deployments.forms.tosca import PREFIX
from deployments.models import Deployment, Preset
from deployments.prefill import (
    Prefill,
    form_fill,
    form_fill_from_link,
    prefill_of,
    prefill_of_preset,
    secrets_to_type,
)
from deployments.storage.filling import HAND
from deployments.trainings.replay import changes_since, prefill_of_run, replay_of, run_by_key

if TYPE_CHECKING:
    from accounts.models import User
    from deployments.models import Training


@dataclass(frozen=True)
class Offers:
    """What a form could begin with instead: the user's last deployment of the module, their presets."""

    last: Deployment | None = None
    presets: list[Preset] = field(default_factory=list)


def page_to_begin(subject: Subject, query: QueryDict) -> ConfigurePage:
    """The page for an address.

    ``from`` names a deployment of the user's to begin with, ``preset`` one of their presets, ``in-<input>`` give
    values; choices in the address win over those of either. What can't be met is told on the page, never an error.
    """
    wanted = {name: query.get(name, "") for name in CHOICE_NAMES if query.get(name)}
    run = run_by_key(subject.user, query.get("record", ""))
    if origin := subject.origin or _origin(subject.user, query.get("from", "")):
        prefill = prefill_of(origin)
        page = page_for_link(subject, {**prefill.choices, **wanted}, storage=prefill.storage)
        page.notice = _notice(subject, origin, secrets_to_type(page.form, prefill))
    elif preset := _preset(subject, query.get("preset", "")):
        prefill = prefill_of_preset(preset)
        page = page_for_link(subject, {**prefill.choices, **wanted}, storage=prefill.storage)
        page.notice = _("Filled in from your preset “%(name)s”.") % {"name": preset.name}
    elif run:
        prefill = prefill_of_run(run)
        page = page_for_link(subject, {**prefill.choices, **wanted}, storage=HAND)
        prefill, hidden = _shown(page, prefill)
        page.notes += hidden
        page.filled = _differing(page, prefill)
        page.notice = _to_type_again(secrets_to_type(page.form, prefill))
    else:
        # Somebody else's values must not get the user's storage unless the user says so.
        foreign = any(name.startswith(PREFIX) for name in query)
        page = page_for_link(subject, wanted, storage=HAND if foreign else query.get("storage", ""))
        page.filled, page.notes = form_fill_from_link(page.form, query)
        return page
    page.notes += form_fill(page.form, prefill)
    if run and not subject.updates:
        page_for_training(page, run)
        page.notes += changes_since(run, template=page.template.template.raw, image=page.image())
    if prefill.storage.startswith("account-") and page.form.storage and page.form.storage_choice != prefill.storage:
        page.notes.append(_("The storage account it had is gone; choose where its files go."))
    return page


def page_for_training(page: ConfigurePage, run: "Training", *, follows: bool = True) -> None:
    """Have the page say what it is for: a training that follows by itself, if nothing of it has to be typed."""
    page.record, page.replay = run, replay_of(run)
    page.follows = follows and not page.replay.missing


def offers_for(subject: Subject) -> Offers:
    """What the user may begin with; nothing for a template that stands alone (two statements)."""
    if subject.alone:
        return Offers()
    mine = (
        Deployment.objects.visible_to(subject.user).of_module(subject.module.slug).filter(submission_key__isnull=False)
    )
    last = mine.only("uuid", "submission_key", "recorded_at").order_by("-recorded_at").first()
    return Offers(last, list(Preset.objects.of(subject.user, subject.module.slug).only("name", "saved_at")))


def _origin(user: "User", reference: str) -> Deployment | None:
    return Deployment.objects.visible_to(user).by_reference(reference).first() if reference else None


def _preset(subject: Subject, key: str) -> Preset | None:
    if not (key.isascii() and key.isdigit() and len(key) < 10):
        return None
    return Preset.objects.of(subject.user, subject.module.slug).filter(pk=int(key)).first()


def _shown(page: ConfigurePage, prefill: Prefill) -> tuple[Prefill, list[str]]:
    """The values of a record that came as a file which the form shows: the others nobody could look at."""
    fields = page.form.fields
    hidden = [name for name in prefill.inputs
              if PREFIX + name in fields and fields[PREFIX + name].widget.is_hidden]  # fmt: skip
    text = _("%(name)s is not shown in this form, so “%(value)s” is not taken from the record.")
    told = [
        text % {"name": name, "value": as_words(prefill.inputs[name])[:60]}
        for name in hidden if prefill.inputs[name] != fields[PREFIX + name].initial
    ]  # fmt: skip
    inputs = {name: value for name, value in prefill.inputs.items() if name not in hidden}
    return replace(prefill, inputs=inputs), told


def _differing(page: ConfigurePage, prefill: Prefill) -> list[str]:
    """Labels of the inputs that get another value than the form would give them by itself."""
    form = page.form
    return [str(form.fields[PREFIX + item.name].label) for item in form.asked
            if not item.secret and item.name in prefill.inputs
            and prefill.inputs[item.name] != form.fields[PREFIX + item.name].initial]  # fmt: skip


def _to_type_again(secrets: list[str]) -> str:
    if not secrets:
        return ""
    return _("Type again: %(names)s; secrets are no part of a record.") % {"names": every(secrets)}


def _notice(subject: Subject, origin: Deployment, secrets: list[str]) -> str:
    known = bool(origin.inputs or origin.secret_inputs)
    if subject.updates:
        said = _("Only what you change is sent.")
        unknown = _("It was made elsewhere: the fields show the template’s defaults, not what it runs with.")
        return said if known else f"{unknown} {said}"
    if not known:
        text = _("“%(title)s” was made elsewhere, so what was typed then is not known: these are defaults.")
        return text % {"title": origin.shown_title}
    filled = _("Filled in as for “%(title)s”.") % {"title": origin.shown_title}
    if not secrets:
        return filled
    typed = _("Type again: %(names)s; secrets are never kept.") % {"names": every(secrets)}
    return f"{filled} {typed}"
