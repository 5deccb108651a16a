"""What a run reads: the unit rows of many lines in one request, and a contract that the mirror does not hold."""

from __future__ import annotations

from collections import defaultdict

import structlog

from connections.psa.base import Psa
from portal.far_side import FarSideError, Rejected, Unauthorized, Unavailable
from syncops.engine.steps import Steps
from syncops.jobs import Job

log = structlog.get_logger()


class Reading:
    """Reads for jobs; one whose answer does not come waits, and does not stop the others."""

    def __init__(self, steps: Steps) -> None:
        self.steps = steps

    def rows(self, jobs: list[Job], psa: Psa) -> None:
        """Read the unit rows of all lines at once; where that fails, every job waits.

        One line that cannot be read must not stop the others: refused or unreadable answers are read line by line.
        """
        open_jobs = [job for job in jobs if not job.settled and job.mapping.line_id]
        if not open_jobs or self.steps.out_of_time():
            return
        starts = [job.since for job in open_jobs]
        since = None if None in starts else min(day for day in starts if day)
        lines = sorted({job.mapping.line_id for job in open_jobs if job.mapping.line_id})
        try:
            rows = psa.unit_rows(lines, since=since)
        except (Unavailable, Unauthorized) as error:
            for job in open_jobs:
                self.steps.postpone(job, error)
            return
        except Exception as error:
            self._read_one_by_one(open_jobs, psa, error)
            return
        by_line = defaultdict(list)
        for row in rows:
            by_line[row.line_id].append(row)
        for job, start in zip(open_jobs, starts, strict=True):
            # Only its own days: what it compares with was read with the same beginning, whoever else was in the batch.
            shown = by_line[job.mapping.line_id or 0]
            job.rows = [row for row in shown if start is None or row.ends_on >= start]
            job.answered = True

    def _read_one_by_one(self, jobs: list[Job], psa: Psa, error: Exception) -> None:
        if len(jobs) > 1:
            for job in jobs:
                self.rows([job], psa)
        elif isinstance(error, FarSideError):
            self.steps.postpone(jobs[0], error)
        else:
            log.exception("line not read", operation=jobs[0].operation.pk)
            self.steps.broken(jobs[0], error)

    def contract(self, job: Job, psa: Psa) -> None:
        job.contract = psa.contract(job.mapping.contract_id)
        if job.contract is None:
            raise Rejected(
                f"The contract {job.mapping.contract_name} is not in Autotask any more.",
                "Refresh the connection, then map the subscription to another contract.",
            )
