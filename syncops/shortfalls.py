"""What a run could not mend: written down with its money, and settled when it is wanted no more.

The functions that write are called inside `held(job.claim)`.
"""

from __future__ import annotations

from syncops.clock import Moment
from syncops.jobs import Job
from syncops.models import Shortfall
from syncops.planning import Planned
from syncops.plans import Shortfall as PlannedShortfall


def record(job: Job, planned: Planned, moment: Moment) -> None:
    """The shortfalls of a run that ended well, and what earlier ones had recorded and this one made up for."""
    _record(job, planned.plan.shortfalls, Shortfall.Reason.POSTED, moment)
    _record(job, planned.same_date, Shortfall.Reason.SAME_DATE, moment)
    _record(job, planned.in_vain, Shortfall.Reason.POSTED, moment)
    _record(job, planned.revalued, Shortfall.Reason.SAME_DATE, moment)
    _record_beyond(job, planned, moment)
    _take_back(job, moment)


def _record(job: Job, gaps: tuple[PlannedShortfall, ...], reason: str, moment: Moment) -> None:
    Shortfall.objects.bulk_create(
        Shortfall(
            operation=job.operation,
            stream_id=job.claim.stream_id,
            reason=reason,
            starts_on=gap.start,
            ends_on=gap.end,
            units=gap.units,
            unit_price=gap.after.price,
            amount=gap.amount,
            cost_amount=gap.cost_amount,
            currency=job.connection.currency,
            created_at=moment.now,
        )
        for gap in gaps
    )


def _record_beyond(job: Job, planned: Planned, moment: Moment) -> None:
    """Steps behind the contract's end, each once; what was recorded before and is not wanted so any more, or is inside
    the contract by now, is settled by this run.
    """
    last = planned.wanted.at(planned.term.end).units
    wanted = {(step.effective, step.level.units - last): step for step in planned.plan.beyond}
    beyond = Shortfall.objects.filter(stream_id=job.claim.stream_id, reason=Shortfall.Reason.BEYOND_CONTRACT)
    for row in beyond.unsettled():
        if wanted.pop((row.starts_on, row.units), None) is None:
            row.settled_by = job.operation
            row.save(update_fields=["settled_by"])
    Shortfall.objects.bulk_create(
        Shortfall(
            operation=job.operation,
            stream_id=job.claim.stream_id,
            reason=Shortfall.Reason.BEYOND_CONTRACT,
            starts_on=step.effective,
            ends_on=step.end_needed,
            needed_end=step.end_needed,
            units=units,
            unit_price=step.level.price,
            currency=job.connection.currency,
            created_at=moment.now,
        )
        for (_, units), step in wanted.items()
    )


def _take_back(job: Job, moment: Moment) -> None:
    """What an operation that is undone could not bring about is not missing any more: each row gets its opposite."""
    rows = Shortfall.objects.given_up().filter(operation=job.operation.undoes_id) if job.operation.undoes_id else ()
    for row in rows:
        row.pk, row.operation, row.settled_by, row.created_at = None, job.operation, None, moment.now
        row.units = -row.units
        row.amount = None if row.amount is None else -row.amount
        row.cost_amount = None if row.cost_amount is None else -row.cost_amount
        row.save(force_insert=True)
