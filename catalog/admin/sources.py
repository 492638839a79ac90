"""Files the catalogue is made from, as they were last read."""

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from catalog.admin.common import UpstreamAdmin
from catalog.models import ModuleIndex, Picture, TypeFile
from deepdash.admin import NOTHING


@admin.register(TypeFile, ModuleIndex)
class RemoteFileAdmin(UpstreamAdmin):
    list_display = ("url", "fetched_at", "said")
    search_fields = ("url",)
    fields = ("url", "fetched_at", "digest", "told", "text")

    @admin.display(description="Text")
    def text(self, file: TypeFile | ModuleIndex) -> SafeString:
        return format_html('<pre tabindex="0">{}</pre>', file.raw)


@admin.register(Picture)
class PictureAdmin(UpstreamAdmin):
    list_display = ("address", "shown", "media_type", "asked_at", "said")
    search_fields = ("address",)
    fields = ("address", "shown", "media_type", "asked_at", "told")

    @admin.display(description="Picture")
    def shown(self, picture: Picture) -> SafeString:
        if not picture.digest:
            return format_html("{}", NOTHING)
        address = reverse("catalog:picture", args=[picture.digest])
        return format_html('<img class="picture" src="{}" alt="" width="48" height="48">', address)
