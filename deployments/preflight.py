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

from catalog.flavours import tag_flavour
from deployments.choices import HARDWARE, choices_without_effect, image_input, mismatch
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
        found.append(Advice("warn", "alert", f"{label} is as you typed it; your new choice would set another value"))
    if parents := ", ".join(page.template.template.parents):
        text = f"This template is a part that is meant to be merged into {parents}; alone it will most likely fail"
        found.append(Advice("warn", "alert", text))
    elif page.template.template.verdict != "valid":
        found.append(Advice("idle", "info", "The template has oddities that curators know of; it usually works"))
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
            return Advice("warn", "alert", "The chosen provider has no agreement with you now")
        if not provider.kind_fits(kind):
            return Advice("warn", "alert", f"{provider.name} does not run this kind of template")
        if not provider.is_current:
            return Advice("warn", "alert", f"The agreement with {provider.name} is not in force now")
        found = _gpus_of(provider, gpus)
        if found.tone != "warn" and (beyond := _excess(provider, held, wanted)):
            return Advice("warn", "alert", beyond)
        return found
    fitting = [item for item in providers if item.kind_fits(kind) and item.is_current]
    if not fitting:
        return Advice("warn", "alert", "None of your providers runs this kind; “Automatic” may find another")
    allowing = [item for item in fitting if not _excess(item, held, wanted)]
    if not allowing:
        return Advice("warn", "alert", _excess(fitting[0], held, wanted))
    fitting = allowing
    if not gpus:
        return Advice("ok", "check", f"{_many(len(fitting), 'provider')} of yours can run it")
    able = [item for item in fitting if item.gpu_support]
    if able:
        return Advice("ok", "check", f"{_many(len(able), 'provider')} of yours with GPUs")
    if any(item.gpu_support is None for item in fitting):
        return Advice("idle", "help", "Whether your providers have GPUs is not told")
    return Advice("warn", "alert", "None of your providers has GPUs for this kind of template; CPU will do better")


def storage_advice(account: StorageAccount) -> Advice:
    """What the storage said when it was last tried."""
    if account.answers:
        return Advice("ok", "check", f"{account.label} accepts your sign-in")
    if account.answers is None:
        return Advice("idle", "help", f"{account.label}: {account.note or 'not tested'}")
    return Advice("warn", "alert", f"{account.label}: {account.note}")


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
            found.append(Advice("warn", "alert", f"Tag {page.choices.docker_tag} is not in the registry’s list", "tag"))
        else:
            fits = f" and fits {HARDWARE[page.choices.hardware]}" if tag_flavour(page.choices.docker_tag) else ""
            found.append(Advice("ok", "check", f"Tag {page.choices.docker_tag} exists{fits}"))
    elif takes_image:
        found.append(Advice("idle", "help", "The registry’s tags are not known, so the tag is not checked"))
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
            text = f"{bound.label}: {' '.join(error.messages)}" if value else f"{bound.label} is missing"
            found.append(Advice("warn", "alert", text, bound.id_for_label))
        else:
            found.append(Advice("ok", "check", f"{bound.label} keeps to the rules"))
    return found


def _gpus_held(page: "ConfigurePage") -> list[Advice]:
    if not page.gpus:
        return []
    gpus, deployments = gpus_held(page.subject.user)
    if not gpus:
        return []
    return [Advice("idle", "chip", f"You hold {_many(gpus, 'GPU')} already, in {_many(deployments, 'deployment')}")]


def _providers(page: "ConfigurePage") -> Advice:
    user, kind = page.subject.user, page.template.template.kind
    chosen = str(page.form["provider"].value() or "") if "provider" in page.form.fields else ""
    known = providers_known(user, user.current_group)
    if known is not None:
        wanted = Held(cpus=page.cpus, gpus=page.gpus)
        return provider_advice(known, kind=kind, wanted=wanted, chosen=chosen, held=held_by(user))
    query = urlencode({"kind": kind, "cpus": page.cpus, "gpus": page.gpus, "provider": chosen})
    address = f"{reverse('deployments:preflight_providers')}?{query}"
    return Advice("busy", "spin", "Looking for providers that fit", address=address)


def _storage(page: "ConfigurePage") -> list[Advice]:
    account = next((item for item in page.subject.accounts if item.key == page.form.storage_choice), None)
    if account is None:
        return []
    if is_fresh(account):
        return [storage_advice(account)]
    address = reverse("deployments:preflight_storage", args=[account.pk])
    return [Advice("busy", "spin", f"Signing in to {account.label}", address=address)]


def _gpus_of(provider: Provider, gpus: int) -> Advice:
    if not gpus:
        return Advice("ok", "check", f"{provider.name} runs this kind of template")
    if provider.gpu_support is None:
        return Advice("idle", "help", f"{provider.name} does not tell whether it has GPUs")
    if not provider.gpu_support:
        return Advice("warn", "alert", f"{provider.name} has no GPUs; {_many(gpus, 'GPU')} wanted")
    if provider.num_gpus is not None and provider.num_gpus < gpus:
        return Advice("warn", "alert", f"{provider.name} has {_many(provider.num_gpus, 'GPU')}; you want {gpus}")
    return Advice("ok", "check", f"{provider.name} has GPUs")


def _excess(provider: Provider, held: Mapping[str, Held], wanted: Held) -> str:
    beyond = excess(provider.quotas, held.get(provider.service_id, Held()), wanted=wanted)
    return f"The agreement with {provider.name} {beyond}" if beyond else ""


def _many(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
