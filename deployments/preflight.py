"""What is worth knowing before sending. All of it advises, none of it stops anything.

What needs an answer from outside and is not known yet follows the page, each by itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.core.exceptions import ValidationError
from django.db.models import Count, Sum
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from catalog.flavours import tag_flavour
from deployments.choices import HARDWARE, choices_without_effect, image_input, mismatch
from deployments.counts import gpus_said
from deployments.forms.tosca import PREFIX
from deployments.models import Deployment, StorageAccount
from deployments.providers import Provider, providers_known
from deployments.quotas import Held, excess, held_by

if TYPE_CHECKING:
    from accounts.models import User
    from deployments.configuration import ConfigurePage

TESTED_LATELY = timedelta(hours=1)


@dataclass(frozen=True)
class Advice:
    """One line. ``target``: the id of the control it is about; ``address``: where its answer comes from, if later."""

    tone: str
    icon: str
    text: str
    target: str = ""
    address: str = ""


def advice_for(page: "ConfigurePage") -> list[Advice]:
    """All lines for a page (two statements at most, and no call to the outside)."""
    found = [] if page.subject.alone else _tag(page)
    found += _passwords(page)
    if page.subject.updates:
        return found
    for name in page.kept:
        label = page.form[PREFIX + name].label
        text = _("%(label)s is as you typed it; your new choice would set another value") % {"label": label}
        found.append(Advice("warn", "alert", text))
    if parents := ", ".join(page.template.template.parents):
        text = _("This template is a part that is meant to be merged into %(parents)s; alone it will most likely fail")
        found.append(Advice("warn", "alert", text % {"parents": parents}))
    elif page.template.template.verdict != "valid":
        found.append(Advice("idle", "info", _("The template has oddities that curators know of; it usually works")))
    return [*found, *_gpus_held(page), _providers(page), *_storage(page)]


def provider_advice(
    providers: Sequence[Provider], *, kind: str, wanted: Held, chosen: str, held: Mapping[str, Held] | None = None
) -> Advice:
    """Whether the chosen provider, or any of them, has the service and the GPUs wanted, and allows as much.

    ``held`` is what the user's deployments hold already, by service.
    """
    held, gpus = held or {}, wanted.gpus
    if chosen:
        provider = next((item for item in providers if item.sla_id == chosen), None)
        if provider is None:
            return Advice("warn", "alert", _("The chosen provider has no agreement with you now"))
        if not provider.kind_fits(kind):
            return Advice("warn", "alert", _("%(site)s does not run this kind of template") % {"site": provider.name})
        if not provider.is_current:
            return Advice(
                "warn", "alert", _("The agreement with %(site)s is not in force now") % {"site": provider.name}
            )
        found = _gpus_of(provider, gpus)
        if found.tone != "warn" and (beyond := _excess(provider, held, wanted)):
            return Advice("warn", "alert", beyond)
        return found
    fitting = [item for item in providers if item.kind_fits(kind) and item.is_current]
    if not fitting:
        return Advice("warn", "alert", _("None of your providers runs this kind; “Automatic” may find another"))
    able = [item for item in fitting if item.gpu_support] if gpus else fitting
    if not able and any(item.gpu_support is None for item in fitting):
        return Advice("idle", "help", _("Whether your providers have GPUs is not known"))
    if not able:
        text = _("None of your providers has GPUs for this kind of template; CPU will do better")
        return Advice("warn", "alert", text)
    allowing = [item for item in able if not _excess(item, held, wanted)]
    if not allowing:
        return Advice("warn", "alert", _excess(able[0], held, wanted))
    number = len(allowing)
    if gpus:
        text = ngettext("%(number)s provider of yours with GPUs", "%(number)s providers of yours with GPUs", number)
    else:
        text = ngettext("%(number)s provider of yours can run it", "%(number)s providers of yours can run it", number)
    return Advice("ok", "check", text % {"number": number})


def storage_advice(account: StorageAccount) -> Advice:
    """What the storage said when it was last tried."""
    if account.answers:
        return Advice("ok", "check", _("%(account)s accepts your sign-in") % {"account": account.label})
    if account.answers is None:
        not_tested = _("not tested")
        return Advice("idle", "help", f"{account.label}: {account.why or not_tested}")
    return Advice("warn", "alert", f"{account.label}: {account.why}")


def is_fresh(account: StorageAccount) -> bool:
    """Whether its last test still counts."""
    return account.tested_at is not None and timezone.now() - account.tested_at < TESTED_LATELY


def gpus_held(user: "User") -> tuple[int, int]:
    """(GPUs, deployments) that the user holds as far as known."""
    held = Deployment.objects.visible_to(user).holding().filter(num_gpus__gt=0)
    sums = held.aggregate(gpus=Sum("num_gpus"), count=Count("pk"))
    return sums["gpus"] or 0, sums["count"]


def _tag(page: "ConfigurePage") -> list[Advice]:
    found, takes_image = [], image_input(page.form.description) and not page.form.image_is_typed
    if page.module.tags and takes_image:
        if warning := mismatch(page.choices):
            found.append(Advice("warn", "alert", warning, "tag"))
        elif not page.tag_facts():
            text = _("Tag %(tag)s is not in the registry’s list") % {"tag": page.choices.docker_tag}
            found.append(Advice("warn", "alert", text, "tag"))
        else:
            facts = {"tag": page.choices.docker_tag, "hardware": HARDWARE[page.choices.hardware]}
            fits = tag_flavour(page.choices.docker_tag)
            text = _("Tag %(tag)s exists and fits %(hardware)s") if fits else _("Tag %(tag)s exists")
            found.append(Advice("ok", "check", text % facts))
    elif takes_image:
        found.append(Advice("idle", "help", _("The registry’s tags are not known, so the tag is not checked")))
    return found + [Advice("idle", "info", text) for text in choices_without_effect(page.form.description)]


def _passwords(page: "ConfigurePage") -> list[Advice]:
    """Secrets that would be refused: missing where one is needed, or against their own rules."""
    found = []
    for item in page.form.asked:
        if not item.secret or page.form.fields[PREFIX + item.name].widget.is_hidden:
            continue
        bound = page.form[PREFIX + item.name]
        value = bound.value()
        if not value and not bound.field.required:
            continue
        try:
            bound.field.clean(value)
        except ValidationError as error:
            missing = _("%(label)s is missing") % {"label": bound.label}
            text = f"{bound.label}: {' '.join(error.messages)}" if value else missing
            found.append(Advice("warn", "alert", text, bound.id_for_label))
        else:
            found.append(Advice("ok", "check", _("%(label)s keeps to the rules") % {"label": bound.label}))
    return found


def _gpus_held(page: "ConfigurePage") -> list[Advice]:
    if not page.gpus:
        return []
    gpus, deployments = gpus_held(page.subject.user)
    if not gpus:
        return []
    places = ngettext("%(number)s deployment", "%(number)s deployments", deployments) % {"number": deployments}
    text = _("You hold %(gpus)s already, in %(deployments)s") % {"gpus": gpus_said(gpus), "deployments": places}
    return [Advice("idle", "chip", text)]


def _providers(page: "ConfigurePage") -> Advice:
    user, kind = page.subject.user, page.template.template.kind
    chosen = str(page.form["provider"].value() or "") if "provider" in page.form.fields else ""
    known = providers_known(user, user.current_group)
    if known is not None:
        wanted = Held(cpus=page.cpus, gpus=page.gpus)
        return provider_advice(known, kind=kind, wanted=wanted, chosen=chosen, held=held_by(user))
    query = urlencode({"kind": kind, "cpus": page.cpus, "gpus": page.gpus, "provider": chosen})
    address = f"{reverse('deployments:preflight_providers')}?{query}"
    return Advice("busy", "spin", _("Looking for providers that fit"), address=address)


def _storage(page: "ConfigurePage") -> list[Advice]:
    account = next((item for item in page.subject.accounts if item.key == page.form.storage_choice), None)
    if account is None:
        return []
    if is_fresh(account):
        return [storage_advice(account)]
    address = reverse("deployments:preflight_storage", args=[account.pk])
    return [Advice("busy", "spin", _("Signing in to %(account)s") % {"account": account.label}, address=address)]


def _gpus_of(provider: Provider, gpus: int) -> Advice:
    site = {"site": provider.name}
    if not gpus:
        return Advice("ok", "check", _("%(site)s runs this kind of template") % site)
    if provider.gpu_support is None:
        return Advice("idle", "help", _("%(site)s does not say whether it has GPUs") % site)
    if not provider.gpu_support:
        text = _("%(site)s has no GPUs; %(gpus)s wanted") % {**site, "gpus": gpus_said(gpus)}
        return Advice("warn", "alert", text)
    if provider.num_gpus is not None and provider.num_gpus < gpus:
        facts = {**site, "gpus": gpus_said(provider.num_gpus), "wanted": gpus}
        return Advice("warn", "alert", _("%(site)s has %(gpus)s; you want %(wanted)s") % facts)
    return Advice("ok", "check", _("%(site)s has GPUs") % site)


def _excess(provider: Provider, held: Mapping[str, Held], wanted: Held) -> str:
    return excess(provider.name, provider.quotas, held.get(provider.service_id, Held()), wanted=wanted)
