"""What a chosen storage account gives to a template's inputs."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from catalog.tosca.description import TemplateDescription
from deployments.storage.models import StorageAccount
from deployments.storage.obscure import obscure

HAND, NONE = "hand", "none"
_NAMES = {
    "url": ("rclone_url",),
    "vendor": ("rclone_vendor",),
    "user": ("rclone_user",),
    "password": ("rclone_password", "rclone_pass"),
}
_OBSCURED = re.compile(r"\bobscured?\b", re.IGNORECASE)


@dataclass(frozen=True)
class StorageInputs:
    """The names of the inputs through which a template asks for storage; ``vendor`` may be empty."""

    url: str
    user: str
    password: str
    vendor: str = ""

    def names(self) -> tuple[str, ...]:
        return tuple(filter(None, (self.url, self.vendor, self.user, self.password)))


def storage_inputs(description: TemplateDescription) -> StorageInputs | None:
    """The inputs for storage, None when the template does not ask for what an account holds."""
    asked = {role: next(filter(description.input, names), "") for role, names in _NAMES.items()}
    return StorageInputs(**asked) if asked["url"] and asked["user"] and asked["password"] else None


def can_do_without(description: TemplateDescription, inputs: StorageInputs) -> bool:
    """Whether the template can be deployed with nothing for these inputs."""
    asked = [item for item in description.inputs if item.name in inputs.names()]
    return all(item.has_default or not item.required for item in asked)


def storage_values(
    account: StorageAccount, description: TemplateDescription, inputs: StorageInputs, template: str
) -> Mapping[str, Any]:
    """What is sent for the inputs when an account is chosen; ``template`` is the template's text."""
    obscured = {
        StorageAccount.SendAs.OBSCURED: True,
        StorageAccount.SendAs.PLAIN: False,
    }.get(StorageAccount.SendAs(account.send_as))
    if obscured is None:
        obscured = wants_obscured(description, inputs.password, template)
    values = {
        inputs.url: account.url,
        inputs.vendor: account.vendor,
        inputs.user: account.user_name,
        inputs.password: obscure(account.password) if obscured else account.password,
    }
    return {name: value for name, value in values.items() if name}


def password_to_obscure(description: TemplateDescription, template: str) -> str:
    """The name of the input for the storage's password if the template wants it obscured, else ""."""
    name = next(filter(description.input, _NAMES["password"]), "")
    return name if name and wants_obscured(description, name, template) else ""


def wants_obscured(description: TemplateDescription, name: str, template: str) -> bool:
    """Whether a template wants the password as ``rclone obscure`` makes it.

    Either its own words say so, or it hands the input to rclone's own variable ``RCLONE_CONFIG_<REMOTE>_PASS``, which
    rclone reads in no other form (rclone, "Environment variables: Config file").
    """
    item = description.input(name)
    if item and _OBSCURED.search(item.help):
        return True
    variable = rf"RCLONE_CONFIG_\w{{1,64}}_PASS['\"]?\s*:\s*\{{\s*['\"]?get_input['\"]?\s*:\s*['\"]?{re.escape(name)}\b"
    return re.search(variable, template) is not None
