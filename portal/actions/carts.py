"""Carts: what somebody is about to buy for a customer, at today's prices."""

import hashlib
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import transaction

from portal.actions.prices import priced_variants
from portal.commitments import cancellation, per_period, periods_in_term, totals_by_period
from portal.models import Customer, OfferVariant, Order, OrderLine, User
from portal.pricing import Priced


@dataclass(frozen=True, slots=True)
class QuotedLine:
    """A line of a cart at today's price; `problem` says in words why it cannot be bought as it is, else "".

    `unit` is what the person's organization charges: its customer, or the reseller for whose customer it buys.
    """

    line: OrderLine
    price: Priced | None
    unit: Decimal
    problem: str

    @property
    def total(self) -> Decimal:
        """What the line costs per billing period."""
        return self.line.quantity * self.unit

    @property
    def commitment(self) -> Decimal:
        """What the line costs until its term ends."""
        variant = self.line.variant
        return self.total * periods_in_term(variant.term, variant.billing)

    @property
    def per_period(self) -> str:
        return per_period(self.line.variant.billing)

    @property
    def cancellation(self) -> str:
        return cancellation(self.line.variant.offer.category)


@dataclass(frozen=True, slots=True)
class CartQuote:
    """A cart at today's prices, in its currency."""

    lines: tuple[QuotedLine, ...]
    currency: str

    @property
    def totals(self) -> list[tuple[str, Decimal]]:
        """What the whole costs by billing period: ("per month", amount)."""
        return totals_by_period((quoted.line.variant.billing, quoted.total) for quoted in self.lines)

    @property
    def commitment(self) -> Decimal:
        return sum((quoted.commitment for quoted in self.lines), Decimal(0))

    @property
    def can_be_bought(self) -> bool:
        return bool(self.lines) and not any(quoted.problem for quoted in self.lines)

    @property
    def fingerprint(self) -> str:
        """Changes with anything that a person agrees to: what, how many, at which price."""
        seen = [
            (
                quoted.line.variant_id,
                quoted.line.quantity,
                str(quoted.unit),
                quoted.price and str(quoted.price.unit_price),
            )
            for quoted in self.lines
        ]
        return hashlib.sha256(repr((self.currency, seen)).encode()).hexdigest()[:32]


def quote(cart: Order, today: date) -> CartQuote:
    """The cart's lines at today's prices, whatever they cost when they were put in."""
    lines = list(cart.lines.select_related("variant__offer"))
    variants = [line.variant for line in lines]
    quantities = {line.variant_id: line.quantity for line in lines}
    prices = priced_variants(cart.organization, cart.customer, variants, today, quantities)
    quoted = [
        QuotedLine(
            line,
            price,
            charged(price, cart.organization_id, cart.created_by) if price else Decimal(0),
            purchase_problem(line.variant, line.quantity, price, cart.currency),
        )
        for line in lines
        for price in [prices.get(line.variant_id)]
    ]
    return CartQuote(tuple(quoted), cart.currency)


def charged(price: Priced, owner_id: int, user: User) -> Decimal:
    """What the person's organization charges for a unit: its customer the price, its reseller the cost."""
    return price.unit_price if owner_id == user.organization_id else price.unit_cost


def purchase_problem(variant: OfferVariant, quantity: int, price: Priced | None, currency: str) -> str:
    """Why so many of a variant cannot be bought, in words; "" where they can."""
    if not variant.is_purchasable:
        return "Microsoft does not sell this any more."
    if price is None:
        return f"There is no price in {currency} for this today."
    if not variant.minimum_quantity <= quantity <= variant.maximum_quantity:
        return quantity_range(variant)
    return ""


def quantity_range(variant: OfferVariant) -> str:
    """Which quantities Microsoft sells, in words."""
    if variant.minimum_quantity == variant.maximum_quantity:
        return f"Microsoft sells exactly {variant.minimum_quantity:,} of this."
    return f"Microsoft sells {variant.minimum_quantity:,} to {variant.maximum_quantity:,} of this."


def cart_of(customer: Customer, user: User) -> Order | None:
    """The person's cart for the customer, where there is one."""
    return Order.objects.carts_of(user).filter(customer=customer).first()


@transaction.atomic
def add_to_cart(customer: Customer, variant: OfferVariant, *, quantity: int, user: User, today: date) -> OrderLine:
    """Put a variant into the person's cart for the customer, which begins with it.

    The same again is the line that is there. Raises ValidationError, with the reason in words, where that cannot be.
    """
    organization = customer.organization
    price = priced_variants(organization, customer, [variant], today, {variant.pk: quantity}).get(variant.pk)
    problem = purchase_problem(variant, quantity, price, organization.currency)
    if problem or price is None:
        raise ValidationError(problem)
    cart, _ = Order.objects.get_or_create(
        customer=customer,
        created_by=user,
        state=Order.State.CART,
        defaults={"organization": organization, "currency": organization.currency},
    )
    if not _is_still_a_cart(cart.pk):
        raise ValidationError("The cart was submitted this very moment. Try again to begin a new one.")
    line, is_new = cart.lines.get_or_create(variant=variant, defaults={"quantity": quantity, **line_prices(price)})
    if not is_new and line.quantity != quantity:
        raise ValidationError(f"It is in the cart already, {line.quantity:,} of it. Change the quantity there.")
    return line


def line_prices(price: Priced) -> dict[str, Decimal | int | None]:
    """The fields of an order line that hold its price."""
    return {
        "list_price": price.list_price,
        "erp": price.erp,
        "unit_cost": price.unit_cost,
        "unit_price": price.unit_price,
        "promotion_id": price.promotion.id if price.promotion else None,
    }


def set_line_quantity(line: OrderLine, quantity: int) -> None:
    """Change how many are in the cart; nothing changes once the cart is submitted. Raises ValidationError."""
    variant = line.variant
    if not variant.minimum_quantity <= quantity <= variant.maximum_quantity:
        raise ValidationError(quantity_range(variant))
    with transaction.atomic():
        if _is_still_a_cart(line.order_id):
            OrderLine.objects.filter(pk=line.pk).update(quantity=quantity)


def remove_line(line: OrderLine) -> None:
    """Take a line out of the cart; nothing changes once the cart is submitted."""
    with transaction.atomic():
        if _is_still_a_cart(line.order_id):
            OrderLine.objects.filter(pk=line.pk).delete()


def _is_still_a_cart(order_id: int) -> bool:
    """Locks the order, so that it is not submitted between this question and what follows."""
    return Order.objects.select_for_update(no_key=True).filter(pk=order_id, state=Order.State.CART).exists()
