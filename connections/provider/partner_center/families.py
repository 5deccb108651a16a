"""Pure: which kind of thing a subscription is, told from the subscription alone, and the offer that it names."""

from connections.provider.partner_center.shapes import Subscription
from portal.actions.arrivals import NewOffer
from portal.models import Offer, OfferVariant

Category, Billing, Term = Offer.Category, OfferVariant.Billing, OfferVariant.Term
BY_PRODUCT_TYPE = {
    "onlineservicesnce": Category.LICENCE,
    "azurereservations": Category.AZURE_RESERVATION,
    "azureplan": Category.AZURE_PLAN,
}
LONGEST_TITLE, LONGEST_BILLING, LONGEST_TERM = 250, 10, 4


def category_of(subscription: Subscription) -> str:
    """The category in the catalogue. What came before the new commerce has no product type, Azure or not."""
    kind = subscription.product_type.id.strip().lower()
    if not kind:
        return Category.LEGACY
    if kind == "azure":
        return Category.AZURE_PLAN if subscription.billing_type == "usage" else Category.AZURE_RESERVATION
    if kind == "software" and not subscription.term_duration:
        return Category.PERPETUAL
    return BY_PRODUCT_TYPE.get(kind, Category.SOFTWARE)


def billing_of(subscription: Subscription, category: str) -> str:
    """The billing frequency; a word that the portal does not know stays as it is, and cannot be mapped."""
    if category == Category.AZURE_PLAN:
        return Billing.NONE
    return (subscription.billing_cycle or "unknown")[:LONGEST_BILLING]


def term_of(subscription: Subscription, category: str) -> str:
    """The term; subscriptions from before the new commerce do not tell it, and run for a year."""
    term = subscription.term_duration.strip().upper()
    if category == Category.AZURE_PLAN:
        return Term.NONE
    return term[:LONGEST_TERM] if term or category != Category.LEGACY else Term.YEAR


def offer_of(subscription: Subscription) -> NewOffer:
    """What the subscription tells of its offer. `offer_id` is product:sku:availability, or one id on legacy ones."""
    product, _, rest = subscription.offer_id.partition(":")
    sku, _, availability = rest.partition(":")
    category = category_of(subscription)
    return NewOffer(
        product_id=product[:64],
        sku_id=sku[:64],
        title=(subscription.offer_name or subscription.friendly_name or subscription.offer_id)[:LONGEST_TITLE],
        category=category,
        term=term_of(subscription, category),
        billing=billing_of(subscription, category),
        availability_id=availability[:64],
        publisher=(subscription.publisher_name or "Microsoft Corporation")[:120],
        is_trial=subscription.is_trial,
    )
