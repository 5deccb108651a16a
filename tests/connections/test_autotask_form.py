"""What a person enters about the API user."""

import pytest

from connections.psa.autotask.form import AutotaskForm

ENTERED = {"user_name": "api@example.com", "secret": " s3cret ", "integration_code": "ABC DEF\n"}


def entered(**fields) -> AutotaskForm:
    form = AutotaskForm(ENTERED | fields)
    assert form.is_valid(), form.errors
    return form


def test_the_secret_stays_as_it_is_and_the_identifier_loses_what_copying_brought():
    assert entered().secrets() == {"secret": " s3cret ", "integration_code": "ABCDEF"}
    assert entered().public_settings() == {"user_name": "api@example.com"}


def test_whom_to_write_as_is_stored_where_it_is_given():
    assert entered(impersonate_resource_id="29").public_settings()["impersonate_resource_id"] == 29


@pytest.mark.parametrize("wrong", ["0", "-1", "Ada"])
def test_whom_to_write_as_is_the_number_of_a_resource(wrong):
    assert AutotaskForm(ENTERED | {"impersonate_resource_id": wrong}).errors.keys() == {"impersonate_resource_id"}
