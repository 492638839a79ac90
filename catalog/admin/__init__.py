"""The curators' view of the catalogue: upstream's words read-only beside their own."""

from catalog.admin.history import LogEntryAdmin
from catalog.admin.links import ExternalLinkAdmin
from catalog.admin.modules import ModuleAdmin
from catalog.admin.runs import RefreshRunAdmin, WebhookDeliveryAdmin
from catalog.admin.sources import PictureAdmin, RemoteFileAdmin
from catalog.admin.templates import TemplateAdmin

__all__ = [
    "ExternalLinkAdmin",
    "LogEntryAdmin",
    "ModuleAdmin",
    "PictureAdmin",
    "RefreshRunAdmin",
    "RemoteFileAdmin",
    "TemplateAdmin",
    "WebhookDeliveryAdmin",
]
