"""``manage.py make_secrets``: values for SECRET_KEY, TOKEN_KEYS and METRICS_TOKEN."""

import secrets
from typing import Any

from cryptography.fernet import Fernet
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Print fresh secrets, as lines of an environment file. Nothing is stored."
    requires_system_checks: list[str] = []  # it must run before the configuration is right

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"DEEPDASH_SECRET_KEY={secrets.token_urlsafe(50)}")
        self.stdout.write(f"DEEPDASH_TOKEN_KEYS={Fernet.generate_key().decode()}")
        self.stdout.write(f"DEEPDASH_METRICS_TOKEN={secrets.token_urlsafe(30)}")
