"""The work: streams of operations, their runs, what was written, and what could not be mended."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime
from typing import Any

from django.db import models
from django.db.models import Q
from django.urls import reverse

from connections.models import Connection
from mappings.models import SubscriptionMapping
from portal.models import Organization, Subscription, SubscriptionChange, User
from portal.search import holds_every_word

NEVER = datetime(1970, 1, 1, tzinfo=UTC)


class StreamQuerySet(models.QuerySet["Stream"]):
    def due(self, now: datetime) -> StreamQuerySet:
        """Streams with work whose time has come and that nobody holds."""
        return self.filter(due__lte=now, lease_until__lte=now)


class Stream(models.Model):
    """The operations of one subscription on one connection: what a worker claims, there before the line is.

    `due` is when there is something to do, empty while idle; `urgent` while a person waits for some of it, which then
    goes before the others. `lease_until` and `fence` make one worker at a time its holder: every write-back names the
    fence it was claimed with, and a stale one changes nothing.
    """

    connection = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="streams")
    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="streams")
    next_sequence = models.PositiveIntegerField(default=1)
    stops_at = models.PositiveIntegerField(
        default=0, help_text="Of the operations up to this sequence, later ones wait for one that fails: a manual sync."
    )
    due = models.DateTimeField(null=True, blank=True, db_index=True)  # the claim looks here
    urgent = models.BooleanField(default=False)
    lease_until = models.DateTimeField(default=NEVER)
    owner = models.CharField(max_length=120, blank=True)
    fence = models.PositiveIntegerField(default=0)

    objects = StreamQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["connection", "subscription"], name="stream_unique")]

    def __str__(self) -> str:
        return f"{self.subscription} on {self.connection}"


class Lane(models.Model):
    """The one drain that works on a connection at a time, so that batches share their reads.

    Losing it costs nothing but politeness: what must not happen twice is guarded by the streams' own leases.
    """

    connection = models.OneToOneField(Connection, on_delete=models.CASCADE, primary_key=True, related_name="lane")
    lease_until = models.DateTimeField(default=NEVER)
    owner = models.CharField(max_length=120, blank=True)
    compared_at = models.DateTimeField(default=NEVER, help_text="When its lines were last searched for double writes.")

    def __str__(self) -> str:
        return f"Lane of {self.connection}"


class SyncOperationQuerySet(models.QuerySet["SyncOperation"]):
    def for_user(self, user: Any) -> SyncOperationQuerySet:
        """The operations of the person's own organization."""
        return self.filter(organization_id=user.organization_id)

    def open(self) -> SyncOperationQuerySet:
        return self.filter(state__in=SyncOperation.OPEN)

    def search(self, text: str) -> SyncOperationQuerySet:
        """Operations whose subscription or customer holds every word of `text`."""
        return self.filter(holds_every_word(text, "subscription__search_text", "subscription__customer__search_text"))

    def chronological(self) -> SyncOperationQuerySet:
        """Oldest effective date first; those without a date yet come first, as what they wait for comes first.

        Those of one date and place in their lines: in the order in which they came."""
        return self.order_by(models.F("effective_on").asc(nulls_first=True), "sequence", "pk")


class SyncOperation(models.Model):
    """Our intent to make the PSA show one change: planned, run, proved, audited. Never deleted."""

    class State(models.TextChoices):
        PLANNED = "planned", "Planned"
        QUEUED = "queued", "Queued"
        RUNNING = "running", "Running"
        SUCCEEDED = "succeeded", "Succeeded"
        FAILED = "failed", "Failed"
        UNCERTAIN = "uncertain", "Uncertain"
        HELD = "held", "Held"
        UNSUPPORTED = "unsupported", "Unsupported"
        NOTHING_TO_SEND = "nothing_to_send", "Nothing to send"
        SUPERSEDED = "superseded", "Superseded"
        DISMISSED = "dismissed", "Dismissed"

    OPEN = (State.PLANNED, State.QUEUED, State.RUNNING, State.UNCERTAIN)
    NEEDS_A_PERSON = (State.FAILED, State.HELD)
    FINAL = (State.SUCCEEDED, State.UNSUPPORTED, State.NOTHING_TO_SEND, State.SUPERSEDED, State.DISMISSED)
    COUNTS = (*OPEN, *NEEDS_A_PERSON, State.SUCCEEDED)
    TRANSITIONS: dict[str, tuple[str, ...]] = {
        State.PLANNED: (State.QUEUED, State.RUNNING, State.HELD, State.SUPERSEDED, State.DISMISSED, State.FAILED),
        State.QUEUED: (
            State.RUNNING,
            State.PLANNED,
            State.UNCERTAIN,
            State.HELD,
            State.SUPERSEDED,
            State.DISMISSED,
            State.FAILED,
            State.UNSUPPORTED,
            State.NOTHING_TO_SEND,
        ),
        State.RUNNING: (
            State.QUEUED,
            State.PLANNED,
            State.SUCCEEDED,
            State.FAILED,
            State.UNCERTAIN,
            State.HELD,
        ),
        State.UNCERTAIN: (State.RUNNING, State.SUCCEEDED, State.FAILED, State.HELD, State.QUEUED),
        State.FAILED: (State.QUEUED, State.DISMISSED, State.SUPERSEDED),
        State.HELD: (State.QUEUED, State.DISMISSED, State.SUPERSEDED),
        State.SUCCEEDED: (),
        State.UNSUPPORTED: (State.DISMISSED,),
        State.NOTHING_TO_SEND: (),
        State.SUPERSEDED: (),
        State.DISMISSED: (),
    }

    stream = models.ForeignKey(Stream, on_delete=models.PROTECT, related_name="operations")
    sequence = models.PositiveIntegerField()
    mapping = models.ForeignKey(SubscriptionMapping, on_delete=models.PROTECT, related_name="operations")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    connection = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="operations")
    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="operations")
    change = models.ForeignKey(SubscriptionChange, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    kind = models.CharField(max_length=40)
    effective_on = models.DateField(null=True, blank=True, help_text="Empty until the subscription's start is known.")
    payload = models.JSONField(default=dict)
    policies_json = models.JSONField(
        default=dict, blank=True, help_text="The policies that decide about it, as they were when it was recorded."
    )
    holds_from = models.DateField(null=True, blank=True, help_text="First day of the line that it changes.")
    state = models.CharField(max_length=16, choices=State, default=State.QUEUED)
    waiting_for = models.CharField(max_length=200, blank=True)
    retry_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    error_kind = models.CharField(max_length=20, blank=True)
    error_group = models.CharField(max_length=200, blank=True, help_text="The error without names, dates and numbers.")
    error = models.TextField(blank=True)
    advice = models.TextField(blank=True)
    raw_answer = models.TextField(blank=True)
    preview = models.JSONField(default=dict, blank=True, help_text="What was shown before it was confirmed.")
    plan = models.JSONField(default=dict, blank=True, help_text="What the last run planned.")
    proof = models.JSONField(default=dict, blank=True, help_text="Rows read back: expected, found, when.")
    after = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="+", help_text="It waits for this one."
    )
    margin_update = models.ForeignKey(
        "MarginUpdate", on_delete=models.PROTECT, null=True, blank=True, related_name="operations"
    )
    superseded_by = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    undoes = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="undoings")
    correlation_id = models.UUIDField(default=uuid.uuid4, editable=False)
    actor = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    audit_began = models.ForeignKey(
        "portal.AuditEntry", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = SyncOperationQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["stream", "sequence"], name="operation_sequence_unique"),
            models.UniqueConstraint(
                fields=["stream", "change"],
                condition=Q(change__isnull=False),
                name="one_operation_per_change",
            ),
            models.UniqueConstraint(
                fields=["stream", "margin_update"],
                condition=Q(margin_update__isnull=False),
                name="one_operation_per_margin_update",
            ),
            models.UniqueConstraint(
                fields=["undoes"],
                condition=Q(undoes__isnull=False) & ~Q(state="dismissed"),
                name="undone_once",
                violation_error_message="This operation is being undone already.",
            ),
        ]
        indexes = [
            models.Index(fields=["stream", "state"], name="operation_open_of_stream"),  # the head of a stream
            models.Index(fields=["organization", "-id"], name="operation_list"),  # the operations list
            models.Index(fields=["organization", "state"], name="operation_by_state"),  # the count in the navigation
            models.Index(  # what waits for a contract to be extended
                fields=["stream"],
                condition=Q(state="failed", error_kind="beyond_contract"),
                name="operation_beyond_contract",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.label} for {self.subscription}"

    @property
    def label(self) -> str:
        from syncops.operations import label_of

        return label_of(self.kind)

    @property
    def is_open(self) -> bool:
        return self.state in self.OPEN

    @property
    def needs_a_person(self) -> bool:
        return self.state in self.NEEDS_A_PERSON

    @property
    def undone_by(self) -> SyncOperation | None:
        """The operation that took this one back and was not taken back itself."""
        done = (one for one in self.undoings.all() if one.state == self.State.SUCCEEDED and not one.is_undone)
        return next(done, None)

    @property
    def is_undone(self) -> bool:
        return self.undone_by is not None

    @property
    def extends_to(self) -> date | None:
        """The last day that it gives its contract, where it does."""
        return date.fromisoformat(self.payload["extend_to"]) if "extend_to" in self.payload else None

    def get_absolute_url(self) -> str:
        return reverse("syncops:operation_detail", args=[self.pk])


class GroupDecisionQuerySet(models.QuerySet["GroupDecision"]):
    def for_user(self, user: Any) -> GroupDecisionQuerySet:
        """The decisions of the person's own organization."""
        return self.filter(organization_id=user.organization_id)

    def due(self, now: datetime) -> GroupDecisionQuerySet:
        """Decisions that are not carried out to the end."""
        return self.filter(due_at__lte=now)


class GroupDecision(models.Model):
    """A person's decision about all operations that stopped for one reason: try them again, or dismiss them.

    It covers those that had stopped by `seen_at`, when the person saw them. A worker carries it out one stream after
    the other; `last_stream` is how far it is, and `due_at` is empty once it is done.
    """

    class Verb(models.TextChoices):
        RETRY = "retry", "Retry"
        DISMISS = "dismiss", "Dismiss"

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    verb = models.CharField(max_length=8, choices=Verb)
    error_kind = models.CharField(max_length=20, blank=True)
    error_group = models.CharField(max_length=200, blank=True)
    reason = models.CharField(max_length=500, blank=True)
    actor = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    seen_at = models.DateTimeField()
    created_at = models.DateTimeField()
    total = models.PositiveIntegerField(help_text="Operations that it was made for.")
    done = models.PositiveIntegerField(default=0)
    left_out = models.PositiveIntegerField(default=0, help_text="Those that wait for a decision of their own.")
    last_stream = models.PositiveBigIntegerField(default=0)
    due_at = models.DateTimeField(null=True, blank=True, db_index=True)  # the sweep looks here

    objects = GroupDecisionQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "error_kind", "error_group"],
                condition=Q(due_at__isnull=False),
                name="one_open_decision_per_group",
                violation_error_message="These operations are being dealt with already.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_verb_display()} {self.total} operations"


class Run(models.Model):
    """One attempt at an operation."""

    operation = models.ForeignKey(SyncOperation, on_delete=models.PROTECT, related_name="runs")
    number = models.PositiveIntegerField()
    fence = models.PositiveIntegerField()
    owner = models.CharField(max_length=120)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=20, blank=True)

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["operation", "number"], name="run_number_unique")]

    def __str__(self) -> str:
        return f"Run {self.number} of {self.operation}"


class Write(models.Model):
    """One write to the PSA: journaled before its first byte, settled by its answer or by reading back.

    Adjustments cannot be read back as such, so these rows are the only memory of what was sent. The applied ones of a
    line, summed by date, are what the line shows because of us; everything else on it is somebody else's.
    """

    class Kind(models.TextChoices):
        CREATE_LINE = "create_line", "Create line"
        ADJUST = "adjust", "Adjust"
        ADOPTED = "adopted", "Taken over"
        CHARGE = "charge", "Create charge"
        EXTEND = "extend", "Extend contract"

    class State(models.TextChoices):
        SENDING = "sending", "Sending"
        UNKNOWN = "unknown", "Outcome unknown"
        ACCEPTED = "accepted", "Accepted, not proved yet"
        APPLIED = "applied", "Applied"
        REJECTED = "rejected", "Rejected"
        NOT_SENT = "not_sent", "Not sent"
        NOT_APPLIED = "not_applied", "Proved not applied"

    UNSETTLED = (State.SENDING, State.UNKNOWN)
    UNPROVED = (State.SENDING, State.UNKNOWN, State.ACCEPTED)

    stream = models.ForeignKey(Stream, on_delete=models.PROTECT, related_name="writes")
    operation = models.ForeignKey(SyncOperation, on_delete=models.PROTECT, related_name="writes")
    run = models.ForeignKey(Run, on_delete=models.PROTECT, null=True, blank=True, related_name="writes")
    kind = models.CharField(max_length=12, choices=Kind)
    state = models.CharField(max_length=12, choices=State, default=State.SENDING)
    contract_id = models.BigIntegerField()
    service_id = models.BigIntegerField()
    line_id = models.BigIntegerField(null=True, blank=True)
    effective_on = models.DateField(null=True, blank=True)
    units_before = models.IntegerField(default=0)
    unit_change = models.IntegerField(default=0)
    price = models.DecimalField(max_digits=14, decimal_places=4, null=True, blank=True)
    cost = models.DecimalField(max_digits=14, decimal_places=4, null=True, blank=True)
    line_before = models.JSONField(default=list, blank=True, help_text="The line's timeline before this write.")
    sent_at = models.DateTimeField()
    sent_boot = models.FloatField(help_text="Seconds since this machine's boot, from a clock that runs while asleep.")
    boot_id = models.CharField(max_length=64, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    answer = models.TextField(blank=True)
    proved_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["stream"], condition=Q(state__in=("sending", "unknown")), name="one_unsettled_write_per_stream"
            ),
            models.UniqueConstraint(
                fields=["operation"],
                condition=Q(kind="charge", state__in=("sending", "unknown", "accepted", "applied")),
                name="one_charge_per_operation",
            ),
        ]
        indexes = [models.Index(fields=["stream", "state"], name="writes_of_stream")]  # what a line shows because of us

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.unit_change:+d} on {self.effective_on}"


class DoubledWriteQuerySet(models.QuerySet["DoubledWrite"]):
    def for_user(self, user: Any) -> DoubledWriteQuerySet:
        """Those of the person's own organization."""
        return self.filter(write__operation__organization_id=user.organization_id)

    def open(self) -> DoubledWriteQuerySet:
        return self.filter(closed_at=None)


class DoubledWrite(models.Model):
    """A write of ours that its line seems to show twice: a person looks. Closed when it is gone, or by a person."""

    write = models.OneToOneField(Write, on_delete=models.PROTECT, related_name="doubled")
    line_id = models.BigIntegerField()
    found_at = models.DateTimeField()
    found_units = models.IntegerField(help_text="Units that begin on the write's date, as the line shows them.")
    closed_at = models.DateTimeField(null=True, blank=True, db_index=True)  # the inbox and its count look here
    closed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    reason = models.CharField(max_length=500, blank=True, help_text="Why it is right as it is; empty where it is gone.")

    objects = DoubledWriteQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.write} twice on line {self.line_id}"


class JournalEntry(models.Model):
    """What happened in a run, step by step. Append-only, also for workers whose lease was lost."""

    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="journal")
    fence = models.PositiveIntegerField()
    phase = models.CharField(max_length=16)
    at = models.DateTimeField()
    detail = models.JSONField(default=dict)

    class Meta:
        ordering = ["pk"]
        verbose_name_plural = "journal entries"

    def __str__(self) -> str:
        return f"{self.phase} at {self.at:%Y-%m-%d %H:%M:%S}"


class ShortfallQuerySet(models.QuerySet["Shortfall"]):
    def for_user(self, user: Any) -> ShortfallQuerySet:
        """Those of the person's own organization."""
        return self.filter(operation__organization_id=user.organization_id)

    def unsettled(self) -> ShortfallQuerySet:
        """Nobody has done anything about them yet."""
        return self.filter(settled_by=None)

    def given_up(self) -> ShortfallQuerySet:
        """Days that stay as they are; what lies beyond the contract's end is still wanted."""
        return self.exclude(reason=Shortfall.Reason.BEYOND_CONTRACT)


class Shortfall(models.Model):
    """What a run could not mend: the days, the units, and the money. What was given up stays given up on the line.

    `settled_by` is the one operation that makes up for it: a charge, or an extension of the contract.
    """

    class Reason(models.TextChoices):
        POSTED = "posted", "Period posted"
        SAME_DATE = "same_date", "Second change on one date"
        BEYOND_CONTRACT = "beyond_contract", "Beyond the contract's end"

    operation = models.ForeignKey(SyncOperation, on_delete=models.PROTECT, related_name="shortfalls")
    stream = models.ForeignKey(Stream, on_delete=models.PROTECT, related_name="shortfalls")
    reason = models.CharField(max_length=16, choices=Reason)
    starts_on = models.DateField()
    ends_on = models.DateField(help_text="Last day, inclusive.")
    units = models.IntegerField(help_text="Wanted minus shown.")
    unit_price = models.DecimalField(max_digits=14, decimal_places=4, null=True, blank=True)
    amount = models.DecimalField(
        max_digits=16, decimal_places=4, null=True, blank=True, help_text="Empty where no price is known."
    )
    cost_amount = models.DecimalField(
        max_digits=16, decimal_places=4, null=True, blank=True, help_text="The same of the purchase."
    )
    currency = models.CharField(max_length=3)
    needed_end = models.DateField(null=True, blank=True, help_text="The contract end that would mend it.")
    settled_by = models.ForeignKey(
        SyncOperation, on_delete=models.PROTECT, null=True, blank=True, related_name="settles"
    )
    created_at = models.DateTimeField()

    objects = ShortfallQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.amount} {self.currency} from {self.starts_on} to {self.ends_on}"

    @property
    def can_be_charged(self) -> bool:
        """Whether a charge may still make up for it: its money is known, and nobody has settled it."""
        beyond = self.reason == self.Reason.BEYOND_CONTRACT
        return not beyond and self.amount is not None and self.settled_by_id is None


class MarginUpdateQuerySet(models.QuerySet["MarginUpdate"]):
    def for_user(self, user: Any) -> MarginUpdateQuerySet:
        """Those of the person's own organization: what others earn is their own business."""
        return self.filter(organization_id=user.organization_id)

    def unfinished(self) -> MarginUpdateQuerySet:
        return self.filter(finished_at__isnull=True)


class MarginUpdate(models.Model):
    """New margins on their way to the mapped subscriptions that they price: the parent of one operation each.

    `after_mapping` is how far the walk over the mappings has come; it is over when `finished_at` is set, the
    operations have states of their own.
    """

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    what = models.CharField(max_length=300, help_text="The margins that changed, in words.")
    scopes = models.JSONField(help_text="Whom they price: fields of portal.actions.repricing.Scope.")
    effective_on = models.DateField(help_text="The day on which the margins were completed.")
    actor = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    correlation_id = models.UUIDField(default=uuid.uuid4, editable=False)
    after_mapping = models.BigIntegerField(default=0)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True, db_index=True)  # the sweep looks for those without

    objects = MarginUpdateQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return self.what

    def get_absolute_url(self) -> str:
        return reverse("syncops:margin_update", args=[self.pk])
