"""A case for each reason of the mapping rules: what the picker says of it, a POST by hand is refused with, and bulk
mapping leaves it for. A reason without a case fails here.
"""

import html
import re
from datetime import date

import pytest
from django.urls import reverse

from connections import registry
from connections.models import MirroredCompany, MirroredContract, MirroredService
from mappings import bulk, pickers
from mappings.actions import map_customer, map_offer
from mappings.boards import CustomerBoard, OfferBoard
from mappings.models import CustomerMapping, OfferMapping, SubscriptionMapping
from mappings.pickers import Scope, Search
from mappings.reasons import WORDS
from mappings.resolve import company_of, contract_of, facts_of, service_of
from syncops.bulk_mapping import candidates, mappable
from tests.cast import TODAY, make_customer, make_variant
from tests.fake_psa import FakePsa, a_company, a_service
from tests.mappings.conftest import NOW, mapping  # noqa: F401
from tests.mappings.mirror import company_row, contract_row, service_row
from tests.mappings.test_mapping_pages import suggest
from tests.syncops.desk import NOON
from tests.syncops.reason_cases import CASES, OF_ACTIONS, WARNINGS

EACH = [pytest.param(noun, code, id=code) for noun, codes in CASES.items() for code in codes]


@pytest.fixture
def world(mapping, cast, time_machine, monkeypatch):  # noqa: F811
    """Make a case true; the rows of Autotask are in the mirror and in Autotask alike."""
    time_machine.move_to(NOON, tick=False)

    def make(noun, code):
        case = CASES[noun][code]
        rows = {"offer": mapping.variant.offer, "variant": mapping.variant, "subscription": mapping.subscription}
        for name, row in rows.items():
            type(row).objects.filter(pk=row.pk).update(**case.get(name, {}))
        here, company = mapping.connection, {"remote_id": 1} | case.get("company", {})
        (
            company_row(here, **company),
            service_row(here, **case.get("service", {})),
            contract_row(here, **({"company_remote_id": company["remote_id"]} | case.get("contract", {}))),
        )
        already(noun, case)
        psa = FakePsa(
            companies=[company_of(row) for row in MirroredCompany.objects.all()],
            services=[service_of(row) for row in MirroredService.objects.all()],
            contracts=[contract_of(row) for row in MirroredContract.objects.all()],
        )
        monkeypatch.setitem(registry.PSAS, "autotask", lambda connection, **how: psa)
        for row in rows.values():
            row.refresh_from_db()
        mapping.subscription.variant = mapping.variant
        return company["remote_id"]

    def already(noun, case):
        ours = (make_customer(cast.csp, "Rival"), make_variant(cast.csp, "Rival's offer"))
        theirs = (a_company(), a_service())
        if "is_mapped" in case:
            ours, theirs = (mapping.customer, mapping.variant), (a_company(7, "Group"), a_service(17, "Basic"))
        if "is_mapped" in case or "is_taken" in case:
            if noun == "company":
                map_customer(customer=ours[0], company=theirs[0], **mapping.common)
            else:
                map_offer(variant=ours[1], service=theirs[1], **mapping.common)
        if "was_mapped" in case:
            mapping.map(starts_on=date(2026, 5, 1))
            SubscriptionMapping.objects.update(ends_on=date(2026, 5, 9))

    return make


def words_of(code):
    """What every text of this reason has in common: its longest run without a name in it."""

    return max(re.split(r"\{[^}]*\}", WORDS[code][0]), key=len).strip(" .,:;")


def said(answer):

    return html.unescape(answer.content.decode())


def test_every_reason_has_its_case():
    cases = [code for codes in CASES.values() for code in codes]
    assert sorted([*cases, *WARNINGS, *OF_ACTIONS]) == sorted(WORDS)


@pytest.mark.parametrize(("noun", "code"), EACH)
def test_the_picker_a_post_by_hand_and_bulk_mapping_give_the_same_reason(world, mapping, cast, as_user, noun, code):  # noqa: F811
    company, client = world(noun, code), as_user(cast.operations)
    left_out(mapping, client, company, noun, code)
    refused(mapping, client, company, noun, code)
    left_by_bulk_mapping(mapping, company, noun, code)


def left_out(mapping, client, company, noun, code):  # noqa: F811
    """What cannot be mapped at all is told above the pickers; another company's contract is no candidate."""
    if noun == "subscription":
        assert words_of(code) in said(client.get(reverse("syncops:sync_to_connection", args=[mapping.subscription.pk])))
        return
    scope = Scope(
        mapping.subscription, mapping.connection, facts_of(mapping.subscription, mapping.connection, today=TODAY)
    )
    pick = getattr(pickers, f"{noun}_picker")
    chosen = [company_of(MirroredCompany.objects.get())] if noun == "contract" else []
    shown, others = (pick(scope, Search(left_out=which), *chosen) for which in (False, True))
    assert shown.options == ()
    found = [one.code for option in others.options for one in option.reasons]
    assert found == ([] if code == "contract_company" else [code])


def refused(mapping, client, company, noun, code):  # noqa: F811
    before = [model.objects.count() for model in (CustomerMapping, OfferMapping, SubscriptionMapping)]
    posted = {"connection": mapping.connection.pk, "company": company, "service": 10, "contract": 100}
    answers = [client.post(reverse("syncops:sync_confirm", args=[mapping.subscription.pk]), posted)]
    if noun in ("company", "service"):
        ours = {"company": ("customer", mapping.customer.pk), "service": ("offer", mapping.variant.pk)}[noun]
        url = reverse(f"mappings:{ours[0]}_row", args=[mapping.connection.pk, ours[1]])
        answers.append(client.post(url, {noun: posted[noun]}, headers={"HX-Request": "true"}))
    for answer in answers:
        assert answer.status_code == 422
        assert words_of(code) in said(answer)
    assert [model.objects.count() for model in (CustomerMapping, OfferMapping, SubscriptionMapping)] == before


def left_by_bulk_mapping(mapping, company, noun, code):  # noqa: F811
    if noun in ("company", "service"):
        board, column = (CustomerBoard, "customer") if noun == "company" else (OfferBoard, "variant")
        ours = getattr(mapping, column)
        suggest(mapping.connection, company if noun == "company" else 10, **{column: ours})
        done = bulk.apply(board(mapping.connection, TODAY), [ours], "accept", actor=mapping.actor, at=NOW)
        assert done.done == 0
        codes = [one.code for _, reasons in done.refused for one in reasons]
        assert codes == (["no_single_suggestion"] if code.endswith("_mapped") else [code])  # what is mapped has none
        return
    if noun == "contract" and code != "contract_currency":  # such a company is never mapped in the first place
        map_customer(customer=mapping.customer, company=a_company(), **mapping.common)
        map_offer(variant=mapping.variant, service=a_service(), **mapping.common)
    rows = mappable(mapping.connection).filter(pk=mapping.subscription.pk)
    wanted = code if noun == "subscription" else "customer_not_mapped" if code == "contract_currency" else "no_contract"
    for one in candidates(mapping.connection, list(rows), since="today", today=TODAY):
        assert one.choice is None
        assert wanted in {reason.code for reason in one.reasons}
