from django.apps import AppConfig


class PortalConfig(AppConfig):
    """The business and the floor: organizations, people, customers, offers, subscriptions, orders, margins, audit."""

    name = "portal"
    verbose_name = "Portal"

    def ready(self) -> None:
        from portal import checks  # noqa: F401  registers the system checks
        from portal.queue import watch_monitor

        watch_monitor()
