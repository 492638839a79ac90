from django.apps import AppConfig
from django.db.models.signals import post_delete, post_save


class CatalogConfig(AppConfig):
    name = "catalog"
    verbose_name = "Catalogue"

    def ready(self) -> None:
        from catalog import checks, problems  # noqa: F401  (registers checks and messages)
        from catalog.context import forget_links
        from catalog.models import ExternalLink

        post_save.connect(forget_links, sender=ExternalLink)
        post_delete.connect(forget_links, sender=ExternalLink)
