from django.apps import AppConfig


class ConnectionsConfig(AppConfig):
    """The far sides: credentials, health, clients, the mirror of what was read, the sandbox."""

    name = "connections"

    def ready(self) -> None:
        from connections import panels

        panels.register()
