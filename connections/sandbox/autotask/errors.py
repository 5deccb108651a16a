"""Autotask's refusals: an HTTP status with {"errors": [text, …]} or, from the web server itself, {"Message": text}.

The texts are those that integrators report; where none is public, the text is made in the same manner.
"""

from ..http import Refused, Response

UNABLE_TO_FIND = "Unable to find {field} in the {entity} Entity."
BAD_REFERENCE = "Reference value on field: {field} of type: {kind} does not exist or is invalid."
MISSING_FIELD = "Missing Required Field: {field}."
TOO_LONG = "The value of field {field} is longer than its maximum length of {length}."
BAD_PICK = "Value {value} of picklist field {field} does not exist or is not active."
UNKNOWN_PROPERTY = "Could not find member '{field}' on object of type '{entity}'."
NO_PERMISSION = "The logged in Resource does not have the adequate permissions to {verb} {entity}."
NO_RECORD = (
    "No message. No matching records found. "
    "The logged in Resource may not have the required permissions to delete the data."
)
TOO_MANY_ORS = "Invalid query syntax. Queries are limited to 500 or fewer 'OR' conditions."
BAD_PAGE_SIZE = "Invalid query syntax. maxCountOfRecordsToReturn must be between 1 and 500."
TOO_MANY_THREADS = "The Autotask API thread threshold of {limit} threads has been exceeded."
TOO_MANY_REQUESTS = "The Autotask API request threshold of {limit} requests in 60 minutes has been exceeded."
NO_ZONE = "Zone information could not be determined. Verify the API user name."
BAD_INTEGRATION_CODE = "IntegrationCode is invalid."
UNAUTHORIZED = "Unauthorized."
USER_LOCKED = "Unauthorized. The user is locked."
OUTSIDE_CONTRACT = (
    "ContractServiceAdjustment effectiveDate must be between the start date and end date "
    "of the Contract referenced by contractID."
)
DUPLICATE_PERIOD = "Attempt to insert duplicate data into contract_service_period"
POSTED_PERIOD = (
    "Unable to make changes as it would result in the deletion/modification of an already approved and posted "
    "contract period"
)
BELOW_ZERO = "ContractServiceAdjustment unitChange would result in a negative number of units."
ZERO_UNITS = "The number of units of a ContractService cannot be 0."


class Rejected(Exception):
    """A business rule says no: status 500 with `errors`. Nothing was changed."""

    def __init__(self, *errors: str) -> None:
        super().__init__(*errors)
        self.errors = list(errors)


def refusal(status: int, *errors: str) -> Response:
    return Response(status, {"errors": list(errors)})


def refused(status: int, *errors: str) -> Refused:
    return Refused(refusal(status, *errors))


def wrong_verb(method: str) -> Refused:
    text = f"The requested resource does not support http method '{method}'."
    return Refused(Response(405, {"Message": text}))


def no_route(path: str) -> Refused:
    text = f"No HTTP resource was found that matches the request URI '{path}'."
    return Refused(Response(404, {"Message": text}))
