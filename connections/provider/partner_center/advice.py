"""What Partner Center's refusals mean and what to do about them, in plain words.

The same number means different things with different statuses (2006 is "not valid for the partner" with 403 and
"updates are not allowed" with 400), so both together are the key. The service's texts change and are never compared.
"""

from dataclasses import dataclass

from portal.far_side import FarSideError, Rejected, Unauthorized, Unavailable

RECONNECT = (
    "Sign in as a user of the Admin agents group, with multi-factor authentication, to get a new refresh token. Then "
    "open the Partner Center connection under Connections, press Set new ones, and store it there."
)
LATER = "Nothing is needed: it is tried again by itself."
MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class Meaning:
    """One refusal: the error to raise, what happened, what to do; `wait` in seconds where trying later makes sense."""

    error: type[FarSideError]
    message: str
    advice: str
    wait: float | None = None


def rejected(message: str, advice: str) -> Meaning:
    return Meaning(Rejected, message, advice)


def later(message: str, wait: float, advice: str = LATER) -> Meaning:
    return Meaning(Unavailable, message, advice, wait)


def unauthorized(message: str, advice: str = RECONNECT) -> Meaning:
    return Meaning(Unauthorized, message, advice)


STALE = later("The subscription was changed by somebody else at the same moment.", 5.0)

_CHANGES: dict[str, Meaning] = {
    "400 800090, 400 900214, 400 900257": rejected(
        "The seats cannot be reduced any more: Microsoft takes seats back only within 7 days of their purchase or of "
        "the renewal.",
        "Keep the quantity until the term ends, and lower it for the next term in Partner Center: Subscription, "
        "Renewal settings.",
    ),
    "400 900117, 400 900213, 400 800063": rejected(
        "The cancellation window is closed: Microsoft cancels only in the first days after purchase or renewal.",
        "Turn auto-renew off in Partner Center instead, so that the subscription ends with its term.",
    ),
    "400 2011, 400 900277, 400 900279": rejected(
        "Microsoft does not allow changes of this subscription any more: it is ending or has ended.",
        "Look at its status in Partner Center. To go on using the offer, order it again.",
    ),
    "400 2001, 400 800091": rejected(
        "The subscription is suspended and cannot be changed meanwhile.",
        "Reactivate it first, then change it.",
    ),
    "400 2002, 400 900275, 400 800017": rejected(
        "The quantity lies outside what Microsoft allows for this offer.",
        "Choose a quantity between the offer's minimum and maximum; beyond that, buy a second subscription.",
    ),
    "400 2006, 400 800095, 403 800027": rejected(
        "Microsoft does not let the quantity of this offer change.",
        "Buy a further subscription of it instead.",
    ),
    "400 900311": rejected(
        "This subscription has been changed too often: Microsoft allows about 1,200 changes of one subscription.",
        "Buy a second subscription of the offer with the same end date, and change that one from now on.",
    ),
    "409 27009": rejected("The subscription it belongs to is not active.", "Reactivate that one first."),
    "409 800014, 409 800082, 409 900278": later("The subscription is busy with an earlier change.", 3 * MINUTE),
    "400 900280": later("The subscription takes no changes now, usually because it is being renewed.", 2 * MINUTE),
    "400 2055": STALE,
}

_ORDERS: dict[str, Meaning] = {
    "200 400072, 403 2091, 403 800028, 404 400013, 404 400018, 404 400019": rejected(
        "This offer is no longer in Microsoft's catalogue in the form that was chosen.",
        "Refresh the catalogue, put the offer into a new cart and submit it again.",
    ),
    "400 800070, 403 2006, 403 2085, 403 800020": rejected(
        "This offer cannot be bought for this customer.",
        "Choose another offer; where it should be available, check the customer's segment and country.",
    ),
    "400 800009": rejected("Microsoft refused a line of the cart.", "Correct the line and submit the cart again."),
    "400 800065": rejected("This cart was submitted before.", "Look for its order in Partner Center first."),
    "404 800008": rejected(
        "The cart has expired: Microsoft keeps one for 7 days.",
        "Put the offers into a new cart and submit that.",
    ),
    "409 800060, 409 800064": later("Microsoft is still working on this order.", 2 * MINUTE),
    "404 20000": later("Microsoft does not show the order yet; that can take 15 minutes.", MINUTE),
    "404 800007": later("Microsoft has no provisioning information yet.", MINUTE),
    "400 900269, 400 900270": rejected(
        "Term and billing frequency do not go together for this offer.",
        "Choose another variant of the offer.",
    ),
    "403 13605": rejected(
        "The customer has not accepted the Microsoft Customer Agreement.",
        "Record the acceptance in Partner Center: Customer, Account, Microsoft Customer Agreement. Then submit again.",
    ),
    "400 900203": rejected(
        "The offer needs an attestation.", "Buy it in Partner Center itself, which shows what to attest."
    ),
    "400 900206": rejected(
        "The reseller's attestation is missing.", "Ask the reseller to confirm it in Partner Center."
    ),
    "400 800016, 400 900154, 404 800015, 404 2072": rejected(
        "The reseller's Microsoft partner id is not accepted.",
        "Check the partner id in the reseller's settings, and in Partner Center under Indirect resellers.",
    ),
    "403 900123": rejected(
        "The reseller has not accepted the Microsoft Partner Agreement.",
        "Ask the reseller's global administrator to accept it in Partner Center.",
    ),
    "403 900124": rejected(
        "Your company has not accepted the Microsoft Partner Agreement.",
        "Your global administrator accepts it in Partner Center: Account settings, Agreements.",
    ),
    "403 800069, 403 800075, 403 800023, 403 900416, 400 800024, 400 800025, 400 800026": rejected(
        "Microsoft does not accept purchases for this customer.",
        "Check the customer's account in Partner Center, or open a support request there.",
    ),
    "403 800073, 403 800074": rejected(
        "Microsoft is reviewing this customer's account and takes no orders for it meanwhile.",
        "Check the customer in Partner Center. Order again once the review is over.",
    ),
    "403 900121": rejected("The partner's credit limit is used up.", "Settle open invoices with Microsoft."),
    "400 900419, 403 800066, 403 800067, 403 800068, 403 800088, 403 800089": rejected(
        "A limit of Microsoft for this customer or subscription has been reached.",
        "Lower the quantity, or ask Microsoft's partner support to raise the limit.",
    ),
    "400 800018": rejected(
        "A limit of Microsoft's integration sandbox has been reached.",
        "Remove customers or subscriptions from the sandbox tenant; production tenants have no such limit.",
    ),
}

_ACCESS: dict[str, Meaning] = {
    "401 900420": unauthorized(
        "Partner Center does not accept the kind of token that the application gets.",
        "In Entra, check that the application has the permission Microsoft Partner Center / user_impersonation. "
        "Then store a new refresh token.",
    ),
    "401 900421": unauthorized(
        "Microsoft refuses the sign-in because it was made without multi-factor authentication.",
        "Turn multi-factor authentication on for the user behind the connection, sign in with it once, and store the "
        "new refresh token.",
    ),
    "403 900309": unauthorized(
        "A Conditional Access policy of your tenant blocks the sign-in.",
        "Let the policy allow the user behind the connection from this server, then store a new refresh token.",
    ),
    "403 900150, 403 900308": rejected(
        "The user behind the connection lacks the right to do this.",
        "In Partner Center, add that user to the Admin agents group, then store a new refresh token.",
    ),
    "403 900329": rejected(
        "Partner Center does not offer this to an application without a user.",
        "Store a refresh token of a user of the Admin agents group in the connection.",
    ),
    "403 20002, 403 900159": rejected(
        "There is no reseller relationship between this partner and the customer.",
        "Send the customer a relationship request: Partner Center, Customers, Request a reseller relationship.",
    ),
    "403 900149, 403 2030": rejected(
        "The partner may not sell here: its programme or country is not active.",
        "Check your enrolment in Partner Center: Account settings.",
    ),
    "404 60003": rejected(
        "Partner Center does not know this customer.",
        "Check the customer's Microsoft tenant id and the reseller relationship.",
    ),
    "404 20003": rejected(
        "Partner Center does not know this subscription.",
        "Look it up in Partner Center; it may have moved to another partner.",
    ),
    "400 900127": rejected("Microsoft does not offer this in this environment.", "Do it in Partner Center by hand."),
    "500 800005, 500 800094, 500 900192": later("Partner Center had a fault and says that nothing was done.", 30.0),
}

MEANINGS: dict[tuple[int, str], Meaning] = {
    (int(status), code): meaning
    for group in (_CHANGES, _ORDERS, _ACCESS)
    for keys, meaning in group.items()
    for status, code in (key.split() for key in keys.split(","))
}
"""By HTTP status and code. 500 800003 (unexpected error) is left out: it does not say that nothing was done."""
