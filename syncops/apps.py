from django.apps import AppConfig


class SyncopsConfig(AppConfig):
    """The work: timelines, plans, operations, runs, proofs."""

    name = "syncops"
