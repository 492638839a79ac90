"""Links in the footer."""

from django.contrib import admin

from catalog.admin.common import _ModelAdmin
from catalog.models import ExternalLink


@admin.register(ExternalLink)
class ExternalLinkAdmin(_ModelAdmin):
    list_display = ("title", "address", "position", "hidden")
    list_editable = ("position", "hidden")
    search_fields = ("title", "address")
