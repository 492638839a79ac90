from django.apps import AppConfig
from django.db.models.signals import post_migrate


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = "Accounts"

    def ready(self) -> None:
        from accounts import checks, roles

        checks.register_all()
        post_migrate.connect(roles.grant_curators, dispatch_uid="accounts.roles.grant_curators")
