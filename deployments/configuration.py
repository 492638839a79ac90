"""A configuration while it is being made: choices, form, and all that the page says about them."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.http import QueryDict
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from catalog.flavours import group_tags, tag_flavour
from catalog.models import LockedChoice, Module, TemplateChoice
from catalog.tosca.description import TemplateDescription, as_words
from deepdash.config import config
from deepdash.errors import Problem
from deployments.choices import (
    HARDWARE,
    RUNS,
    Choices,
    Resolved,
    choices_resolve,
    governed_values,
    image_input,
)
from deployments.counts import count_of, cpus_said, gpus_said
from deployments.forms import ToscaForm
from deployments.forms.by_widget import new_password
from deployments.forms.fields import OMITTED
from deployments.forms.posted import carry_over, fits_a_link, link_values, typed_data, with_missing, with_plain_breaks
from deployments.forms.tosca import PREFIX, SSH_KEY, Storage
from deployments.forms.yaml_text import yaml_text
from deployments.placement import SLA_PLACEMENT, with_placement, without_placement
from deployments.providers import provider_name_known
from deployments.storage.filling import HAND, NONE, can_do_without, password_to_obscure, storage_inputs, storage_values
from deployments.storage.models import StorageAccount
from deployments.submission import Submission

if TYPE_CHECKING:
    from accounts.models import User
    from deployments.models import Deployment, Training
    from deployments.trainings.replay import Replay

CHOICE_NAMES = ("toscaname", "hardware", "docker_tag", "run")
SERVICES = {"jupyter": "JupyterLab", "deepaas": gettext_noop("DEEPaaS API"), "monitor": "TensorBoard"}


@dataclass(frozen=True)
class Subject:
    """What is configured, by whom, and where the form is sent.

    Without a module of the catalogue (``module`` is unsaved then) a single template stands alone, as ``origin`` was
    made with it; ``updates`` when that deployment is to be changed instead of another one made.
    """

    user: "User"
    module: Module
    templates: list[TemplateChoice]
    address: str
    origin: "Deployment | None" = None
    updates: bool = False
    locked: tuple[LockedChoice, ...] = ()  # templates of the module that are for others
    accounts: tuple[StorageAccount, ...] = ()

    @property
    def alone(self) -> bool:
        """No choices govern anything: the template and what it was filled with are all there is."""
        return self.module.pk is None

    @property
    def title(self) -> str:
        return self.origin.shown_title if self.alone and self.origin else self.module.shown_title


@dataclass
class ConfigurePage:
    """All that the page shows. ``problem`` is why it came back, ``review`` whether to show what would be sent.

    ``filled`` are the names of inputs that a link has filled in, to be looked at; ``provider_options`` the agreements
    to choose from with their labels, None while they are not known. ``record`` is the training that the deployment is
    made for, ``follows`` whether it is to be started there by itself.
    """

    subject: Subject
    resolved: Resolved
    form: ToscaForm
    key: uuid.UUID
    kept: list[str] = field(default_factory=list)
    problem: Problem | None = None
    review: bool = False
    notice: str = ""
    notes: list[str] = field(default_factory=list)
    filled: list[str] = field(default_factory=list)
    provider_options: list[tuple[str, str]] | None = None
    record: "Training | None" = None
    replay: "Replay | None" = None
    follows: bool = False
    providers_problem: Problem | None = None

    @property
    def module(self) -> Module:
        return self.subject.module

    @property
    def templates(self) -> list[TemplateChoice]:
        return self.subject.templates

    @property
    def choices(self) -> Choices:
        return self.resolved.choices

    @property
    def template(self) -> TemplateChoice:
        return self.resolved.template

    @property
    def remarks(self) -> list[str]:
        """What could not be met as it was asked for."""
        return [*self.resolved.notes, *self.notes]

    def hardware_options(self) -> list[tuple[str, str]]:
        return list(HARDWARE.items())

    def run_options(self) -> list[tuple[str, str]]:
        return [(key, _(label)) for key, label in RUNS.items()]

    def tag_groups(self) -> list[tuple[str, list[str]]]:
        """Tags for the select; one that is chosen but not in the registry stands by itself, so it is not lost."""
        names = [tag["name"] for tag in self.module.tags]
        groups = group_tags(names, self.choices.hardware)
        return groups if self.choices.docker_tag in names else [(_("Chosen"), [self.choices.docker_tag]), *groups]

    def tag_facts(self) -> Mapping[str, Any]:
        return next((tag for tag in self.module.tags if tag["name"] == self.choices.docker_tag), {})

    def image(self) -> str:
        name = image_input(self.form.description)
        return self.shown_value(name) if name else ""

    def hardware_line(self) -> str:
        """ "4 CPUs, 1 GPU, 8 GB" from what the form holds now."""
        cpus, gpus = (count_of(self.shown_value(name)) for name in ("num_cpus", "num_gpus"))
        parts = (
            "" if cpus is None else cpus_said(cpus),
            "" if gpus is None else gpus_said(gpus),
            self.shown_value("mem_size"),
        )
        return ", ".join(filter(None, parts)) or _("as the template says")

    def services(self) -> list[str]:
        """What will be there to open, from the template's outputs."""
        named = [name for word, name in SERVICES.items() if any(word in out for out in self.form.description.outputs)]
        return [_(name) for name in named if name != "JupyterLab" or self.choices.run == "jupyterlab"]

    def storage_line(self) -> str:
        """What is chosen for storage, in words; empty when the template asks for none."""
        storage = self.form.storage
        return "" if storage is None else dict(storage.offered)[storage.chosen]

    @property
    def gpus(self) -> int:
        """How many GPUs are wanted, as far as the form says."""
        return count_of(self.shown_value("num_gpus")) or 0

    @property
    def cpus(self) -> int:
        """How many CPUs are wanted, as far as the form says."""
        return count_of(self.shown_value("num_cpus")) or 0

    def error_links(self) -> list[tuple[str, str, str]]:
        """(id of the control, label, message) for the summary above the form."""
        found = []
        for name, errors in self.form.errors.items():
            text = " ".join(map(str, errors))
            if name == "__all__":
                found.append(("configure", _("Form"), text))
            else:
                bound = self.form[name]
                found.append((bound.id_for_label or bound.auto_id, str(bound.label), text))
        return found

    def parked(self) -> list[tuple[str, str]]:
        """Typed values that only another template asks for, carried along so that switching back finds them."""
        if not isinstance(self.form.data, QueryDict):
            return []
        shown = {control for controls in self.form.controls().values() for control in controls}
        return [
            (name, value)
            for name, values in self.form.data.lists()
            for value in values
            if name.startswith(PREFIX) and name not in shown
        ]

    def sent_inputs(self) -> list[tuple[str, str, str, bool, bool]]:
        """(name, value, what counts otherwise, changed, secret) of each input, for the review.

        What counts otherwise is the template's default, or for an update what it was last sent.
        """
        sent = self.form.parameters()
        usual = self.form.defaults()
        if self.subject.updates and self.subject.origin:
            usual |= self.subject.origin.inputs
            sent = {name: value for name, value in sent.items() if name not in usual or usual[name] != value}
        return [
            (
                item.name,
                _in_yaml(sent.get(item.name)),
                _in_yaml(usual.get(item.name)),
                item.name in sent and sent[item.name] != usual.get(item.name),
                item.secret,
            )
            for item in self.form.description.inputs
            if not item.virtual
        ]

    def sent_template(self) -> str:
        raw = self.template.template.raw
        if self.subject.updates:
            return raw
        sla = self.form.cleaned_data.get("provider")
        if sla:
            return with_placement(raw, sla_id=sla, type=SLA_PLACEMENT)
        return without_placement(raw) if self.subject.alone else raw

    @cached_property
    def share_path(self) -> str:
        """A link to this module's form with the values shown now, secrets left out; "" when they are too many."""
        pairs = link_values(self.form, fresh_form(self))
        if not fits_a_link(pairs):
            return ""
        return f"{self.subject.address}?{urlencode([*self.choices.as_dict().items(), *pairs])}"

    def shown_value(self, name: str) -> str:
        """The value a field shows now, as text."""
        if PREFIX + name not in self.form.fields:
            return ""
        if self.form.fields[PREFIX + name].widget.is_hidden and name in (chosen := self.form.chosen_sets()):
            return as_words(chosen[name])
        value = self.form[PREFIX + name].value()
        if isinstance(value, (list, tuple)):
            return " ".join(str(part) for part in value if part) if value and value[0] else ""
        return "" if value is None or value is OMITTED else str(value)


def page_for_data(
    subject: Subject,
    data: QueryDict,
    *,
    generate: str = "",
    check: bool = False,
) -> ConfigurePage:
    """The page for posted data: choices applied, typed values carried over, a password generated if asked for."""
    data = with_plain_breaks(data)
    was = {name: data.get(f"was_{name}") or data.get(name, "") for name in CHOICE_NAMES}
    before = after = _resolved(subject, was)
    if not subject.alone:
        if was["docker_tag"]:  # also one that has left the registry since: the image was filled in with it
            before = replace(before, choices=replace(before.choices, docker_tag=was["docker_tag"]))
        after = _resolved(subject, following_tag(before, data))
    changed = before.choices != after.choices or bool(after.notes)  # notes: what was chosen is not there any more
    kept: list[str] = []
    storage = data.get("storage", "")
    if changed:
        old, new = (_form(subject, choices, storage=storage) for choices in (before, after))
        data, kept = carry_over(data, before=old, after=new)
    if storage == HAND:  # its fields were not on the page while an account was chosen
        data = with_missing(data, _form(subject, after, storage=storage))
    if generate.startswith(PREFIX):
        data = data.copy()
        data[generate] = new_password()
    key = _key(data.get("submission_key", ""))
    return ConfigurePage(
        subject=subject,
        resolved=after,
        form=_form(subject, after, typed_data(data), storage=storage, key=key, check=check and not changed),
        key=key,
        kept=kept,
    )


def following_tag(before: Resolved, data: QueryDict) -> dict[str, str]:
    """The wishes of a form. A tag made for the hardware it was chosen with follows when only the hardware changes."""
    wishes = {name: data.get(name, "") for name in CHOICE_NAMES}
    tag, old, new = wishes["docker_tag"], before.choices.hardware, wishes["hardware"].casefold()
    if new != old and tag == before.choices.docker_tag and tag_flavour(tag) == old:
        del wishes["docker_tag"]
    return wishes


def page_for_link(subject: Subject, wishes: Mapping[str, str], *, storage: str = "") -> ConfigurePage:
    """The page as a link asks for it: its choices and storage, everything else as the template says."""
    resolved = _resolved(subject, wishes)
    return ConfigurePage(subject, resolved, _form(subject, resolved, storage=storage), uuid.uuid4())


def _resolved(subject: Subject, wishes: Mapping[str, str]) -> Resolved:
    return choices_resolve(wishes=wishes, module=subject.module, templates=subject.templates)


def _form(
    subject: Subject,
    resolved: Resolved,
    data: QueryDict | None = None,
    *,
    storage: str = "",
    key: uuid.UUID | None = None,
    check: bool = False,
) -> ToscaForm:
    template = resolved.template.template
    description = template.described()
    governed = (
        {}
        if subject.alone
        else governed_values(choices=resolved.choices, description=description, module=subject.module)
    )
    image = image_input(description)
    return ToscaForm(
        data,
        description=description,
        values=governed,
        password_needed=resolved.choices.run == "jupyterlab" and not subject.updates,
        image_is_typed=bool(image) and not governed.get(image) and not subject.alone,
        advanced=config.ENABLE_ADVANCED_MENU,
        updates=subject.updates,
        storage=None if subject.updates else _storage(subject, description, template.raw, storage),
        obscured=password_to_obscure(description, template.raw),
        facts=_facts(subject.user),
        seed=key,
        check=check,
    )


def fresh_form(page: ConfigurePage) -> ToscaForm:
    """The form as it is by itself under the page's choices."""
    return _form(page.subject, page.resolved, storage=page.form.storage_choice)


def _storage(subject: Subject, description: TemplateDescription, template: str, wish: str) -> Storage | None:
    """Where the template's storage comes from: as wished if that is there, else the account used last."""
    inputs = storage_inputs(description)
    if inputs is None:
        return None
    accounts = {account.key: account for account in subject.accounts}
    offered = [(key, f"{account.label} ({account.user_name})") for key, account in accounts.items()]
    offered.append((HAND, _("Enter by hand")))
    if can_do_without(description, inputs):
        offered.append((NONE, _("No storage")))
    chosen = wish if wish in dict(offered) else offered[0][0]
    filled: Mapping[str, Any] = {}
    if chosen in accounts:
        filled = storage_values(accounts[chosen], description, inputs, template)
    elif chosen == NONE:
        filled = dict.fromkeys(inputs.names(), OMITTED)
    return Storage(tuple(offered), chosen, filled)


def submission_of(page: ConfigurePage) -> Submission:
    """What is sent of a page whose form is valid."""
    form, alone = page.form, page.subject.alone
    return Submission(
        key=page.key,
        module=None if alone else page.module,
        template=page.template.template,
        template_title=page.template.title,
        choices=_recorded_choices(page),
        title=form.cleaned_data["title"],
        parameters=form.parameters(),
        secret_names=form.secret_names(),
        options=form.options(),
        sla_id=form.cleaned_data.get("provider") or "",
        provider_label=provider_name_known(page.subject.user, form.cleaned_data.get("provider") or ""),
        storage=form.storage_choice,
        user_group=page.subject.user.current_group,
        module_slug=page.subject.origin.module_slug if page.subject.origin else "",
    )


def _recorded_choices(page: ConfigurePage) -> Choices | None:
    """The choices that were really made: none for a template alone that was not made here."""
    origin = page.subject.origin
    return page.choices if not page.subject.alone or (origin and origin.choices) else None


def _in_yaml(value: Any) -> str:
    return yaml_text(value).removesuffix("\n...\n").strip()


def _facts(user: "User") -> dict[str, str]:
    """What a template may be told of the user, by IAM's names (contract 9.4)."""
    told = {"sub": user.subject, "email": user.email, "name": user.name, "organisation_name": user.organisation}
    return told | {SSH_KEY: user.ssh_key}


def _key(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        return uuid.uuid4()
