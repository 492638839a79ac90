"""The cache of the catalogue: what upstream says, what curators say about it, and how the last refreshes went."""

from catalog.models.module import Module, ModuleFacet, ModuleTemplate, TemplateChoice
from catalog.models.run import RefreshRun
from catalog.models.template import ModuleIndex, Template, TypeFile

__all__ = [
    "Module",
    "ModuleFacet",
    "ModuleIndex",
    "ModuleTemplate",
    "RefreshRun",
    "Template",
    "TemplateChoice",
    "TypeFile",
]
