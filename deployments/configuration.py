"""A module's configuration while it is being made: choices, form, and all that the page says about them."""

import secrets
import string
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.http import QueryDict
from django.utils.translation import ngettext

from catalog.flavours import group_tags, tag_flavour
from catalog.models import Module, TemplateChoice
from deepdash.config import config
from deepdash.errors import Problem
from deployments.choices import (
    HARDWARE,
    RUNS,
    Resolved,
    choices_resolve,
    choices_without_effect,
    governed_values,
    image_input,
    mismatch,
)
from deployments.forms import ToscaForm
from deployments.forms.fields import OMITTED
from deployments.forms.tosca import PREFIX, carry_over, typed_data
from deployments.forms.yaml_text import yaml_text
from deployments.placement import SLA_PLACEMENT, with_placement
from deployments.providers import Provider
from deployments.submission import Submission

CHOICE_NAMES = ("toscaname", "hardware", "docker_tag", "run")
SERVICES = {"jupyter": "JupyterLab", "deepaas": "DEEPaaS API", "monitor": "TensorBoard"}
PASSWORD_CHARS = 20


@dataclass
class ConfigurePage:
    """All that the page shows. ``problem`` is why it came back, ``review`` whether to show what would be sent."""

    module: Module
    templates: list[TemplateChoice]
    resolved: Resolved
    form: ToscaForm
    key: uuid.UUID
    kept: list[str] = field(default_factory=list)
    problem: Problem | None = None
    review: bool = False
    notice: str = ""
    providers: list[Provider] | None = None
    providers_problem: Problem | None = None

    @property
    def choices(self) -> Any:
        return self.resolved.choices

    @property
    def template(self) -> TemplateChoice:
        return self.resolved.template

    def hardware_options(self) -> list[tuple[str, str]]:
        return list(HARDWARE.items())

    def run_options(self) -> list[tuple[str, str]]:
        return list(RUNS.items())

    def tag_groups(self) -> list[tuple[str, list[str]]]:
        """Tags for the select; one that is chosen but not in the registry stands by itself, so it is not lost."""
        names = [tag["name"] for tag in self.module.tags]
        groups = group_tags(names, self.choices.hardware)
        return groups if self.choices.docker_tag in names else [("Chosen", [self.choices.docker_tag]), *groups]

    def tag_facts(self) -> Mapping[str, Any]:
        return next((tag for tag in self.module.tags if tag["name"] == self.choices.docker_tag), {})

    def image(self) -> str:
        name = image_input(self.form.description)
        return self._shown(name) if name else ""

    def hardware_line(self) -> str:
        """ "4 CPUs, 1 GPU, 8 GB" from what the form holds now."""
        parts = []
        for name, one, many in (("num_cpus", "CPU", "CPUs"), ("num_gpus", "GPU", "GPUs")):
            shown = self._shown(name)
            if shown.isdigit():
                parts.append(f"{shown} {ngettext(one, many, int(shown))}")
        memory = self._shown("mem_size")
        return ", ".join([*parts, *([memory] if memory else [])]) or "as the template says"

    def services(self) -> list[str]:
        """What will be there to open, from the template's outputs."""
        named = [name for word, name in SERVICES.items() if any(word in out for out in self.form.description.outputs)]
        return [name for name in named if name != "JupyterLab" or self.choices.run == "jupyterlab"]

    def advice(self) -> list[tuple[str, str, str]]:
        """(tone, icon, text) for what is worth knowing before sending; none of it stops anything."""
        found = []
        if self.module.tags and image_input(self.form.description):
            if warning := mismatch(self.choices):
                found.append(("warn", "alert", warning))
            else:
                found.append(("ok", "check", f"Tag {self.choices.docker_tag} exists"))
        elif image_input(self.form.description) and not self.form.image_is_typed:
            found.append(("idle", "help", "The registry’s tags are not known, so the tag is not checked"))
        found += [("idle", "info", text) for text in choices_without_effect(self.form.description)]
        for name in self.kept:
            label = self.form[PREFIX + name].label
            found.append(("warn", "alert", f"{label} is as you typed it; your new choice would set another value"))
        if self.template.template.verdict != "valid":
            found.append(("idle", "info", "The template has oddities that curators know of; it usually works"))
        return found

    def error_links(self) -> list[tuple[str, str, str]]:
        """(id of the control, label, message) for the summary above the form."""
        found = []
        for name, errors in self.form.errors.items():
            text = " ".join(map(str, errors))
            if name == "__all__":
                found.append(("configure", "Form", text))
            else:
                bound = self.form[name]
                found.append((bound.id_for_label or bound.auto_id, str(bound.label), text))
        return found

    def parked(self) -> list[tuple[str, str]]:
        """Typed values that only another template asks for, carried along so that switching back finds them."""
        if not isinstance(self.form.data, QueryDict):
            return []
        shown = {control for controls in self.form.posted().values() for control in controls}
        return [
            (name, value)
            for name, values in self.form.data.lists()
            for value in values
            if name.startswith(PREFIX) and name not in shown
        ]

    def sent_inputs(self) -> list[tuple[str, Any, Any, bool, bool]]:
        """(name, value, template's default, changed, secret) of each input, for the review."""
        sent = self.form.parameters()
        return [
            (
                item.name,
                yaml_text(sent[item.name]).removesuffix("\n...\n").strip() if item.name in sent else "",
                "" if item.default is None else yaml_text(item.default).removesuffix("\n...\n").strip(),
                item.name in sent and sent[item.name] != item.default,
                item.secret,
            )
            for item in self.form.description.inputs
        ]

    def sent_template(self) -> str:
        raw = self.template.template.raw
        sla = self.form.cleaned_data.get("provider")
        return with_placement(raw, sla_id=sla, type=SLA_PLACEMENT) if sla else raw

    def _shown(self, name: str) -> str:
        """The value a field shows now, as text."""
        if PREFIX + name not in self.form.fields:
            return ""
        value = self.form[PREFIX + name].value()
        if isinstance(value, (list, tuple)):
            return " ".join(str(part) for part in value if part) if value and value[0] else ""
        return "" if value is None or value is OMITTED else str(value)


def page_for_data(
    module: Module,
    templates: list[TemplateChoice],
    data: QueryDict,
    *,
    generate: str = "",
    check: bool = False,
) -> ConfigurePage:
    """The page for posted data: choices applied, typed values carried over, a password generated if asked for."""
    was = {name: data.get(f"was_{name}") or data.get(name, "") for name in CHOICE_NAMES}
    before = choices_resolve(wishes=was, module=module, templates=templates)
    after = choices_resolve(wishes=following_tag(before, data), module=module, templates=templates)
    changed = before.choices != after.choices
    kept: list[str] = []
    if changed:
        data, kept = carry_over(data, before=_form(module, before), after=_form(module, after))
    if generate.startswith(PREFIX):
        data = data.copy()
        data[generate] = new_password()
    return ConfigurePage(
        module=module,
        templates=templates,
        resolved=after,
        form=_form(module, after, typed_data(data), check=check and not changed),
        key=_key(data.get("submission_key", "")),
        kept=kept,
    )


def following_tag(before: Resolved, data: QueryDict) -> dict[str, str]:
    """The wishes of a form. A tag made for the hardware it was chosen with follows when only the hardware changes."""
    wishes = {name: data.get(name, "") for name in CHOICE_NAMES}
    tag, old, new = wishes["docker_tag"], before.choices.hardware, wishes["hardware"].casefold()
    if new != old and tag == before.choices.docker_tag and tag_flavour(tag) == old:
        del wishes["docker_tag"]
    return wishes


def page_for_link(module: Module, templates: list[TemplateChoice], wishes: Mapping[str, str]) -> ConfigurePage:
    resolved = choices_resolve(wishes=wishes, module=module, templates=templates)
    key = uuid.uuid4()
    return ConfigurePage(module, templates, resolved, _form(module, resolved), key)


def _form(module: Module, resolved: Resolved, data: QueryDict | None = None, *, check: bool = False) -> ToscaForm:
    description = resolved.template.template.described()
    values = governed_values(choices=resolved.choices, description=description, module=module)
    image = image_input(description)
    return ToscaForm(
        data,
        description=description,
        values=values,
        password_needed=resolved.choices.run == "jupyterlab",
        image_is_typed=bool(image) and not values.get(image),
        advanced=config.ENABLE_ADVANCED_MENU,
        check=check,
    )


def submission_of(page: ConfigurePage) -> Submission:
    form = page.form
    return Submission(
        key=page.key,
        module=page.module,
        template=page.template.template,
        template_title=page.template.title,
        choices=page.choices,
        title=form.cleaned_data["title"],
        parameters=form.parameters(),
        secret_names=form.secret_names(),
        options=form.options(),
        sla_id=form.cleaned_data.get("provider") or "",
        provider_label=form.data.get("provider_label", "")[:200],
    )


def new_password() -> str:
    """A password of PASSWORD_CHARS letters and digits that are not mistaken for each other."""
    alphabet = "".join(sorted(set(string.ascii_letters + string.digits) - set("0O1lIi")))
    return "".join(secrets.choice(alphabet) for _ in range(PASSWORD_CHARS))


def _key(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        return uuid.uuid4()
