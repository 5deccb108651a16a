"""Makes the first CSP and its administrator on a new installation."""

import os
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.crypto import get_random_string

from portal.audit import Actor, record
from portal.management.output import JsonOption
from portal.models import MarginSettings, Organization, User


class Command(JsonOption, BaseCommand):
    help = (
        "Makes a CSP and its administrator. The password comes from ADMIN_PASSWORD, from --password-file or "
        "--password-stdin, or is generated and printed once. Running it again for the same name "
        "and e-mail changes nothing. Exit codes: 0 done or there already, 1 refused."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--name", required=True, help="the CSP's name")
        parser.add_argument("--currency", required=True, help="ISO code, for example EUR")
        parser.add_argument("--admin-email", required=True, help="e-mail address of the first administrator")
        parser.add_argument("--country", default="US", help="ISO code of the market (default US)")
        parser.add_argument("--time-zone", default="UTC", help="for example Europe/Brussels (default UTC)")
        parser.add_argument("--password-stdin", action="store_true", help="read the password from standard input")
        parser.add_argument("--password-file", type=Path, help="read the password from a file")
        parser.add_argument(
            "--no-mfa", action="store_true", help="do not require a second factor (only for trials and tests)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        name, currency, email = options["name"].strip(), options["currency"].upper(), options["admin_email"].lower()
        self._check(name, currency, email, options)
        existing = User.objects.select_related("organization").filter(email=email).first()
        if existing is not None:
            organization = existing.organization
            if organization is None or (organization.name, organization.currency) != (name, currency):
                raise CommandError(f"{email} belongs to another organization already; choose another address.")
            facts = {"organization": organization.pk, "administrator": email, "created": False}
            self.answer(options, facts, f"{name} and {email} exist already; nothing was changed.")
            return
        password, generated = self._password(options)
        self._refuse_weak(password, email)
        organization = self._create(name, currency, email, password, options)
        facts = {"organization": organization.pk, "administrator": email, "created": True}
        words = f"Made {name} ({currency}) with the administrator {email}."
        if generated:
            facts["password"] = password
            words += f"\nPassword, shown once: {password}"
        self.answer(options, facts, words)

    @staticmethod
    def _check(name: str, currency: str, email: str, options: dict[str, Any]) -> None:
        if not name:
            raise CommandError("--name must not be empty.")
        if not (len(currency) == 3 and currency.isalpha() and currency.isascii()):
            raise CommandError(f"--currency must be an ISO code of three letters, for example EUR, not {currency}.")
        if options["time_zone"] not in available_timezones():
            raise CommandError(f"--time-zone {options['time_zone']} is not known; write it like Europe/Brussels.")
        if len(options["country"]) != 2:
            raise CommandError("--country must be an ISO code of two letters, for example BE.")
        try:
            validate_email(email)
        except ValidationError as error:
            raise CommandError(f"--admin-email {email} is not an e-mail address.") from error
        if (
            Organization.objects.filter(name=name, parent=None).exists()
            and not User.objects.filter(email=email).exists()
        ):
            raise CommandError(f"A CSP called {name} exists already; its administrators invite people under Members.")

    @staticmethod
    def _password(options: dict[str, Any]) -> tuple[str, bool]:
        if options["password_stdin"]:
            return sys.stdin.readline().rstrip("\n"), False
        if options["password_file"]:
            try:
                return options["password_file"].read_text(encoding="utf-8").strip(), False
            except OSError as error:
                raise CommandError(f"The password file cannot be read: {error}") from error
        if given := os.environ.get("ADMIN_PASSWORD"):
            return given, False
        return get_random_string(20), True

    @staticmethod
    def _refuse_weak(password: str, email: str) -> None:
        try:
            validate_password(password, User(email=email))
        except ValidationError as error:
            raise CommandError("The password is too weak: " + " ".join(error.messages)) from error

    @staticmethod
    def _create(name: str, currency: str, email: str, password: str, options: dict[str, Any]) -> Organization:
        with transaction.atomic():
            organization = Organization.objects.create(
                kind=Organization.Kind.CSP,
                name=name,
                currency=currency,
                country=options["country"].upper(),
                time_zone=options["time_zone"],
                require_mfa=not options["no_mfa"],
            )
            MarginSettings.objects.create(organization=organization)
            User.objects.create_user(email, password, organization=organization, role=User.Role.ADMINISTRATOR)
            record(
                "Create Organization",
                actor=Actor.system("bootstrap"),
                organization=organization,
                subject=name,
                asked={"name": name, "currency": currency, "administrator": email},
            )
        return organization
