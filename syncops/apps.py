from django.apps import AppConfig


class SyncopsConfig(AppConfig):
    """The work: timelines, plans, operations, runs, proofs."""

    name = "syncops"

    def ready(self) -> None:
        from portal.context import add_count
        from portal.panels import add_badges
        from syncops import importing, panels, standing
        from syncops.azure import importing as azure_importing

        panels.register()
        importing.register()
        azure_importing.register()
        add_badges("subscription", standing.badges)
        add_count("syncops:inbox", panels.waiting_for_a_person)
        add_count("syncops:rehearsal_list", panels.waiting_in_rehearsal)
