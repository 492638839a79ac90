"""Addresses of deployments, providers and services. ``<ref>`` is the orchestrator's uuid or our submission key."""

from django.urls import path, register_converter
from django.urls.converters import StringConverter

from deployments.clients.orchestrator import REFERENCE
from deployments.views import (
    configure,
    detail,
    find,
    listing,
    notices,
    old,
    operations,
    preflight,
    sites,
    storage,
    usage,
)


class ReferenceConverter(StringConverter):
    """An identifier of the orchestrator: anything that is safe as one segment of an address."""

    regex = REFERENCE


register_converter(ReferenceConverter, "ref")

from deployments.trainings.urls import urlpatterns as trainings  # noqa: E402  (they use the converter)

app_name = "deployments"
urlpatterns = [
    *trainings,
    path("find", find.find, name="find"),
    path("deployments", listing.index, name="list"),
    path("deployments/rows", listing.rows, name="rows"),
    path("modules/<slug:slug>/deployments", listing.module_strip, name="module_strip"),
    path("deployments/group", listing.group, name="group"),
    path("deployments/delete", operations.delete_many, name="delete_many"),
    path("deployments/<ref:uuid>", detail.detail, name="detail"),
    path("deployments/<ref:uuid>/live", detail.detail_live, name="live"),
    path("deployments/<ref:uuid>/template", detail.template, name="template"),
    path("deployments/<ref:uuid>/log", detail.log, name="log"),
    path("deployments/<ref:uuid>/delete", detail.delete, name="delete"),
    path("deployments/<ref:uuid>/rename", detail.rename, name="rename"),
    path("deployments/<ref:uuid>/lock", operations.lock, name="lock"),
    path("deployments/<ref:uuid>/reset", operations.reset, name="reset"),
    path("deployments/<ref:uuid>/secrets", operations.secrets, name="secrets"),
    path("deployments/<ref:uuid>/nodes", operations.nodes, name="nodes"),
    path("deployments/<ref:uuid>/nodes/<ref:node>", operations.node, name="node"),
    path("slas", sites.providers, name="providers"),
    path("slas/measured", sites.measured, name="measured"),
    path("usage", usage.usage, name="usage"),
    path("settings/health", sites.health, name="health"),
    path("settings", sites.settings, name="settings"),
    # -- Notices ------------------------------------------------------------------------------------------
    path("notices", notices.index, name="notices"),
    path("notices/read", notices.read_all, name="notices_read"),
    path("notices/<int:pk>", notices.open_notice, name="notice"),
    path("callback/<uuid:key>/<str:secret>", notices.callback, name="callback"),
    # -- Configure and submit -----------------------------------------------------------------------------
    path("module/<slug:slug>", configure.configure, name="configure"),
    path("module/<slug:slug>/providers", configure.providers, name="configure_providers"),
    path("deployments/<ref:uuid>/again", configure.again, name="again"),
    path("deployments/<ref:uuid>/again/providers", configure.providers_again, name="again_providers"),
    path("deployments/<ref:uuid>/update", configure.update, name="update"),
    path("preflight/providers", preflight.providers, name="preflight_providers"),
    path("preflight/storage/<int:pk>", preflight.storage, name="preflight_storage"),
    # -- Storage accounts ------------------------------------------------------------------------------------
    path("storage", storage.index, name="storage"),
    path("storage/<int:pk>", storage.edit, name="storage_edit"),
    path("storage/<int:pk>/test", storage.test, name="storage_test"),
    path("storage/<int:pk>/delete", storage.delete, name="storage_delete"),
    # -- Addresses of the Flask dashboard that have moved ---------------------------------------------------
    path("template/<ref:uuid>", old.template),
    path("log/<str:id>", old.log),
]
