"""Mistyped, locked, another identifier, not reached, a right revoked: each is told apart, on a page and in a shell."""

from io import StringIO
from uuid import uuid4

import pytest
import requests
from django.core.management import CommandError, call_command

from connections.models import Connection
from connections.psa.autotask.api import Api, Description
from connections.registry import try_credentials
from portal.far_side import Unauthorized
from tests.connections.conftest import SECRETS
from tests.connections.sandbox.autotask_api import USER

KEY = uuid4()
NEW = "/connections/new/autotask/"
UNREACHED = "http://127.0.0.1:9/zoneInformation"


def control(autotask, at, /, **body):
    assert requests.post(f"{autotask.url}/_control/{at}", json=body, timeout=20).status_code == 200


def tried(cast):
    return try_credentials("autotask", {"user_name": USER["user_name"]}, SECRETS, KEY, organization=cast.csp)


def mistyped(autotask, settings):
    return {"secret": "mistyped"}


def locked(autotask, settings):
    control(autotask, "modes", lock_after=0, unauthorized_body="reason")
    return {}


def other_identifier(autotask, settings):
    return {"integration_code": "ANOTHER"}


def not_reached(autotask, settings):
    settings.AUTOTASK_ZONE_URL = UNREACHED
    return {}


def zone_not_reached(autotask, settings):
    control(autotask, "faults", fault="error_503", path="entityInformation", times=9)
    return {}


def right_revoked(autotask, settings):
    control(autotask, "rights", entity="ContractServiceAdjustments", allowed=["query"])
    return {}


CASES = {
    mistyped: "Autotask refuses the secret of the API user",
    locked: "The API user is locked.",
    other_identifier: "Autotask does not know the tracking identifier.",
    not_reached: "zone directory (127.0.0.1) does not answer",
    zone_not_reached: "out of service for the moment",
    right_revoked: "Change units and prices",
}


@pytest.mark.parametrize("trouble", CASES)
def test_each_says_on_the_page_what_it_is_and_where_to_look(as_user, cast, autotask, settings, trouble):
    typed = {"user_name": USER["user_name"], **SECRETS} | trouble(autotask, settings)
    page = as_user(cast.admin).post(NEW, typed).content.decode()
    assert [case.__name__ for case, words in CASES.items() if words in page] == [trouble.__name__]
    if trouble not in (not_reached, zone_not_reached):
        assert "Admin &gt; Organization Settings &amp; Users" in page


@pytest.mark.parametrize("trouble", CASES)
def test_each_says_so_in_a_shell(cast, autotask, settings, monkeypatch, trouble):
    changed = trouble(autotask, settings)
    for name, variable in (("secret", "AUTOTASK_SECRET"), ("integration_code", "AUTOTASK_INTEGRATION_CODE")):
        monkeypatch.setenv(variable, (SECRETS | changed)[name])
    out = StringIO()
    given = ["--organization", "Alder Cloud", "--name", "A", "--currency", "EUR", "--user", USER["user_name"]]
    with pytest.raises(CommandError) as refused:
        call_command("connect", "autotask", *given, stdout=out)
    assert CASES[trouble] in str(refused.value) + out.getvalue()
    assert refused.value.returncode == {not_reached: 5, zone_not_reached: 5, right_revoked: 4}.get(trouble, 3)
    assert not Connection.objects.exists()


def test_credentials_that_worked_are_not_called_mistyped(as_user, cast, autotask):
    admin = as_user(cast.admin)
    admin.post(NEW, {"user_name": USER["user_name"], **SECRETS})
    Connection.objects.update(state="active", name="Autotask EUR", currency="EUR")
    control(autotask, "modes", lock_after=0)
    page = admin.post(f"{Connection.objects.get().get_absolute_url()}test/", follow=True).content.decode()
    assert "who was let in until" in page
    assert "untick Locked on the tab Security" in page
    assert Connection.objects.get().state == "unauthorized"


def test_a_right_that_is_refused_with_401_is_named_once_another_entity_has_answered(cast, autotask):
    control(autotask, "faults", fault="unauthorized", path="Services/entityInformation$", times=9)
    trial = tried(cast)
    missing = {result.need for result in trial.results if not result.granted}
    assert "Read services" in missing
    assert not trial.passed


def test_credentials_refused_at_the_first_question_are_asked_no_more(cast, autotask):
    control(autotask, "faults", fault="unauthorized", path="entityInformation$", times=9)
    with pytest.raises(Unauthorized):
        tried(cast)


@pytest.mark.parametrize(
    ("entity", "allowed", "need"),
    [
        ("Contracts", ["query"], "Change the end of contracts"),
        ("ContractCharges", ["query"], "Put charges on contracts"),
        ("BillingCodes", [], "Read billing codes"),
        ("Currencies", [], "Know the currencies of companies"),
    ],
)
def test_a_right_that_only_some_policies_need_is_a_warning(cast, autotask, entity, allowed, need):
    control(autotask, "rights", entity=entity, allowed=allowed)
    trial = tried(cast)
    [missing] = [result for result in trial.results if not result.granted]
    assert (missing.need, missing.optional, trial.passed) == (need, True, True)
    assert missing.advice.startswith("Without it ")


def test_a_field_that_autotask_hides_from_the_user_is_named(cast, autotask, monkeypatch):
    described = Api.description

    def without_cost(api, entity, **options):
        found = described(api, entity, **options)
        return Description(found.fields - {"unitCost"}, found.labels) if entity == "Services" else found

    monkeypatch.setattr(Api, "description", without_cost)
    trial = tried(cast)
    [missing] = [result for result in trial.results if not result.granted]
    assert missing.need == "Read services"
    assert "the fields unitCost of Services" in missing.advice
