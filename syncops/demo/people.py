"""Who can sign in to the demonstration, and as what."""

from dataclasses import dataclass

from django.contrib.auth.hashers import make_password

from portal.models import Organization, User

PASSWORD = "Demonstration-2026"  # noqa: S105  printed for everybody; it opens invented data on this machine alone


@dataclass(frozen=True, slots=True)
class Person:
    """One sign-in. `organization`: csp, or the place of a reseller in the list. Support also has Django admin."""

    label: str
    email: str
    first_name: str
    last_name: str
    role: str
    organization: str | int = "csp"
    is_support: bool = False


_ADMINISTRATOR, _BILLING, _OPERATIONS, _READER = "administrator", "billing", "operations", "reader"
PEOPLE = (
    Person("Administrator", "admin@northwindcloud.example", "Ada", "Vermeer", _ADMINISTRATOR),
    Person("Billing", "billing@northwindcloud.example", "Bram", "de Graaf", _BILLING),
    Person("Operations", "operations@northwindcloud.example", "Olga", "Visser", _OPERATIONS),
    Person("Reader", "reader@northwindcloud.example", "Remy", "Jacobs", _READER),
    Person("Reseller", "admin@harbourline.example", "Harriet", "Lowe", _ADMINISTRATOR, organization=1),
    Person("Support", "support@northwindcloud.example", "Sam", "Novak", _READER, is_support=True),
)


def create_people(csp: Organization, resellers: list[Organization]) -> list[User]:
    """A person for every role, all with the same password."""
    password = make_password(PASSWORD)  # once, because it is slow on purpose
    made = []
    for person in PEOPLE:
        home = csp if person.organization == "csp" else resellers[int(person.organization)]
        user = User(
            email=person.email,
            password=password,
            organization=home,
            role=person.role,
            first_name=person.first_name,
            last_name=person.last_name,
            is_staff=person.is_support,
            is_superuser=person.is_support,
        )
        user.save(force_insert=True)
        made.append(user)
    return made
