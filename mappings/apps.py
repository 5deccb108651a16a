from django.apps import AppConfig


class MappingsConfig(AppConfig):
    """Which of ours is which of theirs: customers, offer variants, subscriptions."""

    name = "mappings"

    def ready(self) -> None:
        from mappings import importing, panels

        panels.register()
        importing.register()
