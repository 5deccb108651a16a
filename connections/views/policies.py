"""What a person decides about a connection, each value with what comes of it in money."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from connections import actions
from connections.forms import PoliciesForm
from connections.models import Connection
from connections.policy_examples import of_mode
from connections.policy_words import MODE
from connections.refusals import Refused
from connections.registry import PSAS
from connections.views.access import MANAGE, actor_of, connection_of
from portal.htmx import hx_redirect, render_page
from portal.permissions import requires
from portal.templatetags.portal import money


@require_http_methods(["GET", "POST"])
@requires(MANAGE)
def connection_policies(request: HttpRequest, pk: int) -> HttpResponse:
    connection = connection_of(request, pk)
    if connection.kind not in PSAS:
        raise Http404
    posted = request.POST if request.method == "POST" else None
    form = PoliciesForm(posted, policies=connection.policies, currency=connection.currency)
    if form.is_valid():
        if _saved(request, connection, form):
            return hx_redirect(request, connection)
        form.look_again(connection.policies)
    context = {"connection": connection, "form": form, "mode": mode_example(connection, connection.mode)}
    status = 200 if posted is None else 422
    return render_page(request, "connections/connection_policies.html", context, status=status)


def mode_example(connection: Connection, mode: str) -> dict[str, str]:
    """What a mode does on the connection, in a sentence and in money."""
    example = of_mode(connection.currency, lambda amount: money(amount, connection.currency))
    return {
        "title": MODE.title,
        "sentence": MODE.values[mode],
        "premise": example.premise,
        "outcome": example.outcomes[mode],
    }


def _saved(request: HttpRequest, connection: Connection, form: PoliciesForm) -> bool:
    """False where it was refused; the form says why."""
    chosen, seen = form.policies(), form.cleaned_data["seen"]
    try:
        actions.change_policies(connection, chosen, seen=seen, actor=actor_of(request), now=timezone.now())
    except Refused as refused:
        connection.refresh_from_db()
        form.add_error(None, str(refused))
        return False
    messages.success(request, "The policies are saved. They hold for everything that is sent from now on.")
    return True
