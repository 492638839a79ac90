"""The page as it opens: fresh, as an earlier deployment was made, or as a link fills it in."""

from typing import TYPE_CHECKING

from django.http import QueryDict

from deployments.configuration import CHOICE_NAMES, ConfigurePage, Subject, page_for_link
from deployments.models import Deployment
from deployments.prefill import Prefill, form_fill, form_fill_from_link, prefill_of, secrets_to_type

if TYPE_CHECKING:
    from accounts.models import User


def page_to_begin(subject: Subject, query: QueryDict) -> ConfigurePage:
    """The page for an address.

    ``from`` names a deployment of the user's to begin with, ``in-<input>`` give values; choices in the address win
    over those of the deployment. What can't be met is told on the page, never an error.
    """
    origin = subject.origin or _origin(subject.user, query.get("from", ""))
    prefill = prefill_of(origin) if origin else Prefill()
    wanted = {name: query.get(name, "") for name in CHOICE_NAMES if query.get(name)}
    page = page_for_link(subject, {**prefill.choices, **wanted})
    if origin:
        page.notes += form_fill(page.form, prefill)
        page.notice = _notice(subject, origin, secrets_to_type(page.form, prefill))
    elif not subject.alone:
        page.filled, notes = form_fill_from_link(page.form, query)
        page.notes += notes
    return page


def _origin(user: "User", reference: str) -> Deployment | None:
    return Deployment.objects.visible_to(user).by_reference(reference).first() if reference else None


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
