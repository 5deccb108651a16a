import pytest
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialApp, SocialToken
from allauth.usersessions.models import UserSession
from django.apps import apps
from django.contrib import admin
from django.test import Client

from portal.audit import Actor, record
from portal.models import AuditEntry, Customer, User
from tests.cast import make_customer, make_subscription, make_variant

EVIDENCE = ["auditentry", "audithead", "subscriptionchange", "subscriptionrequest", "order", "orderline"]


@pytest.fixture
def support(cast, client):
    """A client of support staff, who belong to no organization."""
    person = User.objects.create_superuser("support@vendor.example")
    Authenticator.objects.create(user=person, type=Authenticator.Type.TOTP, data={"secret": "x"})
    client.force_login(person)
    return client


@pytest.mark.parametrize("model", list(apps.get_app_config("portal").get_models()))
def test_every_list_of_the_portal_opens_and_can_be_searched(support, cast, model):
    make_subscription(make_customer(cast.csp), make_variant(cast.csp))
    record("Thing", actor=Actor.system("test"), organization=cast.csp)
    url = f"/admin/portal/{model._meta.model_name}/"
    assert support.get(url).status_code == 200
    assert support.get(url, {"q": "1"}).status_code == 200


@pytest.mark.parametrize("name", EVIDENCE)
def test_evidence_is_only_looked_at(support, name):
    assert support.get(f"/admin/portal/{name}/add/").status_code == 403


def test_an_audit_entry_can_be_opened_and_neither_changed_nor_deleted(support, cast):
    entry = record("Thing", actor=Actor.system("test"), organization=cast.csp)
    assert support.get(f"/admin/portal/auditentry/{entry.pk}/change/").status_code == 200
    assert support.post(f"/admin/portal/auditentry/{entry.pk}/change/", {"subject": "x"}).status_code == 403
    assert support.post(f"/admin/portal/auditentry/{entry.pk}/delete/", {"post": "yes"}).status_code == 403


def test_what_support_changes_is_in_the_tenants_audit_log(support, cast):
    contoso = make_customer(cast.csp)
    form = support.get(f"/admin/portal/customer/{contoso.pk}/change/").context["adminform"].form
    data = {name: value for name, value in form.initial.items() if value is not None} | {"name": "Contoso NV"}
    assert support.post(f"/admin/portal/customer/{contoso.pk}/change/", data).status_code == 302
    assert Customer.objects.get().name == "Contoso NV"
    entry = AuditEntry.objects.get(name="Change by Support")
    assert (entry.organization, entry.actor_label) == (cast.csp, "support@vendor.example")
    assert entry.asked["fields"] == [{"changed": {"fields": ["Name"]}}]


def test_the_admin_has_no_way_in_of_its_own(client, db):
    assert client.get("/admin/login/").headers["Location"].startswith("/accounts/login/")
    assert client.get("/admin/").headers["Location"].startswith("/admin/login/")


@pytest.mark.parametrize("model", [SocialApp, SocialToken])
def test_what_is_nothing_but_secret_is_not_there(model):
    assert not admin.site.is_registered(model)


def test_a_lost_second_factor_is_removed_without_its_secret_being_seen(support, cast):
    lost = Authenticator.objects.create(user=cast.reader, type=Authenticator.Type.TOTP, data={"secret": "SEED1234"})
    page = support.get(f"/admin/mfa/authenticator/{lost.pk}/change/")
    assert page.status_code == 200
    assert "SEED1234" not in page.content.decode()
    support.post(f"/admin/mfa/authenticator/{lost.pk}/delete/", {"post": "yes"})
    assert not Authenticator.objects.filter(pk=lost.pk).exists()
    assert AuditEntry.objects.get(name="Remove by Support").organization == cast.csp


def test_removing_a_session_signs_the_person_out(support, cast):
    theirs = Client()
    theirs.force_login(cast.reader)
    key = theirs.session.session_key
    session = UserSession.objects.create(user=cast.reader, ip="127.0.0.1", session_key=key)
    assert key not in support.get(f"/admin/usersessions/usersession/{session.pk}/change/").content.decode()
    support.post(f"/admin/usersessions/usersession/{session.pk}/delete/", {"post": "yes"})
    assert theirs.get("/").status_code == 302


def test_a_person_of_an_organization_does_not_come_in(cast, as_user):
    assert as_user(cast.admin).get("/admin/", follow=True).status_code == 403
