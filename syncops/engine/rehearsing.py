"""Operations of a connection that rehearses: read, planned and kept with what they would do, and never sent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import timedelta

import structlog

from connections.actions import mark_unauthorized
from connections.health import note_failure, note_success
from connections.models import Connection
from connections.psa.base import Psa
from connections.psa.types import UnitRow
from portal.far_side import FarSideError, Unauthorized
from syncops.claim import Claim, held_together
from syncops.dues import put_aside, release
from syncops.engine.scenes import Scenes
from syncops.engine.steps import Steps, portal_failed
from syncops.models import Rehearsal
from syncops.rehearsals import keep_rehearsals
from syncops.rehearsing import Foreseen, Scene

log = structlog.get_logger()
TRY_AGAIN = timedelta(minutes=1)


class Rehearsing:
    """Plans the streams of a batch with one shared read; nothing is asked of the far side but reads."""

    def __init__(self, steps: Steps) -> None:
        self.steps = steps

    def rehearse(self, claims: Sequence[Claim], connection: Connection, reach: Callable[[], Psa]) -> list[Claim]:
        """Plan what waits on these streams, and keep what would become of it. The claims that are left have writes that
        are still to be proved.
        """
        with held_together(claims) as ours:
            scenes = Scenes.of(connection, ours, self.steps.now())
            left = [claim for claim in claims if claim.stream_id in scenes.unproved]
            for claim in claims:
                if claim.stream_id in scenes.aside:
                    words, until = scenes.aside[claim.stream_id]
                    put_aside(claim, ours[claim.stream_id], words, until)
                elif claim.stream_id in ours and claim.stream_id in scenes.idle:
                    release(claim, None)
        ready = [claim for claim in claims if claim.stream_id in scenes.waiting]
        if ready:
            self._planned(ready, scenes, reach)
        return left

    def _planned(self, claims: list[Claim], scenes: Scenes, reach: Callable[[], Psa]) -> None:
        try:
            psa = reach()
            scenes.read_contracts(psa)
            rows = self._rows(scenes, psa)
        except FarSideError as error:
            self._later(claims, scenes.connection, error)
            return
        except Exception as error:
            log.exception("not rehearsed", connection=scenes.connection.pk)
            self._later(claims, scenes.connection, portal_failed(error))
            return
        note_success(scenes.connection, now=self.steps.now())
        found = {claim.stream_id: _foreseen(scenes.scene(claim.stream_id, rows)) for claim in claims}
        keep_rehearsals(claims, found, scenes.connection, now=self.steps.now())

    def _rows(self, scenes: Scenes, psa: Psa) -> dict[int, list[UnitRow]]:
        """The unit rows of all lines, by line: one read."""
        by_line: dict[int, list[UnitRow]] = defaultdict(list)
        lines = scenes.line_ids
        for row in psa.unit_rows(lines, since=scenes.since) if lines else ():
            by_line[row.line_id].append(row)
        return by_line

    def _later(self, claims: list[Claim], connection: Connection, error: FarSideError) -> None:
        """The far side does not answer: what waits says so, and is planned when it does."""
        now = self.steps.now()
        if isinstance(error, Unauthorized):
            mark_unauthorized(connection, error, now=now)
        else:
            note_failure(connection, error, now=now)
        with held_together(claims) as ours:
            for claim in claims:
                if claim.stream_id in ours:
                    put_aside(claim, ours[claim.stream_id], "Autotask to answer", now + TRY_AGAIN, keep_rehearsed=True)


def _foreseen(scene: Scene) -> list[Foreseen]:
    """What would become of each operation; where the portal cannot tell, that is said of each."""
    try:
        return scene.foresee()
    except Exception as error:
        log.exception("stream not foreseen", operations=[one.pk for one in scene.operations])
        words = getattr(error, "message", "") or f"The portal cannot plan this: {error!r}."
        advice = getattr(error, "advice", "") or "Tell support. Dismiss it here if it must not be sent."
        dated, stops = [one for one in scene.operations if one.effective_on], Rehearsal.Verdict.STOPS
        return [Foreseen(one, stops, words, advice, is_dismissed=one.pk in scene.dismissed) for one in dated]
