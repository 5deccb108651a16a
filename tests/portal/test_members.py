import re
from datetime import UTC, datetime

import pytest
from allauth.usersessions.models import UserSession
from django.core import mail
from django.core.exceptions import ValidationError

from portal.actions.members import update_member
from portal.audit import Actor
from portal.models import AuditEntry, User
from tests.cast import make_user
from tests.queries import assert_same_queries

NOW = datetime(2026, 5, 10, 12, tzinfo=UTC)
NEW = {"email": "New.Person@alder.example", "first_name": "New", "last_name": "Person", "role": "operations"}


@pytest.mark.parametrize("role", ["reader", "operations", "billing"])
def test_members_are_for_administrators(cast, as_user, role):
    assert as_user(getattr(cast, role)).get("/members/").status_code == 403


def test_the_list_shows_ones_own_people_and_those_of_ones_resellers(cast, as_user):
    page = as_user(cast.admin).get("/members/").content.decode()
    assert "reader@alder.example" in page
    assert "admin@birch.example" in page
    assert "admin@stranger.example" not in page


def test_the_list_asks_the_same_for_ten_rows_and_twenty(cast, as_user):
    def make_ten():
        return [make_user(f"p{User.objects.count()}@alder.example", cast.csp, "reader") for _ in range(10)]

    assert_same_queries(as_user(cast.admin), "/members/", make_ten)


def test_an_invited_person_chooses_a_password_by_the_link_and_comes_in(cast, as_user, client):
    as_user(cast.admin).post("/members/invite/", NEW | {"organization": cast.csp.pk})
    member = User.objects.get(email="new.person@alder.example")
    assert not member.has_usable_password()
    assert AuditEntry.objects.get(name="Invite Member").after["role"] == "Operations"
    letter = mail.outbox[0]
    assert letter.to == ["new.person@alder.example"]
    client.logout()
    link = re.search(r"http://localhost:8000(\S+reset/key/\S+)", letter.body)[1]
    form = client.get(link, follow=True)
    assert "Choose a password" in form.content.decode()
    chosen = {"password1": "a long and quiet password", "password2": "a long and quiet password"}
    client.post(form.redirect_chain[-1][0], chosen)
    client.post("/accounts/login/", {"login": "new.person@alder.example", "password": chosen["password1"]})
    assert client.get("/").context["user"] == member


def test_a_letter_that_cannot_be_sent_is_told_and_the_person_is_a_member(cast, as_user, settings):
    settings.EMAIL_BACKEND = "tests.portal.test_members.BrokenBackend"
    page = as_user(cast.admin).post("/members/invite/", NEW | {"organization": cast.csp.pk}, follow=True)
    assert "could not be sent: no route to the mail server" in page.content.decode()
    assert User.objects.filter(email="new.person@alder.example").exists()


class BrokenBackend:
    """A mail server that is not there."""

    def __init__(self, **options):
        pass

    def send_messages(self, messages):
        raise OSError("no route to the mail server")


def test_an_address_that_is_known_is_refused_however_it_is_written(cast, as_user):
    data = NEW | {"email": "READER@alder.example", "organization": cast.csp.pk}
    response = as_user(cast.admin).post("/members/invite/", data)
    assert response.status_code == 422
    assert 'value="READER@alder.example"' in response.content.decode()
    assert mail.outbox == []


def test_nobody_is_invited_into_another_tenant(cast, as_user):
    response = as_user(cast.admin).post("/members/invite/", NEW | {"organization": cast.other_csp.pk})
    assert response.status_code == 422
    assert User.objects.filter(organization=cast.other_csp).count() == 1


def test_a_reseller_invites_into_itself_whatever_is_sent(cast, as_user):
    as_user(cast.reseller_admin).post("/members/invite/", NEW | {"organization": cast.csp.pk})
    assert User.objects.get(email="new.person@alder.example").organization == cast.reseller


def test_an_invitation_can_be_sent_again_until_the_person_has_come_in(cast, as_user):
    url = f"/members/{cast.reader.pk}/invite-again/"
    client = as_user(cast.admin)
    client.post(url)
    assert len(mail.outbox) == 1
    User.objects.filter(pk=cast.reader.pk).update(last_login=NOW)
    assert client.post(url).status_code == 404


def test_a_role_is_changed_with_its_audit_entry(cast, as_user):
    as_user(cast.admin).post(f"/members/{cast.reader.pk}/", {"role": "billing", "is_active": "on"})
    assert User.objects.get(pk=cast.reader.pk).role == "billing"
    entry = AuditEntry.objects.get(name="Update Member")
    assert (entry.before["role"], entry.after["role"]) == ("Reader", "Billing")


def test_who_may_not_come_in_any_more_is_out_at_once(cast, as_user, client):
    client.force_login(cast.reader)
    UserSession.objects.create(user=cast.reader, ip="127.0.0.1", session_key=client.session.session_key)
    update_member(cast.reader, role="reader", is_active=False, actor=Actor.user(cast.admin), at=NOW)
    assert not UserSession.objects.exists()
    assert client.get("/").status_code == 302


def test_nobody_changes_their_own_role(cast, as_user):
    response = as_user(cast.admin).post(f"/members/{cast.admin.pk}/", {"role": "reader", "is_active": "on"})
    assert response.status_code == 422
    assert "ask another administrator" in response.content.decode()


@pytest.mark.parametrize(
    "change", [{"role": "reader", "is_active": True}, {"role": "administrator", "is_active": False}]
)
def test_the_last_administrator_stays(cast, change):
    with pytest.raises(ValidationError, match="last administrator of Birch IT"):
        update_member(cast.reseller_admin, **change, actor=Actor.user(cast.admin), at=NOW)
    assert not AuditEntry.objects.exists()


def test_a_person_of_another_tenant_is_not_there(cast, as_user):
    assert as_user(cast.admin).get(f"/members/{cast.stranger.pk}/").status_code == 404
