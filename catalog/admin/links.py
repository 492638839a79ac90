"""Links in the footer."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from catalog.admin.common import RowForm, _ModelAdmin
from catalog.admin.meanwhile import OwnChangesForm, _ModelForm
from catalog.models import ExternalLink


@admin.register(ExternalLink)
class ExternalLinkAdmin(_ModelAdmin):
    form = OwnChangesForm
    list_display = ("title", "address", "position", "hidden")
    list_editable = ("position", "hidden")
    search_fields = ("title", "address")

    def get_changelist_form(self, request: HttpRequest, **options: Any) -> type[_ModelForm]:
        return super().get_changelist_form(request, form=RowForm, **options)
