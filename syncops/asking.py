"""Asking a PSA something for a page, while a person waits for it."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.utils import timezone

from connections.actions import mark_unauthorized
from connections.models import Connection
from connections.psa.base import Psa
from connections.registry import psa_for
from portal.far_side import Unauthorized


@contextmanager
def asking(connection: Connection) -> Iterator[Psa]:
    """The connection's PSA. Credentials that it refused are not tried again before somebody set new ones: the API user
    locks. Raises the errors of `portal.far_side`.
    """
    if connection.state == Connection.State.UNAUTHORIZED:
        raise Unauthorized(
            f"{connection} refuses the credentials that are stored.",
            advice="An administrator sets new ones under Administration > Connections; then continue here.",
        )
    try:
        yield psa_for(connection)
    except Unauthorized as error:
        mark_unauthorized(connection, error, now=timezone.now())
        raise
