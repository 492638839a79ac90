"""What a form can be made for: a module of the catalogue, or the template of a deployment standing alone."""

from typing import TYPE_CHECKING

from django.urls import reverse
from django.utils.translation import gettext as _

from catalog.audience import Audience, audience_of, groups_of, switch_to
from catalog.models import Module, Template, TemplateChoice
from catalog.tosca.description import Input, TemplateDescription
from catalog.tosca.guard import Refused
from catalog.tosca.reading import read_template
from deepdash.errors import Problem
from deployments.adoption import repository
from deployments.clients.orchestrator import Orchestrator
from deployments.configuration import Subject
from deployments.models import Deployment, StorageAccount

if TYPE_CHECKING:
    from accounts.models import User

ALONE = "sent"  # what the one template of such a form is called when it had no name


def subject_of_module(user: "User", module: Module) -> Subject:
    """A module with its usable templates. Raises Problem ``configure:not-deployable`` when there is nothing to do."""
    offer = module.offer(user)
    if not offer.choices or not module.deployable:
        raise Problem("configure:not-deployable", title=module.shown_title)
    address = reverse("deployments:configure", args=[module.slug])
    return Subject(
        user,
        module,
        offer.choices,
        address,
        locked=tuple(offer.locked),
        accounts=tuple(StorageAccount.objects.of(user)),
    )


def deployable_module(deployment: Deployment) -> Module | None:
    """The module a deployment was made from, if its owner can deploy it today."""
    if not deployment.module_slug:
        return None
    module = Module.objects.reached_by(deployment.module_slug)
    return module if module and module.deployable and module.offer(deployment.owner).choices else None


def subject_alone(user: "User", deployment: Deployment, *, updates: bool = False) -> Subject:
    """A deployment's own template, for another one like it or (``updates``) for changing it.

    Raises Problem when the template is not known, can't be read or is for others than the group the user works for,
    ServiceError or LoginExpired as the orchestrator answers when it has to be asked.
    """
    text = template_text(user, deployment)
    try:
        description = read_template(text).description
    except Refused as error:
        raise Problem("submit:template", detail=str(error)) from None
    _admit(user, deployment, description)
    described = _as_before(description, deployment)
    template = Template(
        path=deployment.template_file or "as-sent.yml",
        filename=deployment.template_file or "as-sent.yml",
        raw=text,
        kind=description.kind or deployment.deployment_kind,
        verdict=Template.Verdict.VALID,  # it ran, so nobody needs to be told of its oddities
        description=described.model_dump(mode="json"),
        fragment=bool(described.parents),
    )
    module = Module(title=deployment.shown_title, docker_image=repository(deployment.docker_image), kind="external")
    key = deployment.choices.get("toscaname") or ALONE
    choice = TemplateChoice(key, deployment.template_title or _("As sent"), template)
    name = "deployments:update" if updates else "deployments:again"
    address = reverse(name, args=[deployment.reference])
    accounts = tuple(StorageAccount.objects.of(user))
    return Subject(user, module, [choice], address, origin=deployment, updates=updates, accounts=accounts)


def template_text(user: "User", deployment: Deployment) -> str:
    """The template a deployment was made with; of one made elsewhere the orchestrator tells it, and it is kept.

    Raises Problem ``again:no-template`` when nobody knows it any more, ServiceError, LoginExpired.
    """
    if deployment.template_text:
        return deployment.template_text
    if not deployment.uuid or deployment.is_gone:
        raise Problem("again:no-template", title=deployment.shown_title)
    deployment.template_text = Orchestrator(user).template(deployment.uuid)
    deployment.save(update_fields=["template_text"])
    return deployment.template_text


def _admit(user: "User", deployment: Deployment, description: TemplateDescription) -> None:
    """Let pass whom the template is for today: by the catalogue's rule, or its own words when it is not there."""
    known = deployment.template
    audience = Audience.stored(known.audience) if known else audience_of(description.metadata)
    if audience.admits(groups_of(user)):
        return
    if group := switch_to(audience, user):
        raise Problem("configure:other-group", title=deployment.shown_title, wanted=audience.wanted(), group=group)
    raise Problem("configure:not-for-you", title=deployment.shown_title, wanted=audience.wanted())


def _as_before(description: TemplateDescription, deployment: Deployment) -> TemplateDescription:
    """With the labels and choices the catalogue's parameters file gave, and with the secrets that were secret then.

    A choice that sets several inputs comes along if this text has all that it sets.
    """
    known = deployment.template.described() if deployment.template else TemplateDescription()
    names = {item.name for item in description.inputs}
    choices = {
        item.name: item
        for item in known.inputs
        if item.virtual and all(name in names for option in item.options for name in option.sets)
    }
    inputs: list[Input] = []
    for item in description.inputs:
        before = known.input(item.name)
        shown = before if before and before.type == item.type else item
        if shown.set_by in choices:
            if choices[shown.set_by] not in inputs:
                inputs.append(choices[shown.set_by])
        elif shown.set_by and shown is before:
            shown = item  # what decided on it is not there: it is asked for by itself
        inputs.append(shown.model_copy(update={"secret": shown.secret or item.name in deployment.secret_inputs}))
    return description.model_copy(update={"inputs": tuple(inputs), "tabs": known.tabs or description.tabs})
