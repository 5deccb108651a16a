"""Partner Center's refusals: {code, description, data, source}, with the numbers and texts of its published list.

A number can mean two things with two statuses, so both together are the key. Throttling has a body of its own.
"""

from typing import Any

from ..http import Refused, Response

SOURCE = "PartnerFD"

DESCRIPTIONS = {
    (400, 2000): "There are no more records in this collection.",
    (400, 2001): "Subscription quantity can't be increased or decreased while subscription is being suspended",
    (400, 2002): "Subscription quantity isn't within minimum and maximum allowed quantity",
    (400, 2011): "Subscription with ID {0} and deleted status can't be updated.",
    (400, 2054): (
        "The billing cycle for an existing subscription can't be updated using update-subscription operation. "
        "Use update-Order operation"
    ),
    (400, 2055): "Etag is no longer valid",
    (400, 3000): "Invalid property",
    (400, 800002): "Invalid request input",
    (400, 800009): "Error in Cart item(s)",
    (400, 800016): "PartnerID isn't a valid Indirect Reseller",
    (400, 800065): "can't check out an already submitted cart {0}.",
    (400, 800090): "Subscription quantity cannot be decreased.",
    (400, 800091): "Can't update a subscription with suspended status",
    (400, 800093): "The subscription isn't eligible to be auto-renewed",
    (400, 800096): "Can't update the status for this subscription",
    (400, 800098): "Can't update the partner on record for this subscription",
    (400, 800107): "Term changes are not supported for trial offers.",
    (400, 800121): "The term duration provided is invalid.",
    (400, 800122): "The target term duration cannot be shorter than the current term duration.",
    (400, 900117): ("You have passed your {0}-day cancellation window. We are unable to cancel your purchase"),
    (400, 900206): "Partner Attestation is missing",
    (400, 900246): (
        "The custom term end date specified on the scheduled next term instructions does not match with the end date "
        "of any active non-trial OnlineServicesNCE subscription or align with the end of the calendar month."
    ),
    (400, 900269): "The billing cycle is invalid.",
    (400, 900270): "The billing cycle cannot be longer than the term.",
    (400, 900275): "The requested quantity for line item {0} is not within the allowed quantity for this offer.",
    (400, 900277): (
        "Your subscription is in the process of being expired. No further updates are allowed on this subscription."
    ),
    (400, 900279): "Update operations are no longer allowed for this subscription.",
    (400, 900280): "Update operations are currently not allowed for this subscription.",
    (400, 900311): (
        "This subscription has been updated too many times. Please contact partner support if you need to make more "
        "updates on this subscription."
    ),
    (401, 400): "Access denied",
    (401, 800001): "Partner Token missing in request context",
    (401, 900420): "The audience in the token is invalid and is no longer supported in Partner Center API.",
    (401, 900421): "The access token does not carry the multi-factor authentication claim.",
    (403, 2085): "The offer isn't eligible for purchase",
    (403, 13605): (
        "Either a partner confirmation of the customer acceptance of the Microsoft Customer Agreement must be provided "
        "or the customer must accept the Microsoft Customer Agreement in the Microsoft Admin Center before you can "
        "complete this purchase"
    ),
    (403, 400030): "The segment isn't allowed.",
    (403, 400036): "The target view isn't allowed.",
    (403, 900115): (
        "Azure plan can't be moved to suspended state since you have one or more Azure Subscriptions in the active "
        "state"
    ),
    (403, 900329): "This resource does not support application-only authentication.",
    (404, 1000): "Not found",
    (404, 2072): "PartnerID of Indirect Provider isn't valid as Partner On Record",
    (404, 20000): "Order ID not found",
    (404, 20003): "Subscription with ID {0} not found.",
    (404, 60003): "Tenant not found",
    (404, 400013): "Product wasn't found",
    (404, 400018): "SKU wasn't found",
    (404, 400019): "Availability not found.",
    (404, 800007): "Unable to retrieve provisioning information",
    (404, 800008): "Unable to retrieve cart ID",
    (404, 800111): "Azure entitlement not found.",
    (409, 800014): "There's a pending adjustment requested for this order",
    (409, 800082): "Subscription is not ready to be updated. Try again after sometime",
    (409, 900278): "There is a pending operation on this subscription. Please try again after 24 hours.",
}


def error(code: int, description: str) -> dict[str, Any]:
    """An error body. `code` is a number, as in the service's answers, though its schema says text."""
    return {"code": code, "description": description, "data": [], "source": SOURCE}


def refused(status: int, code: int, *values: object) -> Refused:
    """To be raised: the published refusal, its placeholders filled with `values`."""
    return Refused(Response(status, error(code, DESCRIPTIONS[status, code].format(*values))))


def throttled(seconds: int) -> Response:
    """429 with the body of the throttle, which is not that of other errors."""
    message = f"Rate limit is exceeded. Try again in {seconds} seconds."
    return Response(429, {"statusCode": 429, "message": message}, {"Retry-After": str(seconds)})
