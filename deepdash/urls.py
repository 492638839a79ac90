"""All addresses. Each app names its own; the ones kept from the Flask dashboard are marked there."""

from django.contrib import admin
from django.urls import include, path

from deepdash import views

urlpatterns = [
    path("", include("catalog.urls")),
    path("", include("accounts.urls")),
    path("", include("deployments.urls")),
    path("admin/", admin.site.urls),
    path("design", views.design, name="design"),
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("metrics", views.metrics, name="metrics"),
]

handler400 = views.bad_request
handler403 = views.permission_denied
handler404 = views.not_found
handler500 = views.server_error
