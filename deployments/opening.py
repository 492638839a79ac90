"""The page as it opens: fresh, as an earlier deployment was made, from a preset, or as a link fills it in."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.http import QueryDict

from deployments.configuration import CHOICE_NAMES, ConfigurePage, Subject, page_for_link
from deployments.forms.tosca import PREFIX
from deployments.models import Deployment, Preset
from deployments.prefill import (
    form_fill,
    form_fill_from_link,
    prefill_of,
    prefill_of_preset,
    secrets_to_type,
)
from deployments.storage.filling import HAND

if TYPE_CHECKING:
    from accounts.models import User


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
    if origin := subject.origin or _origin(subject.user, query.get("from", "")):
        prefill = prefill_of(origin)
        page = page_for_link(subject, {**prefill.choices, **wanted}, storage=prefill.storage)
        page.notice = _notice(subject, origin, secrets_to_type(page.form, prefill))
    elif preset := _preset(subject, query.get("preset", "")):
        prefill = prefill_of_preset(preset)
        page = page_for_link(subject, {**prefill.choices, **wanted}, storage=prefill.storage)
        page.notice = f"Filled in from your preset “{preset.name}”."
    else:
        # Somebody else's values must not get the user's storage unless the user says so.
        foreign = any(name.startswith(PREFIX) for name in query)
        page = page_for_link(subject, wanted, storage=HAND if foreign else query.get("storage", ""))
        page.filled, page.notes = form_fill_from_link(page.form, query)
        return page
    page.notes += form_fill(page.form, prefill)
    if prefill.storage.startswith("account-") and page.form.storage and page.form.storage_choice != prefill.storage:
        page.notes.append("The storage account it had is gone; choose where its files go.")
    return page


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


def _notice(subject: Subject, origin: Deployment, secrets: list[str]) -> str:
    known = bool(origin.inputs or origin.secret_inputs)
    if subject.updates:
        said = "Only what you change is sent."
        unknown = "It was made elsewhere: the fields show the template’s defaults, not what it runs with."
        return said if known else f"{unknown} {said}"
    if not known:
        return f"“{origin.shown_title}” was made elsewhere, so what was typed then is not known: these are defaults."
    named = " and ".join(filter(None, [", ".join(secrets[:-1]), *secrets[-1:]]))
    typed = f" Type again: {named}; secrets are never kept." if secrets else ""
    return f"Filled in as for “{origin.shown_title}”.{typed}"
