from django.apps import AppConfig


class DeepdashConfig(AppConfig):
    name = "deepdash"

    def ready(self) -> None:
        from deepdash import checks  # noqa: F401  (registers itself)
