"""Every table of the app, one file per noun."""

from syncops.models.azure import AzureAlarm, AzureAlarmQuerySet, AzureMonth, AzureMonthQuerySet
from syncops.models.decisions import GroupDecision, GroupDecisionQuerySet
from syncops.models.margins import MarginPreview, MarginPreviewQuerySet, MarginUpdate, MarginUpdateQuerySet
from syncops.models.newcomers import Newcomer, NewcomerQuerySet
from syncops.models.operations import SyncOperation, SyncOperationQuerySet
from syncops.models.rehearsals import GoingLive, GoingLiveQuerySet, Rehearsal, RehearsalQuerySet
from syncops.models.shortfalls import Shortfall, ShortfallQuerySet
from syncops.models.streams import NEVER, Lane, Stream, StreamQuerySet
from syncops.models.successions import Succession, SuccessionQuerySet
from syncops.models.writes import DoubledWrite, DoubledWriteQuerySet, JournalEntry, Run, Write

__all__ = [
    "NEVER",
    "AzureAlarm",
    "AzureAlarmQuerySet",
    "AzureMonth",
    "AzureMonthQuerySet",
    "DoubledWrite",
    "DoubledWriteQuerySet",
    "GoingLive",
    "GoingLiveQuerySet",
    "GroupDecision",
    "GroupDecisionQuerySet",
    "JournalEntry",
    "Lane",
    "MarginPreview",
    "MarginPreviewQuerySet",
    "MarginUpdate",
    "MarginUpdateQuerySet",
    "Newcomer",
    "NewcomerQuerySet",
    "Rehearsal",
    "RehearsalQuerySet",
    "Run",
    "Shortfall",
    "ShortfallQuerySet",
    "Stream",
    "StreamQuerySet",
    "Succession",
    "SuccessionQuerySet",
    "SyncOperation",
    "SyncOperationQuerySet",
    "Write",
]
