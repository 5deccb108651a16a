"""Whether the portal is there, and whether what it needs is."""

from typing import Any

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from portal.permissions import public
from portal.queue import beat_age, busy_now, waiting_messages

LATE_S = 60  # while it is idle, a canary goes round every few seconds


@require_GET
@never_cache
@public(because="A load balancer asks it; it says nothing but that the process answers.")
def healthz(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok\n", content_type="text/plain")


@require_GET
@never_cache
@public(
    because="A monitor asks it; it says whether the database and the queue move, and no word of anybody's business."
)
def readyz(request: HttpRequest) -> JsonResponse:
    """200 while the database answers, 503 otherwise. A late queue is told in `queue.late`: pages work without it."""
    database = database_answers()
    body = {"ready": database, "database": database, "queue": queue_state() if database else None}
    return JsonResponse(body, status=200 if database else 503)


def database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            return bool(cursor.fetchone() == (1,))
    except DatabaseError:
        return False


def queue_state() -> dict[str, Any]:
    """Wake-ups that wait (None where the broker does not answer), and seconds since a task went all the way round.

    `late`: that is too long ago for a worker that is not busy.
    """
    try:
        waiting: int | None = waiting_messages()
    except Exception:  # each broker raises errors of its own, and all of them mean the same here
        waiting = None
    age = beat_age()
    late = waiting is None or age is None or (age > LATE_S and not busy_now())
    return {"waiting": waiting, "last_beat_s": None if age is None else round(age, 1), "late": late}
