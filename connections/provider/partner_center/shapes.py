"""Partner Center's resources as far as the product reads them. Unknown members are ignored, missing ones have defaults.

Dates come with 0 to 7 digits of a second, with Z, with an offset or with nothing (which means UTC), and
0001-01-01 stands for none. Numbers may come as text. Ids differ in case between answers.
"""

import re
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from portal.far_side import OutcomeUnknown, Unavailable

_DATE_TIME = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d)(?:T(?P<time>\d\d:\d\d(?::\d\d)?)(?:\.(?P<fraction>\d*))?)?(?P<zone>Z|[+-]\d\d:?\d\d)?",
    re.IGNORECASE,
)
NEVER = 9999
"""The year of an Azure plan's commitment end: it has none."""


def moment(value: Any) -> datetime | None:
    """An aware moment in UTC; None for nothing and for 0001-01-01. Raises ValueError for anything else."""
    if value is None or isinstance(value, datetime):
        return value
    text = str(value).replace(" ", "")
    if not text or text.startswith("0001-01-01"):
        return None
    match = _DATE_TIME.fullmatch(text)
    if match is None:
        raise ValueError(f"{text[:40]!r} is not a date")
    micros = (match["fraction"] or "").ljust(6, "0")[:6]
    zone = "+00:00" if (match["zone"] or "Z").upper() == "Z" else match["zone"]
    read = datetime.fromisoformat(f"{match['day']}T{match['time'] or '00:00'}")
    read = read.replace(microsecond=int(micros), tzinfo=datetime.fromisoformat(f"2000-01-01T00:00{zone}").tzinfo)
    return read.replace(tzinfo=UTC) if read.year >= NEVER else read.astimezone(UTC)


def last_day(value: Any) -> date | None:
    """The calendar date that is written there, never shifted; None for nothing, 0001-01-01 and the year 9999."""
    if value is None or type(value) is date:
        return value
    found = moment(value)
    if found is None or found.year >= NEVER:
        return None
    return date.fromisoformat(str(value).replace(" ", "")[:10])


def whole(value: Any) -> int:
    """A whole number that may come as text or with a fraction of zeros."""
    try:
        return int(Decimal(str(value)))
    except InvalidOperation as error:
        raise ValueError(f"{str(value)[:40]!r} is not a number") from error


def amount(value: Any) -> Decimal | None:
    """Money or a rate, exact; it may come as text."""
    try:
        return None if value is None or value == "" else Decimal(str(value))
    except InvalidOperation as error:
        raise ValueError(f"{str(value)[:40]!r} is not a number") from error


def same_id(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()


Moment = Annotated[datetime | None, BeforeValidator(moment)]
LastDay = Annotated[date | None, BeforeValidator(last_day)]
Whole = Annotated[int, BeforeValidator(whole)]
Amount = Annotated[Decimal | None, BeforeValidator(amount)]
Text = Annotated[str, BeforeValidator(lambda value: "" if value is None else str(value))]
Word = Annotated[str, BeforeValidator(lambda value: "" if value is None else str(value).strip().lower())]
"""A word of a closed list; its case differs between answers."""


class Shape(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore", frozen=True)


class Address(Shape):
    country: Text = ""


class CompanyProfile(Shape):
    company_name: Text = ""
    domain: Text = ""
    email: Text = ""
    address: Address = Address()


class Customer(Shape):
    """A customer; lists leave out its e-mail address, country and reseller. `id` is its Microsoft tenant."""

    id: Text
    company_profile: CompanyProfile = CompanyProfile()
    relationship_to_partner: Word = ""
    associated_partner_id: Text = ""


class Reseller(Shape):
    """An indirect reseller; `id` is its Microsoft tenant, `mpn_id` its Microsoft partner id, `location` its country."""

    id: Text
    name: Text = ""
    mpn_id: Text = ""
    state: Word = ""
    location: Text = ""


class SubType(Shape):
    id: Text = ""


class ProductType(Shape):
    id: Text = ""
    sub_type: Annotated[SubType, BeforeValidator(lambda value: value or {})] = SubType()


class Subscription(Shape):
    """A subscription of any kind. `offer_id` is product:sku:availability, or one id for a legacy offer.

    `product_type` is empty on legacy ones. `partner_id` is the partner id of the reseller, empty where there is none.
    """

    id: Text
    offer_id: Text = ""
    offer_name: Text = ""
    friendly_name: Text = ""
    product_type: ProductType = ProductType()
    quantity: Whole = 0
    status: Word
    creation_date: Moment = None
    effective_start_date: Moment = None
    commitment_end_date: LastDay = None
    auto_renew_enabled: bool = False
    billing_type: Word = ""
    billing_cycle: Word = ""
    term_duration: Text = ""
    partner_id: Text = ""
    order_id: Text = ""
    promotion_id: Text = ""
    publisher_name: Text = ""
    is_trial: bool = False
    entitlement_id: Text = ""
    migrated_from_subscription_id: Text = ""


class Named(Shape):
    """One of the values that an audit record holds beside the resource."""

    key: Text = ""
    value: Text = ""


class AuditRecord(Shape):
    """What somebody did in Partner Center. The new resource is JSON in a text, its names in PascalCase."""

    id: Text = ""
    customer_id: Text = ""
    user_principal_name: Text = ""
    application_id: Text = ""
    resource_type: Word = ""
    resource_new_value: Text = ""
    operation_type: Word = ""
    operation_date: Moment = None
    operation_status: Word = ""
    customized_data: Annotated[tuple[Named, ...], BeforeValidator(lambda value: value or ())] = ()


class PromotionTerm(Shape):
    duration: Text = ""
    billing_cycle: Word = ""


class PricingPolicy(Shape):
    """A share of the price, as text: "0.05"."""

    policy_type: Word = ""
    value: Amount = None

    @property
    def is_percent(self) -> bool:
        return self.policy_type == "percentdiscount"


class RequiredProduct(Shape):
    product_id: Text = ""
    sku_id: Text = ""
    term: PromotionTerm = PromotionTerm()
    pricing_policies: tuple[PricingPolicy, ...] = ()


class Promotion(Shape):
    """A promotion with the products, terms and billing cycles that it is for."""

    id: Text
    name: Text = ""
    start_date: LastDay = None
    end_date: LastDay = None
    required_products: tuple[RequiredProduct, ...] = ()


class Pricing(Shape):
    """Prices per unit; `price` is for one billing period, `extended_price` for the whole commitment."""

    list_price: Amount = None
    price: Amount = None
    extended_price: Amount = None


class LineError(Shape):
    error_code: Text = ""
    error_description: Text = ""


class CartLine(Shape):
    id: Whole
    catalog_item_id: Text = ""
    quantity: Whole = 0
    billing_cycle: Word = ""
    term_duration: Text = ""
    order_group: Text = ""
    pricing: Pricing | None = None
    error: LineError | None = None


class Cart(Shape):
    """A cart; it expires 7 days after it was made."""

    id: Text
    status: Word = ""
    creation_timestamp: Moment = None
    expiration_timestamp: Moment = None
    line_items: tuple[CartLine, ...] = ()


class OrderLine(Shape):
    line_item_number: Whole = 0
    offer_id: Text = ""
    subscription_id: Text = ""
    quantity: Whole = 0
    term_duration: Text = ""
    pricing: Pricing | None = None


class Order(Shape):
    """An order. All its lines share the billing cycle; a line may lack its subscription id until it is provisioned."""

    id: Text
    status: Word = ""
    billing_cycle: Word = ""
    creation_date: Moment = None
    line_items: tuple[OrderLine, ...] = ()


class OrderError(Shape):
    order_group_id: Text = ""
    code: Text = ""
    description: Text = ""


class CheckoutResult(Shape):
    """What became of a cart. HTTP 201 with `order_errors` is a partial failure."""

    orders: tuple[Order, ...] = ()
    order_errors: Annotated[tuple[OrderError, ...], BeforeValidator(lambda value: value or ())] = Field(default=())


class LineProvisioning(Shape):
    """How far one line of an order is: fulfilled, prefulfillmentPending or unfulfilled."""

    line_item_number: Whole = 0
    status: Word = ""


class SubscriptionProvisioning(Shape):
    """success, pending or failed; refreshed about every 15 minutes."""

    status: Word = ""


S = TypeVar("S", bound=Shape)


def shaped(kind: type[S], body: Any, *, written: bool = False) -> S:
    """`body` as `kind`. An answer of another form is OutcomeUnknown after a write, Unavailable after a read."""
    try:
        return kind.model_validate(body)
    except ValidationError as error:
        what = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()[:3])
        message = f"Partner Center's answer does not look like a {kind.__name__.lower()}."
        if written:
            raise OutcomeUnknown(message, "It is checked by itself what became of it.", what) from error
        raise Unavailable(message, "Where this stays so, report it to the portal's makers.", what) from error
