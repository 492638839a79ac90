"""The cache of the catalogue: what upstream says, what curators say about it, and how the last refreshes went."""

from catalog.models.delivery import WebhookDelivery
from catalog.models.link import ExternalLink
from catalog.models.module import LockedChoice, Module, ModuleFacet, ModuleTemplate, TemplateChoice, TemplateOffer
from catalog.models.picture import Picture
from catalog.models.run import RefreshRun
from catalog.models.template import ModuleIndex, Template, TemplateVersion, TypeFile

__all__ = [
    "ExternalLink",
    "LockedChoice",
    "Module",
    "ModuleFacet",
    "ModuleIndex",
    "ModuleTemplate",
    "Picture",
    "RefreshRun",
    "Template",
    "TemplateChoice",
    "TemplateOffer",
    "TemplateVersion",
    "TypeFile",
    "WebhookDelivery",
]
