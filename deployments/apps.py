import sqlite3
from typing import Any

from django.apps import AppConfig
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created


def ask_sqlite_for_its_limit(connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    """Let bulk statements be as large as this SQLite allows.

    Django 5.2 reckons with 999 values per statement, the limit of SQLite before 3.32; a synchronised list of 2,000
    deployments would need some sixty statements instead of one.
    """
    if connection.vendor == "sqlite":
        limit = connection.connection.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER)
        connection.features.max_query_params = limit


class DeploymentsConfig(AppConfig):
    name = "deployments"

    def ready(self) -> None:
        from deployments import checks, problems  # noqa: F401 (they register themselves)

        connection_created.connect(ask_sqlite_for_its_limit, dispatch_uid="deployments.sqlite_limit")
