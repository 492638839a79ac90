"""The configuration rules: how template, hardware, tag and run decide some of a template's inputs.

The rules themselves are data (HARDWARE_VALUES, COMMANDS), taken over from the Flask dashboard, which derived them
from how Marathon publishes ports: a CPU container keeps its fixed ports 5000, 6006 and 8888, on a GPU node the
service has to listen on the ports it is assigned, PORT0 to PORT2.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlencode

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from catalog.flavours import best_tag, tag_flavour
from catalog.models import Module, TemplateChoice
from catalog.tosca.description import TemplateDescription
from deepdash.errors import Problem

HARDWARE = {"cpu": "CPU", "gpu": "GPU"}
RUNS = {"deepaas": gettext_noop("DEEPaaS API"), "jupyterlab": "JupyterLab"}
DEFAULT_TEMPLATE, DEFAULT_HARDWARE, DEFAULT_RUN = "default", "cpu", "deepaas"

HARDWARE_VALUES: dict[str, dict[str, int]] = {
    "cpu": {"num_cpus": 1, "num_gpus": 0},
    "gpu": {"num_cpus": 1, "num_gpus": 1},
}
COMMANDS: dict[tuple[str, str], str] = {
    ("cpu", "deepaas"): "monitorPORT=6006 deepaas-run --listen-ip=0.0.0.0",
    ("cpu", "jupyterlab"): "monitorPORT=6006 /srv/.jupyter/run_jupyter.sh --allow-root",
    ("gpu", "deepaas"): "monitorPORT=$PORT1 deepaas-run --listen-ip=0.0.0.0 --listen-port=$PORT0",
    ("gpu", "jupyterlab"): "monitorPORT=$PORT1 jupyterPORT=$PORT2 /srv/.jupyter/run_jupyter.sh --allow-root",
}
IMAGES = ("docker_image", "dockerhub_img")  # templates for virtual machines and Kubernetes use the second name
LACKING = {
    "docker_image": gettext_noop(
        "Tag changes nothing here: this template has no input for the image and names it itself."
    ),
    "num_cpus": gettext_noop("This template has no input num_cpus: it decides on the CPUs itself."),
    "num_gpus": gettext_noop("Hardware changes no GPUs here: this template has no input num_gpus."),
    "run_command": gettext_noop("Run changes nothing here: this template has no input run_command."),
}
_TAG = re.compile(r"\w[\w.-]{0,127}", re.ASCII)  # OCI distribution specification 1.1, "Pulling manifests"


@dataclass(frozen=True)
class Choices:
    """The four choices, named as in links: ``toscaname`` and ``docker_tag`` with their exact case."""

    toscaname: str
    hardware: str
    docker_tag: str
    run: str

    def query(self) -> str:
        """As the query string of a link to the form."""
        return urlencode(self.as_dict())

    def as_dict(self) -> dict[str, str]:
        return asdict(self)


@dataclass(frozen=True)
class Resolved:
    """Choices that exist, the template they lead to, and a sentence for each wish that could not be met."""

    choices: Choices
    template: TemplateChoice
    notes: tuple[str, ...]


def choices_resolve(*, wishes: Mapping[str, str], module: Module, templates: Sequence[TemplateChoice]) -> Resolved:
    """Make choices from what a link or form asks for; what is missing or impossible gets the module's default.

    ``wishes`` may hold any of toscaname, hardware, docker_tag, run, in any case; an unknown wish is answered with
    the default and a note, never in silence. Raises Problem submit:template when the module has no usable template.
    """
    if not templates:
        raise Problem("submit:template")
    notes: list[str] = []

    by_key = {item.key: item for item in templates}
    wish = wishes.get("toscaname", "").strip()
    curated = next(
        (item for item in templates if item.template.pk and item.template.pk == module.default_template_id), None
    )
    template = by_key.get(wish.casefold()) or curated or by_key.get(DEFAULT_TEMPLATE) or templates[0]
    if wish and wish.casefold() not in by_key:
        facts = {"wish": wish, "title": template.title}
        notes.append(_("There is no template “%(wish)s” for this module; “%(title)s” is used.") % facts)

    hardware, refused = _one_of(wishes.get("hardware", ""), HARDWARE, module.default_hardware or DEFAULT_HARDWARE)
    if refused:
        notes.append(_("“%(wish)s” can’t be chosen as hardware; %(default)s is used.") % refused)
    run, refused = _one_of(wishes.get("run", ""), RUNS, DEFAULT_RUN)
    if refused:
        notes.append(_("“%(wish)s” can’t be chosen to run; %(default)s is used.") % refused)
    tag = _tag(wishes.get("docker_tag", "").strip(), module, hardware, notes)
    return Resolved(Choices(template.key, hardware, tag, run), template, tuple(notes))


def governed_values(*, choices: Choices, description: TemplateDescription, module: Module) -> dict[str, Any]:
    """The values that the choices give to the inputs they govern, only for inputs the template has.

    The image is left out when neither template nor module names one (``external``): it is typed then.
    """
    values: dict[str, Any] = {
        **HARDWARE_VALUES[choices.hardware],
        "run_command": COMMANDS[choices.hardware, choices.run],
    }
    for name in IMAGES:
        if image := _image(name, description, module):
            values[name] = with_tag(image, choices.docker_tag)
    return {name: value for name, value in values.items() if description.input(name)}


def image_input(description: TemplateDescription) -> str:
    """The name of the input that takes the image, "" when the template has none."""
    return next((name for name in IMAGES if description.input(name)), "")


def choices_without_effect(description: TemplateDescription) -> list[str]:
    """One sentence for each governed input that the template lacks, so that nobody wonders."""
    has_image = bool(image_input(description))
    return [
        _(said)
        for name, said in LACKING.items()
        if not (has_image if name == "docker_image" else description.input(name))
    ]


def mismatch(choices: Choices) -> str:
    """A warning when the tag says it is made for other hardware, else an empty text."""
    flavour = tag_flavour(choices.docker_tag)
    if flavour and flavour != choices.hardware:
        return _("Tag %(tag)s is made for %(made_for)s, but %(chosen)s is chosen.") % {
            "tag": choices.docker_tag,
            "made_for": HARDWARE[flavour],
            "chosen": HARDWARE[choices.hardware],
        }
    return ""


def with_tag(image: str, tag: str) -> str:
    """The image under a tag. A tag it already has is replaced, never doubled; a digest is left as it is.

    A colon is a tag's only after the last slash: before it, it is the port of a registry.
    """
    if not tag or "@" in image:
        return image
    folder, slash, name = image.rpartition("/")
    return f"{folder}{slash}{name.partition(':')[0]}:{tag}"


def _image(name: str, description: TemplateDescription, module: Module) -> str:
    """The template's own image if it has one, else the module's."""
    asked = description.input(name)
    own = asked.default if asked and isinstance(asked.default, str) else ""
    return own.strip() or module.docker_image


def _one_of(wish: str, allowed: Mapping[str, str], default: str) -> tuple[str, dict[str, str]]:
    """The wish if it is allowed, else the default, and what to say of a wish that is not."""
    wish = wish.strip()
    if wish.casefold() in allowed:
        return wish.casefold(), {}
    return default, {"wish": wish, "default": _(allowed[default])} if wish else {}


def _tag(wish: str, module: Module, hardware: str, notes: list[str]) -> str:
    """The wished tag in the registry's own case, else the best for the hardware.

    Old links carry tags in lower case: they still find their tag when exactly one differs in case alone.
    """
    names = [str(tag["name"]) for tag in module.tags]
    if wish in names:
        return wish
    alike = [name for name in names if name.casefold() == wish.casefold()]
    if len(alike) == 1:
        return alike[0]
    default = best_tag(names, hardware, module.default_tag)
    if wish and not names:
        if _TAG.fullmatch(wish):
            return wish  # the registry has not been read: the user may well know better
        text = _("“%(wish)s” is not a tag: one has only letters, digits, dots, dashes and underscores.")
        notes.append(text % {"wish": wish[:40]})
        return hardware
    if wish:
        notes.append(_("There is no tag “%(wish)s”; “%(default)s” is used.") % {"wish": wish, "default": default})
    return default or hardware
