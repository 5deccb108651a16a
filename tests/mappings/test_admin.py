"""Support staff look at mappings and change none: a change there would miss its audit entry."""

import pytest
from django.urls import reverse

from mappings.actions import map_customer, map_offer
from portal.models import User
from tests.fake_psa import a_company, a_service


@pytest.fixture
def support(client, mapping):
    map_customer(customer=mapping.customer, company=a_company(), **mapping.common)
    map_offer(variant=mapping.variant, service=a_service(), **mapping.common)
    mapping.map()
    client.force_login(User.objects.create_superuser("support@portal.example"))
    session = client.session
    session["second_factor"] = True  # asked of support staff, and given
    session.save()
    return client


@pytest.mark.parametrize("model", ["customermapping", "offermapping", "subscriptionmapping"])
def test_every_kind_is_listed_searched_and_shown_but_not_changed(support, model):
    page = support.get(
        reverse(f"admin:mappings_{model}_changelist"), {"q": "Microsoft" if "cust" not in model else "Con"}
    )
    assert page.status_code == 200
    assert page.context["cl"].result_count == 1
    row = page.context["cl"].result_list[0]
    shown = support.get(reverse(f"admin:mappings_{model}_change", args=[row.pk]))
    assert shown.status_code == 200
    assert b"_save" not in shown.content
    assert support.get(reverse(f"admin:mappings_{model}_add")).status_code == 403
    assert support.post(reverse(f"admin:mappings_{model}_delete", args=[row.pk]), {"post": "yes"}).status_code == 403
