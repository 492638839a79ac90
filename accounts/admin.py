from typing import TYPE_CHECKING

from django.contrib import admin
from django.http import HttpRequest

from accounts.models import User

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[User]
else:
    _ModelAdmin = admin.ModelAdmin


@admin.register(User)
class UserAdmin(_ModelAdmin):
    """Who has signed in, to look at: everything here comes from IAM and is changed there.

    Tokens have no admin, and must never get one.
    """

    list_display = ["__str__", "email", "organisation", "is_staff", "is_active", "seen_at"]
    list_filter = ["is_staff", "is_active"]
    search_fields = ["name", "email", "subject"]
    fields = readonly_fields = (
        "name", "email", "organisation", "groups", "issuer", "subject", "is_staff", "is_active", "roles",
        "created_at", "seen_at", "last_login",
    )  # fmt: skip

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False
